"""What stands beside the lines of a change: notes on the pull request, annotations in the CI system."""

import hashlib
from pathlib import Path

from ci_runner.model.ci import Annotation, Note
from ci_runner.model.report import Finding, Report, Run
from ci_runner.model.tally import RANK, fingerprints, location
from ci_runner.render import view
from ci_runner.render.environment import fill
from ci_runner.text import fenced, prose, visible


def note(report: Report, finding: Finding, templates: Path | None = None) -> str:
    """A finding as the Markdown of a note on its lines, without the suggestion: each host has its own form for that."""
    return fill("note.md.j2", {"view": view.finding_view(report, finding, (), None)}, templates)


def notes(run: Run, *, templates: Path | None = None) -> tuple[Note, ...]:
    """A note for every error and warning on a file the head commit has, and for a failed replay; the gravest first."""
    found = [(report, finding, name) for report in run.reports for finding, name in fingerprints(report)]
    lines = {(id(report), file.name) for report in run.reports for file in report.files if file.change != "removed"}
    wanted = [
        (report, finding, name)
        for report, finding, name in sorted(found, key=lambda each: RANK[each[1].severity])
        if finding.severity != "notice" and (id(report), finding.file) in lines
    ]
    return (*_failures(run), *(_note(report, finding, name, templates) for report, finding, name in wanted))


def _note(report: Report, finding: Finding, name: str, templates: Path | None) -> Note:
    """The note stands on the lines its suggestion replaces, where one can be taken by itself: hosts replace the lines a note stands on."""
    suggestion = finding.suggestion if finding.suggestion and finding.suggestion.alone else None
    span = suggestion or finding
    body = note(report, finding, templates)
    return Note(name, location(report, finding.file), span.line, max(span.line, span.end_line), body, suggestion)


def _failures(run: Run) -> tuple[Note, ...]:
    notes_ = []
    for report in run.reports:
        error = report.replay.error
        if error and any(file.name == error.file and file.change != "removed" for file in report.files):
            path = location(report, error.file)
            name = hashlib.sha256(
                f"replay-failed\0{path}\0{error.statement}".encode("utf-8", "surrogatepass")
            ).hexdigest()[:32]
            engine = report.replay.engine or "The dev database"
            body = f"❌ **This migration does not run.** {prose(engine)} says:\n\n{fenced(error.message, 'text')}"
            notes_.append(Note(name, path, error.line, error.line, body))
    return tuple(notes_)


def annotations(run: Run) -> tuple[Annotation, ...]:
    """Every finding and every failed replay, the gravest first; what has no file has no place."""
    made = [_replay(report) for report in run.reports if report.replay.status == "failed"]
    found = [(report, finding) for report in run.reports for finding, _ in fingerprints(report)]
    made += [_annotation(report, finding) for report, finding in sorted(found, key=lambda each: RANK[each[1].severity])]
    return tuple(made)


def _replay(report: Report) -> Annotation:
    error = report.replay.error
    title = f"This migration does not run on {report.replay.engine}"
    if error is None:
        return Annotation("error", visible(report.replay.reason or "the replay failed"), title)
    return Annotation(
        "error",
        visible(error.message).strip() or title,
        title,
        location(report, error.file),
        error.line,
        error.line,
        error.column,
    )


def _annotation(report: Report, finding: Finding) -> Annotation:
    parts = (finding.message, finding.why, finding.remedy and f"Instead: {finding.remedy}")
    said = visible("\n".join(part for part in parts if part)).strip() or finding.rule
    title = f"{finding.title or finding.rule} ({finding.rule})"
    if not finding.file:
        return Annotation(finding.severity, said, title, location(report, ""))
    return Annotation(
        finding.severity,
        said,
        title,
        location(report, finding.file),
        finding.line,
        max(finding.line, finding.end_line),
        finding.column,
        finding.end_column,
    )
