"""What ClickHouse does to tables that hold rows: which mutations a statement started, and which parts it wrote anew."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from ci_runner.databases.clickhouse.inspect import SYSTEM, name_of, text
from ci_runner.databases.failure import DatabaseFailure
from ci_runner.databases.running import watched
from ci_runner.databases.watch import Seen, Watched

if TYPE_CHECKING:
    from ci_runner.databases import Sql
    from ci_runner.databases.clickhouse import Clickhouse

_TABLES = "SELECT database, name, total_rows FROM system.tables WHERE engine LIKE '%MergeTree' AND {own} ORDER BY 1, 2"
_COLUMNS = """SELECT name, type FROM system.columns WHERE database = {database} AND table = {table}
 AND default_kind IN ('', 'DEFAULT') ORDER BY position"""
_MUTATIONS = "SELECT database, table, mutation_id, command FROM system.mutations WHERE {own}"
_PARTS = "SELECT path, database, table FROM system.parts WHERE active AND {own}"  # a path stays where tables change their names
_WAIT = "SET mutations_sync = 2, alter_sync = 2"
_ALTER = re.compile(
    r"\s*alter\s+table\s+(?:if\s+exists\s+)?((?:`[^`]+`|\w+)(?:\s*\.\s*(?:`[^`]+`|\w+))?)", re.IGNORECASE
)
_NULLABLE = re.compile(r"(LowCardinality\()?Nullable\((.*)\)\Z", re.DOTALL)
_DIGIT = re.compile(r"(?:String|FixedString\(\d+\)|U?Int\d+|Float\d+|Decimal\d*\(.*\))\Z", re.DOTALL)


class ClickhouseWatcher:
    """Watches one session. Only tables that hold a row are spoken of."""

    def __init__(self, session: Clickhouse) -> None:
        self._session = session
        self._own = (
            f"database = {text(session.name)}" if session.name else f"database NOT IN ({', '.join(map(text, SYSTEM))})"
        )
        self._tables: set[str] = set()
        self._mutations: set[tuple[Any, ...]] = set()
        self._parts: dict[str, str] = {}

    def fill(self, script: str) -> tuple[str, ...]:
        """Put a row into every empty MergeTree table the script names; returns the tables for which none could be made."""
        words = set(re.findall(r"\w+", script.lower()))
        left_out: list[str] = []
        for database, table, rows in self._rows(_TABLES):
            if not set(re.findall(r"\w+", table.lower())) <= words:
                continue
            shown = self._shown(database, table)
            if rows or self._insert(database, table):
                self._tables.add(shown)
            else:
                left_out.append(shown)
        return tuple(left_out)

    def watch(self, statements: Sequence[Sql], *, transaction: bool) -> Watched:
        """Run the statements, each mutation to its end, looking after each; the refusal that ended it, if one did."""
        self._session.query_nothing(_WAIT)
        self._mutations, self._parts = set(self._rows(_MUTATIONS)), self._active()
        return watched(self._session, statements, transaction=transaction, look=self._one)

    def _one(self, index: int, statement: Sql) -> list[Seen]:
        self._session.step(statement)
        mutations, parts = set(self._rows(_MUTATIONS)), self._active()
        started = sorted(mutations - self._mutations)
        gone = {self._parts[path] for path in self._parts.keys() - parts.keys()}
        fresh = {parts[path] for path in parts.keys() - self._parts.keys()}
        self._mutations, self._parts = mutations, parts
        mutated = [Seen(index, "mutation", self._shown(*row[:2]), str(row[3])) for row in started]
        seen = [one for one in mutated if one.object in self._tables]
        touched = {one.object for one in seen}
        seen += [
            Seen(index, "rewrite", table, "its part was written anew") for table in sorted(gone & fresh & self._tables)
        ]
        return seen + [
            Seen(index, "algorithm", table, "metadata")
            for table in self._altered(statement.text)
            if table not in touched
        ]

    def _altered(self, script: str) -> Iterable[str]:
        found = _ALTER.match(script)
        name = re.sub(r"[`\s]", "", found[1]) if found else ""
        name = name.removeprefix(f"{self._session.name}.") if self._session.name else name
        return (name,) if name in self._tables else ()

    def _insert(self, database: str, table: str) -> bool:
        columns = self._session.query(_COLUMNS.replace("{database}", text(database)).replace("{table}", text(table)))
        names = ", ".join(name_of(name) for name, _ in columns)
        values = ", ".join(_value(kind) for _, kind in columns)
        try:
            self._session.query_nothing(f"INSERT INTO {name_of(database)}.{name_of(table)} ({names}) SELECT {values}")
        except DatabaseFailure as failure:
            if failure.lost:
                raise
            return False
        return True

    def _active(self) -> dict[str, str]:
        """The table of each part, by the part's path."""
        return {path: self._shown(database, table) for path, database, table in self._rows(_PARTS)}

    def _rows(self, sql: str) -> list[tuple[Any, ...]]:
        return self._session.query(sql.replace("{own}", self._own))

    def _shown(self, database: str, table: str) -> str:
        return table if database == self._session.name else f"{database}.{table}"


def _value(kind: str) -> str:
    """A value of the type that is not NULL: texts and numbers are 1, so that one can become the other, the rest is the type's default."""
    found = _NULLABLE.match(kind)
    inner = found[2].removesuffix(")") if found and found[1] else found[2] if found else kind
    low = inner.removeprefix("LowCardinality(").removesuffix(")") if inner.startswith("LowCardinality(") else inner
    plain = "'1'" if _DIGIT.match(low) else f"defaultValueOfTypeName({text(inner)})"
    return f"CAST({plain}, {text(kind)})"
