"""An index is built offline.

Without ONLINE = ON, CREATE INDEX and ALTER INDEX … REBUILD hold a lock on the table that stops writers until the index is complete (a
clustered one stops readers too).

Instead: WITH (ONLINE = ON), with WAIT_AT_LOW_PRIORITY so that it does not stop others while it waits, and RESUMABLE = ON for long builds.
Editions below Enterprise cannot build online: choose a quiet hour there.

Bad, sqlserver, tx none:
    CREATE TABLE person (id INT NOT NULL PRIMARY KEY, email NVARCHAR(100));
    ---
    CREATE INDEX ix_email ON person (email);

Good, sqlserver, tx none:
    CREATE TABLE person (id INT NOT NULL PRIMARY KEY, email NVARCHAR(100));
    ---
    CREATE INDEX ix_email ON person (email) WITH (ONLINE = ON);
"""

from __future__ import annotations

from collections.abc import Iterator

from ci_runner.lint.clauses import clause
from ci_runner.lint.context import Context, quoted
from ci_runner.lint.rule import Hit, rule
from ci_runner.lint.sqlserver import online
from ci_runner.model.operations import AddColumn, AddConstraint, CreateIndex, Name, Other


@rule("warning", ("sqlserver",), on=(CreateIndex, AddConstraint, AddColumn, Other))
def check(context: Context) -> Iterator[Hit]:
    """Builds and rebuilds on old tables that do not say ONLINE = ON."""
    op = context.step.operation
    if isinstance(op, CreateIndex):
        table: Name | None = op.table
        what = f"Building index {quoted(op.index.name)}"
        options = (*op.options, *op.index.options)
        known = context.table(op.table)
        there = known is not None and op.index.name.lower() in known.indexes and not _in_another_branch(context, op)
        if op.conditional and there and not any(option.startswith("drop_existing") for option in options):
            return
    elif isinstance(op, AddConstraint):
        if op.constraint.kind not in ("primary-key", "unique"):
            return
        table, options = op.table, (*op.options, *op.constraint.options)
        what = f"Building the index of {'PRIMARY KEY' if op.constraint.kind == 'primary-key' else 'UNIQUE'} ({', '.join(op.constraint.columns)})"
    elif isinstance(op, AddColumn):
        if not (op.column.primary_key or op.column.unique):
            return
        table, options = op.table, ("online",) if clause(context.text(), "ONLINE", "=", "ON") else ()
        what = f"Building the index of {'PRIMARY KEY' if op.column.primary_key else 'UNIQUE'} ({op.column.name})"
    else:
        assert isinstance(op, Other)  # noqa: S101
        if op.kind not in ("alter-index.rebuild", "alter-table.rebuild"):
            return
        table, options, what = op.object, op.options, "Rebuilding"
    if (
        table is None
        or not context.old(table)
        or any(o.startswith("online") and not o.endswith(("off", "=off")) for o in options)
    ):
        return
    fix = None if isinstance(op, AddColumn) else online(context, op)
    yield Hit(f"{what} on {quoted(table)} offline stops writers until it is done.", fix=fix)


def _in_another_branch(context: Context, op: CreateIndex) -> bool:
    """Whether the same IF … ELSE makes the index in both of its branches, as scripts for several editions do."""
    return any(isinstance(other, CreateIndex) and other.index.name == op.index.name for other in context.siblings())
