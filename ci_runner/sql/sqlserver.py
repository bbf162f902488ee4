"""What the statements of SQL Server begin with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ci_runner.model.operations import (
    CreateFunction,
    CreateView,
    Dml,
    DropIndex,
    Name,
    Operation,
    Other,
    RenameColumn,
    RenameIndex,
    RenameObject,
    RenameTable,
)
from ci_runner.sql import alter_sqlserver, changes, definitions, inner, objects, session, synapse, tables
from ci_runner.sql.cursor import Cursor, unquote, unquote_text
from ci_runner.sql.keys import tail
from ci_runner.sql.queries import tables_read
from ci_runner.sql.session import command

if TYPE_CHECKING:
    from collections.abc import Callable

_OBJECTS = objects.phrases(
    "SCHEMA,SEQUENCE,SYNONYM,USER,LOGIN,ROLE,APPLICATION ROLE,SERVER ROLE,DATABASE,STATISTICS,PARTITION FUNCTION,PARTITION SCHEME,"
    "FULLTEXT CATALOG,FULLTEXT STOPLIST,ASSEMBLY,CERTIFICATE,SYMMETRIC KEY,ASYMMETRIC KEY,MASTER KEY,CREDENTIAL,SECURITY POLICY,"
    "DATABASE SCOPED CREDENTIAL,EXTERNAL DATA SOURCE,EXTERNAL FILE FORMAT,EXTERNAL LIBRARY,RULE,DEFAULT,XML SCHEMA COLLECTION,QUEUE,"
    "SERVICE,CONTRACT,MESSAGE TYPE,ROUTE,EVENT NOTIFICATION,EVENT SESSION,SERVER AUDIT,SERVER AUDIT SPECIFICATION,TYPE,BROKER PRIORITY,"
    "DATABASE AUDIT SPECIFICATION,COLUMN ENCRYPTION KEY,COLUMN MASTER KEY,WORKLOAD GROUP,RESOURCE POOL,ENDPOINT,AVAILABILITY GROUP,"
    "AUTHORIZATION,DATABASE SCOPED CONFIGURATION,DATABASE ENCRYPTION KEY,SERVER CONFIGURATION,AGGREGATE,REMOTE SERVICE BINDING,"
    "EXTERNAL LANGUAGE,EXTERNAL RESOURCE POOL,EXTERNAL MODEL,EXTERNAL STREAM,EXTERNAL STREAMING JOB,CRYPTOGRAPHIC PROVIDER,"
    "WORKLOAD CLASSIFIER,SERVICE MASTER KEY,COUNTER SIGNATURE,ASSEMBLY TYPE,"
    "SEARCH PROPERTY LIST,SENSITIVITY CLASSIFICATION,SIGNATURE,VIEW,PROCEDURE,PROC,FUNCTION,TRIGGER"
)
_SAME = {"proc": "procedure"}
_MODIFIERS = frozenset(
    {
        "UNIQUE",
        "CLUSTERED",
        "NONCLUSTERED",
        "COLUMNSTORE",
        "PRIMARY",
        "XML",
        "SPATIAL",
        "FULLTEXT",
        "SELECTIVE",
        "JSON",
        "VECTOR",
    }
)
_INDEX_SORTS = {"XML": "xml", "SPATIAL": "spatial", "FULLTEXT": "fulltext", "JSON": "json", "VECTOR": "vector"}


def create(c: Cursor, first: int) -> list[Operation]:
    """CREATE [OR ALTER] behind the word CREATE."""
    or_alter = c.seq("OR", "ALTER")
    if c.take("TABLE"):
        return [tables.create_table(c, first)]
    if c.take("PROCEDURE", "PROC", "FUNCTION", "TRIGGER", "VIEW"):
        return [_module(c, first, "create-or-replace" if or_alter else "create")]
    if c.take("TYPE"):
        return [definitions.create_type(c, first)]
    if c.seq("MATERIALIZED", "VIEW"):
        return [synapse.materialized_view(c, first)]
    if c.seq("EXTERNAL", "TABLE"):
        return [tables.foreign_table(c, first, "create-external-table")]
    sort = objects.read_phrase(c, _OBJECTS)
    if sort == "schema":
        elements = inner.schema_elements(c, first)
        if elements:
            return elements
    if sort:
        return [objects.create(c, first, _SAME.get(sort, sort))]
    modifiers = set()
    while c.at(*_MODIFIERS):
        modifiers.add(c.word())
    if not c.take("INDEX"):
        c.fail(f"no grammar for CREATE {c.text[c.i]}")
    special = next((noun for word, noun in _INDEX_SORTS.items() if word in modifiers), "")
    if special:
        return [_special_index(c, first, special)]
    return [definitions.create_index(c, first, frozenset(modifiers))]


def _special_index(c: Cursor, first: int, sort: str) -> Operation:
    """XML, spatial, full-text and JSON indexes: the table they are on."""
    while not c.done and not c.take("ON"):
        c.i += 1
    table = objects.maybe_name(c)
    c.rest()
    return c.op(Other, f"create-{sort}-index", first, object=table)


def _module(c: Cursor, first: int, manner: str) -> Operation:
    """A procedure, function, trigger or view: it takes the whole batch, and nothing in it runs now."""
    sort = _SAME.get(c.upper[c.i - 1].lower(), c.upper[c.i - 1].lower())
    name = c.name()
    begin = c.i
    c.rest()
    kind = (
        f"{manner}-{sort}"
        if manner.startswith("create")
        else f"alter-{sort}.{'set-query' if sort == 'view' else 'set-body'}"
    )
    if sort == "view":
        reads = tables_read(c, begin, c.last)
        return c.op(CreateView, kind, first, view=name, reads=reads, or_replace=manner != "create")
    if sort == "trigger":
        return c.op(Other, kind, first, object=name)
    return c.op(CreateFunction, kind, first, function=name)


def drop(c: Cursor, first: int) -> list[Operation]:
    """DROP behind that word."""
    if c.take("TABLE"):
        return [tables.drop_table(c, first)]
    if c.take("INDEX"):
        return _drop_indexes(c, first)
    if c.seq("EXTERNAL", "TABLE"):
        return [tables.drop_table(c, first)]
    if c.seq("FULLTEXT", "INDEX"):
        return command("drop-fulltext-index", "ON")(c, first)
    sort = objects.read_phrase(c, _OBJECTS)
    if not sort:
        c.fail(f"no grammar for DROP {c.text[c.i]}")
    if sort in ("signature", "counter-signature", "sensitivity-classification"):
        return command(f"drop-{sort}", named=False)(c, first)
    return [objects.drop(c, first, _SAME.get(sort, sort))]


def _drop_indexes(c: Cursor, first: int) -> list[Operation]:
    """``i ON a [WITH (…)], j ON b``, or the old ``a.i, b.j``: an operation for each table, with the options said of its indexes."""
    if_exists = c.if_exists()
    found: dict[Name, tuple[list[Name], list[str]]] = {}
    while True:
        name = c.name()
        table = c.name() if c.take("ON") else _owner(name)
        if not table.name:
            c.need("ON")
        indexes, options = found.setdefault(table, ([], []))
        indexes.append(Name("", name.name))
        options += tail(c)
        if not c.take(","):
            break
    c.end()
    return [
        c.op(
            DropIndex,
            "drop-index",
            first,
            indexes=tuple(names),
            table=table,
            if_exists=if_exists,
            options=tuple(options),
        )
        for table, (names, options) in found.items()
    ]


def _owner(index: Name) -> Name:
    schema, _, table = index.schema.rpartition(".")
    return Name(schema, table)


def alter(c: Cursor, first: int) -> list[Operation]:
    """ALTER behind that word."""
    if c.take("TABLE"):
        return alter_sqlserver.alter_table(c, first)
    if c.take("PROCEDURE", "PROC", "FUNCTION", "TRIGGER", "VIEW"):
        return [_module(c, first, "alter")]
    if c.take("INDEX"):
        return [_alter_index(c, first)]
    if c.seq("MATERIALIZED", "VIEW"):
        return [synapse.alter_materialized_view(c, first)]
    if c.seq("FULLTEXT", "INDEX"):
        return command("alter-fulltext-index", "ON")(c, first)
    if c.take("SCHEMA"):
        return _transfer(c, first)
    if c.seq("RESOURCE", "GOVERNOR"):
        return command("alter-resource-governor", named=False)(c, first)
    if c.seq("DATABASE", "SCOPED", "CONFIGURATION"):
        c.rest()
        return [c.op(Other, "alter-database-scoped-configuration", first)]
    if c.take("AUTHORIZATION"):
        c.need("ON")
        c.rest()
        return [c.op(Other, "alter-authorization", first)]
    sort = objects.read_phrase(c, _OBJECTS)
    if not sort:
        c.fail(f"no grammar for ALTER {c.text[c.i]}")
    return [objects.alter(c, first, sort)]


def _transfer(c: Cursor, first: int) -> list[Operation]:
    schema = c.identifier()
    c.need("TRANSFER")
    if c.seq("XML", "SCHEMA", "COLLECTION", "::"):
        return command("alter-xml-schema-collection.set-schema")(c, first)
    if c.ahead("TYPE", "::"):
        c.i += 2
        name = c.name()
        c.end()
        return [c.op(RenameObject, "alter-type.set-schema", first, name=name, new=Name(schema, name.name))]
    if c.peek() == "::":  # OBJECT::name
        c.i += 2
    name = c.name()
    c.end()
    return [c.op(RenameTable, "alter-table.set-schema", first, table=name, new=Name(schema, name.name))]


def _alter_index(c: Cursor, first: int) -> Operation:
    name = c.identifier()
    c.need("ON")
    table = c.name()
    if c.seq("WITH", "XMLNAMESPACES"):
        c.skip_parens()
    word = c.word()
    if word not in ("REBUILD", "REORGANIZE", "DISABLE", "SET", "RESUME", "PAUSE", "ABORT", "FOR"):
        c.i -= 1
        c.fail()
    if word in ("SET", "FOR"):
        c.skip_parens()
    if c.take("PARTITION"):
        c.take("=")
        c.word()
    options = tail(c)
    c.end()
    action = "set-option" if word in ("SET", "FOR") else word.lower()
    return c.op(Other, f"alter-index.{action}", first, object=table, options=(f"index {name.lower()}", *options))


# ── EXEC ──


def execute(c: Cursor, first: int) -> list[Operation]:
    """EXEC behind that word: a procedure, sp_rename, or text that is run."""
    if c.at("AS") and c.peek() in ("USER", "LOGIN", "CALLER", "OWNER", "SELF"):
        return command("execute-as", named=False)(c, first)
    if c.at("("):
        c.rest()
        return [c.op(Other, "execute-dynamic", first)]
    if c.text[c.i].startswith("@") and c.peek() == "=":
        c.i += 2
    if c.text[c.i].startswith("@"):
        return command("call", named=False)(c, first)
    name = c.name()
    called = name.name.lower()
    if called == "sp_executesql":
        c.rest()
        return [c.op(Other, "execute-dynamic", first)]
    if called == "sp_rename":
        return [_rename(c, first)]
    c.rest()
    return [c.op(Other, "call", first, object=name)]


def procedure(c: Cursor, first: int) -> list[Operation]:
    """A system procedure called without EXEC, as the first statement of a batch may be."""
    c.i = first
    return execute(c, first)


def _arguments(c: Cursor) -> list[str]:
    """The string arguments in order, named ones in the order objname, newname, objtype."""
    found: dict[str, str] = {}
    for place in ("@objname", "@newname", "@objtype"):
        if c.done:
            break
        name = place
        if c.text[c.i].startswith("@") and c.peek() == "=":
            name = c.text[c.i].lower()
            c.i += 2
        found[name] = unquote_text(c.text[c.i])
        c.i += 1
        c.take(",")
    return [found.get(place, "") for place in ("@objname", "@newname", "@objtype")]


def _rename(c: Cursor, first: int) -> Operation:
    old, new, sort = _arguments(c)
    c.rest()
    parts = [unquote(part, c.traits, "keep") for part in _split_name(old)] or [""]
    kind = sort.lower()
    if kind in ("column", "index", "statistics") and len(parts) > 1:
        table = Name(".".join(parts[:-2]), parts[-2])
        if kind == "column":
            fields = {"column": parts[-1].lower(), "new": new.strip("[]").lower()}
            return c.op(RenameColumn, "rename-column", first, table=table, **fields)
        if kind == "index":
            return c.op(RenameIndex, "rename-index", first, index=Name("", parts[-1]), new=new, table=table)
    name = Name(".".join(parts[:-1]), parts[-1])
    if kind in ("", "object") and not parts[-1].upper().startswith(_CONSTRAINTS):
        return c.op(RenameTable, "rename-table", first, table=name, new=Name("", new))
    noun = {"": "constraint", "object": "constraint", "userdatatype": "type"}.get(kind, kind)
    return c.op(RenameObject, f"rename-{noun}", first, name=name, new=Name("", new))


_CONSTRAINTS = ("PK_", "FK_", "DF_", "CK_", "UQ_", "UC_", "IX_", "AK_")


def _split_name(text: str) -> list[str]:
    found, current, inside = [], "", False
    for char in text:
        if char == "." and not inside:
            found.append(current)
            current = ""
            continue
        inside = char == "[" or (inside and char != "]")
        current += char
    return [part for part in (*found, current) if part]


# ── the rest ──


def _update(c: Cursor, first: int) -> list[Operation]:
    if c.take("STATISTICS"):
        return command("analyze")(c, first)
    return changes.update(c, first)


def _begin(c: Cursor, first: int) -> list[Operation]:
    if c.at("DIALOG", "CONVERSATION"):
        return command("begin-conversation", named=False)(c, first)
    c.take("DISTRIBUTED")
    return session.begin(c, first)


def _save(c: Cursor, first: int) -> list[Operation]:
    c.need("TRAN", "TRANSACTION")
    return session.savepoint(c, first)


def _truncate(c: Cursor, first: int) -> list[Operation]:
    return [tables.truncate(c, first)]


def _trigger_state(c: Cursor, first: int) -> list[Operation]:
    c.need("TRIGGER")
    while not c.done and not c.take("ON"):
        c.i += 1
    table = None if c.at("DATABASE", "ALL") else objects.maybe_name(c)
    c.rest()
    return [c.op(Other, "alter-table.set-trigger-state", first, object=table)]


def _bulk(c: Cursor, first: int) -> list[Operation]:
    c.need("INSERT")
    table = c.name()
    c.rest()
    return [c.op(Dml, "bulk-insert", first, tables=(table,))]


def _add(c: Cursor, first: int) -> list[Operation]:
    sort = objects.read_phrase(c, _OBJECTS)
    if not sort:
        c.fail()
    return command(f"add-{sort}", named=False)(c, first)


_COMMANDS = {
    "PRINT": "print", "RAISERROR": "raise-error", "THROW": "raise-error", "RETURN": "return", "GOTO": "goto", "WAITFOR": "wait",
    "DECLARE": "declare", "GRANT": "grant", "REVOKE": "revoke", "DENY": "deny", "CHECKPOINT": "checkpoint", "DBCC": "dbcc",
    "BACKUP": "backup", "RESTORE": "restore", "OPEN": "open", "FETCH": "fetch", "CLOSE": "close", "DEALLOCATE": "deallocate",
    "KILL": "kill", "RECONFIGURE": "reconfigure", "SHUTDOWN": "shutdown", "REVERT": "revert", "BREAK": "break", "CONTINUE": "continue",
    "RECEIVE": "receive", "SEND": "send", "END CONVERSATION": "end-conversation", "MOVE": "move-conversation", "GET": "get-conversation-group",
    "READTEXT": "read-text", "WRITETEXT": "write-text", "UPDATETEXT": "update-text", "SETUSER": "execute-as",
}  # fmt: skip

HEADS: dict[str, Callable[[Cursor, int], list[Operation]]] = {
    "CREATE": create, "DROP": drop, "ALTER": alter, "TRUNCATE": _truncate, "SET": session.set_tsql, "INSERT": changes.insert,
    "UPDATE": _update, "DELETE": changes.delete, "MERGE": changes.merge, "WITH": changes.with_query, "SELECT": changes.select,
    "(": changes.select, "EXEC": execute, "EXECUTE": execute, "BEGIN": _begin, "COMMIT": session.commit, "ROLLBACK": session.rollback,
    "SAVE": _save, "USE": command("use"), "ENABLE": _trigger_state, "DISABLE": _trigger_state, "BULK": _bulk, "SP_*": procedure, "ADD": _add,
    "RENAME OBJECT": synapse.rename, "RENAME DATABASE": synapse.rename, "COPY INTO": synapse.copy,
    **{word: command(kind, named=False) for word, kind in _COMMANDS.items()},
}  # fmt: skip
