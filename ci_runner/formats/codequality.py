"""The report as GitLab Code Quality: a list of issues with stable fingerprints."""

from __future__ import annotations

import hashlib
from typing import Any

from ci_runner.formats.written import dumps
from ci_runner.model.report import Report, Run
from ci_runner.model.tally import fingerprints, location
from ci_runner.text import inline

# https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format
SEVERITIES = {"error": "critical", "warning": "major", "notice": "info"}


def render(run: Run) -> str:
    """A JSON array; a replay that failed is a blocker. Paths are relative to the repository's root, without ``./``."""
    return dumps([issue for report in run.reports for issue in _issues(report)])


def _issues(report: Report) -> list[dict[str, Any]]:
    issues = [
        _issue(
            finding.message,
            finding.rule,
            name,
            SEVERITIES[finding.severity],
            location(report, finding.file),
            finding.line,
        )
        for finding, name in fingerprints(report)
    ]
    error = report.replay.error
    if error:
        path = location(report, error.file)
        name = hashlib.sha256(f"replay-failed\0{path}\0{error.statement}".encode("utf-8", "surrogatepass")).hexdigest()[
            :32
        ]
        said = f"The migration does not run on {report.replay.engine}: {error.message}"
        issues.append(_issue(said, "replay-failed", name, "blocker", path, error.line))
    return issues


def _issue(said: str, rule: str, fingerprint: str, severity: str, path: str, line: int) -> dict[str, Any]:
    return {
        "description": inline(said) or rule,
        "check_name": rule,
        "fingerprint": fingerprint,
        "severity": severity,
        "location": {"path": path, "lines": {"begin": line}},
    }
