"""The report as SARIF 2.1.0, for code scanning: rules with help, places, stable fingerprints."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from ci_runner import __version__, text
from ci_runner.config.names import DOCS, HOMEPAGE
from ci_runner.formats.written import dumps
from ci_runner.model.report import Finding, ReplayError, Report, Run, Suggestion
from ci_runner.model.tally import fingerprints, location

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
LEVELS = {"error": "error", "warning": "warning", "notice": "note"}
REPLAY = "replay-failed"


def render(run: Run) -> str:
    """One SARIF log with one run. Columns count Unicode characters; addresses are relative to the repository's root."""
    found = [(report, *named) for report in run.reports for named in fingerprints(report)]
    rules = _rules(finding for _, finding, _ in found)
    failed = [(report, report.replay.error) for report in run.reports if report.replay.error]
    if failed:
        rules[REPLAY] = _replay_rule()
    order = {slug: index for index, slug in enumerate(rules)}
    results = [_result(report, finding, print_, order) for report, finding, print_ in found]
    results += [_failure(report, error, order[REPLAY]) for report, error in failed]
    log = {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "Pilotage",
                        "version": __version__,
                        "informationUri": HOMEPAGE,
                        "rules": list(rules.values()),
                    }
                },
                "columnKind": "unicodeCodePoints",
                "originalUriBaseIds": {"SRCROOT": {"description": {"text": "The root of the repository"}}},
                "invocations": [_invocation(run)],
                "results": results,
            }
        ],
    }
    return dumps(log)


def _invocation(run: Run) -> dict[str, Any]:
    """The run went through whatever it found; what could not be judged is told as notifications."""
    told = [
        {
            "level": "note",
            "descriptor": {"id": "not-analysed"},
            "message": {"text": text.visible(each.reason)},
            "locations": [_place(report, each.file, {"startLine": each.line})],
        }
        for report in run.reports
        for each in report.not_analysed
    ]
    return {"executionSuccessful": True, "toolExecutionNotifications": told}


def _rules(findings: Any) -> dict[str, dict[str, Any]]:
    """The rules that found something, by slug, with their text from the first finding of each."""
    rules: dict[str, dict[str, Any]] = {}
    for finding in findings:
        if finding.rule in rules:
            continue
        advice = "\n\n".join(
            part for part in (finding.why, finding.remedy and f"What to do instead: {finding.remedy}") if part
        )
        title = finding.title or finding.rule
        rules[finding.rule] = {
            "id": finding.rule,
            "name": "".join(word.capitalize() for word in finding.rule.split("-")),
            "shortDescription": {"text": text.visible(title)},
            "fullDescription": {"text": text.visible(finding.why or title)},
            "help": {"text": text.visible(advice or title), "markdown": text.prose(advice or title)},
            **({"helpUri": f"{DOCS}/rules/{quote(finding.rule, errors='replace')}.md"} if finding.page else {}),
            "defaultConfiguration": {"level": LEVELS[finding.severity]},
            "properties": {"tags": ["sql", "migrations"], "aliases": list(finding.aliases)},
        }
    return rules


def _replay_rule() -> dict[str, Any]:
    return {
        "id": REPLAY,
        "name": "ReplayFailed",
        "shortDescription": {"text": "The migration does not run"},
        "fullDescription": {"text": "The dev database refused a statement of this migration."},
        "help": {"text": "Correct the statement; the message holds the database's own words."},
        "defaultConfiguration": {"level": "error"},
    }


def _result(report: Report, finding: Finding, fingerprint: str, order: dict[str, int]) -> dict[str, Any]:
    region: dict[str, Any] = {
        "startLine": finding.line,
        "startColumn": finding.column,
        "endLine": max(finding.line, finding.end_line),
        "endColumn": max(1, finding.end_column),
    }
    if finding.statement:
        region["snippet"] = {"text": text.visible(finding.statement)}
    result: dict[str, Any] = {
        "ruleId": finding.rule,
        "ruleIndex": order[finding.rule],
        "level": LEVELS[finding.severity],
        "kind": "fail",
        "message": {"text": text.visible(finding.message) or finding.rule},
        "locations": [_place(report, finding.file, region if finding.file else {})],
        "partialFingerprints": {"pilotage/v1": fingerprint},
        "properties": {"evidence": finding.evidence},
    }
    if finding.suggestion and finding.suggestion.alone:  # its changes can name no file there is not
        result["fixes"] = [_fix(report, finding.file, finding.suggestion)]
    return result


def _fix(report: Report, file: str, suggestion: Suggestion) -> dict[str, Any]:
    replacement = {
        "deletedRegion": {
            "startLine": suggestion.line,
            "startColumn": 1,
            "endLine": suggestion.end_line + 1,
            "endColumn": 1,
        },
        "insertedContent": {"text": suggestion.text if suggestion.text.endswith("\n") else suggestion.text + "\n"},
    }
    change = {"artifactLocation": _address(report, file), "replacements": [replacement]}
    return {"description": {"text": suggestion.summary or "Replace the lines"}, "artifactChanges": [change]}


def _failure(report: Report, error: ReplayError, index: int) -> dict[str, Any]:
    return {
        "ruleId": REPLAY,
        "ruleIndex": index,
        "level": "error",
        "kind": "fail",
        "message": {"text": text.visible(f"{report.replay.engine}: {error.message}")},
        "locations": [_place(report, error.file, {"startLine": error.line, "startColumn": error.column})],
        "properties": {"evidence": "observed"},
    }


def _place(report: Report, file: str, region: dict[str, Any]) -> dict[str, Any]:
    physical: dict[str, Any] = {"artifactLocation": _address(report, file)}
    if region:
        physical["region"] = region
    return {"physicalLocation": physical}


def _address(report: Report, file: str) -> dict[str, str]:
    return {"uri": quote(location(report, file), errors="surrogatepass"), "uriBaseId": "SRCROOT"}
