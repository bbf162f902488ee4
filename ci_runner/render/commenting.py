"""The report as one Markdown comment that fits what its host takes, cut at a finding where it must."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from ci_runner.model.report import Finding, Run
from ci_runner.model.tally import RANK, lines_of
from ci_runner.render import view
from ci_runner.render.environment import clip, fill, safe
from ci_runner.text import fenced, line

GITHUB_LIMIT = 65_536  # characters, https://docs.github.com/rest/issues/comments
SUMMARY_LIMIT = 250_000  # characters of at most four bytes: below the 1 MiB a step may write

Pictures = Literal["mermaid", "svg", ""]
# (index of the report, index of the file, index of the finding)
Key = tuple[int, int, int]


def comment(
    run: Run,
    *,
    key: str = "",
    limit: int = GITHUB_LIMIT,
    report_link: str = "",
    links: view.Links | None = None,
    templates: Path | None = None,
    pictures: Pictures = "mermaid",
) -> str:
    """The comment as Markdown of at most ``limit`` characters, without a newline at its end.

    With ``key`` its first line is the marker by which it is found again. ``report_link`` leads to the full report, ``links`` to lines of files.
    ``pictures`` says how diagrams are drawn: as Mermaid for hosts that show it, as SVG for a page, or not at all.
    What does not fit is cut: pictures first, then notices, warnings, errors, then rows of tables; the comment says how many more there are.
    """
    marker = f"<!-- pilotage:v1 key={line(key).replace('--', '')} -->\n" if key else ""
    room = limit - len(marker)
    order = sorted(_keys(run), key=lambda each: RANK[_finding(run, each).severity])
    blocks = _blocks(run, order, room, links, templates)

    drawn = _pictures(run, pictures)

    def attempt(number: int, rows: int, *, picture: bool = False) -> str:
        kept = {each: blocks[each] for each in order[:number]}
        return _page(run, kept, rows, report_link, links, templates, drawn if picture else {})

    best = _longest(attempt, len(blocks), room)
    return marker + (best if best is not None else brief(run, report_link=report_link, templates=templates)[:room])


def summary(
    run: Run,
    *,
    limit: int = SUMMARY_LIMIT,
    report_link: str = "",
    links: view.Links | None = None,
    templates: Path | None = None,
    pictures: Pictures = "mermaid",
) -> str:
    """The same for a job summary, which takes more."""
    return comment(run, limit=limit, report_link=report_link, links=links, templates=templates, pictures=pictures)


def brief(run: Run, *, report_link: str = "", templates: Path | None = None) -> str:
    """The verdict, the counts and a link: what stands in for a comment that does not fit at all."""
    values = {"icon": view.VERDICTS[run.verdict], "headline": view.headline(run), "link": report_link}
    return fill("brief.md.j2", values, templates)


def _longest(attempt: Any, most: int, room: int) -> str | None:
    """The page with as many findings as fit; with fewer rows in its tables when not even one without findings fits."""
    for picture in (True, False):
        whole: str = attempt(most, view.ROWS, picture=picture)
        if len(whole) <= room:
            return whole
    for rows in (view.ROWS, 5, 0):
        if len(attempt(0, rows)) > room:
            continue
        low, high = 0, most
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if len(attempt(middle, rows)) <= room else (low, middle - 1)
        fitting: str = attempt(low, rows)
        return fitting
    return None


def _page(
    run: Run,
    kept: Mapping[Key, str],
    rows: int,
    link: str,
    links: view.Links | None,
    templates: Path | None,
    pictures: Mapping[int, str],
) -> str:
    directories = [
        view.directory(
            report,
            {each[1:]: block for each, block in kept.items() if each[0] == index},
            links,
            rows,
            pictures.get(index, ""),
        )
        for index, report in enumerate(run.reports)
    ]
    every = sum(1 for _ in _keys(run))
    values = {
        "run": run,
        "icon": view.VERDICTS[run.verdict],
        "headline": view.headline(run),
        "quiet": view.quiet(run),
        "directories": directories,
        "notes": [clip(note, 6) for note in run.notes[: view.ROWS]],
        "hidden": every - len(kept),
        "suppressed": sum(report.suppressed for report in run.reports),
        "link": link,
        "actions": view.ACTIONS,
        "icons": view.ICONS,
    }
    return fill("comment.md.j2", values, templates)


def _pictures(run: Run, kind: Pictures) -> dict[int, str]:
    """The finished diagram of each directory that has one."""
    found: dict[int, str] = {}
    for index, report in enumerate(run.reports):
        diagram = report.replay.diagram
        if diagram is None or not kind:
            continue
        if kind == "mermaid":
            from ci_runner.render.mermaid import mermaid

            found[index] = safe(fenced(mermaid(diagram), "mermaid"))
        else:
            from ci_runner.render.svg import svg

            title = f"What changes in the schema of {report.name}"
            found[index] = safe(
                f'<div class="picture">\n{svg(diagram, title=title, name=f"schema-{index}", standalone=False)}\n</div>'
            )
    return found


def _keys(run: Run) -> list[Key]:
    return [
        (r, f, n)
        for r, report in enumerate(run.reports)
        for f, file in enumerate(report.files)
        for n in range(len(file.findings))
    ]


def _finding(run: Run, key: Key) -> Finding:
    return run.reports[key[0]].files[key[1]].findings[key[2]]


def _blocks(run: Run, order: list[Key], room: int, links: view.Links | None, templates: Path | None) -> dict[Key, str]:
    """The finished findings, the gravest first, as many as could fit at all."""
    blocks: dict[Key, str] = {}
    lines: dict[tuple[int, int], list[str]] = {}
    left = room
    for key in order:
        report, file = run.reports[key[0]], run.reports[key[0]].files[key[1]]
        if key[:2] not in lines:
            lines[key[:2]] = lines_of(file.text)
        seen = view.finding_view(report, _finding(run, key), lines[key[:2]], links)
        made = fill("finding.md.j2", {"view": seen}, templates)
        left -= len(made)
        if left < 0:
            break
        blocks[key] = safe(made)
    return blocks
