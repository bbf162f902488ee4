"""Whether one type holds less than another, and which columns and names an operation brings."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from ci_runner.lint.columns import defined, names
from ci_runner.lint.types import narrows
from ci_runner.model.operations import CreateTable, Type
from tests.sql.reading import operations

PAIRS = [
    (dialect, *pair)
    for dialect, pairs in yaml.safe_load((Path(__file__).parent / "narrowing.yaml").read_text(encoding="utf-8")).items()
    for pair in pairs
]


def typed(text: str, dialect: str) -> Type:
    (made,) = operations(f"CREATE TABLE a (b {text})", dialect)
    assert isinstance(made, CreateTable)
    kind = made.columns[0].type
    assert kind is not None
    return kind


@pytest.mark.parametrize(("dialect", "old", "new", "expected"), PAIRS)
def test_a_type_narrows_where_some_value_does_not_fit(dialect: str, old: str, new: str, expected: bool) -> None:
    assert narrows(typed(old, dialect), typed(new, dialect), dialect) is expected


@pytest.mark.parametrize("dialect", sorted({pair[0] for pair in PAIRS}))
def test_no_type_narrows_to_itself(dialect: str) -> None:
    texts = {text for name, old, new, _ in PAIRS if name == dialect for text in (old, new)}
    assert [text for text in texts if narrows(typed(text, dialect), typed(text, dialect), dialect)] == []


NAMED = [
    (
        "CREATE TABLE a (b INT, CONSTRAINT k CHECK (b > 0), CHECK (b > 1), INDEX i (b), INDEX (b))",
        [("table", "a"), ("column", "b"), ("constraint", "k"), ("index", "i")],
    ),
    ("ALTER TABLE a ADD COLUMN b INT", [("column", "b")]),
    ("CREATE INDEX i ON a (b)", [("index", "i")]),
    ("ALTER TABLE a ADD CONSTRAINT k CHECK (b > 0)", [("constraint", "k")]),
    ("RENAME TABLE a TO c", [("table", "c")]),
    ("ALTER TABLE a RENAME COLUMN b TO c", [("column", "c")]),
    ("DROP TABLE a", []),
]


@pytest.mark.parametrize(("text", "expected"), NAMED)
def test_an_operation_gives_these_names(text: str, expected: list[tuple[str, str]]) -> None:
    (made,) = operations(text, "mysql")
    assert list(names(made)) == expected


DEFINED = [
    ("CREATE TABLE a (b INT, c TEXT)", [("a", "b", "int"), ("a", "c", "text")]),
    ("ALTER TABLE a ADD COLUMN b INT", [("a", "b", "int")]),
    ("ALTER TABLE a MODIFY b TEXT", [("a", "b", "text")]),
    ("ALTER TABLE a DROP COLUMN b", []),
]


@pytest.mark.parametrize(("text", "expected"), DEFINED)
def test_an_operation_defines_these_columns(text: str, expected: list[tuple[str, str, str]]) -> None:
    (made,) = operations(text, "mysql")
    found = [(table.name, column, kind.base if kind else "") for table, column, kind in defined(made)]
    assert found == expected
