"""golang-migrate: pairs of ``<digits>_<name>.up.sql`` and ``.down.sql``, run by number."""

from __future__ import annotations

import re

from ci_runner.migrations.format import Entry, Format, Selection, as_number, problem, root_sql
from ci_runner.model.directory import Tree

_NAME = re.compile(r"([0-9]+)_(.*)\.(up|down)\.sql", re.DOTALL)


def select(tree: Tree, dialect: str) -> Selection:  # noqa: ARG001 - the signature of every format
    """Up files by number; Atlas hashes every ``*.up.sql`` in byte order. A down file without its up file is a warning."""
    names = root_sql(tree)
    found = [(name, match) for name in names if (match := _NAME.fullmatch(name))]
    up = [Entry(name, match[1], match[2]) for name, match in found if match[3] == "up"]
    numbers = {int(entry.version) for entry in up}
    down = [name for name, match in found if match[3] == "down"]
    lonely = [
        problem(
            "file-missing",
            "warning",
            f"{name} reverts a migration whose up file is not here",
            name,
            remedy="restore the up file, or delete the down file",
        )
        for name, match in found
        if match[3] == "down" and int(match[1]) not in numbers
    ]
    return Selection(
        tuple(sorted(up, key=lambda entry: (int(entry.version), entry.path))),
        sum_order=tuple(name for name in names if name.endswith(".up.sql")),
        down=tuple(down),
        problems=tuple(lonely),
    )


FORMAT = Format("golang-migrate", select, order="number", key=as_number, apart=True)
