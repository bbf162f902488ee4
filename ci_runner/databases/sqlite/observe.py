"""What SQLite does to rows: whether each table's row, its children's too, survives the change."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from ci_runner.databases.failure import DatabaseFailure
from ci_runner.databases.running import watched
from ci_runner.databases.watch import Seen, Watched

if TYPE_CHECKING:
    from ci_runner.databases import Sql
    from ci_runner.databases.sqlite import Sqlite

_TABLES = "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name"
_DROP = re.compile(r"\bdrop\s+table\b", re.IGNORECASE)
AT_ONCE = 100  # SELECTs in one query; SQLite takes 500 (https://sqlite.org/limits.html)


class SqliteWatcher:
    """Watches one session; every table counts, for a dropped parent takes rows of its children along."""

    def __init__(self, session: Sqlite) -> None:
        self._session = session
        self._tables: tuple[str, ...] = ()

    def fill(self, script: str) -> tuple[str, ...]:  # noqa: ARG002 - every table counts
        """Put a row into every empty table; returns those where none could be made. Foreign keys are not checked meanwhile."""
        ((checked,),) = self._session.query("PRAGMA foreign_keys")
        self._session.query("PRAGMA foreign_keys = OFF")
        names = [row[0] for row in self._session.query(_TABLES)]
        counts = self._counts(names)
        filled = [name for name in names if counts[name] or self._insert(name)]
        self._session.query(f"PRAGMA foreign_keys = {checked}")
        self._tables = tuple(filled)
        return tuple(name for name in names if name not in filled)

    def watch(self, statements: Sequence[Sql], *, transaction: bool) -> Watched:
        """Run the statements, counting rows after each; the refusal that ended it, if one did."""
        counts = self._counts(self._tables)
        begun, dropped = dict(counts), dict[str, int]()
        broken = self._broken()

        def look(index: int, statement: Sql) -> Iterator[Seen]:
            self._session.step(statement)
            after = self._counts(counts)
            for name, before in counts.items():
                now = after[name]
                if now is not None and before is not None and now < before:
                    yield Seen(index, "rows-lost", name, f"{before} row before the statement, {now} after it")
                if now is None and before is not None and _DROP.search(statement.text):
                    dropped[name] = index
            counts.update(after)

        result = watched(self._session, statements, transaction=transaction, look=look)
        if result.failure is not None:
            return result
        place = "{} row before it, {} in the table that takes its place"
        emptied = (
            Seen(index, "rows-lost", name, place.format(begun[name], counts[name]))
            for name, index in dropped.items()
            if (now := counts[name]) is not None and now < (begun[name] or 0)
        )
        last = len(statements) - 1
        lost = sorted(self._broken() - broken)
        return Watched(
            (
                *result.seen,
                *emptied,
                *(Seen(last, "error", name, "a row refers to one that is not there") for name in lost),
            )
        )

    def _counts(self, tables: Iterable[str]) -> dict[str, int | None]:
        """How many rows each table has; None where there is no such table (now). Many are asked for at once, fewer where that fails."""
        found: dict[str, int | None] = {}
        names = list(tables)
        for start in range(0, len(names), AT_ONCE):
            part = names[start : start + AT_ONCE]
            try:
                query = " UNION ALL ".join(f"SELECT {n}, count(*) FROM {_quoted(name)}" for n, name in enumerate(part))
                found |= {part[row[0]]: int(row[1]) for row in self._session.query(query)}
            except DatabaseFailure:
                half = len(part) // 2
                found |= self._counts(part[:half]) | self._counts(part[half:]) if half else dict.fromkeys(part)
        return found

    def _broken(self) -> set[str]:
        try:
            return {row[0] for row in self._session.query("PRAGMA foreign_key_check")}
        except DatabaseFailure:  # a key refers to what is no key: that is what the statement itself will be told
            return set()

    def _insert(self, table: str) -> bool:
        columns = self._session.query(
            f"SELECT name, type, \"notnull\" FROM pragma_table_xinfo('{table.replace(chr(39), chr(39) * 2)}') WHERE hidden = 0"
        )
        for chosen in (columns, [column for column in columns if column[2]]):
            names, values = (
                ", ".join(_quoted(column[0]) for column in chosen),
                ", ".join(_value(column[1]) for column in chosen),
            )
            row = f"({names}) VALUES ({values})" if chosen else "DEFAULT VALUES"
            try:
                self._session.query(f"INSERT INTO {_quoted(table)} {row}")
            except DatabaseFailure:
                continue
            return True
        return False


def _value(kind: str) -> str:
    """A value of the declared type's affinity (https://sqlite.org/datatype3.html)."""
    upper = kind.upper()
    if "INT" in upper:
        return "1"
    if any(part in upper for part in ("CHAR", "CLOB", "TEXT")):
        return "'x'"
    if "BLOB" in upper:
        return "x'00'"
    return "'2000-01-01'" if "DATE" in upper or "TIME" in upper else "1"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
