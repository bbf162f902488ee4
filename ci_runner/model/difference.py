"""What a change does to a schema: two inspected states in, rows for people out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ci_runner.model.drawing import definition
from ci_runner.model.inspected import Schema, Table
from ci_runner.model.report import SchemaChange

TEXT_LIMIT = 300


def difference(before: Schema, after: Schema) -> tuple[SchemaChange, ...]:
    """Rows in order of tables, then views, enums, functions, sequences; equal schemas give none."""
    return (
        *_tables(before.tables, after.tables),
        *_plain("view", before.views, after.views),
        *_plain("enum", _labels(before.enums), _labels(after.enums)),
        *_plain("function", before.functions, after.functions),
        *_plain("sequence", before.sequences, after.sequences),
    )


def _tables(before: Mapping[str, Table], after: Mapping[str, Table]) -> Iterator[SchemaChange]:
    for name in _names(before, after):
        old, new = before.get(name), after.get(name)
        if old is None and new is not None:
            yield SchemaChange("added", "table", name, after=_table_text(new))
        elif new is None and old is not None:
            yield SchemaChange("removed", "table", name, before=_table_text(old))
        elif old is not None and new is not None and old != new:
            yield from _table(name, old, new)


def _table(name: str, old: Table, new: Table) -> Iterator[SchemaChange]:
    yield from _plain("table", {name: old.options}, {name: new.options})
    columns = [{key: definition(column) for key, column in table.columns.items()} for table in (old, new)]
    yield from _plain("column", columns[0], columns[1], within=f"{name}.")
    yield from _plain("index", old.indexes, new.indexes)
    yield from _plain("constraint", old.constraints, new.constraints, within=f"{name}: ")
    yield from _plain("trigger", old.triggers, new.triggers, within=f"{name}: ")


def _plain(what: str, before: Mapping[str, str], after: Mapping[str, str], within: str = "") -> Iterator[SchemaChange]:
    for name in _names(before, after):
        old, new = before.get(name), after.get(name)
        if old != new:
            action = "added" if old is None else "removed" if new is None else "changed"
            yield SchemaChange(action, what, within + name, _cut(old or ""), _cut(new or ""))


def _names(before: Mapping[str, object], after: Mapping[str, object]) -> list[str]:
    """Names of both, those of ``before`` first, each once, in their own order."""
    return list(dict.fromkeys([*before, *after]))


def _labels(enums: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    return {name: ", ".join(labels) for name, labels in enums.items()}


def _table_text(table: Table) -> str:
    return _cut(", ".join(f"{name} {definition(column)}" for name, column in table.columns.items()))


def _cut(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= TEXT_LIMIT else line[:TEXT_LIMIT] + " …"
