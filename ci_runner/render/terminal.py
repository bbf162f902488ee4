"""The report for a terminal or a CI log: one block a finding, in the manner of a compiler."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence

from ci_runner.model.report import Finding, Report, Run
from ci_runner.model.tally import as_finding, counts_of, lines_of, location, stray_problems
from ci_runner.render.environment import clip, plural
from ci_runner.render.view import basis, facts, replayed, schema_words, words
from ci_runner.text import azure_safe, guard, inline, line, visible

# A row is a list of (text, style); styles are names of STYLES.
Row = list[tuple[str, str]]

STYLES = {
    "error": "bold red",
    "warning": "bold yellow",
    "notice": "bold blue",
    "fail": "bold red",
    "warn": "bold yellow",
    "pass": "bold green",
    "strong": "bold",
    "dim": "dim",
    "good": "green",
    "": "",
}
SOURCE_LINES = 6
SUGGESTED_LINES = 30


def text(run: Run, *, colour: bool = False, width: int | None = None, quiet: bool = False) -> str:
    """The report as lines, with a newline at its end.

    ``colour`` adds ANSI sequences. ``width`` (columns) wraps prose and cuts source lines; None leaves both as long as they are. ``quiet``
    leaves only the last line. No line begins with what a CI system takes for a command.
    """
    rows = [] if quiet else [row for report in run.reports for row in _report(report, len(run.reports) > 1, width)]
    rows += [] if quiet else [row for note in run.notes for row in _prose(f"note: {note}", "", width)]
    rows.append(_verdict(run))
    rows = [[(bar, "dim"), *row] if (bar := guard("".join(part for part, _ in row))) else row for row in rows]
    return _ansi(rows) if colour else "\n".join("".join(part for part, _ in row).rstrip() for row in rows) + "\n"


def _prose(said: str, style: str, width: int | None) -> Iterator[Row]:
    """A sentence, on several rows where it is longer than the terminal is wide."""
    one = line(said)
    rows = textwrap.wrap(one, max(30, width - 2), break_long_words=False, break_on_hyphens=False) if width else [one]
    for index, row in enumerate(rows or [""]):
        yield [("  " if index else "", ""), (row, style)]


def _report(report: Report, heading: bool, width: int | None) -> Iterator[Row]:
    if heading:
        yield [(line(f"{report.name} ({report.path})"), "strong")]
        yield []
    for problem in stray_problems(report):
        yield from _finding(report, as_finding(problem), (), width, bool(problem.line))
        yield []
    explained: set[str] = set()
    for file in report.files:
        lines = lines_of(file.text)
        for finding in file.findings:
            yield from _finding(report, finding, lines, width, True, explain=finding.rule not in explained)
            yield []
            explained.add(finding.rule)
    yield from _failure(report, width)
    for each in report.not_analysed:
        where = f"{location(report, each.file)}:{each.line}"
        yield from _headed([(line(where), "strong"), (" not analysed", "dim")], each.reason, width)
    if report.not_analysed:
        yield []
    for note in report.notes:
        yield from _prose(f"note: {note}", "", width)
    yield from _prose(facts(report)[0].replace("`", ""), "dim", width)
    style = {"failed": "error", "ok": "good", "skipped": "dim"}[report.replay.status]
    yield from _prose(replayed(report), style, width)
    if report.schema_changes:
        yield from _prose(f"Schema: {schema_words(report.schema_changes)}", "dim", width)
    if report.suppressed:
        yield [
            (f"{plural(report.suppressed, 'finding')} not counted: ignored in the SQL or known to the baseline", "dim")
        ]
    yield []


def _finding(
    report: Report, finding: Finding, lines: Sequence[str], width: int | None, placed: bool, *, explain: bool = True
) -> Iterator[Row]:
    """One finding; what its rule says of it in general only where ``explain`` is set: the first time in a directory."""
    where = location(report, finding.file)
    if placed:
        where += f":{finding.line}:{finding.column}"
    head: Row = [(line(where), "strong"), (f" {finding.severity} {inline(finding.rule)}", finding.severity)]
    yield from _headed(head, finding.message, width)
    yield from _source(finding, lines, width)
    general = (("why", finding.why), ("instead", finding.remedy)) if explain else ()
    for label, said in (*general, ("how we know", basis(report, finding) if lines and finding.statement else "")):
        if said:
            yield from _wrapped(label, clip(said, 12), width)
    if finding.suggestion:
        yield from _wrapped("suggestion", finding.suggestion.summary or "replace the lines by", width)
        yield from _proposed(finding.suggestion.text, width)
        for file in finding.suggestion.files:
            yield from _wrapped("and", f"{file.name}:", width)
            yield from _proposed(file.text, width)


def _proposed(text: str, width: int | None) -> Iterator[Row]:
    """The lines of a suggestion, long ones on several rows, and how many more there are where they are too many."""
    if not text.strip():
        yield [("      - ", "error"), ("the lines above are taken out", "")]
        return
    rows = lines_of(text.rstrip("\n"))
    for row in rows[:SUGGESTED_LINES]:
        room = max(20, width - 8) if width else len(row) + 1
        first, *rest = textwrap.wrap(_shown(row), room, break_on_hyphens=False) or [""]
        yield [("      + ", "good"), (first, "good")]
        yield from ([("        ", ""), (more, "good")] for more in rest)
    if len(rows) > SUGGESTED_LINES:
        yield [(f"        … {len(rows) - SUGGESTED_LINES} more lines", "")]


def _headed(head: Row, said: str, width: int | None) -> Iterator[Row]:
    """What was found behind its place; below it where the line would not fit."""
    one = inline(said)
    if width is None or sum(len(part) for part, _ in head) + 1 + len(one) <= width:
        yield [*head, (f" {one}", "")]
        return
    yield head
    for row in textwrap.wrap(one, max(30, width - 2), break_long_words=False, break_on_hyphens=False):
        yield [("  ", ""), (line(row), "")]


def _source(finding: Finding, lines: Sequence[str], width: int | None) -> Iterator[Row]:
    """The lines the finding stands on with a caret line below the first, tabs as four blanks so that the carets fit."""
    if not 1 <= finding.line <= len(lines):
        return
    last = min(max(finding.line, finding.end_line), len(lines), finding.line + SOURCE_LINES - 1)
    gutter = len(str(last))
    yield [(" " * (gutter + 1) + "|", "dim")]
    for number in range(finding.line, last + 1):
        shown = _shown(lines[number - 1])
        yield [(f"{number:>{gutter}} | ", "dim"), (_fit(shown, width, gutter + 3), "")]
        if number == finding.line:
            start = len(_shown(lines[number - 1][: finding.column - 1]))
            end = len(shown) if finding.end_line > number else len(_shown(lines[number - 1][: finding.end_column - 1]))
            carets = _fit(" " * start + "^" * max(1, end - start), width, gutter + 3, mark="")
            yield [(" " * (gutter + 1) + "| ", "dim"), (carets, finding.severity)]
    if finding.end_line > last:
        yield [(" " * (gutter + 1) + "| ...", "dim")]


def _failure(report: Report, width: int | None) -> Iterator[Row]:
    error = report.replay.error
    if error is None:
        return
    where = f"{location(report, error.file)}:{error.line}:{error.column}"
    head: Row = [(line(where), "strong"), (" error this migration does not run", "error")]
    yield from _headed(head, f"on {report.replay.engine}", width)
    source = next((lines_of(file.text) for file in report.files if file.name == error.file), [])
    spot = Finding("", "error", "", error.file, error.line, error.column, error.line, error.column + 1)
    yield from _source(spot, source, width)
    for row in clip(error.message, 8).splitlines():
        yield from _wrapped("it says", row, width)
    yield []


def _wrapped(label: str, said: str, width: int | None) -> Iterator[Row]:
    head = f"   = {label}: "
    one = inline(said)
    rows = (
        textwrap.wrap(one, max(30, width - len(head)), break_long_words=False, break_on_hyphens=False)
        if width
        else [one]
    )
    for index, row in enumerate(rows or [""]):
        yield [(head if index == 0 else " " * len(head), "dim"), (line(row), "")]


def _verdict(run: Run) -> Row:
    said = {"fail": "failed", "warn": "passed with warnings", "pass": "passed"}[run.verdict]
    refused = sum(report.replay.status == "failed" for report in run.reports)
    changed = sum(len(report.files) for report in run.reports)
    parts = [
        f"{plural(refused, 'migration')} {'does' if refused == 1 else 'do'} not run" if refused else "",
        words(counts_of(run)) or ("" if refused else "nothing to report"),
    ]
    told = ", ".join(part for part in parts if part) + f" in {plural(changed, 'changed migration')}"
    return [(said, run.verdict), (f": {told if changed or any(counts_of(run)) else 'no migration changed'}", "strong")]


def _shown(source: str) -> str:
    return azure_safe(visible(source.expandtabs(4)).replace("\n", " "))


def _fit(shown: str, width: int | None, used: int, mark: str = "…") -> str:
    room = max(20, width - used) if width else len(shown)
    return shown if len(shown) <= room else shown[: room - len(mark)] + mark


def _ansi(rows: Iterable[Row]) -> str:
    """The rows with ANSI colours; text goes in as plain text, so that no mark-up of rich in it is obeyed."""
    from rich.color import ColorSystem
    from rich.style import Style

    styles = {name: Style.parse(style) for name, style in STYLES.items()}
    painted = (
        "".join(styles[style].render(part, color_system=ColorSystem.STANDARD) for part, style in row) for row in rows
    )
    return "".join(f"{row}\n" for row in painted)
