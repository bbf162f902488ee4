"""Where the boxes of a diagram stand: tables that are referred to on the left, those that refer to them on the right, few lines crossing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from math import sqrt
from typing import NamedTuple

from ci_runner.model.diagram import Diagram

GAP = 28.0  # between boxes of a column
LANE = 96.0  # between columns, for the lines
THREAD = 12.0  # height that a line passing through a column takes, with what parts it from the next
SWEEPS = 6
TALL = 0.9  # a column's height, beside the side of a square that would hold all boxes
THREADS = 4_000  # of a picture with more lines through columns than these nobody sees the difference


class Size(NamedTuple):
    """Width and height of a box."""

    width: float
    height: float


class Point(NamedTuple):
    """A place; of a box its upper left corner."""

    x: float
    y: float


class Placed(NamedTuple):
    """Boxes by name, for each line the points it passes between its ends (from parent to child), and the picture's size."""

    boxes: Mapping[str, Point]
    threads: tuple[tuple[Point, ...], ...]
    size: Size


class _Node(NamedTuple):
    """A box, or (``line`` ≥ 0) a line on its way through a column."""

    name: str
    line: int = -1


def place(diagram: Diagram, sizes: Mapping[str, Size]) -> Placed:
    """The layout; each group of connected tables by itself, the groups side by side like words on a page."""
    groups = _groups(diagram)
    blocks = [_layered(diagram, group, sizes) for group in groups]
    area = sum((block.size.width + LANE) * (block.size.height + GAP) for block in blocks)
    width = max([sqrt(area) * 1.35, *(block.size.width for block in blocks)], default=0.0)
    boxes: dict[str, Point] = {}
    threads: list[tuple[Point, ...]] = [()] * len(diagram.lines)
    x = y = shelf = right = 0.0
    order = sorted(range(len(blocks)), key=lambda at: (-len(groups[at]), -blocks[at].size.height))
    for at in order:
        block = blocks[at]
        if x and x + block.size.width > width:
            x, y, shelf = 0.0, y + shelf + GAP, 0.0
        boxes |= {name: Point(x + point.x, y + point.y) for name, point in block.boxes.items()}
        for line, points in enumerate(block.threads):
            if points:
                threads[line] = tuple(Point(x + point.x, y + point.y) for point in points)
        x, shelf = x + block.size.width + GAP * 1.5, max(shelf, block.size.height)
        right = max(right, x - GAP * 1.5)
    return Placed(boxes, tuple(threads), Size(right, y + shelf))


def _groups(diagram: Diagram) -> list[list[str]]:
    """Tables that lines connect, together."""
    head = {box.name: box.name for box in diagram.boxes}

    def root(name: str) -> str:
        while head[name] != name:
            head[name] = name = head[head[name]]
        return name

    for line in diagram.lines:
        head[root(line.child)] = root(line.parent)
    groups: dict[str, list[str]] = {}
    for name in head:
        groups.setdefault(root(name), []).append(name)
    return list(groups.values())


def _layered(diagram: Diagram, group: Sequence[str], sizes: Mapping[str, Size]) -> Placed:
    """One group in columns."""
    mine = set(group)
    edges = [(at, line.parent, line.child) for at, line in enumerate(diagram.lines) if line.child in mine]
    depth = _depths(group, {(parent, child) for _, parent, child in edges if parent != child})
    depth = _folded(group, depth, sizes)
    columns = _columns(group, edges, depth)
    neighbours = _neighbours(columns, edges, depth)
    _untangle(columns, neighbours)
    return _coordinates(columns, neighbours, sizes, len(diagram.lines))


