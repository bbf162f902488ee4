"""A point in time is kept without its time zone.

timestamp stores what the clock on the wall showed, and nobody knows on which wall.

Instead: use timestamptz, which stores the moment itself.

Bad, postgres:
    CREATE TABLE person (id bigint PRIMARY KEY, made timestamp);

Good, postgres:
    CREATE TABLE person (id bigint PRIMARY KEY, made timestamptz);
"""

from __future__ import annotations

from collections.abc import Iterator

from ci_runner.lint.columns import defined
from ci_runner.lint.context import Context, quoted
from ci_runner.lint.rule import POSTGRES, Hit, rule
from ci_runner.lint.types import base
from ci_runner.model.operations import AddColumn, AlterColumnType, CreateTable


@rule("notice", POSTGRES, on=(CreateTable, AddColumn, AlterColumnType), aliases=("prefer-timestamptz", "prefer-timestamp-tz"),
      accepts=("style",), default=False)  # fmt: skip
def check(context: Context) -> Iterator[Hit]:
    """Columns of type timestamp without time zone."""
    for table, name, type_ in defined(context.step.operation):
        if type_ is not None and base(type_) == "timestamp":
            yield Hit(f"Column {quoted(name)} of {quoted(table)} is timestamp without time zone: use timestamptz.")
