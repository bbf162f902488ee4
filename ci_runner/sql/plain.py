"""Reads a text that holds nothing but words, signs, closed quotes and semicolons in one pass: most migrations are of that sort.

Cutting first and looking for tokens in each piece walks a text twice, which takes a tenth of the time of reading it. Whatever is rarer
(comments, dollar quotes, escapes, client commands, bodies, COPY's data, something left open) is for ``segments``, the whole text of it.
"""

from __future__ import annotations

from ci_runner.sql.bodies import may_hold_statements
from ci_runner.sql.cursor import Cursor
from ci_runner.sql.dialects import Dialect
from ci_runner.sql.lexer import Tokens, plain_tokens
from ci_runner.sql.reading import Reading, read, unbalanced
from ci_runner.sql.segments import Segment

LONGEST = 4096  # characters: a longer text may hold bulk data, of which only the beginning is worth a look
# What may begin a comment, a body, an escape, a placeholder or a command.
_RARE = ("--", "/*", "$", "\\", "{", "#", "%%", "//")
_QUOTES = frozenset("'\"`[")


def plain(text: str, span: tuple[int, int], traits: Dialect) -> list[tuple[Segment, Reading]] | None:
    """The statements of ``text`` between those offsets, as cutting and reading them would give them; None where the text is of another sort."""
    start, stop = span
    if stop - start > LONGEST or traits.batches or traits.delimiter_command or traits.templates:
        return None
    source = text[start:stop].strip()
    if any(map(source.__contains__, _RARE)):
        return None
    zero = text.index(source, start)
    tokens = plain_tokens(source, zero, traits)
    words, upper, starts = tokens
    if not _QUOTES.isdisjoint(words[-2:-1] and words[-2]):
        return None  # it ends in a quote, which may have been left open
    found: list[tuple[Segment, Reading]] = []
    at, count = 0, len(words) - 1
    while at < count:
        try:
            end = words.index(";", at)
        except ValueError:
            end = count - 1
        if words[at] != ";":
            begin, last = starts[at], starts[end] + len(words[end])
            if upper[at] == "COPY" or may_hold_statements(text, begin, last - 1, traits):
                return None
            piece = tokens
            if at or end < count - 1:
                piece = Tokens([*words[at : end + 1], ""], [*upper[at : end + 1], ""], [*starts[at : end + 1], last])
            reading = unbalanced(piece) or read(Cursor(piece, source, traits, zero=zero))
            found.append((Segment(begin, last), reading))
        at = end + 1
    return found
