"""A new column's default is computed for every row.

A constant (or now()) is stored once; a volatile function such as gen_random_uuid() gives each row its own value, so the whole table is
written anew while nobody can use it. Before PostgreSQL 11 every default does that (say so with `server_version`).

Instead: add the column without a default, SET DEFAULT for new rows, and fill the old ones in batches.

Bad, postgres:
    CREATE TABLE person (id bigint PRIMARY KEY);
    ---
    ALTER TABLE person ADD COLUMN code uuid DEFAULT gen_random_uuid();

Good, postgres:
    CREATE TABLE person (id bigint PRIMARY KEY);
    ---
    ALTER TABLE person ADD COLUMN code uuid;
    ALTER TABLE person ALTER COLUMN code SET DEFAULT gen_random_uuid();
"""

from __future__ import annotations

from collections.abc import Iterator

from ci_runner.lint.context import Context, quoted
from ci_runner.lint.domains import chain, constrained
from ci_runner.lint.facts import has_default
from ci_runner.lint.postgres import volatile
from ci_runner.lint.rule import POSTGRES, Hit, rule
from ci_runner.lint.stepwise import volatile_default
from ci_runner.model.operations import AddColumn


@rule("warning", POSTGRES, on=(AddColumn,), aliases=("PG302", "adding-field-with-default"))
def check(context: Context) -> Iterator[Hit]:
    """ADD COLUMN to old tables with a default that is not the same for all rows."""
    op = context.step.operation
    assert isinstance(op, AddColumn)  # noqa: S101
    column = op.column
    if not context.stored(op.table) or column.generated or column.identity:
        return
    if (op.if_not_exists or op.conditional) and context.column(op.table, column.name) is not None:
        return
    if constrained(context.catalog, column.type):
        yield Hit(
            f"The constraints of its domain are checked for every row: adding {quoted(column.name)} rewrites {quoted(op.table)} "
            "while nobody can use it.",
            remedy="Add the column with the domain's base type, and the constraint as a CHECK with NOT VALID that is validated afterwards.",
        )
        return
    default = column.default
    if default is None:  # a domain may have one
        default = next((each.default for each in chain(context.catalog, column.type) if each.default is not None), None)
    if default is None:
        return
    function = volatile(default, context.catalog)
    kept = context.file.at_least(11) or not has_default(column)  # in the catalog, where no row need be touched for it
    hazard, observed = context.judged("rewrite", function is not None or not kept, op.table)
    if hazard:
        what = f"{function}()" if function else default
        why = "computed for every row" if kept or function else "written into every row before PostgreSQL 11"
        yield Hit(
            f"{what} is {why}: adding {quoted(column.name)} rewrites {quoted(op.table)} while nobody can use it.",
            observed=observed,
            fix=volatile_default(context, op),
        )
