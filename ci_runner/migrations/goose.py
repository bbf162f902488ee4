"""goose: numbered files with ``-- +goose Up`` and ``Down`` sections and blocks that stay whole."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from ci_runner.migrations.atlas import entry
from ci_runner.migrations.format import (
    Entry,
    Format,
    Sections,
    Selection,
    Source,
    as_number,
    format_error,
    is_blank,
    line_of,
    not_supported,
    root_sql,
)
from ci_runner.model.directory import Part, Problem, Tree

MOST = 20  # problems of one file that are worth naming
_NAME = re.compile(r"[0-9]+_.*\.sql", re.DOTALL)
_GO = re.compile(r"[0-9]+_.*(?<!_test)\.go", re.DOTALL)
_MARK = re.compile(r"^([ \t]*)--[ \t]*\+goose\b[ \t]*([^\n]*)", re.MULTILINE)


def select(tree: Tree, dialect: str) -> Selection:  # noqa: ARG001 - the signature of every format
    """Numbered SQL files by number; Go migrations and SQL files without number are errors, as they are for goose."""
    names = root_sql(tree)
    entries: list[Entry] = [entry(name, name) for name in names if _NAME.fullmatch(name)]
    go = sorted(name for name in tree.files if _GO.fullmatch(name) and "/" not in name)
    return Selection(
        tuple(sorted(entries, key=lambda found: (int(found.version), found.path))),
        sum_order=tuple(names),
        problems=(
            *(
                not_supported(name, None, f"{name} is a Go migration and cannot be run", "write it as SQL")
                for name in go
            ),
            *(
                format_error(name, None, f"{name} has no number, so goose stops at it", "name it <number>_<name>.sql")
                for name in names
                if not _NAME.fullmatch(name)
            ),
        ),
    )


@dataclass(slots=True)
class _Reading:
    source: Source
    state: str = "start"
    at: int = 0
    transaction: bool = True
    parts: list[Part] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def wrong(self, offset: int, message: str) -> None:
        if len(self.problems) >= MOST:
            return
        line = line_of(self.source.text, offset)
        self.problems.append(
            format_error(self.source.name, line, message, "see https://github.com/pressly/goose#sql-migrations")
        )

    def unsupported(self, offset: int, message: str) -> None:
        if not any(known.code == "not-supported" for known in self.problems):
            line = line_of(self.source.text, offset)
            self.problems.append(not_supported(self.source.name, line, message, "write the values into the file"))

    def close(self, end: int, *, whole: bool = False) -> None:
        if not is_blank(self.source.text, self.at, end):
            self.parts.append(Part(self.at, end, whole=whole))


def sections(source: Source) -> Sections:
    """The Up section; what stands between StatementBegin and StatementEnd is one statement."""
    reading = _Reading(source)
    for mark in _MARK.finditer(source.text):
        _step(reading, mark)
    if reading.state == "start":
        reading.wrong(0, "there is no '-- +goose Up', so goose stops at this file")
    elif reading.state in {"block", "block down"}:
        reading.wrong(reading.at, "'-- +goose StatementBegin' is never ended by '-- +goose StatementEnd'")
    if reading.state in {"up", "block"}:
        reading.close(len(source.text), whole=reading.state == "block")
    return Sections(tuple(reading.parts), None if reading.transaction else "none", tuple(reading.problems))


# (state, annotation) → next state; what is not here is an error
_NEXT = {
    ("start", "up"): "up",
    ("up", "down"): "down",
    ("up", "statementbegin"): "block",
    ("block", "statementend"): "up",
    ("down", "statementbegin"): "block down",
    ("block down", "statementend"): "down",
}
_WHY = {
    "up": "'-- +goose Up' stands here a second time",
    "down": "'-- +goose Down' needs one '-- +goose Up' before it",
    "statementbegin": "'-- +goose StatementBegin' must stand in the Up or Down section, outside another block",
    "statementend": "'-- +goose StatementEnd' ends no '-- +goose StatementBegin'",
}


def _step(reading: _Reading, mark: re.Match[str]) -> None:
    word = " ".join(mark[2].split()).lower()
    if mark[1]:
        reading.wrong(mark.start(), f"'-- +goose {mark[2].strip()}' must begin its line")
    elif word == "no transaction":
        reading.transaction = False
    elif word == "envsub on":
        reading.unsupported(
            mark.start(), "'-- +goose ENVSUB ON' would let the environment write SQL, which is not supported"
        )
    elif word in _WHY:
        _turn(reading, mark, word)
    elif word != "envsub off":
        reading.wrong(mark.start(), f"'+goose {mark[2].strip()}' is no annotation of goose")


def _turn(reading: _Reading, mark: re.Match[str], word: str) -> None:
    following = _NEXT.get((reading.state, word))
    if following is None:
        reading.wrong(mark.start(), _WHY[word])
        return
    if reading.state == "start" and not is_blank(reading.source.text, 0, mark.start()):
        reading.wrong(0, "statements stand before '-- +goose Up'")
    if reading.state in {"up", "block"}:
        reading.close(mark.start(), whole=reading.state == "block")
    reading.state, reading.at = following, mark.end()


FORMAT = Format("goose", select, sections, order="number", key=as_number, apart=True)
