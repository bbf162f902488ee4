"""Cuts a T-SQL batch into statements: they need no semicolon there, so statement keywords decide.

The keywords are reserved words of T-SQL, hence no names; where one of them may stand inside a statement (ALTER TABLE … DROP, INSERT …
SELECT, UPDATE … SET, ON DELETE) the rules of :func:`_plain_end` know the place.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import replace

from ci_runner.model.operations import Operation, Other
from ci_runner.sql.batch_comments import inside
from ci_runner.sql.batch_defaults import dropped_default
from ci_runner.sql.batch_variables import Followed, built, follow
from ci_runner.sql.batch_words import (
    ALTERED,
    BOUNDS,
    GO_ON,
    NEVER_PART,
    NOT_BLOCKS,
    OBJECTS_OF,
    PAIRS,
    PARTS_BEHIND,
    PERIODS,
    STARTERS,
    WHOLE,
)
from ci_runner.sql.comments import Comment
from ci_runner.sql.cursor import Cursor
from ci_runner.sql.dialects import Dialect
from ci_runner.sql.lexer import Tokens, tokenize
from ci_runner.sql.reading import Reading, blanked, read, unbalanced
from ci_runner.sql.segments import Segment, cut

_DEEPEST = 60
_MORE_THAN_ROWS = ("alter", "create", "drop", "rename", "truncate")


class Node(Struct, frozen=True):
    """A statement by its tokens; IF, WHILE, TRY, CATCH and blocks hold others."""

    kind: str
    first: int
    stop: int
    children: tuple[Node, ...] = ()


def spans(text: str, segment: Segment, traits: Dialect) -> list[Segment]:
    """The statements of a batch as segments of their own, unread."""
    tokens = _tokens(text, segment, traits, 0)
    return [_place(tokens, node, segment, 0) for node in _statements(tokens.upper)]


def read_batch(
    text: str, segment: Segment, traits: Dialect, base: int = 0, depth: int = 0
) -> list[tuple[Segment, Reading]]:
    """The statements of a batch with their readings; ``base`` is where ``text`` stands in its file."""
    tokens = _tokens(text, segment, traits, base)
    nodes = _statements(tokens.upper)
    loops = "WHILE" in tokens.upper or "GOTO" in tokens.upper
    tops = frozenset[int]() if loops else frozenset(node.first for node in nodes)
    comments = inside(text, segment, tokens, nodes, base)
    batch = _Batch(
        tokens, blanked(text, segment), traits, base + segment.start, depth, follow(tokens.upper), tops, comments
    )
    return [(_place(tokens, node, segment, base), _read(batch, node)) for node in nodes]


def _tokens(text: str, segment: Segment, traits: Dialect, base: int) -> Tokens:
    tokens = tokenize(blanked(text, segment), base + segment.start, traits)
    upper = tokens.upper
    for second, first in PAIRS.items():
        if second in upper:
            for index in range(len(upper) - 1):
                alone = second != "INTO" or not index or upper[index - 1] == ";"  # a column may be called copy
                if upper[index + 1] == second and upper[index] in first and alone:
                    upper[index] = f"{upper[index]} {second}"
    return tokens


def _place(tokens: Tokens, node: Node, segment: Segment, base: int) -> Segment:
    last = node.stop - 1
    return replace(
        segment, start=tokens.start[node.first] - base, end=tokens.start[last] + len(tokens.text[last]) - base
    )


# ── cutting ──


def _statements(upper: list[str]) -> list[Node]:
    found: list[Node] = []
    at, last = 0, len(upper) - 1
    while at < last:
        if upper[at] == ";":
            at += 1
            continue
        node = _statement(upper, at, 0)
        found.append(node)
        at = max(node.stop, at + 1)
    return found


def _statement(upper: list[str], first: int, depth: int) -> Node:
    """The statement at ``first`` with a closing semicolon."""
    word = upper[first]
    if depth > _DEEPEST:
        return Node("deep", first, len(upper) - 1)
    if word == "BEGIN" and upper[first + 1] not in NOT_BLOCKS:
        return _block(upper, first, depth)
    if word in ("IF", "WHILE"):
        return _guarded(upper, first, depth)
    stop = _plain_end(upper, first)
    return Node("plain", first, stop + 1 if upper[stop] == ";" else stop)


def _block(upper: list[str], first: int, depth: int) -> Node:
    sort = upper[first + 1] if upper[first + 1] in ("TRY", "CATCH", "ATOMIC") else ""
    at, last = first + (2 if sort else 1), len(upper) - 1
    children: list[Node] = []
    while at < last and upper[at] != "END":
        if upper[at] in (";", "ELSE"):
            at += 1
            continue
        child = _statement(upper, at, depth + 1)
        children.append(child)
        at = max(child.stop, at + 1)
    if at >= last:
        return Node("open", first, last)
    at += 1
    if sort and upper[at] == sort:
        at += 1
    if upper[at] == ";":
        at += 1
    return Node("catch" if sort == "CATCH" else "block", first, at, tuple(children))


def _guarded(upper: list[str], first: int, depth: int) -> Node:
    at = _condition_end(upper, first + 1)
    if at >= len(upper) - 1:
        return Node("open", first, len(upper) - 1)
    body = _statement(upper, at, depth + 1)
    children, at = [body], body.stop
    if upper[first] == "IF" and upper[at] == "ELSE" and at + 1 < len(upper) - 1:
        other = _statement(upper, at + 1, depth + 1)
        children.append(other)
        at = other.stop
    return Node(upper[first].lower(), first, at, tuple(children))


def _condition_end(upper: list[str], at: int) -> int:
    for index, token in _outside(upper, at):
        if token in STARTERS and not (token == "UPDATE" and upper[index + 1] == "("):
            return index
    return len(upper) - 1


def _plain_end(upper: list[str], first: int) -> int:
    """Where a simple statement ends: at a semicolon, or before the keyword that begins the next."""
    word, last = upper[first], len(upper) - 1
    at = _free_words(upper, first)
    if at < 0:
        return last
    if word == "WITH":
        at = _main_verb(upper, at)
        word = upper[at] if at < last else word
        at += 1
    wanted = set(_WANTED.get(word, ()))
    granting = word in _GRANTS
    schema = word == "CREATE" and upper[first + 1] == "SCHEMA"
    for index, token in _outside(upper, at):
        if token == ";":
            return index
        if token in wanted:
            wanted = {"SELECT"} if token == "WITH" else set()
        elif schema and (token in _GRANTS or (token == "CREATE" and upper[index + 1] in ("TABLE", "VIEW"))):
            granting = token != "CREATE"  # what is made in the schema, by the same statement
        elif granting and token not in NEVER_PART:
            granting = token not in ("ON", "TO", "FROM")
        elif token in BOUNDS and not (word == "MERGE" and token in _MERGE_PARTS) and not _part(upper, index):
            return index
        elif token == "VALUES":
            wanted = set()
    return last


_GRANTS = frozenset({"GRANT", "DENY", "REVOKE"})
_WANTED = {"INSERT": ("SELECT", "EXEC", "EXECUTE", "WITH"), "UPDATE": ("SET",)}


def _outside(upper: list[str], at: int) -> Iterator[tuple[int, str]]:
    """The tokens outside parentheses and CASE … END, with their places."""
    depth = cases = 0
    for index in range(at, len(upper) - 1):
        token = upper[index]
        if token == "(":
            depth += 1
        elif token == ")":
            depth -= 1
        elif token == "CASE":
            cases += 1
        elif token == "END" and cases:
            cases -= 1
        elif depth <= 0 and (cases == 0 or token == ";"):
            yield index, token


_MERGE_PARTS = frozenset({"UPDATE", "INSERT", "DELETE", "SET", "SELECT"})


def _part(upper: list[str], at: int) -> bool:
    """Whether the keyword at ``at`` belongs to the statement before it."""
    token, before, after = upper[at], upper[at - 1], upper[at + 1]
    if token == "IF":
        return after == "EXISTS" and upper[at + 2] != "("
    if token in ("ENABLE", "DISABLE"):
        return after != "TRIGGER"
    if token == "GRANT":
        return before == "WITH" or after == "OPTION"
    if token == "SET":
        return before in ("DELETE", "UPDATE") or after in ("(", "CHANGE_TRACKING")
    if token in ("ROLLBACK", "REVERT"):
        return before == ("WITH" if token == "ROLLBACK" else "NO")
    if after in GO_ON.get(token, ()):
        return upper[at + 2] not in OBJECTS_OF or before in (",", ")")
    if token in ("END", "ELSE"):
        return token == "END" and before in PERIODS and upper[at - 2] == "AS"
    if token == "DROP" and (after == "ALL" or after[:1] == "'"):
        return True  # words of a stop list, properties of a search list
    if before == "ALL":
        return token == "SELECT" and upper[at - 2] == "UNION"
    if token in ("EXEC", "EXECUTE") and after == "AS":
        return before in ("WITH", ",")
    return before == "." or token in PARTS_BEHIND.get(before, ())


def _main_verb(upper: list[str], at: int) -> int:
    for index, token in _outside(upper, at):
        if token in ("SELECT", "INSERT", "UPDATE", "DELETE", "MERGE"):
            return index
    return len(upper) - 1


def _free_words(upper: list[str], first: int) -> int:
    """The token from which on keywords count; -1 when the statement takes the whole batch."""
    word = upper[first]
    if word not in ("CREATE", "ALTER"):
        return first if word == "(" else first + 1
    at = first + (3 if upper[first + 1 : first + 3] == ["OR", "ALTER"] else 1)
    if upper[at] in WHOLE:
        return -1
    if word == "CREATE":
        return at
    while at < len(upper) - 1 and upper[at + 1] not in (".", "ON") and upper[at] in ALTERED:
        at += 1  # ALTER <object words>
    while at < len(upper) - 1 and upper[at + 1] == ".":
        at += 3 if upper[at + 1 : at + 3] == [".", "."] else 2  # name. or name..
    at = min(at + 2, len(upper) - 1)  # the last part of the name, and the word that says what to do
    if upper[at - 1 : at + 1] == ["ALTER", "COLUMN"] and upper[min(at + 2, len(upper) - 1)] in ("ADD", "DROP"):
        return at + 3  # ALTER COLUMN x DROP …
    return at


# ── reading ──


class _Batch(Struct, frozen=True):
    """What reading needs: the tokens, the text they are of, where it starts in its file, how deep it is nested, what it runs by variables,
    and the comments at statements inside of others.
    """

    tokens: Tokens
    source: str
    traits: Dialect
    zero: int
    depth: int
    followed: Followed
    tops: frozenset[int]
    comments: dict[int, tuple[Comment, ...]]


def _read(batch: _Batch, node: Node) -> Reading:
    tokens = batch.tokens
    if node.kind == "plain":
        reading, mine = _read_plain(batch, node), batch.comments.get(node.first)
        commented = tuple(replace(each, comments=each.comments or mine) for each in reading.operations) if mine else ()
        return replace(reading, operations=commented) if mine else reading
    if node.kind in ("open", "deep"):
        reason = "BEGIN or IF without its end" if node.kind == "open" else "blocks nested too deep"
        return Reading(reason=reason, at=tokens.start[node.first])
    inner = [_read(batch, child) for child in node.children]
    found: list[Operation] = [operation for reading in inner for operation in reading.operations]
    if node.kind in ("if", "catch", "while"):
        found = [replace(operation, conditional=True) for operation in found]
    if node.kind == "while":
        kept = [operation for operation in found if operation.kind.startswith(_MORE_THAN_ROWS)]
        found = [_whole(tokens, node), *kept]
    failed = next((reading for reading in inner if reading.reason), None)
    if not found and failed is None:
        found = [_whole(tokens, node)]
    return Reading(tuple(found), failed.reason, failed.at) if failed else Reading(tuple(found))


def _whole(tokens: Tokens, node: Node) -> Operation:
    last = node.stop - 1
    end = tokens.start[last] + len(tokens.text[last])
    return Other(kind="procedural-block", start=tokens.start[node.first], end=end)


def _read_plain(batch: _Batch, node: Node) -> Reading:
    tokens = batch.tokens
    mine = Tokens([*tokens.text[node.first : node.stop], ""], [*tokens.upper[node.first : node.stop], ""],
                  tokens.start[node.first : node.stop + 1])  # fmt: skip
    wrong = unbalanced(mine)
    if wrong:
        return wrong
    reading = read(Cursor(mine, batch.source, batch.traits, zero=batch.zero))
    if reading.reason and ("GO", reading.at) in zip(mine.upper, mine.start, strict=False):
        return replace(reading, reason="GO is understood only where it has the line to itself, not")
    if reading.reason and reading.reason.startswith("no grammar for"):
        return _label_or_call(mine, batch, node) or reading
    if reading.operations and reading.operations[0].kind == "execute-dynamic":
        return _dynamic(reading, mine, batch, node.first)
    literals = [at for at in batch.followed.literals if node.first < at < node.stop]
    if not literals or reading.reason or mine.upper[0] not in ("DECLARE", "SET", "SELECT"):
        return reading
    return _with_literals(reading, [(tokens.text[at], tokens.start[at]) for at in sorted(literals)], batch)


def _label_or_call(tokens: Tokens, batch: _Batch, node: Node) -> Reading | None:
    """``here:`` of GOTO; at the head of a batch a procedure's name, which EXEC need not lead: ``dbo.p @a = 1``, ``p 1, N'x'``."""
    upper, count = tokens.upper, node.stop - node.first
    if upper[1] == ":" and not upper[2]:
        return Reading((Other(kind="label", start=tokens.start[0], end=tokens.start[1] + 1),))
    if node.first or not (upper[0][0].isalpha() or upper[0][0] in '["_') or not _called(upper):
        return None
    called = Tokens(
        ["EXEC", *tokens.text[:count], ""], ["EXEC", *upper[:count], ""], [tokens.start[0], *tokens.start[: count + 1]]
    )
    return read(Cursor(called, batch.source, batch.traits, zero=batch.zero))


