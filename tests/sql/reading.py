"""Shared by the tests of the SQL stage: texts in, kinds out."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from ci_runner import sql
from ci_runner.model.directory import Migration, Part
from ci_runner.model.operations import Operation, Statement

FORMS = Path(__file__).parent / "forms"
GRAMMAR = Path(__file__).parent / "grammar"


def migration(text: str, *, parts: tuple[Part, ...] = (), delimiter: str = "") -> Migration:
    return Migration("1.sql", "1", "", text, "", parts=parts, delimiter=delimiter)


def read(text: str, dialect: str) -> tuple[Statement, ...]:
    return sql.statements(migration(text), dialect)


def operations(text: str, dialect: str) -> list[Operation]:
    return [operation for statement in read(text, dialect) for operation in statement.operations]


def kinds(text: str, dialect: str) -> list[str]:
    """The kinds of all operations, `conditional:` before those that are, and reasons for what was not analysed."""
    found = []
    for statement in read(text, dialect):
        found += [("conditional:" if op.conditional else "") + op.kind for op in statement.operations]
        if statement.not_analysed:
            found.append(f"not analysed: {statement.not_analysed}")
    return found


def forms() -> list[tuple[str, str, list[str]]]:
    """Every form of tests/sql/forms: dialect, statement, expected kinds."""
    found = []
    for path in sorted(FORMS.glob("*.yaml")):
        for expected, statements in yaml.safe_load(path.read_text()).items():
            wanted = [kind.strip() for kind in expected.split(",")]
            found += [(path.stem, statement, wanted) for statement in statements]
    return found


def _listed(folder: Path) -> list[tuple[str, str, str]]:
    """The forms of a folder's files: dialect, statement, and what the file says of it."""
    found = []
    for path in sorted(folder.glob("*.yaml")):
        for expected, statements in yaml.safe_load(path.read_text(encoding="utf-8")).items():
            found += [(path.stem, statement, expected) for statement in statements]
    return found


def every_form() -> list[tuple[str, str, list[str]]]:
    """The forms of tests/sql/forms, tests/sql/grammar and its effects: dialect, statement, expected kinds."""
    clauses = [(dialect, statement, expected.split(", ")) for dialect, statement, expected in _listed(GRAMMAR)]
    effects = [
        (dialect, statement, re.sub(r"\([^()]*\)", "", expected.partition(" @ ")[0]).split(", "))
        for dialect, statement, expected in _listed(GRAMMAR / "effects")
    ]
    return [*forms(), *clauses, *effects]
