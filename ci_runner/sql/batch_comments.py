"""Says which comments inside a T-SQL block belong to which of the statements in it, for those that ask for silence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ci_runner.sql.comments import Comment, attach

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ci_runner.sql.batches import Node
    from ci_runner.sql.lexer import Tokens
    from ci_runner.sql.segments import Segment

_HINTS = ("pilotage:", "nolint", "squawk-")


def inside(
    text: str, segment: Segment, tokens: Tokens, nodes: Iterable[Node], base: int
) -> dict[int, tuple[Comment, ...]]:
    """For plain statements inside IF, WHILE and blocks, by their first token, the comments at them and above what holds them.

    Nothing is looked for where the batch holds no such comment; offsets are those of the file, where ``text`` stands at ``base``.
    """
    found: dict[int, tuple[Comment, ...]] = {}
    if segment.blanks and any(hint in text[first:stop] for first, stop in segment.blanks for hint in _HINTS):
        for node in nodes:
            _of_children(text, segment, tokens, node, base, found)
    return found


def _of_children(
    text: str, segment: Segment, tokens: Tokens, node: Node, base: int, found: dict[int, tuple[Comment, ...]]
) -> None:
    if not node.children:
        return
    starts = [tokens.start[child.first] - base for child in node.children]
    ends = [tokens.start[child.stop - 1] + len(tokens.text[child.stop - 1]) - base for child in node.children]
    above = found.get(node.first, ())
    for child, start, mine in zip(
        node.children, starts, attach(text, [*zip(starts, ends, strict=True)], segment.blanks), strict=True
    ):
        own = tuple((comment, base + at) for comment, at in mine if not child.children or at < start)
        found[child.first] = above + own
        _of_children(text, segment, tokens, child, base, found)
