"""A table is renamed under a running release.

Until every instance runs the new release, queries name a table that is not there any more.

Instead: leave a view under the old name in the same migration, or make a new table, write to both, and move over.

Bad, postgres:
    CREATE TABLE customer (id bigint PRIMARY KEY);
    ---
    ALTER TABLE customer RENAME TO client;

Good, postgres:
    CREATE TABLE customer (id bigint PRIMARY KEY);
    ---
    ALTER TABLE customer RENAME TO client;
    CREATE VIEW customer AS SELECT * FROM client;
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from ci_runner.lint.context import Context, quoted
from ci_runner.lint.facts import rebuild_of, view_follows
from ci_runner.lint.rule import Hit, rule
from ci_runner.model.operations import Name, RenameTable

_MOST = 3_000  # tables whose constraints are looked through: more than people have


@rule("warning", on=(RenameTable,), aliases=("BC101", "DS102", "renaming-table"))
def check(context: Context) -> Iterator[Hit]:
    """Old tables that get another name (or schema), unless something takes the old name."""
    op = context.step.operation
    assert isinstance(op, RenameTable)  # noqa: S101
    if (
        op.kind.endswith(("swap-table", "exchange-tables"))
        or not context.old(op.table)
        or context.key(op.table) in context.catalog.views
        or (context.dialect == "sqlserver" and context.key(op.table) in context.catalog.functions)
    ):
        return
    if context.table(op.table) is None and context.table_of_index(op.table) is not None:
        return  # PostgreSQL renames an index by ALTER TABLE too
    if _renamed_before(context, op) or _ends_where_it_was(context, op) or _of_a_constraint(context, op):
        return
    if rebuild_of(context, op.table) or view_follows(context, op) or _renamed_back(context, op):
        return
    moved = op.kind.endswith("set-schema")
    what = (
        f"Moving {quoted(op.table)} to schema {quoted(op.new.schema)}"
        if moved
        else f"Renaming {quoted(op.table)} to {quoted(op.new)}"
    )
    yield Hit(f"{what} breaks the running release, which still asks for {quoted(op.table)}.")


def _target(context: Context, op: RenameTable) -> Name:
    """The new name, in the old one's schema where the dialect leaves it there."""
    stays = not op.new.schema and context.dialect not in ("mysql", "mariadb", "clickhouse")
    return Name(op.table.schema, op.new.name) if stays else op.new


def _renamed_before(context: Context, op: RenameTable) -> bool:
    """Whether the table has its present name from an earlier rename of this file: no release asks for that."""
    key = context.key(op.table)
    return any(context.key(_target(context, other)) == key for _, other in context.earlier(RenameTable))


def _ends_where_it_was(context: Context, op: RenameTable) -> bool:
    """Whether later renames lead the table back to its old name: the two steps that change the case of its letters."""
    begin, at = context.key(op.table), context.key(_target(context, op))
    for _, other in context.later(RenameTable):
        if context.key(other.table) == at:
            at = context.key(_target(context, other))
    return at == begin


def _of_a_constraint(context: Context, op: RenameTable) -> bool:
    """Whether sp_rename means a constraint, which it names like a table."""
    if context.dialect != "sqlserver" or context.table(op.table) is not None:
        return False
    name = op.table.name.lower()
    tables = islice(context.catalog.tables.values(), _MOST)
    return any(c.name.lower() == name for table in tables for c in table.constraints)


def _renamed_back(context: Context, op: RenameTable) -> bool:
    """Whether another table takes the old name by a rename: the atomic swap of a copy made in this file."""
    key = context.key(op.table)
    return any(
        context.key(other.new) == key and context.table(other.table) is not None
        for _, other in context.later(RenameTable)
    )
