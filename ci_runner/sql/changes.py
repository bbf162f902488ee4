"""Reads statements that change rows or read them: INSERT, UPDATE, DELETE, MERGE, SELECT, WITH, COPY."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from ci_runner.model.operations import CreateTable, Dml, Name, Operation, Other, Setting
from ci_runner.sql.cursor import unquote_text
from ci_runner.sql.inner import part, written
from ci_runner.sql.queries import find, parts, select_list, tables_read

if TYPE_CHECKING:
    from ci_runner.sql.cursor import Cursor

_MAIN = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "VALUES", "REPLACE", "TABLE"})
_INSERT_NOISE = ("LOW_PRIORITY", "DELAYED", "HIGH_PRIORITY", "IGNORE", "TABLE", "INTO", "OVERWRITE", "ALL", "FIRST")
_SOURCE = frozenset(
    {"SELECT", "VALUES", "VALUE", "WITH", "SET", "DEFAULT", "EXEC", "EXECUTE", "TABLE", "FROM", "FORMAT"}
)


_ELSEWHERE = ("OPENQUERY", "OPENROWSET", "OPENDATASOURCE")


def _is_elsewhere(c: Cursor) -> bool:
    """Whether the target is rows of another server (SQL Server): no table known here, whatever is done to it."""
    return c.dialect == "sqlserver" and c.at(*_ELSEWHERE) and c.peek() == "("


def _elsewhere(c: Cursor, first: int, kind: str) -> list[Operation]:
    where = find(c, frozenset({"WHERE"}), c.i) < c.last
    c.rest()
    return [c.op(Dml, kind, first, tables=(), where=where)]


def insert(c: Cursor, first: int) -> list[Operation]:
    """INSERT or REPLACE behind that word."""
    overwrite = False
    if c.dialect == "postgres" and not c.at("INTO"):
        c.fail()
    if c.take("OR"):
        c.word()
    if c.dialect == "snowflake" and (c.at("ALL", "FIRST") or (c.at("OVERWRITE") and c.peek() in ("ALL", "FIRST"))):
        return _insert_all(c, first)
    if c.dialect == "sqlserver" and c.take("TOP"):
        c.skip_parens() if c.at("(") else c.word()
        c.take("PERCENT")
    while c.at(*_INSERT_NOISE) and c.peek() != ".":
        overwrite = overwrite or c.at("OVERWRITE")
        c.i += 1
    if c.dialect == "clickhouse" and c.take("FUNCTION"):
        c.rest()
        return [c.op(Dml, "insert", first, tables=())]
    if _is_elsewhere(c):
        return _elsewhere(c, first, "insert")
    if c.at("WHEN", "("):
        c.rest()  # Snowflake's INSERT ALL WHEN …; T-SQL's TOP (n)
        return [c.op(Dml, "insert", first, tables=())]
    table = c.name()
    columns: tuple[str, ...] = ()
    if c.take("AS"):
        c.identifier()
    if c.at("(") and c.peek() not in ("SELECT", "WITH"):
        begin = c.i
        c.skip_parens()
        columns = _columns(c, begin + 1, c.i - 1)
    at = find(c, _SOURCE, c.i)
    values = _values(c, at, columns)
    reads = tables_read(c, c.i, c.last)
    where = find(c, frozenset({"WHERE"}), at) < c.last
    c.rest()
    kind = "insert-overwrite" if overwrite else "insert"
    return [c.op(Dml, kind, first, tables=(table,), reads=reads, where=where, columns=columns, values=values)]


def _insert_all(c: Cursor, first: int) -> list[Operation]:
    """Snowflake's INSERT ALL and FIRST: rows of one query go to several tables."""
    kind = "insert-overwrite" if c.take("OVERWRITE") else "insert"
    tables: list[Name] = []
    while True:
        c.i = find(c, frozenset({"INTO", "SELECT", "WITH"}), c.i)
        if not c.take("INTO"):
            break
        tables.append(c.name())
    reads = tables_read(c, c.i, c.last)
    if not tables or c.done:
        c.fail()
    c.rest()
    return [c.op(Dml, kind, first, tables=tuple(tables), reads=reads)]


