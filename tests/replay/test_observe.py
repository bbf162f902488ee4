"""The second pass: what each engine is seen to do to tables that hold rows."""

from __future__ import annotations

import pytest

from ci_runner.devdb import DevDatabase
from ci_runner.replay import ReplayFile, replay
from tests.replay.writing import file

BASE = [
    file(
        "1.sql",
        "CREATE TABLE users (id int NOT NULL PRIMARY KEY, name varchar(40) NOT NULL, note text);\n"
        "CREATE TABLE orders (id int NOT NULL PRIMARY KEY, user_id int NOT NULL REFERENCES users (id) ON DELETE CASCADE);\n",
    )
]


def seen(
    dev: DevDatabase, *change: ReplayFile, base: list[ReplayFile] | None = None
) -> list[tuple[str, int, str, str]]:
    result = replay(BASE if base is None else base, change, dev)
    assert result.status == "ok", result.error
    assert not result.unobserved
    return [(o.file, o.statement, o.kind, o.object) for o in result.observations]


POSTGRES = [
    ("ALTER TABLE users ADD COLUMN a int", {("lock", "users")}),
    ("ALTER TABLE users ADD COLUMN a int DEFAULT 3 NOT NULL", {("lock", "users")}),
    (
        "ALTER TABLE users ALTER id TYPE bigint",
        {("lock", "users"), ("rewrite", "users"), ("index-build", "users"), ("scan", "orders"), ("lock", "orders")},
    ),
    ("ALTER TABLE users ALTER name TYPE text", {("lock", "users")}),
    (
        "ALTER TABLE users ALTER name TYPE varchar(20)",
        {("lock", "users"), ("rewrite", "users"), ("index-build", "users")},
    ),
    ("ALTER TABLE users ALTER note SET NOT NULL", {("lock", "users"), ("scan", "users")}),
    ("ALTER TABLE users ADD CHECK (id > 0)", {("lock", "users"), ("scan", "users")}),
    ("ALTER TABLE users ADD CHECK (id > 0) NOT VALID", {("lock", "users")}),
    ("CREATE INDEX i ON users (name)", {("lock", "users"), ("index-build", "users")}),
    ("ALTER TABLE users ADD UNIQUE (name)", {("lock", "users"), ("index-build", "users")}),
    (
        "ALTER TABLE orders ADD FOREIGN KEY (id) REFERENCES users (id)",
        {("lock", "users"), ("lock", "orders"), ("scan", "orders")},
    ),
    ("UPDATE users SET note = 'n'", set()),
    ("TRUNCATE users, orders", {("lock", "users"), ("lock", "orders"), ("rewrite", "users"), ("rewrite", "orders")}),
    ("CREATE TABLE other (id int PRIMARY KEY)", set()),
]


@pytest.mark.parametrize(("text", "expected"), POSTGRES, ids=[row[0] for row in POSTGRES])
def test_postgresql_is_seen_to_rewrite_scan_build_and_lock(
    postgres: DevDatabase, text: str, expected: set[tuple[str, str]]
) -> None:
    found = {(kind, name) for _, _, kind, name in seen(postgres, file("2.sql", text))}
    assert found - {("index-build", "users"), ("index-build", "orders")} == expected - {
        ("index-build", "users"),
        ("index-build", "orders"),
    }
    if ("index-build", "users") in expected:
        assert ("index-build", "users") in found


def test_the_strongest_lock_of_each_statement_is_named(postgres: DevDatabase) -> None:
    texts = (
        "CREATE INDEX i ON users (name)",
        "ALTER TABLE users ADD COLUMN a int",
        "ALTER TABLE users ADD COLUMN b int",
    )
    text = ";\n".join((*texts, "COMMENT ON TABLE orders IS 'x'"))
    result = replay(BASE, [file("2.sql", text)], postgres)
    locks = [(o.statement, o.object, o.detail) for o in result.observations if o.kind == "lock"]
    assert locks == [
        (0, "users", "ShareLock"),
        (1, "users", "AccessExclusiveLock"),
        (2, "users", "AccessExclusiveLock"),
        (3, "orders", "ShareUpdateExclusiveLock"),
    ]


@pytest.mark.parametrize(
    ("text", "kind"), [("DROP INDEX named", "lock"), ("REINDEX INDEX CONCURRENTLY named", "index-build")]
)
def test_a_table_is_watched_whose_index_alone_is_named(postgres: DevDatabase, text: str, kind: str) -> None:
    base = [*BASE, file("2.sql", "CREATE INDEX named ON users (name);\n")]
    assert (kind, "users") in {(k, o) for _, _, k, o in seen(postgres, file("3.sql", text, "none"), base=base)}


