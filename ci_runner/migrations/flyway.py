"""Flyway: versioned ``V1__name.sql``, baseline ``B…`` and repeatable ``R__…`` files in any folder, by numeric version."""

from __future__ import annotations

import re

from ci_runner.migrations.format import (
    Entry,
    Format,
    Sections,
    Selection,
    Source,
    format_error,
    hidden,
    line_of,
    not_supported,
    problem,
)
from ci_runner.model.directory import Part, Problem, Tree

NAME = re.compile(r"(?:([VB])([0-9]+(?:[._][0-9]+)*)|(R))__(.*)\.sql", re.DOTALL)
_ODD = re.compile(r"[VB][0-9].*?__.*\.sql", re.DOTALL)
_UNDO = re.compile(r"U[0-9]+(?:[._][0-9]+)*__.*\.sql", re.DOTALL)
_CODE = re.compile(r"(?:[VBR][0-9._]*__.*|R__.*)\.(?:java|kt|groovy|class)", re.DOTALL)
# https://documentation.red-gate.com/fd/callback-events-277579004.html
_CALLBACK = re.compile(r"(?:(?:before|after)[A-Z][A-Za-z]*|createSchema)(?:__.*)?\.(?:sql|java)", re.DOTALL)
_PLACEHOLDER = re.compile(r"\$\{[^}\s]{0,200}\}")
_ASIDE = re.compile(r"--[^\n]*|/\*.*?\*/|('[^']*'|\"[^\"]*\")", re.DOTALL)
# What Flyway runs outside a transaction by itself, unless the file holds anything else: then it refuses the file.
_ALONE = re.compile(
    r"(?:CREATE|DROP)\s+(?:UNIQUE\s+)?INDEX\s+CONCURRENTLY\b|(?:CREATE|DROP)\s+(?:DATABASE|TABLESPACE|SUBSCRIPTION|LIBRARY)\b"
    r"|REINDEX\s+(?:VERBOSE\s+)?(?:SCHEMA|DATABASE|SYSTEM)\b|VACUUM\b|ALTER\s+SYSTEM\b|DISCARD\s+ALL\b"
    r"|CREATE\s+EXTERNAL\s+TABLE\b|ALTER\s+TABLE\s+\S+\s+APPEND\s+FROM\b",
    re.IGNORECASE,
)
_SETTING = re.compile(r"^[ \t]*(\w+)[ \t]*=[ \t]*(\w+)[ \t\r]*$", re.MULTILINE)


def parts_of(version: str) -> tuple[int, ...]:
    """Numeric parts without trailing zeros, so that 1.0 = 1 and 1_1 = 1.1; a version without digits is no number."""
    numbers = [int(part) if part.isdigit() else 0 for part in version.replace("_", ".").split(".")]
    while len(numbers) > 1 and not numbers[-1]:
        numbers.pop()
    return tuple(numbers)


def select(tree: Tree, dialect: str) -> Selection:  # noqa: ARG001 - the signature of every format
    """The newest baseline, the versions above it, then the repeatables by description."""
    paths = sorted(path for path in tree.files if not hidden(path))
    found = [(path, match) for path in paths if (match := NAME.fullmatch(path.rpartition("/")[2]))]
    versioned = [_entry(path, match) for path, match in found if match[1] == "V"]
    baselines = sorted((_entry(path, match) for path, match in found if match[1] == "B"), key=_by_version)
    above = [v for v in versioned if not baselines or parts_of(v.version) > parts_of(baselines[-1].version)]
    repeatable = [Entry(path, "", match[4], "repeatable") for path, match in found if match[3]]
    entries = (
        *baselines[-1:],
        *sorted(above, key=_by_version),
        *sorted(repeatable, key=lambda r: (r.description, r.path)),
    )
    return Selection(
        entries,
        down=tuple(path for path in paths if _UNDO.fullmatch(path.rpartition("/")[2])),
        aux=tuple(f"{entry.path}.conf" for entry in entries),
        problems=(
            *_baseline_order(baselines, versioned),
            *(p for path in paths for p in _code(path)),
            *_twice(repeatable),
        ),
    )


