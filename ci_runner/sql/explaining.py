"""Says of every statement what it does, to what, with which lock and at what cost, from its operations alone.

With the schema before the file at hand, type changes are judged by the old type; without it they count as a rewrite. For PostgreSQL the
rules' knowledge of that schema is asked, where the caller hands it over.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from ci_runner.model.operations import (
    AddColumn,
    AddConstraint,
    AlterColumnType,
    Column,
    CreateIndex,
    CreateTable,
    CreateView,
    Dml,
    DropIndex,
    DropObjects,
    Name,
    Operation,
    Other,
    Statement,
)
from ci_runner.model.report import StatementEffect
from ci_runner.model.schema import Catalog
from ci_runner.sql.dialects import normalize_dialect
from ci_runner.sql.effect_table import AE, EFFECTS, READ, SHARE, SRE, STRENGTH, SUE, Cost, known
from ci_runner.text.pattern import later

_NAMED = (
    "table", "tables", "index", "indexes", "view", "function", "type", "domain", "name", "names", "objects", "object",
)  # fmt: skip
_CALM = later(
    r"now|current_\w+|localtime\w*|transaction_timestamp|statement_timestamp|to_timestamp|lower|upper|coalesce|concat|date_trunc|cast|interval|"
    r"array|row|json_build_\w+|jsonb_build_\w+|to_jsonb?|timezone|md5|length|replace|numeric|varchar|timestamp|decimal|char|current_setting",
    re.IGNORECASE,
)
_CALL = later(r"([A-Za-z_][\w.]*)\s*\(")
_STRING = later(r"'[^']*'")
Exact = Callable[[Operation, Cost, Catalog], Cost]


def effects(
    statements: Sequence[Statement], dialect: str, state: Catalog | None = None, exact: Exact | None = None
) -> tuple[StatementEffect, ...]:
    """One row per statement; ``state`` is the schema before the first of them, where it is known.

    ``exact`` makes the cost of an operation of PostgreSQL exact by that schema (``ci_runner.lint.costs``).
    """
    name = normalize_dialect(dialect)
    found: list[StatementEffect] = []
    for statement in statements:
        found.append(_effect(statement, name, state, exact if name == "postgres" else None))
        if state is not None:
            from ci_runner.sql import catalog

            state = catalog.fold(state, (statement,), name)
    return tuple(found)


def _effect(statement: Statement, dialect: str, state: Catalog | None, exact: Exact | None) -> StatementEffect:
    costs = [cost(operation, dialect, state) for operation in _counted(statement.operations, dialect)]
    if exact is not None and state is not None:
        costs = [exact(operation, found, state) for operation, found in zip(statement.operations, costs, strict=True)]
    order = STRENGTH[dialect]
    lock = max((c.lock for c in costs), key=lambda word: order.index(word) if word in order else -1, default="")
    effect = max((c.effect for c in costs), key=EFFECTS.index, default="none")
    rows = tuple((operation.kind, subject(operation), operation.conditional) for operation in statement.operations)
    return StatementEffect(
        statement.line, statement.end_line, statement.text, rows, lock, effect, statement.not_analysed
    )


def _counted(operations: tuple[Operation, ...], dialect: str) -> tuple[Operation, ...]:
    """What a statement's cost is made of: MySQL replaces a primary key in place, though it copies to drop one."""
    if _family(dialect) != "mysql" or all(o.kind != "alter-table.add-primary-key" for o in operations):
        return operations
    return tuple(o for o in operations if o.kind != "alter-table.drop-primary-key")


def subject(operation: Operation) -> str:
    """What an operation is about, as text: a table, ``table.column``, several names; "" where it has none."""
    for field in _NAMED:
        value = getattr(operation, field, None)
        if value is None or value == ():
            continue
        if isinstance(value, Name):
            return _with_part(str(value), operation)
        if isinstance(value, tuple) and all(isinstance(item, Name) for item in value):
            return ", ".join(map(str, value))
    return str(getattr(operation, "name", "") or "")


def _with_part(table: str, operation: Operation) -> str:
    column = getattr(operation, "column", None)
    part = column if isinstance(column, str) else getattr(column, "name", "")
    return f"{table}.{part}" if part else table


def cost(operation: Operation, dialect: str, state: Catalog | None = None) -> Cost:
    """The lock an operation takes on what existed before, and its effect on rows."""
    found = known(dialect, operation.kind)
    family = _family(dialect)
    judge = _JUDGES.get((family, type(operation))) or (_my_algorithm if family == "mysql" else None)
    costs = judge(operation, found, state) if judge else found
    return Cost(SRE, costs.effect) if dialect == "redshift" and costs.lock not in _REDSHIFT_LOCKS else costs


_REDSHIFT_LOCKS = ("", READ, AE)  # and SHARE ROW EXCLUSIVE: it has these three modes


def _family(dialect: str) -> str:
    return {"mariadb": "mysql", "redshift": "postgres"}.get(dialect, dialect)


# ── what the kind alone does not say ──


