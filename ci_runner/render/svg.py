"""A diagram as SVG: readable in light and dark, with words for those who cannot see it, and without scripts or anything from elsewhere."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from ci_runner.model.diagram import Box, Diagram, Line, Row
from ci_runner.render.environment import folder
from ci_runner.render.layout import Placed, Point, Size, place
from ci_runner.text import html

HEAD = 30  # height of a box's head
ROW = 22  # height of a column
PAD = 10
MARGIN = 24
GUTTER = 30  # room for the sign of a key
LETTER = 7.0  # width of a letter of 12 px
NAME = 44  # letters of a name, and of a type, that are shown
SIGNS = {"added": "+", "removed": "−", "changed": "~", "": ""}
DESCRIBED = 40  # tables that the description names


def style() -> str:
    """The style sheet of a diagram, for a page that holds some."""
    return (folder() / "diagram.css").read_text(encoding="utf-8")


def svg(diagram: Diagram, *, title: str = "Schema", name: str = "diagram", standalone: bool = True) -> str:
    """The picture as one line of SVG per part, without blank lines. ``name`` tells its parts from those of others on a page.

    Standalone it brings its style along; on a page that has :func:`style` it does not need to.
    """
    sizes = {box.name: _size(box) for box in diagram.boxes}
    placed = place(diagram, sizes)
    width, height = placed.size.width + 2 * MARGIN, placed.size.height + 2 * MARGIN
    measures = f'viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" height="{height:.0f}"'
    named = f'role="img" aria-labelledby="{name}-title {name}-desc"'
    rows = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="diagram" {measures} {named}>',
        f'<title id="{name}-title">{html(title)}</title>',
        f'<desc id="{name}-desc">{html(described(diagram))}</desc>',
        *([f"<style>{style()}</style>"] if standalone else []),
        f'<rect class="back" width="{width:.0f}" height="{height:.0f}"/>',
        f'<g transform="translate({MARGIN} {MARGIN})">',
        *_lines(diagram, placed, sizes),
        *(row for box in diagram.boxes for row in _box(box, placed.boxes[box.name], sizes[box.name])),
        "</g>",
        "</svg>",
    ]
    lines = "\n".join(rows).split("\n")
    return "\n".join(
        line for line in lines if line
    )  # a name may hold a blank line, which would end the HTML around the picture


def described(diagram: Diagram) -> str:
    """What the picture shows, in words."""
    if not diagram.boxes:
        return "There are no tables."
    refers: dict[str, list[str]] = {}
    for line in diagram.lines:
        refers.setdefault(line.child, []).append(line.parent)
    told = []
    for box in diagram.boxes[:DESCRIBED]:
        parents = ", ".join(dict.fromkeys(refers.get(box.name, ())))
        facts = [box.mark, f"refers to {parents}" if parents else ""]
        said = ", ".join(fact for fact in facts if fact)
        told.append(f"{box.name} ({said})" if said else box.name)
    more = len(diagram.boxes) - len(told) + diagram.hidden
    counted = "1 table" if len(diagram.boxes) == 1 else f"{len(diagram.boxes)} tables"
    return f"{counted}: {', '.join(told)}{f' and {more} more' if more else ''}."


def _size(box: Box) -> Size:
    wide = [PAD * 2 + _width(_cut(box.name)) * 1.15 + 16]
    wide += [GUTTER + PAD * 3 + _width(_cut(row.name)) + _width(_cut(_type(row))) + 14 for row in box.rows]
    return Size(max(130.0, *wide), HEAD + ROW * (len(box.rows) + bool(box.hidden)) + (4 if box.rows else 0))


def _width(text: str) -> float:
    return LETTER * sum(2 if unicodedata.east_asian_width(each) in "WF" else 1 for each in text)


def _cut(text: str) -> str:
    one = " ".join(text.split())
    return one if len(one) <= NAME else one[: NAME - 1] + "…"


def _type(row: Row) -> str:
    return " → ".join(row.turned) if row.mark == "changed" else row.type


def _box(box: Box, at: Point, size: Size) -> Iterator[str]:
    width, height = size
    yield f'<g class="box {box.mark} {box.kind}" transform="translate({at.x:.1f} {at.y:.1f})">'
    yield f'<rect class="frame" width="{width:.1f}" height="{height:.1f}" rx="7"/>'
    yield f'<path class="head" d="{_head(width, bool(box.rows or box.hidden))}"/>'
    sign = f"{SIGNS[box.mark]} " if box.mark in ("added", "removed") else ""
    yield f'<text class="name" x="{PAD}" y="20">{html(sign + _cut(box.name))}<title>{html(box.name)}</title></text>'
    for number, row in enumerate(box.rows):
        last = number == len(box.rows) - 1 and not box.hidden
        yield _row(row, HEAD + 2 + ROW * number, width, last)
    if box.hidden:
        more = f"… {box.hidden} more column{'' if box.hidden == 1 else 's'}"
        yield f'<text class="more" x="{GUTTER + PAD}" y="{HEAD + ROW * len(box.rows) + 16}">{more}</text>'
    yield "</g>"


def _head(width: float, below: bool) -> str:
    """The head's outline: round above, and below too where nothing follows."""
    foot = f"V{HEAD}H0V7" if below else f"V{HEAD - 7}q0 7 -7 7H7q-7 0 -7 -7V7"
    return f"M0 7q0 -7 7 -7H{width - 7:.1f}q7 0 7 7{foot}Z"


