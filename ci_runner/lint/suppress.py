"""Comments that ask for silence: the project's own, Atlas's and squawk's, and what each of them covers."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping

from msgspec import Struct
from msgspec.structs import replace

from ci_runner.model.operations import Operation, Statement
from ci_runner.text.pattern import later

_MARK = later(r"(pilotage:ignore|atlas:nolint|squawk-ignore(?:-file)?)(?![\w-])([^\n]*)")
_HINTS = ("pilotage:ignore", "atlas:nolint", "squawk-ignore")
_NAMES = later(r"[\w-]+")
_UNTIL = later(r"(?<![\w-])until=([^\s,]*)")
NOT_ANALYSED = "not-analysed"


class Ignore(Struct, frozen=True):
    """``slugs`` None: all. ``statement`` None: the whole file (or, with ``adrift``, nothing). ``operations`` None: all of the statement.

    ``until`` is the last day it holds, as written; "" for ever.
    """

    start: int
    end: int
    slugs: frozenset[str] | None
    statement: int | None
    operations: frozenset[int] | None = None
    unknown: tuple[str, ...] = ()
    reason: str = ""
    foreign: bool = False
    adrift: bool = False
    until: str = ""

    def covers(self, slug: str, statement: int | None, operation: int | None) -> bool:
        """Whether a finding of that rule at that statement and operation (start offset) is to be left out."""
        if self.adrift or (self.slugs is not None and slug not in self.slugs):
            return False
        if self.statement is None:
            return True
        return statement == self.statement and (
            self.operations is None or operation is None or operation in self.operations
        )


class Lines:
    """The lines of a text, found once: offsets to line numbers from 1 and columns from 1."""

    __slots__ = ("starts", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.starts = [0, *(found.end() for found in re.finditer("\n", text))]

    def line(self, offset: int) -> int:
        """The line an offset is on."""
        return bisect_right(self.starts, offset)

    def place(self, offset: int) -> tuple[int, int]:
        """Line and column of an offset."""
        line = self.line(offset)
        return line, offset - self.starts[line - 1] + 1

    def content(self, line: int) -> str:
        """The text of a line without its end."""
        end = self.starts[line] if line < len(self.starts) else len(self.text)
        return self.text[self.starts[line - 1] : end].rstrip("\r\n")

    def count(self) -> int:
        """How many lines there are."""
        return len(self.starts)


def ignores(text: str, statements: tuple[Statement, ...], known: Mapping[str, frozenset[str]]) -> tuple[Ignore, ...]:
    """The ignore comments of a file. ``known`` are all names with the slugs they cover; ``not-analysed`` is always one."""
    if not any(hint in text for hint in _HINTS):
        return ()
    lines = Lines(text)
    starts = [statement.start for statement in statements]
    return tuple(_read(text, lines, statements, starts, known))


def _read(
    text: str, lines: Lines, statements: tuple[Statement, ...], starts: list[int], known: Mapping[str, frozenset[str]]
) -> Iterator[Ignore]:
    held: tuple[int, _Comments | None] = (-1, None)  # the comments of the statement the last mark stood in
    for found in _MARK.finditer(text):
        at = bisect_right(starts, found.start()) - 1
        inside = at >= 0 and found.start() < statements[at].end
        if inside and held[0] != at:
            held = (at, _Comments(statements[at]))
        own = held[1].at(found.start()) if inside and held[1] else None
        if inside and own is None:  # a text, or a body that is not run
            continue
        if not inside and (_in_data(text, statements, at, found.start()) or not _commented(text, lines, found.start())):
            continue
        foreign = not found[1].startswith("pilotage")
        names, until, reason, end = _arguments(found, dated=not foreign)
        slugs, unknown = _covered(names, known)
        ignore = Ignore(found.start(), end, slugs, None, unknown=unknown, reason=reason, foreign=foreign, until=until)
        if found[1].endswith("-file"):
            yield ignore
        elif inside:
            yield _within(ignore, lines, statements, at, own or [])
        else:
            yield _between(ignore, lines, statements, at)


def _arguments(found: re.Match[str], *, dated: bool) -> tuple[tuple[str, ...], str, str, int]:
    """Names, last day, reason and end of a comment's words; a block comment may close on the line."""
    rest, closed, _ = found[2].partition("*/")
    listed, _, reason = rest.partition(":")
    end = found.start(2) + len(rest.rstrip())
    until = _UNTIL.search(listed) if dated else None
    if until:
        listed = listed[: until.start()] + listed[until.end() :]
    last = (until[1] or "?") if until else ""
    return tuple(_NAMES.findall(listed)), last, reason.strip(), end if closed or end > found.end(1) else found.end(1)


