"""Turns what was read, linted and replayed into one report with a verdict."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Literal

from msgspec.structs import replace

from ci_runner import migrations
from ci_runner.formats.json import document
from ci_runner.model.report import (
    ChangedFile,
    ChangeSet,
    FileReport,
    Finding,
    Linted,
    Replay,
    Report,
    Run,
    SchemaChange,
    StatementEffect,
    Verdict,
)
from ci_runner.model.tally import RANK, Counts, as_finding, counts, counts_of, findings, lines_of
from ci_runner.text import Redactor, inline

FailOn = Literal["error", "warning", "never"]
STATUS_LIMIT = 140

__all__ = ["Counts", "FailOn", "build", "combine", "counts", "counts_of", "document", "outputs", "status", "verdict"]


def build(
    changes: ChangeSet,
    linted: Linted,
    replay: Replay,
    *,
    name: str = "",
    fail_on: FailOn = "error",
    notes: Iterable[str] = (),
    effects: Callable[[], Mapping[str, Sequence[StatementEffect]]] = dict,
    schema_changes: Sequence[SchemaChange] | None = None,
    redact: Redactor = Redactor(),  # noqa: B008  a frozen value
    summed: Callable[[], str] | None = None,
    harmless: Callable[[], bool] = lambda: False,
) -> Report:
    """The report on one directory, with every text in it redacted.

    ``effects`` makes the rows of ``explain`` by file name, when they are asked for. ``schema_changes`` default to what the replay saw. Problems
    of the directory become findings on their file and stay in ``problems`` as well. ``summed`` and ``harmless`` are what somebody else has found
    out: the directory's sum, and that nothing in the files' own texts looks like a secret.
    """
    head = changes.head
    raw = Report(
        name=name or head.path,
        path=head.path,
        format=head.format,
        dialect=head.dialect,
        summed=summed or (lambda: migrations.sum_text(head).partition("\n")[0]),
        total_files=len(head.migrations),
        base=changes.base,
        files=_files(changes, linted),
        not_analysed=linted.not_analysed,
        problems=tuple(dict.fromkeys(head.problems)),
        suppressed=linted.suppressed,
        replay=replay,
        verdict="pass",
        notes=tuple(notes),
        schema_changes=tuple(replay.changes if schema_changes is None else schema_changes),
        explained=cache(lambda: redact.value({name: tuple(rows) for name, rows in effects().items()})),
    )
    return _without_secrets(replace(raw, verdict=verdict(raw, fail_on)), redact, harmless)


def _without_secrets(report: Report, redact: Redactor, harmless: Callable[[], bool]) -> Report:
    looked: object = report
    if not redact.secrets and harmless():
        looked = replace(report, files=()), [(file.name, file.findings) for file in report.files]
    if redact.value(looked) is looked:  # nearly every report: looked through as a whole, it holds no secret
        return report
    return replace(
        redact.value(replace(report, files=())), files=tuple(_redacted(file, redact) for file in report.files)
    )


def verdict(report: Report, fail_on: FailOn = "error") -> Verdict:
    """``fail``: the replay failed, or a finding at or above ``fail_on``; ``warn``: any other error or warning; else ``pass``.

    Under ``never`` no finding fails the run; a migration that does not run on the dev database still does. Notices and statements not
    analysed never count.
    """
    severities = {finding.severity for finding in findings(report)}
    fatal: set[str] = {"error": {"error"}, "warning": {"error", "warning"}, "never": set[str]()}[fail_on]
    if report.replay.status == "failed" or severities & fatal:
        return "fail"
    return "warn" if severities & {"error", "warning"} else "pass"


def combine(reports: Iterable[Report], notes: Iterable[str] = ()) -> Run:
    """All directories of one run; its verdict is the worst of theirs, ``pass`` when there is none."""
    every = tuple(reports)
    order: tuple[Verdict, ...] = ("fail", "warn", "pass")
    worst: Verdict = next((each for each in order if any(report.verdict == each for report in every)), "pass")
    return Run(every, worst, tuple(notes))


def outputs(run: Run) -> dict[str, str]:
    """What CI steps after this one may read: ``verdict``, ``errors``, ``warnings``, ``notices``."""
    total = counts_of(run)
    return {
        "verdict": run.verdict,
        "errors": str(total.errors),
        "warnings": str(total.warnings),
        "notices": str(total.notices),
    }


def status(run: Run) -> str:
    """One line of at most 140 characters for a commit status."""
    total = counts_of(run)
    parts = [
        f"{number} {noun}{'' if number == 1 else 's'}"
        for number, noun in zip(total, ("error", "warning", "notice"), strict=True)
        if number
    ]
    changed = sum(len(report.files) for report in run.reports)
    if not changed and not parts:
        return "no migration changed"
    failed = any(report.replay.status == "failed" for report in run.reports)
    engines = sorted({report.replay.engine for report in run.reports if report.replay.status == "ok"})
    text = f"{', '.join(parts) or 'nothing to report'} in {changed} changed migration{'' if changed == 1 else 's'}"
    text = f"A migration does not run; {text}" if failed else text
    text = inline(f"{text}; replayed on {', '.join(engines)}" if engines and not failed else text)
    return text if len(text) <= STATUS_LIMIT else text[: STATUS_LIMIT - 1] + "…"


def _files(changes: ChangeSet, linted: Linted) -> tuple[FileReport, ...]:
    """The changed files in execution order; findings on a file that is not among them come last, so that none is lost."""
    found: dict[str, list[Finding]] = {file.name: [] for file in changes.files}
    for finding in linted.findings:
        found.setdefault(finding.file, []).append(finding)
    texts = {file.name: _text(file) for file in changes.files}
    troubled = {problem.file for problem in changes.head.problems if problem.file is not None}
    lines = {name: lines_of(text) for name, text in texts.items() if name in troubled}
    told = {(each.file, each.rule, line) for each in linted.findings for line in (each.line, None)}
    for problem in dict.fromkeys(changes.head.problems):
        if problem.file in found and (problem.file, problem.code, problem.line) not in told:
            found[problem.file].append(as_finding(problem, lines.get(problem.file, ())))
    known = {file.name: file for file in changes.files}
    return tuple(_file(name, known.get(name), found[name], texts.get(name, "")) for name in found)


def _text(file: ChangedFile) -> str:
    migration = file.migration or file.before
    return migration.text if migration else ""


def _file(name: str, changed: ChangedFile | None, found: Sequence[Finding], text: str) -> FileReport:
    migration = (changed.migration or changed.before) if changed else None
    return FileReport(
        name=name,
        version=migration.version if migration else "",
        change=changed.change if changed else "edited",
        findings=tuple(sorted(found, key=lambda each: (each.line, RANK[each.severity], each.column, each.rule))),
        text=text,
    )


def _redacted(file: FileReport, redact: Redactor) -> FileReport:
    """The file without secrets; a suggestion that held one is dropped, for applying it would write the mask into the file."""
    clean = redact.value(file)
    findings_ = tuple(
        replace(after, suggestion=None) if before.suggestion and after.suggestion != before.suggestion else after
        for before, after in zip(file.findings, clean.findings, strict=True)
    )
    return replace(clean, findings=findings_)