def _columns(c: Cursor, first: int, stop: int) -> tuple[str, ...]:
    keep, c.i = c.i, first
    found: list[str] = []
    while c.i < stop:
        found.append(c.column() if c.text[c.i] != "*" else c.word())
        while c.i < stop and c.text[c.i] != ",":
            c.i += 1
        c.i += 1
    c.i = keep
    return tuple(found)


def _values(c: Cursor, at: int, _columns: tuple[str, ...]) -> tuple[str, ...]:
    word = c.upper[at] if at < c.last else ""
    if word == "WITH":
        at = find(c, frozenset({"SELECT"}), at)
        word = "SELECT" if at < c.last else ""
    if word == "SELECT":
        return select_list(c, at)
    if word in ("VALUES", "VALUE") and c.text[at + 1] == "(":
        keep, c.i = c.i, at + 1
        c.skip_parens()
        found = parts(c, at + 2, c.i - 1)
        c.i = keep
        return found
    return ()


def update(c: Cursor, first: int) -> list[Operation]:
    """UPDATE behind that word."""
    if c.take("OR"):
        c.word()
    while c.take("LOW_PRIORITY", "IGNORE", "ONLY"):
        pass
    if c.take("TOP"):
        c.skip_parens() if c.at("(") else c.word()
        c.take("PERCENT")
    if _is_elsewhere(c):
        return _elsewhere(c, first, "update")
    target = c.name()
    at = find(c, frozenset({"SET"}), c.i)
    if at == c.last:
        c.fail()
    tables = _aliased(c, target, at)
    begin = at + 1
    stop = find(c, frozenset({"FROM", "WHERE", "RETURNING", "ORDER", "LIMIT", "OUTPUT", "OPTION"}), begin)
    assigned = parts(c, begin, stop)
    reads = tables_read(c, c.i, c.last)
    where = find(c, frozenset({"WHERE"}), begin) < c.last
    columns = tuple(_assigned(c, text) for text in assigned)
    values = tuple(text.partition("=")[2].strip() for text in assigned)
    c.rest()
    return [c.op(Dml, "update", first, tables=tables, reads=reads, where=where, columns=columns, values=values)]


def _assigned(c: Cursor, text: str) -> str:
    name = text.partition("=")[0].strip().rpartition(".")[2].strip('"`[] ')
    return (
        name if c.traits.fold_columns == "keep" else name.upper() if c.traits.fold_columns == "upper" else name.lower()
    )


def _aliased(c: Cursor, target: Name, at: int) -> tuple[Name, ...]:
    """The table behind an alias (T-SQL: UPDATE x SET … FROM t x), and the joined tables of MySQL's UPDATE a JOIN b."""
    if c.dialect == "sqlserver" and not target.schema:
        name = target.name.lower()
        i = find(c, frozenset({"FROM"}), at)
        for k in range(i + 1, c.last):
            if (
                c.text[k].strip('[]"').lower() == name
                and c.upper[k - 1] not in ("FROM", "JOIN", ".", ",")
                and c.text[k + 1 : k + 2] != ["."]
            ):
                stop = k - 1 if c.upper[k - 1] == "AS" else k
                return _derived(c, stop - 1) or (target,) if c.text[stop - 1] == ")" else (_name_before(c, stop),)
    return (target,)


def _derived(c: Cursor, closed: int) -> tuple[Name, ...]:
    """T-SQL changes a table through a derived one: the table is what the query in those parentheses reads."""
    depth, i = 1, closed
    while depth and i:
        i -= 1
        depth += (c.text[i] == ")") - (c.text[i] == "(")
    return tables_read(c, i + 1, closed)[:1]


