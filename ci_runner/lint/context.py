"""What a rule sees: one operation, the schema before it, the file around it, and what a dev database was seen to do."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from msgspec import Struct, field

from ci_runner.config.pattern import Pattern
from ci_runner.lint.transactions import Tx
from ci_runner.model.operations import Column, CreateTable, DropTable, Name, Operation, Statement
from ci_runner.model.report import FILE, ChangedFile, Observation
from ci_runner.model.schema import Catalog, Table
from ci_runner.sql.catalog_columns import index_table
from ci_runner.sql.catalog_names import comparable, locate

if TYPE_CHECKING:
    from ci_runner.lint.rebuild import Rebuild

O = TypeVar("O", bound=Operation)  # noqa: E741 — the one type variable of operations


REACH = 300  # how far a rule looks around it in a file: enough for people, and a bound for files of 100,000 statements
_NEAR = 10_000  # characters of a block that are looked through for its IF
_IF = re.compile(r"\bIF\b", re.IGNORECASE)
_BRANCHES = re.compile(r"\b(?:ELSE|ELSIF|ELSEIF|END|LOOP)\b", re.IGNORECASE)
# SQL Server is called by its year
_YEARS = {2008: 10, 2012: 11, 2014: 12, 2016: 13, 2017: 14, 2019: 15, 2022: 16, 2025: 17}


class Step(Struct, frozen=True):
    """One operation of a file: which statement it belongs to, the schema before it, the transaction it runs in."""

    position: int
    statement: int
    operation: Operation
    catalog: Catalog
    tx: Tx


class File(Struct, frozen=True):
    """A changed migration file with everything known around it. ``released`` is the schema before its first statement."""

    changed: ChangedFile
    statements: tuple[Statement, ...]
    steps: tuple[Step, ...]
    released: Catalog
    dialect: str
    format: str = "atlas"
    server_version: str | None = None
    server_edition: str | None = None
    observations: Mapping[int, tuple[Observation, ...]] = field(default_factory=dict)  # by statement, or FILE
    positions: Mapping[type[Operation], Sequence[int]] = field(default_factory=dict)  # of steps, by class of operation
    rebuilds: tuple[Rebuild, ...] = ()
    transaction: str = "file"  # what the format's tool wraps
    suggests: bool = False  # whether rewrites are asked for
    naming: Mapping[str, Pattern] = field(default_factory=dict)  # what new names must match, by kind of object

    @property
    def text(self) -> str:
        """The file's text, "" when it is gone."""
        return self.changed.migration.text if self.changed.migration else ""

    def seen(self, kind: str) -> Iterator[Observation]:
        """What was seen of the file as a whole, of that kind."""
        return (each for each in self.observations.get(FILE, ()) if each.kind == kind)

    @property
    def first(self) -> Operation | None:
        """What its first statement does, for findings on the whole file to point to."""
        return self.steps[0].operation if self.steps else None

    def at_least(self, *version: int, default: bool = True) -> bool:
        """Whether the server is of that version or newer; ``default`` where the version is not known."""
        known = numbers(self.server_version)
        if known and self.dialect == "sqlserver":
            known = (_YEARS.get(known[0], known[0]), *known[1:])
        return default if known is None else known >= version

    def of(self, *kinds: type[O]) -> Iterator[tuple[Step, O]]:
        """The steps whose operation is of such a class, in order (of each class)."""
        for kind in kinds:
            for position in self.positions.get(kind, ()):
                operation: Any = self.steps[position].operation
                yield self.steps[position], operation


@lru_cache(maxsize=16)
def numbers(version: str | None) -> tuple[int, ...] | None:
    """``8.0.29-log`` → (8, 0, 29); None where there is no number."""
    found = re.match(r"\D*(\d+(?:\.\d+)*)", version or "")
    return tuple(int(part) for part in found[1].split(".")) if found else None


