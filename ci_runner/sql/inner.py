"""Finds the statements that run inside another: data changes in WITH, what EXPLAIN ANALYZE runs, what COPY (…) sends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from ci_runner.model.operations import CreateView, Name
from ci_runner.sql.cursor import Cursor, Unmatched
from ci_runner.sql.lexer import Tokens
from ci_runner.sql.reading import heads

if TYPE_CHECKING:
    from ci_runner.model.operations import Operation

_CHANGES = {"INSERT": "INTO", "DELETE": "FROM", "MERGE": "INTO", "UPDATE": ""}
_OPENS = frozenset({"AS", "MATERIALIZED"})


def part(c: Cursor, first: int, stop: int) -> list[Operation]:
    """What the statement between two tokens of another does, read by the same grammar; the cursor then stands behind it."""
    tokens = Tokens([*c.text[first:stop], ""], [*c.upper[first:stop], ""], c.start[first : stop + 1])
    inner = Cursor(tokens, c.source, c.traits, zero=c.zero)
    reader = heads(c.dialect).get(inner.upper[0])
    if reader is None:
        c.i = first
        c.fail()
    inner.i = 1
    try:
        found = reader(inner, 0)
        inner.end()
    except Unmatched as signal:
        raise Unmatched(str(signal), first + signal.at) from None
    c.i = stop
    return found


def written(c: Cursor, first: int, stop: int) -> list[Operation]:
    """The data changes among the CTEs between two tokens, in their order: ``WITH x AS (DELETE … RETURNING …)`` deletes."""
    found: list[Operation] = []
    upper, keep, i = c.upper, c.i, first
    while i < stop:
        word = upper[i]
        if word in _CHANGES and _begins(upper, i, _CHANGES[word]):
            end = _closing(upper, i, stop)
            if word != "UPDATE" or "SET" in upper[i:end]:
                found += part(c, i, end)
                i = end
        i += 1
    c.i = keep
    return found


def _begins(upper: list[str], i: int, after: str) -> bool:
    """Whether a statement begins at token ``i``: behind ``x AS (``, or behind the CTEs of its own WITH."""
    if after and upper[i + 1] != after:
        return False
    return upper[i - 1] == ")" or (i > 1 and upper[i - 1] == "(" and upper[i - 2] in _OPENS)


def _closing(upper: list[str], i: int, stop: int) -> int:
    """The token that closes the parenthesis token ``i`` stands in."""
    depth = 0
    for at in range(i, stop):
        if upper[at] == "(":
            depth += 1
        elif upper[at] == ")":
            if depth == 0:
                return at
            depth -= 1
    return stop


_ELEMENTS = {  # reserved words: no name is spelled so
    "sqlserver": frozenset({"CREATE", "GRANT", "REVOKE", "DENY"}),
}
_NOT_ELEMENTS = frozenset({"WITH", "GRANT", "REVOKE", "DENY", ","})  # WITH GRANT OPTION, GRANT CREATE …


def schema_elements(c: Cursor, first: int) -> list[Operation]:
    """CREATE SCHEMA s CREATE TABLE … CREATE VIEW … GRANT …: the schema, and what is made in it; nothing where it has no elements."""
    words = _ELEMENTS.get(c.dialect, frozenset({"CREATE", "GRANT"}))
    heads_ = [i for i in range(c.i, c.last) if c.upper[i] in words and c.upper[i - 1] not in _NOT_ELEMENTS]
    if not heads_:
        return []
    if c.ahead("IF"):
        c.i = heads_[0]
        c.fail("CREATE SCHEMA IF NOT EXISTS takes no elements")
    found = part(c, first, heads_[0])
    schema = getattr(found[0], "object", None)
    made: set[Name] = set()
    for begin, stop in zip(heads_, [*heads_[1:], c.last], strict=True):
        found += [_placed(operation, schema.name if schema else "", made) for operation in part(c, begin, stop)]
    return found


def _placed(operation: Operation, schema: str, made: set[Name]) -> Operation:
    """The operation with its bare name put into the schema, and those of what a view reads that was ``made`` there before it."""
    fields: dict[str, Any] = {}
    for field in ("table", "view", "object"):
        name = getattr(operation, field, None)
        if isinstance(name, Name) and not name.schema:
            fields[field] = Name(schema, name.name)
            break
    if isinstance(operation, CreateView):
        reads = (name if name.schema else Name(schema, name.name) for name in operation.reads)
        fields["reads"] = tuple(new if new in made else old for old, new in zip(operation.reads, reads, strict=True))
    made.update(name for field, name in fields.items() if field in ("table", "view"))
    return replace(operation, **fields) if fields else operation
