"""Rewrites for PostgreSQL that spread over several transactions, so that no scan happens under a lock that stops the application."""

from __future__ import annotations

import re

from ci_runner.lint.clauses import clause, cut, end, ident, rewrite, short, target, written
from ci_runner.lint.context import Context
from ci_runner.lint.rule import Edit, Fix
from ci_runner.lint.types import base
from ci_runner.model.operations import AddColumn, AddConstraint, AlterColumn, CreateIndex, Partition
from ci_runner.model.schema import Table
from ci_runner.text.pattern import later

PARTITIONS = 30  # a rewrite of more would hardly be read
_ON = later(r'\bON\s+((?:"(?:[^"]|"")+"|[\w$]+)(?:\s*\.\s*(?:"(?:[^"]|"")+"|[\w$]+))?)', re.IGNORECASE)
_ANY = {
    "text": "''", "varchar": "''", "char": "''", "citext": "''", "int": "0", "bigint": "0", "smallint": "0", "numeric": "0", "real": "0",
    "double precision": "0", "boolean": "false", "uuid": "gen_random_uuid()", "json": "'{}'", "jsonb": "'{}'", "date": "current_date",
    "timestamp": "now()", "timestamptz": "now()",
}  # fmt: skip


def plain(context: Context) -> bool:
    """Whether the statement stands by itself: not in a block, not behind a condition, not in a transaction the file opens."""
    return context.tx.by in ("runner", "statement") and not context.step.operation.conditional


@rewrite
def set_not_null(context: Context, op: AlterColumn) -> Fix | None:
    """SET NOT NULL by way of a CHECK that is validated without stopping anybody."""
    table = target(context)
    name = short(op.table.name, op.column, "not_null")
    if not plain(context) or table is None or name is None or not context.file.at_least(12):
        return None
    first, later = _not_null(table, op.column, name, context.text())
    return Fix(
        (Edit(op.start, op.end, first),),
        "a CHECK with NOT VALID, validated in another transaction, makes SET NOT NULL need no scan",
        after=(later,), name=f"{op.table.name}_{op.column}_not_null",
    )  # fmt: skip


def _not_null(table: str, column: str, name: str, source: str) -> tuple[str, tuple[str, ...]]:
    """The action that adds the CHECK, and the statements of the transaction behind it."""
    quoted, check = ident(column, source), ident(name, source)
    return f"ADD CONSTRAINT {check} CHECK ({quoted} IS NOT NULL) NOT VALID", (
        f"ALTER TABLE {table} VALIDATE CONSTRAINT {check};",
        f"ALTER TABLE {table} ALTER COLUMN {quoted} SET NOT NULL;",
        f"ALTER TABLE {table} DROP CONSTRAINT {check};",
    )


@rewrite
def required_column(context: Context, op: AddColumn) -> Fix | None:
    """ADD COLUMN NOT NULL as a nullable column that is filled and then constrained; the value is the team's to choose."""
    span = clause(context.text(), "NOT", "NULL")
    value = _ANY.get(base(op.column.type)) if op.column.type and not op.column.type.suffix.endswith("]") else "'{}'"
    if span is None or value is None or op.column.unique or op.column.primary_key or op.column.references:
        return None
    return _filled(context, op, (cut(context, span),), value, "  -- choose what the rows there are get")


@rewrite
def volatile_default(context: Context, op: AddColumn) -> Fix | None:
    """ADD COLUMN with a volatile default as a column whose default comes afterwards, with the rows filled by an UPDATE."""
    source, default = context.text(), op.column.default or ""
    found = re.search(rf"\bDEFAULT\s+{re.escape(default)}", source, re.IGNORECASE)
    if (
        found is None
        or op.column.unique
        or op.column.primary_key
        or op.column.references
        or op.column.check is not None
    ):
        return None
    span = clause(source, "NOT", "NULL")
    edits = [cut(context, (found.start(), found.end()))]
    if span and not found.start() <= span[0] < found.end():
        edits.append(cut(context, span))
    quoted = ident(op.column.name, source)
    edits.append(Edit(op.end, op.end, f", ALTER COLUMN {quoted} SET DEFAULT {default}"))
    return _filled(context, op, tuple(edits), default, "  -- in batches where the table is large")