def test_a_lock_is_not_that_of_a_table_whose_name_begins_alike(postgres: DevDatabase) -> None:
    base = [file("1.sql", "CREATE TABLE mail (id int);\nCREATE TABLE mail_box (id int);\n")]
    change = "ALTER TABLE mail ADD COLUMN a int;\nALTER TABLE mail_box ADD COLUMN a int;\n"
    locks = [(n, o) for _, n, kind, o in seen(postgres, file("2.sql", change), base=base) if kind == "lock"]
    assert locks == [(0, "mail"), (1, "mail_box")]


def test_outside_a_transaction_locks_are_seen_statement_by_statement(postgres: DevDatabase) -> None:
    text = "ALTER TABLE users ADD COLUMN a int;\nCREATE INDEX CONCURRENTLY i ON users (a);\nALTER TABLE orders ADD COLUMN b int;\n"
    found = seen(postgres, file("2.sql", text, "none"))
    assert ("2.sql", 0, "lock", "users") in found
    assert ("2.sql", 1, "index-build", "users") in found
    assert ("2.sql", 2, "lock", "orders") in found


def test_what_fails_only_on_rows_is_seen_and_the_next_file_goes_on_from_the_first_pass(postgres: DevDatabase) -> None:
    one = file("2.sql", "SELECT 1;\nALTER TABLE users ADD COLUMN must int NOT NULL;\n")
    two = file("3.sql", "ALTER TABLE users ALTER must TYPE bigint;\n")
    result = replay(BASE, [one, two], postgres)
    assert result.status == "ok"
    error, *rest = result.observations
    assert (error.file, error.statement, error.kind) == ("2.sql", 1, "error")
    assert error.detail == 'column "must" of relation "users" contains null values'
    assert ("3.sql", 0, "rewrite", "users") in [(o.file, o.statement, o.kind, o.object) for o in rest]


@pytest.mark.parametrize(
    "kind", ["serial", "bigint GENERATED ALWAYS AS IDENTITY", "int GENERATED BY DEFAULT AS IDENTITY"]
)
@pytest.mark.parametrize("table", ["it", '"It\'s"', 'side."It"'])
def test_a_migration_that_adds_a_row_is_not_told_that_its_number_is_taken(
    postgres: DevDatabase, kind: str, table: str
) -> None:
    base = [file("1.sql", f"CREATE SCHEMA side; CREATE TABLE {table} (id {kind} PRIMARY KEY, name text NOT NULL);\n")]
    change = f"INSERT INTO {table} (name) VALUES ('a'), ('b'); ALTER TABLE {table} ALTER name TYPE varchar(9)"
    assert "error" not in {kind for _, _, kind, _ in seen(postgres, file("2.sql", change), base=base)}


def test_rows_are_made_for_every_kind_of_column(postgres: DevDatabase) -> None:
    kinds = [
        *(
            "smallint",
            "bigint",
            "numeric(4,4)",
            "numeric(10,2)",
            "real",
            "money",
            "char(3)",
            "varchar(1)",
            "name",
            "bytea",
            "date",
            "time",
        ),
        *(
            "timetz",
            "timestamp",
            "timestamptz",
            "interval",
            "boolean",
            "uuid",
            "json",
            "jsonb",
            "inet",
            "cidr",
            "macaddr",
            "bit(5)",
        ),
        *(
            "varbit(3)",
            "point",
            "box",
            "line",
            "circle",
            "path",
            "polygon",
            "lseg",
            "tsvector",
            "tsquery",
            "int[]",
            "text[]",
        ),
        *("int4range", "mood", "oid", "positive"),
    ]
    columns = ", ".join(f"c{number} {kind} NOT NULL" for number, kind in enumerate(kinds))
    base = file(
        "1.sql",
        "CREATE TYPE mood AS ENUM ('so so', 'fine');\nCREATE DOMAIN positive AS int CHECK (VALUE > 0);\n"
        f'CREATE TABLE "All Kinds" (id int GENERATED ALWAYS AS IDENTITY, twice int GENERATED ALWAYS AS (2) STORED, {columns});\n',
    )
    found = seen(postgres, file("2.sql", 'ALTER TABLE "All Kinds" ADD COLUMN must int NOT NULL'), base=[base])
    assert found == [("2.sql", 0, "error", "")]


def test_rows_reach_tables_of_other_schemas_partitions_and_cycles_of_keys(postgres: DevDatabase) -> None:
    base = file(
        "1.sql",
        "CREATE SCHEMA audit;\nCREATE TABLE audit.users (id int PRIMARY KEY, boss int REFERENCES audit.users (id));\n"
        "CREATE TABLE parts (id int, v int) PARTITION BY RANGE (id);\nCREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (1) TO (2);\n",
    )
    text = "ALTER TABLE audit.users ALTER boss TYPE bigint;\nALTER TABLE parts ALTER v TYPE bigint;\n"
    found = seen(postgres, file("2.sql", text), base=[base])
    assert ("2.sql", 0, "rewrite", "audit.users") in found
    assert ("2.sql", 1, "rewrite", "parts_1") in found


