"""Puts the size of a table into a finding's sentence: "rewrites ~84 M rows (12 GB) of …" instead of "rewrites …"."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from ci_runner.lint.context import Step
from ci_runner.model.operations import Name, Operation
from ci_runner.model.schema import Catalog
from ci_runner.model.stats import Size, amount, rows, volume
from ci_runner.sql.catalog_names import locate

Sizes = Mapping[Name, Size]
# What is done to all of a table, up to its name; the first group stays when the amount takes the place of the rest.
_WORK = r"(\b(?:rewrites?|scans?|reads?|cop(?:ies|y)) )(?:all of |every (?:row|part) of )?|()\bevery row of "


def tables(operation: Operation) -> Iterator[Name]:
    """The tables an operation works on."""
    one = getattr(operation, "table", None)
    if isinstance(one, Name):
        yield one
    for each in getattr(operation, "tables", ()):
        if isinstance(each, Name):
            yield each


def size(catalog: Catalog, name: Name, sizes: Sizes, dialect: str) -> Size | None:
    """The size of the table of that name in production; None where it is not known, or the file made the table."""
    key = locate(catalog, name, dialect)
    table = catalog.tables.get(key)
    return None if table is not None and table.born else sizes.get(key)


def sized(message: str, step: Step, operation: Operation, sizes: Sizes, dialect: str) -> tuple[str, str, Size | None]:
    """The sentence with sizes in it, and the first table with its size, ("", None) where none is known."""
    first: tuple[str, Size | None] = ("", None)
    for name in dict.fromkeys(tables(operation)):
        found = size(step.catalog, name, sizes, dialect)
        if found is None or not amount(found):
            continue
        message = _said(message, (str(name), name.name), found)
        first = first if first[1] is not None else (str(name), found)
    return (message, *first)


def _said(message: str, names: tuple[str, str], found: Size) -> str:
    for name in dict.fromkeys(names):
        quoted = rf'"{re.escape(name)}"'
        at = re.search(rf"(?:{_WORK})((?i:{quoted}))", message)
        if at:
            return f"{message[: at.start()]}{at[1] or ''}{amount(found)} of {message[at.start(3) :]}"
        at = re.search(quoted, message, re.IGNORECASE)
        if at:
            facts = ", ".join(part for part in (rows(found), volume(found)) if part)
            return f"{message[: at.end()]} ({facts}){message[at.end() :]}"
    return message