def _entry(path: str, match: re.Match[str]) -> Entry:
    return Entry(path, match[2].replace("_", "."), match[4], "baseline" if match[1] == "B" else "versioned")


def _by_version(entry: Entry) -> tuple[tuple[int, ...], str]:
    return parts_of(entry.version), entry.path


def _baseline_order(baselines: list[Entry], versioned: list[Entry]) -> tuple[Problem, ...]:
    """Atlas compares baselines as strings: where that gives another answer, no Atlas sum can equal ours."""
    if not baselines:
        return ()
    newest = baselines[-1]
    for other in (*baselines[:-1], *versioned):
        if (other.version > newest.version) != (parts_of(other.version) > parts_of(newest.version)):
            message = (
                f"{other.path} and {newest.path} compare otherwise as strings than by number; execution is by number"
            )
            remedy = "pad the numbers if Atlas reads this directory too"
            return (problem("version-order", "warning", message, other.path, remedy=remedy),)
    return ()


def _code(path: str) -> tuple[Problem, ...]:
    name = path.rpartition("/")[2]
    if _ODD.fullmatch(name) and not NAME.fullmatch(name):
        why = f"the version in {path} has other characters than digits, dots and underscores, so Flyway stops at it"
        return (format_error(path, None, why, "name it V<number>__<name>.sql"),)
    if _CODE.fullmatch(name):
        return (not_supported(path, None, f"{path} is a migration in code and cannot be run", "write it as SQL"),)
    if _CALLBACK.fullmatch(name):
        return (
            not_supported(
                path,
                None,
                f"{path} is a Flyway callback, which would not be run",
                "move its statements into migrations",
            ),
        )
    return ()


def _twice(repeatable: list[Entry]) -> list[Problem]:
    seen: dict[str, str] = {}
    problems = []
    for entry in repeatable:
        first = seen.setdefault(entry.description, entry.path)
        if first != entry.path:
            message = f"{entry.path} and {first} are the same repeatable migration '{entry.description}'"
            problems.append(problem("duplicate-version", "error", message, entry.path, remedy="rename one of them"))
    return problems


def sections(source: Source) -> Sections:
    """The whole file; its ``.conf``, or statements that cannot be in one, switch off the transaction, the ``.conf`` the placeholders too."""
    conf = source.files.get(f"{source.name}.conf", b"").decode("utf-8", "replace")
    settings = {key: value.lower() for key, value in _SETTING.findall(conf)}
    outside = settings.get("executeInTransaction") == "false"
    return Sections(
        (Part(0, len(source.text)),),
        "none" if outside or _runs_alone(source.text) else None,
        () if settings.get("placeholderReplacement") == "false" else _placeholder(source),
    )


def _runs_alone(text: str) -> bool:
    """Whether every statement is one Flyway runs outside a transaction."""
    if not _ALONE.search(text):
        return False
    plain = _ASIDE.sub(lambda found: "x" if found[1] else " ", text)  # no comments, and nothing a ; could stand in
    pieces = [piece.strip() for piece in plain.split(";")]
    return all(_ALONE.match(piece) for piece in pieces if piece)


def _placeholder(source: Source) -> tuple[Problem, ...]:
    found = _PLACEHOLDER.search(source.text) if "${" in source.text else None
    if not found:
        return ()
    return (
        not_supported(
            source.name,
            line_of(source.text, found.start()),
            f"the placeholder {found[0]} has no value here, so the statement that would run is not known",
            "write the value into the file, or 'placeholderReplacement=false' into its .conf when the text is meant as it is",
        ),
    )


FORMAT = Format("flyway", select, sections, order="own", root_only=False, key=parts_of)