def _pg_create_table(operation: Operation, found: Cost, _state: Catalog | None) -> Cost:
    if isinstance(operation, CreateTable) and not operation.partition_of:
        refers = any(c.references for c in operation.columns) or any(c.references for c in operation.constraints)
        copied = operation.selects or operation.source
        return Cost(SRE if refers else READ if copied else "", "metadata")
    return found


def _pg_add_column(operation: Operation, _found: Cost, _state: Catalog | None) -> Cost:
    if not isinstance(operation, AddColumn):
        return _found
    column = operation.column
    if column.identity or column.generated == "stored" or (not column.generated and volatile(column.default or "")):
        return Cost(AE, "rewrite")
    if column.check or column.unique or column.primary_key or (column.references and column.default):
        return Cost(AE, "scan")
    return Cost(AE, "metadata")


def volatile(expression: str) -> bool:
    """Whether a default calls a function that is not known to be the same for every row."""
    calls = _CALL.findall(_STRING.sub("''", expression))
    return any(not _CALM.fullmatch(call.rpartition(".")[2]) for call in calls)


def _pg_only(operation: Operation, found: Cost, _state: Catalog | None) -> Cost:
    if isinstance(operation, CreateIndex) and operation.only:
        return Cost(SUE if operation.concurrently else SHARE, "metadata")
    return found


_COMMENTED = {
    **dict.fromkeys(("table", "column", "index", "view", "materialized", "sequence", "foreign"), SUE),
    **dict.fromkeys(("constraint", "trigger", "policy", "rule"), READ),
}


def _pg_other(operation: Operation, found: Cost, _state: Catalog | None) -> Cost:
    options = operation.options
    if operation.kind == "lock-table" and options:
        return Cost(options[0].upper(), "none")
    if "foreign" in options and operation.kind == "alter-table.set-table-option":
        return Cost(AE, "metadata")
    if "not valid" in options:
        return Cost("", "metadata")
    if operation.kind == "set-comment" and options:
        return Cost(_COMMENTED.get(options[0], ""), "metadata")
    if operation.kind == "select" and options:
        return Cost("ROW SHARE" if options == ("for update",) else "", "none")
    return found


def _pg_drop(operation: Operation, found: Cost, _state: Catalog | None) -> Cost:
    """DROP SCHEMA locks what is in it."""
    return Cost(AE, "metadata") if operation.kind == "drop-schema" and "cascade" in operation.options else found


def _pg_view(operation: Operation, found: Cost, _state: Catalog | None) -> Cost:
    return Cost(READ, "metadata") if getattr(operation, "reads", ()) and not found.lock else found


def _pg_rows(operation: Operation, found: Cost, _state: Catalog | None) -> Cost:
    """COPY … TO reads."""
    return found if getattr(operation, "tables", ()) or operation.kind != "copy" else Cost(READ, "none")


def _pg_constraint(operation: Operation, found: Cost, _state: Catalog | None) -> Cost:
    """What is not enforced is not checked either."""
    unchecked = isinstance(operation, AddConstraint) and not operation.constraint.enforced
    return Cost(found.lock, "metadata") if unchecked else found


def _lite_add_column(operation: Operation, found: Cost, _state: Catalog | None) -> Cost:
    """SQLite tests the rows that are there when the column has a CHECK, or is computed and NOT NULL."""
    column = getattr(operation, "column", None)
    tested = column is not None and (column.check or (column.generated and column.nullable is False))
    return Cost(found.lock, "scan") if tested else found


def _lite_other(operation: Operation, found: Cost, _state: Catalog | None) -> Cost:
    """VACUUM INTO only reads."""
    return Cost("", "scan") if operation.kind == "vacuum" and "into" in operation.options else found


def _my_constraint(operation: Operation, found: Cost, state: Catalog | None) -> Cost:
    """A CHECK that is not enforced is not tested either."""
    if isinstance(operation, AddConstraint) and not operation.constraint.enforced:
        found = Cost("METADATA", "metadata")
    return _my_algorithm(operation, found, state)


def _my_drop_index(operation: Operation, found: Cost, state: Catalog | None) -> Cost:
    """DROP INDEX `PRIMARY` drops the primary key."""
    if isinstance(operation, DropIndex) and any(index.name.upper() == "PRIMARY" for index in operation.indexes):
        found = known("mysql", "alter-table.drop-primary-key")
    return _my_algorithm(operation, found, state)


def _my_algorithm(operation: Operation, found: Cost, _state: Catalog | None) -> Cost:
    """The ALGORITHM and LOCK a statement names decide, or it fails."""
    given = dict(option.split("=", 1) for option in operation.options if "=" in option)
    effect = {"instant": "metadata", "copy": "rewrite"}.get(given.get("algorithm", ""), found.effect)
    lock = {"instant": "METADATA", "copy": "SHARED"}.get(given.get("algorithm", ""), found.lock)
    return Cost({"none": "NONE", "shared": "SHARED", "exclusive": "EXCLUSIVE"}.get(given.get("lock", ""), lock), effect)


_REBUILDING = (
    "row_format",
    "key_block_size",
    "encryption",
    "tablespace",
    "page_compressed",
    "encrypted",
    "data directory",
)


