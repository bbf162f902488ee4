"""What the statements of MySQL and MariaDB begin with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from ci_runner.model.operations import Dml, Operation, Other, RenameObject, RenameTable
from ci_runner.sql import alter_mysql, changes, definitions, inner, objects, session, tables
from ci_runner.sql.session import command

if TYPE_CHECKING:
    from collections.abc import Callable

    from ci_runner.sql.cursor import Cursor

_OBJECTS = objects.phrases(
    "DATABASE,SCHEMA,EVENT,LOGFILE GROUP,RESOURCE GROUP,ROLE,SERVER,SPATIAL REFERENCE SYSTEM,TABLESPACE,UNDO TABLESPACE,TRIGGER,USER,"
    "FUNCTION,PROCEDURE,VIEW,SEQUENCE,PACKAGE,PACKAGE BODY,PREPARE,LIBRARY,JSON RELATIONAL DUALITY VIEW"
)
_SAME = {"schema": "database"}
_MODIFIERS = frozenset(
    {"TEMPORARY", "UNIQUE", "FULLTEXT", "SPATIAL", "VECTOR", "AGGREGATE", "ONLINE", "OFFLINE", "LOADABLE"}
)


def create(c: Cursor, first: int) -> list[Operation]:
    """CREATE behind that word."""
    or_replace = c.seq("OR", "REPLACE")
    _view_manner(c)
    if c.ahead("SPATIAL", "REFERENCE"):
        return [objects.create(c, first, objects.read_phrase(c, _OBJECTS), or_replace=or_replace)]
    if c.seq("EXTERNAL", "TABLE"):
        found = tables.create_table(c, first)
        return [replace(found, kind="create-external-table", options=(*found.options, "external"))]
    modifiers = set()
    while c.at(*_MODIFIERS):
        modifiers.add(c.word())
    if c.take("TABLE"):
        return [tables.create_table(c, first, modifiers=frozenset(modifiers), or_replace=or_replace)]
    if c.take("INDEX"):
        return [definitions.create_index(c, first, frozenset(modifiers))]
    if c.take("VIEW"):
        return [definitions.create_view(c, first, or_replace=or_replace)]
    if c.take("FUNCTION", "PROCEDURE"):
        return [definitions.create_routine(c, first, c.upper[c.i - 1].lower(), or_replace=or_replace)]
    sort = objects.read_phrase(c, _OBJECTS)
    if not sort:
        c.fail(f"no grammar for CREATE {c.text[c.i]}")
    return [objects.create(c, first, _SAME.get(sort, sort), or_replace=or_replace)]


def _view_manner(c: Cursor) -> None:
    """ALGORITHM = x, DEFINER = user, SQL SECURITY x before VIEW and before routines."""
    while True:
        if c.take("ALGORITHM"):
            c.need("=")
            c.word()
        elif c.take("DEFINER"):
            c.need("=")
            c.word()
            if c.at("("):
                c.skip_parens()
            elif c.take("@") or c.text[c.i].startswith("@"):
                c.word()
        elif c.seq("SQL", "SECURITY"):
            c.word()
        else:
            return


def drop(c: Cursor, first: int) -> list[Operation]:
    """DROP behind that word."""
    c.take("TEMPORARY")
    if c.take("TABLE", "TABLES"):
        return [tables.drop_table(c, first)]
    if c.take("INDEX"):
        return [definitions.drop_index(c, first)]
    if c.take("PREPARE"):
        return command("deallocate")(c, first)
    sort = objects.read_phrase(c, _OBJECTS)
    if not sort:
        c.fail(f"no grammar for DROP {c.text[c.i]}")
    return [objects.drop(c, first, _SAME.get(sort, sort))]


def alter(c: Cursor, first: int) -> list[Operation]:
    """ALTER behind that word."""
    _view_manner(c)
    while c.take("ONLINE", "OFFLINE", "IGNORE"):
        pass
    if c.take("TABLE"):
        return alter_mysql.alter_table(c, first)
    if c.take("INSTANCE"):
        c.rest()
        return [c.op(Other, "alter-instance", first)]
    sort = objects.read_phrase(c, _OBJECTS)
    sort = _SAME.get(sort, sort)
    if sort == "view":
        name = c.name()
        c.rest()
        return [c.op(Other, "alter-view.set-query", first, object=name)]
    if sort == "database" and c.at("CHARACTER", "CHARSET", "DEFAULT", "COLLATE", "READ", "ENCRYPTION"):
        c.rest()
        return [c.op(Other, "alter-database.set-option", first)]
    if not sort:
        c.fail(f"no grammar for ALTER {c.text[c.i]}")
    return [objects.alter(c, first, sort)]


def _rename_users(c: Cursor, first: int) -> list[Operation]:
    found: list[Operation] = []
    while True:
        begin = first if not found else c.i
        old = objects.account(c)
        c.need("TO")
        new = objects.account(c)
        if old is None or new is None:
            c.fail()
        found.append(c.op(RenameObject, "rename-user", begin, name=old, new=new))
        if not c.take(","):
            return found


def _lock(c: Cursor, first: int) -> list[Operation]:
    if c.take("INSTANCE"):
        c.rest()
        return [c.op(Other, "lock-instance", first)]
    c.need("TABLE", "TABLES")
    names, write = [], False
    while True:
        names.append(c.name())
        while not c.done and not c.at(","):  # [AS] alias, READ [LOCAL], [LOW_PRIORITY] WRITE
            write = c.word() in ("WRITE", "CONCURRENT") or write
        if not c.take(","):
            break
    several = tuple(names) if len(names) > 1 else ()
    return [c.op(Other, "lock-table", first, object=names[0], objects=several, options=("write" if write else "read",))]


def _unlock(c: Cursor, first: int) -> list[Operation]:
    sort = "instance" if c.take("INSTANCE") else "tables"
    if sort == "tables":
        c.need("TABLE", "TABLES")
    return [c.op(Other, f"unlock-{sort}", first)]


def _rename(c: Cursor, first: int) -> list[Operation]:
    if c.take("USER"):
        return _rename_users(c, first)
    c.need("TABLE", "TABLES")
    c.if_exists()
    found: list[Operation] = []
    while True:
        begin = first if not found else c.i
        table = c.name()
        if c.take("WAIT"):
            c.word()
        c.need("TO")
        new = c.name()
        found.append(c.op(RenameTable, "rename-table", begin, table=table, new=new))
        if not c.take(","):
            break
    c.end()
    return found


def _on_tables(kind: str) -> Callable[[Cursor, int], list[Operation]]:
    """OPTIMIZE, ANALYZE, CHECK, REPAIR and CHECKSUM TABLE."""
    return command(kind, "NO_WRITE_TO_BINLOG", "LOCAL", "TABLE", "TABLES", "VIEW")


def _analyze(c: Cursor, first: int) -> list[Operation]:
    """ANALYZE TABLE; MariaDB's ANALYZE of a statement runs it."""
    if c.take("FORMAT"):
        c.need("=")
        c.word()
    if c.at("SELECT", "UPDATE", "DELETE", "INSERT", "REPLACE", "WITH"):
        found = [operation for operation in inner.part(c, c.i, c.last) if operation.kind != "select"]
        return [c.op(Other, "explain", first), *found]
    return _on_tables("analyze")(c, first)


