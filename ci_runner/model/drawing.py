"""From inspected schemas to a diagram: all of one, or what differs between two with its neighbours."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from msgspec import Struct

from ci_runner.model.diagram import Box, Diagram, Line, Mark, Row
from ci_runner.model.inspected import Column, Schema, Table
from ci_runner.model.keys import foreign, keys

BOXES = 12  # tables of a change's diagram
ROWS = 16  # columns of each
NEAR = 5  # columns of a table that is only a neighbour
WIDEST = 100  # columns of a table in the diagram of a whole schema


class _Sides(Struct, frozen=True):
    """A table before and after a change; both the same where nothing changed."""

    old: Table | None
    new: Table | None

    @property
    def mark(self) -> Mark:
        if self.old is None:
            return "added"
        if self.new is None:
            return "removed"
        return "changed" if self.old != self.new else ""


def whole(schema: Schema, tables: Collection[str] = ()) -> Diagram:
    """Every table and its columns; with ``tables`` only those and the lines between them."""
    chosen = {name: _Sides(table, table) for name, table in schema.tables.items() if not tables or name in tables}
    boxes = (_clipped(_box(name, sides), WIDEST) for name, sides in chosen.items())
    return Diagram(tuple(boxes), tuple(_lines(chosen)))


def changed(before: Schema, after: Schema, boxes: int = BOXES, rows: int = ROWS) -> Diagram | None:
    """The tables that differ and those they refer to or that refer to them; None when no table differs.

    Of what does not fit, neighbours go first; of a wide table the columns that neither changed nor are keys.
    """
    sides = {
        name: _Sides(before.tables.get(name), after.tables.get(name)) for name in {**before.tables, **after.tables}
    }
    differing = [name for name, both in sides.items() if both.mark]
    if not differing:
        return None
    lines = list(_lines(sides))
    touched = set(differing)
    near = dict.fromkeys(
        end for line in lines if {line.child, line.parent} & touched for end in (line.child, line.parent)
    )
    wanted = [*differing, *(name for name in near if name not in touched)]
    chosen = set(wanted[:boxes])
    shown = [name for name in sides if name in chosen]
    return Diagram(
        tuple(_clipped(_box(name, sides[name]), rows if sides[name].mark else NEAR) for name in shown),
        tuple(line for line in lines if line.child in chosen and line.parent in chosen),
        max(0, len(wanted) - boxes),
    )


def _box(name: str, sides: _Sides) -> Box:
    marks = _keys(sides)
    old = sides.old.columns if sides.old else {}
    new = sides.new.columns if sides.new else {}
    rows = (_row(column, old.get(column), new.get(column), sides, marks) for column in {**old, **new})
    return Box(name, tuple(rows), sides.mark)


def _row(name: str, old: Column | None, new: Column | None, sides: _Sides, marks: Mapping[str, tuple[str, ...]]) -> Row:
    shown = new or old or Column("")
    mark: Mark = ""
    if sides.old and sides.new and old != new:
        mark = "added" if old is None else "removed" if new is None else "changed"
    before, after = (definition(old) if mark == "changed" and old else ""), definition(shown)
    return Row(name, shown.type, after, marks.get(name, ()), shown.nullable, mark, before)


def definition(column: Column) -> str:
    """A column's definition in one line."""
    parts = [
        column.type,
        "" if column.nullable else "not null",
        f"default {column.default}" if column.default else "",
        column.generated,
    ]
    return " ".join(part for part in parts if part)


def _keys(sides: _Sides) -> dict[str, tuple[str, ...]]:
    table = sides.new or sides.old or Table()
    found: dict[str, dict[str, None]] = {}
    for kind, columns in keys(table):
        if kind == "PK" or len(columns) == 1:
            for column in columns:
                found.setdefault(column, {})[kind] = None
    for key in foreign(table):
        for column in key.columns:
            found.setdefault(column, {})["FK"] = None
    order = ("PK", "FK", "UK")
    return {
        column: tuple(kind for kind in order if kind in kinds and not (kind == "UK" and "PK" in kinds))
        for column, kinds in found.items()
    }


def _lines(sides: Mapping[str, _Sides]) -> Iterator[Line]:
    """Foreign keys whose two ends are among the tables; names are found without regard to case where only so one fits."""
    folded = {name.lower(): name for name in sides}
    for child, both in sides.items():
        seen = [
            {(key.table, key.columns): key for key in foreign(table)} if table else {} for table in (both.old, both.new)
        ]
        for parent, columns in {**seen[0], **seen[1]}:
            there = _found(parent, child, sides, folded)
            if there is None:
                continue
            mark: Mark = ""
            if both.old and both.new:
                mark = (
                    "added"
                    if (parent, columns) not in seen[0]
                    else "removed"
                    if (parent, columns) not in seen[1]
                    else ""
                )
            yield _line(
                child,
                there,
                columns,
                both.new or both.old or Table(),
                mark or ("" if both.mark == "changed" else both.mark),
            )


def _line(child: str, parent: str, columns: tuple[str, ...], table: Table, mark: Mark) -> Line:
    optional = any(table.columns[column].nullable for column in columns if column in table.columns)
    single = any(set(key) == set(columns) for _, key in keys(table))
    return Line(child, parent, columns, optional, single, mark)


def _found(name: str, child: str, sides: Mapping[str, _Sides], folded: Mapping[str, str]) -> str | None:
    """The table of that name, as the child's schema would find it."""
    schema = child.rpartition(".")[0]
    for each in (name, f"{schema}.{name}" if schema else name, name.removeprefix("public.")):
        if each in sides:
            return each
    return folded.get(name.lower())


def _clipped(box: Box, most: int) -> Box:
    """The box with at most so many rows: changed ones first, then keys, then the others, all in their own order."""
    if len(box.rows) <= most:
        return box
    order = sorted(box.rows, key=lambda row: (not row.mark, not row.keys))
    kept = set(order[:most])
    return Box(box.name, tuple(row for row in box.rows if row in kept)[:most], box.mark, box.kind, len(box.rows) - most)
