"""What rules read of an operation: types, defaults, keys, references, options, places."""

from __future__ import annotations

from typing import Any

import pytest

from ci_runner.model.operations import (
    AddColumn,
    AddConstraint,
    AlterColumnType,
    Column,
    Constraint,
    CreateFunction,
    CreateIndex,
    CreateTable,
    CreateView,
    Dml,
    DropIndex,
    Index,
    Name,
    Partition,
    Reference,
    Setting,
    Type,
)
from tests.sql.reading import operations


def only(text: str, dialect: str, make: type) -> Any:
    (found,) = operations(text, dialect)
    assert isinstance(found, make)
    return found


COLUMNS = [
    ("postgres", "b bigint", Column("b", Type("bigint", (), "", "bigint"))),
    (
        "postgres",
        "\"B\" varchar(20) NOT NULL DEFAULT 'x'",
        Column("B", Type("varchar", ("20",), "", "varchar(20)"), False, "'x'"),
    ),
    ("postgres", "b numeric(10, 2)[] NULL", Column("b", Type("numeric", ("10", "2"), "[]", "numeric(10, 2)[]"), True)),
    (
        "postgres",
        "b timestamp (3) with time zone",
        Column("b", Type("timestamp", ("3",), "with time zone", "timestamp (3) with time zone")),
    ),
    ("postgres", "b double precision", Column("b", Type("double precision", (), "", "double precision"))),
    ("postgres", 'b "Role"', Column("b", Type("Role", (), "", '"Role"'))),
    ("postgres", "b s.t", Column("b", Type("s.t", (), "", "s.t"))),
    ("postgres", "b bigserial", Column("b", Type("bigserial", (), "", "bigserial"), identity=True)),
    (
        "postgres",
        "b int GENERATED ALWAYS AS (c+1) STORED",
        Column("b", Type("int", (), "", "int"), default="c+1", generated="stored"),
    ),
    (
        "postgres",
        "b int DEFAULT now() - interval '1 day' NOT NULL",
        Column("b", Type("int", (), "", "int"), False, "now() - interval '1 day'"),
    ),
    (
        "postgres",
        "b int REFERENCES s.c (d) ON DELETE CASCADE",
        Column("b", Type("int", (), "", "int"), references=Reference(Name("s", "c"), ("d",), "cascade")),
    ),
    (
        "postgres",
        "b int CONSTRAINT x CHECK (b > 0)",
        Column("b", Type("int", (), "", "int"), check="b > 0", constraint="x"),
    ),
    (
        "mysql",
        "`B` INT UNSIGNED AUTO_INCREMENT PRIMARY KEY COMMENT 'x' AFTER `C`",
        Column("b", Type("int", (), "unsigned", "INT UNSIGNED"), identity=True, primary_key=True, position="after c"),
    ),
    (
        "mysql",
        "b VARCHAR(10) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
        Column("b", Type("varchar", ("10",), "", "VARCHAR(10)"), charset="utf8mb4", collation="utf8mb4_bin"),
    ),
    (
        "mysql",
        "b DATETIME DEFAULT NOW() ON UPDATE NOW()",
        Column("b", Type("datetime", (), "", "DATETIME"), default="NOW()", options=("on update",)),
    ),
    ("mysql", "b ENUM('x','y,z')", Column("b", Type("enum", ("'x'", "'y,z'"), "", "ENUM('x','y,z')"))),
    (
        "sqlserver",
        "[B] [nvarchar](max) NOT NULL CONSTRAINT [DF] DEFAULT (N'') WITH VALUES",
        Column(
            "b",
            Type("nvarchar", ("max",), "", "[nvarchar](max)"),
            False,
            "(N'')",
            constraint="DF",
            options=("with values",),
        ),
    ),
    ("sqlserver", "b rowversion", Column("b", Type("rowversion", (), "", "rowversion"), options=("rowversion",))),
    ("sqlserver", "b AS (c * 2) PERSISTED", Column("b", None, default="(c * 2)", generated="stored")),
    (
        "sqlite",
        "b UNSIGNED BIG INT UNIQUE",
        Column("b", Type("unsigned big int", (), "", "UNSIGNED BIG INT"), unique=True),
    ),
    (
        "clickhouse",
        "B LowCardinality(Nullable(String)) MATERIALIZED lower(c)",
        Column(
            "B",
            Type("lowcardinality", ("Nullable(String)",), "", "LowCardinality(Nullable(String))"),
            default="lower(c)",
            generated="stored",
        ),
    ),
    (
        "snowflake",
        "b NUMBER(38, 0) AUTOINCREMENT",
        Column("B", Type("number", ("38", "0"), "", "NUMBER(38, 0)"), identity=True),
    ),
    (
        "redshift",
        '"B" varchar(20) ENCODE zstd',
        Column("b", Type("varchar", ("20",), "", "varchar(20)"), options=("encode zstd",)),
    ),
]


