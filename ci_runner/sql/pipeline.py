"""From a migration to its statements: segments, their tokens, and what the dialect's grammar makes of them.

sqlglot is not the first stage: a thousand PostgreSQL files must be segmented, tokenized and typed in the time its import takes twice.
It is asked about statements no grammar here claims (``fallback``), and stands beside every grammar as an oracle in the tests.
"""

from __future__ import annotations

from msgspec.structs import replace

from ci_runner.model.directory import Migration, Part
from ci_runner.model.operations import Operation, Statement
from ci_runner.sql import psql
from ci_runner.sql.comments import Comment, attach, header
from ci_runner.sql.dialects import Dialect, dialect
from ci_runner.sql.lexer import without_controls
from ci_runner.sql.plain import plain
from ci_runner.sql.reading import Reading, blanked, read_segment, runs_others
from ci_runner.sql.segments import Cut, Segment, Span, cut, position

_UNREAD = Reading()
_ROUTINES = ("create-procedure", "create-function", "create-trigger", "create-or-replace-")


Draft = tuple[Segment, Reading]  # a statement before its comments and lines are known


def statements(migration: Migration, name: str) -> tuple[Statement, ...]:
    """The statements of a migration in order, each with its operations or the reason why there are none.

    Spans are characters of ``migration.text``. Never raises on account of the text.
    """
    traits, text = dialect(name), migration.text
    found: list[Statement] = []
    line, seen = 1, 0
    for part in _parts(migration):
        drafts, remarks = _read(migration, part, traits)
        comments = attach(text, [(place.start, place.end) for place, _ in drafts], remarks) if remarks else None
        for index, draft in enumerate(drafts):
            start, end = draft[0].start, draft[0].end
            line += text.count("\n", seen, start)
            last = line + text.count("\n", start, end)
            found.append(_statement(text, draft, (line, last), part.transaction, comments[index] if comments else ()))
            line, seen = last, end
    return tuple(found)


def split(text: str, name: str, *, delimiter: str = "", whole: bool = False) -> tuple[Span, ...]:
    """The spans of the statements of ``text``, without a look at what they do."""
    traits = dialect(name)
    pieces = cut(text, traits, delimiter=delimiter, whole=whole)
    return tuple((d.start, d.end) for d in _spans(text, pieces, traits))


def outline(migration: Migration, name: str) -> tuple[Statement, ...]:
    """The statements of a migration as a database gets them, without a look at what they do: what replaying the released files needs."""
    traits, text = dialect(name), migration.text
    found: list[Statement] = []
    line, seen = 1, 0
    for part in _parts(migration):
        for segment in _spans(text, _cut(migration, part, traits), traits):
            line += text.count("\n", seen, segment.start)
            last = line + text.count("\n", segment.start, segment.end)
            found.append(_statement(text, (segment, _UNREAD), (line, last), part.transaction, ()))
            line, seen = last, segment.end
    return tuple(found)


def count(migration: Migration, name: str) -> int:
    """How many statements a migration has; a file of comments has none."""
    traits = dialect(name)
    return sum(len(_spans(migration.text, _cut(migration, part, traits), traits)) for part in _parts(migration))


def header_comments(migration: Migration, name: str) -> tuple[Comment, ...]:
    """The comments of a file's head, parted from its first statement by a blank line, as (text, offset)."""
    traits, text = dialect(name), migration.text
    pieces = cut(text, traits, 0, min(_parts(migration)[0].start or len(text), len(text)))
    if not _parts(migration)[0].start:
        pieces = _cut(migration, _parts(migration)[0], traits)
    first = pieces.segments[0].start if pieces.segments else len(text)
    return header(text, pieces.comments, first)


def _parts(migration: Migration) -> tuple[Part, ...]:
    return migration.parts or (Part(0, len(migration.text)),)


def _cut(migration: Migration, part: Part, traits: Dialect) -> Cut:
    delimiter = part.delimiter or migration.delimiter
    return cut(migration.text, traits, part.start, part.end, delimiter=delimiter, whole=part.whole)


