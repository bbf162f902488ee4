"""What PostgreSQL's statements begin with, and Redshift's where they are the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from ci_runner.model.operations import Dml, Operation, Other
from ci_runner.sql import alter_postgres, changes, definitions, inner, objects, session, tables
from ci_runner.sql.session import command

if TYPE_CHECKING:
    from collections.abc import Callable

    from ci_runner.sql.cursor import Cursor

_OBJECTS = objects.phrases(
    "ACCESS METHOD,AGGREGATE,CAST,COLLATION,CONVERSION,DATABASE,DOMAIN,EVENT TRIGGER,EXTENSION,FOREIGN DATA WRAPPER,GROUP,LANGUAGE,"
    "OPERATOR,OPERATOR CLASS,OPERATOR FAMILY,POLICY,PUBLICATION,ROLE,RULE,SCHEMA,SEQUENCE,SERVER,STATISTICS,SUBSCRIPTION,TABLESPACE,"
    "TEXT SEARCH CONFIGURATION,TEXT SEARCH DICTIONARY,TEXT SEARCH PARSER,TEXT SEARCH TEMPLATE,TRANSFORM,TRIGGER,USER,USER MAPPING,"
    "LARGE OBJECT,OWNED,DEFAULT PRIVILEGES,SYSTEM,FUNCTION,PROCEDURE,ROUTINE,VIEW,MATERIALIZED VIEW,TYPE,FOREIGN TABLE,"
    "EXTERNAL SCHEMA,EXTERNAL TABLE,DATASHARE,MODEL,LIBRARY,MASKING POLICY,RLS POLICY,EXTERNAL FUNCTION,EXTERNAL VIEW,EXTERNAL PROTECTED VIEW,"
    "IDENTITY PROVIDER,"
    "EXTERNAL MODEL"
)
_MODIFIERS = frozenset(
    {
        "GLOBAL",
        "LOCAL",
        "TEMP",
        "TEMPORARY",
        "UNLOGGED",
        "UNIQUE",
        "RECURSIVE",
        "TRUSTED",
        "PROCEDURAL",
        "CONSTRAINT",
        "DEFAULT",
    }
)


# Words before the object, and the objects that may have them.
_ONLY = {
    frozenset({"UNIQUE"}): ("INDEX",),
    frozenset({"TEMP", "TEMPORARY", "LOCAL", "GLOBAL"}): ("TABLE", "VIEW", "SEQUENCE"),
    frozenset({"UNLOGGED"}): ("TABLE", "SEQUENCE", "MATERIALIZED"),
    frozenset({"RECURSIVE"}): ("VIEW",),
    frozenset({"CONSTRAINT"}): ("TRIGGER",),
}
_NEVER_REPLACED = (
    "TABLE", "INDEX", "MATERIALIZED", "TYPE", "SEQUENCE", "SCHEMA", "EXTENSION", "DATABASE", "DOMAIN", "ROLE", "USER", "POLICY",
)  # fmt: skip


def _manner(c: Cursor) -> tuple[bool, set[str]]:
    """Reads OR REPLACE and the words before the object, which must go together with it."""
    or_replace = c.seq("OR", "REPLACE")
    modifiers = set()
    while c.at(*_MODIFIERS):
        modifiers.add(c.word())
    if modifiers and any(modifiers & words and not c.at(*heads) for words, heads in _ONLY.items()):
        c.fail()
    if or_replace and c.at(*_NEVER_REPLACED):
        c.fail()
    return or_replace, modifiers


def create(c: Cursor, first: int) -> list[Operation]:
    """CREATE behind that word."""
    or_replace, modifiers = _manner(c)
    if c.take("TABLE"):
        found = tables.create_table(c, first, modifiers=frozenset(modifiers), or_replace=or_replace)
        return [*inner.written(c, first, c.last), found] if found.selects else [found]
    if c.take("INDEX"):
        return [definitions.create_index(c, first, frozenset(modifiers))]
    if c.take("VIEW"):
        return [definitions.create_view(c, first, or_replace=or_replace)]
    if c.seq("MATERIALIZED", "VIEW"):
        return [definitions.create_view(c, first, materialized=True, or_replace=or_replace)]
    if c.take("FUNCTION", "PROCEDURE"):
        return [definitions.create_routine(c, first, c.upper[c.i - 1].lower(), or_replace=or_replace)]
    if c.take("TYPE"):
        return [definitions.create_type(c, first)]
    if c.seq("FOREIGN", "TABLE") or c.seq("EXTERNAL", "TABLE"):
        sort = f"create-{c.upper[c.i - 2].lower()}-table"
        return [tables.foreign_table(c, first, sort)]
    if c.take("DOMAIN"):
        return [definitions.create_domain(c, first)]
    sort = objects.read_phrase(c, _OBJECTS)
    if not sort:
        c.fail(f"no grammar for CREATE {c.text[c.i]}")
    if sort == "schema":
        elements = inner.schema_elements(c, first)
        if elements:
            return elements
    return [objects.create(c, first, sort, or_replace=or_replace)]


def drop(c: Cursor, first: int) -> list[Operation]:
    """DROP behind that word."""
    if c.take("TABLE"):
        return [tables.drop_table(c, first)]
    if c.seq("FOREIGN", "TABLE"):
        return [tables.drop_table(c, first, "drop-foreign-table")]
    if c.take("INDEX"):
        return [definitions.drop_index(c, first)]
    c.take("PROCEDURAL")
    sort = objects.read_phrase(c, _OBJECTS)
    if not sort:
        c.fail(f"no grammar for DROP {c.text[c.i]}")
    return [objects.drop(c, first, sort)]


def alter(c: Cursor, first: int) -> list[Operation]:
    """ALTER behind that word."""
    if c.take("TABLE") or c.seq("FOREIGN", "TABLE"):
        return alter_postgres.alter_table(c, first)
    if c.take("INDEX"):
        return [definitions.alter_index(c, first)]
    if c.take("TYPE"):
        return definitions.alter_type(c, first)
    if c.take("SEQUENCE"):
        return [_alter_sequence(c, first)]
    if c.seq("DEFAULT", "PRIVILEGES"):
        c.rest()
        return [c.op(Other, "alter-default-privileges", first)]
    if c.take("SYSTEM"):
        c.rest()
        return [c.op(Other, "alter-system", first)]
    c.take("PROCEDURAL")
    sort = objects.read_phrase(c, _OBJECTS)
    if not sort:
        c.fail(f"no grammar for ALTER {c.text[c.i]}")
    if sort == "database" and c.i + 1 == c.last and c.dialect == "postgres":  # no option at all is allowed
        return [c.op(Other, "alter-database.set-option", first, object=c.name())]
    if sort == "materialized-view" and c.seq("ALL", "IN", "TABLESPACE"):
        c.rest()
        return [c.op(Other, "alter-materialized-view.set-tablespace", first)]
    if sort == "text-search-dictionary" and c.ahead(c.peek(0), "("):
        name = c.name()
        c.skip_parens()
        return [c.op(Other, "alter-text-search-dictionary.set-option", first, object=name)]
    return [objects.alter(c, first, sort)]


def _alter_sequence(c: Cursor, first: int) -> Operation:
    c.if_exists()
    name = c.name()
    if c.at("OWNED"):
        c.rest()
        return c.op(Other, "alter-sequence.owned-by", first, object=name)
    return objects.action(c, first, "sequence", name)


def _reindex(c: Cursor, first: int) -> list[Operation]:
    text = c.parens() if c.at("(") else ""
    c.need("INDEX", "TABLE", "SCHEMA", "DATABASE", "SYSTEM")
    sort = c.upper[c.i - 1].lower()
    concurrently = c.take("CONCURRENTLY") or _on(text, "CONCURRENTLY")
    name = objects.maybe_name(c)
    c.end()
    return [c.op(Other, "reindex-concurrently" if concurrently else "reindex", first, object=name, options=(sort,))]


def _on(options: str, word: str) -> bool:
    """Whether ``(a, word [true], c off)`` turns ``word`` on."""
    words = options.upper().replace(",", " , ").split()
    at = words.index(word) + 1 if word in words else 0
    return bool(at) and words[at : at + 1] not in (["FALSE"], ["OFF"], ["0"])


def _repack(c: Cursor, first: int) -> list[Operation]:
    """PostgreSQL 19's VACUUM FULL and CLUSTER in one."""
    options = c.parens() if c.at("(") else ""
    name = objects.maybe_name(c) if not c.at("USING") else None
    if c.at("("):
        c.skip_parens()
    if c.seq("USING", "INDEX"):
        objects.maybe_name(c)
    c.end()
    return [c.op(Other, "repack-concurrently" if _on(options, "CONCURRENTLY") else "repack", first, object=name)]