def _row(row: Row, y: float, width: float, last: bool) -> str:
    tint = f'<path class="tint" d="{_tint(y, width, last)}"/>' if row.mark else ""
    key = f'<text class="key" x="{PAD}" y="{y + 15:.0f}">{SIGNS[row.mark] or (row.keys[0] if row.keys else "")}</text>'
    must = "" if row.nullable else " must"
    return (
        f'<g class="row {row.mark}{must}">{tint}{key}'
        f'<text class="column" x="{GUTTER + PAD}" y="{y + 15:.0f}">{html(_cut(row.name))}</text>'
        f'<text class="type" x="{width - PAD:.1f}" y="{y + 15:.0f}">{html(_cut(_type(row)))}</text>'
        f"<title>{html(_told(row))}</title></g>"
    )


def _tint(y: float, width: float, last: bool) -> str:
    """The outline of a marked row: in the last one it fills the frame to its round corners."""
    foot = f"v{ROW - 5}q0 6 -6 6H7q-6 0 -6 -6" if last else f"v{ROW}H1"
    return f"M1 {y:.0f}H{width - 1:.1f}{foot}Z"


def _told(row: Row) -> str:
    keys = {"PK": "primary key", "FK": "foreign key", "UK": "unique"}
    facts = [f"{row.name} {row.definition}", *(keys[key] for key in row.keys), row.mark]
    return ", ".join(fact for fact in facts if fact) + (f", before: {row.before}" if row.before else "")


def _lines(diagram: Diagram, placed: Placed, sizes: Mapping[str, Size]) -> Iterator[str]:
    boxes = {box.name: box for box in diagram.boxes}
    for line, threads in zip(diagram.lines, placed.threads, strict=True):
        parent, child = placed.boxes[line.parent], placed.boxes[line.child]
        start_y = parent.y + _height(boxes[line.parent], None)
        end_y = child.y + _height(boxes[line.child], line.columns)
        wide, narrow = sizes[line.parent].width, sizes[line.child].width
        rightward = child.x > parent.x + wide / 2
        leftward = not rightward and parent.x > child.x + narrow / 2
        start = Point(parent.x + (0 if leftward else wide), start_y)
        end = Point(child.x + (0 if rightward else narrow), end_y)
        out, back = (-1 if leftward else 1), (-1 if rightward else 1)
        way = _way([start, *(threads if rightward else ()), end], out, back)
        words = f"{line.child} ({', '.join(line.columns)}) → {line.parent}"
        yield (
            f'<g class="line {line.mark}"><path d="{way}"/><path d="{_one(start, out, line)}"/><path d="{_many(end, back, line)}"/>'
            f"<title>{html(words)}</title></g>"
        )


def _height(box: Box, columns: Sequence[str] | None) -> float:
    """The middle of the row with those columns, or of the primary key; of the head when there is no such row."""
    for number, row in enumerate(box.rows):
        if row.name in columns if columns is not None else "PK" in row.keys:
            return HEAD + 2 + ROW * number + ROW / 2
    return HEAD / 2


def _way(points: Sequence[Point], out: int, back: int) -> str:
    """A smooth path through the points that leaves and arrives level."""
    path = [f"M{points[0].x:.1f} {points[0].y:.1f}"]
    pairs = list(pairwise(points))
    for number, (one, two) in enumerate(pairs):
        first, last = number == 0, number == len(pairs) - 1
        reach = max(36.0, abs(two.x - one.x) / 2)
        left = one.x + reach * (out if first else 1)
        right = two.x + reach * (back if last else -1)
        path.append(f"C{left:.1f} {one.y:.1f} {right:.1f} {two.y:.1f} {two.x:.1f} {two.y:.1f}")
    return "".join(path)


def _one(at: Point, out: int, line: Line) -> str:
    """The sign at the parent: two bars, or a ring and a bar where the child may do without."""
    bar = f"M{at.x + out * 6:.1f} {at.y - 5:.1f}v10"
    x = at.x + out * 10
    if not line.optional:
        return f"{bar}M{x:.1f} {at.y - 5:.1f}v10"
    return f"{bar}M{x:.1f} {at.y:.1f}a4 4 0 1 0 {out * 8} 0a4 4 0 1 0 {-out * 8} 0"


def _many(at: Point, back: int, line: Line) -> str:
    """The sign at the child: a crow's foot, or a bar where a parent has one child at most."""
    x = at.x + back * 10
    if line.single:
        return f"M{x:.1f} {at.y - 5:.1f}v10"
    return f"M{at.x:.1f} {at.y - 5:.1f}L{x:.1f} {at.y:.1f}L{at.x:.1f} {at.y + 5:.1f}"