def _read(migration: Migration, part: Part, traits: Dialect) -> tuple[list[Draft], list[Span]]:
    """The statements of a part, and the comments in it."""
    text = migration.text
    if not (part.delimiter or migration.delimiter or part.whole):
        found = plain(text, (part.start, part.end), traits)
        if found is not None:
            expanded = ((place, _expanded(text, place, traits, reading)) for place, reading in found)
            return [draft for draft in expanded if draft[1].operations or draft[1].reason], []
    pieces = _cut(migration, part, traits)
    drafts = _drafts(text, pieces, traits)
    if traits.delimiter_command or traits.name == "snowflake":
        drafts = _with_prepared(text, drafts, traits)
    return drafts, pieces.comments


def _spans(text: str, pieces: Cut, traits: Dialect) -> list[Segment]:
    if not traits.batches:
        return [segment for segment in pieces.segments if _has_text(text, segment)]
    from ci_runner.sql import batches

    return [
        statement
        for segment in pieces.segments
        for statement in ([segment] if segment.problem else batches.spans(text, segment, traits))
    ]


def _has_text(text: str, segment: Segment) -> bool:
    if segment.problem or not (segment.blanks or segment.several or text.startswith("{{", segment.start)):
        return True
    return bool(without_controls(blanked(text, segment)).strip(" \t\r\n\f\v;"))


def _drafts(text: str, pieces: Cut, traits: Dialect) -> list[Draft]:
    found: list[Draft] = []
    for segment in pieces.segments:
        if traits.batches and not segment.problem:
            from ci_runner.sql import batches

            found += batches.read_batch(text, segment, traits)
            continue
        reading = _reading(text, segment, traits)
        if reading.operations or reading.reason:
            found.append((segment, reading))
    return found


def _with_prepared(text: str, drafts: list[Draft], traits: Dialect) -> list[Draft]:
    """The drafts with what prepared statements, or the text in session variables, run; most files run none."""
    kind = "execute-prepared" if traits.delimiter_command else "execute-dynamic"
    if not any(operation.kind == kind for _, reading in drafts for operation in reading.operations):
        return drafts
    from ci_runner.sql.prepared import Place, follow, follow_session

    places = [Place(text[place.start : place.end], place.start, reading) for place, reading in drafts]
    readings = (follow if traits.delimiter_command else follow_session)(places, text, traits)
    return [(place, reading) for (place, _), reading in zip(drafts, readings, strict=True)]


def _reading(text: str, segment: Segment, traits: Dialect) -> Reading:
    if segment.problem:
        if segment.problem != psql.RUNS_ROWS:
            return Reading(reason=segment.problem, at=-1)
        from ci_runner.sql import blocks

        return blocks.returned(text, segment, traits) or Reading(reason=segment.problem, at=-1)
    if segment.guarded:
        reading = _reading(text, replace(segment, guarded=False), traits)
        return replace(reading, operations=tuple(replace(each, conditional=True) for each in reading.operations))
    if segment.several:
        return _several(text, segment, traits)
    return _expanded(text, segment, traits, read_segment(text, segment, traits))


def _expanded(text: str, segment: Segment, traits: Dialect, reading: Reading) -> Reading:
    """The reading with what stands inside it; what looks for that is imported for the few statements that run others."""
    if not runs_others(reading):
        return reading
    from ci_runner.sql import blocks

    return blocks.expand(text, segment, traits, reading)


def _several(text: str, segment: Segment, traits: Dialect) -> Reading:
    """The reading of a segment with a delimiter of its own, which may hold several statements."""
    inner = [
        _reading(text, replace(piece, several=False), traits)
        for piece in cut(text, traits, segment.start, segment.end, delimiter=";").segments
    ]
    operations: tuple[Operation, ...] = tuple(operation for reading in inner for operation in reading.operations)
    failed = next((reading for reading in inner if reading.reason), None)
    return Reading(operations, failed.reason, failed.at) if failed else Reading(operations)


def _statement(
    text: str, draft: Draft, lines: tuple[int, int], transaction: str | None, comments: tuple[Comment, ...]
) -> Statement:
    segment, reading = draft
    start, end, reason = segment.start, segment.end, reading.reason
    if reason and reading.at >= 0:
        reason = f"{reason} at {position(text, reading.at, start, lines[0])}"
    operations = reading.operations
    if comments and operations and operations[0].kind.startswith(_ROUTINES):
        comments = tuple(comment for comment in comments if not start < comment[1] < end)
    return Statement(
        start, end, text[start:end], lines[0], lines[1], operations, reason, comments, transaction,
        text[slice(*segment.data)] if segment.data else None, segment.batch, segment.repeat,
    )  # fmt: skip
