"""What the templates of the comment see: the report sorted, counted and put into words, every text still unescaped."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby

from msgspec import Struct

from ci_runner.config.names import DOCS
from ci_runner.model.directory import Problem
from ci_runner.model.report import FileReport, Finding, NotAnalysed, Report, Run, SchemaChange, StatementEffect
from ci_runner.model.tally import Counts, counts, counts_of, lines_of, location, stray_problems
from ci_runner.render.environment import clip, plural

# (repository path, first line, last line) → address of these lines, "" when there is none.
Links = Callable[[str, int, int], str]

SQL_LINES = 14
STATEMENT_LINES = 10
ROWS = 40
ICONS = {"error": "🔴", "warning": "🟡", "notice": "🔵"}
VERDICTS = {"fail": "❌", "warn": "⚠️", "pass": "✅"}
ACTIONS = {"added": "➕", "removed": "➖", "changed": "✏️"}
REPLAYED = {"ok": "✅", "failed": "❌", "skipped": "⚪"}
DIALECTS = {
    "postgres": "PostgreSQL",
    "mysql": "MySQL",
    "mariadb": "MariaDB",
    "sqlite": "SQLite",
    "sqlserver": "SQL Server",
    "clickhouse": "ClickHouse",
    "redshift": "Redshift",
    "snowflake": "Snowflake",
}


class FindingView(Struct, frozen=True):
    """One finding in words. ``sql`` are its lines, ``diff`` the suggestion against the file, ``doc`` and ``link`` addresses or ""."""

    finding: Finding
    icon: str
    title: str
    lines: str
    message: str
    why: str
    remedy: str
    basis: str
    sql: str
    diff: str
    doc: str
    link: str


class FileView(Struct, frozen=True):
    """One changed file; ``findings`` and ``notices`` are finished Markdown, ``hidden`` says how many more were cut."""

    file: FileReport
    link: str
    counts: str
    findings: tuple[str, ...]
    notices: tuple[str, ...]
    hidden: int
    effects: tuple[StatementEffect, ...]
    heaviest: str
    more_effects: int


class DirectoryView(Struct, frozen=True):
    """One directory; ``quiet`` is what a clean one has to say in one line, ``more`` how many rows each list left out."""

    report: Report
    icon: str
    counts: str
    quiet: str
    facts: tuple[str, ...]
    files: tuple[FileView, ...]
    problems: tuple[tuple[Problem, str], ...]
    failure: str
    failure_link: str
    schema: tuple[SchemaChange, ...]
    schema_words: str
    picture: str
    unfolded: bool
    not_analysed: tuple[NotAnalysed, ...]
    notes: tuple[str, ...]
    more: dict[str, int]


# The findings to show, finished: (index of the file, index of the finding in it) → Markdown.
Shown = Mapping[tuple[int, int], str]


def words(total: Counts) -> str:
    """``2 errors, 1 warning``; "" when there is nothing."""
    parts = [plural(number, noun) for number, noun in zip(total, ("error", "warning", "notice"), strict=True) if number]
    return ", ".join(parts)


def headline(run: Run) -> str:
    """The verdict and the counts in one line of plain text with code in backticks."""
    refused = sum(report.replay.status == "failed" for report in run.reports)
    verdict = {
        "fail": "Migration check failed",
        "warn": "Migration check passed with warnings",
        "pass": "Migration check passed",
    }[run.verdict]
    parts = [
        f"{plural(refused, 'migration')} {'does' if refused == 1 else 'do'} not run" if refused else "",
        words(counts_of(run)),
    ]
    said = ", ".join(part for part in parts if part)
    return f"{verdict}: {said}" if said else verdict


def quiet(run: Run) -> str:
    """What a clean run has to say, in one line; "" when it is not clean or there is something to read."""
    told = any(report.notes or report.not_analysed or report.suppressed for report in run.reports)
    if run.verdict != "pass" or any(counts_of(run)) or run.notes or told:
        return ""
    changed = sum(len(report.files) for report in run.reports)
    if not changed:
        return "no migration changed"
    engines = sorted({report.replay.engine for report in run.reports if report.replay.status == "ok"})
    places = f" in {len(run.reports)} directories" if len(run.reports) > 1 else ""
    return f"{plural(changed, 'changed migration')}{places}, {'replayed on ' + ' and '.join(engines) if engines else 'not replayed'}"


def facts(report: Report) -> tuple[str, ...]:
    """What was looked at, against what, and whether it ran; code stands in backticks."""
    changes = [(kind, len(list(group))) for kind, group in groupby(sorted(file.change for file in report.files))]
    which = ", ".join(f"{number} {kind}" for kind, number in changes) or "none changed"
    base = {
        "git": f"compared with `{_short(report.base.ref)}`" if report.base.ref else "compared with the base",
        "registry": f"compared with `{report.base.ref}` in the registry",
        "latest": f"the latest {report.base.ref} taken as new",
        "all": "all taken as new",
    }[report.base.kind]
    folder = f" in `{report.path}`" if report.path else ""
    dialect = DIALECTS.get(report.dialect, report.dialect)
    return (
        f"{plural(report.total_files, 'migration')}{folder} ({dialect}): {which}, {base}",
        f"{REPLAYED[report.replay.status]} {replayed(report)}",
    )


def replayed(report: Report) -> str:
    """The outcome of the replay in one sentence."""
    replay = report.replay
    if replay.status == "ok":
        return f"Replayed on {replay.engine}: {plural(replay.statements, 'statement')}, no error"
    if replay.status == "failed":
        return f"Replayed on {replay.engine}: stopped by an error"
    return f"Not replayed: {replay.reason or 'no dev database'}"


def directory(report: Report, shown: Shown, links: Links | None, rows: int, picture: str = "") -> DirectoryView:
    """The view of one directory with the findings in ``shown``; lists are cut to ``rows`` rows.

    ``picture`` is the finished diagram of what changes in the schema, "" for none.
    """
    error = report.replay.error
    problems = _grouped(stray_problems(report))
    files = [_file(report, index, shown, links, rows) for index in range(len(report.files))]
    return DirectoryView(
        report=report,
        icon=VERDICTS[report.verdict],
        counts=words(counts(report)),
        quiet=quiet(Run((report,), report.verdict)),
        facts=facts(report),
        files=tuple(file for file in files if file.findings or file.notices or (file.effects and not file.hidden)),
        problems=problems[:rows],
        failure=clip(error.statement, SQL_LINES) if error else "",
        failure_link=_link(links, report, error.file, error.line, error.line) if error else "",
        schema=report.schema_changes[:rows],
        schema_words=schema_words(report.schema_changes),
        picture=picture,
        unfolded=picture.startswith("<"),  # a page has room; a comment is read in between
        not_analysed=report.not_analysed[:rows],
        notes=tuple(clip(note, 6) for note in report.notes[:rows]),
        more={
            "schema": max(0, len(report.schema_changes) - rows),
            "not_analysed": max(0, len(report.not_analysed) - rows),
            "problems": max(0, len(problems) - rows),
        },
    )


def schema_words(changes: Sequence[SchemaChange]) -> str:
    """``1 table and 2 columns added, 1 index removed``; "" when nothing changed."""
    found: dict[str, dict[str, int]] = {"added": {}, "changed": {}, "removed": {}}
    for change in changes:
        kinds = found.setdefault(change.action, {})
        kinds[change.what] = kinds.get(change.what, 0) + 1
    parts = []
    for action, kinds in found.items():
        said = [f"{number:,} {what if number == 1 else _several(what)}" for what, number in kinds.items()]
        if said:
            listed = f"{', '.join(said[:-1])} and {said[-1]}" if len(said) > 1 else said[0]
            parts.append(f"{listed} {action}")
    return ", ".join(parts)


def _several(what: str) -> str:
    return {"index": "indexes"}.get(what, f"{what}s")


def _file(report: Report, index: int, shown: Shown, links: Links | None, rows: int) -> FileView:
    file = report.files[index]
    effects = report.effects.get(file.name, ())
    severities = [finding.severity for finding in file.findings]
    mine = [(severity, shown[index, n]) for n, severity in enumerate(severities) if (index, n) in shown]
    return FileView(
        file=file,
        link=_link(links, report, file.name, 1, 1) if file.change != "removed" else "",
        counts=words(Counts(severities.count("error"), severities.count("warning"), severities.count("notice"))),
        findings=tuple(block for severity, block in mine if severity != "notice"),
        notices=tuple(block for severity, block in mine if severity == "notice"),
        hidden=len(severities) - len(mine),
        effects=effects[:rows],
        heaviest=heaviest(effects),
        more_effects=max(0, len(effects) - rows),
    )


def finding_view(report: Report, finding: Finding, lines: Sequence[str], links: Links | None) -> FindingView:
    """One finding in words; ``lines`` are its file's."""
    title = finding.title or finding.message
    return FindingView(
        finding=finding,
        icon=ICONS[finding.severity],
        title=clip(title, 1, 200),
        lines=f"line {finding.line}"
        if finding.end_line <= finding.line
        else f"lines {finding.line}–{finding.end_line}",
        message=clip(finding.message, 6) if finding.message != title else "",
        why=clip(finding.why, 12),
        remedy=clip(finding.remedy, 12),
        basis=basis(report, finding),
        sql=clip(sql(finding, lines), SQL_LINES),
        diff=diff(finding, lines),
        doc=f"{DOCS}/rules/{finding.rule}.md"
        if finding.page and finding.rule.replace("-", "").isalnum() and finding.rule.isascii()
        else "",
        link=_link(links, report, finding.file, finding.line, finding.end_line),
    )


