"""A cache is a convenience: it never fails a run and never lies."""

from __future__ import annotations

from pathlib import Path

from ci_runner.cache import MAX_ENTRIES, Cache


def test_what_was_put_is_got(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "deep" / "cache")
    cache.put("a1", b"x")
    assert cache.get("a1") == b"x"
    assert cache.keys() == {"a1"}


def test_a_missing_key_and_a_missing_folder_are_misses(tmp_path: Path) -> None:
    assert Cache(tmp_path).get("nothing") is None
    assert Cache(tmp_path / "none").keys() == frozenset()
    assert Cache(None).get("a") is None


def test_a_folder_that_cannot_be_written_is_no_failure(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("in the way")
    Cache(file).put("a", b"x")
    assert Cache(file).get("a") is None
    assert file.read_text() == "in the way"


def test_the_oldest_entries_make_room(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    for number in range(MAX_ENTRIES + 5):
        cache.put(f"{number:04x}", b"x")
    assert len(cache.keys()) == MAX_ENTRIES
    assert cache.get(f"{MAX_ENTRIES + 4:04x}") == b"x"
