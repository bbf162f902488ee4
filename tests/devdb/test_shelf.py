"""Bases kept from run to run: as good as replayed, whole or not there, and never a way out of their folder."""

from __future__ import annotations

import errno
import hashlib
import io
import os
import threading
import time
import zlib
from pathlib import Path
from typing import IO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ci_runner import devdb
from ci_runner.databases import Database
from ci_runner.devdb import Shelf, shelf
from ci_runner.devdb.deflate import Deflating, Inflated
from ci_runner.model.inspected import Schema
from ci_runner.model.report import Replay
from ci_runner.replay import Limit, ReplayFile, replay
from ci_runner.replay.standing import standing
from tests.devdb.opening import RUN
from tests.images.servers import assert_nothing_left
from tests.replay.writing import file

KEY = "base-of-these-tests"
PLAIN = [
    file("1.sql", "CREATE TABLE users (id int NOT NULL PRIMARY KEY, name varchar(40) NOT NULL DEFAULT 'x');\n"),
    file("2.sql", "CREATE INDEX users_name ON users (name);\nINSERT INTO users VALUES (1, 'one');\n"),
    file(
        "3.sql",
        "CREATE TABLE notes (id int PRIMARY KEY, owner int REFERENCES users (id));\nCREATE VIEW seen AS SELECT id FROM notes;\n",
    ),
]
RICH = [
    *PLAIN,
    file("4.sql", "CREATE EXTENSION pg_stat_statements;\nCREATE EXTENSION pg_trgm;\nCREATE TYPE mood AS ENUM ('a', 'b');\n"),
    file("5.sql", "CREATE SCHEMA side;\nCREATE SEQUENCE side.s START 7;\nSELECT nextval('side.s');\n"
         "ALTER DATABASE dev SET search_path = side, public;\n"),
    file("6.sql", "CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETURN 1; END $$;\nGRANT SELECT ON users TO PUBLIC;\n"),
    file("7.sql", "CREATE TABLE words (t text, v tsvector GENERATED ALWAYS AS (to_tsvector('english', t)) STORED);\n"
         "SELECT lo_from_bytea(4711, 'x');\n"),
]  # fmt: skip
CHANGE = [
    file("8.sql", "DROP INDEX users_name;\nCREATE TABLE more (id int);\n"),
    file("9.sql", "ALTER TABLE users ADD COLUMN n int NOT NULL DEFAULT 3;\n"),
]
REWRITE = file("10.sql", "ALTER TABLE users ALTER COLUMN id TYPE bigint;\n")
Files = list[ReplayFile]
# What a PostgreSQL database holds beside what `inspect` shows.
CONTENT = """SELECT (SELECT last_value FROM side.s), (SELECT count(*) FROM pg_largeobject_metadata), (SELECT count(*) FROM public.users),
 (SELECT string_agg(unnest, ' ') FROM (SELECT unnest(setconfig) FROM pg_db_role_setting) AS s), current_setting('search_path'),
 (SELECT string_agg(extname, ' ' ORDER BY extname) FROM pg_extension), (SELECT relacl::text FROM pg_class WHERE relname = 'users'),
 current_setting('default_text_search_config'), current_setting('timezone'), current_database(), current_user,
 (SELECT string_agg(name || '=' || coalesce(setting, ''), ' ' ORDER BY name) FROM pg_settings WHERE source NOT IN ('override', 'client'))"""


def look(database: Database, query: str) -> tuple[Schema, list[tuple[object, ...]]]:
    """The schema, and the rows of the query where there is one."""
    return database.inspect(), database.query(query) if query else []


class Run:
    """One run of a job with that cache folder: what the replay said, how often the history was asked for, what was reported."""

    def __init__(self, url: str, folder: Path | None, base: Files, change: Files, query: str = "") -> None:
        self.asked = 0
        self.lines: list[str] = []

        def history() -> Files:
            self.asked += 1
            return base

        kept = Shelf(folder, KEY) if folder else None
        with devdb.open(url, environment=os.environ, run_id=RUN, report=self.lines.append, shelf=kept) as dev:
            self.replay: Replay = replay(history, change, dev, key=KEY)
            again = dev.restore(KEY)
            if again is None:  # nothing was kept: a full replay says what the history leaves
                ran = base if self.replay.status == "ok" else []
                self.schema, self.rows = standing(ran, dev, lambda database: look(database, query), Limit(60))
            else:
                self.schema, self.rows = look(again, query)
                again.close()
        assert_nothing_left(os.getpid(), RUN)


