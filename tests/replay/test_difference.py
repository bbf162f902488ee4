"""The table of what a change does to a schema."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from ci_runner.model.difference import difference
from ci_runner.model.inspected import Column, Schema, Table
from ci_runner.model.report import SchemaChange

NAMES = st.text("abc.", min_size=1, max_size=3)
TEXTS = st.dictionaries(NAMES, st.text(max_size=5), max_size=3)
COLUMNS = st.builds(
    Column, st.sampled_from(["int", "text"]), st.booleans(), st.sampled_from(["", "1"]), st.sampled_from(["", "stored"])
)
TABLES = st.builds(
    Table, st.dictionaries(NAMES, COLUMNS, max_size=3), TEXTS, TEXTS, TEXTS, st.sampled_from(["", "unlogged"])
)
SCHEMAS = st.builds(
    Schema,
    st.dictionaries(NAMES, TABLES, max_size=3),
    TEXTS,
    st.dictionaries(NAMES, st.tuples(NAMES), max_size=2),
    TEXTS,
    TEXTS,
)
OPPOSITE = {"added": "removed", "removed": "added", "changed": "changed"}


@given(SCHEMAS)
@settings(deadline=None, max_examples=50)
def test_equal_schemas_do_not_differ(schema: Schema) -> None:
    assert difference(schema, schema) == ()


@given(SCHEMAS, SCHEMAS)
@settings(deadline=None, max_examples=100)
def test_the_way_back_is_the_way_there_turned_round(before: Schema, after: Schema) -> None:
    there = {
        SchemaChange(OPPOSITE[row.action], row.what, row.name, row.after, row.before)
        for row in difference(before, after)
    }
    assert there == set(difference(after, before))


@given(SCHEMAS, SCHEMAS)
@settings(deadline=None, max_examples=100)
def test_different_schemas_differ(before: Schema, after: Schema) -> None:
    assert bool(difference(before, after)) == (before != after)


def test_every_kind_of_object_has_its_row() -> None:
    before = Schema(
        {
            "gone": Table({"id": Column("int", False)}),
            "t": Table({"a": Column("int"), "b": Column("text")}, {"i": "old"}, {"c": "check (a)"}),
        },
        {"v": "SELECT 1"},
        {"mood": ("sad",)},
    )
    after = Schema(
        {
            "t": Table(
                {"a": Column("int", False, "3"), "c": Column("int")},
                {"i": "new"},
                {},
                {"trg": "BEFORE INSERT"},
                "unlogged",
            ),
            "new": Table({"id": Column("int", False, "", "identity")}),
        },
        {"v": "SELECT   2\n"},
        {"mood": ("sad", "ok")},
        {"f(int)": "body"},
        {"s": "start 1"},
    )
    assert [
        tuple(getattr(row, part) for part in ("action", "what", "name", "before", "after"))
        for row in difference(before, after)
    ] == [
        ("removed", "table", "gone", "id int not null", ""),
        ("changed", "table", "t", "", "unlogged"),
        ("changed", "column", "t.a", "int", "int not null default 3"),
        ("removed", "column", "t.b", "text", ""),
        ("added", "column", "t.c", "", "int"),
        ("changed", "index", "i", "old", "new"),
        ("removed", "constraint", "t: c", "check (a)", ""),
        ("added", "trigger", "t: trg", "", "BEFORE INSERT"),
        ("added", "table", "new", "", "id int not null identity"),
        ("changed", "view", "v", "SELECT 1", "SELECT 2"),
        ("changed", "enum", "mood", "sad", "sad, ok"),
        ("added", "function", "f(int)", "", "body"),
        ("added", "sequence", "s", "", "start 1"),
    ]


def test_long_definitions_are_cut() -> None:
    (row,) = difference(Schema(), Schema(views={"v": "x" * 1000}))
    assert len(row.after) < 310
