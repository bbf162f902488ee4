"""A diagram as Mermaid's erDiagram, in the part of its grammar that every host's version reads (https://mermaid.js.org/syntax/entityRelationshipDiagram.html)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from ci_runner.model.diagram import Box, Diagram, Line, Row
from ci_runner.text.pattern import later

NAME = 80  # characters of a name
SIGNS = {"added": "➕ ", "removed": "➖ ", "changed": "✏️ ", "": ""}
_MANY = {True: "o|", False: "o{"}  # children of one parent
_ONE = {True: "|o", False: "||"}  # parents of one child
_RESERVED = later(r"(?:pk|fk|uk)\b", re.IGNORECASE)


def mermaid(diagram: Diagram) -> str:
    """The diagram's text without a fence around it, and with nothing in it that Mermaid or Markdown could take for more than a name."""
    names = _unique((box.name for box in diagram.boxes), _quotable)
    signs = {box.name: SIGNS[box.mark] for box in diagram.boxes}
    shown = {name: f'"{signs[name]}{text}"' for name, text in names.items()}
    rows = ["erDiagram"]
    for box in diagram.boxes:
        rows += _box(box, shown[box.name])
    rows += [_line(line, shown) for line in diagram.lines]
    return "\n".join(rows)


def _box(box: Box, name: str) -> list[str]:
    words = _unique((row.name for row in box.rows), _word)
    inner = [f"        {_row(row, words[row.name])}" for row in box.rows]
    if box.hidden:
        inner.append(f'        _ more "{box.hidden} more column{"" if box.hidden == 1 else "s"}"')
    return [f"    {name} {{", *inner, "    }"] if inner else [f"    {name}"]


def _row(row: Row, name: str) -> str:
    keys = f" {', '.join(row.keys)}" if row.keys else ""
    said = {"added": "➕ added", "removed": "➖ removed", "changed": f"✏️ was {_quotable(row.turned[0])}", "": ""}[
        row.mark
    ]
    return f"{_word(row.type)} {name}{keys}" + (f' "{said}"' if said else "")


def _line(line: Line, names: dict[str, str]) -> str:
    label = _quotable(", ".join(line.columns))
    how = f"{_ONE[line.optional]}{'..' if line.mark == 'removed' else '--'}{_MANY[line.single]}"
    return f'    {names[line.parent]} {how} {names[line.child]} : "{SIGNS[line.mark]}{label}"'


def _unique(names: Iterable[str], make: Callable[[str], str]) -> dict[str, str]:
    """A text for each name, no two alike, although different names can look the same once they are escaped."""
    found: dict[str, str] = {}
    taken: dict[str, int] = {}
    for name in names:
        text = make(name)
        number = taken.get(text, 0) + 1
        while number > 1 and f"{text}_{number}" in taken:
            number += 1
        taken[text] = number
        found[name] = text if number == 1 else f"{text}_{number}"
        taken.setdefault(found[name], 1)
    return found


def _quotable(text: str) -> str:
    """Text for between quotes: letters, digits and what types and names are made of; anything else becomes an underscore."""
    one = " ".join(text.split())
    kept = "".join(each if each.isalnum() or each in " _.,()-" else "_" for each in one[:NAME])
    return kept.strip() or "_"


def _word(text: str) -> str:
    """Text as one word that begins with no digit and is no key word; the arguments of a type keep their brackets."""
    one = " ".join(text.split())[:NAME].strip()
    kept = "".join(each if each.isascii() and (each.isalnum() or each in "_()[]-") else "_" for each in one)
    begins = (kept[:1].isalpha() or kept[:1] == "_") and not _RESERVED.match(kept)
    return kept if begins else f"_{kept}"
