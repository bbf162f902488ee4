"""What a reviewer sees on the pull request."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import cmarkgfm
import pytest
from cmarkgfm.cmark import Options
from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode

from ci_runner import render, report
from ci_runner.errors import ConfigError
from ci_runner.model.report import Linted, Replay, Run
from ci_runner.render.commenting import GITHUB_LIMIT
from tests.report import examples
from tests.text.test_escape import FOREIGN

LINK = "https://github.com/acme/shop/actions/runs/1"
MARKER = "<!-- pilotage:v1 key=pilotage -->\n"


class Markdown(SingleFileSnapshotExtension):
    """Snapshots as files that any Markdown viewer shows; ``pytest --snapshot-update`` writes them anew."""

    file_extension = "md"
    _write_mode = WriteMode.TEXT


def gfm(markdown: str) -> str:
    html: str = cmarkgfm.github_flavored_markdown_to_html(markdown, Options.CMARK_OPT_UNSAFE)  # type: ignore[no-untyped-call]
    return html


def comment(name: str, **options: Any) -> str:
    return render.comment(examples.RUNS[name](), key="pilotage", report_link=LINK, links=examples.links, **options)


def first_visible_line(markdown: str) -> str:
    return next(row for row in markdown.splitlines() if row and not row.startswith("<!--"))


@pytest.mark.parametrize("name", ["risky", "clean", "unchanged", "failed", "several"])
def test_comments_look_like_this(name: str, snapshot: SnapshotAssertion) -> None:
    assert comment(name) == snapshot(extension_class=Markdown)


def test_the_marker_is_the_first_line_and_only_with_a_key() -> None:
    assert comment("risky").startswith(MARKER)
    assert not render.comment(examples.risky()).startswith("<!--")


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("risky", "## ❌ Migration check failed: 2 errors, 2 warnings, 1 notice"),
        ("failed", "## ❌ Migration check failed: 1 migration does not run, 1 error, 3 warnings"),
        ("clean", "✅ **Migration check passed:** 1 changed migration, replayed on PostgreSQL 16.4"),
        ("unchanged", "✅ **Migration check passed:** no migration changed"),
    ],
)
def test_verdict_and_counts_stand_in_the_first_line(name: str, line: str) -> None:
    assert first_visible_line(comment(name)) == line


@pytest.mark.parametrize("name", ["clean", "unchanged"])
def test_a_clean_run_is_one_short_line(name: str) -> None:
    (line,) = render.comment(examples.RUNS[name]()).splitlines()
    assert len(line) < 100


def test_every_finding_says_what_why_instead_and_how_it_is_known() -> None:
    made = comment("risky")
    for directory in examples.risky().reports:
        for file in directory.files:
            for finding in file.findings:
                start = made.index(finding.title)
                block = made[start : start + 1500]
                assert f"{finding.severity} · [line" in block
                assert f"[`{finding.rule}`](https://" in block
                assert finding.statement.splitlines()[0] in block
                assert finding.why.replace("`", "")[:20] in block.replace("`", "")
                assert finding.remedy.replace("`", "")[:20] in block.replace("`", "")
                assert (
                    "observed on PostgreSQL 16.4" if finding.evidence == "observed" else "inferred from the text"
                ) in block


def structure(html: str) -> list[str]:
    """The tags of a page in order, without their attributes but links' and images'."""
    return re.findall(r"<(/?\w+)", html)


def test_links_lead_only_where_the_program_sends_them() -> None:
    html = gfm(comment("hostile", limit=1_000_000))
    assert set(re.findall(r'<(?:a|img)[^>]*?(?:href|src)="(https?://[^/"]+)', html)) <= {"https://github.com"}
    assert not re.search(r"<(img|script|iframe|input|style|form)", html)
    assert not re.search(r"@\w", re.sub(r"<(pre|code)[\s\S]*?</\1>|<[^>]*>", "", html))


@settings(deadline=None, max_examples=40)
@given(FOREIGN)
@example("`<o/r#1`")
@example("</summary></details>")
def test_foreign_text_adds_no_mark_up(foreign: str) -> None:
    """Tags that are not code's own are the same whatever the text: those of a run that says "x" everywhere."""
    allowed = structure(gfm(render.comment(examples.hostile((f"x{foreign}x",)), limit=1_000_000)))
    plain = structure(gfm(render.comment(examples.hostile(("x",)), limit=1_000_000)))
    loose = {"code", "/code", "p", "/p"}
    assert {tag for tag in allowed if tag not in loose} <= set(plain)
    assert allowed.count("details") == plain.count("details") == allowed.count("/details")
    assert allowed.count("table") == plain.count("table")
    assert allowed.count("td") == plain.count("td")
    assert allowed.count("a") == plain.count("a")
    for heading in ("h2", "h3", "h4"):
        assert allowed.count(heading) == plain.count(heading)


def test_no_picture_and_no_address_of_elsewhere_is_in_any_comment() -> None:
    for name in examples.RUNS:
        html = gfm(comment(name))
        assert "<img" not in html
        assert all(link.startswith("https://github.com/") for link in re.findall(r'href="([^"]*)"', html))


