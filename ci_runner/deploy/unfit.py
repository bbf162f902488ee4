"""What a deployment does not send: what psql would do itself, what lets go of the lock, what changes Pilotage's own tables."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from ci_runner.databases.target import OWN_TABLES
from ci_runner.deploy.effects import Effect
from ci_runner.errors import RefusedError
from ci_runner.model.directory import Migration
from ci_runner.model.operations import Statement
from ci_runner.sql import psql
from ci_runner.sql.dialects import DIALECTS
from ci_runner.sql.segments import Cut, cut, position

_PSQL = frozenset({"postgres", "redshift"})
_REMARK = re.compile(r"--[^\n]*|/\*(?:[^*]|\*(?!/))*\*/")
# Commands of psql that change what is run, where, or with which values (https://www.postgresql.org/docs/current/app-psql.html).
_COMMANDS = frozenset(
    {
        "connect",
        "c",
        "copy",
        "include",
        "include_relative",
        "i",
        "ir",
        "gexec",
        "watch",
        "bind",
        "bind_named",
        "lo_import",
        "lo_unlink",
    }
    | {"password", "!"}
)
_LETS_GO = re.compile(r"\bpg_advisory_unlock_all\s*\(|^\s*discard\s+all\b|\brelease_all_locks\s*\(", re.IGNORECASE)
_TWO_PHASES = re.compile(r"^\s*(?:xa\s+(?:start|begin)|prepare\s+transaction)\b", re.IGNORECASE)
_LONG = 20_000  # characters; what is longer is data


def refuse(
    folder: str, migration: Migration, dialect: str, statements: Sequence[Statement], effects: Sequence[Effect]
) -> None:
    """RefusedError for the first thing in a file that cannot be carried out as it is meant, before anything of it is sent."""
    for words, offset in (*_of_psql(migration, dialect), *_of_statements(statements, effects)):
        raise RefusedError(f"{folder}/{migration.name}:{position(migration.text, offset)}: {words}")


def _of_statements(statements: Sequence[Statement], effects: Sequence[Effect]) -> Iterator[tuple[str, int]]:
    for statement, found in zip(statements, effects, strict=True):
        text = statement.text if len(statement.text) < _LONG else ""
        if _LETS_GO.search(text):
            yield "this lets go of the lock that keeps two deployments apart: take it out", statement.start
        if _TWO_PHASES.search(text):
            yield (
                "a transaction in two phases cannot hold the row that says it was carried out: use a plain one",
                statement.start,
            )
        for name in sorted(set(OWN_TABLES).intersection(_named(statement, found))):
            yield (
                f"{name} is Pilotage's own record of what was deployed: a migration must not change it",
                statement.start,
            )


def _named(statement: Statement, found: Effect) -> Iterator[str]:
    """Tables whose rows a statement changes, and the objects it makes, changes or drops."""
    for operation in statement.operations:
        yield from (name.name.lower() for name in getattr(operation, "tables", ()))
    yield from (each.name.name.lower() for each in found.expects)


def _of_psql(migration: Migration, dialect: str) -> Iterator[tuple[str, int]]:
    """Lines for psql, which the database never sees."""
    if dialect not in _PSQL or "\\" not in migration.text:
        return
    text = migration.text
    spans = [(part.start, part.end) for part in migration.parts if not part.whole] or (
        [] if migration.parts else [(0, len(text))]
    )
    for start, end in spans:
        found = cut(text, DIALECTS[dialect], start, end, delimiter=migration.delimiter)
        for segment in found.segments:
            if segment.guarded:
                yield (
                    "whether this runs is up to psql's \\if, whose condition is not known here: take the \\if out",
                    segment.start,
                )
            elif (segment.problem or "").startswith("psql's"):
                yield f"{segment.problem}: write it as SQL", segment.start
        for name, at in _commands(_between(text, start, end, found)):
            yield f"psql's \\{name} is no SQL and is not carried out: take it out, or write it as SQL", at


def _commands(text: str) -> Iterator[tuple[str, int]]:
    """Those of psql's commands in ``text`` that matter, with their offsets."""
    at = text.find("\\")
    while at >= 0:
        name, stop = psql.command(text, at, len(text))
        if name in _COMMANDS:
            yield name, at
        at = text.find("\\", max(stop, at + 1))


def _between(text: str, start: int, end: int, found: Cut) -> str:
    """``text[:end]`` with blanks for all that is SQL, data or a comment, so that commands of psql are left where they stand."""
    kept = list(" " * start + text[start:end])

    def blank(first: int, last: int) -> None:
        kept[first:last] = " " * (last - first)

    for segment in found.segments:
        at = segment.start
        for first, last in sorted(segment.blanks):
            blank(at, max(at, first))
            at = max(at, last)
        blank(at, max(at, segment.end))
        if segment.data is not None:
            blank(*segment.data)
    for first, last in found.comments:
        blank(first, last)
    return _REMARK.sub(lambda each: " " * len(each[0]), "".join(kept))
