"""New names for migrations that have to run after another one: the version moves behind it, everything else of the name stays."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from ci_runner.errors import UsageError
from ci_runner.model.directory import Migration

# Their tools keep a list of the files, which new names alone do not change.
_LISTED = {"drizzle": "drizzle-kit generate", "liquibase": "an edit of its changelog"}
_VERSIONS = {
    "flyway": re.compile(r"[VUB](?P<version>\d+(?:[._]\d+)*)(?=__)"),
    "diesel": re.compile(r"(?P<version>\d+(?:-\d+)*)(?=_|\Z)"),
}
_NUMBER = re.compile(r"(?P<version>\d+)(?=[_.]|\Z)")
_LAST = re.compile(r"\d+\Z")
# How a version says the time: its shape, and how that is written. https://docs.rs/diesel_cli names folders like the second.
_TIMES = (
    (re.compile(r"[12]\d{13}"), "%Y%m%d%H%M%S"),
    (re.compile(r"[12]\d{3}-\d\d-\d\d-\d{6}"), "%Y-%m-%d-%H%M%S"),
)
_EPOCHS = {10: 1, 13: 1000}  # digits → ticks a second


class _Name(NamedTuple):
    """A path cut at its version: what stands before it, the version, the name up to its first dot, and the rest."""

    before: str
    version: str
    described: str
    rest: str


def renamed(
    own: Sequence[Migration], newest: Migration, files: Iterable[str], *, form: str, now: datetime
) -> dict[str, str]:
    """Old path → new path of every file of the migrations ``own`` (down files and whole folders too), in their order.

    A new version is of the kind that ``newest`` has: the time (``now``, in UTC), seconds since 1970, or the next number, as wide as it
    is written there. Raises UsageError for a format that lists its files elsewhere, and for a name without a version.
    """
    if form in _LISTED:
        raise UsageError(f"{form} lists its migrations in a file of its own: renumber them by {_LISTED[form]}")
    last = _named(newest.name, form).version
    fresh = {}
    for migration in own:
        last = _following(last, now)
        name = _named(migration.name, form)
        fresh[name.version, name.described] = last
    return dict(_moves(files, fresh, form))


def _moves(files: Iterable[str], fresh: dict[tuple[str, str], str], form: str) -> Iterator[tuple[str, str]]:
    for path in sorted(files):
        name = _cut(path, form)
        version = fresh.get((name.version, name.described)) if name else None
        if name and version is not None:
            yield path, f"{name.before}{version}{name.described}{name.rest}"


def _named(path: str, form: str) -> _Name:
    name = _cut(path, form)
    if name is None:
        raise UsageError(f"{path} has no version number in its name, so no later one can be given: rename it by hand")
    return name


def _cut(path: str, form: str) -> _Name | None:
    """The version stands in the file's name, or where that has none in its folder's."""
    pattern = _VERSIONS.get(form, _NUMBER)
    folder, slash, name = path.rpartition("/")
    found = pattern.match(name)
    if found:
        described, dot, rest = name[found.end() :].partition(".")
        return _Name(folder + slash + name[: found.start("version")], found["version"], described, dot + rest)
    above, between, last = folder.rpartition("/")
    found = pattern.match(last)
    if not found:
        return None
    return _Name(above + between + last[: found.start("version")], found["version"], last[found.end() :], slash + name)


def _following(version: str, now: datetime) -> str:
    """The version after ``version``, of its kind; a time is never before ``now``."""
    for shape, form in _TIMES:
        if shape.fullmatch(version):
            return _later(version, form, now)
    ticks = _EPOCHS.get(len(version)) if version.isdigit() and not version.startswith("0") else None
    if ticks:
        return str(max(int(version) + 1, int(now.timestamp() * ticks)))
    return _LAST.sub(lambda found: str(int(found[0]) + 1).zfill(len(found[0])), version)


def _later(version: str, form: str, now: datetime) -> str:
    try:
        then = datetime.strptime(version, form).replace(tzinfo=now.tzinfo)
    except ValueError:  # digits that only look like a time
        return _LAST.sub(lambda found: str(int(found[0]) + 1), version)
    return max(now, then + timedelta(seconds=1)).strftime(form)
