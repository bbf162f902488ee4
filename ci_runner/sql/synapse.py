"""What only Azure Synapse and its kin say among T-SQL: RENAME, COPY INTO, materialized views.

Source: Microsoft's T-SQL reference of RENAME, COPY (Transact-SQL) and CREATE MATERIALIZED VIEW AS SELECT.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ci_runner.model.operations import CreateView, Dml, Name, Operation, Other, RenameColumn, RenameObject, RenameTable
from ci_runner.sql.queries import tables_read

if TYPE_CHECKING:
    from ci_runner.sql.cursor import Cursor


def rename(c: Cursor, first: int) -> list[Operation]:
    """RENAME OBJECT [::] a TO b, RENAME OBJECT [::] a COLUMN x TO y, RENAME DATABASE [::] d TO e."""
    sort = c.word()
    c.take("::")
    old = c.name()
    column = c.column() if sort == "OBJECT" and c.take("COLUMN") else ""
    c.need("TO")
    if column:
        return [c.op(RenameColumn, "rename-column", first, table=old, column=column, new=c.column())]
    new = Name("", c.identifier())
    if sort == "DATABASE":
        return [c.op(RenameObject, "rename-database", first, name=old, new=new)]
    return [c.op(RenameTable, "rename-table", first, table=old, new=new)]


def copy(c: Cursor, first: int) -> list[Operation]:
    """COPY INTO a [(columns)] FROM 'place' [WITH (…)]."""
    c.need("INTO")
    table = c.name()
    if c.at("("):
        c.skip_parens()
    c.need("FROM")
    c.rest()
    return [c.op(Dml, "copy", first, tables=(table,))]


def materialized_view(c: Cursor, first: int) -> Operation:
    """CREATE MATERIALIZED VIEW behind these words."""
    view, begin = c.name(), c.i
    c.rest()
    reads = tables_read(c, begin, c.last)
    return c.op(CreateView, "create-materialized-view", first, view=view, reads=reads, materialized=True)


def alter_materialized_view(c: Cursor, first: int) -> Operation:
    """ALTER MATERIALIZED VIEW v REBUILD | DISABLE."""
    view = c.name()
    word = c.word().lower()
    if word not in ("rebuild", "disable"):
        c.i -= 1
        c.fail()
    kind = "refresh-materialized-view" if word == "rebuild" else "alter-materialized-view.set-option"
    return c.op(Other, kind, first, object=view)
