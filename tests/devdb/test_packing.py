"""A packed folder comes back as it was, and what is no such folder writes nothing outside its own."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path

import pytest

from ci_runner.devdb.packing import PackError, pack, unpack


def stream_of(index_of: object, content: bytes = b"") -> io.BytesIO:
    index = json.dumps(index_of).encode()
    return io.BytesIO(len(index).to_bytes(8, "big") + index + content)


@pytest.mark.parametrize(
    "entries",
    [
        {"entries": [["a", -1], ["a/b", 1]], "copies": {"../out": "a"}},
        {"entries": [["a", -1], ["a/b", 1]], "copies": {"/tmp/out": "a"}},
        {"entries": [["a", -1], ["a/b", 1]], "copies": {"missing": "a"}},
        {"entries": [["a", -1], ["a/b", 1]], "copies": {"a": "a"}},
        {"entries": [["a", -1], ["a/b", 1]], "copies": {"a": 1}},
        {"entries": [["a", -1], ["a/b", 1]], "copies": {str(number): "a" for number in range(9)}},
        {"entries": [["a", -1], ["a/b", 1]], "copies": ["a"]},
        {"entries": [["a", -1], ["a/b", 1]]},
        [["../out", 1]],
        [["/tmp/out", 1]],
        [["a", -1], ["a/../../out", 1]],
        [["a\0b", 1]],
        [["a", -2]],
        [["a", 10**18]],
        [["a", 5]],
        [["a", "x"]],
        [["missing/a", 1]],
        [["a", 1], ["a", 1]],
        {"a": 1},
        [1, 2],
        "",
        [["a", -1]] * 400_001,
    ],
)
def test_an_index_that_is_not_ours_writes_nothing_outside(entries: object, tmp_path: Path) -> None:
    inside = tmp_path / "deep" / "data"
    inside.parent.mkdir()
    index = entries if isinstance(entries, dict) else {"entries": entries, "copies": {}}
    with pytest.raises((PackError, OSError)):
        unpack(stream_of(index, b"x"), inside, None)
    assert [path.name for path in tmp_path.iterdir()] == ["deep"]
    assert {path.name for path in inside.parent.iterdir()} <= {"data"}


def test_a_packed_folder_comes_back_without_what_was_left_out(tmp_path: Path) -> None:
    source = tmp_path / "source"
    for name, content in {"a": b"", "b/c": b"12", "b/skip": b"no", "é/ü": os.urandom(70_000)}.items():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_bytes(content)
    (source / "link").symlink_to("/etc/passwd")
    (source / "empty").mkdir()
    stream = io.BytesIO()
    pack(source, stream, lambda path: path.endswith("skip"))
    stream.seek(0)
    unpack(stream, tmp_path / "copy", None)
    found = {path.relative_to(tmp_path / "copy").as_posix() for path in (tmp_path / "copy").rglob("*")}
    assert found == {"a", "b", "b/c", "empty", "é", "é/ü"}
    assert (tmp_path / "copy" / "é/ü").read_bytes() == (source / "é/ü").read_bytes()


def test_a_folder_that_is_a_copy_is_packed_once_and_comes_back_whole_or_empty(tmp_path: Path) -> None:
    source = tmp_path / "source"
    for name in ("base/1", "base/2", "base/3"):
        (source / name).mkdir(parents=True)
        (source / name / "file").write_bytes(bytes(range(256)) * 1000)
        (source / name / "empty").touch()
    once, thrice = io.BytesIO(), io.BytesIO()
    copies = {"base/2": "base/1", "base/3": "base/1"}
    pack(source, once, lambda _path: False, copies)
    pack(source, thrice, lambda _path: False)
    assert thrice.tell() > 2.9 * once.tell()
    for copying in (True, False):
        once.seek(0)
        folder = tmp_path / str(copying)
        assert unpack(once, folder, None, copying=copying) == copies
        for name in ("base/2", "base/3"):
            there = {path.name: path.read_bytes() for path in (folder / name).iterdir()}
            assert there == ({"file": bytes(range(256)) * 1000, "empty": b""} if copying else {})