def _depths(group: Sequence[str], edges: Iterable[tuple[str, str]]) -> dict[str, int]:
    """The column of each table: one behind the last of those it refers to; a circle is opened where it is first met again."""
    parents: dict[str, list[str]] = {name: [] for name in group}
    for parent, child in sorted(edges):
        parents[child].append(parent)
    depth: dict[str, int] = {}
    for start in group:
        stack, open_ = [(start, iter(parents[start]))], {start}
        while stack:
            name, rest = stack[-1]
            following = next((each for each in rest if each not in depth and each not in open_), None)
            if following is not None and name not in depth:
                open_.add(following)
                stack.append((following, iter(parents[following])))
                continue
            stack.pop()
            open_.discard(name)
            depth.setdefault(name, 1 + max((depth[each] for each in parents[name] if each in depth), default=-1))
    return _drawn_together(group, parents, depth)


def _drawn_together(group: Sequence[str], parents: Mapping[str, list[str]], depth: dict[str, int]) -> dict[str, int]:
    """Tables that refer to none stand right before the first that refers to them, so that their lines stay short."""
    children: dict[str, list[int]] = {}
    for child, names in parents.items():
        for parent in names:
            children.setdefault(parent, []).append(depth[child])
    for name in group:
        if not parents[name] and children.get(name):
            depth[name] = max(0, min(children[name]) - 1)
    return depth


def _folded(group: Sequence[str], depth: Mapping[str, int], sizes: Mapping[str, Size]) -> dict[str, int]:
    """The same order of columns, those that would be far taller than the picture is wide cut into several."""
    area = sum((sizes[name].width + LANE) * (sizes[name].height + GAP) for name in group)
    tallest = sqrt(area) * TALL
    layers: dict[int, list[str]] = {}
    for name in group:
        layers.setdefault(depth[name], []).append(name)
    found: dict[str, int] = {}
    column = 0
    for _, names in sorted(layers.items()):
        height = 0.0
        for name in names:
            own = sizes[name].height + GAP
            if height and height + own > tallest:
                column, height = column + 1, 0.0
            found[name], height = column, height + own
        column += 1
    return found


def _columns(
    group: Sequence[str], edges: Sequence[tuple[int, str, str]], depth: Mapping[str, int]
) -> list[list[_Node]]:
    columns: list[list[_Node]] = [[] for _ in range(max(depth.values()) + 1)]
    for name in group:
        columns[depth[name]].append(_Node(name))
    passing = [(at, range(depth[parent] + 1, depth[child])) for at, parent, child in edges]
    if sum(len(between) for _, between in passing) <= THREADS:
        for at, between in passing:
            for column in between:
                columns[column].append(_Node("", at))
    return columns


def _neighbours(
    columns: Sequence[Sequence[_Node]], edges: Sequence[tuple[int, str, str]], depth: Mapping[str, int]
) -> dict[_Node, dict[int, list[_Node]]]:
    """For each node (by column, as a line passes several) those it is joined to, as (column → nodes)."""
    threaded = {node.line for column in columns for node in column if node.line >= 0}
    joined: dict[_Node, dict[int, list[_Node]]] = {}
    for at, parent, child in edges:
        if depth[parent] == depth[child]:
            continue
        way = [(depth[parent], _Node(parent))]
        way += [(column, _Node("", at)) for column in range(depth[parent] + 1, depth[child]) if at in threaded]
        way.append((depth[child], _Node(child)))
        for (one, left), (two, right) in pairwise(way):
            joined.setdefault(left, {}).setdefault(two, []).append(right)
            joined.setdefault(right, {}).setdefault(one, []).append(left)
    return joined


def _untangle(columns: list[list[_Node]], neighbours: Mapping[_Node, Mapping[int, Sequence[_Node]]]) -> None:
    """Sort each column by the middle of what its nodes are joined to in the column before, then behind, a few times."""
    for sweep in range(SWEEPS):
        forward = sweep % 2 == 0
        walk = range(1, len(columns)) if forward else range(len(columns) - 2, -1, -1)
        for at in walk:
            fixed = at - 1 if forward else at + 1
            rank = {node: place for place, node in enumerate(columns[fixed])}

            def middle(item: tuple[int, _Node], fixed: int = fixed, rank: Mapping[_Node, int] = rank) -> float:
                near = [rank[each] for each in neighbours.get(item[1], {}).get(fixed, ()) if each in rank]
                return sum(near) / len(near) if near else float(item[0])

            columns[at] = [node for _, node in sorted(enumerate(columns[at]), key=middle)]


