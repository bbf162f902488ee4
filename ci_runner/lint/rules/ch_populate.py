"""A materialized view is filled while it is created.

Rows that are inserted into the source between the start and the end of POPULATE are in neither half: they are missing from the view.

Instead: create the view without POPULATE, note the moment, and INSERT … SELECT the rows before it.

Bad, clickhouse, tx none:
    CREATE TABLE hits (id UInt64) ENGINE = MergeTree ORDER BY id;
    ---
    CREATE MATERIALIZED VIEW daily ENGINE = SummingMergeTree ORDER BY id POPULATE AS SELECT id FROM hits;

Good, clickhouse, tx none:
    CREATE TABLE hits (id UInt64) ENGINE = MergeTree ORDER BY id;
    ---
    CREATE MATERIALIZED VIEW daily ENGINE = SummingMergeTree ORDER BY id AS SELECT id FROM hits;
"""

from __future__ import annotations

from collections.abc import Iterator

from ci_runner.lint.context import Context, quoted
from ci_runner.lint.rule import Hit, rule
from ci_runner.model.operations import CreateView


@rule("warning", ("clickhouse",), on=(CreateView,))
def check(context: Context) -> Iterator[Hit]:
    """CREATE MATERIALIZED VIEW … POPULATE."""
    op = context.step.operation
    assert isinstance(op, CreateView)  # noqa: S101
    fresh = bool(op.reads) and not any(map(context.old, op.reads))  # nobody inserts into a table made in this file
    if op.materialized and "populate" in op.options and not fresh:
        yield Hit(f"Rows inserted while {quoted(op.view)} is being populated are missing from it.")
