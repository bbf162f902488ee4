"""A key column may run out of numbers.

A 32-bit key ends at 2,147,483,647, and changing it later rewrites the table and everything that refers to it.

Instead: use a 64-bit integer for keys.

Bad, postgres:
    CREATE TABLE person (id int PRIMARY KEY);

Good, postgres:
    CREATE TABLE person (id bigint PRIMARY KEY);
"""

from __future__ import annotations

from collections.abc import Iterator

from ci_runner.lint.context import Context, quoted
from ci_runner.lint.rule import MYSQL, Hit, rule
from ci_runner.lint.types import base
from ci_runner.model.operations import AddColumn, Column, CreateTable


@rule(
    "notice", ("postgres", *MYSQL, "sqlserver"), on=(CreateTable, AddColumn),
    aliases=("prefer-bigint-over-int", "prefer-bigint-over-smallint", "prefer-big-int"), accepts=("style",), default=False,
)  # fmt: skip
def check(context: Context) -> Iterator[Hit]:
    """Primary keys and numbered columns narrower than 64 bits."""
    op = context.step.operation
    if isinstance(op, CreateTable):
        keys = {name for c in op.constraints if c.kind == "primary-key" and len(c.columns) == 1 for name in c.columns}
        found: tuple[Column, ...] = tuple(c for c in op.columns if c.primary_key or c.identity or c.name in keys)
    else:
        assert isinstance(op, AddColumn)  # noqa: S101
        found = (op.column,) if op.column.primary_key or op.column.identity else ()
    for column in found:
        if column.type is not None and base(column.type) in ("int", "smallint", "mediumint", "tinyint"):
            yield Hit(
                f"Key {quoted(column.name)} of {quoted(op.table)} is {column.type.text or column.type.base}: use bigint."
            )