def _coordinates(
    columns: Sequence[Sequence[_Node]],
    neighbours: Mapping[_Node, Mapping[int, Sequence[_Node]]],
    sizes: Mapping[str, Size],
    lines: int,
) -> Placed:
    heights = [[sizes[node.name].height if node.line < 0 else THREAD for node in column] for column in columns]
    widths = [max((sizes[node.name].width for node in column if node.line < 0), default=0.0) for column in columns]
    tops = _tops(columns, neighbours, heights)
    lowest = min((top for column in tops for top in column), default=0.0)
    boxes: dict[str, Point] = {}
    threads: list[list[Point]] = [[] for _ in range(lines)]
    x = 0.0
    for at, column in enumerate(columns):
        for node, top, height in zip(column, tops[at], heights[at], strict=True):
            if node.line < 0:
                boxes[node.name] = Point(x, top - lowest)
            else:
                middle = top - lowest + height / 2
                threads[node.line] += [Point(x, middle), Point(x + widths[at], middle)]
        x += widths[at] + LANE
    bottom = max(
        (top + height for t, h in zip(tops, heights, strict=True) for top, height in zip(t, h, strict=True)),
        default=0.0,
    )
    return Placed(boxes, tuple(tuple(points) for points in threads), Size(x - LANE, bottom - lowest))


def _tops(
    columns: Sequence[Sequence[_Node]],
    neighbours: Mapping[_Node, Mapping[int, Sequence[_Node]]],
    heights: Sequence[Sequence[float]],
) -> list[list[float]]:
    """The upper edges: each node as near to the middle of its neighbours as those above and below it leave room."""
    spans = [_spans(column, of) for column, of in zip(columns, heights, strict=True)]
    tops = [_stacked([0.0] * len(span), span) for span in spans]
    for sweep in range(SWEEPS):
        walk = range(len(columns)) if sweep % 2 == 0 else range(len(columns) - 1, -1, -1)
        for at in walk:
            centre = {
                (each, node): tops[each][place] + heights[each][place] / 2
                for each in (at - 1, at + 1)
                if 0 <= each < len(columns)
                for place, node in enumerate(columns[each])
            }
            wanted = []
            for place, node in enumerate(columns[at]):
                near = [
                    centre[each, other]
                    for each, others in neighbours.get(node, {}).items()
                    for other in others
                    if (each, other) in centre
                ]
                own = tops[at][place]
                wanted.append(sum(near) / len(near) - heights[at][place] / 2 if near else own)
            tops[at] = _stacked(wanted, spans[at])
    return tops


def _spans(column: Sequence[_Node], heights: Sequence[float]) -> list[float]:
    """What each node takes with the gap below it: lines lie close together, boxes do not."""
    below = [*column[1:], None]
    return [
        height + (GAP if node.line < 0 else GAP / 3 if after is not None and after.line < 0 else 0.0)
        for node, height, after in zip(column, heights, below, strict=True)
    ]


def _stacked(wanted: Sequence[float], spans: Sequence[float]) -> list[float]:
    """Upper edges as near to the wanted ones as can be without overlap, in the order given: runs that collide move as one."""
    runs: list[list[float]] = []  # [sum of wishes, members, span]: the wish is where the run's upper edge would best be
    for wish, span in zip(wanted, spans, strict=True):
        run = [wish, 1.0, span]
        while runs and runs[-1][0] / runs[-1][1] + runs[-1][2] > run[0] / run[1]:
            above = runs.pop()
            run = [above[0] + run[0] - above[2] * run[1], above[1] + run[1], above[2] + run[2]]
        runs.append(run)
    tops: list[float] = []
    at = 0
    for total, members, _ in runs:
        top = total / members
        for span in spans[at : at + int(members)]:
            tops.append(top)
            top += span
        at += int(members)
    return tops
