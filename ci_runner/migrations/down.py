"""The way back: what each format's own tool runs to undo a migration."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

from msgspec.structs import replace

from ci_runner.migrations import dbmate, directives, goose, sqlx
from ci_runner.migrations.flyway import parts_of
from ci_runner.migrations.format import Source, is_blank
from ci_runner.model.directory import Migration, MigrationDir, Part, TxMode
from ci_runner.text.pattern import later

_NUMBERED = later(r"([0-9]+)_.*\.down\.sql")
_UNDO = later(r"U([0-9]+(?:[._][0-9]+)*)__.*\.sql")
_GOOSE = later(r"^--[ \t]*\+goose[ \t]+(Down)\b", re.MULTILINE | re.IGNORECASE)
_DBMATE = later(r"^--[ \t]*migrate:(down)\b", re.MULTILINE)
_ROLLBACK = later(r"^[ \t]*--[ \t]*rollback\b[ \t]*([^\n]*)$", re.MULTILINE | re.IGNORECASE)
_ROLLBACK_BLOCK = later(r"/\*\s*liquibase\s+rollback\b", re.IGNORECASE)
_CHANGESET = later(r"^[ \t]*--[ \t]*changeset[ \t]", re.MULTILINE | re.IGNORECASE)
_NOTHING = {"empty", "not required"}
Files = Mapping[object, str]


class Down(NamedTuple):
    """What undoes one migration: the file ``where`` it stands ("" = it is missing), and what to run, in that order (nothing = it is empty).

    Texts have their statements where they stand in the file, so that lines are right.
    """

    where: str
    migrations: tuple[Migration, ...] = ()


def downs(directory: MigrationDir, migrations: Iterable[Migration]) -> dict[str, Down]:
    """The way back of each migration by its name; without those whose format, or the way it is used here, has none."""
    find = _FINDERS.get(directory.format)
    if find is None:
        return {}
    files = _by_version(directory)
    every = ((each.name, find(directory, each, files)) for each in migrations if each.kind == "versioned")
    return {name: found for name, found in every if found is not None}


def _by_version(directory: MigrationDir) -> dict[object, str]:
    """Down files by the version that they undo."""
    found: dict[object, str] = {}
    for name in directory.down:
        if numbered := _NUMBERED.fullmatch(name):
            found.setdefault(int(numbered[1]), name)
        elif undo := _UNDO.fullmatch(name.rpartition("/")[2]):
            found.setdefault(parts_of(undo[1]), name)
    return found


def _file(directory: MigrationDir, migration: Migration, name: str | None) -> Down:
    """A down file of its own, with its own directives; where it says nothing, its transaction is that of the way there."""
    data = directory.files.get(name) if name else None
    if name is None or data is None:
        return Down("")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return Down("")
    own = directives.read(name, text, mark=False, tx_mode=migration.transaction, lenient=True)
    outside = own.transaction == "none" or (directory.format == "sqlx" and text.startswith(sqlx.NO_TRANSACTION))
    mode: TxMode = "none" if outside else "file" if directory.format == "sqlx" else migration.transaction
    way = replace(migration, name=name, text=text, delimiter=own.delimiter, transaction=mode)
    return _section(way, (Part(own.start, len(text)),))


def _section(migration: Migration, parts: tuple[Part, ...]) -> Down:
    full = tuple(part for part in parts if not is_blank(migration.text, part.start, part.end))
    undo = (replace(migration, parts=full, directives=()),) if full else ()
    return Down(migration.name, undo)


def _golang_migrate(directory: MigrationDir, migration: Migration, files: Files) -> Down:
    return _file(directory, migration, files.get(int(migration.version)))


def _sqlx(directory: MigrationDir, migration: Migration, files: Files) -> Down | None:
    if not migration.name.endswith(".up.sql"):
        return None  # a simple migration has no way back, by its author's choice
    return _file(directory, migration, files.get(int(migration.version)))


def _diesel(directory: MigrationDir, migration: Migration, _files: Files) -> Down:
    return _file(directory, migration, migration.name.removesuffix("up.sql") + "down.sql")


def _flyway(directory: MigrationDir, migration: Migration, files: Files) -> Down | None:
    if not files:
        return None  # undo migrations are a feature of the paid editions
    return _file(directory, migration, files.get(parts_of(migration.version)))


def _goose(directory: MigrationDir, migration: Migration, _files: Files) -> Down:
    found = _GOOSE.search(migration.text)
    if found is None:
        return Down("")
    turned = _blanked(migration.text, 0, found.start()) + _turned(migration.text, found, "Up")
    parts = goose.sections(Source(migration.name, turned, directory.dialect, {})).parts
    return _section(migration, parts or ())


def _dbmate(directory: MigrationDir, migration: Migration, _files: Files) -> Down:
    found = _DBMATE.search(migration.text)
    if found is None:
        return Down("")
    turned = _blanked(migration.text, 0, found.start()) + _turned(migration.text, found, "up")
    read = dbmate.sections(Source(migration.name, turned, directory.dialect, {}))
    return _section(replace(migration, transaction=read.transaction or "file"), read.parts or ())


def _turned(text: str, mark: re.Match[str], word: str) -> str:
    """The text from the mark on, which then says ``word`` in the same number of letters."""
    return text[mark.start() : mark.start(1)] + word.ljust(len(mark[1])) + text[mark.end(1) :]


def _liquibase(_directory: MigrationDir, migration: Migration, _files: Files) -> Down:
    """The rollback text of each changeset, the last changeset first; a changeset without any leaves the way back incomplete."""
    text = migration.text
    starts = [found.start() for found in _CHANGESET.finditer(text)]
    undo: list[Migration] = []
    for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
        if not any(start <= part.start < end for part in migration.parts):
            continue  # of another database, or without statements
        spans = list(_rollbacks(text, start, end))
        if not spans:
            return Down("")
        kept = [span for span in spans if text[slice(*span)].strip().lower().rstrip(";") not in _NOTHING]
        if any(re.match(r"changesetid\b|changesetpath\b", text[slice(*span)].strip(), re.IGNORECASE) for span in kept):
            return Down("")  # it names another changeset
        if kept:
            undo.append(
                replace(migration, text=_only(text, kept), parts=(Part(kept[0][0], kept[-1][1]),), transaction="file")
            )
    return Down(migration.name, tuple(reversed(undo)))


def _rollbacks(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Where rollback SQL stands between two offsets: behind each ``--rollback`` of a line, or inside its comment."""
    for found in _ROLLBACK.finditer(text, start, end):
        yield found.start(1), found.end(1)
    for found in _ROLLBACK_BLOCK.finditer(text, start, end):
        closing = text.find("*/", found.end(), end)
        yield found.end(), closing if closing >= 0 else end


def _only(text: str, spans: list[tuple[int, int]]) -> str:
    """The text with all but those spans blanked."""
    parts, last = [], 0
    for start, end in sorted(spans):
        parts += [_blanked(text, last, start), text[start:end]]
        last = end
    return "".join([*parts, _blanked(text, last, len(text))])


def _blanked(text: str, start: int, end: int) -> str:
    """Blanks for every character between, line ends kept."""
    return re.sub(r"[^\r\n]", " ", text[start:end])


_FINDERS: dict[str, Callable[[MigrationDir, Migration, Files], Down | None]] = {
    "golang-migrate": _golang_migrate,
    "sqlx": _sqlx,
    "diesel": _diesel,
    "flyway": _flyway,
    "goose": _goose,
    "dbmate": _dbmate,
    "liquibase": _liquibase,
}
