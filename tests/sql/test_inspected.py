"""What a change does to the schema, read from its text alone."""

from __future__ import annotations

from ci_runner.model.difference import difference
from ci_runner.model.directory import Migration
from ci_runner.model.drawing import changed
from ci_runner.model.schema import Catalog
from ci_runner.sql import catalog, statements
from ci_runner.sql.catalog_store import dumps, loads
from ci_runner.sql.inspected import differing
from tests.sql.test_writing import HISTORIES


def folded(state: Catalog, text: str, dialect: str) -> Catalog:
    return catalog.fold(catalog.release(state), statements(Migration("1.sql", "1", "", text, ""), dialect), dialect)


def told(before: str, change: str, dialect: str = "postgres") -> list[tuple[str, str, str]]:
    old = loads(
        dumps(catalog.release(folded(Catalog(), before, dialect)))
    )  # as the cache gives it, nothing decoded yet
    assert old is not None
    one, two = differing(old, folded(old, change, dialect), dialect)
    return [(row.action, row.what, row.name) for row in difference(one, two)]


def test_only_what_the_change_touches_is_looked_at() -> None:
    before = "".join(f"CREATE TABLE t{n} (id int PRIMARY KEY);\n" for n in range(50))
    old = loads(dumps(catalog.release(folded(Catalog(), before, "postgres"))))
    assert old is not None
    one, two = differing(
        old, folded(old, "ALTER TABLE t7 ADD COLUMN parent int REFERENCES t9;", "postgres"), "postgres"
    )
    assert set(one.tables) == set(two.tables) == {"t7", "t9"}
    diagram = changed(one, two)
    assert diagram is not None
    assert [(line.child, line.parent, line.mark) for line in diagram.lines] == [("t7", "t9", "added")]


def test_every_kind_of_change_has_its_row() -> None:
    before = "CREATE TYPE mood AS ENUM ('sad'); CREATE TABLE a (id int, m text); CREATE TABLE gone (id int); CREATE VIEW v AS SELECT 1;"
    change = (
        "ALTER TYPE mood ADD VALUE 'ok'; ALTER TABLE a ALTER id TYPE bigint, DROP m, ADD n int; DROP TABLE gone; DROP VIEW v;"
        "CREATE INDEX i ON a (n); ALTER TABLE a ADD CONSTRAINT c CHECK (n > 0); CREATE TABLE b (id int);"
    )
    assert sorted(told(before, change)) == sorted(
        [
            ("changed", "enum", "mood"), ("changed", "column", "a.id"), ("removed", "column", "a.m"), ("added", "column", "a.n"),
            ("removed", "table", "gone"), ("removed", "view", "v"), ("added", "index", "i"), ("added", "constraint", "a: c"),
            ("added", "table", "b"),
        ]
    )  # fmt: skip


def test_a_table_nobody_made_is_none_that_the_change_adds() -> None:
    assert told("CREATE TABLE a (id int);", "ALTER TABLE elsewhere ADD COLUMN n int;") == []


def test_every_dialect_adds_its_tables() -> None:
    for dialect, text in HISTORIES.items():
        assert {(action, what) for action, what, _ in told("", text, dialect)} >= {("added", "table")}, dialect
