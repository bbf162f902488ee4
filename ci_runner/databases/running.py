"""Statements run one after the other on a session, the same way for every engine: in order, to the first refusal, which is blamed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Protocol

from ci_runner.databases.failure import DatabaseFailure
from ci_runner.databases.watch import Seen, Watched

if TYPE_CHECKING:
    from ci_runner.databases import Sql


class Session(Protocol):
    """What running needs of a session; ``step`` runs one statement and does not say which it was when it is refused."""

    def step(self, statement: Sql) -> tuple[Seen, ...]:
        """Run one statement; what could not be run of it."""
        ...

    def begin(self) -> None:
        """Open a transaction."""
        ...

    def commit(self) -> None:
        """Commit what is open."""
        ...

    def rollback(self) -> None:
        """Undo what is open."""
        ...


def taken(attempt: Callable[[str], object], texts: Iterable[str]) -> bool:
    """Try one statement after the other until the database takes one; whether it did. A lost connection is raised."""
    for text in texts:
        try:
            attempt(text)
        except DatabaseFailure as failure:
            if failure.lost:
                raise
            continue
        return True
    return False


def run(
    session: Session, statements: Sequence[Sql], *, transaction: bool, after: Callable[[int], None] | None = None
) -> tuple[Seen, ...]:
    """Run ``statements`` as :meth:`Database.execute` promises; a refusal is raised with its number, and what is open is undone."""
    aside: list[Seen] = []

    def step(index: int, statement: Sql) -> None:
        aside.extend(seen._replace(statement=index) for seen in session.step(statement))
        if after:
            after(index)

    _each(session, statements, transaction, step)
    return tuple(aside)


def watched(
    session: Session,
    statements: Sequence[Sql],
    *,
    transaction: bool,
    look: Callable[[int, Sql], Iterable[Seen]],
) -> Watched:
    """Run by ``look``, which says what it saw; a refusal ends it, and one nobody is to blame for falls to the last statement."""
    seen: list[Seen] = []

    def step(index: int, statement: Sql) -> None:
        seen.extend(look(index, statement))

    try:
        _each(session, statements, transaction, step)
    except DatabaseFailure as failure:
        return Watched(tuple(seen), failure if failure.statement is not None else failure.at(len(statements) - 1))
    return Watched(tuple(seen))


def _each(session: Session, statements: Sequence[Sql], transaction: bool, step: Callable[[int, Sql], object]) -> None:
    if transaction:
        session.begin()
    for index, statement in enumerate(statements):
        try:
            step(index, statement)
        except DatabaseFailure as failure:
            session.rollback()
            raise failure.at(index) from None
    if transaction:
        try:
            session.commit()
        except DatabaseFailure:
            session.rollback()
            raise
