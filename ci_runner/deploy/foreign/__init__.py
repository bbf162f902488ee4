"""Other tools' histories: found, read, taken over; one file a tool, none knows another.

A tool is a module with NAME, TABLE, COLUMNS, ORDER, ALONE (one row replaces all), read, key, same and row. WITH and WITHOUT name columns that
tell two tools with a table of the same name apart.
"""

from __future__ import annotations

from importlib import import_module
from types import ModuleType
from typing import NamedTuple

from ci_runner.databases import Target
from ci_runner.deploy.foreign.history import History
from ci_runner.errors import ConflictError, UsageError

# A new tool is one file and one word here.
NAMES = (
    "atlas", "flyway", "golang-migrate", "dbmate", "goose", "prisma", "diesel", "sqlx", "supabase", "drizzle", "liquibase",
)  # fmt: skip
SPELLINGS = {"golang_migrate": "golang-migrate", "migrate": "golang-migrate", "rails": "dbmate"}


class Table(NamedTuple):
    """A table of another tool, by its name here (``schema.table`` when it lies elsewhere)."""

    tool: str
    name: str


def module(name: str) -> ModuleType:
    """The tool's module; UsageError, with the names there are, for an unknown one."""
    name = SPELLINGS.get(name, name)
    if name not in NAMES:
        from difflib import get_close_matches

        close = get_close_matches(name, NAMES, 1, 0.5)
        hint = f" — did you mean '{close[0]}'?" if close else ""
        raise UsageError(f"no migration tool is known as '{name[:40]}'{hint} (known: {', '.join(NAMES)})")
    return import_module(f"ci_runner.deploy.foreign.{name.replace('-', '_')}")


def tables(target: Target) -> list[Table]:
    """Every table here that looks like another tool's."""
    found: list[Table] = []
    for name in target.tables():
        bare = name.rpartition(".")[2].lower()
        tools = [module(tool) for tool in NAMES]
        named = [tool for tool in tools if bare == tool.TABLE]
        found += [Table(tool.NAME, name) for tool in named if len(named) == 1 or _is(target, tool, name)]
    return found


def _is(target: Target, tool: ModuleType, name: str) -> bool:
    """Whether a table that several tools call the same is this one's, by its columns."""
    schema, _, bare = name.rpartition(".")
    definition = (target.definition("table", schema, bare) or "").lower()
    has, lacks = getattr(tool, "WITH", ()), getattr(tool, "WITHOUT", ())
    return all(column in definition for column in has) and not any(column in definition for column in lacks)


def choose(found: list[Table], wanted: str | None, name: str) -> Table:
    """The one table to take over; ConflictError where there is none, or several, and UsageError for an unknown tool."""
    tool = module(wanted).NAME if wanted else None
    fitting = [table for table in found if tool in (None, table.tool)]
    if not fitting:
        there = f"; there is {', '.join(f'{t.name} ({t.tool})' for t in found)}" if found else ""
        raise ConflictError(
            f"{name} has no table of {tool or 'another migration tool'}{there}: say with --from which tool it was, or use baseline"
        )
    if len(fitting) > 1:
        listed = ", ".join(f"{table.name} ({table.tool})" for table in fitting)
        raise ConflictError(
            f"{name} has several: {listed}. Which of them counts cannot be told: drop the other, or say --from TOOL"
        )
    return fitting[0]


def read(target: Target, table: Table) -> History:
    """What the table says."""
    from ci_runner.deploy.foreign.writing import qualified

    tool = module(table.tool)
    columns = ", ".join(target.quoted(column) for column in tool.COLUMNS)
    rows = target.query(f"SELECT {columns} FROM {qualified(target, table.name)} ORDER BY {target.quoted(tool.ORDER)}")
    history: History = tool.read(rows)
    return history