@pytest.mark.parametrize(
    "columns",
    [
        "email text NOT NULL CHECK (position('@' IN email) > 1)",
        "email varchar(5) CHECK (email ~ '^[a-z]+@'), n int",
        "state text NOT NULL DEFAULT 'new' CHECK (state IN ('new', 'old'))",
        "id bigint GENERATED ALWAYS AS IDENTITY, slug text NOT NULL CHECK (length(slug) >= 3), at timestamptz NOT NULL DEFAULT now()",
        "cents int CHECK (cents > 0), percent int CHECK (percent > 0), CHECK (num_nonnulls(cents, percent) = 1)",
        "area point NOT NULL DEFAULT '(1,1)', who text NOT NULL CHECK (who LIKE '%.%')",
    ],
)
def test_common_checks_do_not_keep_a_table_from_getting_its_row(postgres: DevDatabase, columns: str) -> None:
    base = file("1.sql", f"CREATE TABLE checked ({columns});\n")
    result = replay([base], [file("2.sql", "ALTER TABLE checked ADD COLUMN must int NOT NULL")], postgres)
    assert result.unobserved == ()
    assert [(seen.kind, seen.statement) for seen in result.observations] == [("error", 0)]


def test_a_table_without_a_possible_row_is_named_and_nothing_is_said_of_it(postgres: DevDatabase) -> None:
    base = file("1.sql", "CREATE TABLE picky (id int NOT NULL CHECK (id = 42));\n")
    result = replay([base], [file("2.sql", "ALTER TABLE picky ALTER id TYPE bigint")], postgres)
    assert result.unobserved == ("no row could be made for table picky",)
    assert result.observations == ()


REBUILD = (
    "PRAGMA foreign_keys = {mode};\nCREATE TABLE users_new (id int NOT NULL PRIMARY KEY, name text);\n"
    "INSERT INTO users_new SELECT id, name FROM users;\nDROP TABLE users;\nALTER TABLE users_new RENAME TO users;\n"
)


def test_sqlite_is_seen_to_lose_rows_of_children_when_a_parent_is_rebuilt(sqlite: DevDatabase) -> None:
    assert seen(sqlite, file("2.sql", REBUILD.format(mode="ON"), "none")) == [("2.sql", 3, "rows-lost", "orders")]
    assert seen(sqlite, file("2.sql", REBUILD.format(mode="OFF"), "none")) == []


def test_sqlite_is_seen_to_lose_rows_that_a_rebuild_does_not_copy(sqlite: DevDatabase) -> None:
    forgotten = "CREATE TABLE new (id int);\nDROP TABLE orders;\nALTER TABLE new RENAME TO orders;\n"
    assert seen(sqlite, file("2.sql", forgotten)) == [("2.sql", 1, "rows-lost", "orders")]
    renamed = "ALTER TABLE orders RENAME TO old;\nCREATE TABLE orders (id int);\nINSERT INTO orders SELECT id FROM old;\nDROP TABLE old;\n"
    assert seen(sqlite, file("2.sql", renamed)) == []
    assert seen(sqlite, file("2.sql", "DROP TABLE orders")) == []


def test_sqlite_is_seen_to_refuse_and_to_break_keys(sqlite: DevDatabase) -> None:
    refused = file("2.sql", "INSERT INTO users (id, name) SELECT id + 1, NULL FROM users")
    assert seen(sqlite, refused) == [("2.sql", 0, "error", "")]
    broken = file("2.sql", "UPDATE users SET id = 2")
    assert seen(sqlite, broken) == [("2.sql", 0, "error", "orders")]


CHANGES = [
    # statement, MariaDB 10.11, MySQL 9
    ("ALTER TABLE users ADD COLUMN a int", "instant", "instant"),
    ("ALTER TABLE users MODIFY name text NOT NULL", "copy, lock=shared", "copy, lock=shared"),
    ("CREATE INDEX i ON users (name) ; ", "nocopy, lock=none", "inplace, lock=none"),
    ("ALTER TABLE users MODIFY name text NOT NULL -- longer", "copy, lock=shared", "copy, lock=shared"),
    ("ALTER TABLE users ADD PRIMARY KEY (id, name), DROP PRIMARY KEY", "inplace, lock=none", "inplace, lock=none"),
    ("ALTER TABLE users ADD FULLTEXT INDEX w (name)", "inplace, lock=shared", "inplace, lock=shared"),
    ("ALTER TABLE users ADD INDEX i (name), LOCK=EXCLUSIVE", "nocopy", "inplace"),
    ("ALTER TABLE users DROP COLUMN name", "instant", "instant"),
    ("ALTER TABLE users RENAME COLUMN name TO title", "instant", "instant"),
]


