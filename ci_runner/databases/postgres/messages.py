"""Several statements in one message, each answer timed, a refusal blamed on the statement it belongs to."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Generator, Sequence
from itertools import accumulate, pairwise
from time import perf_counter
from typing import TYPE_CHECKING, Any

from ci_runner.databases.failure import DatabaseFailure

if TYPE_CHECKING:
    import psycopg
    from psycopg.pq.abc import PGresult

    from ci_runner.databases.postgres import Postgres

_BETWEEN = "\n;"  # on a line of its own: a statement may end in a comment
_MOST = 1_000_000  # characters of a message; a longer file is several


def send(database: Postgres, texts: Sequence[str]) -> list[int]:
    """Milliseconds until each answer came, counted from the one before."""
    times: list[int] = []
    start = 0
    while start < len(texts):
        end, size = start, 0
        while end < len(texts) and (end == start or size + len(texts[end]) <= _MOST):
            size += len(texts[end])
            end += 1
        try:
            times += _message(database, texts[start:end])
        except DatabaseFailure as failure:
            raise failure.at(start + (failure.statement or 0)) from None
        start = end
    return times


def _message(database: Postgres, texts: Sequence[str]) -> list[int]:
    import psycopg

    joined = _BETWEEN.join(texts)
    if "\0" in joined:
        index = next(index for index, text in enumerate(texts) if "\0" in text)
        raise DatabaseFailure("the statement holds a NUL byte", "22021", texts[index].index("\0"), index)
    stamps = [perf_counter()]
    try:
        exchange(database.connection, joined, lambda _: stamps.append(perf_counter()))
    except psycopg.Error as error:
        raise _blamed(database.failure(error, joined), texts, len(stamps) - 1) from None
    return [int((after - before) * 1000) for before, after in pairwise(stamps)]


def exchange(connection: psycopg.Connection[Any], message: str, answered: Callable[[PGresult], object]) -> None:
    """Send one message; ``answered`` gets every answer but a refusal, which is raised as psycopg's own when all answers are there."""
    from psycopg import errors, generators, pq

    good = {pq.ExecStatus.COMMAND_OK, pq.ExecStatus.TUPLES_OK, pq.ExecStatus.EMPTY_QUERY}

    def talk() -> Generator[Any, Any, None]:
        yield from generators.send(connection.pgconn)
        refused = None
        while (result := (yield from generators.fetch(connection.pgconn))) is not None:
            if result.status in good:
                answered(result)
                continue
            refused = result
            if result.status in {pq.ExecStatus.COPY_IN, pq.ExecStatus.COPY_OUT}:
                break
        if refused is not None:
            raise errors.error_from_result(refused, encoding="utf-8")

    with connection.lock:
        connection.pgconn.send_query(message.encode("utf-8", "surrogatepass"))
        connection.wait(talk())


def _blamed(failure: DatabaseFailure, texts: Sequence[str], answered: int) -> DatabaseFailure:
    """The place the server points at is one in the whole message; without one the answers before it are counted."""
    starts = [0, *accumulate(len(text) + len(_BETWEEN) for text in texts)][: len(texts)]
    if failure.position is None:
        return failure.at(min(answered, len(texts) - 1))
    index = bisect_right(starts, failure.position) - 1
    return DatabaseFailure(failure.message, failure.code, failure.position - starts[index], index, lost=failure.lost)
