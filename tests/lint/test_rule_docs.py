"""The pages of the rules are what the rules say."""

from __future__ import annotations

import re
from pathlib import Path

from ci_runner.lint import catalogue
from scripts.rule_docs import files, rewrite

ROOT = Path(__file__).resolve().parent.parent.parent


def test_every_rule_has_a_page_and_a_line_in_the_index() -> None:
    pages = files()
    for rule in catalogue():
        assert f"docs/rules/{rule.slug}.md" in pages
        assert f"[{rule.slug}]({rule.slug}.md)" in pages["docs/rules/README.md"]


def test_the_pages_in_the_repository_are_up_to_date() -> None:
    stale = [
        path
        for path, text in files().items()
        if not (ROOT / path).is_file() or (ROOT / path).read_text(encoding="utf-8") != text
    ]
    assert stale == [], "run scripts/generate.py"
    kept = {f"docs/rules/{path.name}" for path in (ROOT / "docs" / "rules").glob("*.md")}
    assert kept == set(files())


def test_a_rule_has_a_rewrite_or_the_guide_says_why_not() -> None:
    table = (ROOT / "docs" / "lint.md").read_text(encoding="utf-8").partition("### Rules without a rewrite")[2]
    told = set(re.findall(r"`([a-z-]+)`(?!\[)", table.partition("[^1]:")[0]))
    without = {rule.slug for rule in catalogue() if not rewrite(rule)}
    assert told == without, told ^ without
