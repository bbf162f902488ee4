"""Cuts a migration file into what its runner sends to the database, one statement (or T-SQL batch) each, in linear time.

This is the layer that knows client-side syntax: psql's backslash commands and COPY data, DELIMITER, GO, drizzle's breakpoints, MySQL's
executable comments. It knows quotes, comments and blocks, and no grammar beyond that. sqlglot has no such stage: an apostrophe in COPY
data, a backslash command, GO or DELIMITER ends or derails its tokenizer, and one bad statement costs the whole file.
"""

from __future__ import annotations

import re
from functools import lru_cache

from msgspec import Struct
from msgspec.structs import replace

from ci_runner.sql import psql, templates
from ci_runner.sql.bodies import body, may_hold_statements
from ci_runner.sql.dialects import Dialect
from ci_runner.sql.lexer import landmarks, opened
from ci_runner.text.pattern import later

Span = tuple[int, int]

_BREAKPOINT = later(r"--(?:>\s*statement-breakpoint|(?:bun|migration|ch):split\s*\Z)")  # drizzle's; bun's and its kin's
_COPY_STDIN = later(r"copy\b(?:'[^']*'|\"[^\"]*\"|[^;'\"])*\bfrom\s+stdin\b", re.IGNORECASE)
_MARKERS = {
    "batches": later(
        r"^[ \t]*(?:go(?:[ \t]+(\d{1,6}))?[ \t]*;?[ \t]*(?:--[^\n]*)?\r?$|!![^\n]*|"
        r":(r|setvar|on[ \t]+error|connect|out|error|exit|quit|list|listvar|reset|perftrace|serverlist|xml|ed|help)\b[^\n]*|"
        r"(?:exit|quit|reset)[ \t]*;?[ \t]*\r?$)",
        re.IGNORECASE | re.MULTILINE,
    ),
    "delimiter": later(r"(?im)^[ \t]*delimiter(?:[ \t]+|[ \t\r]*\n(?=[^\w\s]{1,16}[ \t\r]*$))(\S+)[^\n]*$"),
}
_EXECUTABLE = later(r"/\*(M?)!(\d{5,6})?")
_SPACE = re.compile(r"\s*")
_BLANK = later(r"\s*\Z")
_NEVER_RUN = {"mysql": 99_999, "mariadb": 999_999}  # above any server: what dump programs write for "no server"
_MARIADB_SKIPS = range(50700, 100000)  # MySQL versions whose comments MariaDB leaves alone


class Segment(Struct, frozen=True):
    """A statement's place: ``start`` and ``end`` without surrounding blanks, with a closing ``;``, without any other delimiter.

    ``blanks`` are comments, opening and closing marks of executable comments and client commands inside it; ``opaque`` are
    dollar-quoted texts. ``problem`` says why it cannot be read on. ``data`` is the span of COPY data behind it. ``several`` says
    that its delimiter was not ``;``, so that it may hold more than one statement. ``guarded``: inside psql's ``\\if``, so it may not run.
    """

    start: int
    end: int
    blanks: tuple[Span, ...] = ()
    opaque: tuple[Span, ...] = ()
    problem: str | None = None
    data: Span | None = None
    batch: int = 0
    repeat: int = 1
    several: bool = False
    guarded: bool = False


class Cut(Struct, frozen=True):
    """All segments of a text, and all comments outside bodies, in order."""

    segments: list[Segment]
    comments: list[Span]


@lru_cache(maxsize=64)
def _open_quote(quote: str, backslash: bool) -> re.Pattern[str]:
    return re.compile(opened(quote, backslash=backslash))


_NESTED = later(r"/\*|\*/")


def position(text: str, offset: int, near: int = 0, line: int = 1) -> str:
    """``line:column`` of an offset, both from 1; ``line`` is that of ``near``, so that a file is not counted anew for each."""
    low, high = sorted((near, offset))
    lines = text.count("\n", low, high)
    return f"{line + (lines if near == low else -lines)}:{offset - text.rfind(chr(10), 0, offset)}"


