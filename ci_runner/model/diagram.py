"""A picture of a schema as values: boxes for tables, lines for foreign keys, and what a change does to each."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

Mark = Literal["", "added", "removed", "changed"]


class Row(Struct, frozen=True):
    """A column in a box: ``keys`` are those of PK, FK and UK it belongs to; ``before`` is its ``definition`` before a change."""

    name: str
    type: str
    definition: str = ""
    keys: tuple[str, ...] = ()
    nullable: bool = True
    mark: Mark = ""
    before: str = ""

    @property
    def turned(self) -> tuple[str, str]:
        """What was and what is, of a changed column, without the words at the end that both have."""
        old, new = self.before.split(), self.definition.split()
        while len(old) > 1 and len(new) > 1 and old[-1] == new[-1]:
            old, new = old[:-1], new[:-1]
        return " ".join(old), " ".join(new)


class Box(Struct, frozen=True):
    """A table, or a view (``kind``). ``hidden`` says how many columns are left out."""

    name: str
    rows: tuple[Row, ...] = ()
    mark: Mark = ""
    kind: Literal["table", "view"] = "table"
    hidden: int = 0


class Line(Struct, frozen=True):
    """A foreign key from ``child`` to ``parent`` over columns; ``optional``: it may be NULL, ``single``: at most one child a parent."""

    child: str
    parent: str
    columns: tuple[str, ...]
    optional: bool = False
    single: bool = False
    mark: Mark = ""


class Diagram(Struct, frozen=True):
    """Boxes and the lines between them; every line ends at boxes that are there. ``hidden`` says how many boxes are left out."""

    boxes: tuple[Box, ...] = ()
    lines: tuple[Line, ...] = ()
    hidden: int = 0