def _load(c: Cursor, first: int) -> list[Operation]:
    if c.at("INDEX"):
        return command("load-index", named=False)(c, first)
    c.need("DATA", "XML")
    while not c.done and not c.seq("INTO", "TABLE"):
        c.i += 1
    table = c.name()
    c.rest()
    return [c.op(Dml, "load-data", first, tables=(table,))]


def _truncate(c: Cursor, first: int) -> list[Operation]:
    return [tables.truncate(c, first)]


def _begin(c: Cursor, first: int) -> list[Operation]:
    if c.at("NOT") and c.dialect == "mariadb":
        c.rest()
        return [c.op(Other, "procedural-block", first)]
    if c.upper[first] == "START" and not c.at("TRANSACTION"):
        return command("start-replication", named=False)(c, first)
    return session.begin(c, first)


def _block(c: Cursor, first: int) -> list[Operation]:
    """MariaDB runs blocks outside routines, MySQL does not."""
    if c.dialect == "mysql":
        c.i = first
        c.fail()
    c.rest()
    return [c.op(Other, "procedural-block", first)]


def _execute(c: Cursor, first: int) -> list[Operation]:
    if c.take("IMMEDIATE"):
        c.rest()
        return [c.op(Other, "execute-dynamic", first)]
    return command("execute-prepared")(c, first)


