"""The reading of a directory as one JSON object, for ``pilotage ls --json``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ci_runner.errors import DirectoryRefusedError, RefusedError
from ci_runner.migrations.checks import STATEMENTS, too_many_statements
from ci_runner.migrations.read import sum_text
from ci_runner.model.directory import Migration, MigrationDir, Problem, SumCheck


def listing(mdir: MigrationDir, count: Callable[[Migration], int]) -> dict[str, Any]:
    """The directory as read; ``count`` gives a migration's number of statements.

    Keys that do not apply (``first_run``, ``skipped``, a file's ``kind``) are left out. DirectoryRefusedError over the cap
    of statements.
    """
    shown: dict[str, Any] = {
        "format": mdir.format,
        "dialect": mdir.dialect,
        "files": [_file(migration, count(migration), mdir.format) for migration in mdir.migrations],
        "sum": sum_text(mdir),
        "sum_check": _check(mdir.sum_check),
    }
    if mdir.first_run is not None:
        shown["first_run"] = list(mdir.first_run)
    if mdir.skipped:
        shown["skipped"] = list(mdir.skipped)
    return {**shown, **_problems(mdir.problems)}


def refusal(error: RefusedError) -> dict[str, Any]:
    """The listing of a directory that was refused as a whole: without files."""
    if not isinstance(error, DirectoryRefusedError):
        error = DirectoryRefusedError("refused", str(error))
    refused: dict[str, Any] = {"code": error.code}
    if error.file is not None:
        refused["file"] = error.file
    if error.offset is not None:
        refused["offset"] = error.offset
    if error.candidates:
        refused["candidates"] = list(error.candidates)
    refused["message"] = str(error)
    return {"format": error.format, "refused": refused, "problems": [], "notices": []}


def _file(migration: Migration, statements: int, form: str) -> dict[str, Any]:
    if statements > STATEMENTS:
        raise too_many_statements(migration.name, statements, form)
    shown = {
        "name": migration.name,
        "version": migration.version,
        "description": migration.description,
        "statements": statements,
        "transaction": migration.transaction,
    }
    return shown if migration.kind == "versioned" else {**shown, "kind": migration.kind}


def _check(check: SumCheck) -> dict[str, Any]:
    details = {
        "line": check.line,
        "file": check.file,
        "reason": check.reason,
        "error": check.error,
        "cause": check.cause,
    }
    return {"ok": check.ok, **{key: value for key, value in details.items() if value is not None}}


def _problems(problems: tuple[Problem, ...]) -> dict[str, Any]:
    shown = [
        {"code": p.code, "file": p.file, "line": p.line, "level": p.level, "message": p.message, "remedy": p.remedy}
        for p in problems
    ]
    return {
        "problems": [problem for problem in shown if problem["level"] != "notice"],
        "notices": [problem for problem in shown if problem["level"] == "notice"],
    }
