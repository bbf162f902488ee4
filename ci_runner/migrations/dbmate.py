"""dbmate: one file per migration with ``-- migrate:up`` and ``-- migrate:down`` sections."""

from __future__ import annotations

import re

from ci_runner.migrations.atlas import select
from ci_runner.migrations.format import Format, Sections, Source, format_error
from ci_runner.model.directory import Part

_MARK = re.compile(r"^--[ \t]*migrate:(up|down)(?:[ \t]+([^\n]*))?[ \t\r]*$", re.MULTILINE)


def sections(source: Source) -> Sections:
    """From each ``up`` to the next mark; ``transaction:false`` behind it takes that section out of the transaction."""
    marks = list(_MARK.finditer(source.text))
    ends = [*(mark.start() for mark in marks), len(source.text)][1:]
    parts = [
        Part(mark.end(), end, "none" if _outside(mark[2]) else None)
        for mark, end in zip(marks, ends, strict=True)
        if mark[1] == "up"
    ]
    if not parts:
        return Sections(
            (),
            problems=(
                format_error(
                    source.name,
                    1,
                    f"{source.name} has no '-- migrate:up' section, so nothing in it would run",
                    "put '-- migrate:up' on a line before the first statement",
                ),
            ),
        )
    if all(part.transaction == "none" for part in parts):
        return Sections(tuple(Part(part.start, part.end) for part in parts), "none")
    return Sections(tuple(parts))


def _outside(options: str | None) -> bool:
    return "transaction:false" in (options or "").split()


FORMAT = Format("dbmate", select, sections, apart=True)