def _filled(context: Context, op: AddColumn, edits: tuple[Edit, ...], value: str, remark: str) -> Fix | None:
    table = target(context)
    name = short(op.table.name, op.column.name, "not_null")
    if not plain(context) or table is None or name is None or op.if_not_exists:
        return None
    source = context.text()
    quoted = ident(op.column.name, source)
    update = f"UPDATE {table} SET {quoted} = {value} WHERE {quoted} IS NULL;{remark}"  # noqa: S608 — the words of the file itself
    after: list[tuple[str, ...]] = [(update,)]
    if op.column.nullable is False:
        first, later = _not_null(table, op.column.name, name, source)
        after += [(f"ALTER TABLE {table} {first};",), later]
    steps = (
        "add the column nullable, fill it, then make it NOT NULL"
        if op.column.nullable is False
        else "add the column, then fill it"
    )
    return Fix(edits, steps, safe=False, after=tuple(after), name=f"{op.table.name}_{op.column.name}_filled")


@rewrite
def not_valid(context: Context, op: AddConstraint) -> Fix | None:
    """ADD CONSTRAINT with NOT VALID, validated in a transaction of its own; one without a name only as far as NOT VALID."""
    at = op.start + len(context.text().rstrip().rstrip(";").rstrip())
    table, name = target(context), op.constraint.name
    edits = (Edit(at, at, " NOT VALID"),)
    if not plain(context) or table is None or not name:
        return Fix(edits, "add it with NOT VALID, and VALIDATE CONSTRAINT in the next migration", safe=False)
    validate = f"ALTER TABLE {table} VALIDATE CONSTRAINT {ident(name, context.text())};"
    summary = "add it with NOT VALID, and validate it in another transaction"
    return Fix(edits, summary, after=((validate,),), name=f"validate_{name}", partial=True)


@rewrite
def column_check(context: Context, op: AddColumn) -> Fix | None:
    """The CHECK of a new column as a constraint of the table, added with NOT VALID and validated afterwards."""
    source, table = context.text(), target(context)
    name = op.column.constraint or short(op.table.name, op.column.name, "check")
    named = clause(source, "CONSTRAINT", "*", "CHECK", "()")
    span = named or clause(source, "CHECK", "()")
    if not plain(context) or table is None or name is None or span is None or (op.column.constraint and not named):
        return None
    quoted, expression = ident(name, source), source[source.index("(", span[0]) : span[1]]
    added = Edit(op.end, op.end, f", ADD CONSTRAINT {quoted} CHECK {expression} NOT VALID")
    validate = f"ALTER TABLE {table} VALIDATE CONSTRAINT {quoted};"
    return Fix(
        (cut(context, span), added), "add the CHECK with NOT VALID, and validate it in another transaction",
        after=((validate,),), name=f"validate_{name}", partial=True,
    )  # fmt: skip


@rewrite
def using_index(context: Context, op: AddConstraint) -> Fix | None:
    """ADD UNIQUE or PRIMARY KEY as an index built CONCURRENTLY and then attached as the constraint."""
    constraint, source, table = (
        op.constraint,
        context.file.text[context.statement.start : end(context)],
        target(context),
    )
    primary = constraint.kind == "primary-key"
    name = constraint.name or (
        short(op.table.name, "pkey") if primary else short(op.table.name, *constraint.columns, "key")
    )
    listed = clause(context.text(), "()")
    alone = len(context.statement.operations) == 1
    if not plain(context) or table is None or name is None or listed is None or not alone or constraint.options:
        return None
    if clause(context.text(), "INCLUDE") or clause(context.text(), "WITH"):
        return None
    quoted = ident(name, source)
    kind = "PRIMARY KEY" if primary else "UNIQUE"
    columns = context.text()[slice(*listed)]
    index = f"CREATE UNIQUE INDEX CONCURRENTLY {quoted} ON {table} {columns}"
    attach = f"ALTER TABLE {table} ADD CONSTRAINT {quoted} {kind} USING INDEX {quoted};"
    return Fix(
        (Edit(context.statement.start, end(context), index),), "build the index CONCURRENTLY, then make it the constraint",
        no_transaction=True, after=((attach,),), name=name,
    )  # fmt: skip


