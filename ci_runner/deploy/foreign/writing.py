"""Writes into another tool's table the rows that tool would write, so that one can go back to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import ModuleType

from ci_runner.databases import Target
from ci_runner.deploy.foreign.history import Cell, Next, Now, Raw
from ci_runner.model.directory import Migration, MigrationDir


def statements(
    target: Target,
    tool: ModuleType,
    table: str,
    migration: Migration,
    mdir: MigrationDir,
    count: int,
    milliseconds: int,
) -> list[str]:
    """The statements that record ``migration``, ``count`` statements in so many milliseconds, as its own tool would."""
    row: Mapping[str, Cell] = tool.row(migration, mdir, count, milliseconds)
    name = qualified(target, table)
    before = [f"DELETE FROM {name}"] if tool.ALONE else []
    columns = ", ".join(target.quoted(column) for column in row)
    values = ", ".join(_cell(target, name, column, value) for column, value in row.items())
    return [*before, f"INSERT INTO {name} ({columns}) SELECT {values}"]


def qualified(target: Target, table: str) -> str:
    """The table's name for statements; ``schema.table`` where it lies elsewhere."""
    return ".".join(target.quoted(part) for part in table.split(".", 1))


def _cell(target: Target, table: str, column: str, value: Cell) -> str:
    if value is Now:
        return "CURRENT_TIMESTAMP"
    if value is Next:
        return f"(SELECT COALESCE(MAX(last.{target.quoted(column)}), 0) + 1 FROM {table} AS last)"
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return ("TRUE" if value else "FALSE") if target.facts.dialect != "sqlserver" else str(int(value))
    if isinstance(value, Raw):
        return (
            f"decode('{value.content.hex()}', 'hex')"
            if target.facts.dialect == "postgres"
            else f"X'{value.content.hex()}'"
        )
    if isinstance(value, int):
        return str(value)
    return target.literal(value) if isinstance(value, str) else "NULL"


def missing(tool: ModuleType, marks: Sequence[str], upto: str | None, rows: Sequence[Migration]) -> list[Migration]:
    """Of ``rows``, which are applied, those the tool's table does not have: what a run that was killed in between left out."""
    if upto is not None:
        return list(rows[-1:]) if rows and tool.key(rows[-1].version) != tool.key(upto or "-") else []
    known = {tool.key(mark) for mark in marks}
    return [each for each in rows if tool.key(each.version) not in known]