def _listed(c: Cursor) -> dict[str, Any]:
    """Reads ``[ONLY] a [*] [(columns)], b …`` into the fields that say what a statement concerns."""
    names = []
    while not c.done and not c.at("BOOST"):
        c.take("ONLY")
        names.append(c.name())
        c.take("*")
        if c.at("("):
            c.skip_parens()
        if not c.take(","):
            break
    return {"object": names[0] if names else None, "objects": tuple(names) if len(names) > 1 else ()}


def _analyze(c: Cursor, first: int) -> list[Operation]:
    if c.at("("):
        c.skip_parens()
    while c.take("VERBOSE", "COMPRESSION"):
        pass
    fields = _listed(c)
    c.rest()
    return [c.op(Other, "analyze", first, **fields)]


def _cluster(c: Cursor, first: int) -> list[Operation]:
    if c.at("("):
        c.skip_parens()
    return command("cluster", "VERBOSE")(c, first)


def _vacuum(c: Cursor, first: int) -> list[Operation]:
    full = False
    if c.at("("):
        full = _on(c.parens(), "FULL")
    while c.at("FULL", "FREEZE", "VERBOSE", "ANALYZE", "SORT", "DELETE", "REINDEX", "RECLUSTER", "ONLY"):
        full = full or c.at("FULL")
        c.i += 1
    fields = _listed(c)
    c.rest()
    return [c.op(Other, "vacuum-full" if full else "vacuum", first, **fields)]