class Context(Struct, frozen=True):
    """One operation under review. Nothing here can be changed, and nothing reaches the world."""

    file: File
    step: Step
    keys: dict[Name, Name] = field(default_factory=dict)  # names resolved so far

    @property
    def catalog(self) -> Catalog:
        """The schema just before the operation."""
        return self.step.catalog

    @property
    def dialect(self) -> str:
        """The database's dialect."""
        return self.file.dialect

    @property
    def tx(self) -> Tx:
        """The transaction the operation runs in."""
        return self.step.tx

    @property
    def statement(self) -> Statement:
        """The statement the operation is part of."""
        return self.file.statements[self.step.statement]

    def text(self, operation: Operation | None = None) -> str:
        """The source of the operation."""
        op = operation or self.step.operation
        return self.file.text[op.start : op.end]

    def key(self, name: Name) -> Name:
        """The catalogue's key for a table's name, resolved as the database would at this point."""
        found = self.keys.get(name)
        if found is None:
            found = self.keys[name] = locate(self.step.catalog, name, self.file.dialect)
        return found

    def table(self, name: Name) -> Table | None:
        """The table as known before the operation."""
        return self.catalog.tables.get(self.key(name))

    def old(self, name: Name) -> bool:
        """Whether the table (or view) may hold rows and readers: everything not made by this file, and not temporary.

        What ALTER TABLE IF EXISTS names and no file made is not there.
        """
        key = self.key(name)
        table = self.catalog.tables.get(key)
        if table is not None and not (table.partial and self.cloned(key.schema)):
            return not (table.born or table.temporary or (self.step.operation.conditional and self._made_beside(key)))
        scratch = key.schema == ("temp" if self.dialect == "sqlite" else "pg_temp")
        fresh = ("view", key) in self.catalog.born or scratch or key.name.startswith("#") or self.cloned(key.schema)
        return not fresh and "if exists" not in self.step.operation.options

    def _made_beside(self, key: Name) -> bool:
        """Whether the one IF the operation stands in made the table just before: where it is there already, neither is run."""
        op, text, begun = self.step.operation, self.file.text, self.statement.start
        if op.start - begun > _NEAR:
            return False
        near = islice(self.earlier(CreateTable), REACH)
        beside = (made for step, made in near if step.statement == self.step.statement)
        made = next((made for made in beside if self.key(made.table) == key), None)
        if made is None or made.if_not_exists or _BRANCHES.search(text, made.end, op.start):
            return False
        return len(_IF.findall(text, begun, op.start)) == 1

    def cloned(self, schema: str) -> bool:
        """Whether the file made that schema of Snowflake, or its database: what CLONE filled it with is as new as it is."""
        born = self.catalog.born
        return self.dialect == "snowflake" and any(("schema", Name("", part)) in born for part in schema.split("."))

    def stored(self, name: Name) -> bool:
        """Whether it is old and its rows are this database's own to read and write; those of a foreign table are not."""
        table = self.table(name)
        return self.old(name) and (table is None or "foreign" not in table.options)

    def column(self, table: Name, column: str) -> Column | None:
        """The column as known before the operation."""
        known = self.table(table)
        return known.columns.get(comparable(column, self.dialect)) if known else None

    def shown(self, key: Name) -> Name:
        """A table's name as it was written where it was made, for a key."""
        table = self.catalog.tables.get(key)
        return table.name if table else key

    def dropped_later(self, name: Name) -> bool:
        """Whether the file drops that table further down."""
        key = self.key(name)
        return any(key in {self.key(table) for table in op.tables} for _, op in self.later(DropTable))

    def same(self, one: str, two: str) -> bool:
        """Whether two column, constraint or index names are one."""
        return comparable(one, self.dialect) == comparable(two, self.dialect)

    def table_of_index(self, index: Name, table: Name | None = None) -> Name | None:
        """The key of the table an index stands on; None when not known."""
        return index_table(self.catalog, index, table, self.dialect)

    def setting(self, name: str) -> str | None:
        """The value in force: local (only inside a transaction), then session, then the database's."""
        settings = self.catalog.settings
        if self.tx.block and f"local {name}" in settings:
            return settings[f"local {name}"]
        return settings.get(name, settings.get(f"global {name}"))

    def later(self, *kinds: type[O]) -> Iterator[tuple[Step, O]]:
        """The nearest steps after this one whose operation is of such a class."""
        for kind in kinds:
            positions = self.file.positions.get(kind, ())
            at = bisect_right(positions, self.step.position)
            for position in positions[at : at + REACH]:
                yield self._typed(position)

    def earlier(self, *kinds: type[O]) -> Iterator[tuple[Step, O]]:
        """The nearest steps before this one whose operation is of such a class, nearest first (of each class)."""
        for kind in kinds:
            positions = self.file.positions.get(kind, ())
            at = bisect_left(positions, self.step.position)
            for position in reversed(positions[max(at - REACH, 0) : at]):
                yield self._typed(position)

    def _typed(self, position: int) -> tuple[Step, Any]:
        step = self.file.steps[position]
        return step, step.operation

    def siblings(self) -> Iterator[Operation]:
        """The other operations of the same statement."""
        return (op for op in self.statement.operations if op is not self.step.operation)

    def observed(self, kind: str, table: Name | None = None) -> bool | None:
        """Whether the dev database was seen to do that at this statement; None where it was not watched there.

        A statement of several operations says only that one of them did: see :meth:`judged`.
        """
        seen = self.file.observations.get(self.step.statement)
        if not seen:
            return None
        relevant = [o for o in seen if table is None or not o.object or self._is(o.object, table)]
        if any(o.kind == kind for o in relevant):
            return True
        return False if any(o.kind in ("lock", "algorithm") for o in relevant) else None

    def judged(self, kind: str, inferred: bool, table: Name | None = None) -> tuple[bool, bool]:
        """(hazard, observed): what was seen outranks what the text says, where it can be told which operation did it."""
        saw = self.observed(kind, table)
        if saw is None:
            return inferred, False
        if saw and not inferred:
            alone = not any(True for _ in self.siblings())
            return alone, alone
        return saw, saw

    def _is(self, reported: str, table: Name) -> bool:
        schema, _, name = reported.rpartition(".")
        key = self.key(table)
        return comparable(name.strip('"'), self.dialect) == key.name and schema.strip('"') in ("", key.schema)


def quoted(name: Name | str) -> str:
    """A name as messages show it."""
    return f'"{name}"'


def listed(names: tuple[str, ...] | list[str]) -> str:
    """Names as messages list them: "a", "b" and "c"."""
    shown = [quoted(name) for name in names]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}" if shown else ""
