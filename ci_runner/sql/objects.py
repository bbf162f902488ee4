"""CREATE, ALTER and DROP of what is no table: read by name, classified by the words that lead.

A phrase table per dialect says which objects there are; what an object's own clauses say is of no effect on the catalog and is not
checked, but for those that have a reading of their own (indexes, views, types, routines).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ci_runner.model.operations import DropObjects, Name, Operation, Other, RenameObject
from ci_runner.sql.cursor import Unmatched

if TYPE_CHECKING:
    from ci_runner.sql.cursor import Cursor

Phrases = Mapping[str, tuple[tuple[str, ...], ...]]

_TAIL_WORDS = frozenset(
    {
        "CASCADE", "RESTRICT", "ON", "FOR", "FROM", "USING", "WITH", "SERVER", "PURGE", "SYNC", "NO", "AS", "CONSTRAINTS", "IN",
        "DEPENDS", "DROP",
    }
)  # fmt: skip
_VERBS = frozenset(
    {
        "ADD", "DROP", "SET", "UNSET", "RESET", "ENABLE", "DISABLE", "ALTER", "VALIDATE", "RENAME", "UPDATE", "REFRESH", "ATTACH",
        "DETACH", "REBUILD", "REORGANIZE", "PAUSE", "RESUME", "ABORT", "SUSPEND", "MODIFY", "SWITCH", "GRANT", "REVOKE", "CONNECTION",
        "OWNER", "DEPENDS", "NO", "INHERIT", "RECOMPILE", "REMOVE", "START", "STOP", "INCREMENT",
    }
)  # fmt: skip
_NOUNS = frozenset(
    {
        "CONSTRAINT", "VALUE", "ATTRIBUTE", "DEFAULT", "TABLE", "TABLES", "PUBLICATION", "MAPPING", "COLUMN", "SCHEMA", "TABLESPACE",
        "LOGGED", "UNLOGGED", "TAG", "COMMENT", "OPERATOR", "FUNCTION", "MEMBER", "PARTITION", "EXTENSION", "VERSION", "ROLE",
        "OWNED", "POLICY", "SECURE", "STATISTICS", "FILE", "FILEGROUP", "LOGFILE", "RLS", "SHARE", "ACCOUNTS", "PASSWORD",
    }
)  # fmt: skip


def phrases(text: str) -> Phrases:
    """``"TEXT SEARCH PARSER, TABLE"`` by first word, longest first."""
    found: dict[str, list[tuple[str, ...]]] = {}
    for phrase in text.split(","):
        words = tuple(phrase.split())
        found.setdefault(words[0], []).append(words)
    return {first: tuple(sorted(some, key=len, reverse=True)) for first, some in found.items()}


def read_phrase(c: Cursor, known: Phrases) -> str:
    """Reads the name of a sort of object and returns it in the spelling of kinds (``text-search-parser``)."""
    for words in known.get(c.upper[c.i], ()):
        if c.seq(*words):
            return "-".join(words).lower()
    return ""


def maybe_name(c: Cursor) -> Name | None:
    """A name, if one can be read here."""
    at = c.i
    try:
        return c.name()
    except Unmatched:
        c.i = at
        return None


def create(c: Cursor, first: int, sort: str, *, or_replace: bool = False) -> Operation:
    """CREATE of an object whose clauses do not matter; the cursor is behind the words that name its sort."""
    c.if_not_exists()
    name = None if c.at("FOR", "ON", "(", "AUTHORIZATION") else maybe_name(c)
    if sort == "schema" and name is None and c.take("AUTHORIZATION"):
        name = c.name()
    c.rest()
    manner = "create-or-replace" if or_replace else "create"
    return c.op(Other, f"{manner}-{sort}", first, object=name)


def drop(c: Cursor, first: int, sort: str) -> Operation:
    """DROP of an object; several names where the dialect allows them."""
    concurrently = c.take("CONCURRENTLY")
    if_exists = c.if_exists()
    names: list[Name] = []
    while True:
        name = None if c.at("(", "FOR", "BY", "ON") else maybe_name(c)
        if name is not None:
            names.append(name)
        if c.at("("):
            c.skip_parens()
        elif c.at("@") and sort in ("user", "role"):
            c.i += 2
        if not c.take(","):
            break
    first_tail = c.i
    if not c.done and c.upper[c.i] not in _TAIL_WORDS and names and sort not in ("operator", "cast"):
        c.fail()
    c.rest()
    options = tuple(word.lower() for word in c.upper[first_tail : c.last] if word in ("CASCADE", "RESTRICT"))
    kind = f"drop-{sort}" + ("-concurrently" if concurrently else "")
    return c.op(DropObjects, kind, first, names=tuple(names), if_exists=if_exists, options=options)


def alter(c: Cursor, first: int, sort: str) -> Operation:
    """ALTER of an object: a rename, or an action named after its verb and noun."""
    c.if_exists()
    name = None if c.at("FOR", "ON", "(") else maybe_name(c)
    if c.at("("):
        c.skip_parens()
    if c.at("@"):
        c.i += 2
    while not c.done and c.upper[c.i] in ("ON", "USING", "FOR", "SERVER"):
        c.i += 2
        while c.take("."):
            c.word()
    return action(c, first, sort, name)


def action(c: Cursor, first: int, sort: str, name: Name | None) -> Operation:
    """What an ALTER does, from the words behind the object's name."""
    if c.done:
        c.fail()
    if c.seq("RENAME", "TO"):
        new = c.name()
        c.end()
        return c.op(RenameObject, f"rename-{sort}", first, name=name or Name("", ""), new=new)
    what = _action_name(c)
    c.rest()
    return c.op(Other, f"alter-{sort}.{what}", first, object=name)


def _action_name(c: Cursor) -> str:
    verb, noun, third = c.upper[c.i], c.peek(), c.peek(2)
    if verb not in _VERBS:
        return "set-option"
    if verb == "OWNER":
        return "set-owner"
    if verb in ("SET", "DROP") and (noun, third) == ("NOT", "NULL"):
        return f"{verb.lower()}-not-null"
    if verb == "INCREMENT" or (verb == "START" and noun in ("WITH", "=")):
        return "set-option"
    if verb == "DEPENDS" or (verb == "NO" and noun == "DEPENDS"):
        return "depends-on-extension"
    if noun in _NOUNS:
        return f"{verb.lower()}-{noun.lower()}"
    return "set-option" if verb in ("SET", "RESET", "NO", "ADD", "CONNECTION", "START") else verb.lower()
