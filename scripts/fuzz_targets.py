"""What the fuzzers feed: each target takes bytes, reads them as one part of Pilotage would, and raises when a law is broken.

The first byte chooses the dialect, the second a few settings; the rest is the text.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping

from ci_runner import lint, migrations, sql
from ci_runner.config.options import DIALECTS
from ci_runner.errors import PilotageError
from ci_runner.model.directory import Migration, Part, Tree
from ci_runner.model.operations import Statement
from ci_runner.model.report import ChangedFile
from ci_runner.model.schema import Catalog
from ci_runner.sql import catalog

DELIMITERS = ("", "", "", ";;", "//", "\n", "GO")


def given(data: bytes) -> tuple[str, int, str]:
    """Dialect, settings and text of an input."""
    head = data[:2].ljust(2, b"\0")
    return DIALECTS[head[0] % len(DIALECTS)], head[1], data[2:].decode("utf-8", "replace")


def segments(data: bytes) -> None:
    """Pieces are within the text, in order and apart; splitting a second time gives the same."""
    dialect, setting, text = given(data)
    delimiter = DELIMITERS[setting % len(DELIMITERS)]
    spans = sql.split(text, dialect, delimiter=delimiter)
    end = 0
    for start, stop in spans:
        if not end <= start < stop <= len(text):
            raise AssertionError(f"piece {start}..{stop} after {end} in {len(text)} characters of {dialect}")
        end = stop
    if sql.split(text, dialect, delimiter=delimiter) != spans:
        raise AssertionError(f"a second splitting of {dialect} differs")


def operations(data: bytes) -> None:
    """Each statement has operations or a reason, each operation lies in the text; the schema and the effects follow from them."""
    dialect, _, text = given(data)
    statements = sql.statements(migration(text), dialect)
    for statement in statements:
        if not statement.operations and not statement.not_analysed:
            raise AssertionError(
                f"{dialect}: neither operations nor a reason at line {statement.line}: {statement.text!r}"
            )
        for operation in statement.operations:
            if not 0 <= operation.start <= operation.end <= len(text):
                raise AssertionError(
                    f"{dialect}: {operation.kind} at {operation.start}..{operation.end} of {len(text)}"
                )
    catalog.loads(catalog.dumps(catalog.fold(Catalog(), statements, dialect)))
    sql.effects(statements, dialect)


def comments(data: bytes) -> None:
    """Directives and ignore comments are read or refused in a sentence, every finding stands in the file, every rule survives."""
    dialect, setting, text = given(data)
    name = ("1_a.sql", "1_a.up.sql", "V1__a.sql", "1_a/migration.sql")[setting % 4]
    try:
        read = migrations.read(
            Tree("m", {name: text.encode()}), format=None, dialect=dialect, directives_lenient=bool(setting & 4)
        )
    except PilotageError as error:
        if not str(error).strip():
            raise AssertionError(f"{type(error).__name__} without a sentence") from None
        return
    for each in read.migrations:
        judged(each, sql.statements(each, dialect), dialect)


def judged(file: Migration, statements: tuple[Statement, ...], dialect: str) -> None:
    """All rules on a file, those as well that are off unless asked for."""
    lines = file.text.count("\n") + 1
    levels: dict[str, str] = {rule.slug: "warning" for rule in lint.catalogue(dialect)}
    linted = lint.lint(
        [lint.LintFile(ChangedFile(file.name, "added", file), statements)],
        Catalog(),
        dialect=dialect,
        policy=lint.policy(levels, lint.catalogue()),
    )
    for finding in linted.findings:
        if not 1 <= finding.line <= finding.end_line <= lines:
            raise AssertionError(f"{dialect}: {finding.rule} at lines {finding.line}..{finding.end_line} of {lines}")


def migration(text: str) -> Migration:
    """``text`` as a file by itself."""
    return Migration("1_a.sql", "1", "a", text, hashlib.sha256(text.encode()).hexdigest(), parts=(Part(0, len(text)),))


TARGETS: Mapping[str, Callable[[bytes], None]] = {"segments": segments, "operations": operations, "comments": comments}
