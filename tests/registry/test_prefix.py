"""The prefix rule as a table: what is in the registry, what is pushed, how the commits lie, what comes of it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from ci_runner.model.registry import GitFacts, Latest
from ci_runner.registry import manifests, prefix
from tests.registry.world import ancestry, files, snapshot

A, B, C = (snapshot(files(count)) for count in (1, 2, 3))
EDITED = snapshot({**files(2), "0002.sql": b"edited"})
EDITED_LONGER = snapshot({**files(3), "0002.sql": b"edited"})
OTHER = snapshot({"0009.sql": b"other"})
DOWN = snapshot(files(2), down={"0002.down.sql": b"drop"})
OTHER_DOWN = snapshot(files(2), down={"0002.down.sql": b"drop more"})
AUX = snapshot(files(2), aux={"atlas.sum": b"h1:"})
LONGER_OTHER_DOWN = snapshot(files(3), down={"0002.down.sql": b"drop more"})
RENAMED = snapshot({"0001.sql": files(1)["0001.sql"], "0002_better.sql": files(2)["0002.sql"]})
NOW_AUX = snapshot(files(1), aux={"0002.sql": files(2)["0002.sql"]})
MYSQL = replace(B, dialect="mysql")
EMPTY = snapshot({})

TABLE = [
    # in the registry, pushed, (commit there, own commit), outcome
    ("the same", B, B, ("5", "5"), "noop"),
    ("the same, from an older commit", B, B, ("5", "1"), "noop"),
    ("the same, without Git", B, B, ("", ""), "noop"),
    ("one more", B, C, ("5", "6"), "ok"),
    ("one more, from an older commit", B, C, ("5", "4"), "ok"),
    ("one more, without Git", B, C, ("", ""), "ok"),
    ("more on nothing", EMPTY, B, ("5", "6"), "ok"),
    ("one more and another down file", DOWN, LONGER_OTHER_DOWN, ("5", "6"), "ok"),
    ("another down file, later commit", DOWN, OTHER_DOWN, ("5", "6"), "ok"),
    ("another down file, same commit", DOWN, OTHER_DOWN, ("5", "5"), "ok"),
    ("another down file, earlier commit", DOWN, OTHER_DOWN, ("5", "4"), "stale"),
    ("another down file, shallow clone", DOWN, OTHER_DOWN, ("?", "6"), "diverged"),
    ("another down file, other branch", DOWN, OTHER_DOWN, ("5", "x6"), "diverged"),
    ("another down file, without Git here", DOWN, OTHER_DOWN, ("5", ""), "diverged"),
    ("another down file, without Git there", DOWN, OTHER_DOWN, ("", "6"), "diverged"),
    ("a down file less, later commit", DOWN, B, ("5", "6"), "ok"),
    ("a down file more, earlier commit", B, DOWN, ("5", "4"), "stale"),
    ("an auxiliary file more, later commit", B, AUX, ("5", "6"), "ok"),
    ("another dialect, later commit", B, MYSQL, ("5", "6"), "ok"),
    ("another dialect, without Git", B, MYSQL, ("", ""), "diverged"),
    ("fewer, later commit: a revert", C, B, ("5", "6"), "diverged"),
    ("fewer, same commit", C, B, ("5", "5"), "diverged"),
    ("fewer, earlier commit: a late job", C, B, ("5", "4"), "stale"),
    ("fewer, without Git", C, B, ("", ""), "stale"),
    ("fewer, shallow clone", C, B, ("?", "4"), "stale"),
    ("fewer, other branch", C, B, ("5", "x4"), "stale"),
    ("none any more, later commit", C, EMPTY, ("5", "6"), "diverged"),
    ("edited", B, EDITED, ("5", "6"), "diverged"),
    ("edited, earlier commit", B, EDITED, ("5", "4"), "diverged"),
    ("edited and one more", B, EDITED_LONGER, ("5", "6"), "diverged"),
    ("another history", B, OTHER, ("5", "6"), "diverged"),
    ("renamed", B, RENAMED, ("5", "6"), "diverged"),
    ("one that is no migration any more", B, NOW_AUX, ("5", "6"), "diverged"),
]


def judge(old: object, new: object, commits: tuple[str, str]) -> prefix.Judgement:
    facts = [GitFacts(sha=commit) for commit in commits]
    return prefix.judge(manifests.of(old), manifests.of(new), lambda: prefix.relate(facts[0], facts[1], ancestry))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("old", "new", "commits", "outcome"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE]
)
def test_the_prefix_rule(old: object, new: object, commits: tuple[str, str], outcome: str) -> None:
    judgement = judge(old, new, commits)
    assert judgement.outcome == outcome
    assert bool(judgement.reason) == (outcome in {"stale", "diverged"})
    assert bool(judgement.differences) or outcome in {"ok", "noop"}


def test_git_is_asked_only_where_it_decides() -> None:
    def never() -> prefix.Relation:
        raise AssertionError("asked")

    for old, new in ((B, B), (B, C), (B, EDITED), (B, OTHER)):
        prefix.judge(manifests.of(old), manifests.of(new), never)


@pytest.mark.parametrize(
    ("own", "there", "says"),
    [("", "5", "checkout"), ("6", "", "Entry 3 was pushed without"), ("6", "?", "fetch-depth: 0")],
)
def test_where_git_could_not_decide_the_push_says_what_to_do(own: str, there: str, says: str) -> None:
    assert says in prefix.git_hint(Latest(3, "", GitFacts(sha=there)), GitFacts(sha=own))


STATES = st.dictionaries(st.sampled_from([f"{n}.sql" for n in range(5)]), st.sampled_from([b"a", b"b"]), max_size=5)


@settings(max_examples=400, deadline=None)
@given(STATES, STATES, st.sampled_from(["4", "5", "6", "x", "?", ""]))
def test_nothing_but_ok_and_noop_can_take_a_migration_out_of_reach(
    old: dict[str, bytes], new: dict[str, bytes], own: str
) -> None:
    judgement = judge(snapshot(old), snapshot(new), ("5", own))
    if judgement.outcome in {"ok", "noop"}:
        assert new.items() >= old.items()
    if judgement.outcome == "stale":
        assert new.items() < old.items()
    if judgement.outcome == "diverged":
        assert {line.partition(":")[0] for line in judgement.differences} >= {
            name for name in old if old[name] != new.get(name)
        }
