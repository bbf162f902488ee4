"""New names for migrations that have to run after others."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ci_runner.errors import UsageError
from ci_runner.migrations import read
from ci_runner.migrations.renumber import renamed
from ci_runner.model.directory import Tree

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
# format, what the base branch has last, each file of the branch and where it goes
CASES = {
    "a plain number": ("atlas", "0007_x.sql", {"0007_a.sql": "0008_a.sql", "0009_b.sql": "0009_b.sql"}),
    "a number that grows a digit": ("atlas", "9.sql", {"8.sql": "10.sql"}),
    "a time becomes now": ("atlas", "20250101000000_x.sql", {"20240101000000_a.sql": "20260304050607_a.sql"}),
    "a time to come gets the second after": ("atlas", "20270101235959_x.sql", {"20240101000000_a.sql": "20270102000000_a.sql"}),
    "digits that only look like a time": ("atlas", "20259999999999_x.sql", {"20240101000000_a.sql": "20260000000000_a.sql"}),
    "a day": ("atlas", "20250102_x.sql", {"20250101_a.sql": "20250103_a.sql"}),
    "seconds since 1970": (
        "golang-migrate", "1700000000_x.up.sql",
        {"1600000000_a.up.sql": "1772600767_a.up.sql", "1600000000_a.down.sql": "1772600767_a.down.sql"},
    ),
    "a name that begins with a digit": (
        "golang-migrate", "0003_x.up.sql",
        {"0003_2fa_1.up.sql": "0004_2fa_1.up.sql", "0003_2fa_1.down.sql": "0004_2fa_1.down.sql"},
    ),
    "flyway with its undo and its settings": (
        "flyway", "db/V1.9__x.sql",
        {
            "db/V1_9__a.b.sql": "db/V1.10__a.b.sql",
            "db/U1_9__a.b.sql": "db/U1.10__a.b.sql",
            "db/V1_9__a.b.sql.conf": "db/V1.10__a.b.sql.conf",
        },
    ),
    "folders": ("prisma", "20250101000000_x/migration.sql", {"20240101000000_a/migration.sql": "20260304050607_a/migration.sql"}),
    "folders with dashes": (
        "diesel", "2025-01-01-000000_x/up.sql",
        {
            "2024-01-01-000000_a/up.sql": "2026-03-04-050607_a/up.sql",
            "2024-01-01-000000_a/down.sql": "2026-03-04-050607_a/down.sql",
        },
    ),
}  # fmt: skip


def directory(form: str, *names: str) -> Tree:
    return Tree("migrations", dict.fromkeys(names, b"SELECT 1;\n"))


@pytest.mark.parametrize("case", CASES)
def test_the_version_moves_behind_the_base_branch_and_files_that_belong_to_it_follow(case: str) -> None:
    form, newest, expected = CASES[case]
    theirs = read(directory(form, newest), format=form).migrations[-1]
    own = read(directory(form, *expected), format=form).migrations
    moved = renamed(own, theirs, (newest, *expected), form=form, now=NOW)
    assert moved == expected


@pytest.mark.parametrize("form", ["drizzle", "liquibase"])
def test_a_format_that_lists_its_files_elsewhere_is_left_to_its_tool(form: str) -> None:
    with pytest.raises(UsageError, match="in a file of its own: renumber them by"):
        renamed((), None, (), form=form, now=NOW)  # type: ignore[arg-type]


def test_a_name_without_a_version_cannot_be_moved() -> None:
    (own,) = read(directory("atlas", "init.sql"), format="atlas").migrations
    (theirs,) = read(directory("atlas", "1.sql"), format="atlas").migrations
    with pytest.raises(UsageError, match=r"init\.sql has no version number in its name"):
        renamed((own,), theirs, ("init.sql",), form="atlas", now=NOW)


@given(st.lists(st.integers(1, 10**5), unique=True, min_size=1, max_size=5), st.integers(1, 10**5))
def test_renamed_files_keep_their_order_and_run_after_the_newest(numbers: list[int], newest: int) -> None:
    form = "golang-migrate"
    names = [f"{number}_n{number}.up.sql" for number in numbers]
    own = read(directory(form, *names), format=form).migrations
    theirs = read(directory(form, f"{newest}_x.up.sql"), format=form).migrations
    moved = renamed(own, theirs[-1], names, form=form, now=NOW)
    after = read(directory(form, f"{newest}_x.up.sql", *moved.values()), format=form)
    assert [each.name for each in after.migrations] == [theirs[-1].name, *(moved[each.name] for each in own)]
    assert not any(problem.code == "duplicate-version" for problem in after.problems)