def _my_other(operation: Operation, found: Cost, state: Catalog | None) -> Cost:
    """Table options that rebuild the table, those that say something of it, and the two manners of LOCK TABLES."""
    options = operation.options
    if operation.kind == "lock-table" and options:
        return Cost("EXCLUSIVE" if options[0] == "write" else "SHARED", "none")
    if operation.kind == "alter-table.alter-constraint" and "enforced" in options:
        found = Cost("SHARED", "rewrite")
    if operation.kind == "alter-table.set-engine" and not any(o.endswith("=innodb") for o in options):
        found = Cost("SHARED", "rewrite")
    if operation.kind == "alter-table.set-table-option" and not any(o.startswith(_REBUILDING) for o in options):
        found = Cost("METADATA", "metadata")
    return _my_algorithm(operation, found, state)


def _my_add_column(operation: Operation, found: Cost, state: Catalog | None) -> Cost:
    if isinstance(operation, AddColumn):
        column = operation.column
        if column.generated == "stored" or column.identity or column.primary_key or column.unique:
            found = Cost("SHARED", "rewrite")
    return _my_algorithm(operation, found, state)


def _ms_online(operation: Operation, found: Cost, _state: Catalog | None) -> Cost:
    """What is built or copied ONLINE leaves readers and writers at work; a key that is not enforced is not built."""
    options = getattr(getattr(operation, "index", None), "options", ()) + operation.options
    if isinstance(operation, AddConstraint) and not operation.constraint.enforced:
        return Cost(found.lock, "metadata")
    online = any(o.startswith("online") and not o.endswith("off") for o in options)
    if isinstance(operation, CreateIndex) and "clustered" in options and not online:
        return Cost("Sch-M", found.effect)
    return Cost("Sch-S", found.effect) if online and found.effect in ("scan", "rewrite") else found


def _ms_type(operation: Operation, found: Cost, state: Catalog | None) -> Cost:
    """A longer variable-length type, or the same one, keeps the rows; NOT NULL has to look at them."""
    costs = _ms_online(operation, found, state)
    column = _present(operation, state, "sqlserver")
    if column is None or column.type is None or not isinstance(operation, AlterColumnType):
        return costs
    old, new = column.type, operation.type
    lengths = [int(arg) for arg in (*old.args, *new.args) if arg.strip().isdigit()]
    longer = old.base in ("varchar", "nvarchar", "varbinary") and len(lengths) == 2 and lengths[0] <= lengths[1]
    if old.base != new.base or not (longer or old.args == new.args):
        return costs
    required = operation.definition is not None and operation.definition.nullable is False
    return Cost(costs.lock, "scan" if required and column.nullable is not False else "metadata")


def _ch_type(operation: Operation, found: Cost, state: Catalog | None) -> Cost:
    """A codec, default or comment beside the type that is there rewrites nothing."""
    column = _present(operation, state, "clickhouse")
    if column is None or column.type is None or not isinstance(operation, AlterColumnType):
        return found
    return Cost("", "metadata") if column.type.text == operation.type.text else found


def _present(operation: Operation, state: Catalog | None, dialect: str) -> Column | None:
    """The column an operation changes, as the schema before it has it."""
    if state is None or not isinstance(operation, AlterColumnType):
        return None
    from ci_runner.sql.catalog import table_of

    table = table_of(state, operation.table, dialect)
    return table.columns.get(operation.column) if table else None


def _ms_add_column(operation: Operation, found: Cost, _state: Catalog | None) -> Cost:
    if not isinstance(operation, AddColumn):
        return found
    column = operation.column
    fills = (column.default is not None and column.nullable is False) or "with values" in column.options
    fills = fills or bool(column.type and column.type.base in ("rowversion", "timestamp"))
    if fills or column.identity or column.generated == "stored":
        return Cost("Sch-M", "rewrite")
    checked = column.unique or column.primary_key or column.check
    return Cost("Sch-M", "scan" if checked else "metadata")


Judge = Callable[[Operation, Cost, Catalog | None], Cost]
_JUDGES: dict[tuple[str, type], Judge] = {
    ("postgres", CreateTable): _pg_create_table, ("postgres", AddColumn): _pg_add_column,
    ("postgres", CreateIndex): _pg_only, ("postgres", Other): _pg_other,
    ("postgres", CreateView): _pg_view, ("postgres", DropObjects): _pg_drop, ("postgres", Dml): _pg_rows, ("postgres", AddConstraint): _pg_constraint,
    ("mysql", AddColumn): _my_add_column, ("mysql", AddConstraint): _my_constraint, ("mysql", DropIndex): _my_drop_index,
    ("mysql", Other): _my_other, ("sqlite", AddColumn): _lite_add_column, ("sqlite", Other): _lite_other, ("sqlserver", CreateIndex): _ms_online,
    ("sqlserver", Other): _ms_online, ("sqlserver", AlterColumnType): _ms_type, ("sqlserver", AddColumn): _ms_add_column,
    ("sqlserver", AddConstraint): _ms_online, ("clickhouse", AlterColumnType): _ch_type,
}  # fmt: skip
