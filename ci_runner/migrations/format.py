"""What a directory format is: how its forward files are found and ordered, and which parts of a file run forward."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from msgspec import Struct

from ci_runner.model.directory import Kind, Level, Part, Problem, Tree, TxMode
from ci_runner.text.pattern import many

_COMMENTED = many(r"(?!\*/).")
_BLANK = re.compile(many(rf"[\s;]++|--[^\n]*+|#[^\n]*+|/\*(?!M?!){_COMMENTED}\*/"), re.DOTALL)


class Entry(Struct, frozen=True):
    """One forward file as its name tells it."""

    path: str
    version: str
    description: str
    kind: Kind = "versioned"


class Selection(Struct, frozen=True):
    """What the names of a directory say: forward files in execution order, and the order in which the sum hashes them.

    ``sum_order`` is None where it is the execution order. ``aux`` are metadata files worth keeping beside the SQL.
    """

    entries: tuple[Entry, ...]
    sum_order: tuple[str, ...] | None = None
    down: tuple[str, ...] = ()
    aux: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()


class Source(Struct, frozen=True):
    """One forward file for a format's section reader; ``files`` are the other files of the directory by relative path."""

    name: str
    text: str
    dialect: str
    files: Mapping[str, bytes]


class Sections(Struct, frozen=True):
    """What runs forward in one file; no parts = the whole file. ``transaction`` None = the file says nothing of it."""

    parts: tuple[Part, ...] | None = None
    transaction: TxMode | None = None
    problems: tuple[Problem, ...] = ()
    repeatable: bool = False


class Directed(Struct, frozen=True):
    """The directives in effect for the whole file, and what is wrong with others. ``start`` is where statements may begin."""

    effective: tuple[tuple[str, str, int], ...] = ()
    problems: tuple[Problem, ...] = ()
    transaction: str | None = None
    delimiter: str = ""
    checkpoint: bool = False
    start: int = 0


class Format(Struct, frozen=True):
    """A directory format.

    ``order`` says how versions are compared for ``version-order`` and ``duplicate-version``: as ``bytes``, by ``number``, or
    ``own`` where the format's selection has judged that itself. ``root_only``: SQL files in folders below are not run.
    ``key`` maps a version to what makes it equal to another one. ``apart``: every file is selected by its own name and read by its own
    text alone, so that a part of a directory has that part of its migrations.
    """

    name: str
    select: Callable[[Tree, str], Selection]
    sections: Callable[[Source], Sections] | None = None
    order: str = "bytes"
    root_only: bool = True
    key: Callable[[str], object] = str
    apart: bool = False


def problem(
    code: str, level: Level, message: str, file: str | None = None, line: int | None = None, remedy: str = ""
) -> Problem:
    """A Problem with its arguments in reading order."""
    return Problem(code, level, message, file, line, remedy)


def format_error(file: str, line: int | None, message: str, remedy: str = "") -> Problem:
    """The problem of a file that its own format's tool would not accept."""
    return Problem("format-error", "error", message, file, line, remedy)


def not_supported(file: str, line: int | None, message: str, remedy: str = "") -> Problem:
    """The problem of something that the format's tool can run and Pilotage cannot."""
    return Problem("not-supported", "error", message, file, line, remedy)


def root_sql(tree: Tree) -> list[str]:
    """The SQL files of the directory itself, by the bytes of their names."""
    return sorted([name for name in tree.files if name.endswith(".sql") and "/" not in name])


def hidden(path: str) -> bool:
    """Whether a folder on the way to ``path`` begins with a dot."""
    return "/" in path and any(part.startswith(".") for part in path.split("/")[:-1])


def line_of(text: str, offset: int) -> int:
    """The line (from 1) that holds the character at ``offset``."""
    return text.count("\n", 0, offset) + 1


def is_blank(text: str, start: int = 0, end: int | None = None) -> bool:
    """Whether there are only blanks, comments and semicolons between the offsets (MySQL runs ``/*! … */``, so that is none)."""
    if text[start : start + 1].isalpha():
        return False
    stop = len(text) if end is None else end
    found = _BLANK.match(text, start, stop)
    return found is not None and found.end() == stop


def as_number(version: str) -> int | str:
    """The number that a version of digits is, other versions as they are."""
    return int(version) if version.isascii() and version.isdigit() else version