@pytest.mark.parametrize(("dialect", "text", "expected"), COLUMNS)
def test_a_column_is_read_with_all_it_says(dialect: str, text: str, expected: Column) -> None:
    word = "ADD" if dialect == "sqlserver" else "ADD COLUMN"
    assert only(f"ALTER TABLE a {word} {text}", dialect, AddColumn).column == expected


CONSTRAINTS = [
    ("postgres", "CONSTRAINT p PRIMARY KEY USING INDEX i", Constraint("primary-key", "p", using_index="i")),
    (
        "postgres",
        "FOREIGN KEY (b, c) REFERENCES d (e, f) ON DELETE SET NULL NOT VALID",
        Constraint(
            "foreign-key",
            "",
            ("b", "c"),
            Reference(Name("", "d"), ("e", "f"), "set null"),
            not_valid=True,
            options=("not valid",),
        ),
    ),
    (
        "postgres",
        "CONSTRAINT x CHECK (b > 0) NOT VALID",
        Constraint("check", "x", expression="b > 0", not_valid=True, options=("not valid",)),
    ),
    ("postgres", "UNIQUE NULLS NOT DISTINCT (b)", Constraint("unique", "", ("b",), options=("nulls not distinct",))),
    (
        "mysql",
        "CONSTRAINT x CHECK (b > 0) NOT ENFORCED",
        Constraint("check", "x", expression="b > 0", enforced=False, options=("not enforced",)),
    ),
]


@pytest.mark.parametrize(("dialect", "text", "expected"), CONSTRAINTS)
def test_a_constraint_is_read_with_all_it_says(dialect: str, text: str, expected: Constraint) -> None:
    assert only(f"ALTER TABLE a ADD {text}", dialect, AddConstraint).constraint == expected


def test_nocheck_leaves_a_constraint_unvalidated() -> None:
    found = only(
        "ALTER TABLE a WITH NOCHECK ADD CONSTRAINT f FOREIGN KEY (b) REFERENCES c (d)", "sqlserver", AddConstraint
    )
    assert found.constraint.not_valid


def test_an_index_is_read_with_all_it_says() -> None:
    text = "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS i ON s.a USING gin (b ops, lower(c)) INCLUDE (d) WHERE e IS NOT NULL"
    found = only(text, "postgres", CreateIndex)
    assert found.index == Index("i", ("b", "lower(c)"), True, "gin", "e IS NOT NULL", ("d",))
    assert (found.table, found.concurrently, found.if_not_exists, found.only) == (Name("s", "a"), True, True, False)


def test_online_is_an_option_of_index_and_statement() -> None:
    found = only("CREATE INDEX i ON a (b) WITH (ONLINE = ON, FILLFACTOR = 90)", "sqlserver", CreateIndex)
    assert "online" in found.index.options
    assert "online" in found.options
    off = only("CREATE INDEX i ON a (b) WITH (ONLINE = OFF)", "sqlserver", CreateIndex)
    assert "online" not in off.options


def test_algorithm_and_lock_are_options_of_every_action() -> None:
    found = operations("ALTER TABLE a ADD b INT, DROP c, ALGORITHM=INPLACE, LOCK=NONE", "mysql")
    assert [op.options for op in found] == [("algorithm=inplace", "lock=none")] * 2


def test_each_action_of_an_alter_has_its_own_text() -> None:
    text = "ALTER TABLE a ADD COLUMN b int NOT NULL,\n  ALTER COLUMN c TYPE text, DROP COLUMN d;"
    found = operations(text, "postgres")
    assert [text[op.start : op.end] for op in found] == [
        "ADD COLUMN b int NOT NULL",
        "ALTER COLUMN c TYPE text",
        "DROP COLUMN d",
    ]


NAMES = [
    ("postgres", 'DROP TABLE Public."Users"', [Name("public", "Users")]),
    ("redshift", 'DROP TABLE Public."Users"', [Name("public", "users")]),
    ("snowflake", 'DROP TABLE db.Public."users"', [Name("DB.PUBLIC", "users")]),
    ("mysql", "DROP TABLE `My Db`.Users", [Name("My Db", "Users")]),
    ("sqlserver", "DROP TABLE [dbo].[User], x..y", [Name("dbo", "User"), Name("x.", "y")]),
    ("clickhouse", "DROP TABLE Db.Users", [Name("Db", "Users")]),
    ("postgres", 'DROP TABLE "a""b"', [Name("", 'a"b')]),
]


