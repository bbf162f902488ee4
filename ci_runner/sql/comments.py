"""Says which comments belong to which statement: those directly above it, inside it, and behind it on its last line."""

from __future__ import annotations

from collections.abc import Sequence

Span = tuple[int, int]
Comment = tuple[str, int]


def attach(text: str, statements: Sequence[Span], comments: Sequence[Span]) -> list[tuple[Comment, ...]]:
    """For each span of ``statements`` (in order) its comments as (text, offset).

    A comment above belongs when nothing but line ends and one comment after another stand between it and the statement: a blank
    line parts them. A comment on the last line of a statement trails it, and is not above the next one.
    """
    found: list[tuple[Comment, ...]] = []
    at, count, before = 0, len(comments), 0
    for index, (start, end) in enumerate(statements):
        above: list[Span] = []
        while at < count and comments[at][0] < start:
            above.append(comments[at])
            at += 1
        mine = _directly_above(text, above, start, before)
        following = statements[index + 1][0] if index + 1 < len(statements) else len(text)
        while at < count and comments[at][0] < end:
            mine.append(comments[at])
            at += 1
        while at < count and comments[at][0] < following and "\n" not in text[end : comments[at][0]]:
            mine.append(comments[at])
            at += 1
        before = end
        found.append(tuple((text[first:stop].rstrip("\r"), first) for first, stop in mine))
    return found


def _directly_above(text: str, comments: list[Span], start: int, before: int) -> list[Span]:
    mine: list[Span] = []
    for first, stop in reversed(comments):
        between = text[stop:start]
        if first < before or between.strip() or between.count("\n") > 1:
            break
        mine.append((first, stop))
        start = first
    mine.reverse()
    return mine


def header(text: str, comments: Sequence[Span], first_statement: int) -> tuple[Comment, ...]:
    """The comments of a file's head: those before the first statement and parted from it by a blank line."""
    above = [span for span in comments if span[0] < first_statement]
    adjacent = _directly_above(text, above, first_statement, 0)
    mine = above[: len(above) - len(adjacent)]
    return tuple((text[first:stop].rstrip("\r"), first) for first, stop in mine)
