"""A migration file as it is replayed, cut into the pieces a runner puts into one transaction."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

from ci_runner.databases import Sql
from ci_runner.model.directory import Part, TxMode
from ci_runner.model.operations import Statement

SHOWN = 60  # characters of a statement that is told of
_BEGIN = re.compile(r"(?:begin\b(?!\s+not\s+atomic)|start\s+transaction\b)", re.IGNORECASE)
_COMMENTS = re.compile(r"(?:\s+|--[^\n]*(?:\n|$)|/\*.*?\*/)*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class ReplayFile:
    """A migration as it is run: its text, the statements in it, and who opens the transaction.

    ``parts`` are the file's sections; under the mode "changeset" each of them is a transaction of its own.
    """

    name: str
    text: str
    statements: tuple[Statement, ...]
    transaction: TxMode = "file"
    parts: tuple[Part, ...] = ()


class History:
    """The released files, made when they are needed first, and the key their state is kept under."""

    def __init__(self, base: Sequence[ReplayFile] | Callable[[], Sequence[ReplayFile]], key: str) -> None:
        self.key = key
        self._base = base

    @property
    def files(self) -> Sequence[ReplayFile]:
        """All of them, in order."""
        if callable(self._base):
            self._base = self._base()
        return self._base


def texts(files: Sequence[ReplayFile]) -> list[str]:
    """What a dev database is told it will run."""
    return [file.text for file in files]


class Piece(NamedTuple):
    """Statements ``first`` … of a file that belong together, and whether the runner opens a transaction for them."""

    first: int
    statements: tuple[Sql, ...]
    transaction: bool


def pieces(file: ReplayFile) -> Iterator[Piece]:
    """The file's statements in order. A file that opens its own transaction gets none around it."""
    if file.transaction == "changeset":
        yield from _changesets(file)
    elif file.statements:
        whole = file.transaction == "file" and not any(_opens(statement) for statement in file.statements)
        yield Piece(0, tuple(_sql(statement) for statement in file.statements), whole)


def called(file: ReplayFile, first: int, last: int) -> str:
    """The statements ``first`` to ``last`` in words: where they stand, and of a single one how it begins."""
    one = file.statements[first]
    if first == last:
        begins = " ".join(one.text[: 4 * SHOWN].rstrip("; \n").split())
        return f"{file.name}:{one.line} ({begins if len(begins) <= SHOWN else begins[:SHOWN] + ' …'})"
    return f"{file.name}:{one.line}-{file.statements[last].end_line} ({last - first + 1} statements)"


def alone(files: Iterable[ReplayFile]) -> Iterator[tuple[Sql, ...]]:
    """Of the first of ``files``, as long as each is one transaction that the runner opens, the statements."""
    for file in files:
        found = list(pieces(file))
        if len(found) != 1 or not found[0].transaction:
            return
        yield found[0].statements


def _changesets(file: ReplayFile) -> Iterator[Piece]:
    starts = [part.start for part in file.parts]

    def section(item: tuple[int, Statement]) -> tuple[int, str]:
        index = bisect_right(starts, item[1].start) - 1
        part = file.parts[index].transaction if index >= 0 else None
        return index, item[1].transaction or part or "file"

    for (_, mode), group in groupby(enumerate(file.statements), key=section):
        members = list(group)
        own = any(_opens(statement) for _, statement in members)
        yield Piece(members[0][0], tuple(_sql(statement) for _, statement in members), mode != "none" and not own)


def _sql(statement: Statement) -> Sql:
    return Sql(statement.text, statement.data)


def _opens(statement: Statement) -> bool:
    """Is this BEGIN or START TRANSACTION, and not a block of MariaDB's "BEGIN NOT ATOMIC"?"""
    if "begin" not in statement.text[:4096].lower() and "start" not in statement.text[:4096].lower():
        return False
    lead = _COMMENTS.match(statement.text)
    return bool(_BEGIN.match(statement.text, lead.end() if lead else 0))
