"""The report as JUnit XML: one suite a directory, one case a migration, red for what fails the check."""

from __future__ import annotations

from collections.abc import Iterable
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from ci_runner.model.report import Finding, Report, Run
from ci_runner.model.tally import findings, location
from ci_runner.text import visible, xml


def render(run: Run) -> str:
    """An XML document. What fails the check is a failure of its file's case, the rest its output; the replay is a case of its own."""
    root = Element("testsuites", name="pilotage")
    for report in run.reports:
        _suite(root, report)
    for name in ("tests", "failures", "errors", "skipped"):
        root.set(name, str(sum(int(suite.get(name, "0")) for suite in root)))
    indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(root, encoding="unicode") + "\n"


def _suite(root: Element, report: Report) -> None:
    suite = SubElement(root, "testsuite", name=_clean(report.name or report.path))
    names = {file.name for file in report.files}
    strays = [each for each in findings(report) if each.file not in names]
    groups = [(location(report, ""), strays)] if strays else []
    groups += [(location(report, file.name), list(file.findings)) for file in report.files]
    for name, found in groups:
        case = SubElement(
            suite, "testcase", name=_clean(name), classname=_clean(f"pilotage.{report.name}"), file=_clean(name)
        )
        _tell(case, report, found)
    _replay(suite, report)
    cases = list(suite)
    suite.set("tests", str(len(cases)))
    suite.set("failures", str(sum(case.find("failure") is not None for case in cases)))
    suite.set("errors", str(sum(case.find("error") is not None for case in cases)))
    suite.set("skipped", str(sum(case.find("skipped") is not None for case in cases)))


def _tell(case: Element, report: Report, found: Iterable[Finding]) -> None:
    every = list(found)
    fatal = _fatal(report)
    grave = [each for each in every if each.severity == fatal]
    if grave:
        said = "; ".join(f"{each.rule}: {each.message}" for each in grave)
        failure = SubElement(case, "failure", type=_clean(grave[0].rule), message=_clean(said[:500]))
        failure.text = _clean("\n\n".join(_words(report, each) for each in grave))
    rest = [each for each in every if each.severity != fatal]
    if rest:
        SubElement(case, "system-out").text = _clean("\n\n".join(_words(report, each) for each in rest))


def _fatal(report: Report) -> str:
    """The severity that failed this directory: errors, else warnings, "" when no finding did."""
    if report.verdict != "fail":
        return ""
    if any(finding.severity == "error" for finding in findings(report)):
        return "error"
    return "warning" if report.replay.status != "failed" else ""


def _words(report: Report, finding: Finding) -> str:
    place = f"{location(report, finding.file)}:{finding.line}:{finding.column}"
    rows = [
        f"{place} {finding.severity} {finding.rule}: {finding.message}",
        finding.statement,
        finding.why,
        finding.remedy,
    ]
    return "\n".join(row for row in rows if row)


def _replay(suite: Element, report: Report) -> None:
    replay = report.replay
    case = SubElement(suite, "testcase", name="replay", classname=_clean(f"pilotage.{report.name}"))
    if replay.status == "skipped":
        SubElement(case, "skipped", message=_clean(replay.reason or "no dev database"))
    elif replay.status == "failed" and replay.error:
        error = replay.error
        place = f"{location(report, error.file)}:{error.line}:{error.column}"
        SubElement(case, "error", type="replay-failed", message=_clean(error.message[:500])).text = _clean(
            f"{place} {replay.engine}: {error.message}\n{error.statement}"
        )
    elif replay.status == "failed":
        SubElement(case, "error", type="replay-failed", message=_clean(replay.reason or "the replay failed"))


def _clean(said: str) -> str:
    """Text XML can carry; what cannot be shown is spelt out, newlines stay."""
    return xml(visible(said))
