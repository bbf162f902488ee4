"""CREATE statements written from a schema come to that schema again, in every dialect."""

from __future__ import annotations

import pytest

from ci_runner.model import inspected
from ci_runner.model.directory import Migration
from ci_runner.sql import catalog, statements
from ci_runner.sql.inspected import schema
from ci_runner.sql.spelling import quoted
from ci_runner.sql.writing import creates

HISTORIES = {
    "postgres": """
CREATE TYPE mood AS ENUM ('sad', 'it''s ok');
CREATE TABLE "User" (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, "Odd name" text NOT NULL UNIQUE, m mood,
  n int DEFAULT 3 CHECK (n > 0), twice int GENERATED ALWAYS AS (n * 2) STORED);
CREATE TABLE app.line (user_id bigint NOT NULL REFERENCES "User" ON DELETE CASCADE, s serial, "order" int,
  PRIMARY KEY (user_id, s), CONSTRAINT small CHECK (s < 10));
CREATE UNIQUE INDEX first_i ON "User" (lower("Odd name"), n) WHERE n > 1;
ALTER TABLE app.line ADD CONSTRAINT later FOREIGN KEY (s) REFERENCES app.line (s) NOT VALID;
""",
    "mysql": """
CREATE TABLE `user` (`Id` int unsigned NOT NULL AUTO_INCREMENT, e enum('a','b') DEFAULT 'a', PRIMARY KEY (`Id`), UNIQUE KEY u (e)) ENGINE=InnoDB;
CREATE TABLE line (x int unsigned, KEY k (x), CONSTRAINT f FOREIGN KEY (x) REFERENCES `user` (`Id`) ON DELETE SET NULL);
""",
    "mariadb": "CREATE TABLE t (id bigint NOT NULL AUTO_INCREMENT PRIMARY KEY, `group` varchar(10) NOT NULL);",
    "sqlite": """
CREATE TABLE parent (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE child (id INTEGER PRIMARY KEY, parent_id INTEGER REFERENCES parent (id) ON DELETE CASCADE, CHECK (id > 0));
CREATE INDEX child_parent ON child (parent_id);
""",
    "sqlserver": """
CREATE TABLE dbo.Parent (Id INT IDENTITY(1,1) NOT NULL CONSTRAINT pk PRIMARY KEY, [Odd name] NVARCHAR(50) NULL);
CREATE TABLE app.Child (Id INT NOT NULL, ParentId INT NOT NULL CONSTRAINT fk REFERENCES dbo.Parent (Id));
""",
    "clickhouse": """
CREATE TABLE t (id UInt64, `odd name` Nullable(String), at DateTime DEFAULT now()) ENGINE = MergeTree ORDER BY (id) PARTITION BY toYYYYMM(at);
""",
    "redshift": """
CREATE TABLE t (id BIGINT IDENTITY(0, 1), v VARCHAR(10) NOT NULL, PRIMARY KEY (id));
CREATE TABLE u (t_id BIGINT REFERENCES t (id));
""",
    "snowflake": """
CREATE TABLE t (id NUMBER AUTOINCREMENT, "x" VARCHAR(10) NOT NULL, PRIMARY KEY (id));
CREATE TABLE app.u (t_id NUMBER REFERENCES t (id));
""",
}


def read(text: str, dialect: str) -> inspected.Schema:
    parsed = statements(Migration("1.sql", "1", "", text, ""), dialect)
    assert [each.not_analysed for each in parsed if each.not_analysed] == []
    return schema(catalog.release(catalog.fold(catalog.Catalog(), parsed, dialect)), dialect)


@pytest.mark.parametrize("dialect", HISTORIES)
def test_what_is_written_reads_as_what_it_was_written_from(dialect: str) -> None:
    there = read(HISTORIES[dialect], dialect)
    assert there.tables
    again = read(";\n".join(creates(there, dialect)) + ";\n", dialect)
    assert again == there


def test_a_view_whose_text_is_not_known_is_named_in_a_comment() -> None:
    there = read("CREATE TABLE t (id int); CREATE VIEW v AS SELECT * FROM t;", "postgres")
    assert "-- view v: its text is not known" in list(creates(there, "postgres"))


def test_views_stand_behind_those_they_read_even_in_a_circle() -> None:
    views = {
        "a": "SELECT * FROM b",
        "b": "SELECT * FROM c",
        "c": "SELECT 1",
        "x": "SELECT * FROM y",
        "y": "SELECT * FROM x",
    }
    made = [each.split()[2] for each in creates(inspected.Schema(views=views), "postgres")]
    assert made.index("c") < made.index("b") < made.index("a")
    assert sorted(made) == sorted(views)


@pytest.mark.parametrize(
    ("name", "dialect", "written"),
    [
        ("plain", "postgres", "plain"),
        ("Mixed", "postgres", '"Mixed"'),
        ("order", "sqlite", '"order"'),
        ('q"uote', "redshift", '"q""uote"'),
        ("od`d", "mysql", "`od``d`"),
        ("a]b", "sqlserver", "[a]]b]"),
        ("lower", "snowflake", '"lower"'),
        ("UPPER", "snowflake", "UPPER"),
    ],
)
def test_a_name_is_quoted_where_it_would_mean_another(name: str, dialect: str, written: str) -> None:
    assert quoted(name, dialect) == written