def open_fences(markdown: str) -> int:
    """0 when every code block is closed."""
    fence = ""
    for row in markdown.splitlines():
        match = re.match(r"`{3,}", row)
        if match and not fence:
            fence = match[0]
        elif fence and row.strip() == fence:
            fence = ""
    return len(fence)


@pytest.mark.parametrize("limit", [GITHUB_LIMIT, 32_768, 10_000, 4_000, 2_000, 600, 150])
@pytest.mark.parametrize("name", examples.RUNS)
def test_a_comment_fits_its_host_and_is_whole_where_it_is_cut(name: str, limit: int) -> None:
    made = comment(name, limit=limit)
    assert len(made) <= limit
    assert made.startswith(MARKER)
    if limit >= 600:
        assert open_fences(made) == 0
        tags = structure(gfm(made))
        assert tags.count("details") == tags.count("/details")


def test_what_is_cut_is_counted_and_the_report_linked() -> None:
    made = comment("many")
    hidden = int(re.search(r"\*\*(\d+) more findings\*\* did not fit: \[read the full report\]\((.*)\)", made)[1])  # type: ignore[index]
    assert made.count("#### ") == 500 - hidden
    assert 0 < hidden < 500
    assert made.count("#### 🔴") == 50  # the gravest stay
    assert LINK in made
    assert len(made) > GITHUB_LIMIT * 0.95


def test_a_comment_of_many_directories_still_fits() -> None:
    reports = (*(examples.clean_report(f"d{n}", f"services/{n}") for n in range(800)), examples.risky_report())
    made = render.comment(Run(reports, "fail"), key="k", limit=20_000, report_link=LINK)
    assert len(made) <= 20_000
    assert "Migration check failed: 2 errors" in made


def test_a_short_statement_is_shown_whole_and_of_a_long_one_its_lines() -> None:
    (row, *more) = ("ALTER TABLE orders", "  ADD COLUMN note text,", "  DROP COLUMN gone;")
    for filler, shown in ((0, f"```sql\n{row}\n{more[0]}\n{more[1]}\n```"), (20, f"```sql\n{more[1]}\n```")):
        text = "\n".join((row, *(f"  ADD COLUMN c{n} text," for n in range(filler)), *more))
        found = examples.finding("1_a.sql", text, "DROP COLUMN gone", "drop-column", "error", "gone is dropped")
        changes = examples.change_set(examples.changed("1_a.sql", text))
        made = report.build(changes, Linted((replace(found, statement=text),)), Replay("skipped"))
        assert shown in render.comment(report.combine([made]))


def test_the_suggestion_is_a_diff_of_the_file() -> None:
    made = comment("risky")
    assert "```diff\n-CREATE INDEX orders" in made
    assert "+CREATE INDEX CONCURRENTLY orders" in made


def test_the_brief_is_a_headline_with_a_link() -> None:
    assert render.brief(examples.risky(), report_link=LINK) == (
        f"## ❌ Migration check failed: 2 errors, 2 warnings, 1 notice\n\n[Read the full report]({LINK})"
    )
    assert "\n" not in render.brief(examples.risky())


def test_a_link_that_is_no_web_address_leads_nowhere() -> None:
    made = render.comment(
        examples.risky(), report_link="javascript:alert(1)", links=lambda *_: "https://e.example/a)b](c <d>"
    )
    assert "javascript" not in made
    assert 'href="https://e.example/a' not in gfm(made)


def test_the_summary_takes_more_than_a_comment() -> None:
    assert "did not fit" not in render.summary(examples.many(200), report_link=LINK)


def test_a_template_of_the_users_replaces_a_block(tmp_path: Path) -> None:
    (tmp_path / "finding.md.j2").write_text(
        '{% extends "pilotage/finding.md.j2" %}{% block advice %}\nAsk the *data team*: {{ view.message }}\n{% endblock %}'
    )
    made = comment("risky", templates=tmp_path)
    assert made.count("Ask the *data team*: ") == 5
    assert "Why it matters" not in made
    assert "CREATE INDEX orders_customer_email_idx" in made


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("{{ run.nothing }}", "nothing"),
        ("{% if %}", "comment.md.j2:1"),
        ("{{ link ~ headline }}", "joins text unescaped"),
        ("{{ headline | safe }}", "safe"),
        ("{{ headline | e }}", "'e'"),
        ("{{ run.__class__.__mro__ }}", "unsafe"),
        ("{% include 'gone.md.j2' %}", "gone.md.j2"),
        ("{{ hidden + icon }}", "unsupported operand"),
    ],
)
def test_a_wrong_template_of_the_users_is_told_by_file(tmp_path: Path, template: str, said: str) -> None:
    (tmp_path / "comment.md.j2").write_text(template)
    with pytest.raises(ConfigError, match=re.escape(said)) as caught:
        comment("risky", templates=tmp_path)
    assert str(tmp_path) in str(caught.value)
    assert caught.value.exit_code == 2


@settings(deadline=None, max_examples=60)
@given(st.lists(FOREIGN, min_size=1, max_size=3))
def test_any_run_can_be_commented(foreign: list[str]) -> None:
    made = render.comment(examples.hostile(tuple(foreign)), key=foreign[0], limit=5_000)
    assert len(made) <= 5_000
    made.encode("utf-8")