def basis(report: Report, finding: Finding) -> str:
    """Whether the finding was observed or inferred, and where."""
    if finding.evidence == "observed":
        return f"observed on {report.replay.engine or 'the dev database'}"
    return "inferred from the text"


def sql(finding: Finding, lines: Sequence[str]) -> str:
    """The statement where it is short, for a line of it may not say what it is about; else the whole lines the finding stands on."""
    there = lines[finding.line - 1 : max(finding.line, finding.end_line)] if finding.line >= 1 else []
    if not any(row.strip() for row in there):
        return finding.statement
    short = finding.statement.count("\n") < STATEMENT_LINES and there[0].strip() in finding.statement
    return finding.statement if short else "\n".join(there)


def diff(finding: Finding, lines: Sequence[str]) -> str:
    """The suggestion as a diff of whole lines, the files it writes beside it behind them; "" when there is none."""
    suggestion = finding.suggestion
    if suggestion is None:
        return ""
    old = lines[suggestion.line - 1 : suggestion.end_line]
    new = lines_of(suggestion.text.removesuffix("\n"))
    if len(old) + len(new) > 200:
        return ""
    rows = [row for row in list(difflib.unified_diff(old, new, lineterm="", n=1))[2:] if not row.startswith("@@")]
    for file in suggestion.files:
        rows += [f"+++ {file.name}", *(f"+{row}" for row in lines_of(file.text.rstrip("\n")))]
    return "\n".join(clip(row, 1, 400) for row in rows)


