"""A statement that Redshift refuses in a transaction stands in one.

VACUUM, ALTER TABLE APPEND, and CREATE, ALTER or DROP of external tables, databases and libraries cannot run between BEGIN and COMMIT.

Instead: tell the runner not to wrap this file, and keep it to that one statement.

Bad, redshift:
    CREATE TABLE person (id BIGINT);
    ---
    VACUUM FULL person;

Good, redshift, tx none:
    CREATE TABLE person (id BIGINT);
    ---
    VACUUM FULL person;
"""

from __future__ import annotations

from collections.abc import Iterator

from ci_runner.lint.context import Context
from ci_runner.lint.rule import Fix, Hit, rule
from ci_runner.model.operations import CreateTable, DropObjects, DropTable, Name, Operation

_REFUSED = (
    "vacuum", "alter-table.append-from", "create-external-table", "drop-external-table", "alter-external-table", "create-database", "drop-database",
    "create-library", "create-or-replace-library", "drop-library",
)  # fmt: skip


@rule("error", ("redshift",), on=(Operation,))
def check(context: Context) -> Iterator[Hit]:
    """Those statements in a block; external tables are known by how they were made."""
    op = context.step.operation
    if context.tx.block and (op.kind.startswith(_REFUSED) or _external(context, op)):
        fix = Fix((), "run the file outside a transaction", no_transaction=True) if context.tx.by == "runner" else None
        what = op.kind.replace("alter-table.", "alter table ").replace("-", " ").upper()
        yield Hit(f"Redshift refuses {what} inside a transaction.", fix=fix)


def _external(context: Context, op: Operation) -> bool:
    if isinstance(op, CreateTable | DropObjects):
        return "external" in op.kind
    altered = getattr(op, "table", None) or getattr(op, "object", None) if op.kind.startswith("alter-table.") else None
    names = op.tables if isinstance(op, DropTable) else (altered,) if isinstance(altered, Name) else ()
    return any(table is not None and "external" in table.options for table in map(context.table, names))
