"""A key is declared on a database that does not enforce it.

Redshift and Snowflake accept PRIMARY KEY, UNIQUE and FOREIGN KEY as hints for the planner. Duplicates come in, and a wrong hint gives
wrong results. Snowflake's hybrid tables do enforce them.

Instead: check when loading, for instance with MERGE or a query for duplicates.

Bad, snowflake, tx none:
    CREATE TABLE region (id NUMBER PRIMARY KEY);

Good, snowflake, tx none:
    CREATE HYBRID TABLE region (id INT PRIMARY KEY);
"""

from __future__ import annotations

from collections.abc import Iterator

from ci_runner.lint.context import Context, quoted
from ci_runner.lint.rule import Hit, rule
from ci_runner.model.operations import AddColumn, AddConstraint, CreateTable

_KEYS = {"primary-key": "PRIMARY KEY", "unique": "UNIQUE", "foreign-key": "FOREIGN KEY"}


@rule("notice", ("redshift", "snowflake"), on=(CreateTable, AddColumn, AddConstraint))
def check(context: Context) -> Iterator[Hit]:
    """Keys of any table that is not hybrid; said once a table."""
    op = context.step.operation
    if isinstance(op, CreateTable):
        found = [_KEYS[c.kind] for c in op.constraints if c.kind in _KEYS]
        for column in op.columns:
            found += [
                word
                for word, there in zip(
                    _KEYS.values(), (column.primary_key, column.unique, column.references), strict=True
                )
                if there
            ]
        hybrid = "hybrid" in op.options
    elif isinstance(op, AddColumn):
        flags = (op.column.primary_key, op.column.unique, op.column.references)
        found = [word for word, there in zip(_KEYS.values(), flags, strict=True) if there]
        hybrid = _hybrid(context, op)
    else:
        assert isinstance(op, AddConstraint)  # noqa: S101
        found = [_KEYS[op.constraint.kind]] if op.constraint.kind in _KEYS else []
        hybrid = _hybrid(context, op)
    if found and not hybrid:
        yield Hit(
            f"{' and '.join(dict.fromkeys(found))} on {quoted(op.table)} is declared, but {context.dialect.capitalize()} does not enforce it."
        )


def _hybrid(context: Context, op: AddColumn | AddConstraint) -> bool:
    table = context.table(op.table)
    return table is not None and "hybrid" in table.options