@pytest.mark.parametrize(("dialect", "text", "expected"), NAMES)
def test_names_fold_as_their_dialect_folds(dialect: str, text: str, expected: list[Name]) -> None:
    (found,) = operations(text, dialect)
    assert list(getattr(found, "tables")) == expected  # noqa: B009 — one attribute of several classes


def test_a_table_is_read_with_its_parts() -> None:
    text = "CREATE TABLE a (id int PRIMARY KEY, b text, CONSTRAINT u UNIQUE (b), LIKE c INCLUDING ALL) PARTITION BY RANGE (id)"
    found = only(text, "postgres", CreateTable)
    assert [column.name for column in found.columns] == ["id", "b"]
    assert found.constraints == (Constraint("unique", "u", ("b",)),)
    assert (found.source, found.partition_by, found.options) == (Name("", "c"), "RANGE (id)", ("including all",))


def test_mysql_keys_inside_a_table_are_indexes() -> None:
    found = only(
        "CREATE TABLE a (b INT, KEY k (b), FULLTEXT KEY f (c)) ENGINE=InnoDB DEFAULT CHARSET=latin1",
        "mysql",
        CreateTable,
    )
    assert [(index.name, index.columns, index.method) for index in found.indexes] == [
        ("k", ("b",), ""),
        ("f", ("c",), "fulltext"),
    ]
    assert (found.engine, found.charset) == ("InnoDB", "latin1")


def test_a_clickhouse_table_is_read_with_engine_keys_and_cluster() -> None:
    text = "CREATE TABLE a ON CLUSTER c (id UInt64) ENGINE = MergeTree() PARTITION BY toYYYYMM(d) ORDER BY (id, lower(x)) SAMPLE BY id"
    found = only(text, "clickhouse", CreateTable)
    assert (found.engine, found.partition_by, found.order_by) == ("MergeTree", "toYYYYMM(d)", ("id", "lower(x)"))
    assert found.options == ("on cluster", "cluster=c", "sample by id")


def test_an_index_that_is_dropped_names_its_table_where_the_dialect_does() -> None:
    assert only("DROP INDEX i ON s.a", "mysql", DropIndex).table == Name("s", "a")
    assert only("DROP INDEX s.i", "postgres", DropIndex).indexes == (Name("s", "i"),)
    assert only("DROP INDEX a.i", "sqlserver", DropIndex).table == Name("", "a")


def test_indexes_that_one_statement_drops_go_with_their_own_tables() -> None:
    found = operations("DROP INDEX i ON s.a WITH (ONLINE = ON), j ON b, k ON s.a", "sqlserver")
    assert [(each.table, each.indexes, "online" in each.options) for each in found if isinstance(each, DropIndex)] == [
        (Name("s", "a"), (Name("", "i"), Name("", "k")), True),
        (Name("", "b"), (Name("", "j"),), False),
    ]


def test_a_view_made_with_its_schema_reads_what_was_made_there() -> None:
    text = "CREATE SCHEMA s CREATE TABLE t (a INT) CREATE VIEW v AS SELECT a FROM t JOIN u ON u.a = t.a"
    view = operations(text, "sqlserver")[2]
    assert isinstance(view, CreateView)
    assert (view.view, set(view.reads)) == (Name("s", "v"), {Name("s", "t"), Name("", "u")})


def test_a_change_of_definition_carries_the_whole_column() -> None:
    found = operations("ALTER TABLE a CHANGE b c BIGINT NOT NULL DEFAULT 0", "mysql")[1]
    assert isinstance(found, AlterColumnType)
    assert (found.column, found.type.base) == ("c", "bigint")
    assert found.definition is not None
    assert (found.definition.nullable, found.definition.default) == (False, "0")


def test_a_type_change_keeps_its_using_expression() -> None:
    found = only("ALTER TABLE a ALTER b TYPE int USING b::int", "postgres", AlterColumnType)
    assert (found.using, found.type.base) == ("b::int", "int")


VOLATILITY = [
    ("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'", "volatile"),
    ("CREATE FUNCTION f() RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 1'", "immutable"),
    ("CREATE FUNCTION f() RETURNS int AS $$ SELECT 'IMMUTABLE' $$ LANGUAGE sql STABLE", "stable"),
]


@pytest.mark.parametrize(("text", "expected"), VOLATILITY)
def test_the_volatility_of_a_function_is_read(text: str, expected: str) -> None:
    assert only(text, "postgres", CreateFunction).volatility == expected


