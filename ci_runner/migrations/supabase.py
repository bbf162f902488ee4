"""Supabase: ``<timestamp>_<name>.sql`` in ``supabase/migrations``; other names are left alone, as its own tool does."""

from __future__ import annotations

import re

from ci_runner.migrations.atlas import entry
from ci_runner.migrations.format import Format, Selection, root_sql
from ci_runner.model.directory import Tree

_NAME = re.compile(r"[0-9]+_.*\.sql", re.DOTALL)


def select(tree: Tree, dialect: str) -> Selection:  # noqa: ARG001 - the signature of every format
    """The root's SQL files whose names begin with digits and ``_``."""
    return Selection(tuple(entry(name, name) for name in root_sql(tree) if _NAME.fullmatch(name)))


FORMAT = Format("supabase", select, apart=True)
