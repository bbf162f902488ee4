"""Random SIGKILLs that land inside statements; PILOTAGE_TEST_ROUNDS=1000 for the long form (nox -s faults)."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from tests.deploy.conftest import ENGINES
from tests.deploy.place import Place
from tests.deploy.torment import torment

KILLS = int(os.environ.get("PILOTAGE_TEST_ROUNDS") or 12)


@pytest.mark.parametrize("engine", [*ENGINES, "mysql"])
def test_whatever_the_moment_of_the_kill_each_statement_runs_once(
    engine: str, new_place: Callable[[str], Place]
) -> None:
    seen = torment(lambda: new_place(engine), KILLS, seed=KILLS)
    print(engine, seen)
    assert not seen.faults, "\n".join(seen.faults)
    assert seen.inside * 2 >= seen.kills, f"too few kills landed: {seen}"