def _covered(
    names: tuple[str, ...], known: Mapping[str, frozenset[str]]
) -> tuple[frozenset[str] | None, tuple[str, ...]]:
    if not names:
        return None, ()
    slugs: set[str] = set()
    unknown = []
    for name in names:
        if name == NOT_ANALYSED:
            slugs.add(name)
        elif name in known:
            slugs |= known[name]
        else:
            unknown.append(name)
    return frozenset(slugs), tuple(unknown)


class _Comments:
    """The comments of a statement by where they begin, with the operations of a block whose own they are."""

    __slots__ = ("found", "starts")

    def __init__(self, statement: Statement) -> None:
        self.found: dict[int, tuple[int, list[Operation]]] = {
            start: (start + len(text), []) for text, start in statement.comments
        }
        for operation in statement.operations:
            for text, start in operation.comments:
                self.found.setdefault(start, (start + len(text), []))[1].append(operation)
        self.starts = sorted(self.found)

    def at(self, offset: int) -> list[Operation] | None:
        """The operations whose own comment stands there, none where it is the statement's; None where no comment stands."""
        number = bisect_right(self.starts, offset) - 1
        end, operations = self.found[self.starts[number]] if number >= 0 else (0, [])
        return operations if offset < end else None


def _in_data(text: str, statements: tuple[Statement, ...], at: int, offset: int) -> bool:
    if at < 0 or statements[at].data is None:
        return False
    data = statements[at].data or ""
    begin = text.find(data, statements[at].end)
    return 0 <= begin <= offset < begin + len(data)


def _commented(text: str, lines: Lines, offset: int) -> bool:
    """Whether a mark between statements stands in a comment: one begins on its line, or a block comment is open."""
    line = text[lines.starts[lines.line(offset) - 1] : offset]
    if any(opener in line for opener in ("--", "#", "/*", "//")):
        return True
    return text.rfind("/*", 0, offset) > text.rfind("*/", 0, offset)


def _within(ignore: Ignore, lines: Lines, statements: tuple[Statement, ...], at: int, own: list[Operation]) -> Ignore:
    """Inside a statement: the inner statement of a block it stands at, what is on its line when it trails, else all of it."""
    statement = statements[at]
    operations = statement.operations
    line = lines.line(ignore.start)
    column = lines.content(line)
    trailing = bool(re.match(r"\s*(?!--|#|/\*|//)\S", column))
    chosen = (_on(line, tuple(own) or operations, lines) if trailing else []) or own
    return replace(ignore, statement=at, operations=_starts(chosen, operations))


def _on(line: int, operations: tuple[Operation, ...], lines: Lines) -> list[Operation]:
    spans = [(op, lines.line(op.start), lines.line(max(op.end - 1, op.start))) for op in operations]
    inner = [op for op, first, last in spans if first <= line <= last]
    return inner if len(operations) > 1 else list(operations)


def _starts(chosen: list[Operation], operations: tuple[Operation, ...]) -> frozenset[int] | None:
    return frozenset(op.start for op in chosen) if chosen and len(chosen) < len(operations) else None


def _between(ignore: Ignore, lines: Lines, statements: tuple[Statement, ...], at: int) -> Ignore:
    """Between statements: trailing the one before, directly above or before the next, or the file's header."""
    line = lines.line(ignore.start)
    if at >= 0 and lines.line(max(statements[at].end - 1, 0)) == line:
        chosen = _on(line, statements[at].operations, lines)
        return replace(ignore, statement=at, operations=_starts(chosen, statements[at].operations))
    last = line + 1
    following = statements[at + 1] if at + 1 < len(statements) else None
    stop = lines.line(following.start) if following else lines.count() + 1
    while last < stop and lines.content(last).strip():
        last += 1
    if following is not None and last >= stop:
        return replace(ignore, statement=at + 1)
    return ignore if at < 0 else replace(ignore, adrift=True)
