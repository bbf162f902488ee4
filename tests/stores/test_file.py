"""The store in a folder: links, full and read-only disks, leftovers of the dead."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from ci_runner import stores
from ci_runner.errors import PilotageError, RefusedError, SetupError, TemporaryError
from ci_runner.stores import AmbiguousError, Created, Store

ROOT = Path(__file__).resolve().parents[2]
KEY = "dirs/app/log/0000000001.json"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return stores.open(f"file://{tmp_path}/registry")


def temporary_files(folder: Path) -> list[str]:
    return [path.name for path in folder.rglob("*.tmp.*")]


def failing(number: int, *, applied: Callable[..., object] | None = None) -> Callable[..., object]:
    def call(*args: object, **options: object) -> object:
        if applied:
            applied(*args, **options)
        raise OSError(number, os.strerror(number))

    return call


@pytest.mark.parametrize("name", ["link", "fsync", "open", "mkdir"])
@pytest.mark.parametrize(
    ("number", "error"),
    [
        (errno.ENOSPC, TemporaryError),
        (errno.EDQUOT, TemporaryError),
        (errno.EACCES, SetupError),
        (errno.EROFS, SetupError),
        (errno.EIO, TemporaryError),
        (errno.ESTALE, AmbiguousError),
    ],
)
def test_a_failing_disk_leaves_nothing_behind_and_says_why(
    tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch, name: str, number: int, error: type[PilotageError]
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(os, name, failing(number))
        with pytest.raises(error) as caught:
            store.create(KEY, b"x")
    assert type(caught.value) is (AmbiguousError if (name, number) == ("link", errno.EIO) else error)
    assert str(tmp_path) in str(caught.value)
    assert store.get(KEY, 10) is None
    assert temporary_files(tmp_path) == []
    assert store.create(KEY, b"x") is Created.CREATED


def test_a_full_disk_is_told_apart_from_a_lost_answer(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "link", failing(errno.ENOSPC))
    with pytest.raises(TemporaryError, match="make room") as caught:
        store.create(KEY, b"x")
    assert not isinstance(caught.value, AmbiguousError)


def test_a_link_that_worked_but_was_not_answered_is_ambiguous(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(os, "link", failing(errno.EIO, applied=os.link))
        with pytest.raises(AmbiguousError):
            store.create(KEY, b"x")
    assert store.get(KEY, 10) == b"x"


def test_without_hard_links_a_rename_that_refuses_to_replace_takes_their_place(
    tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch, need: Callable[[bool, str, str], None]
) -> None:
    need(sys.platform == "linux", "renameat2", "it is a call of Linux")
    monkeypatch.setattr(os, "link", failing(errno.EPERM))
    assert store.create(KEY, b"first") is Created.CREATED
    assert store.create(KEY, b"second") is Created.EXISTS
    assert store.get(KEY, 10) == b"first"
    assert temporary_files(tmp_path) == []


def test_the_rename_itself_refuses_a_taken_name(tmp_path: Path, need: Callable[[bool, str, str], None]) -> None:
    need(sys.platform == "linux", "renameat2", "it is a call of Linux")
    from ci_runner.stores.rename import rename_no_replace

    (tmp_path / "a").write_bytes(b"a")
    (tmp_path / "b").write_bytes(b"b")
    folder = os.open(tmp_path, os.O_RDONLY)
    try:
        assert rename_no_replace("a", "b", folder) == errno.EEXIST
        assert rename_no_replace("a", "c", folder) == 0
        assert rename_no_replace("a", "d", folder) == errno.ENOENT
    finally:
        os.close(folder)
    assert (tmp_path / "b").read_bytes() == b"b"
    assert (tmp_path / "c").read_bytes() == b"a"


def test_a_file_system_with_neither_is_refused(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    import ctypes

    class Old:
        """A C library from before renameat2."""

    monkeypatch.setattr(os, "link", failing(errno.ENOTSUP))
    monkeypatch.setattr(ctypes, "CDLL", lambda *_args, **_options: Old())
    with pytest.raises(RefusedError, match="neither hard links nor"):
        store.create(KEY, b"x")
    assert store.get(KEY, 10) is None


def test_links_inside_the_store_are_not_followed(tmp_path: Path, store: Store) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_bytes(b"secret")
    store.create("dirs/app/log/a", b"x")
    root = tmp_path / "registry"
    (root / "dirs" / "app" / "log" / "b").symlink_to(outside / "secret")
    (root / "dirs" / "link").symlink_to(outside)
    (root / "hints").symlink_to(outside)
    for operation in (
        lambda: store.get("dirs/app/log/b", 100),
        lambda: store.get("dirs/link/secret", 100),
        lambda: store.create("dirs/link/new", b"x"),
        lambda: store.put_hint("hints/app", b"x"),
    ):
        with pytest.raises(RefusedError):
            operation()
    assert store.create("dirs/app/log/b", b"x") is Created.EXISTS
    assert list(store.folders("dirs/")) == ["app"]
    assert [path.name for path in outside.iterdir()] == ["secret"]


def test_a_pipe_in_the_store_is_refused_without_waiting_for_a_writer(tmp_path: Path, store: Store) -> None:
    store.create("a/b", b"x")
    os.mkfifo(tmp_path / "registry" / "a" / "pipe")
    with pytest.raises(RefusedError, match="no regular file"):
        store.get("a/pipe", 10)


def test_a_folder_in_the_place_of_an_object_is_refused(store: Store) -> None:
    store.create("a/b", b"x")
    with pytest.raises(PilotageError):
        store.get("a", 10)
    with pytest.raises(RefusedError):
        store.create("a/b/c", b"x")


def test_leftovers_older_than_a_day_by_the_disk_s_own_clock_are_swept_and_younger_ones_kept(tmp_path: Path) -> None:
    folder = tmp_path / "a"
    folder.mkdir()
    now = folder.stat().st_mtime
    for name, age in (("x.tmp.old", 24 * 3600 + 60), ("x.tmp.young", 24 * 3600 - 600), ("real", 10**7)):
        (folder / name).write_bytes(b"x")
        os.utime(folder / name, (now - age, now - age))
    store = stores.open(f"file://{tmp_path}")
    store.create("a/new", b"x")
    assert sorted(path.name for path in folder.iterdir()) == ["new", "real", "x.tmp.young"]
    assert sorted(store.list("a/")) == ["a/new", "a/real"]


def test_the_root_may_be_a_link_because_the_user_named_it(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    stores.open(f"file://{tmp_path}/link").create("a", b"x")
    assert (tmp_path / "real" / "a").read_bytes() == b"x"


UNPRIVILEGED = """
import os, sys
from ci_runner import stores
from ci_runner.errors import PilotageError
store = stores.open("file://" + sys.argv[1])
if os.getuid() == 0:
    os.setgroups([]); os.setgid(65534); os.setuid(65534)
print(store.get("a/b", 10))
try:
    store.create("a/c", b"x")
except PilotageError as error:
    print(type(error).__name__, error.exit_code, error)
"""


def test_a_read_only_store_is_read_and_a_write_names_the_missing_right() -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        stores.open(f"file://{root}").create("a/b", b"x")
        for path in (root / "a", root):
            path.chmod(0o555)
        try:
            done = subprocess.run(
                [sys.executable, "-c", UNPRIVILEGED, folder], capture_output=True, text=True, check=False, timeout=60
            )
        finally:
            for path in (root, root / "a"):
                path.chmod(0o755)
    assert done.stderr == ""
    first, second = done.stdout.splitlines()
    assert first == "b'x'"
    assert second.startswith("SetupError 2 ")
    assert "no right" in second
