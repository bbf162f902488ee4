"""Size: what production's tables hold, as stats.yml says, put beside the schema before a change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from ci_runner import sources
from ci_runner.config import Directory
from ci_runner.config.stats import read
from ci_runner.journeys.ground import Ground
from ci_runner.lint.sizes import size, tables
from ci_runner.model.operations import Name, Statement
from ci_runner.model.report import StatementEffect
from ci_runner.model.schema import Catalog
from ci_runner.model.stats import Size
from ci_runner.sql import catalog
from ci_runner.sql.catalog_names import created

NAMED = 5  # tables that a remark names
WEIGHTY = ("scan", "rewrite")  # effects that take as long as the table is large

Sizes = Mapping[Name, Size]


def known(ground: Ground, wanted: Directory, before: Catalog, dialect: str) -> tuple[Sizes, tuple[str, ...]]:
    """The sizes by key of the catalog, and a remark on tables that the migrations do not make. ConfigError for a file that is none."""
    if not wanted.stats:
        return {}, ()
    stats = read(sources.text(ground.root, wanted.stats, "stats"), wanted.stats)
    found: dict[Name, Size] = {}
    strange: list[str] = []
    for name, each in stats.tables.items():
        schema, _, own = name.rpartition(".")
        key = created(Catalog(), Name(schema, own), dialect)
        found[key] = each
        if key not in before.tables:
            strange.append(name)
    strange = _strange(strange) if strange and before.tables else []
    if not strange:
        return found, ()
    listed = ", ".join(f"`{name}`" for name in strange[:NAMED])
    more = f" and {len(strange) - NAMED} more" if len(strange) > NAMED else ""
    return found, (f"{wanted.stats} names tables that no migration makes, they are ignored: {listed}{more}",)


def _strange(names: Sequence[str]) -> list[str]:
    """Without the tables in which migration tools, this one among them, keep what ran."""
    from ci_runner.deploy.guard import FOREIGN
    from ci_runner.deploy.revisions import REVISIONS, STATE

    books = {*FOREIGN, "databasechangeloglock", REVISIONS, STATE}
    return [name for name in names if name.rpartition(".")[2].lower() not in books]


def told(
    effects: Sequence[StatementEffect], statements: Sequence[Statement], before: Catalog, sizes: Sizes, dialect: str
) -> tuple[StatementEffect, ...]:
    """The rows of ``explain`` with the size of the table that each reads or writes as a whole."""
    if not sizes:
        return tuple(effects)
    before = catalog.release(before)
    return tuple(
        replace(row, size=_size(statement, before, sizes, dialect)) if row.effect in WEIGHTY else row
        for row, statement in zip(effects, statements, strict=True)
    )


def _size(statement: Statement, before: Catalog, sizes: Sizes, dialect: str) -> Size | None:
    """That of the largest table among those it works on."""
    names = (name for operation in statement.operations for name in tables(operation))
    found = [each for each in (size(before, name, sizes, dialect) for name in names) if each is not None]
    return max(found, key=lambda each: (each.bytes or 0, each.rows or 0), default=None)
