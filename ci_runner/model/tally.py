"""What can be read off a report without judging anew: its findings, their number, where they stand in the repository."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import NamedTuple

from ci_runner.model.directory import Problem
from ci_runner.model.report import Finding, Report, Run

RANK = {"error": 0, "warning": 1, "notice": 2}


class Counts(NamedTuple):
    """How many findings of each severity."""

    errors: int
    warnings: int
    notices: int


def lines_of(text: str) -> list[str]:
    """The lines of a file as everything here counts them: ended by LF or CRLF, by nothing else."""
    return [row.removesuffix("\r") for row in text.split("\n")]


def stray_problems(report: Report) -> tuple[Problem, ...]:
    """Problems of the directory that belong to no changed file; the others are among their file's findings."""
    changed = {file.name for file in report.files}
    return tuple(problem for problem in report.problems if problem.file not in changed)


def as_finding(problem: Problem, lines: Sequence[str] = ()) -> Finding:
    """A problem of the directory as a finding on its whole line; ``lines`` are the file's, none when it is not at hand."""
    line = problem.line or 1
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
        page=False,  # docs/directories.md has them all
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


def fingerprints(report: Report) -> tuple[tuple[Finding, str], ...]:
    """Every finding with a name that stays the same while it lasts, also when its line moves.

    Made of path, rule and statement without blanks; the n-th of several equal ones is told apart by n.
    """
    seen: dict[str, int] = {}
    named: list[tuple[Finding, str]] = []
    for finding in findings(report):
        subject = "".join(finding.statement.split()) or finding.message
        base = "\0".join((location(report, finding.file), finding.rule, subject))
        seen[base] = seen.get(base, 0) + 1
        digest = hashlib.sha256(f"{base}\0{seen[base]}".encode("utf-8", "surrogatepass")).hexdigest()
        named.append((finding, digest[:32]))
    return tuple(named)
