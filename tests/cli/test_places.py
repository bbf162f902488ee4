"""Where people run the command from, where they put its options, and what becomes of a report that cannot be written."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from tests.cli.conftest import Repository

Branch = Callable[[Mapping[str, str | bytes]], Repository]
RISKY = {"migrations/2_drop.sql": "ALTER TABLE users DROP COLUMN email;\n", "src/deep/main.py": ""}


@pytest.mark.parametrize(
    ("cwd", "flags"),
    [
        (".", ()),
        ("src/deep", ()),
        ("src/deep", ("--dir", "../../migrations")),
        ("migrations", ("--dir", ".")),
        (".", ("--dir", "./migrations/")),
        (".", ("--dir", "file://migrations")),
        ("src", ("--dir", "{root}/migrations")),
    ],
)
@pytest.mark.parametrize("configured", [False, True])
def test_the_directory_is_found_from_any_folder_of_the_repository(
    branch: Branch, cwd: str, flags: tuple[str, ...], configured: bool
) -> None:
    repository = branch({**RISKY, **({"pilotage.yml": "dir: migrations\n"} if configured else {})})
    named = [flag.format(root=repository.path) for flag in flags]
    done = repository.run("lint", "--dialect", "postgres", "--format", "json", *named, cwd=cwd)
    assert (done.code, done.json["directory"]["path"]) == (1, "migrations"), done.err
    assert [file["name"] for file in done.json["files"]] == ["2_drop.sql"]


@pytest.mark.parametrize("order", ["before", "behind"])
def test_general_options_are_taken_before_and_behind_the_command(branch: Branch, order: str) -> None:
    repository = branch({**RISKY, "other.yml": "dir: migrations\nfail_on: never\n"})

    def run(*options: str) -> tuple[int, str, str]:
        words = (*options, "lint") if order == "before" else ("lint", *options)
        done = repository.run(*words)
        return done.code, done.out, done.err

    assert run("--config", "other.yml")[0] == 0
    assert len(run("--quiet")[1].splitlines()) < len(run()[1].splitlines())
    assert "\x1b[" in run("--colour")[1]
    assert "\x1b[" not in run("--no-colour")[1]


def test_the_findings_are_printed_even_where_a_report_cannot_be_written(branch: Branch) -> None:
    done = branch(RISKY).run("lint", "--dialect", "postgres", "--report", "json=migrations")
    assert done.code == 2
    assert "drop-column" in done.out
    assert "the report cannot be written to" in done.err


def test_a_base_that_is_nowhere_is_told_with_gits_reason_not_its_advice(branch: Branch) -> None:
    done = branch(RISKY).run("lint", "--base", "mian")
    assert done.code == 2
    assert "the commit mian is not in this clone" in done.err
    assert "(fatal: 'origin' does not appear to be a git repository)" in done.err


@pytest.mark.parametrize(("column", "told"), [("n text", False), ("n text NOT NULL", True)])
def test_a_table_without_a_row_is_told_beside_findings_and_keeps_a_clean_run_one_line(
    branch: Branch, column: str, told: bool
) -> None:
    repository = branch({"migrations/2_picky.sql": "CREATE TABLE picky (id int NOT NULL CHECK (id = 42));\n"})
    repository.commit({"migrations/3_more.sql": f"ALTER TABLE picky ADD COLUMN {column};\n"})
    flags = ("--dialect", "postgres", "--dev-url", "embedded://postgres/18", "--base", "HEAD~1")
    text = repository.run("lint", *flags).out
    assert ("no row could be made for table picky" in text) == told


@pytest.mark.parametrize(("version", "code"), [("16", 1), ("8.0.36-log", 1), ("v15.2", 1), ("latest", 2), ("", 1)])
def test_a_server_version_is_one_or_is_refused(branch: Branch, version: str, code: int) -> None:
    done = branch(RISKY).run("lint", "--dialect", "postgres", "--server-version", version)
    assert done.code == code, done.err
    assert ("must be a version such as 16" in done.err) == (code == 2)