@pytest.mark.parametrize(
    ("url", "base", "change"),
    [("sqlite://dev?mode=memory", PLAIN, CHANGE), ("embedded://postgres", RICH, [*CHANGE, REWRITE])],
)
def test_a_kept_base_is_as_good_as_a_replayed_one(url: str, base: Files, change: Files, tmp_path: Path) -> None:
    query = CONTENT if "postgres" in url else "SELECT sql FROM sqlite_schema ORDER BY name"
    plain, first, second, third = (
        Run(url, folder, base, change, query) for folder in (None, tmp_path, tmp_path, tmp_path)
    )
    assert (plain.asked, first.asked, second.asked, third.asked) == (1, 1, 0, 0)
    for run in (first, second, third):
        assert run.schema == plain.schema
        assert run.rows == plain.rows
        assert run.replay.status == "ok"
        assert (run.replay.changes, run.replay.observations, run.replay.unobserved) == (
            plain.replay.changes,
            plain.replay.observations,
            plain.replay.unobserved,
        )
    assert plain.schema.tables.keys() >= {"users", "notes"}
    assert plain.replay.changes


def test_a_containers_base_is_kept_and_taken_up(postgres_image: str, tmp_path: Path) -> None:
    url = "docker://postgres/15/dev"
    change = [*CHANGE, REWRITE]
    first, second = (Run(url, tmp_path, RICH, change, CONTENT) for _ in range(2))
    assert (first.asked, second.asked) == (1, 0)
    assert "with the base an earlier run replayed" in second.lines[0]
    assert (second.schema, second.rows) == (first.schema, first.rows)
    assert (second.replay.changes, second.replay.observations) == (first.replay.changes, first.replay.observations)
    (kept,) = tmp_path.iterdir()
    damage(kept, "something else")
    mended = Run(url, tmp_path, RICH, change, CONTENT)
    assert (mended.asked, mended.schema) == (1, first.schema)


def test_extensions_of_the_change_are_ready_on_a_kept_base_and_not_in_it(tmp_path: Path) -> None:
    change = [file("8.sql", "CREATE EXTENSION pg_stat_statements;\n")]
    for _ in range(3):
        assert Run("embedded://postgres", tmp_path, PLAIN, change).replay.status == "ok"
        assert Run(
            "embedded://postgres", tmp_path, PLAIN, [file("8.sql", "SELECT 1 FROM pg_stat_statements")]
        ).replay.error


def test_a_base_that_does_not_run_is_not_kept(tmp_path: Path) -> None:
    broken = [*PLAIN, file("x.sql", "CREATE TABLE users (id int);\n")]
    for url in ("sqlite://dev?mode=memory", "embedded://postgres"):
        assert Run(url, tmp_path, broken, CHANGE).replay.status == "failed"
    assert not list(tmp_path.iterdir())


def test_what_is_kept_for_one_server_is_not_taken_for_another(tmp_path: Path) -> None:
    urls = (
        "embedded://postgres",
        "embedded://postgres?superuser=true",
        "embedded://postgres/15",
        "sqlite://d?mode=memory",
    )
    available = [url for url in urls if not devdb.lacking(url, os.environ)]
    assert [Run(url, tmp_path, PLAIN, CHANGE).asked for url in available] == [1] * len(available)
    assert len(list(tmp_path.iterdir())) == len(available)


NOT_DEFLATED = b"\xff\xff\xff"


def deflated(content: bytes) -> bytes:
    parts: list[bytes] = []
    sink = Deflating(parts.append)
    sink.write(content)
    sink.finish()
    return b"".join(parts)


def forge(path: Path, content: bytes) -> None:
    """Make it a file that is whole by its hash."""
    digest = hashlib.sha256(path.stem.encode() + content).hexdigest().encode()
    path.write_bytes(shelf.MAGIC + digest + content)


def damage(path: Path, how: str) -> None:
    content = path.read_bytes()
    half = len(content) // 2
    if how == "truncated":
        path.write_bytes(content[:half])
    elif how == "a bit flipped":
        path.write_bytes(content[:half] + bytes([content[half] ^ 1]) + content[half + 1 :])
    elif how == "emptied":
        path.write_bytes(b"")
    elif how == "unfinished":
        path.write_bytes(content.replace(content[len(shelf.MAGIC) :][: shelf.DIGEST], b"-" * shelf.DIGEST))
    elif how == "not deflated":
        forge(path, NOT_DEFLATED)
    elif how == "half deflated":
        forge(path, deflated(os.urandom(100_000))[:50_000])
    else:  # whole by its hash, and not what a server can start on
        slot = shelf.Slot(path.parent, path.stem)
        slot.write(lambda stream: stream.write(b"SQLite format 3\0 and no more"))


@pytest.mark.parametrize(
    ("url", "how"),
    [
        *(
            ("sqlite://dev?mode=memory", how)
            for how in (
                "truncated",
                "a bit flipped",
                "emptied",
                "unfinished",
                "not deflated",
                "half deflated",
                "something else",
            )
        ),
        ("embedded://postgres", "a bit flipped"),
        *(("embedded://postgres", how) for how in ("not deflated", "half deflated", "something else")),
    ],
)
def test_a_damaged_base_is_thrown_away_and_replayed(url: str, how: str, tmp_path: Path) -> None:
    plain = Run(url, tmp_path, PLAIN, CHANGE)
    (kept,) = tmp_path.iterdir()
    damage(kept, how)
    mended = Run(url, tmp_path, PLAIN, CHANGE)
    assert mended.asked == 1
    assert (mended.schema, mended.replay) == (plain.schema, plain.replay)
    assert Run(url, tmp_path, PLAIN, CHANGE).asked == 0


