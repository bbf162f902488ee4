"""Atlas, and every plain folder of SQL files: ``<version>[_<description>].sql``, in the byte order of the names."""

from __future__ import annotations

from ci_runner.migrations.format import Entry, Format, Selection, root_sql
from ci_runner.model.directory import Tree


def entry(path: str, name: str) -> Entry:
    """Version before the first ``_`` of ``name``, description after it, both without ``.sql``."""
    version, _, description = name.removesuffix(".sql").partition("_")
    return Entry(path, version, description)


def select(tree: Tree, dialect: str) -> Selection:  # noqa: ARG001 - the signature of every format
    """Every SQL file of the root."""
    return Selection(tuple([entry(name, name) for name in root_sql(tree)]))


FORMAT = Format("atlas", select, apart=True)
