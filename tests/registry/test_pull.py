"""Pulling by tag, digest, number and version; writing into a folder, whole or not at all."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ci_runner import registry
from ci_runner.errors import PilotageError, RefusedError, SetupError, TemporaryError, UsageError
from ci_runner.model.registry import Selector, Snapshot, SnapshotFile
from ci_runner.stores import Store
from ci_runner.stores.memory import MemoryStore
from tests.registry.world import NAME, Job, files, snapshot


@pytest.fixture
def store() -> Store:
    """Entries: 1 one file (v1) · 2 two files · 3 tag on entry 1's state (old) · 4 three files (v3)."""
    store = MemoryStore()
    job = Job(store)
    job.push(snapshot(files(1)), "1", tags=["v1"])
    job.push(snapshot(files(2)), "2")
    job.push(snapshot(files(1)), "1", tags=["old"])
    job.push(snapshot(files(3)), "3", tags=["v3"])
    return store


@pytest.mark.parametrize(
    ("selector", "count", "seq"),
    [
        (Selector(), 3, 4),
        (Selector("tag", "v1"), 1, 1),
        (Selector("tag", "old"), 1, 3),
        (Selector("tag", "v3"), 3, 4),
        (Selector("seq", "1"), 1, 1),
        (Selector("seq", "2"), 2, 2),
        (Selector("seq", "3"), 1, 3),
    ],
)
def test_a_state_is_found_by_what_names_it(store: Store, selector: Selector, count: int, seq: int) -> None:
    pulled, entry = registry.pull(store, NAME, selector)
    assert pulled == snapshot(files(count))
    assert entry.seq == seq


def test_a_digest_finds_the_last_entry_that_names_it(store: Store) -> None:
    digest = registry.log(store, NAME)[0].manifest
    assert registry.pull(store, NAME, Selector("digest", digest))[1].seq == 3