def _refresh(c: Cursor, first: int) -> list[Operation]:
    c.need("MATERIALIZED")
    c.need("VIEW")
    suffix = "-concurrently" if c.take("CONCURRENTLY") else ""
    name = c.name()
    c.rest()
    return [c.op(Other, f"refresh-materialized-view{suffix}", first, object=name)]


def _lock(c: Cursor, first: int) -> list[Operation]:
    c.take("TABLE")
    fields = _listed(c)
    if fields["object"] is None:
        c.fail()
    begin = c.i
    if c.take("IN"):
        while not c.done and not c.at("NOWAIT"):
            c.i += 1
    mode = c.slice(begin + 1, c.i).lower().removesuffix(" mode") if c.i > begin else "access exclusive"
    c.take("NOWAIT")
    c.end()
    return [c.op(Other, "lock-table", first, options=(mode,), **fields)]


def _do(c: Cursor, first: int) -> list[Operation]:
    c.rest()
    return [c.op(Other, "do-block", first)]


def _prepare(c: Cursor, first: int) -> list[Operation]:
    if c.take("TRANSACTION"):
        c.rest()
        return [c.op(Other, "transaction.prepare", first)]
    name = c.name()
    if c.at("("):
        c.skip_parens()
    c.need("AS")
    found = [operation for operation in inner.part(c, c.i, c.last) if operation.kind != "select"]
    kept = [replace(operation, conditional=True) for operation in found]  # EXECUTE runs it
    return [c.op(Other, "prepare", first, object=name), *kept]


def _explain(c: Cursor, first: int) -> list[Operation]:
    """EXPLAIN; with ANALYZE it runs what it explains."""
    if c.at("("):
        runs = _on(c.parens(), "ANALYZE")
    else:
        runs = c.take("ANALYZE", "ANALYSE")
        c.take("VERBOSE")
    found = inner.part(c, c.i, c.last)
    changed = [operation for operation in found if runs and operation.kind != "select"]
    return [c.op(Other, "explain", first), *changed]


def _truncate(c: Cursor, first: int) -> list[Operation]:
    return [tables.truncate(c, first)]


def _import(c: Cursor, first: int) -> list[Operation]:
    c.need("FOREIGN")
    c.need("SCHEMA")
    return command("import-foreign-schema")(c, first)


def _unload(c: Cursor, first: int) -> list[Operation]:
    c.rest()
    return [c.op(Dml, "unload", first, tables=())]


def _policy(c: Cursor, first: int) -> list[Operation]:
    """Redshift's ATTACH and DETACH of a masking or RLS policy."""
    sort = c.upper[c.i].lower()
    c.need("MASKING", "RLS")
    c.need("POLICY")
    return command(f"{c.upper[first].lower()}-{sort}-policy")(c, first)


HEADS: dict[str, Callable[[Cursor, int], list[Operation]]] = {
    "CREATE": create, "DROP": drop, "ALTER": alter, "TRUNCATE": _truncate, "COMMENT": session.comment, "SET": session.set_,
    "RESET": session.reset, "DISCARD": session.reset, "BEGIN": session.begin, "START": session.begin, "COMMIT": session.commit,
    "END": session.commit, "ROLLBACK": session.rollback, "ABORT": session.rollback, "SAVEPOINT": session.savepoint,
    "RELEASE": session.release, "INSERT": changes.insert, "UPDATE": changes.update, "DELETE": changes.delete,
    "MERGE": changes.merge, "WITH": changes.with_query, "SELECT": changes.select, "VALUES": changes.select,
    "TABLE": changes.select, "(": changes.select, "COPY": changes.copy, "GRANT": command("grant", named=False),
    "REVOKE": command("revoke", named=False), "DO": _do, "CALL": command("call"), "VACUUM": _vacuum,
    "ANALYZE": _analyze, "ANALYSE": _analyze, "REINDEX": _reindex, "REPACK": _repack,
    "CLUSTER": _cluster, "REFRESH": _refresh, "LOCK": _lock, "NOTIFY": command("notify"),
    "LISTEN": command("listen"), "UNLISTEN": command("unlisten"), "CHECKPOINT": command("checkpoint"), "LOAD": command("load"),
    "PREPARE": _prepare, "EXECUTE": command("execute-prepared"), "DEALLOCATE": command("deallocate", "PREPARE", "ALL"),
    "EXPLAIN": _explain, "SHOW": command("show"), "SECURITY": command("security-label", named=False),
    "REASSIGN": command("reassign-owned", named=False), "IMPORT": _import, "DECLARE": command("declare-cursor"),
    "FETCH": command("fetch", named=False), "MOVE": command("move-cursor", named=False), "CLOSE": command("close-cursor", "ALL"),
    "UNLOAD": _unload, "USE": command("use"), "CANCEL": command("cancel"), "DETACH": _policy, "ATTACH": _policy,
}  # fmt: skip