def test_a_folder_that_cannot_be_written_costs_the_cache_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    assert Run("embedded://postgres", tmp_path / "file" / "bases", PLAIN, CHANGE).replay.status == "ok"


def test_the_file_of_one_base_is_none_under_the_name_of_another(tmp_path: Path) -> None:
    one, other = shelf.Slot(tmp_path, "aa"), shelf.Slot(tmp_path, "bb")
    assert one.write(lambda stream: stream.write(b"content"))
    one.path.rename(other.path)
    with other.reading() as stream:
        assert stream is None
    assert not other.path.exists()


@given(st.binary(max_size=3000))
def test_what_was_written_is_read(content: bytes) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        slot = shelf.Slot(Path(folder), "k")
        assert slot.write(lambda stream: stream.write(content))
        with slot.reading() as stream:
            assert stream is not None
            assert stream.read() == content
        assert [path.name for path in Path(folder).iterdir()] == ["k.base"]


@given(st.binary(max_size=3000), st.integers(0, 400), st.lists(st.integers(0, 1_500_000), max_size=8))
def test_a_content_read_in_pieces_is_the_content(part: bytes, times: int, sizes: list[int]) -> None:
    whole = part * times
    plain = io.BytesIO(whole)
    with Inflated(io.BytesIO(deflated(whole))) as content:
        assert [content.read(size) for size in sizes] == [plain.read(size) for size in sizes]
        assert content.read() == plain.read()
        assert content.read(1) == content.read() == b""


def test_a_content_that_ends_or_breaks_is_told_once_what_is_before_it_was_read() -> None:
    whole = os.urandom(3_000_000)
    for damaged in (deflated(whole)[:2_000_000], deflated(whole)[:2_000_000] + b"\xff" * 100_000):
        with Inflated(io.BytesIO(damaged)) as content:
            assert content.read(1_000_000) == whole[:1_000_000]
            with pytest.raises((EOFError, zlib.error)):
                content.read()


def test_what_is_not_read_to_its_end_leaves_no_thread() -> None:
    threads = threading.active_count()
    with Inflated(io.BytesIO(deflated(bytes(20_000_000)))) as content:
        assert content.read(5) == bytes(5)
        assert threading.active_count() == threads + 1
    assert threading.active_count() == threads


@given(st.lists(st.text(max_size=5), max_size=4), st.lists(st.text(max_size=5), max_size=4))
def test_slots_differ_where_what_they_are_for_differs(one: list[str], other: list[str]) -> None:
    place = Shelf(Path(), "base")
    assert (place.slot(*one) == place.slot(*other)) == (one == other)


def test_the_oldest_bases_give_way_and_half_written_ones_of_killed_runs_go(tmp_path: Path) -> None:
    for number in range(shelf.MAX_BASES):
        slot = shelf.Slot(tmp_path, f"{number:02}")
        assert slot.write(lambda stream: stream.write(b"x"))
        os.utime(slot.path, (1000 + number, 1000 + number))
    with shelf.Slot(tmp_path, "00").reading() as stream:  # used just now
        assert stream is not None
    for name, age in (("dead", shelf.UNFINISHED + 60), ("alive", 5)):
        (tmp_path / f".{name}.1234").write_text("half")
        os.utime(tmp_path / f".{name}.1234", (time.time() - age,) * 2)
    assert shelf.Slot(tmp_path, "new").write(lambda stream: stream.write(b"x"))
    there = {path.name for path in tmp_path.iterdir()}
    assert {"00.base", "new.base", ".alive.1234"} <= there
    assert not {"01.base", ".dead.1234"} & there


def test_a_base_over_the_cap_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shelf, "MAX_BYTES", 20_000)
    warned: list[str] = []
    slot = shelf.Slot(tmp_path, "k", warned.append)
    assert not slot.write(lambda stream: stream.write(os.urandom(30_000)))
    assert not list(tmp_path.iterdir())
    assert warned == [f"{shelf.UNKEPT}: it is larger than 0 MiB, compressed"]


def test_where_a_base_cannot_be_written_it_is_said_what_to_do(tmp_path: Path) -> None:
    def full(stream: IO[bytes]) -> None:
        stream.write(b"x")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    warned: list[str] = []
    (tmp_path / "file").write_text("no folder")
    assert not shelf.Slot(tmp_path, "k", warned.append).write(full)
    assert not shelf.Slot(tmp_path / "file" / "bases", "k", warned.append).write(lambda stream: stream.write(b"x"))
    assert not shelf.Slot(tmp_path / ("x" * 300), "k", warned.append).write(lambda stream: stream.write(b"x"))
    assert all(line.startswith(shelf.UNKEPT) and str(tmp_path) in line and "--cache-dir" in line for line in warned)
    assert [sorted(word for word in ("no room", "cannot be written", "too long") if word in line) for line in warned] == [
        ["no room"], ["cannot be written"], ["too long"],
    ]  # fmt: skip
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