def test_a_view_names_what_it_reads_and_no_cte() -> None:
    text = "CREATE VIEW v AS WITH x AS (SELECT * FROM a) SELECT extract(year FROM d) FROM x, c JOIN s.b ON true LEFT JOIN LATERAL f(1) ON true"
    assert set(only(text, "postgres", CreateView).reads) == {Name("", "a"), Name("s", "b"), Name("", "c")}


def test_insert_select_names_its_source_and_its_expressions() -> None:
    found = only("INSERT INTO new_a (b, c) SELECT b, coalesce(c, '') FROM a WHERE d", "sqlite", Dml)
    assert (found.tables, found.reads, found.columns) == ((Name("", "new_a"),), (Name("", "a"),), ("b", "c"))
    assert (found.values, found.where) == (("b", "coalesce(c, '')"), True)


def test_a_bulk_insert_is_read_to_its_first_row() -> None:
    rows = ", ".join(f"({i}, 'it''s; {i}')" for i in range(5000))
    found = only(f"INSERT INTO a (b, c) VALUES {rows};", "postgres", Dml)
    assert (found.columns, found.values, found.tables) == (("b", "c"), ("0", "'it''s; 0'"), (Name("", "a"),))


@pytest.mark.parametrize("statement", ["INSERT {} VALUES (1)", "UPDATE {} SET b = 1", "DELETE FROM {}"])
@pytest.mark.parametrize("target", ["OPENQUERY(srv, 'SELECT b FROM a')", "OPENDATASOURCE('p', 's').d.dbo.a"])
def test_rows_of_another_server_are_of_no_table_known_here(statement: str, target: str) -> None:
    assert only(statement.format(target), "sqlserver", Dml).tables == ()


def test_an_update_names_what_it_writes_and_reads() -> None:
    found = only("UPDATE x SET x.b = 1 FROM dbo.a AS x JOIN c ON c.id = x.id", "sqlserver", Dml)
    assert (found.tables, found.columns, found.where) == ((Name("dbo", "a"),), ("b",), False)


@pytest.mark.parametrize(
    ("statement", "table"),
    [
        ("UPDATE x SET b = 1 FROM (SELECT a.* FROM dbo.a a JOIN c ON c.id = a.id) AS X", Name("dbo", "a")),
        ("DELETE [x] FROM (SELECT ROW_NUMBER() OVER (ORDER BY b) AS rn FROM a) x WHERE rn > 1", Name("", "a")),
        ("DELETE x FROM db..a x WHERE x.b = 1", Name("db.", "a")),
    ],
)
def test_a_change_by_an_alias_is_one_of_the_table_behind_it(statement: str, table: Name) -> None:
    assert only(statement, "sqlserver", Dml).tables == (table,)


SETTINGS = [
    ("postgres", "SET LOCAL lock_timeout TO '5s'", ("lock_timeout", "5s", "local")),
    ("postgres", "SET TIME ZONE 'UTC'", ("timezone", "UTC", "")),
    ("postgres", "SELECT set_config('lock_timeout', '5s', true)", ("lock_timeout", "5s", "local")),
    ("mysql", "SET @@session.FOREIGN_KEY_CHECKS = 0", ("foreign_key_checks", "0", "session")),
    ("mysql", "SET GLOBAL x = 'y'", ("x", "y", "global")),
    ("sqlite", "PRAGMA main.Foreign_Keys(OFF)", ("foreign_keys", "off", "")),
    ("sqlserver", "SET LOCK_TIMEOUT 5000", ("lock_timeout", "5000", "")),
]


@pytest.mark.parametrize(("dialect", "text", "expected"), SETTINGS)
def test_a_setting_is_read_with_value_and_scope(dialect: str, text: str, expected: tuple[str, str, str]) -> None:
    found = only(text, dialect, Setting)
    assert (found.name, found.value, found.scope) == expected


def test_a_partition_is_read_with_its_bounds() -> None:
    found = only("ALTER TABLE p ATTACH PARTITION s.c FOR VALUES FROM (1) TO (2)", "postgres", Partition)
    assert (found.table, found.partition, found.bounds) == (Name("", "p"), Name("s", "c"), "FOR VALUES FROM (1) TO (2)")


def test_operations_are_equal_by_value_and_show_what_they_are() -> None:
    one, two = (operations("DROP TABLE a", "postgres")[0] for _ in range(2))
    assert one == two
    assert hash(one) == hash(two)
    assert one != operations("DROP TABLE b", "postgres")[0]
    assert repr(one).startswith("DropTable(kind='drop-table'")
