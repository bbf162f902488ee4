"""A schema is renamed under a running release.

Every query that names the schema, and every search_path set to it, points to nothing until the new release runs.

Instead: make the new schema, move tables one by one with a view left behind in the old one, and drop the old schema later.

Bad, postgres:
    CREATE SCHEMA sales;
    ---
    ALTER SCHEMA sales RENAME TO orders;

Good, postgres:
    CREATE SCHEMA orders;
"""

from __future__ import annotations

from collections.abc import Iterator

from ci_runner.lint.context import Context, quoted
from ci_runner.lint.rule import POSTGRES, Hit, rule
from ci_runner.model.operations import Name, RenameObject


@rule("warning", POSTGRES, on=(RenameObject,))
def check(context: Context) -> Iterator[Hit]:
    """Schemas this file did not make."""
    op = context.step.operation
    assert isinstance(op, RenameObject)  # noqa: S101
    if op.kind.rpartition(".")[2] == "rename-schema" and ("schema", Name("", op.name.name)) not in context.catalog.born:
        yield Hit(
            f"Renaming schema {quoted(op.name.name)} to {quoted(op.new.name)} breaks every query and search_path that names it."
        )
