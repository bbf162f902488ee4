"""A table is redistributed or sorted anew.

Changing DISTSTYLE, DISTKEY or SORTKEY moves the table's rows between nodes or sorts them all.

Instead: do it off-peak, or load a new table with the keys you want and swap the names.

Bad, redshift, tx none:
    CREATE TABLE person (id BIGINT, country CHAR(2));
    ---
    ALTER TABLE person ALTER SORTKEY (country);

Good, redshift, tx none:
    CREATE TABLE person (id BIGINT, country CHAR(2));
    ALTER TABLE person ALTER SORTKEY (country);
"""

from __future__ import annotations

from collections.abc import Iterator

from ci_runner.lint.context import Context, quoted
from ci_runner.lint.rule import Hit, rule
from ci_runner.model.operations import Other

_KINDS = {
    "alter-table.alter-distribution": "moves its rows between nodes",
    "alter-table.alter-sort-key": "sorts all its rows anew",
}


@rule("notice", ("redshift",), on=(Other,))
def check(context: Context) -> Iterator[Hit]:
    """ALTER DISTSTYLE, DISTKEY, SORTKEY of old tables."""
    op = context.step.operation
    assert isinstance(op, Other)  # noqa: S101
    if op.kind in _KINDS and op.object is not None and context.old(op.object):
        yield Hit(f"Changing the keys of {quoted(op.object)} {_KINDS[op.kind]}.")
