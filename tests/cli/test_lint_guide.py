"""docs/lint.md: its settings are taken, its comments do what it says, its links lead somewhere."""

from __future__ import annotations

import re

import pytest

from tests.cli.conftest import ROOT, Repository

PAGE = (ROOT / "docs" / "lint.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", PAGE, re.DOTALL)
SETTINGS = [text for language, text in BLOCKS if language == "yaml"]
USERS = "CREATE TABLE users (id bigint PRIMARY KEY, email text, nickname text, fax text, telex text);\n"


@pytest.mark.parametrize("settings", SETTINGS)
def test_every_setting_shown_is_taken(folder: Repository, settings: str) -> None:
    folder.write({"pilotage.yml": settings, "migrations/1_a.sql": USERS})
    if "baseline" in settings:
        assert folder.run("lint", "--write-baseline", ".pilotage-baseline.json").code == 0
    assert folder.run("lint").code == 0


def test_the_comments_shown_ignore_what_they_stand_at(repository: Repository) -> None:
    (sql,) = [text for language, text in BLOCKS if language == "sql"]
    repository.commit({"migrations/1_init.sql": USERS})
    done = repository.write({"migrations/2_drop.sql": sql}).run("lint", "--dialect", "postgres", "--format", "json")
    assert (done.json["files"][0]["findings"], done.json["suppressed"]) == ([], 3)


def test_the_dry_run_shown_is_what_is_printed(repository: Repository) -> None:
    shown = next(text for language, text in BLOCKS if language == "console" and "--dry-run" in text)
    repository.write({"migrations/2_index.sql": "CREATE INDEX i ON users (email);\n"})
    printed = repository.run("lint", "--dialect", "postgres", "--fix", "--dry-run").out
    assert [line.rstrip() for line in printed.splitlines()] == shown.splitlines()[1:]


def test_an_ignore_comment_expires_by_the_clock(repository: Repository) -> None:
    sql = "-- pilotage:ignore drop-column until=2020-01-01: soon\nALTER TABLE users DROP COLUMN email;\n"
    done = repository.write({"migrations/2_drop.sql": sql}).run("lint", "--dialect", "postgres", "--format", "json")
    found = [finding["rule"] for finding in done.json["files"][0]["findings"]]
    assert found == ["ignore-expired", "drop-column"]


def test_every_link_leads_somewhere() -> None:
    for page in ("lint.md", "own-rules.md"):
        for target in re.findall(r"\]\(([^)#]+)\)", (ROOT / "docs" / page).read_text(encoding="utf-8")):
            assert (ROOT / "docs" / target).is_file(), target