@pytest.mark.parametrize("engine", ["mariadb", "mysql"])
@pytest.mark.parametrize("change", CHANGES, ids=[row[0] for row in CHANGES])
def test_mysql_and_mariadb_are_seen_to_choose_algorithm_and_lock(
    request: pytest.FixtureRequest, engine: str, change: tuple[str, str, str]
) -> None:
    dev: DevDatabase = request.getfixturevalue(engine)
    base = [file("1.sql", "CREATE TABLE users (id int NOT NULL PRIMARY KEY, name varchar(40) NOT NULL);\n")]
    result = replay(base, [file("2.sql", change[0])], dev)
    seen = [(o.kind, o.object, o.detail) for o in result.observations]
    assert seen == [("algorithm", "users", change[1] if engine == "mariadb" else change[2])]


@pytest.mark.parametrize(
    ("change", "seen"), [("ENGINE=Aria", "copy, lock=shared"), ("ENGINE=InnoDB", "inplace, lock=none")]
)
def test_mariadb_is_not_believed_what_it_does_not_check(mariadb: DevDatabase, change: str, seen: str) -> None:
    """It takes INSTANT for a change of the engine, and copies."""
    base = [file("1.sql", "CREATE TABLE users (id int NOT NULL PRIMARY KEY) ENGINE=InnoDB;\n")]
    result = replay(base, [file("2.sql", f"ALTER TABLE users {change}")], mariadb)
    assert [o.detail for o in result.observations] == [seen]


def test_a_named_algorithm_is_left_alone(mariadb: DevDatabase) -> None:
    base = [file("1.sql", "CREATE TABLE users (id int);\n")]
    assert not replay(base, [file("2.sql", "ALTER TABLE users ADD COLUMN a int, ALGORITHM=COPY")], mariadb).observations


def test_nothing_that_happens_in_the_second_pass_changes_the_verdict_of_the_first(postgres: DevDatabase) -> None:
    text = "DO $$ BEGIN IF EXISTS (SELECT FROM users) THEN PERFORM pg_sleep(600); END IF; END $$;\n"
    result = replay(BASE, [file("2.sql", text)], postgres, time_limit=2)
    assert result.status == "ok"
    assert result.unobserved == ("2.sql was not watched to its end: it took longer than 2 s",)


EVENTS = [file("1.sql", "CREATE TABLE events (id UInt64, note String, x Int8) ENGINE = MergeTree ORDER BY id;\n")]
CLICKHOUSE = [
    ("ALTER TABLE events ADD COLUMN a Int8", {"algorithm"}),
    ("ALTER TABLE events MODIFY COLUMN note LowCardinality(String)", {"mutation", "rewrite"}),
    ("ALTER TABLE events DROP COLUMN x", {"mutation", "rewrite"}),
    ("ALTER TABLE events UPDATE note = 'x' WHERE id = 1", {"mutation", "rewrite"}),
    ("ALTER TABLE events MODIFY COMMENT 'c'", {"algorithm"}),
    ("ALTER TABLE events ADD INDEX i note TYPE minmax", {"algorithm"}),
    ("ALTER TABLE events MATERIALIZE INDEX i", {"mutation", "rewrite"}),
    ("OPTIMIZE TABLE events FINAL", {"rewrite"}),
    ("CREATE TABLE other (id Int8) ENGINE = MergeTree ORDER BY id", set()),
]


def test_clickhouse_is_seen_to_mutate_and_to_write_parts_anew(clickhouse: DevDatabase) -> None:
    result = replay(EVENTS, [file("2.sql", ";\n".join(text for text, _ in CLICKHOUSE))], clickhouse)
    assert result.status == "ok"
    assert {o.object for o in result.observations} == {"events"}
    kinds = [{o.kind for o in result.observations if o.statement == number} for number in range(len(CLICKHOUSE))]
    assert list(zip((text for text, _ in CLICKHOUSE), kinds, strict=True)) == CLICKHOUSE


def test_clickhouse_tables_that_change_names_are_not_written_anew(clickhouse: DevDatabase) -> None:
    base = [*EVENTS, file("2.sql", "CREATE TABLE others (id UInt64) ENGINE = MergeTree ORDER BY id;\n")]
    result = replay(base, [file("3.sql", "EXCHANGE TABLES events AND others")], clickhouse)
    assert (result.status, result.observations) == ("ok", ())


def test_clickhouse_is_seen_to_fail_on_rows_only(clickhouse: DevDatabase) -> None:
    result = replay(EVENTS, [file("2.sql", "ALTER TABLE events MODIFY COLUMN note Date")], clickhouse)
    assert result.status == "ok"
    assert [(o.kind, "Cannot parse" in o.detail) for o in result.observations] == [("error", True)]