def heaviest(effects: Iterable[StatementEffect]) -> str:
    """The strongest lock and the heaviest work among the statements: ``ACCESS EXCLUSIVE lock, table rewrite``; "" when unknown."""
    rows = list(effects)
    locks = max((row.lock for row in rows if row.lock), key=_strength, default="")
    seen = {row.effect for row in rows}
    work = next((said for kind, said in (("rewrite", "table rewrite"), ("scan", "table scan")) if kind in seen), "")
    return ", ".join(part for part in (f"{locks} lock" if locks else "", work) if part)


def _strength(lock: str) -> int:
    """PostgreSQL's table-level locks from weak to strong; others count as weak."""
    order = (
        *("ACCESS SHARE", "ROW SHARE", "ROW EXCLUSIVE", "SHARE UPDATE EXCLUSIVE", "SHARE"),
        *("SHARE ROW EXCLUSIVE", "EXCLUSIVE", "ACCESS EXCLUSIVE"),
    )
    return order.index(lock.upper()) if lock.upper() in order else -1


def _grouped(problems: Sequence[Problem]) -> tuple[tuple[Problem, str], ...]:
    """Problems of one kind together, each with the files it names (at most three, then how many more)."""
    groups: dict[tuple[str, str], list[Problem]] = {}
    for problem in problems:
        groups.setdefault((problem.code, problem.message), []).append(problem)
    return tuple((same[0], _where(same)) for same in groups.values())


def _where(problems: Sequence[Problem]) -> str:
    places = [f"{each.file}:{each.line}" if each.line else each.file for each in problems if each.file]
    shown = ", ".join(clip(place, 1, 120) for place in places[:3])
    return f"{shown} and {len(places) - 3} more" if len(places) > 3 else shown


def _short(ref: str) -> str:
    return ref[:10] if len(ref) >= 40 and all(character in "0123456789abcdef" for character in ref) else ref


def _link(links: Links | None, report: Report, file: str, line: int, end_line: int) -> str:
    path = location(report, file).encode("utf-8", "replace").decode()
    return links(path, line, max(line, end_line)) if links and file else ""
