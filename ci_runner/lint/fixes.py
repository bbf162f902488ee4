"""Safe rewrites: candidates as edits, tried by linting the text they give, and shown as whole lines."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import NamedTuple

from msgspec.structs import replace

from ci_runner.lint.rule import Edit, Fix
from ci_runner.lint.suppress import Lines
from ci_runner.migrations import transaction
from ci_runner.model.directory import Migration
from ci_runner.model.operations import Statement
from ci_runner.model.report import Finding, Suggestion

MOST = 25  # suggestions tried in one file
Parse = Callable[[Migration], tuple[Statement, ...]]


class Candidate(NamedTuple):
    """A finding with a rewrite of its file that should rid it of the hazard."""

    finding: Finding
    migration: Migration
    suggestion: Suggestion


def candidate(
    finding: Finding, fix: Fix, migration: Migration, statements: tuple[Statement, ...], format_: str
) -> Candidate | None:
    """The rewrite a rule proposes; None where this format has no way to say what it needs."""
    edits = list(fix.edits)
    mode = migration.transaction
    if fix.no_transaction and transaction(migration, statements, format_) != "none":
        directive = _directive(migration, format_) if len(statements) == 1 else None
        if directive is None:
            return None
        edits.append(directive)
        mode = "none"
    edits.sort()
    text = apply(migration.text, edits)
    lines = Lines(migration.text)
    first, last = lines.line(edits[0].start), lines.line(max(edit.end for edit in edits))
    grown = text.count("\n") - migration.text.count("\n")
    fixed = Lines(text)
    shown = "\n".join(fixed.content(number) for number in range(first, last + grown + 1))
    parts = tuple(replace(part, end=len(text)) if part.end >= len(migration.text) else part for part in migration.parts)
    changed = replace(migration, text=text, transaction=mode, parts=parts if len(parts) == 1 else migration.parts)
    return Candidate(finding, changed, Suggestion(first, last, shown, fix.summary, fix.safe))


def apply(text: str, edits: list[Edit]) -> str:
    """``text`` with the edits made; they must be sorted and not overlap."""
    done, at = [], 0
    for edit in edits:
        done += [text[at : edit.start], edit.text]
        at = edit.end
    return "".join([*done, text[at:]])


_AT_TOP = {"atlas": "-- atlas:txmode none\n\n", "sqlx": "-- no-transaction\n", "goose": "-- +goose NO TRANSACTION\n"}


def _directive(migration: Migration, format_: str) -> Edit | None:
    """How a file of that format says that the runner must not wrap it."""
    if format_ == "dbmate":
        found = re.search(r"^--\s*migrate:up[ \t]*$", migration.text, re.MULTILINE)
        return Edit(found.end(), found.end(), " transaction:false") if found else None
    text = _AT_TOP.get(format_)
    if text is None or (format_ == "atlas" and migration.text.count("\r\n", 0, 4096)):
        return None  # Atlas knows no blank line that ends in CRLF, and would not honour the directive
    return Edit(0, 0, text)


def combined(text: str, findings: Iterable[Finding]) -> tuple[str, tuple[Finding, ...]]:
    """``text`` with the suggestions of these findings, the first to come for a line; and the findings whose suggestion is in it.

    New lines end as the file's first line does.
    """
    taken: list[tuple[Suggestion, Finding]] = []
    for finding in findings:
        wanted = finding.suggestion
        if wanted and not any(wanted.line <= other.end_line and other.line <= wanted.end_line for other, _ in taken):
            taken.append((wanted, finding))
    lines = text.split("\n")
    end = "\r" if lines[0].endswith("\r") else ""
    for wanted, _ in sorted(taken, key=lambda pair: pair[0].line, reverse=True):
        new = [f"{line}{end}" for line in wanted.text.split("\n")]
        if not lines[wanted.end_line - 1].endswith("\r"):
            new[-1] = new[-1].removesuffix(end)
        lines[wanted.line - 1 : wanted.end_line] = new
    return "\n".join(lines), tuple(finding for _, finding in taken)
