"""The report as JSON: the contract described by ``docs/report.schema.json``, which changes by addition only."""

from __future__ import annotations

from typing import Any

from ci_runner.formats.written import dumps
from ci_runner.model.report import FileReport, Finding, Replay, Report, Run

SCHEMA_VERSION = 1


def document(run: Run) -> dict[str, Any]:
    """The report as plain values: one directory's object, or with several ``{schema_version, verdict, directories[]}``."""
    if len(run.reports) == 1:
        return _directory(run.reports[0])
    return {
        "schema_version": SCHEMA_VERSION,
        "verdict": run.verdict,
        "directories": [_directory(report) for report in run.reports],
    }


def render(run: Run) -> str:
    """The document as ASCII text, keys in the order of the contract, with a newline at its end."""
    return dumps(document(run))


def _directory(report: Report) -> dict[str, Any]:
    return {
        "schema_version": SCHEMA_VERSION,
        "directory": {
            "path": report.path,
            "format": report.format,
            "dialect": report.dialect,
            "sum": report.sum,
            "files": report.total_files,
        },
        "base": {"kind": report.base.kind, "ref": report.base.ref},
        "files": [_file(file) for file in report.files],
        "not_analysed": [{"file": each.file, "line": each.line, "reason": each.reason} for each in report.not_analysed],
        "problems": [
            {"code": each.code, "file": each.file, "line": each.line, "level": each.level, "message": each.message}
            for each in report.problems
        ],
        "suppressed": report.suppressed,
        "replay": _replay(report.replay),
        "schema_changes": [
            {"action": each.action, "what": each.what, "name": each.name, "before": each.before, "after": each.after}
            for each in report.schema_changes
        ],
        "verdict": report.verdict,
    }


def _file(file: FileReport) -> dict[str, Any]:
    return {
        "name": file.name,
        "version": file.version,
        "change": file.change,
        "findings": [_finding(finding) for finding in file.findings],
    }


def _finding(finding: Finding) -> dict[str, Any]:
    suggestion = finding.suggestion
    return {
        "rule": finding.rule,
        "aliases": list(finding.aliases),
        "severity": finding.severity,
        "message": finding.message,
        "remedy": finding.remedy,
        "evidence": finding.evidence,
        "line": finding.line,
        "column": finding.column,
        "end_line": finding.end_line,
        "end_column": finding.end_column,
        "statement": finding.statement,
        "table": finding.table or None,
        "rows": finding.size.rows if finding.size else None,
        "bytes": finding.size.bytes if finding.size else None,
        "suggestion": None
        if suggestion is None
        else {
            "line": suggestion.line,
            "end_line": suggestion.end_line,
            "text": suggestion.text,
            "summary": suggestion.summary,
            "safe": suggestion.safe,
            "files": [{"name": file.name, "text": file.text} for file in suggestion.files],
        },
    }


def _replay(replay: Replay) -> dict[str, Any]:
    error = replay.error
    return {
        "status": replay.status,
        "engine": replay.engine,
        "statements": replay.statements,
        "error": None
        if error is None
        else {
            "file": error.file,
            "line": error.line,
            "column": error.column,
            "message": error.message,
            "statement": error.statement,
            "code": error.code,
        },
    }
