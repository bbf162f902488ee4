"""What the text says and what the database was seen to do must agree: where they do not, a rule is wrong, or the reason stands here.

Every case of the linter's tests and every example of its rules is replayed; PILOTAGE_TEST_ROUNDS=8 takes all of them, a plain run a share.
"""

from __future__ import annotations

import os
import zlib

import pytest

from ci_runner.devdb import DevDatabase
from tests.replay.agreement import Case, Compared, cases, compared

ROUNDS = int(os.environ.get("PILOTAGE_TEST_ROUNDS", "1"))
# Engine: of how many cases one is taken in a plain run; an engine of its own for each replay makes ClickHouse slow.
SHARE = {"sqlite": 1, "mariadb": 1, "postgres": 6, "mysql": 4, "clickhouse": 16}
# Findings that the database takes back, or makes, and why that is no error of the rule.
KNOWN = {
    "pg-timestamptz-without-utc": "it rewrites only where the session's time zone is not UTC, and the dev database's is",
    "h-pg-attach-default": "a default partition is looked through only when there are others, and here are none",
    "h-my-inline-references-add-column": "MySQL 9 makes the foreign key that earlier versions overlook, and copies the table for it",
    "h-pg-default-function-replaced-volatile": "the server sees through this function to the constant it gives",
}


def chosen(dialect: str) -> list[Case]:
    """The cases of the dialect that are in this run's share, and always the known ones."""
    share = max(1, SHARE[dialect] // ROUNDS)
    mine = [case for case in cases() if case.dialect == dialect]
    return [case for case in mine if case.name in KNOWN or zlib.crc32(case.name.encode()) % share == 0]


@pytest.mark.parametrize("dialect", SHARE)
def test_what_is_seen_and_what_is_said_agree(
    request: pytest.FixtureRequest, dialect: str, capsys: pytest.CaptureFixture[str]
) -> None:
    dev: DevDatabase = request.getfixturevalue(dialect)
    found = {case.name: compared(case, dev) for case in chosen(dialect)}
    unrun = {name for name, each in found.items() if each.unrun}
    apart = {name: each for name, each in found.items() if each.refuted or each.only_seen}
    with capsys.disabled():
        print(f"\n{dialect}: {len(found)} compared, {len(unrun)} refused by the server, {len(apart)} apart", end="")
        for name, each in apart.items():
            print(f"\n  {name}: {described(each)} ({KNOWN.get(name, 'new')})", end="")
    assert len(unrun) * 3 < len(found)
    assert apart.keys() <= KNOWN.keys()


def described(each: Compared) -> str:
    taken = ", ".join(f"{rule}@{line}" for rule, line in each.refuted)
    made = ", ".join(f"{rule}@{line}" for rule, line in each.only_seen)
    return "; ".join(part for part in (f"taken back: {taken}" * bool(taken), f"only seen: {made}" * bool(made)) if part)
