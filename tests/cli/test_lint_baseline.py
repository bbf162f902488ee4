"""A baseline on an old repository: what is there today is known, what comes tomorrow counts."""

from __future__ import annotations

import json

from tests.cli.conftest import Repository

PG = ("--dialect", "postgres")
OLD = "DROP TABLE users;\n"


def old(repository: Repository) -> Repository:
    repository.commit({"migrations/2_old.sql": OLD})
    done = repository.run("lint", *PG, "--write-baseline", "known.json")
    assert (done.code, done.out) == (0, "")
    assert "1 finding written to known.json" in done.err
    repository.write({"pilotage.yml": "dialect: postgres\nbaseline: known.json\n"})
    return repository


def test_what_was_there_when_it_was_written_does_not_count(repository: Repository) -> None:
    done = old(repository).run("lint", "--all", "--format", "json")
    assert (done.code, done.json["verdict"], done.json["suppressed"]) == (0, "pass", 1)
    assert repository.run("lint", "--all", *PG, PILOTAGE_BASELINE="other.json").code == 2


def test_what_is_new_counts(repository: Repository) -> None:
    old(repository).write({"migrations/3_new.sql": "DROP TABLE orders;\n"})
    done = repository.run("lint", "--all", "--format", "json")
    assert (done.code, done.json["files"][2]["findings"][0]["rule"]) == (1, "drop-table")


def test_the_file_can_be_read_and_reviewed(repository: Repository) -> None:
    (entry,) = json.loads((old(repository).path / "known.json").read_text())["findings"]
    assert (entry["file"], entry["rule"], entry["statement"]) == (
        "migrations/2_old.sql",
        "drop-table",
        "DROP TABLE users;",
    )


def test_writing_it_anew_over_itself_keeps_what_still_holds(repository: Repository) -> None:
    before = (old(repository).path / "known.json").read_text()
    assert repository.run("lint", "--write-baseline", "known.json").code == 0
    assert (repository.path / "known.json").read_text() == before


def test_it_is_found_from_a_folder_below(repository: Repository) -> None:
    old(repository).write({"src/x": ""})
    assert repository.run("lint", "--all", cwd="src").code == 0


def test_one_that_is_missing_or_outside_is_refused(repository: Repository) -> None:
    repository.write({"pilotage.yml": "dialect: postgres\nbaseline: nowhere.json\n"})
    done = repository.run("lint", "--all")
    assert done.code == 2
    assert "nowhere.json" in done.err
    done = repository.run("lint", "--all", PILOTAGE_BASELINE="../../etc/passwd")
    assert done.code == 2
    assert "outside" in done.err
