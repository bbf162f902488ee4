"""What Snowflake's statements begin with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from ci_runner.model.operations import CreateTable, Dml, Operation, Other
from ci_runner.sql import alter_snowflake, changes, definitions, objects, session, tables
from ci_runner.sql.session import command

if TYPE_CHECKING:
    from collections.abc import Callable

    from ci_runner.sql.cursor import Cursor

_OBJECTS = objects.phrases(
    "STREAM,TASK,STAGE,PIPE,FILE FORMAT,SEQUENCE,FUNCTION,PROCEDURE,EXTERNAL FUNCTION,SCHEMA,DATABASE,WAREHOUSE,ROLE,DATABASE ROLE,USER,SHARE,"
    "TAG,MASKING POLICY,ROW ACCESS POLICY,SESSION POLICY,PASSWORD POLICY,NETWORK POLICY,NETWORK RULE,AUTHENTICATION POLICY,AGGREGATION POLICY,"
    "PROJECTION POLICY,PACKAGES POLICY,PRIVACY POLICY,JOIN POLICY,STORAGE LIFECYCLE POLICY,INTEGRATION,API INTEGRATION,STORAGE INTEGRATION,"
    "SECURITY INTEGRATION,NOTIFICATION INTEGRATION,EXTERNAL ACCESS INTEGRATION,CATALOG INTEGRATION,RESOURCE MONITOR,ALERT,SECRET,CONNECTION,"
    "EXTERNAL VOLUME,FAILOVER GROUP,REPLICATION GROUP,MANAGED ACCOUNT,ACCOUNT,APPLICATION,APPLICATION PACKAGE,APPLICATION ROLE,STREAMLIT,"
    "SERVICE,COMPUTE POOL,IMAGE REPOSITORY,GIT REPOSITORY,NOTEBOOK,MODEL,CORTEX SEARCH SERVICE,SEMANTIC VIEW,DATA METRIC FUNCTION,CONTACT,"
    "MODEL MONITOR,DATASET,SNAPSHOT,LISTING,ORGANIZATION ACCOUNT,PROVISIONED THROUGHPUT,SESSION,BACKUP SET,BACKUP POLICY,DBT PROJECT,"
    "DCM PROJECT,MCP SERVER,GATEWAY,ARTIFACT REPOSITORY,AGENT,CORTEX AGENT,FEATURE POLICY,MAINTENANCE POLICY,SNAPSHOT SET,SNAPSHOT POLICY,SPCS,"
    "OPENFLOW DATA PLANE INTEGRATION,ONLINE FEATURE TABLE,ORGANIZATION LISTING,ORGANIZATION PROFILE,ORGANIZATION USER,"
    "ORGANIZATION USER GROUP,STORAGE SERVING,EXPERIMENT,TYPE,WORKSPACE,EXTERNAL LISTING,BUDGET,SNOWFLAKE INTELLIGENCE,"
    "VIEW,MATERIALIZED VIEW,DYNAMIC TABLE,EXTERNAL TABLE,EVENT TABLE,ICEBERG TABLE"
)
_MODIFIERS = frozenset(
    {"GLOBAL", "LOCAL", "TEMP", "TEMPORARY", "VOLATILE", "TRANSIENT", "SECURE", "RECURSIVE", "HYBRID", "ICEBERG", "AGGREGATE", "UNIQUE", "READ",
     "ONLY", "IMMUTABLE", "INTERACTIVE"}
)  # fmt: skip


def create(c: Cursor, first: int) -> list[Operation]:
    """CREATE [OR REPLACE | OR ALTER] behind the word CREATE; DEFINE of a DCM project means OR ALTER."""
    or_alter = c.seq("OR", "ALTER") or c.upper[first] == "DEFINE"
    or_replace = or_alter or c.seq("OR", "REPLACE")
    modifiers = set()
    while c.at(*_MODIFIERS):
        modifiers.add(c.word())
    sort = next((word for word in ("DYNAMIC", "EXTERNAL", "EVENT") if c.at(word) and c.peek() == "TABLE"), "")
    if not sort and c.at("DYNAMIC") and c.peek() in _MODIFIERS:
        c.i += 1
        modifiers.add(c.word())
        c.i -= 1
        sort = "DYNAMIC"
    if sort:
        c.i += 2
        return [_special_table(c, first, sort.lower(), or_replace=or_replace)]
    if c.take("TABLE"):
        found = tables.create_table(c, first, modifiers=frozenset(modifiers), or_replace=or_replace)
        altered = {"kind": "create-or-alter-table", "or_replace": False, "options": (*found.options, "or alter")}
        return [replace(found, **altered) if or_alter else found]
    if c.take("VIEW"):
        return [definitions.create_view(c, first, or_replace=or_replace)]
    if c.seq("MATERIALIZED", "VIEW"):
        return [definitions.create_view(c, first, materialized=True, or_replace=or_replace)]
    if c.take("FUNCTION", "PROCEDURE"):
        return [definitions.create_routine(c, first, c.upper[c.i - 1].lower(), or_replace=or_replace)]
    if c.take("INDEX"):
        return [definitions.create_index(c, first, frozenset(modifiers))]
    noun = _noun(c)
    if not noun:
        c.fail(f"no grammar for {c.upper[first]} {c.text[c.i]}")
    made = objects.create(c, first, noun, or_replace=or_replace)
    if or_alter and noun in ("schema", "database"):  # what is in it stays
        return [replace(made, kind=f"create-or-alter-{noun}")]
    return [made]


def _special_table(c: Cursor, first: int, sort: str, *, or_replace: bool) -> Operation:
    """A dynamic, external or event table: what it is made of is not checked."""
    exists = c.if_not_exists()
    name = c.name()
    c.rest()
    manner = "create-or-replace" if or_replace else "create"
    fields = {"or_replace": or_replace, "if_not_exists": exists, "selects": sort == "dynamic", "options": (sort,)}
    return c.op(CreateTable, f"{manner}-{sort}-table", first, table=name, **fields)


def _noun(c: Cursor) -> str:
    """The sort of object named next; of an instance of a class its last word: SNOWFLAKE.CORE.BUDGET."""
    if c.at("SNOWFLAKE") and c.peek() == ".":
        return c.name().name.lower().replace("_", "-")
    return objects.read_phrase(c, _OBJECTS)


def drop(c: Cursor, first: int) -> list[Operation]:
    """DROP behind that word."""
    while c.take("DYNAMIC", "EXTERNAL", "EVENT", "ICEBERG") and not c.at("TABLE"):
        c.i -= 1
        break
    if c.take("TABLE"):
        return [tables.drop_table(c, first)]
    if c.take("INDEX"):
        return [definitions.drop_index(c, first)]
    sort = _noun(c)
    if not sort:
        c.fail(f"no grammar for DROP {c.text[c.i]}")
    return [objects.drop(c, first, sort)]


def alter(c: Cursor, first: int) -> list[Operation]:
    """ALTER behind that word."""
    if c.take("TABLE"):
        return alter_snowflake.alter_table(c, first)
    if c.at("ICEBERG", "HYBRID") and c.peek() == "TABLE":
        c.i += 2
        return alter_snowflake.alter_table(c, first)
    sort = _noun(c)
    if not sort:
        c.fail(f"no grammar for ALTER {c.text[c.i]}")
    if sort == "session":
        return session.alter_session(c, first)
    if sort == "account":
        c.rest()
        return [c.op(Other, "alter-account", first)]
    if sort in ("warehouse", "user") and c.at("SET", "UNSET"):
        return [objects.action(c, first, sort, None)]  # the one in use
    return [objects.alter(c, first, sort)]


def _grant(c: Cursor, first: int) -> list[Operation]:
    kind = "grant-ownership" if c.at("OWNERSHIP") else "grant"
    c.rest()
    return [c.op(Other, kind, first)]


def _execute(c: Cursor, first: int) -> list[Operation]:
    if c.take("IMMEDIATE"):
        if c.at("FROM"):
            c.fail("EXECUTE IMMEDIATE FROM runs what stands elsewhere")
        c.rest()
        return [c.op(Other, "execute-dynamic", first)]
    word = c.word().lower()
    if word not in ("task", "alert", "managed", "notebook", "service", "job", "data", "dbt", "dcm"):
        c.i -= 1
        c.fail()
    return command(f"execute-{word}", "PROJECT")(c, first)


def _attach(c: Cursor, first: int) -> list[Operation]:
    """ATTACH of a DCM project: a policy, tag or data metric function to what has it from then on."""
    sort = _noun(c)
    if not sort:
        c.fail()
    return command(f"attach-{sort}")(c, first)


def _begin(c: Cursor, first: int) -> list[Operation]:
    """BEGIN opens a transaction when nothing but its words follow, else a block."""
    if c.done or c.at("TRANSACTION", "WORK", "NAME"):
        return session.begin(c, first)
    c.rest()
    return [c.op(Other, "procedural-block", first)]


def _declare(c: Cursor, first: int) -> list[Operation]:
    c.rest()
    return [c.op(Other, "procedural-block", first)]


def _truncate(c: Cursor, first: int) -> list[Operation]:
    if c.seq("MATERIALIZED", "VIEW"):
        return command("truncate-materialized-view")(c, first)
    return [tables.truncate(c, first)]


def _undrop(c: Cursor, first: int) -> list[Operation]:
    c.take("DYNAMIC", "ICEBERG") if c.peek() == "TABLE" else None
    sort = "table" if c.take("TABLE") else objects.read_phrase(c, _OBJECTS)
    if not sort:
        c.fail()
    name = c.name()
    if c.seq("RENAME", "TO"):
        c.name()
    c.end()
    return [c.op(Other, f"undrop-{sort}", first, object=name)]


def _copy(c: Cursor, first: int) -> list[Operation]:
    if c.take("FILES"):
        c.need("INTO")
        c.rest()
        return [c.op(Dml, "copy-files", first, tables=())]
    return changes.copy(c, first)


def _with(c: Cursor, first: int) -> list[Operation]:
    """WITH …; an anonymous procedure is called at its end."""
    if c.peek() == "AS" and c.peek(2) == "PROCEDURE":
        name = c.name()
        if "CALL" not in c.upper[c.i : c.last]:
            c.fail("a procedure WITH defines that is not called")
        c.rest()
        return [c.op(Other, "call", first, object=name)]
    return changes.with_query(c, first)


def _files(kind: str) -> Callable[[Cursor, int], list[Operation]]:
    def read(c: Cursor, first: int) -> list[Operation]:
        c.rest()
        return [c.op(Dml, kind, first, tables=())]

    return read


HEADS: dict[str, Callable[[Cursor, int], list[Operation]]] = {
    "CREATE": create, "DEFINE": create, "ATTACH": _attach, "DROP": drop, "ALTER": alter, "TRUNCATE": _truncate, "UNDROP": _undrop,
    "COMMENT": session.comment, "SET": session.set_snowflake, "UNSET": command("unset-variable"),
    "USE": command("use", "ROLE", "WAREHOUSE", "DATABASE", "SCHEMA", "SECONDARY", "ROLES"),
    "BEGIN": _begin, "START": session.begin, "COMMIT": session.commit, "ROLLBACK": session.rollback, "DECLARE": _declare,
    "INSERT": changes.insert, "UPDATE": changes.update, "DELETE": changes.delete, "MERGE": changes.merge, "WITH": _with,
    "SELECT": changes.select, "VALUES": changes.select, "(": changes.select, "COPY": _copy, "GRANT": _grant,
    "REVOKE": command("revoke", named=False), "CALL": command("call"), "EXECUTE": _execute, "SHOW": command("show", named=False),
    "DESCRIBE": command("explain", named=False), "DESC": command("explain", named=False), "EXPLAIN": command("explain", named=False),
    "LIST": _files("list-files"), "LS": _files("list-files"), "PUT": _files("put-files"), "GET": _files("get-files"),
    "REMOVE": _files("remove-files"), "RM": _files("remove-files"),
}  # fmt: skip
