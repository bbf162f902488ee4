"""A branch whose base branch went on: collisions are seen on the branch, and one command moves its migrations behind."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from tests.cli.conftest import Repository

Branch = Callable[[Mapping[str, str | bytes]], Repository]
OWN = {
    "migrations/2_mine.sql": "CREATE TABLE mine (id bigint PRIMARY KEY);\n",
    "migrations/3_more.sql": "CREATE TABLE more (id bigint PRIMARY KEY);\n",
}
POSTGRES = {"PILOTAGE_DIALECT": "postgres", "PILOTAGE_DIR_FORMAT": "atlas"}


def gains(repository: Repository, files: Mapping[str, str]) -> Repository:
    """Main goes on while the branch is open."""
    repository.git("checkout", "-q", "main")
    repository.commit(files, "merged meanwhile")
    repository.git("checkout", "-q", "feature")
    return repository


def slugs(repository: Repository) -> list[tuple[str, str]]:
    done = repository.run("lint", "--format", "json", **POSTGRES)
    return [
        (file["name"], finding["rule"])
        for file in done.json["files"]
        for finding in file["findings"]
        if finding["severity"] != "notice"
    ]


def test_a_version_the_base_branch_took_meanwhile_is_an_error_on_the_branch(branch: Branch) -> None:
    repository = gains(branch(OWN), {"migrations/2_theirs.sql": "CREATE TABLE theirs (id bigint PRIMARY KEY);\n"})
    assert slugs(repository) == [("2_mine.sql", "duplicate-version")]
    done = repository.run("lint", **POSTGRES)
    assert "after the merge 2_theirs.sql and 2_mine.sql have the same version 2" in done.out
    assert (
        "the base branch has 1 migration that this branch lacks, the newest 2_theirs.sql: run 'pilotage rebase'"
        in done.out
    )


def test_a_file_that_would_run_before_what_was_merged_meanwhile_is_out_of_order(branch: Branch) -> None:
    repository = gains(branch(OWN), {"migrations/5_theirs.sql": "CREATE TABLE theirs (id bigint PRIMARY KEY);\n"})
    assert slugs(repository) == [("2_mine.sql", "file-out-of-order"), ("3_more.sql", "file-out-of-order")]


def test_a_file_of_the_same_name_on_both_sides_is_an_error(branch: Branch) -> None:
    repository = gains(branch(OWN), {"migrations/3_more.sql": "CREATE TABLE other (id bigint PRIMARY KEY);\n"})
    assert ("3_more.sql", "duplicate-version") in slugs(repository)


@pytest.mark.parametrize("files", [{"README.md": "x"}, {"migrations/1_init.sql": "CREATE TABLE users (id bigint);\n"}])
def test_a_base_branch_that_gained_no_migration_changes_nothing(branch: Branch, files: Mapping[str, str]) -> None:
    assert slugs(gains(branch(OWN), files)) == []


def test_rebase_moves_the_branch_behind_and_lint_is_content(branch: Branch) -> None:
    repository = gains(branch(OWN), {"migrations/2_theirs.sql": "CREATE TABLE theirs (id bigint PRIMARY KEY);\n"})
    assert repository.run("rebase", "--check", **POSTGRES).code == 3
    done = repository.run("rebase", **POSTGRES)
    assert done.code == 0, done.err
    assert done.out == "migrations: 2_mine.sql → 3_mine.sql\nmigrations: 3_more.sql → 4_more.sql\n"
    assert "not here yet: 2_theirs.sql" in done.err
    assert sorted(path.name for path in (repository.path / "migrations").iterdir()) == [
        "1_init.sql",
        "3_mine.sql",
        "4_more.sql",
    ]
    repository.commit({}, "rebased")
    assert slugs(repository) == []
    assert repository.run("rebase", "--check", **POSTGRES).code == 0


def test_rebase_after_the_merge_writes_the_sum_of_both_sides(branch: Branch) -> None:
    repository = branch(OWN)
    repository.run("hash", **POSTGRES)
    repository.commit({}, "sum")
    gains(repository, {"migrations/2_theirs.sql": "CREATE TABLE theirs (id bigint PRIMARY KEY);\n"})
    repository.git("merge", "-q", "-m", "merge", "main")
    assert repository.run("rebase", **POSTGRES).code == 0
    assert repository.run("hash", "--check", **POSTGRES).code == 0
    names = [row.split()[0] for row in (repository.path / "migrations/atlas.sum").read_text().splitlines()[1:]]
    assert names == ["1_init.sql", "2_theirs.sql", "3_mine.sql", "4_more.sql"]


def test_rebase_tells_machines_what_it_would_rename(branch: Branch) -> None:
    repository = gains(branch(OWN), {"migrations/2_theirs.sql": "CREATE TABLE theirs (id bigint PRIMARY KEY);\n"})
    done = repository.run("rebase", "--check", "--json", **POSTGRES)
    assert done.json == [
        {
            "dir": "migrations",
            "moves": {"2_mine.sql": "3_mine.sql", "3_more.sql": "4_more.sql"},
            "missing": ["2_theirs.sql"],
        }
    ]


def test_rebase_outside_a_repository_asks_for_the_branch(folder: Repository) -> None:
    folder.write({"migrations/1.sql": "SELECT 1;\n"})
    done = folder.run("rebase", **POSTGRES)
    assert (done.code, done.out) == (2, "")
    assert "give --onto BRANCH" in done.err