@pytest.mark.parametrize(
    ("name", "selector", "says"),
    [
        (NAME, Selector("tag", "v2"), "has no tag 'v2'"),
        (NAME, Selector("seq", "5"), "has no entry 5"),
        (NAME, Selector("digest", "0" * 64), "has no digest"),
        ("ap", Selector(), "did you mean 'app'"),
        ("other", Selector(), "it has: app"),
    ],
)
def test_what_is_not_there_is_told_with_what_is(store: Store, name: str, selector: Selector, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        registry.pull(store, name, selector)


def test_a_blob_of_another_directory_is_not_a_digest_of_this_one(store: Store) -> None:
    other = Job(store).push(snapshot({"x": b"x"}), "1", name="web")
    with pytest.raises(UsageError, match="has no digest"):
        registry.pull(store, NAME, Selector("digest", other.digest.removeprefix("sha256:")))


def test_where_there_is_no_registry_it_says_so() -> None:
    with pytest.raises(UsageError, match="no registry at memory:"):
        registry.pull(MemoryStore(), NAME, Selector())


def test_the_log_as_a_document_has_what_each_entry_holds(store: Store) -> None:
    document = registry.log_document(store, NAME)
    assert [(entry["seq"], entry["kind"], entry["tags"], len(entry["files"])) for entry in document] == [
        (1, "push", ["v1"], 1),
        (2, "push", [], 2),
        (3, "tag", ["old"], 1),
        (4, "push", ["v3"], 3),
    ]
    assert document[0]["digest"] == document[2]["digest"]
    assert document[0]["files"][0] | {"sha256": ""} == {
        "name": "0001.sql",
        "kind": "up",
        "sha256": "",
        "size": len(files(1)["0001.sql"]),
    }
    assert document[0]["git"] == {"repo": "acme/shop", "sha": "1", "ref": "refs/heads/main"}


def read(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


STATE = snapshot({"1.sql": b"one", "sub/2.sql": b"two"}, aux={"atlas.sum": b"h1:"})
CONTENT = {"1.sql": b"one", "sub/2.sql": b"two", "atlas.sum": b"h1:"}


@pytest.mark.parametrize("before", [None, {}, {"1.sql": b"old"}, {"sub/2.sql": b"old", "atlas.sum": b"old"}], ids=str)
def test_the_output_holds_exactly_the_snapshot(tmp_path: Path, before: dict[str, bytes] | None) -> None:
    out = tmp_path / "deep" / "out"
    if before is not None:
        fill(out, before)
    registry.write(STATE, out)
    assert read(out) == CONTENT
    assert [path.name for path in out.parent.iterdir()] == ["out"]


def fill(folder: Path, content: Mapping[str, bytes]) -> None:
    folder.mkdir(parents=True)
    for name, data in content.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)


@pytest.mark.parametrize("foreign", ["README.md", "sub/3.sql", "other/1.sql", "1.sql.bak"])
def test_an_output_that_holds_anything_else_is_left_alone(tmp_path: Path, foreign: str) -> None:
    out = tmp_path / "out"
    fill(out, {"1.sql": b"mine", foreign: b"mine"})
    with pytest.raises(RefusedError, match="nothing was written"):
        registry.write(STATE, out)
    assert read(out) == {"1.sql": b"mine", foreign: b"mine"}


def test_a_link_in_the_output_is_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    fill(outside, {"2.sql": b"mine"})
    fill(tmp_path / "out", {})
    (tmp_path / "out" / "sub").symlink_to(outside)
    with pytest.raises(RefusedError, match="'sub'"):
        registry.write(STATE, tmp_path / "out")
    assert read(outside) == {"2.sql": b"mine"}


def test_an_output_that_is_a_link_is_the_folder_it_points_to(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "out").symlink_to(tmp_path / "real")
    registry.write(STATE, tmp_path / "out")
    assert read(tmp_path / "real") == CONTENT
    assert (tmp_path / "out").is_symlink()


def test_a_file_or_the_current_folder_is_no_output(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_bytes(b"mine")
    with pytest.raises(RefusedError, match="is a file"):
        registry.write(STATE, tmp_path / "file")
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    for here in (Path(), tmp_path / "here", tmp_path):
        with pytest.raises(RefusedError):
            registry.write(STATE, here)
    assert (tmp_path / "file").read_bytes() == b"mine"


@pytest.mark.parametrize(
    ("number", "error"),
    [
        (errno.ENOSPC, TemporaryError),
        (errno.EROFS, SetupError),
        (errno.EACCES, SetupError),
        (errno.EXDEV, RefusedError),
        (errno.EBUSY, RefusedError),
    ],
)
@pytest.mark.parametrize("name", ["open", "rename", "mkdir"])
def test_a_failing_disk_leaves_the_output_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, number: int, error: type[PilotageError]
) -> None:
    out = tmp_path / "out"
    fill(out, {"1.sql": b"old"})
    original: Callable[..., object] = getattr(os, name)

    def failing(path: object, *args: object, **options: object) -> object:
        if "new" in str(path) and (name != "open" or args[:1] != (os.O_RDONLY,)):
            raise OSError(number, os.strerror(number))
        return original(path, *args, **options)

    with monkeypatch.context() as patch:
        patch.setattr(os, name, failing)
        with pytest.raises(error):
            registry.write(STATE, out)
    assert read(out) == {"1.sql": b"old"}
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_two_names_that_one_file_system_takes_for_the_same_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = os.open

    def folding(path: object, *args: object, **options: object) -> object:
        return original(str(path).replace("READ.sql", "read.sql"), *args, **options)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", folding)
        with pytest.raises(RefusedError, match="the same on this file system"):
            registry.write(snapshot({"READ.sql": b"1", "read.sql": b"2"}), tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


NAMES = st.lists(
    st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=12),
    min_size=1,
    max_size=3,
).map("/".join)


@settings(max_examples=120, deadline=None)
@given(st.dictionaries(NAMES, st.binary(max_size=40), max_size=6))
def test_what_is_pushed_is_pulled(tmp_path_factory: pytest.TempPathFactory, content: dict[str, bytes]) -> None:
    store, out = MemoryStore(), tmp_path_factory.mktemp("pull") / "out"
    state = Snapshot(
        "mysql", "goose", "h1:", tuple(SnapshotFile(name, "up", data) for name, data in sorted(content.items()))
    )
    try:
        Job(store).push(state, "1")
    except RefusedError:
        return
    pulled, _ = registry.pull(store, NAME, Selector())
    assert pulled == state
    registry.write(pulled, out)
    assert read(out) == content