def cut(
    text: str,
    traits: Dialect,
    start: int = 0,
    end: int | None = None,
    *,
    delimiter: str = "",
    whole: bool = False,
    flat: bool = False,
) -> Cut:
    """The segments of ``text[start:end]``.

    ``delimiter`` replaces the dialect's own (``;``); with ``whole`` the span is one segment whatever it holds; with ``flat`` blocks are not
    kept together: the text is the inside of one. Never raises: what cannot be read on (an open quote, comment, block) has a ``problem``.
    """
    found = _Scanner(text, traits, (start, len(text) if end is None else end), delimiter, whole=whole, flat=flat).run()
    return replace(found, segments=templates.apart(text, found.segments)) if traits.templates else found


class _Scanner:
    """The state of one pass over a text."""

    def __init__(self, text: str, traits: Dialect, span: Span, delimiter: str, *, whole: bool, flat: bool) -> None:
        self.text, self.traits = text, traits
        self.after, self.end = span
        own = "" if whole or (traits.batches and not flat) else ";"
        self.delimiter = delimiter or own
        self.several = whole or (bool(delimiter) and delimiter != ";")
        self.segments: list[Segment] = []
        self.comments: list[Span] = []
        self.blanks: list[Span] = []
        self.opaque: list[Span] = []
        self.flat = flat
        self.marks: set[int] = set()
        self.started = -1
        self.executable = False
        self.batch = 0
        self.branches, self.dead = psql.Branches(), -1  # where a branch began that does not run
        sort = (
            "batches"
            if traits.batches
            else "delimiter"
            if traits.delimiter_command and not (delimiter or whole)
            else ""
        )
        self.markers = list(_MARKERS[sort].finditer(text, *span)) if sort else []
        self.markers.reverse()

    def run(self) -> Cut:
        """Walks from one interesting character to the next."""
        at = self.after
        while True:
            while self.markers and self.markers[-1].start() < at:
                self.markers.pop()
            limit = self.markers[-1].start() if self.markers else self.end
            match = landmarks(self.traits.name, self.delimiter).match(self.text, at, limit)
            if match is not None:
                at = self._item(match)
            elif self.markers:
                at = self._marker(self.markers.pop())
            else:
                break
        self._cut(self.end, self.end)
        return Cut(self.segments, self.comments)

    def _item(self, match: re.Match[str]) -> int:
        item = match.group(1)
        if item == self.delimiter:
            return self._delimiter(match) if self.dead < 0 else match.end()
        first = item[0]
        if first in self.traits.text_quotes or first in self.traits.name_quotes:
            return self._quote(match.start(1), first)
        if item == "/*":
            return self._block_comment(match.start(1))
        if item == "*/":
            if self.executable:
                self.executable = False
                self.blanks.append(match.span(1))
            return match.end()
        if first == "$":
            return self._dollar(match)
        if first == "\\":
            return self._psql(match.start(1))
        if first == "{":
            return self._template(match.start(1))
        return self._line_comment(match.start(1))

    def _delimiter(self, match: re.Match[str]) -> int:
        if self.delimiter != ";":
            return self._cut(match.start(1), match.end())
        if self.executable:
            return match.end()
        begin = self._begin(match.start(1))
        if self.flat or not may_hold_statements(self.text, begin, match.start(1), self.traits):
            return self._cut(match.end(), match.end())
        found = body(self.text, begin, self.end, self.traits)
        self.blanks, self.opaque = list(found.comments), list(found.opaque)
        opened_at = found.unclosed
        problem = None if opened_at is None else f"the block opened at {position(self.text, opened_at)} has no END"
        return self._cut(found.stop, found.stop, problem)

    def _quote(self, at: int, quote: str) -> int:
        text, traits = self.text, self.traits
        escaped = traits.backslash and quote in traits.text_quotes
        if traits.psql and quote == "'" and not escaped and at and text[at - 1] in "eE":
            escaped = at < 2 or not (text[at - 2].isalnum() or text[at - 2] in "_$")
        match = _open_quote(quote, escaped).match(text, at, self.end)
        stop = match.end() if match else at + 1
        if stop < self.end and text[stop] == ("]" if quote == "[" else quote):
            return stop + 1
        noun = "string" if quote in traits.text_quotes else "quoted name"
        return self._broken(f"unterminated {noun} at {position(text, at)}")

    def _broken(self, problem: str) -> int:
        self._cut(self.end, self.end, problem)
        return self.end

    def _line_comment(self, at: int) -> int:
        stop = self.text.find("\n", at, self.end)
        stop = self.end if stop < 0 else stop
        if self.text[at + 2 : at + 3] in tuple(">bmc") and _BREAKPOINT.match(self.text, at, stop):
            self._cut(at, stop)
            return stop
        self._comment(at, stop)
        return stop

    def _comment(self, start: int, stop: int) -> None:
        if self.dead >= 0:
            return
        self.comments.append((start, stop))
        self.blanks.append((start, stop))

    def _block_comment(self, at: int) -> int:
        if self.traits.executable_comments:
            mark = _EXECUTABLE.match(self.text, at, self.end)
            if mark and self._runs(mark):
                self.executable = True
                self.blanks.append(mark.span())
                self.marks.add(at)
                return mark.end()
        if not self.traits.nested_comments:
            stop = self.text.find("*/", at + 2, self.end)
            if stop < 0 and self.traits.name == "sqlite":  # there the end of the text ends it too
                self._comment(at, self.end)
                return self.end
            if stop < 0:
                return self._broken(f"unterminated comment at {position(self.text, at)}")
            self._comment(at, stop + 2)
            return stop + 2
        depth = 0
        for match in _NESTED.finditer(self.text, at, self.end):
            depth += 1 if match.group() == "/*" else -1
            if depth == 0:
                self._comment(at, match.end())
                return match.end()
        return self._broken(f"unterminated comment at {position(self.text, at)}")

    def _runs(self, mark: re.Match[str]) -> bool:
        maria, version = mark.group(1), int(mark.group(2) or 0)
        if version >= _NEVER_RUN[self.traits.name]:
            return False
        if self.traits.name == "mariadb":
            return bool(maria) or version not in _MARIADB_SKIPS
        return not maria

    def _dollar(self, match: re.Match[str]) -> int:
        at = match.start(1)
        if at and (self.text[at - 1].isalnum() or self.text[at - 1] in "_$"):
            return at + 1
        stop = self.text.find(match.group(1), match.end(), self.end)
        if stop < 0:
            return self._broken(f"unterminated dollar-quoted string at {position(self.text, at)}")
        stop += len(match.group(1))
        if self.dead < 0:
            self.opaque.append((at, stop))
        return stop

    def _psql(self, at: int) -> int:
        """A backslash outside quotes begins what is psql's own; some of its commands send the statement before it."""
        name, stop = psql.command(self.text, at, self.end)
        if name in psql.BRANCHES:
            return self._branch(at, name, self.text[at + 1 + len(name) : stop], stop)
        if self.dead >= 0:
            return stop
        if name in psql.QUITS:
            return self._quit(at, stop)
        if self._begin(at) < at:
            if name in psql.SENDS or name == ";":
                return self._cut(at, stop, psql.reason(name))
            self.blanks.append((at, stop))
            return stop
        problem = psql.reason(name)
        self.after, self.blanks, self.opaque = stop, [], []
        if problem:
            data = self._copy_data(stop) if name == "copy" and psql.reads_on(self.text, at, stop) else None
            end = at + len(self.text[at:stop].rstrip())
            self.segments.append(Segment(at, end, problem=problem, data=data))
        return self.after

    def _template(self, at: int) -> int:
        """A tag of Jinja's: its branches are like psql's, all else is a comment but for what brings text from elsewhere."""
        found = templates.tag(self.text, at, self.end)
        if found is None:
            return self._broken(f"unclosed template tag at {position(self.text, at)}")
        word, stop = found
        if branch := templates.branch(word, self.text[at:stop]):
            return self._branch(at, *branch, stop)
        if self.dead < 0 and word == "include":
            self._cut(at, stop)
            self.segments.append(
                Segment(at, stop, problem=templates.ELSEWHERE.format(word), guarded=self.branches.unsure)
            )
        elif self.dead < 0:
            self.blanks.append((at, stop))
        return stop

    def _branch(self, at: int, name: str, condition: str, stop: int) -> int:
        """Psql's ``\\if`` and its kin: what stands in a branch that does not run is no part of any statement."""
        self.branches.take(name, condition)
        if self.dead < 0:
            self._begin(at)
            self.dead = at
        if not self.branches.dead:
            self._skipped(stop)
        return stop

    def _skipped(self, stop: int) -> None:
        """What stood from where a branch began that does not run up to ``stop``; between two statements it is forgotten."""
        if self.started < 0:
            self.after, self.blanks, self.opaque = stop, [], []
        else:
            self.blanks.append((self.dead, stop))
        self.dead = -1

    def _quit(self, at: int, stop: int) -> int:
        """Psql's ``\\q``: what is not sent yet never is, and the rest of the file is not read."""
        if self.branches.unsure:
            self.branches.left, self.dead = True, at
            self._begin(at)
            self._skipped(stop)
            return stop
        self.after, self.blanks, self.opaque, self.started = self.end, [], [], -1
        return self.end

    def _marker(self, marker: re.Match[str]) -> int:
        if self.traits.batches:
            if marker.group().lstrip()[0] in ":!eErRqQ":
                return self._sqlcmd(marker)
            known = len(self.segments)
            self._cut(marker.start(), marker.end())
            if len(self.segments) > known:
                self.segments[-1] = replace(self.segments[-1], repeat=int(marker.group(1) or 1))
            self.batch += 1
            return marker.end()
        self._cut(marker.start(), marker.end())
        self.delimiter = marker.group(1)
        self.several = self.delimiter != ";"
        return marker.end()

    def _sqlcmd(self, marker: re.Match[str]) -> int:
        """A line that is a command of sqlcmd's own; ``:r`` runs another file at that place."""
        stop = marker.end()
        if (marker.group(2) or "").lower() != "r":
            self.blanks.append((marker.start(), stop))
            return stop
        self._cut(marker.start(), stop)
        at = marker.start(2) - 1
        end = at + len(self.text[at:stop].rstrip())
        self.segments.append(Segment(at, end, problem="sqlcmd's :r is no SQL and runs what stands elsewhere"))
        return stop

    def _begin(self, limit: int) -> int:
        """The first offset of the statement being read: past blanks and comments, at most ``limit``."""
        if self.started >= 0:
            return self.started
        at = _SPACE.match(self.text, self.after, limit).end()  # type: ignore[union-attr]
        for start, stop in self.blanks:
            if at != start or start in self.marks:
                break
            at = _SPACE.match(self.text, stop, limit).end()  # type: ignore[union-attr]
        if at < limit:
            self.started = at
        return at

    def _cut(self, stop: int, after: int, problem: str | None = None) -> int:
        """Ends a segment at ``stop``; reading goes on at ``after``, which is returned."""
        if self.dead >= 0:
            self._skipped(stop)
        text, begin = self.text, self._begin(stop)
        end = begin + len(text[begin:stop].rstrip())
        self.after = after
        if begin < end and (end - begin > 1 or text[begin] != ";"):
            data = None
            if self.traits.psql and text[begin : begin + 4].upper() == "COPY" and _COPY_STDIN.match(text, begin, end):
                data = self._copy_data(after)
                if data and text.rfind("\\.", data[1], self.after) < 0:
                    problem = f"the data of COPY from {position(text, data[0])} on has no \\. line and takes the rest of the file"
            blanks = tuple(span for span in self.blanks if span[0] >= begin)
            several = self.several and not problem
            self.segments.append(
                Segment(
                    begin, end, blanks, tuple(self.opaque), problem, data, self.batch,
                    several=several, guarded=self.branches.unsure,
                )
            )  # fmt: skip
        self.blanks, self.opaque, self.executable, self.started = [], [], False, -1
        return self.after

    def _copy_data(self, after: int) -> Span | None:
        """The data lines behind ``COPY … FROM stdin;``, when there are any; ``self.after`` moves behind them."""
        line = self.text.find("\n", after, self.end)
        if line < 0 or _BLANK.match(self.text, line, self.end):
            return None
        start = line + 1
        mark = re.compile(r"^\\\.\r?$", re.MULTILINE).search(self.text, start, self.end)
        self.after = mark.end() if mark else self.end
        return (start, mark.start() if mark else self.end)
