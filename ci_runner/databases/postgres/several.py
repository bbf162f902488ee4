"""Short files that follow one another in one message, each in a transaction of its own: the server then waits for nobody between them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from ci_runner.databases.postgres import touches
from ci_runner.databases.postgres.messages import exchange

if TYPE_CHECKING:
    from psycopg.pq.abc import PGresult

    from ci_runner.databases import Sql
    from ci_runner.databases.postgres import Postgres

MANY, MOST = 2, 64  # files of a message
_LARGEST = 200_000  # characters of it
# One time is that of all transactions of a message. Who compares with it must find that what ran before lies in the past; a default compares nothing.
_CLOCK = re.compile(
    r"(?<!default )\b(?:now\s*\(|current_(?:date|time)|localtime|(?:statement|transaction)_timestamp\b)",
    re.IGNORECASE,
)
# A last statement that does not end its quote or comment would take the next file for a part of it; with one of these words it may be so.
_UNCLEAR = re.compile(r"[$\\]|/\*")
_CLOSED = re.compile(r"'[^']*'|\"[^\"]*\"|--[^\n]*")
_COMMIT = re.compile(r"\bcommit\b", re.IGNORECASE)  # is counted


def several(database: Postgres, files: Iterable[Sequence[Sql]]) -> int:
    """Run the first of ``files`` so; how many are done, and nothing of the others.

    Not all, where the next is to be run by itself: it wants another way, or was refused, and by itself the place of that is found. A lost
    connection is raised, with the number of the file as that of the statement.
    """
    import psycopg

    chosen = list(_chosen(database, files))
    if len(chosen) < MANY:
        return 0
    done = 0

    def answered(result: PGresult) -> None:
        nonlocal done
        done += result.command_status == b"COMMIT"

    try:
        exchange(database.connection, "\n;".join(each.text for each in chosen), answered)
    except psycopg.Error as error:
        failure = database.failure(error, "")
        if failure.lost:
            raise failure.at(done) from None
        database.touched = True
    else:
        if done != len(chosen):
            raise AssertionError(f"{len(chosen)} files were sent together, and {done} transactions were committed")
    database.touched |= any(each.touches for each in chosen)
    return done


class _Chosen(NamedTuple):
    text: str
    touches: bool


def _chosen(database: Postgres, files: Iterable[Sequence[Sql]]) -> Iterator[_Chosen]:
    """What may go together. Behind a file that leaves something in the session, that has to be put back first."""
    size = 0
    for number, statements in enumerate(files):
        text = database.whole(statements)
        size += len(text or "")
        if (
            text is None
            or size > _LARGEST
            or number == MOST
            or (number and _CLOCK.search(text))
            or not _plain(statements)
        ):
            return
        last = any(touches(statement.text) for statement in statements)
        yield _Chosen(text, last)
        if last:
            return


def _plain(statements: Sequence[Sql]) -> bool:
    """Does the file surely end where its text does, in one transaction?"""
    if any("\0" in statement.text or _COMMIT.search(statement.text) for statement in statements):
        return False
    last = statements[-1].text
    return not _UNCLEAR.search(last) and {"'", '"'}.isdisjoint(_CLOSED.sub("", last))
