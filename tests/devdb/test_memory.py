"""Memory of a process's own: seen by it and by what it starts, by nobody else, and gone with it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from ci_runner.devdb.memory import mounted

ROOM = 8 << 20
HOLDING = """
import subprocess, sys
from pathlib import Path
from ci_runner.devdb.memory import mounted
with mounted(Path(sys.argv[1]), 8 << 20) as folder:
    (folder / "content").write_bytes(b"x" * 100_000)
    print(subprocess.run(["ls", folder], capture_output=True, text=True).stdout, end="", flush=True)
    sys.stdin.read()
"""


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_nobody_else_sees_it_and_a_killed_process_leaves_an_empty_folder(tmp_path: Path) -> None:
    folder = tmp_path / "below"
    words = [sys.executable, "-c", HOLDING, str(folder)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "content\n"
        apart = names(folder) == []  # only where memory can be mounted: else it is a folder as any
        process.kill()
    assert names(folder) == ([] if apart else ["content"])
    assert apart == (os.geteuid() == 0 and _may_mount())


def _may_mount() -> bool:
    tried = ("unshare", "--mount", "mount", "-t", "tmpfs", "tried", "/mnt")
    return subprocess.run(tried, capture_output=True, check=False).returncode == 0


def _in_a_thread(folder: Path, seen: dict[str, object]) -> None:
    """Mounts belong to a thread: those of the one that runs the tests stay as they are."""

    def enter() -> None:
        with mounted(folder, ROOM) as place:
            (place / "content").write_bytes(b"x")
            seen["within"] = names(place)
        seen["afterwards"] = names(folder)

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()


def test_the_folder_is_empty_again_behind_the_block(tmp_path: Path) -> None:
    seen: dict[str, object] = {}
    _in_a_thread(tmp_path / "below", seen)
    assert seen == {"within": ["content"], "afterwards": [] if os.geteuid() == 0 and _may_mount() else ["content"]}


def test_where_nothing_can_be_mounted_it_is_a_folder_as_any(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    seen: dict[str, object] = {}
    _in_a_thread(tmp_path / "below", seen)
    assert seen == {"within": ["content"], "afterwards": ["content"]}
    assert (tmp_path / "below" / "content").read_bytes() == b"x"