def _called(upper: list[str]) -> bool:
    """Whether the rest of a name or an argument follows the first word, or nothing where it is named as procedures are."""
    given = upper[1]
    return given[:1] in (".", "@") or given.endswith("'") or given.isdigit() or (not given and "SP_" in upper[0][:4])


def _dynamic(reading: Reading, tokens: Tokens, batch: _Batch, first: int) -> Reading:
    """EXEC ('…') and sp_executesql N'…': the batch inside the literal, marked conditional; what a variable holds was read where it stands."""
    index = next((i for i, token in enumerate(tokens.text) if token.endswith("'")), len(tokens.text))
    variable = next((token for token in tokens.upper[:index] if token in batch.followed.variables), "")
    if variable:
        return reading
    if tokens.upper[1] == "(" and "+" in tokens.text and batch.depth <= 3:
        text = built(batch.tokens, first + 2, first + tokens.upper.index(")"), batch.tops)
        if text is not None:
            return _with_text(reading, text, batch)
    text = dropped_default(batch.tokens, first)
    if text is not None:
        return _with_text(reading, text, batch)
    named = [token for token in tokens.upper[:index] if token[:1] == "@" and token not in ("@STMT", "@STATEMENT")]
    if index == len(tokens.text) or "+" in tokens.text or batch.depth > 3 or named:
        return Reading(reading.operations, "runs text that is put together at run time", tokens.start[0])
    return _with_literals(reading, [(tokens.text[index], tokens.start[index])], batch)


