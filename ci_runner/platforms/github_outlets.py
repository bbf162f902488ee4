"""GitHub Actions: annotations and fences as workflow commands; summary and outputs as files."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from ci_runner import text
from ci_runner.model.ci import Annotation, Status

# https://docs.github.com/actions/reference/limits : per step; what comes after is dropped without a word
ANNOTATIONS = 10
SUMMARY_BYTES = 1024 * 1024

_ORDER = {"error": 0, "warning": 1, "notice": 2}
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*\Z")
_FENCE = re.compile(r"\s{0,3}(`{3,}|~{3,})")
_CUT = "\n\n*The rest does not fit here; the JSON report holds all of it.*\n"


class Actions(Struct, frozen=True):
    """The outlets of one step. ``summary`` and ``outputs`` are the paths of the runner's command files, None when not set."""

    write: Callable[[str], None]
    random: Callable[[], str]
    summary: str | None
    outputs: str | None
    name: str = "github"

    def annotate(self, annotations: Sequence[Annotation], status: Status | None = None) -> tuple[str, ...]:  # noqa: ARG002
        """The first ten of each level, worst first; where some had to stay out, the last notice says how many."""
        chosen, more = _choose(annotations)
        for annotation in chosen:
            self.write(_command(annotation))
        if more:
            noun = "annotation" if more == 1 else "annotations"
            self.write(
                _command(
                    Annotation(
                        "notice", f"{more} more {noun}: the job summary and the report show them all", "Pilotage"
                    )
                )
            )
        return ()

    def summarise(self, markdown: str) -> tuple[str, ...]:
        """Append to the job summary; cut at a line where the step's 1 MiB would be exceeded, because GitHub would then drop all."""
        if self.summary is None:
            return ("job summary not written: GITHUB_STEP_SUMMARY is not set; run Pilotage in a step of a GitHub job",)
        path = Path(self.summary)
        try:
            room = SUMMARY_BYTES - (path.stat().st_size if path.exists() else 0)
            body, whole = _fit(markdown.rstrip("\n") + "\n", room)
            _append(path, body)
        except OSError as error:
            return (_unwritable("job summary", self.summary, error),)
        return (
            ()
            if whole
            else (f"job summary cut: GitHub takes {SUMMARY_BYTES >> 10} KiB a step, and the report is longer",)
        )

    def output(self, values: Mapping[str, str]) -> tuple[str, ...]:
        """Step outputs, each between delimiters nobody can foresee."""
        if self.outputs is None:
            return ("step outputs not set: GITHUB_OUTPUT is not set; run Pilotage in a step of a GitHub job",)
        rows, warnings = [], []
        for name, value in values.items():
            delimiter = f"ghd_{self.random()}"
            if not _NAME.match(name) or delimiter in value:
                warnings.append(f"step output {text.line(name)} not set: its name or value cannot be written safely")
                continue
            rows.append(f"{name}<<{delimiter}\n{value}\n{delimiter}\n")
        try:
            _append(Path(self.outputs), "".join(rows))
        except OSError as error:
            return (*warnings, _unwritable("step outputs", self.outputs, error))
        return tuple(warnings)

    def log(self, foreign: str) -> None:
        """Foreign text with commands stopped while it is printed."""
        fence = self.random()
        self.write(f"::stop-commands::{fence}\n")
        for row in text.foreign_lines(foreign):
            self.write(row + "\n")
        self.write(f"::{fence}::\n")


def outlets(env: Mapping[str, str], write: Callable[[str], None], random: Callable[[], str]) -> Actions:
    """The outlets of the step this environment belongs to."""
    return Actions(write, random, env.get("GITHUB_STEP_SUMMARY") or None, env.get("GITHUB_OUTPUT") or None)


def _choose(annotations: Sequence[Annotation]) -> tuple[list[Annotation], int]:
    """Which annotations GitHub will show, worst first, and how many it would not; the remark on them needs a notice's place."""
    ranked = sorted(annotations, key=lambda each: _ORDER[each.level])
    over = any(count > ANNOTATIONS for count in Counter(each.level for each in ranked).values())
    room = {"error": ANNOTATIONS, "warning": ANNOTATIONS, "notice": ANNOTATIONS - over}
    chosen = []
    for each in ranked:
        if room[each.level]:
            room[each.level] -= 1
            chosen.append(each)
    return chosen, len(ranked) - len(chosen)


def _command(annotation: Annotation) -> str:
    """``::error file=a.sql,line=3::message``; a column only where the range stays on one line, as GitHub demands."""
    one_line = annotation.end_line in (None, annotation.line)
    properties = {
        "file": annotation.file,
        "line": annotation.line,
        "endLine": annotation.end_line if annotation.line else None,
        "col": annotation.column if annotation.line and one_line else None,
        "title": annotation.title or None,
    }
    given = ",".join(
        f"{key}={text.github_property(str(value))}" for key, value in properties.items() if value is not None
    )
    return f"::{annotation.level}{' ' + given if given else ''}::{text.github_data(annotation.message)}\n"


def _fit(markdown: str, room: int) -> tuple[str, bool]:
    """Markdown of at most ``room`` bytes, cut at a line with code blocks and ``<details>`` closed, and whether it is whole."""
    if len(markdown.encode(errors="replace")) <= room:
        return markdown, True
    room -= len(_CUT) + 100
    kept: list[str] = []
    fence, details = "", 0
    for row in markdown.splitlines(keepends=True):
        room -= len(row.encode(errors="replace")) + 11 * row.count("<details")
        if room < 0:
            break
        kept.append(row)
        mark = _FENCE.match(row)
        if mark and not fence:
            fence = mark[1]
        elif mark and mark[1].startswith(fence) and not row.strip(fence[0] + " \n"):
            fence = ""
        if not fence:
            details += row.count("<details") - row.count("</details>")
    closing = (f"{fence}\n" if fence else "") + "</details>\n" * max(0, details)
    return ("".join(kept) + closing + _CUT if kept else ""), False


def _append(path: Path, body: str) -> None:
    with path.open("ab") as file:
        file.write(body.encode(errors="replace"))


def _unwritable(what: str, path: str, error: OSError) -> str:
    return f"{what} not written to {path}: {error.strerror or error}; the runner's files belong to root, so run the image without --user"
