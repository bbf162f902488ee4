"""A kept base that is unpacked once and laid under each run: the same states as a replay, and nobody else's folder."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest

from ci_runner.devdb import layers, shelf, unpacked, workdir
from ci_runner.devdb.server import owner_here
from ci_runner.devdb.unpacked import Unpacked
from ci_runner.devdb.workdir import work_folder
from tests.devdb.test_shelf import CHANGE, CONTENT, REWRITE, RICH, Run
from tests.images.servers import assert_nothing_left, leftovers

URL = "embedded://postgres"


def run(folder: Path | None) -> Run:
    return Run(URL, folder, RICH, [*CHANGE, REWRITE], CONTENT)


def kept(folder: Path, suffix: str) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.name.endswith(suffix))


def test_every_way_to_a_kept_base_leads_to_what_a_replay_leaves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI", "true")
    plain, first = run(None), run(tmp_path)
    below = run(tmp_path)  # laid over what is unpacked for the run
    with monkeypatch.context() as there:
        there.setenv("PATH", str(tmp_path))  # without the programs that mount: unpacked for the run
        copied = run(tmp_path)
    assert not kept(tmp_path, unpacked.SUFFIX)
    monkeypatch.delenv("CI")
    stays, again = run(tmp_path), run(tmp_path)
    assert len(kept(tmp_path, unpacked.SUFFIX)) == int(possible())
    assert len(kept(tmp_path, shelf.SUFFIX)) == first.asked == 1
    for each in (below, copied, stays, again):
        assert each.asked == 0
        assert (each.schema, each.rows) == (plain.schema, plain.rows)
        assert (each.replay.changes, each.replay.observations) == (plain.replay.changes, plain.replay.observations)


def test_what_a_run_writes_may_lie_on_a_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setattr(workdir, "ROOM", 1 << 60)  # more than any memory has
    plain, first, second = run(None), run(tmp_path), run(tmp_path)
    assert len(kept(tmp_path, unpacked.SUFFIX)) == int(possible())
    assert (first.asked, second.asked) == (1, 0)
    assert (second.schema, second.rows) == (plain.schema, plain.rows)


def possible() -> bool:
    """Can this machine lay folders over others?"""
    owner = owner_here()
    with work_folder("pilotage-trial-", owner.uid, owner.gid) as place:
        (place / "above").mkdir()
        return layers.possible(place, layers.Above(place / "above", None), owner, {})


def make(stream: object, folder: Path) -> dict[str, str]:
    """Unpacks nothing: a folder of two files, made as a base is."""
    (folder / "base" / "1").mkdir(parents=True)
    (folder / "base" / "2").mkdir()
    (folder / "base" / "1" / "file").write_text("content")
    (folder / "version").write_text("18")
    return {"base/2": "base/1"}


def slot_in(folder: Path, key: str = "k") -> shelf.Slot:
    slot = shelf.Slot(folder, key)
    assert slot.write(lambda stream: stream.write(b"x"))
    return slot


def opened(slot: shelf.Slot) -> tuple[Unpacked | None, int]:
    """What is given, and how often it was made for that."""
    made: list[object] = []

    def counted(stream: object, folder: Path) -> dict[str, str]:
        made.append(folder)
        return make(stream, folder)

    with unpacked.unpacked(slot, counted) as found:
        return found, len(made)


def test_a_base_is_unpacked_once(tmp_path: Path) -> None:
    slot = slot_in(tmp_path)
    first, made = opened(slot)
    assert (made, opened(slot)) == (1, (first, 0))
    assert first is not None
    assert (first.folder / "base/1/file").read_text() == "content"
    assert first.copies == {"base/2": "base/1"}


def test_without_a_base_there_is_no_folder(tmp_path: Path) -> None:
    assert opened(shelf.Slot(tmp_path, "k")) == (None, 0)
    assert not list(tmp_path.iterdir())


def mark_of(folder: Path) -> dict[str, object]:
    found: dict[str, object] = json.loads((folder / "mark").read_text())
    return found


def copied(folder: Path) -> None:
    """The same folder with other numbers, as an archive brings it."""
    shutil.copytree(folder, folder.with_name("x"))
    shutil.rmtree(folder)
    folder.with_name("x").rename(folder)


def changed_mark(folder: Path, **values: object) -> None:
    (folder / "mark").write_text(json.dumps(mark_of(folder) | values))


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: (folder / "data/base/1/file").unlink(),
        lambda folder: (folder / "data/base/1/more").touch(),
        lambda folder: (folder / "data/more").mkdir(),
        lambda folder: shutil.rmtree(folder / "data/base"),
        lambda folder: shutil.rmtree(folder / "data"),
        lambda folder: (folder / "mark").unlink(),
        lambda folder: (folder / "mark").write_text("{"),
        lambda folder: (folder / "mark").write_text("[1]"),
        lambda folder: changed_mark(folder, boot="another"),
        lambda folder: changed_mark(folder, folders={}),
        lambda folder: os.chown(folder / "mark", 12345, -1) if os.geteuid() == 0 else (folder / "mark").unlink(),
        copied,
    ],
)
def test_a_folder_that_is_not_as_it_was_made_is_made_anew(change: object, tmp_path: Path) -> None:
    slot = slot_in(tmp_path)
    first, _ = opened(slot)
    assert callable(change)
    change(tmp_path / "k.open")
    assert opened(slot) == (first, 1)
    assert opened(slot) == (first, 0)


def test_a_link_is_no_folder_of_ours(tmp_path: Path) -> None:
    slot = slot_in(tmp_path)
    opened(slot)
    (tmp_path / "k.open").rename(tmp_path / "elsewhere")
    (tmp_path / "k.open").symlink_to(tmp_path / "elsewhere")
    assert opened(slot) == (None, 1)
    assert (tmp_path / "elsewhere" / "mark").exists()


def test_what_cannot_be_made_leaves_nothing(tmp_path: Path) -> None:
    def broken(_stream: object, folder: Path) -> dict[str, str]:
        folder.mkdir()
        (folder / "half").touch()
        raise OSError

    with pytest.raises(OSError), unpacked.unpacked(slot_in(tmp_path), broken):  # noqa: PT011 - it says nothing
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["k.base"]


def test_the_folders_used_last_stay_and_none_that_is_in_use_goes(tmp_path: Path) -> None:
    slots = [slot_in(tmp_path, f"{number}") for number in range(4)]
    (tmp_path / ".9.abc.open" / "data").mkdir(parents=True)  # of a run that was killed
    with unpacked.unpacked(slots[0], make) as held:
        assert held is not None
        os.utime(tmp_path / "0.open" / "mark", (1000, 1000))
        for slot in slots[1:]:
            opened(slot)
        assert {path.stem for path in kept(tmp_path, ".open")} == {"0", "2", "3"}
        unpacked.discard(slots[0])
        assert (held.folder / "version").exists()
    unpacked.discard(slots[0])
    assert {path.stem for path in kept(tmp_path, ".open")} == {"2", "3"}


def test_two_runs_that_unpack_the_same_base_at_once_both_have_it(tmp_path: Path) -> None:
    slot, both = slot_in(tmp_path), threading.Barrier(2, timeout=20)
    found: list[Unpacked | None] = []

    def slow(stream: object, folder: Path) -> dict[str, str]:
        both.wait()
        return make(stream, folder)

    def one() -> None:
        with unpacked.unpacked(slot, slow) as each:
            found.append(each)

    threads = [threading.Thread(target=one) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(found) == 2
    assert found[0] == found[1] is not None
    assert {path.name for path in tmp_path.iterdir()} == {"k.base", "k.open"}


SCRIPT = """
    import os, sys
    from pathlib import Path
    from ci_runner import devdb
    from ci_runner.databases import Sql
    shelf = devdb.Shelf(Path(sys.argv[1]), "base-of-these-tests")
    environment = {key: value for key, value in os.environ.items() if key != "CI"}
    with devdb.open("embedded://postgres", environment=environment, run_id="layered", report=print, shelf=shelf) as dev:
        database = dev.restore("base-of-these-tests")
        print("ready", flush=True)
        database.execute([Sql("SELECT pg_sleep(600)")], transaction=False)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_run_on_layers_that_is_ended_leaves_nothing_running_or_mounted(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CI", raising=False)
    run(tmp_path)
    command = [sys.executable, "-c", textwrap.dedent(SCRIPT), str(tmp_path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    while "ready" not in (line := process.stdout.readline()):
        assert line, "the process ended before its dev database was open"
    process.send_signal(number)
    process.wait(20)
    end = time.monotonic() + 20
    while any(name.startswith("process") for name in leftovers(process.pid)):
        assert time.monotonic() < end, "the server outlived the program"
        time.sleep(0.05)
    assert f"pilotage-pg-{process.pid}" not in Path("/proc/mounts").read_text()
    assert run(tmp_path).asked == 0
    assert_nothing_left(process.pid)
