"""A schema or database is dropped with everything in it.

Every table inside goes with its rows, and so do views, functions and types that other schemas may use. On Snowflake, CREATE OR REPLACE
SCHEMA does the same to a schema that is there.

Instead: move or drop what is inside one by one, once nothing uses it, and drop the empty schema last.

Bad, postgres:
    CREATE SCHEMA audit;
    CREATE TABLE audit.entry (id bigint PRIMARY KEY);
    ---
    DROP SCHEMA audit CASCADE;

Good, postgres:
    CREATE SCHEMA scratch;
    DROP SCHEMA scratch;
"""

from __future__ import annotations

from collections.abc import Iterator

from ci_runner.lint.context import Context, quoted
from ci_runner.lint.rule import Hit, rule
from ci_runner.model.operations import DropObjects, Name, Other


@rule("error", on=(DropObjects, Other), aliases=("DS101", "ban-drop-database"))
def check(context: Context) -> Iterator[Hit]:
    """Schemas and databases that this file did not make."""
    op = context.step.operation
    if isinstance(op, Other):
        yield from _replaced(context, op)
        return
    assert isinstance(op, DropObjects)  # noqa: S101
    if op.kind not in ("drop-schema", "drop-database"):
        return
    what = op.kind.removeprefix("drop-")
    for name in op.names:
        if ("schema", Name("", name.name)) in context.catalog.born:
            continue
        inside = sum(1 for key in context.catalog.tables if key.schema == name.name)
        home = name.schema or next(iter(context.catalog.search_path), "").rpartition(".")[0]
        if _undropped(context, what, name) or context.cloned(home):
            continue
        if (op.if_exists or op.conditional) and not inside and _absent(context, what, name):
            continue
        tables = f" and the {inside} table{'s' if inside > 1 else ''} in it" if inside else " and everything in it"
        yield Hit(f"Dropping {what} {quoted(name)}{tables} deletes their rows for good.{_refused(context, what)}")


def _absent(context: Context, what: str, name: Name) -> bool:
    """Whether no file made it; PostgreSQL's files live in one database and say nothing of the others."""
    return name.name not in context.catalog.schemas and (what == "schema" or context.dialect != "postgres")


def _refused(context: Context, what: str) -> str:
    if what != "database" or context.dialect != "postgres" or not context.tx.block:
        return ""
    return f" PostgreSQL refuses it in a transaction, and {context.tx.opener}."


def _undropped(context: Context, what: str, name: Name) -> bool:
    """Whether the file brings it back (Snowflake)."""
    if context.dialect != "snowflake":
        return False
    return any(op.kind == f"undrop-{what}" and op.object == name for _, op in context.later(Other))


def _replaced(context: Context, op: Other) -> Iterator[Hit]:
    """CREATE OR REPLACE of one that was there; a database's tables are not known by its name, so only one whose making was seen counts."""
    name = op.object
    if op.kind not in ("create-or-replace-schema", "create-or-replace-database") or name is None:
        return
    known = name.name in context.catalog.schemas or any(key.schema == name.name for key in context.catalog.tables)
    if known and ("schema", Name("", name.name)) not in context.catalog.born:
        what = op.kind.removeprefix("create-or-replace-")
        yield Hit(f"CREATE OR REPLACE {what.upper()} drops the existing {quoted(name)} with everything in it.")
