"""The schema before a change is folded once and then kept, by what it was folded from."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from ci_runner.model.directory import Migration
from ci_runner.sql import catalog, history, statements

FILES = (
    "CREATE TABLE users (id bigint PRIMARY KEY, email text);",
    "ALTER TABLE users ADD COLUMN name varchar(40) NOT NULL DEFAULT '';",
    "CREATE INDEX users_email ON users (email);",
    "ALTER TABLE users RENAME COLUMN name TO full_name;",
)


def migrations(*texts: str) -> list[Migration]:
    return [
        Migration(f"{number}.sql", str(number), "", text, f"hash of {text}") for number, text in enumerate(texts, 1)
    ]


@dataclass
class Shelf:
    """A cache that counts how often it gave."""

    kept: dict[str, bytes] = field(default_factory=dict)
    taken: int = 0

    def get(self, key: str) -> bytes | None:
        self.taken += key in self.kept
        return self.kept.get(key)

    def keys(self) -> frozenset[str]:
        return frozenset(self.kept)

    def put(self, key: str, content: bytes) -> None:
        self.kept[key] = content


def folded(files: list[Migration]) -> catalog.Catalog:
    state = catalog.Catalog()
    for file in files:
        state = catalog.fold(catalog.release(state), statements(file, "postgres"), "postgres")
    return state


@pytest.mark.parametrize("warm", range(len(FILES) + 1))
def test_a_catalog_taken_up_from_any_prefix_is_the_one_folded_from_the_start(warm: int) -> None:
    shelf = Shelf()
    history.before(migrations(*FILES[:warm]), "postgres", shelf)
    found = history.before(migrations(*FILES), "postgres", shelf)
    assert found == folded(migrations(*FILES))
    assert shelf.taken == (1 if warm else 0)
    assert len(shelf.kept) == len({warm, len(FILES)} - {0})


def test_an_edited_file_a_renamed_one_and_another_dialect_are_other_histories() -> None:
    files = migrations(*FILES)
    edited = migrations(*FILES[:3], "SELECT 1;")
    renamed = [Migration("0.sql", *("1", "", FILES[0], files[0].sha256)), *files[1:]]
    last = [history.keys(released, "postgres")[-1] for released in (files, edited, renamed)]
    assert len({*last, history.keys(files, "mysql")[-1]}) == 4
    assert history.keys(edited, "postgres")[:3] == history.keys(files, "postgres")[:3]


@pytest.mark.parametrize("damaged", [b"", b"{", b"null", b"\xff" * 40])
def test_what_was_kept_and_cannot_be_read_is_folded_anew(damaged: bytes) -> None:
    files = migrations(*FILES)
    shelf = Shelf({history.keys(files, "postgres")[-1]: damaged})
    assert history.before(files, "postgres", shelf) == folded(files)
    assert shelf.kept[history.keys(files, "postgres")[-1]] != damaged


def test_no_history_is_an_empty_schema_and_asks_no_cache() -> None:
    shelf = Shelf()
    assert history.before([], "postgres", shelf) == catalog.Catalog()
    assert (shelf.taken, shelf.kept) == (0, {})


def test_the_key_of_a_history_is_that_of_its_longest_prefix() -> None:
    files = migrations(*FILES)
    prefixes = [history.key(files[:length], "postgres") for length in range(1, len(files) + 1)]
    assert history.keys(files, "postgres") == prefixes


def test_what_may_be_long_is_looked_at_when_it_is_asked_for_and_says_nothing_when_it_is_none() -> None:
    state = folded(migrations("CREATE TABLE a (id int); CREATE INDEX i ON a (id); CREATE VIEW v AS SELECT 1;"))
    kept = catalog.dumps(state)
    assert catalog.loads(kept) == state
    damaged = catalog.loads(kept.replace(b'"views":[[', b'"views":[[1,'))
    assert damaged is not None
    assert (dict(damaged.views), damaged.index_tables) == ({}, state.index_tables)
