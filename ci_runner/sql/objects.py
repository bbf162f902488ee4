"""CREATE, ALTER and DROP of what is no table: read by name, classified by the words that lead.

A phrase table per dialect says which objects there are; what an object's own clauses say is of no effect on the catalog and is not
checked, but for those that have a reading of their own (indexes, views, types, routines).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from ci_runner.model.operations import DropObjects, Name, Operation, Other, RenameObject
from ci_runner.sql.cursor import Unmatched, unquote, unquote_text

if TYPE_CHECKING:
    from ci_runner.sql.cursor import Cursor

Phrases = Mapping[str, tuple[tuple[str, ...], ...]]

_TAIL_WORDS = frozenset(
    {
        "CASCADE", "RESTRICT", "ON", "FOR", "FROM", "USING", "WITH", "SERVER", "PURGE", "SYNC", "NO", "AS", "CONSTRAINTS", "IN",
        "DEPENDS", "DROP", "REMOVE", "AUTHORIZATION", "ENGINE", "FORCE", "=",
    }
)  # fmt: skip
_VERBS = frozenset(
    {
        "ADD", "DROP", "SET", "UNSET", "RESET", "ENABLE", "DISABLE", "ALTER", "VALIDATE", "RENAME", "UPDATE", "REFRESH", "ATTACH",
        "DETACH", "REBUILD", "REORGANIZE", "PAUSE", "RESUME", "ABORT", "SUSPEND", "MODIFY", "SWITCH", "GRANT", "REVOKE", "CONNECTION",
        "OWNER", "NO", "INHERIT", "RECOMPILE", "REMOVE", "START", "STOP", "INCREMENT",
    }
)  # fmt: skip
_NOUNS = frozenset(
    {
        "CONSTRAINT", "VALUE", "ATTRIBUTE", "DEFAULT", "TABLE", "TABLES", "PUBLICATION", "MAPPING", "COLUMN", "SCHEMA", "TABLESPACE",
        "LOGGED", "UNLOGGED", "TAG", "COMMENT", "OPERATOR", "FUNCTION", "MEMBER", "PARTITION", "EXTENSION", "VERSION", "ROLE",
        "OWNED", "POLICY", "SECURE", "STATISTICS", "FILE", "FILEGROUP", "LOGFILE", "RLS", "SHARE", "ACCOUNTS", "PASSWORD", "FILES", "VIEW",
        "TYPE", "DOMAIN", "SEQUENCE", "PROCEDURE", "AGGREGATE", "CAST", "COLLATION", "DATAFILE", "LISTENER", "ENCRYPTION", "PRIVATE",
        "SIGNATURE", "EVENT", "TARGET", "REPLICA", "DATABASE", "CREDENTIAL", "SEED", "USER", "UNDOFILE",
    }
)  # fmt: skip
# Actions whose name is not their first two words: the name, then the words it stands for, ``*`` for any one token.
_PHRASES = """
    set-owner: OWNER TO
    set-not-null: SET NOT NULL
    drop-not-null: DROP NOT NULL
    depends-on-extension: DEPENDS, NO DEPENDS
    rename-column: RENAME * TO, RENAME COLUMN
    set-column-default: ALTER * SET DEFAULT, ALTER COLUMN * SET DEFAULT
    drop-column-default: ALTER * DROP DEFAULT, ALTER COLUMN * DROP DEFAULT
    set-column-statistics: ALTER * SET STATISTICS, ALTER COLUMN * SET STATISTICS
    set-column-storage: ALTER * SET STORAGE, ALTER COLUMN * SET STORAGE
    set-column-compression: ALTER * SET COMPRESSION, ALTER COLUMN * SET COMPRESSION
    set-column-option: ALTER * SET (, ALTER COLUMN * SET (
    reset-column-option: ALTER * RESET (, ALTER COLUMN * RESET (
    set-column-comment: ALTER * COMMENT, ALTER COLUMN * COMMENT, MODIFY COLUMN * COMMENT, ALTER COLUMN * SET COMMENT, COMMENT COLUMN
    set-masking-policy: ALTER * SET MASKING POLICY, ALTER COLUMN * SET MASKING POLICY, MODIFY * SET MASKING POLICY
    set-masking-policy: MODIFY COLUMN * SET MASKING POLICY
    unset-masking-policy: ALTER * UNSET MASKING POLICY, ALTER COLUMN * UNSET MASKING POLICY, MODIFY * UNSET MASKING POLICY
    unset-masking-policy: MODIFY COLUMN * UNSET MASKING POLICY
    set-projection-policy: ALTER COLUMN * SET PROJECTION POLICY, MODIFY COLUMN * SET PROJECTION POLICY
    unset-projection-policy: ALTER COLUMN * UNSET PROJECTION POLICY, MODIFY COLUMN * UNSET PROJECTION POLICY
    set-column-tag: ALTER * SET TAG, ALTER COLUMN * SET TAG, MODIFY * SET TAG, MODIFY COLUMN * SET TAG
    unset-column-tag: ALTER * UNSET TAG, ALTER COLUMN * UNSET TAG, MODIFY * UNSET TAG, MODIFY COLUMN * UNSET TAG
    alter-attribute: ALTER ATTRIBUTE
    add-constraint: ADD NOT NULL, ADD CHECK
    set-cluster-index: CLUSTER ON
    set-without-cluster: SET WITHOUT CLUSTER
    set-access-method: SET ACCESS METHOD
    alter-clustering-key: CLUSTER BY
    drop-clustering-key: DROP CLUSTERING KEY
    swap-table: SWAP WITH
    suspend-recluster: SUSPEND RECLUSTER
    resume-recluster: RESUME RECLUSTER
    add-row-access-policy: ADD ROW ACCESS POLICY
    drop-row-access-policy: DROP ROW ACCESS POLICY, DROP ALL ROW ACCESS POLICIES
    add-search-optimization: ADD SEARCH OPTIMIZATION
    drop-search-optimization: DROP SEARCH OPTIMIZATION
    set-aggregation-policy: SET AGGREGATION POLICY
    unset-aggregation-policy: UNSET AGGREGATION POLICY
    add-schema: ADD TABLES IN SCHEMA, ADD SCHEMA
    drop-schema: DROP TABLES IN SCHEMA
    remove-schema: REMOVE SCHEMA
    add-table: ADD ALL TABLES
    add-function: ADD ALL FUNCTIONS
    remove-table: REMOVE ALL TABLES
    remove-function: REMOVE ALL FUNCTIONS
    add-member: ADD USER
    drop-member: DROP USER
    add-log-file: ADD LOG FILE
    add-predicate: ADD FILTER PREDICATE, ADD BLOCK PREDICATE
    alter-predicate: ALTER FILTER PREDICATE, ALTER BLOCK PREDICATE
    drop-predicate: DROP FILTER PREDICATE, DROP BLOCK PREDICATE
    add-after: ADD AFTER
    remove-after: REMOVE AFTER
    modify-query: MODIFY AS, MODIFY QUERY
    modify-when: MODIFY WHEN
    remove-when: REMOVE WHEN
    abort-queries: ABORT ALL QUERIES
    remove-delegated-authorization: REMOVE DELEGATED
    set-allowed-values: ADD ALLOWED_VALUES, DROP ALLOWED_VALUES, UNSET ALLOWED_VALUES
    set-body: SET BODY
    set-option: MODIFY SETTING
    enable: ENABLE REPLICA
    enable-managed-access: ENABLE MANAGED ACCESS
    disable-managed-access: DISABLE MANAGED ACCESS
    set-query: MODIFY SQL
    set-secure: UNSET SECURE
    set-comment: UNSET COMMENT, MODIFY COMMENT, COMMENT
    set-storage-location: ADD STORAGE_LOCATION, REMOVE STORAGE_LOCATION
"""


def _phrases(text: str) -> dict[str, list[tuple[tuple[str, ...], str]]]:
    """The phrases by first word, longest first."""
    found: dict[str, list[tuple[tuple[str, ...], str]]] = {}
    for line in text.strip().splitlines():
        name, _, some = line.strip().partition(": ")
        for phrase in some.split(", "):
            words = tuple(phrase.split())
            found.setdefault(words[0], []).append((words, name))
    return {first: sorted(some, key=lambda row: -len(row[0])) for first, some in found.items()}


_NAMED = _phrases(_PHRASES)


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


def account(c: Cursor) -> Name | None:
    """A user or role, whose name may stand in quotes, without its host."""
    if c.text[c.i][:1] == "'" and not c.done:
        c.i += 1
        name: Name | None = Name("", unquote_text(c.text[c.i - 1]))
    else:
        name = maybe_name(c)
    if c.take("@"):
        c.word()
    elif c.text[c.i][:1] == "@" and not c.done:  # 'u'@localhost: the lexer takes @localhost for a variable
        c.i += 1
    return name


_ACCOUNTS = ("user", "role")
_NAMELESS = ("master-key", "service-master-key", "database-encryption-key")


def _reader(sort: str) -> Callable[[Cursor], Name | None]:
    """What reads the name of such an object."""
    if sort in _NAMELESS:
        return lambda _c: None
    return account if sort in _ACCOUNTS else maybe_name


def create(c: Cursor, first: int, sort: str, *, or_replace: bool = False) -> Operation:
    """CREATE of an object whose clauses do not matter; the cursor is behind the words that name its sort."""
    c.if_not_exists()
    read = _reader(sort)
    name = None if c.at("FOR", "ON", "(", "AUTHORIZATION") else read(c)
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
    read = _reader(sort)
    while True:
        name = None if c.at("(", "FOR", "BY", "ON") else read(c)
        if name is not None:
            names.append(name)
        if c.at("("):
            c.skip_parens()
        if not c.take(","):
            break
    if not names and sort not in _NAMELESS and c.text[c.i - 1] != ")" and (c.done or c.at("CASCADE", "RESTRICT")):
        c.fail()
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
    read = _reader(sort)
    name = None if c.at("FOR", "ON", "(") else read(c)
    if c.at("(") and c.peek() not in ("ADD", "DROP"):
        c.skip_parens()
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
    if c.seq("MODIFY", "NAME", "=") or (sort == "role" and c.seq("WITH", "NAME", "=")):  # SQL Server
        new = c.name()
        c.end()
        return c.op(RenameObject, f"rename-{sort}", first, name=name or Name("", ""), new=new)
    what = _action_name(c)
    options: tuple[str, ...] = ("not valid",) if c.upper[c.last - 2 : c.last] == ["NOT", "VALID"] else ()
    if sort in ("domain", "function", "routine"):
        options += _said(c)
    c.rest()
    return c.op(Other, f"alter-{sort}.{what}", first, object=name, options=options)


def _said(c: Cursor) -> tuple[str, ...]:
    """What the catalog wants to know of it: a domain's constraint, a function's volatility."""
    found = [word.lower() for word in c.upper[c.i : c.last] if word in ("IMMUTABLE", "STABLE", "VOLATILE")]
    for i in range(c.i, c.last - 1):
        if c.upper[i] == "CONSTRAINT":
            at = i + 3 if c.upper[i + 1] == "IF" else i + 1
            found.append(f"constraint {unquote(c.text[at], c.traits, c.traits.fold)}")
            break
    return tuple(found)


def _action_name(c: Cursor) -> str:
    verb, noun = c.upper[c.i], c.peek()
    for words, name in _NAMED.get(verb, ()):
        if all(word in ("*", c.peek(k)) for k, word in enumerate(words)):
            return name
    if verb not in _VERBS or verb == "INCREMENT" or (verb == "START" and noun in ("WITH", "=")):
        return "set-option"
    if noun in _NOUNS:
        return f"{verb.lower()}-{noun.lower()}"
    if noun == "(":
        return "set-option"
    if verb in ("UNSET", "REMOVE", "MODIFY", "DROP"):
        return f"{verb.lower()}-option"
    return "set-option" if verb in ("SET", "RESET", "NO", "ADD", "CONNECTION", "START", "ALTER") else verb.lower()
