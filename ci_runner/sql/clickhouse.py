"""What ClickHouse's statements begin with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from ci_runner.model.operations import Dml, DropObjects, Name, Operation, Other, RenameObject, RenameTable
from ci_runner.sql import alter_clickhouse, changes, definitions, inner, objects, session, tables
from ci_runner.sql.queries import outside
from ci_runner.sql.session import command
from ci_runner.sql.table_tails import on_cluster, on_cluster_value

if TYPE_CHECKING:
    from ci_runner.sql.cursor import Cursor
    from ci_runner.sql.reading import Reader

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
    or_replace = c.seq("OR", "REPLACE") or or_replace  # of users, roles and the like it stands behind the sort
    options, replicated = _cluster(c), "REPLICATED" in c.upper[c.i : c.last]
    found = objects.create(c, first, _SAME.get(sort, sort), or_replace=or_replace)
    return [replace(found, options=(*options, *(("engine=replicated",) if replicated else ())))]


def _cluster(c: Cursor) -> tuple[str, ...]:
    """Takes ON CLUSTER out of what is still to be read, wherever it stands: the options it makes."""
    begin, options = c.i, list[str]()
    pairs = zip(c.upper[begin : c.last], c.upper[begin + 1 :], strict=False)
    at = next(
        (begin + i for i, (a, b) in enumerate(pairs) if (a, b) == ("ON", "CLUSTER") or on_cluster_value(a)), c.last
    )
    c.i = at
    on_cluster(c, options)
    alter_clickhouse.leave_out(c, range(at, c.i))
    c.i = begin
    return tuple(options)


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
    alter_clickhouse.cut_settings(c)
    options = _cluster(c)
    c.seq("IF", "EMPTY")
    found = objects.drop(c, first, _SAME.get(sort, sort))
    return [replace(found, options=options) if options else found]


def _drop_table(c: Cursor, first: int) -> Operation:
    alter_clickhouse.cut_settings(c)
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
    sort = _SAME.get(sort, sort)
    options = _cluster(c)
    found = _renamed(c, first, sort) or [objects.alter(c, first, sort)]
    return [replace(operation, options=options) for operation in found] if options else found


def _renamed(c: Cursor, first: int, sort: str) -> list[Operation]:
    """``a [ON t] RENAME TO b`` of users, roles, quotas, policies and profiles, and what else the statement sets; nothing where it does not."""
    begin = c.i
    c.if_exists()
    name = objects.account(c)
    if c.take("ON"):
        c.name()
    if name is None or not c.seq("RENAME", "TO"):
        c.i = begin
        return []
    new = objects.account(c)
    if new is None:
        c.fail()
    found: list[Operation] = [c.op(RenameObject, f"rename-{sort}", first, name=name, new=new)]
    if not c.done:
        at = c.i
        c.rest()
        found.append(c.op(Other, f"alter-{sort}.set-option", at, object=new))
    return found


def _rename(c: Cursor, first: int) -> list[Operation]:
    alter_clickhouse.cut_settings(c)
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


def _stored(verb: str) -> Reader:
    """ATTACH, DETACH and UNDROP of a table, view, dictionary or database; of a table where no sort is said."""

    def read(c: Cursor, first: int) -> list[Operation]:
        c.take("TEMPORARY")
        sort = "materialized-view" if c.seq("MATERIALIZED", "VIEW") else c.word().lower()
        if sort not in ("table", "view", "dictionary", "database", "materialized-view"):
            c.i -= 1
            sort = "table"
            if not c.at("IF") and c.peek() not in ("", ".", "ON", "PERMANENTLY", "SYNC"):
                c.fail()
        options = _cluster(c)
        if c.if_exists() or c.if_not_exists():
            pass
        name = c.name()
        c.rest()
        if verb == "detach" and sort != "table":
            return [c.op(DropObjects, f"detach-{sort}", first, names=(name,), options=options)]
        return [c.op(Other, f"{verb}-{sort}", first, object=name, options=options)]

    return read


def _delete(c: Cursor, first: int) -> list[Operation]:
    c.take("FROM")
    options, at = _cluster(c), c.i
    table = c.name()
    c.i = at
    (found,) = changes.delete(c, first)
    return [replace(found, options=options, tables=(table,)) if isinstance(found, Dml) else found]


def _update(c: Cursor, first: int) -> list[Operation]:
    options = _cluster(c)
    return [replace(operation, options=options) for operation in changes.update(c, first)]


def _truncate(c: Cursor, first: int) -> list[Operation]:
    alter_clickhouse.cut_settings(c)
    if c.take("DATABASE") or c.seq("ALL", "TABLES", "FROM") or c.seq("TABLES", "FROM"):
        c.if_exists()
        options, name = _cluster(c), c.name()
        c.rest()
        return [c.op(Other, "truncate-database", first, object=name, options=options)]
    c.take("TEMPORARY")
    return [tables.truncate(c, first)]


def _check(c: Cursor, first: int) -> list[Operation]:
    """CHECK TABLE, CHECK ALL TABLES, CHECK DATABASE, and CHECK GRANT, which asks and reads nothing."""
    if c.at("GRANT", "DATABASE") and c.peek() not in ("", "PARTITION", "PART", "."):
        word = c.word().lower()
        return command(f"check-{word}", named=word == "database")(c, first)
    return command("check-table", "TABLE", "ALL", "TABLES")(c, first)


def _execute(c: Cursor, first: int) -> list[Operation]:
    """EXECUTE AS user, alone for the session or before the one statement it is for."""
    c.need("AS")
    user = objects.account(c)
    found: list[Operation] = [c.op(Other, "execute-as", first, object=user)]
    return found if c.done else [*found, *inner.part(c, c.i, c.last)]


def _abreast(read: Reader) -> Reader:
    """A reader of a statement that others may join: ``DROP TABLE a PARALLEL WITH DROP TABLE b``."""

    def one_or_several(c: Cursor, first: int) -> list[Operation]:
        if "PARALLEL" not in c.upper:
            return read(c, first)
        marks = [i for i, word in outside(c.upper, c.i, c.last) if word == "PARALLEL" and c.upper[i + 1] == "WITH"]
        if not marks:
            return read(c, first)
        spans = zip([first, *(i + 2 for i in marks)], [*marks, c.last], strict=True)
        return [operation for begin, stop in spans for operation in inner.part(c, begin, stop)]

    return one_or_several


def _kill(c: Cursor, first: int) -> list[Operation]:
    word = c.word().lower()
    c.rest()
    return [c.op(Other, f"kill-{word}", first)]


def _system(c: Cursor, first: int) -> list[Operation]:
    if c.done:
        c.fail()
    c.rest()
    return [c.op(Other, "system-command", first, object=Name("", ""))]


_JOINED: dict[str, Reader] = {
    "CREATE": create, "REPLACE": create, "DROP": drop, "ALTER": alter, "RENAME": _rename, "EXCHANGE": _exchange,
    "ATTACH": _stored("attach"), "DETACH": _stored("detach"), "UNDROP": _stored("undrop"), "TRUNCATE": _truncate,
    "OPTIMIZE": command("optimize-table", "TABLE"), "SYSTEM": _system, "INSERT": changes.insert, "DELETE": _delete, "UPDATE": _update,
}  # fmt: skip
HEADS: dict[str, Reader] = {
    **{word: _abreast(read) for word, read in _JOINED.items()}, "KILL": _kill, "EXECUTE": _execute, "SELECT": changes.select,
    "WITH": changes.with_query, "VALUES": changes.select, "(": changes.select,
    "FROM": changes.select, "SET": session.set_plain, "USE": command("use", "DATABASE"), "GRANT": command("grant", named=False),
    "REVOKE": command("revoke", named=False), "SHOW": command("show", named=False), "DESCRIBE": command("explain", named=False),
    "DESC": command("explain", named=False), "EXISTS": command("exists", named=False), "EXPLAIN": command("explain", named=False),
    "CHECK": _check, "BACKUP": command("backup", named=False),
    "RESTORE": command("restore", named=False), "BEGIN": session.begin, "COMMIT": session.commit, "ROLLBACK": session.rollback,
    "MOVE": command("move-access-entity", named=False), "WATCH": command("watch"),
}  # fmt: skip