def _name_before(c: Cursor, stop: int) -> Name:
    begin = stop - 1
    while begin >= 2 and c.text[begin - 1] == ".":
        begin -= 3 if c.text[begin - 2] == "." else 2  # db..table
    keep, c.i = c.i, begin
    name = c.name()
    c.i = keep
    return name


def delete(c: Cursor, first: int) -> list[Operation]:
    """DELETE behind that word."""
    while c.take("LOW_PRIORITY", "QUICK", "IGNORE") or (c.ahead("HISTORY", "FROM") and c.take("HISTORY")):
        pass
    if c.take("TOP"):
        c.skip_parens()
    if not c.take("FROM") and c.dialect in ("postgres", "sqlite"):
        c.fail()
    c.take("ONLY")
    if _is_elsewhere(c):
        return _elsewhere(c, first, "delete")
    target = _target(c)
    while c.dialect in ("mysql", "mariadb") and c.take(","):
        _target(c)
    reads = tuple(name for name in tables_read(c, c.i, c.last) if name != target)
    where = find(c, frozenset({"WHERE"}), c.i) < c.last
    tables = _aliased(c, target, c.i - 1)
    c.rest()
    return [c.op(Dml, "delete", first, tables=tables, reads=reads, where=where)]


def _target(c: Cursor) -> Name:
    """The table of a DELETE; MySQL lets ``.*`` follow."""
    first = c.identifier()
    parts = [first]
    while c.take("."):
        if c.take("*"):
            break
        parts.append("" if c.at(".") else c.identifier())  # db..table
    return Name(".".join(parts[:-1]), parts[-1])


def merge(c: Cursor, first: int) -> list[Operation]:
    """MERGE behind that word."""
    if c.take("TOP"):
        c.skip_parens()
    c.take("INTO")
    c.take("ONLY")
    table = c.name()
    reads = tables_read(c, c.i, c.last)
    c.rest()
    return [c.op(Dml, "merge", first, tables=(table,), reads=reads, where=True)]


def with_query(c: Cursor, first: int) -> list[Operation]:
    """WITH … and the statement it belongs to; data changes among the CTEs come first."""
    at = find(c, _MAIN, c.i)
    if at == c.last:
        c.fail("WITH without a statement")
    changed = written(c, c.i, at)
    c.i = at + 1
    reader = {"INSERT": insert, "REPLACE": insert, "UPDATE": update, "DELETE": delete, "MERGE": merge}.get(c.upper[at])
    if reader is None:
        c.i = at
        return changed + select(c, first, word=False)
    found = reader(c, first)
    reads = tables_read(c, first, c.last)
    target = found[0].tables if isinstance(found[0], Dml) else ()
    reading = _reading(found[0], tuple(name for name in reads if name not in target))
    return [*changed, _through(c, reading, at) if c.dialect == "sqlserver" else reading]


def _through(c: Cursor, operation: Operation, stop: int) -> Operation:
    """T-SQL changes a table through a CTE: the table is what the CTE reads."""
    target = operation.tables[0] if isinstance(operation, Dml) and operation.tables else None
    for i in range(1, stop if target and not target.schema else 0):
        if target and c.text[i].strip('[]"').lower() == target.name.lower() and c.upper[i - 1] in ("WITH", ","):
            reads = tables_read(c, i + 1, stop)
            return replace(operation, tables=reads[:1]) if reads else operation
    return operation


def _reading(operation: Operation, reads: tuple[Name, ...]) -> Operation:
    return replace(operation, reads=reads) if isinstance(operation, Dml) else operation


_SET_CONFIG = (("SET_CONFIG",), ("PG_CATALOG", ".", "SET_CONFIG"))
_INTO_DIALECTS = ("postgres", "redshift", "sqlserver")