def _xa(c: Cursor, first: int) -> list[Operation]:
    word = c.word()
    what = {
        "START": "begin",
        "BEGIN": "begin",
        "END": "end",
        "PREPARE": "prepare",
        "COMMIT": "commit",
        "ROLLBACK": "rollback",
    }
    if word not in what:
        return command("xa-recover", named=False)(c, first)
    c.rest()
    return [c.op(Other, f"transaction.xa-{what[word]}", first)]


HEADS: dict[str, Callable[[Cursor, int], list[Operation]]] = {
    "CREATE": create, "DROP": drop, "ALTER": alter, "RENAME": _rename, "TRUNCATE": _truncate, "SET": session.set_mysql,
    "BEGIN": _begin, "START": _begin, "COMMIT": session.commit, "ROLLBACK": session.rollback, "SAVEPOINT": session.savepoint,
    "RELEASE": session.release, "INSERT": changes.insert, "REPLACE": changes.insert, "UPDATE": changes.update,
    "DELETE": changes.delete, "WITH": changes.with_query, "SELECT": changes.select, "VALUES": changes.select,
    "TABLE": changes.select, "(": changes.select, "GRANT": command("grant", named=False),
    "REVOKE": command("revoke", named=False), "OPTIMIZE": _on_tables("optimize-table"), "ANALYZE": _analyze,
    "CHECK": _on_tables("check-table"), "REPAIR": _on_tables("repair-table"), "CHECKSUM": _on_tables("checksum-table"),
    "LOCK": _lock, "UNLOCK": _unlock, "LOAD": _load,
    "CALL": command("call"), "DO": command("do-expression", named=False), "PREPARE": command("prepare"),
    "EXECUTE": _execute, "DEALLOCATE": command("deallocate", "PREPARE"), "USE": command("use"),
    "SHOW": command("show", named=False), "DESCRIBE": command("explain"), "DESC": command("explain"),
    "EXPLAIN": command("explain", named=False), "FLUSH": command("flush", named=False), "KILL": command("kill", named=False),
    "RESET": command("reset-server", named=False), "PURGE": command("purge-logs", named=False), "HELP": command("help", named=False),
    "INSTALL": command("install-plugin", "PLUGIN", "COMPONENT", "SONAME"), "SIGNAL": command("signal", named=False),
    "UNINSTALL": command("uninstall-plugin", "PLUGIN", "COMPONENT", "SONAME"), "HANDLER": command("handler"), "XA": _xa,
    "CHANGE": command("change-replication", named=False), "STOP": command("stop-replication", named=False),
    "RESIGNAL": command("signal", named=False),
    "GET": command("get-diagnostics", named=False),
    "SHUTDOWN": command("shutdown"), "RESTART": command("restart"), "BINLOG": command("binlog", named=False),
    "BACKUP": command("backup", named=False),
    "CACHE": command("cache-index", "INDEX"), "IMPORT": command("import-table", named=False), "CLONE": command("clone-instance", named=False),
    "IF": _block, "WHILE": _block, "LOOP": _block, "REPEAT": _block, "CASE": _block, "FOR": _block,
}  # fmt: skip
