"""A table with rows is dropped.

The rows are gone with COMMIT, and the release that still runs while the migration is applied fails on its next query. CREATE OR REPLACE
TABLE over an existing table does the same under another name, and so does DROP VIEW of a ClickHouse materialized view without TO, which
keeps its rows itself.

Instead: take the table out of the application first, release that, and drop the table in a later migration; keep a copy or a backup of
what may be wanted again.

Bad, postgres:
    CREATE TABLE invoice (id bigint PRIMARY KEY);
    ---
    DROP TABLE invoice;

Bad, snowflake:
    CREATE TABLE invoice (id NUMBER);
    ---
    CREATE OR REPLACE TABLE invoice (id NUMBER, note STRING);

Good, postgres:
    CREATE TABLE scratch AS SELECT 1 AS id;
    DROP TABLE scratch;
"""

from __future__ import annotations

from collections.abc import Iterator

from ci_runner.lint.clauses import clause, cut, rewrite
from ci_runner.lint.clickhouse import holds_no_rows, loses_rows_of_view
from ci_runner.lint.context import Context, quoted
from ci_runner.lint.facts import copied_before, rebuild_of, set_aside
from ci_runner.lint.rebuild import keeps_itself
from ci_runner.lint.rule import Edit, Fix, Hit, rule
from ci_runner.model.operations import CreateTable, CreateView, DropObjects, DropTable, Name, Operation, Other


@rule(
    "error",
    on=(DropTable, CreateTable, DropObjects, CreateView),
    aliases=("DS102", "ban-drop-table"),
    seen=("rows-lost",),
)
def check(context: Context) -> Iterator[Hit]:
    """Old tables that go, unless the file copies their rows into the table that takes their place."""
    op = context.step.operation
    if isinstance(op, CreateTable):
        known = context.table(op.table)
        # their rows are made anew from, or lie in, what is not touched; a temporary table only hides the other
        derived = known is not None and any(
            sort in op.options and sort in known.options for sort in ("dynamic", "external")
        )
        derived = (
            derived
            or (op.temporary and context.dialect in ("snowflake", "mariadb"))
            or holds_no_rows(known, context.dialect)
            or _undropped(context, op.table)
            or keeps_itself(context.file, context.step)
            or _in_new_schema(context, op.table)
        )
        if op.or_replace and known is not None and context.old(op.table) and not derived:
            yield Hit(
                f"CREATE OR REPLACE TABLE drops the existing {quoted(op.table)} with all its rows.",
                fix=_altered(context, op),
            )
        return
    if not isinstance(op, DropTable):
        yield from _view(context, op)
        return
    if clause(context.text(), "DROP", "TEMPORARY"):
        return
    for name in op.tables:
        if not _survives(context, name, guarded=op.if_exists or op.conditional):
            if _kept_elsewhere(context, name):
                if not _made_anew(context, name):
                    yield Hit(f"Dropping {quoted(name)} loses no rows, but the running release fails on it.")
                continue
            cascade = (
                ", and CASCADE drops the views and foreign keys that depend on it" if "cascade" in op.options else ""
            )
            yield Hit(f"Dropping {quoted(name)} deletes all its rows, and the running release fails on it{cascade}.")


def _survives(context: Context, name: Name, *, guarded: bool) -> bool:
    key = context.key(name)
    if context.dialect == "clickhouse" and key in context.catalog.views and key not in context.catalog.tables:
        return not loses_rows_of_view(context, name)  # DROP TABLE of a view
    known = context.table(name)
    if known is not None and "dynamic" in known.options:
        return True  # its rows are those of its query, as a materialized view's are
    if not context.old(name) or rebuild_of(context, name) or set_aside(context):
        return True
    if copied_before(context, name) or _undropped(context, name):
        return True
    return guarded and (known is None or _in_new_schema(context, name))


def _in_new_schema(context: Context, name: Name) -> bool:
    """Whether a bare name is one in the schema or database of Snowflake that the file made last, and by making it chose."""
    for _, op in context.earlier(Other) if context.dialect == "snowflake" and not name.schema else ():
        sort = op.kind.rpartition("-")[2]
        if op.kind == "use" and not {"warehouse", "role", "secondary"} & set(op.options):
            return False
        if op.kind.startswith("create-") and sort in ("schema", "database") and op.object is not None:
            return context.cloned(op.object.name)
    return False


def _view(context: Context, op: Operation) -> Iterator[Hit]:
    """ClickHouse's materialized views that keep rows of their own, dropped or replaced."""
    if context.dialect != "clickhouse":
        return
    dropped = isinstance(op, DropObjects) and op.kind in ("drop-view", "drop-materialized-view")
    replaced = isinstance(op, CreateView) and op.or_replace
    names = (
        op.names
        if isinstance(op, DropObjects) and dropped
        else (op.view,)
        if isinstance(op, CreateView) and replaced
        else ()
    )
    for name in names:
        if loses_rows_of_view(context, name):
            yield Hit(f"Dropping materialized view {quoted(name)} deletes the rows it keeps: it has no TO table.")


def _kept_elsewhere(context: Context, name: Name) -> bool:
    """Whether the table only leads to rows: in other tables, in other servers, in files."""
    known = context.table(name)
    return holds_no_rows(known, context.dialect) or (
        known is not None and ("external" in known.options or "foreign" in known.options)
    )


def _undropped(context: Context, name: Name) -> bool:
    """Whether the file brings the table back (ClickHouse, Snowflake)."""
    if context.dialect not in ("clickhouse", "snowflake"):
        return False
    key = context.key(name)
    return any(
        op.kind == "undrop-table" and op.object is not None and context.key(op.object) == key
        for _, op in context.later(Other)
    )


def _made_anew(context: Context, name: Name) -> bool:
    key = context.key(name)
    return any(context.key(other.table) == key for _, other in context.later(CreateTable))


@rewrite
def _altered(context: Context, op: CreateTable) -> Fix | None:
    """CREATE OR ALTER, which keeps the rows, where Snowflake has it."""
    span = clause(context.text(), "OR", "REPLACE")
    if (
        context.dialect != "snowflake"
        or span is None
        or op.selects
        or op.source is not None
        or op.kind != "create-or-replace-table"
    ):
        return None
    if {"POLICY", "TAG"} & set(context.text().upper().split()):
        return None  # it sets neither
    edits = [Edit(op.start + span[0], op.start + span[1], "OR ALTER")]
    granted = clause(context.text(), "COPY", "GRANTS")  # as the table stays, so do its grants
    if granted:
        edits.append(cut(context, granted))
    return Fix(tuple(edits), "CREATE OR ALTER keeps the rows", safe=False)
