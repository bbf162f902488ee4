"""A primary and two backups that come and go, fail, lose answers and kill the job, with tags, late jobs and syncs in between.

PILOTAGE_TEST_ROUNDS=134 makes it a hundred thousand pushes; PILOTAGE_TEST_SEED is the first of its seeds.
"""

from __future__ import annotations

import os
import random

import pytest

from ci_runner import registry
from ci_runner.errors import TemporaryError
from tests.registry.sites import DOWN, Site, level, sync, waiting
from tests.registry.world import NAME, Crash, Job, files, snapshot

ROUNDS = int(os.environ.get("PILOTAGE_TEST_ROUNDS", "1"))
FIRST = int(os.environ.get("PILOTAGE_TEST_SEED", "0"))


def simulate(seed: int, pushes: int) -> tuple[int, int]:
    chance = random.Random(seed)
    sites = [Site(f"memory:{name}") for name in ("primary", "one", "two")]
    primary, *backups = sites
    count, acknowledged, tagged, kept, degraded = 0, dict[str, int](), dict[str, str](), set[str](), 0
    for number in range(pushes):
        for site in sites:
            site.fault = DOWN if chance.random() < 0.25 else None
            site.chance = chance.random
        late = chance.random() < 0.15
        count += not late
        wanted = max(1, count - chance.randrange(1, 4)) if late else count
        tags = [f"t{number}"] if chance.random() < 0.3 else []
        try:
            pushed = Job(primary, seed=number).push(snapshot(files(wanted)), str(wanted), tags=tags, backups=backups)
            acknowledged[pushed.digest] = wanted
            tagged |= dict.fromkeys(tags, pushed.digest)
            kept |= {pushed.digest} if pushed.outcome == "ok" else set()
            degraded += pushed.degraded
            assert pushed.outcome != "diverged"
            if chance.random() < 0.2:
                sync(primary, *backups)
        except (Crash, TemporaryError):
            continue
    for site in sites:
        site.fault, site.chance = None, lambda: 1.0
    synced = sync(primary, *backups)
    assert synced.kept == ()
    check(sites, acknowledged, tagged, kept)
    return len(acknowledged), degraded


def check(sites: list[Site], acknowledged: dict[str, int], tagged: dict[str, str], kept: set[str]) -> None:
    """Logs identical, chains whole, inboxes empty, every state and tag that was said to be kept is in the history, the end is the newest."""
    primary = sites[0]
    assert level(*sites)
    for site in sites:
        assert registry.verify(site).damages == ()
        assert waiting(site) == []
    log = registry.log(primary, NAME)
    assert len({entry.id for entry in log}) == len(log)
    assert kept <= {f"sha256:{entry.manifest}" for entry in log}, "an acknowledged push was lost"
    standing = {each["tag"]: each["digest"] for each in registry.tags_document(primary, NAME)}
    assert tagged.items() <= standing.items(), "an acknowledged tag was lost"
    states = [entry.manifest for entry in log if entry.kind == "push"]
    assert len(states) == len(set(states)), "a state was pushed twice"
    sizes = [len(registry.manifest(primary, state).files) for state in states]
    assert sizes == sorted(sizes), "latest moved backwards"
    assert max(sizes) >= max(acknowledged.values())


@pytest.mark.slow
def test_a_primary_and_two_backups_that_come_and_go_lose_nothing_and_end_level() -> None:
    pushes = acknowledged = degraded = 0
    for seed in range(FIRST, FIRST + 25 * ROUNDS):
        try:
            told, with_warning = simulate(seed, 30)
        except BaseException:
            print(f"seed: {seed}")
            raise
        pushes, acknowledged, degraded = pushes + 30, acknowledged + told, degraded + with_warning
    print(
        f"\n{pushes} pushes, {acknowledged} states acknowledged, {degraded} while the primary was down; 0 lost, 0 forks, all logs identical"
    )
    assert acknowledged > 100 * ROUNDS
    assert degraded > 20 * ROUNDS


@pytest.mark.parametrize("broken", ["inbox.put", "replication.replicate"])
def test_the_simulator_finds_out_a_lost_inbox_and_a_copy_that_is_never_made(
    broken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"ci_runner.registry.{broken}", lambda *_arguments: None)
    with pytest.raises(AssertionError):
        all(simulate(seed, 8) for seed in range(40))