def select(c: Cursor, first: int, *, word: bool = True) -> list[Operation]:
    """SELECT behind that word (or before it): a query, a table made by INTO, a setting made by set_config."""
    if not word:
        c.take("SELECT", "VALUES", "TABLE")
    if c.dialect in ("postgres", "redshift") and c.at("SET_CONFIG", "PG_CATALOG"):
        found = _settings(c, first)
        if found:
            return found
    at = find(c, frozenset({"INTO", "FROM"}), c.i)
    if c.dialect in _INTO_DIALECTS and at < c.last and c.upper[at] == "INTO":
        return [_select_into(c, first, at)]
    locking = c.dialect == "postgres" and "FOR" in c.upper and _locks(c.upper)
    c.rest()
    bare = c.dialect == "postgres" and "FROM" not in c.upper and "TABLE" not in c.upper
    return [c.op(Other, "select", first, options=("for update",) if locking else ("reads nothing",) if bare else ())]


def _locks(upper: list[str]) -> bool:
    """Whether a query locks the rows it reads: FOR UPDATE, FOR NO KEY UPDATE, FOR SHARE, FOR KEY SHARE."""
    return any(upper[i] == "FOR" and upper[i + 1] in ("UPDATE", "NO", "SHARE", "KEY") for i in range(len(upper) - 1))


def _select_into(c: Cursor, first: int, at: int) -> Operation:
    c.i = at + 1
    temporary = c.take("TEMP", "TEMPORARY")
    c.take("UNLOGGED")
    c.take("TABLE")
    if c.text[c.i].startswith("@"):
        c.rest()
        return c.op(Other, "select", first)
    hashed = c.text[c.i].lstrip("[").startswith("#")
    table = c.name()
    c.rest()
    kind = "create-temp-table" if temporary or hashed else "create-table-as"
    return c.op(CreateTable, kind, first, table=table, temporary=temporary or hashed, selects=True)


def _settings(c: Cursor, first: int) -> list[Operation]:
    """The settings made by a query that begins with set_config(…): by that, and by each that follows it at once."""
    found: list[Operation] = []
    while any(c.seq(*phrase) for phrase in _SET_CONFIG):
        found.append(_set_config(c, first))
        if c.take("AS"):
            c.identifier()
        if not c.take(","):
            break
        first = c.i
    if found:
        c.rest()
    return found


def _set_config(c: Cursor, first: int) -> Operation:
    begin = c.i + 1
    c.skip_parens()
    given = parts(c, begin, c.i - 1)
    name = unquote_text(given[0]).lower() if given else ""
    value = unquote_text(given[1]) if len(given) > 1 else ""
    local = len(given) > 2 and given[2].lower() in ("true", "'t'", "'true'", "'on'")
    return c.op(Setting, "set-setting", first, name=name, value=value, scope="local" if local else "")


def _copied(c: Cursor) -> list[Operation]:
    """The data changes of COPY (DELETE … RETURNING …) TO …."""
    begin = c.i + 1
    if c.dialect != "postgres" or c.upper[begin] not in ("INSERT", "UPDATE", "DELETE", "MERGE", "WITH"):
        return []
    c.skip_parens()
    found = part(c, begin, c.i - 1)
    return [operation for operation in found if operation.kind != "select"]


def copy(c: Cursor, first: int) -> list[Operation]:
    """COPY of PostgreSQL, Redshift and Snowflake, behind that word."""
    c.take("INTO", "BINARY")
    if c.at("(") or c.text[c.i][:1] in ("@", "'"):
        reads = tables_read(c, c.i, c.last)
        changed = _copied(c)
        c.rest()
        return [*changed, c.op(Dml, "copy", first, tables=(), reads=reads)]
    table = c.name()
    columns: tuple[str, ...] = ()
    if c.at("("):
        begin = c.i
        c.skip_parens()
        columns = _columns(c, begin + 1, c.i - 1)
    inward = c.at("FROM") or (c.dialect == "snowflake" and (c.done or c.peek() == "="))  # from the table's own stage
    if not inward and not c.at("TO"):
        c.fail()
    c.rest()
    return [
        c.op(Dml, "copy", first, tables=(table,) if inward else (), reads=() if inward else (table,), columns=columns)
    ]
