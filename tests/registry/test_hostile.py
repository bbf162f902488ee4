"""A registry that somebody hostile wrote: manifests and entries are refused before a byte is written, and cheaply."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ci_runner import registry
from ci_runner.errors import IntegrityError, PilotageError, RefusedError
from ci_runner.model.registry import Selector, Snapshot, SnapshotFile
from ci_runner.registry import canonical, entries, keys, manifests
from tests.registry.world import NAME, Editable, Job, files, snapshot

SHA = canonical.sha256(b"x")


def line(**changes: Any) -> dict[str, Any]:
    return {"name": "a.sql", "kind": "up", "sha256": SHA, "size": 1} | changes


def manifest(*lines: object, **changes: Any) -> bytes:
    return json.dumps(
        {"v": 1, "dialect": "postgres", "format": "atlas", "sum": "", "files": list(lines)} | changes
    ).encode()


def serve(raw: bytes) -> Editable:
    """A registry whose latest entry names ``raw`` as its manifest, by its right hash."""
    store = Editable()
    Job(store).push(snapshot({}), "1")
    (entry,) = registry.log(store, NAME)
    store.edit(keys.slot(NAME, 1), entry.raw.replace(entry.manifest.encode(), canonical.sha256(raw).encode()))
    store.create(keys.blob(canonical.sha256(raw)), raw)
    store.create(keys.blob(SHA), b"x")
    return store


NAMES = [
    "../x", "a/../../x", "/x", "//x", "C:\\x", "C:x", "c:/x", "\\\\host\\x", "a\\b", "a\x00b", "a\nb", "\x1b[31m", "", ".", "..", "a//b", "a/", "./a",
    "a" * 300, "a/" * 600 + "b", "\ud800", "a\u202eb", "a\u2028b",
]  # fmt: skip

MANIFESTS: dict[str, bytes] = {
    **{f"the name {name[:12]!r}": manifest(line(name=name)) for name in NAMES},
    "a name twice": manifest(line(), line()),
    "a file that is a folder too": manifest(line(name="a"), line(name="a/b")),
    "not sorted": manifest(line(name="b"), line(name="a")),
    "too many files": manifest(*[line(name=f"{number:05d}") for number in range(10_001)]),
    "over the cap of a file": manifest(line(size=keys.FILE_LIMIT + 1)),
    "ten gigabytes": manifest(line(size=10 * 1024**3)),
    "over the cap of a directory": manifest(*[line(name=f"{number}", size=keys.FILE_LIMIT) for number in range(9)]),
    "a wrong size": manifest(line(size=2)),
    "a size below nothing": manifest(line(size=-1)),
    "a size that is no number": manifest(line(size="1")),
    "a size that is a truth value": manifest(line(size=True)),
    "a fractional size": manifest(line(size=1.0)),
    "a hash that is none": manifest(line(sha256="../../../etc/passwd")),
    "an upper-case hash": manifest(line(sha256=SHA.upper())),
    "a hash of nothing there": manifest(line(sha256="0" * 64)),
    "an unknown kind": manifest(line(kind="exe")),
    "a kind that is a list": manifest(line(kind=["up"])),
    "a line that is no object": manifest("a.sql"),
    "files that are no list": manifest(files={"a": 1}),
    "files missing": b'{"v":1,"dialect":"postgres","format":"atlas","sum":""}',
    "a dialect that is no text": manifest(dialect=7),
    "a long dialect": manifest(dialect="x" * 300),
    "a dialect of control characters": manifest(dialect="\x1b[31m"),
    "no version": manifest(v=None),
    "a version that is a truth value": manifest(v=True),
    "deep nesting": b'{"v":1,"x":' + b"[" * 40 + b"]" * 40 + b"}",
    "very deep nesting": b'{"v":1,"x":' + b"[" * 1_000_000 + b"]" * 1_000_000 + b"}",
    "a huge number": b'{"v":1' + b"0" * 1_000_000 + b"}",
    "no number": b'{"v":NaN}',
    "a key twice": b'{"v":1,"v":1}',
    "no JSON": b"\x00\x01\x02",
    "no text": b'{"v":"\xff"}',
    "UTF-16": manifest().decode().encode("utf-16"),
    "nothing": b"",
    "a list": b"[]",
    "over the cap of a manifest": b" " * (keys.TEXT_LIMIT + 1),
}


@pytest.mark.parametrize("raw", MANIFESTS.values(), ids=MANIFESTS.keys())
def test_a_hostile_manifest_is_refused_and_nothing_is_written(raw: bytes, tmp_path: Path) -> None:
    store = serve(raw)
    with pytest.raises(IntegrityError) as caught:
        registry.write(registry.pull(store, NAME, Selector())[0], tmp_path / "out")
    assert caught.value.exit_code == 6
    assert str(caught.value).isprintable()
    assert list(tmp_path.iterdir()) == []
    assert registry.verify(store).damages != ()


def test_a_manifest_of_a_newer_version_asks_for_an_upgrade(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="upgrade"):
        registry.pull(serve(manifest(v=2)), NAME, Selector())


def test_a_manifest_under_another_manifest_s_hash_is_refused() -> None:
    store = serve(manifest(line()))
    digest = canonical.sha256(manifest(line()))
    store.edit(keys.blob(digest), manifest())
    with pytest.raises(IntegrityError, match="damaged"):
        registry.pull(store, NAME, Selector())


@pytest.mark.parametrize(
    "content", [b"y", b"", b"xx", b"x" * 10_000, None], ids=["other", "short", "long", "very long", "missing"]
)
def test_a_file_that_is_not_what_its_manifest_says_is_refused(content: bytes | None) -> None:
    store = serve(manifest(line()))
    store.edit(keys.blob(SHA), content)
    with pytest.raises(IntegrityError):
        registry.pull(store, NAME, Selector())


def entry(**changes: Any) -> bytes:
    store = Editable()
    Job(store).push(snapshot(files(1)), "1", tags=["v1"])
    return canonical.dumps(json.loads(store.raw(keys.slot(NAME, 1))) | changes)


ENTRIES: dict[str, bytes] = {
    "another number": entry(seq=2),
    "another directory's": entry(name="web"),
    "no name": entry(name=None),
    "a number that is a truth value": entry(seq=True),
    "no number": entry(seq=None),
    "prev that is no hash": entry(prev="../x"),
    "a manifest that is no hash": entry(manifest="../../format.json"),
    "an unknown kind": entry(kind="delete"),
    "a kind that is a list": entry(kind=["push"]),
    "tags that are no list": entry(tags="v1"),
    "a tag that is none": entry(tags=["../v1"]),
    "a tag that is a number": entry(tags=[1]),
    "no git": entry(git=None),
    "git that is no text": entry(git={"repo": 1, "sha": "", "ref": ""}),
    "a long commit": entry(git={"repo": "", "sha": "a" * 2000, "ref": ""}),
    "no actor": entry(actor="ada"),
    "no time": entry(time=None),
    "no id": entry(id=7),
    "latest that comes later": entry(latest={"seq": 1, "manifest": SHA, "git": {"repo": "", "sha": "", "ref": ""}}),
    "latest that is a number": entry(latest=1),
    "latest that is a truth value": entry(
        latest={"seq": False, "manifest": SHA, "git": {"repo": "", "sha": "", "ref": ""}}
    ),
    "tags that are a truth value ago": entry(tagged=False),
    "tags that come later": entry(tagged=1),
    "tags before the first": entry(tagged=-1),
    "yanks that come later": entry(yanked=1),
    "rewrites that come later": entry(rewritten=1),
    "a table of tags that is none": entry(index=[]),
    "differences that are no list": entry(differences="x"),
    "a difference that is no text": entry(differences=[1]),
    "too many differences": entry(differences=["x"] * 1001),
    "a reason that is no text": entry(reason=1),
    "a deep actor": entry(actor=json.loads("[" * 60 + "]" * 60) and {"a": json.loads("[" * 60 + "]" * 60)}),
    "an actor that is no valid text": entry().replace(b'"ada"', b'"\\ud800"'),
    "a list": b"[]",
    "nothing": b"",
    "over the cap": entry() + b" " * keys.TEXT_LIMIT,
}


@pytest.mark.parametrize("raw", ENTRIES.values(), ids=ENTRIES.keys())
def test_a_hostile_entry_is_refused_by_every_command(raw: bytes) -> None:
    store = Editable()
    Job(store).push(snapshot(files(1)), "1", tags=["v1"])
    store.edit(keys.slot(NAME, 1), raw)
    operations: list[Callable[[], object]] = [
        lambda: Job(store).push(snapshot(files(2)), "2"),
        lambda: registry.pull(store, NAME, Selector()),
        lambda: registry.log(store, NAME),
    ]
    for operation in operations:
        with pytest.raises(IntegrityError):
            operation()
    assert [damage.seq for damage in registry.verify(store).damages] == [1]
    assert store.get(keys.slot(NAME, 2), 10) is None


LEAVES = st.none() | st.booleans() | st.integers() | st.text(max_size=5)
JSON = st.recursive(
    LEAVES,
    lambda deeper: st.lists(deeper, max_size=3) | st.dictionaries(st.text(max_size=3), deeper, max_size=3),
    max_leaves=8,
)
KEYS = [
    "v",
    "seq",
    "prev",
    "kind",
    "manifest",
    "tags",
    "git",
    "actor",
    "time",
    "id",
    "latest",
    "tagged",
    "yanked",
    "rewritten",
    "index",
    "files",
    "sum",
    "dialect",
    "format",
    "reason",
]


@settings(max_examples=200, deadline=None)
@given(
    st.binary(max_size=300) | st.dictionaries(st.sampled_from(KEYS), JSON).map(lambda value: json.dumps(value).encode())
)
def test_no_bytes_at_all_bring_anything_but_a_refusal(raw: bytes) -> None:
    for parse in (lambda: entries.decode(raw, 1, NAME), lambda: manifests.parse(raw, canonical.sha256(raw))):
        with pytest.raises((IntegrityError, RefusedError)):
            parse()


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 400), st.binary(min_size=1, max_size=3))
def test_a_splice_into_a_real_entry_is_read_or_refused(at: int, splice: bytes) -> None:
    raw = entry()
    try:
        entries.decode(raw[:at] + splice + raw[at + len(splice) :], 1, NAME)
    except PilotageError as error:
        assert error.exit_code in {2, 6}


@pytest.mark.parametrize("name", NAMES)
def test_even_a_snapshot_made_by_hand_is_never_written_outside(name: str, tmp_path: Path) -> None:
    with pytest.raises(RefusedError):
        registry.write(
            Snapshot("postgres", "atlas", "", (SnapshotFile("ok", "up", b""), SnapshotFile(name, "up", b"x"))),
            tmp_path / "in" / "out",
        )
    assert list(tmp_path.iterdir()) == []
