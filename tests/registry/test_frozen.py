"""Registries of every released format verify, read and grow for ever."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from ci_runner import registry, stores
from ci_runner.stores.memory import MemoryStore
from tests.registry import history

FROZEN = sorted(path for path in (Path(__file__).parent / "frozen").iterdir() if path.is_dir())
NEWEST = FROZEN[-1]


@pytest.mark.parametrize("folder", FROZEN, ids=lambda folder: folder.name)
def test_a_registry_of_a_released_format_reads_as_on_the_day_it_was_written(folder: Path) -> None:
    store = stores.open(f"file://{folder}")
    expected = json.loads(folder.with_name(f"{folder.name}.json").read_text())
    for name, head in expected["heads"].items():
        assert registry.verify(store, name, head).damages == ()
    assert registry.verify(store).damages == ()
    assert history.told(store) == expected


@pytest.mark.parametrize("folder", FROZEN, ids=lambda folder: folder.name)
def test_a_registry_of_a_released_format_can_be_pushed_to(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "copy")
    store = stores.open(f"file://{tmp_path}/copy")
    assert history.push_another(store).outcome == "ok"
    assert registry.verify(store).damages == ()


def test_today_s_program_writes_the_newest_format_byte_for_byte() -> None:
    store = MemoryStore()
    outcomes = [pushed.outcome for pushed in history.write(store)]
    assert outcomes == ["ok", "ok", "ok", "stale", "noop", "ok", "ok", "ok"]
    frozen = {path.relative_to(NEWEST).as_posix(): path.read_bytes() for path in NEWEST.rglob("*") if path.is_file()}
    assert {key: store.get(key, 10**6) for key in store.list("")} == frozen
