"""Bases of engines that cannot copy databases: what was kept is as good as replayed, and what cannot be kept whole is not kept."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

import pytest
from docker.errors import APIError
from docker.models.containers import Container, ContainerCollection

from ci_runner import devdb
from ci_runner.databases import Sql
from ci_runner.devdb import Shelf, images, whole
from ci_runner.devdb.volume import volume_of
from ci_runner.replay import ReplayFile, replay
from tests.devdb.opening import RUN
from tests.devdb.test_shelf import KEY, NOT_DEFLATED, Run, damage, deflated, forge
from tests.images.servers import assert_nothing_left
from tests.replay.writing import file

CLICKHOUSE = [
    file(
        "1.sql",
        "CREATE TABLE users (id UInt32, name String, at DateTime DEFAULT now()) ENGINE = MergeTree PARTITION BY id % 2 ORDER BY id;\n"
        "INSERT INTO users (id, name) VALUES (1, 'one'), (2, 'two');\n",
    ),
    file(
        "2.sql",
        "ALTER TABLE users ADD INDEX by_name name TYPE bloom_filter GRANULARITY 1;\n"
        "ALTER TABLE users ADD PROJECTION p (SELECT id, count() GROUP BY id);\n"
        "ALTER TABLE users UPDATE name = 'zwei' WHERE id = 2;\nCREATE VIEW seen AS SELECT id FROM users;\n",
    ),
    file(
        "3.sql",
        "CREATE MATERIALIZED VIEW names ENGINE = AggregatingMergeTree ORDER BY name AS SELECT name, count() AS n FROM users GROUP BY name;\n"
        "CREATE FUNCTION twice AS (x) -> x * 2;\nCREATE DATABASE side;\nCREATE TABLE side.log (n UInt8) ENGINE = Log;\n"
        "INSERT INTO side.log VALUES (7);\nINSERT INTO users (id, name) VALUES (3, 'three');\n"
        "CREATE DICTIONARY called (id UInt32, name String) PRIMARY KEY id SOURCE(CLICKHOUSE(TABLE 'users')) LAYOUT(FLAT()) LIFETIME(0);\n",
    ),
]
CLICKHOUSE_CHANGE = [
    file(
        "4.sql",
        "ALTER TABLE users MODIFY COLUMN name LowCardinality(String);\nALTER TABLE users ADD COLUMN more Int8;\n",
    ),
    file("5.sql", "CREATE TABLE notes (id UInt32) ENGINE = MergeTree ORDER BY id;\nDROP VIEW seen;\n"),
]
# What the databases hold beside what `inspect` shows.
CLICKHOUSE_CONTENT = """SELECT (SELECT groupArray(statement) FROM (
  SELECT replaceRegexpAll(create_table_query, '[0-9a-f]{8}-[0-9a-f-]{27}', '') AS statement FROM system.tables
  WHERE database IN ('dev', 'side') ORDER BY database, statement)),
 (SELECT groupArray((id, name)) FROM (SELECT id, name FROM users ORDER BY id)), (SELECT groupArray((name, n)) FROM names),
 (SELECT groupArray(n) FROM side.log), twice(4), currentDatabase(),
 (SELECT groupArray((name, value)) FROM (SELECT name, value FROM system.settings WHERE changed ORDER BY name)),
 (SELECT groupArray((command, is_done)) FROM system.mutations)"""


class Kind(NamedTuple):
    """A dev URL, what runs there, and a query for what the schema does not show.

    ``memory`` makes a table whose rows lie in no file, and ``needs`` is refused when they are gone.
    """

    url: str
    base: list[ReplayFile]
    change: list[ReplayFile]
    query: str
    memory: str
    needs: str


EMBEDDED_CLICKHOUSE = Kind(
    "embedded://clickhouse",
    CLICKHOUSE,
    CLICKHOUSE_CHANGE,
    CLICKHOUSE_CONTENT,
    "CREATE TABLE passing (n UInt8) ENGINE = Memory;\nINSERT INTO passing VALUES (5);\n",
    "SELECT throwIf(count() = 0) FROM passing;\n",
)


def assert_as_good_as_replayed(kind: Kind, folder: Path) -> None:
    """A run without a cache, one that fills it and one that begins with it say the same; the last one asks for no history."""
    plain, first, second = (
        Run(kind.url, place, kind.base, kind.change, kind.query) for place in (None, folder, folder)
    )
    assert (first.asked, second.asked) == (1, 0)
    assert "with the base an earlier run replayed" not in first.lines[-1]
    assert "with the base an earlier run replayed" in second.lines[-1]
    for run in (first, second):
        assert run.replay.status == "ok", run.replay.error
        assert run.schema == plain.schema
        assert run.rows == plain.rows
        assert (run.replay.changes, run.replay.observations, run.replay.unobserved) == (
            plain.replay.changes,
            plain.replay.observations,
            plain.replay.unobserved,
        )
    assert plain.rows
    assert plain.replay.changes
    assert plain.replay.observations


def assert_damage_is_a_miss(kind: Kind, folder: Path, *ways: str) -> None:
    """A base that is not what was written, or not what a server starts on, is replayed."""
    plain = Run(kind.url, folder, kind.base, kind.change)
    for how in ways:
        (kept,) = folder.iterdir()
        damage(kept, how)
        mended = Run(kind.url, folder, kind.base, kind.change)
        assert (mended.asked, mended.schema, mended.replay) == (1, plain.schema, plain.replay), how


def assert_memory_is_not_kept(kind: Kind, folder: Path) -> None:
    """Rows that end with their server are there for the change all the same."""
    base = [*kind.base, file("m.sql", kind.memory)]
    change = [file("n.sql", kind.needs)]
    run = Run(kind.url, folder, base, change)
    assert run.replay.status == "ok", run.replay.error
    assert run.asked == 1
    assert not list(folder.iterdir())


def test_a_kept_base_of_clickhouses_engine_is_as_good_as_a_replayed_one(chdb_home: Path, tmp_path: Path) -> None:
    assert_as_good_as_replayed(EMBEDDED_CLICKHOUSE, tmp_path)


def test_a_damaged_base_of_clickhouses_engine_is_thrown_away(chdb_home: Path, tmp_path: Path) -> None:
    assert_damage_is_a_miss(EMBEDDED_CLICKHOUSE, tmp_path, "something else")


def test_rows_in_memory_are_not_lost_to_clickhouses_change(chdb_home: Path, tmp_path: Path) -> None:
    assert_memory_is_not_kept(EMBEDDED_CLICKHOUSE, tmp_path)


MYSQL = [
    file(
        "1.sql",
        "CREATE TABLE users (id int NOT NULL PRIMARY KEY AUTO_INCREMENT, name varchar(40) NOT NULL DEFAULT 'x', CHECK (name <> ''));\n"
        "INSERT INTO users (name) VALUES ('one'), ('two'), ('three');\nDELETE FROM users WHERE id = 3;\n",
    ),
    file(
        "2.sql",
        "CREATE INDEX users_name ON users (name);\nCREATE TABLE notes (id int PRIMARY KEY, owner int, FOREIGN KEY (owner) REFERENCES users (id));\n"
        "CREATE VIEW seen AS SELECT id FROM notes;\n",
    ),
    file(
        "3.sql",
        "CREATE TRIGGER t BEFORE INSERT ON notes FOR EACH ROW SET NEW.id = NEW.id + 1;\n"
        "CREATE FUNCTION f() RETURNS int DETERMINISTIC RETURN 4;\nCREATE PROCEDURE p() SELECT 1;\n"
        "CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO SELECT 1;\nINSERT INTO notes VALUES (1, 2);\n"
        "CREATE TABLE parts (id int, y int) PARTITION BY RANGE (y) (PARTITION a VALUES LESS THAN (5), PARTITION b VALUES LESS THAN MAXVALUE);\n",
    ),
    file("4.sql", "".join(f"ALTER TABLE users ADD COLUMN c{number} int, ALGORITHM=INSTANT;\n" for number in range(5))),
]
MYSQL_CHANGE = [
    file(
        "5.sql",
        "ALTER TABLE users ADD COLUMN must int NOT NULL;\nALTER TABLE users MODIFY name varchar(20) NOT NULL;\n",
    ),
    file(
        "6.sql",
        "DROP VIEW seen;\nCREATE UNIQUE INDEX notes_owner ON notes (owner);\nINSERT INTO users (name, must) VALUES ('next', 1);\n",
    ),
]
MYSQL_CONTENT = """SELECT 'row', group_concat(id, name ORDER BY id), null FROM users UNION ALL SELECT 'note', group_concat(id, owner), null FROM notes
UNION ALL SELECT 'event', event_name, event_definition FROM information_schema.events
UNION ALL SELECT routine_type, routine_name, definer FROM information_schema.routines WHERE routine_schema = 'dev'
UNION ALL SELECT 'trigger', trigger_name, definer FROM information_schema.triggers
UNION ALL SELECT 'partition', partition_name, partition_description FROM information_schema.partitions WHERE table_name = 'parts'
UNION ALL SELECT 'who', current_user(), database() UNION ALL SELECT 'f', f(), @@sql_mode"""
MEMORY = "CREATE TABLE passing (n int NOT NULL) ENGINE = MEMORY;\nINSERT INTO passing VALUES (5);\nCREATE TABLE one (n int NOT NULL);\n"
NEEDS = "INSERT INTO one VALUES ((SELECT n FROM passing));\n"
MARIADB_BOX = Kind("docker://mariadb/10.11/dev", MYSQL, MYSQL_CHANGE, MYSQL_CONTENT, MEMORY, NEEDS)
MYSQL_BOX = Kind("docker://mysql/9/dev", MYSQL, MYSQL_CHANGE, MYSQL_CONTENT, MEMORY, NEEDS)


CLICKHOUSE_BOX = EMBEDDED_CLICKHOUSE._replace(url="docker://clickhouse/23.11/dev")


@pytest.fixture
def anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """However little time a history takes, a server is started anew rather than running it again."""
    monkeypatch.setattr(whole, "AGAIN", 0)


def test_a_kept_base_of_mariadb_is_as_good_as_a_replayed_one(mariadb_image: str, anew: None, tmp_path: Path) -> None:
    assert_as_good_as_replayed(MARIADB_BOX, tmp_path)


def test_a_kept_base_of_mysql_is_as_good_as_a_replayed_one(mysql_image: str, anew: None, tmp_path: Path) -> None:
    assert_as_good_as_replayed(MYSQL_BOX, tmp_path)


def test_a_kept_base_of_a_clickhouse_server_is_as_good_as_a_replayed_one(
    clickhouse_image: str, anew: None, tmp_path: Path
) -> None:
    assert_as_good_as_replayed(CLICKHOUSE_BOX, tmp_path)


def test_a_damaged_base_of_mariadb_is_thrown_away(mariadb_image: str, tmp_path: Path) -> None:
    assert_damage_is_a_miss(MARIADB_BOX, tmp_path, "a bit flipped", "something else")


@pytest.mark.parametrize("url", ["docker://mariadb/10.11/dev", "docker://postgres/15/dev"])
def test_a_forged_base_is_a_miss(url: str, mariadb_image: str, postgres_image: str, tmp_path: Path) -> None:
    base, change = [file("0.sql", "CREATE TABLE u (id int);\n")], [file("1.sql", "CREATE TABLE t (id int);\n")]
    Run(url, tmp_path, base, change)
    (kept,) = tmp_path.iterdir()
    known = deflated(json.dumps(["password", 1]).encode() + b"\n" + os.urandom(100_000))
    for content in (NOT_DEFLATED, known[:-50_000], known):
        forge(kept, content)
        run = Run(url, tmp_path, base, change)
        assert (run.replay.status, "with the base" in run.lines[-1]) == ("ok", False)


def test_rows_in_memory_are_not_lost_to_mariadbs_change(mariadb_image: str, tmp_path: Path) -> None:
    assert_memory_is_not_kept(MARIADB_BOX, tmp_path)


def test_a_short_history_is_run_again_on_rows_rather_than_a_server_started_anew(
    mariadb_image: str, tmp_path: Path
) -> None:
    first, second = (Run(MARIADB_BOX.url, tmp_path, MYSQL, MYSQL_CHANGE) for _ in range(2))
    assert (first.asked, second.asked) == (1, 1)
    assert "with the base an earlier run replayed" in second.lines[-1]
    assert (first.replay.changes, first.replay.observations) == (second.replay.changes, second.replay.observations)
    assert first.replay.statements > second.replay.statements


def test_a_base_is_for_one_image_its_database_and_its_options() -> None:
    urls = (
        "docker://mariadb/10.11/dev",
        "docker://mariadb/10.11",
        "docker://mariadb/10.11/other",
        "docker://mariadb/10.11/dev?foreign_key_checks=0",
        "docker+mariadb://_/mariadb:10.11/dev",
        "docker://mysql/8/dev",
        "docker://clickhouse/24.8/dev",
        "docker://postgres/16/dev",
        "docker://postgres/16/dev?search_path=app",
        "docker://postgres/16/dev?superuser=true",
    )
    images_here = [SimpleNamespace(id=digest, attrs={"Config": {}}) for digest in ("sha256:1", "sha256:2")]
    shelves = [Shelf(Path(), key) for key in ("one history", "another")]
    slots = {
        volume.slot.key
        for url in urls
        for image in images_here
        for place in shelves
        if (volume := volume_of(place, image, images.read(url)))
    }
    assert len(slots) == len(urls) * len(images_here) * len(shelves)


def test_what_a_merge_leaves_is_the_base_of_the_change_behind_it(
    mariadb_image: str, anew: None, tmp_path: Path
) -> None:
    place = Shelf(tmp_path, KEY)
    with devdb.open(MARIADB_BOX.url, environment=os.environ, run_id=RUN, report=lambda _: None, shelf=place) as dev:
        assert replay([], MYSQL, dev, key="nothing yet", keep=KEY).status == "ok"
    assert_nothing_left(os.getpid(), RUN)
    run = Run(MARIADB_BOX.url, tmp_path, MYSQL, MYSQL_CHANGE)
    assert (run.asked, run.replay.status) == (0, "ok")


@pytest.mark.parametrize("refused", ["mounts", "entrypoint", "a server's files"])
def test_an_engine_that_holds_nothing_in_memory_costs_the_cache_and_nothing_else(
    mariadb_image: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refused: str
) -> None:
    create: Callable[..., object] = ContainerCollection.create

    def choosy(*given: object, **options: object) -> object:
        if refused in options:
            raise APIError(f"{refused} are not allowed here")
        if refused == "a server's files" and "mounts" in options and "entrypoint" not in options:
            options["command"] = ["--no-such-option"]
        return create(*given, **options)

    monkeypatch.setattr(ContainerCollection, "create", choosy)
    assert Run(MARIADB_BOX.url, tmp_path, MYSQL, MYSQL_CHANGE).replay.status == "ok"
    assert not list(tmp_path.iterdir())


def test_no_room_for_a_copy_costs_the_cache_and_nothing_else(
    mariadb_image: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run: Callable[..., object] = Container.exec_run

    def full(box: Container, words: list[str]) -> object:
        return (1, b"cp: No space left on device") if "cp -a" in words[2] else run(box, words)

    monkeypatch.setattr(Container, "exec_run", full)
    assert Run(MARIADB_BOX.url, tmp_path, MYSQL, MYSQL_CHANGE).replay.status == "ok"
    assert not list(tmp_path.iterdir())


def test_a_global_setting_of_dev_init_would_not_outlive_its_server(mariadb_image: str, tmp_path: Path) -> None:
    init = devdb.Init("init.sql", (Sql("SET GLOBAL sql_mode = 'ANSI_QUOTES'"),))
    place = Shelf(tmp_path, KEY)
    with devdb.open(
        MARIADB_BOX.url, environment=os.environ, run_id=RUN, report=lambda _: None, shelf=place, init=init
    ) as dev:
        assert replay(MYSQL[:1], [file("2.sql", 'CREATE TABLE "quoted" (id int);\n')], dev, key=KEY).status == "ok"
    assert not list(tmp_path.iterdir())
