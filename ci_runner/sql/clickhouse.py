"""What ClickHouse's statements begin with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from ci_runner.model.operations import Dml, DropObjects, Name, Operation, Other, RenameObject, RenameTable
from ci_runner.sql import alter_clickhouse, changes, definitions, objects, session, tables
from ci_runner.sql.session import command
from ci_runner.sql.table_tails import on_cluster

if TYPE_CHECKING:
    from collections.abc import Callable

    from ci_runner.sql.cursor import Cursor

_OBJECTS = objects.phrases(
    "DATABASE,DICTIONARY,FUNCTION,USER,ROLE,ROW POLICY,POLICY,MASKING POLICY,QUOTA,SETTINGS PROFILE,PROFILE,NAMED COLLECTION,WORKLOAD,RESOURCE,"
    "VIEW,MATERIALIZED VIEW,LIVE VIEW,WINDOW VIEW"
)
_SAME = {"policy": "row-policy", "profile": "settings-profile", "function": "function"}


def create(c: Cursor, first: int) -> list[Operation]:
    """CREATE [OR REPLACE] behind the word CREATE; REPLACE alone means the second."""
    or_replace = c.seq("OR", "REPLACE") or c.upper[first] == "REPLACE"
    temporary = c.take("TEMPORARY")
    if c.take("TABLE"):
        modifiers = frozenset({"TEMPORARY"} if temporary else ())
        return [tables.create_table(c, first, modifiers=modifiers, or_replace=or_replace)]
    if c.take("VIEW"):
        return [definitions.create_view(c, first, or_replace=or_replace)]
    if c.seq("MATERIALIZED", "VIEW"):
        return [definitions.create_view(c, first, materialized=True, or_replace=or_replace)]
    if c.at("INDEX", "UNIQUE"):
        modifiers = frozenset({c.word()}) if c.at("UNIQUE") else frozenset()
        c.need("INDEX")
        return [definitions.create_index(c, first, modifiers)]
    sort = objects.read_phrase(c, _OBJECTS)
    if not sort:
        c.fail(f"no grammar for CREATE {c.text[c.i]}")
    clustered, replicated = _mentions_cluster(c), "REPLICATED" in c.upper[c.i : c.last]
    found = objects.create(c, first, _SAME.get(sort, sort), or_replace=or_replace)
    options = (*(("on cluster",) if clustered else ()), *(("engine=replicated",) if replicated else ()))
    return [replace(found, options=options) if options else found]


def _mentions_cluster(c: Cursor) -> bool:
    return any(c.upper[i] == "CLUSTER" and c.upper[i - 1] == "ON" for i in range(c.i, c.last))


def drop(c: Cursor, first: int) -> list[Operation]:
    """DROP behind that word."""
    c.take("TEMPORARY")
    if c.take("TABLE"):
        return [_drop_table(c, first)]
    if c.take("INDEX"):
        return [definitions.drop_index(c, first)]
    sort = objects.read_phrase(c, _OBJECTS)
    if not sort:
        c.fail(f"no grammar for DROP {c.text[c.i]}")
    clustered = _mentions_cluster(c)
    found = objects.drop(c, first, _SAME.get(sort, sort))
    return [replace(found, options=("on cluster",)) if clustered else found]


def _drop_table(c: Cursor, first: int) -> Operation:
    c.seq("IF", "EMPTY")
    return tables.drop_table(c, first)


def alter(c: Cursor, first: int) -> list[Operation]:
    """ALTER behind that word."""
    if c.take("TABLE") or c.at("TEMPORARY"):
        c.seq("TEMPORARY", "TABLE")
        return alter_clickhouse.alter_table(c, first)
    sort = objects.read_phrase(c, _OBJECTS)
    if not sort:
        c.fail(f"no grammar for ALTER {c.text[c.i]}")
    return [objects.alter(c, first, _SAME.get(sort, sort))]


def _rename(c: Cursor, first: int) -> list[Operation]:
    sort = c.word().lower() if c.at("TABLE", "DATABASE", "DICTIONARY", "VIEW") else "table"
    c.if_exists()
    found: list[Operation] = []
    while True:
        begin = first if not found else c.i
        old = c.name()
        c.need("TO")
        new = c.name()
        if sort == "table":
            found.append(c.op(RenameTable, "rename-table", begin, table=old, new=new))
        else:
            found.append(c.op(RenameObject, f"rename-{sort}", begin, name=old, new=new))
        if not c.take(","):
            break
    return _clustered(c, found)


def _clustered(c: Cursor, found: list[Operation]) -> list[Operation]:
    options: list[str] = []
    on_cluster(c, options)
    c.take("SYNC")
    c.end()
    return [replace(operation, options=tuple(options)) for operation in found] if options else found


def _exchange(c: Cursor, first: int) -> list[Operation]:
    word = c.word().lower()
    found: list[Operation] = []
    while True:
        begin = first if not found else c.i
        one = c.name()
        c.need("AND")
        found.append(c.op(RenameTable, f"exchange-{word}", begin, table=one, new=c.name()))
        if not c.take(","):
            return _clustered(c, found)


def _stored(verb: str) -> Callable[[Cursor, int], list[Operation]]:
    """ATTACH, DETACH and UNDROP of a table, view, dictionary or database."""

    def read(c: Cursor, first: int) -> list[Operation]:
        c.take("TEMPORARY")
        sort = "materialized-view" if c.seq("MATERIALIZED", "VIEW") else c.word().lower()
        if sort not in ("table", "view", "dictionary", "database", "materialized-view"):
            c.i -= 1
            c.fail()
        if c.if_exists() or c.if_not_exists():
            pass
        name = c.name()
        options: list[str] = []
        on_cluster(c, options)
        c.rest()
        if verb == "detach" and sort != "table":
            return [c.op(DropObjects, f"detach-{sort}", first, names=(name,), options=tuple(options))]
        return [c.op(Other, f"{verb}-{sort}", first, object=name, options=tuple(options))]

    return read


def _delete(c: Cursor, first: int) -> list[Operation]:
    c.take("FROM")
    at = c.i
    table = c.name()
    options: list[str] = []
    on_cluster(c, options)
    c.i = at
    (found,) = changes.delete(c, first)
    return [replace(found, options=tuple(options), tables=(table,)) if isinstance(found, Dml) else found]


def _truncate(c: Cursor, first: int) -> list[Operation]:
    if c.take("DATABASE"):
        c.if_exists()
        name = c.name()
        c.rest()
        return [c.op(Other, "truncate-database", first, object=name)]
    c.take("TEMPORARY")
    return [tables.truncate(c, first)]


def _kill(c: Cursor, first: int) -> list[Operation]:
    word = c.word().lower()
    c.rest()
    return [c.op(Other, f"kill-{word}", first)]


def _system(c: Cursor, first: int) -> list[Operation]:
    if c.done:
        c.fail()
    c.rest()
    return [c.op(Other, "system-command", first, object=Name("", ""))]


HEADS: dict[str, Callable[[Cursor, int], list[Operation]]] = {
    "CREATE": create, "REPLACE": create, "DROP": drop, "ALTER": alter, "RENAME": _rename, "EXCHANGE": _exchange,
    "ATTACH": _stored("attach"), "DETACH": _stored("detach"), "UNDROP": _stored("undrop"), "TRUNCATE": _truncate,
    "OPTIMIZE": command("optimize-table", "TABLE"), "SYSTEM": _system, "KILL": _kill, "INSERT": changes.insert, "DELETE": _delete,
    "UPDATE": changes.update, "SELECT": changes.select, "WITH": changes.with_query, "VALUES": changes.select, "(": changes.select,
    "FROM": changes.select, "SET": session.set_plain, "USE": command("use", "DATABASE"), "GRANT": command("grant", named=False),
    "REVOKE": command("revoke", named=False), "SHOW": command("show", named=False), "DESCRIBE": command("explain", named=False),
    "DESC": command("explain", named=False), "EXISTS": command("exists", named=False), "EXPLAIN": command("explain", named=False),
    "CHECK": command("check-table", "TABLE", "ALL", "TABLES"), "BACKUP": command("backup", named=False),
    "RESTORE": command("restore", named=False), "BEGIN": session.begin, "COMMIT": session.commit, "ROLLBACK": session.rollback,
    "MOVE": command("move-access-entity", named=False), "WATCH": command("watch"),
}  # fmt: skip
