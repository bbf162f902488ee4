"""Reading a folder: only ordinary files, only once, never without end."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from ci_runner import aside, migrations, sources
from ci_runner.errors import DirectoryRefusedError, SetupError
from ci_runner.migrations import checks
from ci_runner.sources import Limits

ROOT = Path(__file__).resolve().parents[2]


def _fill(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        path = folder / f"{name.replace('__', '/')}.sql"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def test_files_are_read_by_relative_path_with_their_folders(tmp_path: Path) -> None:
    _fill(tmp_path, **{"1_a": "a", "sub__2_b": "b", "sub__deep__3_c": "c"})
    (tmp_path / "empty").mkdir()
    (tmp_path / "README.md").write_text("not of interest")
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "x.sql").write_text("never")
    tree = sources.folder(tmp_path, shown="migrations")
    assert tree.files == {"1_a.sql": b"a", "sub/2_b.sql": b"b", "sub/deep/3_c.sql": b"c"}
    assert tree.folders == ("empty", "sub", "sub/deep")
    assert (tree.path, tree.irregular, tree.linked) == ("migrations", (), ())


def test_a_long_folder_that_two_processes_read_is_what_one_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = _fill(tmp_path / "m", **{f"{number:04}_a": f"SELECT {number};\n" * (number % 9) for number in range(600)})
    _fill(folder, **{"sub__1_b": "b", "0100_long": "x" * 70_000, "0101_é": "ü"})
    (folder / "0300_link.sql").symlink_to(folder / "0001_a.sql")
    os.link(folder / "0002_a.sql", folder / "0301_twin.sql")
    (folder / "0302_none.sql").mkdir()
    monkeypatch.setattr(threading, "active_count", lambda: 1)
    found = []
    for processors, few in (({0, 1}, 2), ({0}, 2), ({0, 1}, 10_000)):
        monkeypatch.setattr(os, "sched_getaffinity", lambda _, processors=processors: processors)
        monkeypatch.setattr(aside, "MANY", few)
        begun = sources.begun(folder)
        time.sleep(0.1)
        found += [begun(), sources.folder(folder)]
    assert len(found[0].files) == 604
    assert [list(each.files) for each in found] == [sorted(found[0].files)] * len(found)
    assert all(each == found[0] for each in found)


def test_links_pipes_and_sockets_are_recorded_and_never_opened(tmp_path: Path) -> None:
    folder = _fill(tmp_path / "m", **{"1_a": "a"})
    (tmp_path / "secret.sql").write_text("secret")
    (folder / "2_out.sql").symlink_to(tmp_path / "secret.sql")
    (folder / "3_folder").symlink_to(tmp_path)
    (folder / "4_nowhere.sql").symlink_to("/nonexistent")
    os.mkfifo(folder / "5_pipe.sql")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(folder / "6_s.sql"))
        tree = sources.folder(folder)
    assert tree.irregular == (
        ("2_out.sql", "symlink"), ("3_folder", "symlink"), ("4_nowhere.sql", "symlink"), ("5_pipe.sql", "fifo"), ("6_s.sql", "socket"),
    )  # fmt: skip
    assert tree.files == {"1_a.sql": b"a"}
    with pytest.raises(DirectoryRefusedError, match="symbolic link"):
        migrations.read(tree)


def test_a_device_is_recorded(tmp_path: Path, need: Callable[[bool, str, str], None]) -> None:
    try:
        os.mknod(tmp_path / "1_a.sql", 0o020600, os.makedev(1, 5))
    except PermissionError:
        need(False, "the right to make device files", "run the tests as root")
    assert sources.folder(tmp_path).irregular == (("1_a.sql", "device"),)


def test_a_hard_link_is_noted(tmp_path: Path) -> None:
    _fill(tmp_path / "m", **{"1_a": "a", "2_b": "b"})
    os.link(tmp_path / "m" / "1_a.sql", tmp_path / "elsewhere")
    assert sources.folder(tmp_path / "m").linked == ("1_a.sql",)


@pytest.mark.parametrize(
    ("make", "code", "words"),
    [
        (lambda p: None, "directory-missing", "does not exist"),
        (lambda p: p.write_text("x"), "not-a-directory", "is not a directory"),
        (lambda p: p.symlink_to(p), "directory-missing", "cannot be found"),
        (lambda p: p.symlink_to("/nonexistent"), "directory-missing", "/nonexistent"),
    ],
)
def test_a_directory_that_is_none_is_named_as_given_and_resolved(
    tmp_path: Path, make: Callable[[Path], Any], code: str, words: str
) -> None:
    make(tmp_path / "m")
    with pytest.raises(DirectoryRefusedError, match=words) as refused:
        sources.folder(tmp_path / "m", shown="some/m")
    assert refused.value.code == code
    assert "some/m" in str(refused.value)


def test_a_directory_behind_a_link_is_read(tmp_path: Path) -> None:
    _fill(tmp_path / "real", **{"1_a": "a"})
    (tmp_path / "m").symlink_to("real")
    assert sources.folder(tmp_path / "m").files == {"1_a.sql": b"a"}


@pytest.mark.parametrize("spelled", ["../outside", "link", "m/../../outside"])
def test_a_confined_directory_must_lie_in_the_repository(tmp_path: Path, spelled: str) -> None:
    repository = tmp_path / "repository"
    _fill(repository / "m", **{"1_a": "a"})
    _fill(tmp_path / "outside", **{"1_a": "a"})
    (repository / "link").symlink_to(tmp_path / "outside")
    with pytest.raises(DirectoryRefusedError, match="outside the repository") as refused:
        sources.folder(repository / spelled, root=repository, confined=True)
    assert refused.value.code == "outside-repository"
    assert sources.folder(repository / spelled, root=repository).files == {"1_a.sql": b"a"}
    assert sources.folder(repository / "m", root=repository, confined=True).files == {"1_a.sql": b"a"}


def _as_nobody(need: Callable[[bool, str, str], None], path: Path) -> str:
    """What reading ``path`` comes to for a user who owns nothing; the root user is stopped by no permission."""
    script = (
        "import os, sys; from pathlib import Path; sys.path.insert(0, sys.argv[2])\n"
        "from ci_runner import migrations, sources\n"
        "import ci_runner.migrations.read, ci_runner.sql.dialects\n"
        "os.getuid() or os.setuid(65534)\n"
        "try:\n"
        "    print(migrations.read(sources.folder(Path(sys.argv[1])), sum_mode='off').migrations[0].text)\n"
        "except Exception as error:\n"
        "    print(type(error).__name__, getattr(error, 'code', ''), error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(path), str(ROOT)], capture_output=True, text=True, check=False, timeout=60
    )
    need(done.returncode == 0, "a process of another user", f"allow setuid here ({done.stderr[-200:]})")
    return done.stdout


def test_a_file_that_cannot_be_read_is_refused_by_name(
    tmp_path_factory: pytest.TempPathFactory, need: Callable[[bool, str, str], None]
) -> None:
    base = Path("/tmp") / f"pilotage-test-{os.getpid()}"
    folder = _fill(base / "m", **{"1_a": "a"})
    try:
        base.chmod(0o755)
        folder.chmod(0o755)
        assert _as_nobody(need, folder).strip() == "a"
        (folder / "1_a.sql").chmod(0)
        assert "DirectoryRefusedError unreadable 1_a.sql" in _as_nobody(need, folder)
        (folder / "1_a.sql").chmod(0o644)
        (folder / "sub").mkdir(mode=0)
        assert "DirectoryRefusedError unreadable sub" in _as_nobody(need, folder)
        (folder / "sub").rmdir()
        folder.chmod(0)
        said = _as_nobody(need, folder)
        assert "DirectoryRefusedError unreadable" in said
        assert str(folder) in said
    finally:
        folder.chmod(0o755)
        for path in sorted(base.rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()
        base.rmdir()


def _growing(monkeypatch: pytest.MonkeyPatch, path: Path, times: int) -> list[int]:
    """Let the file grow right before each of the next ``times`` times it is read, when it has been opened and looked at."""
    real, left = os.read, [times]

    def read(handle: int, count: int) -> bytes:
        if left[0] and os.path.samestat(os.fstat(handle), path.stat()):
            left[0] -= 1
            with path.open("a") as stream:
                stream.write("more")
        return real(handle, count)

    monkeypatch.setattr(os, "read", read)
    return left


def test_a_file_that_changes_once_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _fill(tmp_path, **{"1_a": "a"})
    left = _growing(monkeypatch, tmp_path / "1_a.sql", 1)
    assert sources.folder(tmp_path).files == {"1_a.sql": b"amore"}
    assert left == [0]


def test_a_file_that_keeps_changing_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _fill(tmp_path, **{"1_a": "a"})
    _growing(monkeypatch, tmp_path / "1_a.sql", 99)
    tree = sources.folder(tmp_path)
    assert tree.irregular == (("1_a.sql", "changing"),)
    with pytest.raises(DirectoryRefusedError, match="changed while it was read") as refused:
        migrations.read(tree)
    assert refused.value.code == "changing"


def test_a_file_swapped_for_a_link_is_not_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = _fill(tmp_path / "m", **{"1_a": "a"})
    (tmp_path / "secret").write_text("s")
    real = os.open

    def opened(name: Any, *arguments: Any, **options: Any) -> int:
        if name == "1_a.sql":
            (folder / "1_a.sql").unlink(missing_ok=True)
            (folder / "1_a.sql").symlink_to(tmp_path / "secret")
        return real(name, *arguments, **options)

    monkeypatch.setattr(os, "open", opened)
    tree = sources.folder(folder)
    assert tree.files == {}
    assert tree.irregular == (("1_a.sql", "changing"),)


@pytest.mark.parametrize(
    ("limits", "words", "file"),
    [
        (Limits(file=9), "a file of 10 bytes; the limit is 9", "2_b.sql"),
        (Limits(directory=11), "more than 11 bytes", "2_b.sql"),
        (Limits(files=1), "more than 1 files", None),
        (Limits(entries=1), "more than 1 entries", None),
        (Limits(depth=1), "1 levels", None),
    ],
)
def test_a_directory_over_a_cap_is_refused_naming_it(
    tmp_path: Path, limits: Limits, words: str, file: str | None
) -> None:
    _fill(tmp_path, **{"1_a": "aaaaa", "2_b": "b" * 10, "x__y__3_c": "c"})
    with pytest.raises(DirectoryRefusedError, match=words) as refused:
        sources.folder(tmp_path, shown="m", limits=limits)
    assert (refused.value.code, refused.value.file) == ("too-large", file)


def test_a_huge_file_is_refused_before_it_is_read(tmp_path: Path) -> None:
    with (tmp_path / "1_a.sql").open("wb") as stream:
        stream.truncate(1 << 40)
    with pytest.raises(DirectoryRefusedError, match="1,099,511,627,776 bytes"):
        sources.folder(tmp_path)


def test_a_file_at_the_cap_is_read_whole(tmp_path: Path) -> None:
    data = os.urandom(3 << 20)
    (tmp_path / "1_a.sql").write_bytes(data)
    assert sources.folder(tmp_path, limits=Limits(file=len(data))).files["1_a.sql"] == data


def test_marker_files_are_looked_for_up_to_the_repository(tmp_path: Path) -> None:
    folder = _fill(tmp_path / "repo" / "db" / "m", **{"1_a": "a"})
    (tmp_path / "Cargo.toml").write_text("outside")
    (tmp_path / "repo" / "Cargo.toml").write_text("top")
    (tmp_path / "repo" / "db" / "config.toml").write_text("beside")
    (tmp_path / "repo" / "db" / ".sqlx").mkdir()
    tree = sources.folder(folder, root=tmp_path / "repo")
    assert tree.context == {"../../Cargo.toml": b"top", "../config.toml": b"beside", "../.sqlx/": b""}
    assert sources.folder(folder).context == {"../config.toml": b"beside", "../.sqlx/": b""}


def test_a_name_that_is_not_utf8_is_refused_without_a_crash(tmp_path: Path) -> None:
    (Path(os.fsdecode(os.fsencode(tmp_path) + b"/1_\xff.sql"))).write_text("a")
    with pytest.raises(DirectoryRefusedError, match="rename it") as refused:
        migrations.read(sources.folder(tmp_path))
    assert refused.value.code == "file-name"
    str(refused.value).encode("utf-8")


def test_writing_replaces_the_whole_file_or_nothing(tmp_path: Path) -> None:
    path = tmp_path / "atlas.sum"
    path.write_text("old")
    sources.write(path, b"new")
    assert path.read_bytes() == b"new"
    assert [each.name for each in tmp_path.iterdir()] == ["atlas.sum"]
    with pytest.raises(SetupError, match="cannot be written"):
        sources.write(tmp_path / "missing" / "atlas.sum", b"new")


def test_what_a_folder_says_of_simple_files_is_what_their_bytes_say(tmp_path: Path) -> None:
    folder = _fill(
        tmp_path,
        **{
            "1_a": "SELECT 1;\n",
            "2_b": "-- only a remark\n",
            "3_c": "SELECT 'é';",
            "sub__4_d": "-- atlas:delimiter x\n",
        },
    )
    tree = sources.folder(folder)
    assert tree.simple == {path: checks.simple(data) for path, data in tree.files.items()}
    assert [path for path, digest in tree.simple.items() if digest] == ["1_a.sql"]
    assert migrations.read(tree) == migrations.read(replace(tree, simple={}))
