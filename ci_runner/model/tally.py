"""What can be read off a report without judging anew: its findings, their number, where they stand in the repository."""

from __future__ import annotations

from typing import NamedTuple

from ci_runner.model.directory import Problem
from ci_runner.model.report import Finding, Report, Run

RANK = {"error": 0, "warning": 1, "notice": 2}


class Counts(NamedTuple):
    """How many findings of each severity."""

    errors: int
    warnings: int
    notices: int


def stray_problems(report: Report) -> tuple[Problem, ...]:
    """Problems of the directory that belong to no changed file; the others are among their file's findings."""
    changed = {file.name for file in report.files}
    return tuple(problem for problem in report.problems if problem.file not in changed)


def as_finding(problem: Problem, text: str = "") -> Finding:
    """A problem of the directory as a finding on its whole line; ``text`` is the file's, "" when not at hand."""
    line = problem.line or 1
    lines = text.splitlines()
    width = len(lines[line - 1]) if line <= len(lines) else 0
    return Finding(
        rule=problem.code,
        severity=problem.level,
        message=problem.message,
        file=problem.file or "",
        line=line,
        column=1,
        end_line=line,
        end_column=width + 1,
        title=problem.code.replace("-", " ").capitalize(),
        remedy=problem.remedy,
        statement=lines[line - 1] if problem.line and line <= len(lines) else "",
    )


def findings(report: Report) -> tuple[Finding, ...]:
    """Every finding of one directory: stray problems first (``file`` "" = the directory itself), then file by file."""
    strays = tuple(as_finding(problem) for problem in stray_problems(report))
    return strays + tuple(finding for file in report.files for finding in file.findings)


def counts(*reports: Report) -> Counts:
    """The number of errors, warnings and notices in all of the reports together."""
    severities = [finding.severity for report in reports for finding in findings(report)]
    return Counts(severities.count("error"), severities.count("warning"), severities.count("notice"))


def counts_of(run: Run) -> Counts:
    """The number of errors, warnings and notices of a whole run."""
    return counts(*run.reports)


def location(report: Report, file: str) -> str:
    """The path of a file of the directory as CI systems want it: POSIX, from the repository's root, without ``./``."""
    folder = report.path.replace("\\", "/").removeprefix("./").rstrip("/")
    parts = [part for part in (folder, file) if part and part != "."]
    return "/".join(parts) or "."