@rewrite
def attach(context: Context, op: Partition) -> Fix | None:
    """ATTACH PARTITION behind a CHECK that says the bounds, validated beforehand."""
    parent, source = context.table(op.table), context.file.text[context.statement.start : end(context)]
    condition = _bounds(op.bounds, parent, source)
    name = short(op.partition.name, "bounds")
    if not plain(context) or condition is None or name is None:
        return None
    child, check = written(op.partition, source), ident(name, source)
    first = f"ALTER TABLE {child} ADD CONSTRAINT {check} CHECK ({condition}) NOT VALID"
    return Fix(
        (Edit(context.statement.start, end(context), first),), "a validated CHECK that says the bounds spares the scan",
        after=((f"ALTER TABLE {child} VALIDATE CONSTRAINT {check};",), (f"{source};", f"ALTER TABLE {child} DROP CONSTRAINT {check};")),
        name=f"attach_{op.partition.name}",
    )  # fmt: skip


def _bounds(bounds: str, parent: Table | None, source: str) -> str | None:
    """The bounds of a partition by one plain column as a condition on it."""
    key = re.fullmatch(
        r'(range|list)\s*\(\s*("?)([a-z_]\w*)\2\s*\)', (parent.partition_by if parent else "").strip(), re.IGNORECASE
    )
    if key is None:
        return None
    column = ident(key[3], source)
    ranged = re.fullmatch(r"FOR\s+VALUES\s+FROM\s*\(([^(),]+)\)\s*TO\s*\(([^(),]+)\)", bounds.strip(), re.IGNORECASE)
    if key[1].lower() == "range" and ranged:
        low, high = ranged[1].strip(), ranged[2].strip()
        lower = [] if low.upper() == "MINVALUE" else [f"{column} >= {low}"]
        upper = [] if high.upper() == "MAXVALUE" else [f"{column} < {high}"]
        return " AND ".join([f"{column} IS NOT NULL", *lower, *upper])
    listed = re.fullmatch(r"FOR\s+VALUES\s+IN\s*\(([^()]+)\)", bounds.strip(), re.IGNORECASE)
    if key[1].lower() == "list" and listed and "null" not in listed[1].lower():
        return f"{column} IS NOT NULL AND {column} IN ({listed[1].strip()})"
    return None


@rewrite
def by_partition(context: Context, op: CreateIndex) -> Fix | None:
    """An index of a partitioned table, built partition by partition; only where all of them are known, and have no partitions themselves."""
    table, source = context.table(op.table), context.file.text[context.statement.start : end(context)]
    children = [context.catalog.tables.get(key) for key in table.children] if table else []
    head = _ON.search(source)
    if not plain(context) or not op.index.name or head is None or not 0 < len(children) <= PARTITIONS:
        return None
    if not all(re.fullmatch(r"\w+", column) for column in op.index.columns):
        return None
    rest, unique = source[head.end() :], "UNIQUE " if op.index.unique else ""
    after: list[tuple[str, ...]] = []
    for child in children:
        name = short(child.name.name, *op.index.columns, "idx") if child and not child.partition_by else None
        if child is None or name is None:
            return None
        index = ident(name, source)
        after.append((f"CREATE {unique}INDEX CONCURRENTLY {index} ON {written(child.name, source)}{rest};",))
        after.append((f"ALTER INDEX {ident(op.index.name, source)} ATTACH PARTITION {index};",))
    start = context.statement.start
    word = clause(source, "CONCURRENTLY")
    edits = [Edit(start + head.start(1), start + head.start(1), "ONLY ")]
    if word:
        edits.insert(0, Edit(start + word[0], start + word[1] + 1, ""))
    summary = "make it ON ONLY the parent, build it CONCURRENTLY on each partition, and attach those"
    return Fix(tuple(edits), summary, no_transaction=True, after=tuple(after), name=op.index.name)