def _with_text(reading: Reading, text: str, batch: _Batch) -> Reading:
    """``reading`` with what a text does that stands nowhere as a whole: its operations point at the statement that runs it."""
    run = reading.operations[0]
    found = list(reading.operations)
    for segment in cut(text, batch.traits).segments:
        for _, inner in read_batch(text, segment, batch.traits, 0, batch.depth + 1):
            if inner.reason:
                return Reading(reading.operations, "runs text that is put together at run time", run.start)
            found += [replace(each, start=run.start, end=run.end, conditional=True) for each in inner.operations]
    return Reading(tuple(found))


def _with_literals(reading: Reading, literals: list[tuple[str, int]], batch: _Batch) -> Reading:
    """``reading`` with what the batches inside string tokens do, each given with where it starts."""
    from ci_runner.sql.blocks import inside_literal

    found = list(reading.operations)
    failed: Reading | None = None
    for token, start in literals:
        inside = inside_literal(token, start, batch.depth)
        for segment in cut(inside.text, batch.traits).segments:
            for _, inner in read_batch(inside.text, segment, batch.traits, inside.base, inside.depth):
                found += [
                    replace(operation, conditional=True) for operation in inner.operations if operation.kind != "select"
                ]
                failed = failed or (inner if inner.reason else None)
    return Reading(tuple(found), failed.reason, failed.at) if failed else Reading(tuple(found))
