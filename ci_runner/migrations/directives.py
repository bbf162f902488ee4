"""Directives: ``-- atlas:…`` and ``-- pilotage:…`` comments that steer a file, where they stand and whether they have effect."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from ci_runner.errors import DirectoryRefusedError
from ci_runner.migrations.format import Directed, problem
from ci_runner.model.directory import Problem

LINE = re.compile(r"([ -~]*)(atlas|pilotage):(\w+)(?: +(.+))?", re.ASCII)
_FOUND = re.compile(r"atlas:|pilotage:")
_COMMENT = re.compile(r"[ \t]*(?:--|#)[ \t]*")
_DURATION = re.compile(r"[0-9]+(?:\.[0-9]+)?(?:ms|s|m|min|h)?")
_FILE = ("sum", "delimiter", "txmode", "checkpoint")
_OWN_FILE = ("delimiter", "txmode", "checkpoint", "assert")
_EITHER = {"atlas": ("nolint",), "pilotage": ("ignore", "timeout", "lock_timeout")}
_STATEMENT = {"atlas": (), "pilotage": ("assume",)}
_UNSUPPORTED = {"atlas": ("txtar", "import", "assert"), "pilotage": ("sum",)}
_SINGLE = ("txmode", "delimiter", "checkpoint")
MOST = 20  # problems of one file that are worth naming


class Found(NamedTuple):
    """One directive as written: ``place`` is first, header, leading or body; ``prefix`` what stands before it on the line."""

    spelling: str
    name: str
    argument: str
    prefix: str
    place: str
    line: int
    end: int


class _Header(NamedTuple):
    """``end``: the block of ``--`` and ``#`` lines that opens the file; ``leading``: all comments and blanks before the first statement."""

    end: int
    leading: int
    apart: bool
    apart_for_atlas: bool


def read(name: str, text: str, *, mark: bool, tx_mode: str, lenient: bool) -> Directed:
    """The directives of one file. ``mark``: a byte order mark stood before the text, behind which Atlas sees no header."""
    if not _FOUND.search(text):
        return Directed()
    header = _header(text, mark=mark)
    effective: list[Found] = []
    problems: list[Problem] = []
    for found in _scan(text, header):
        wrong = _judge(name, found, header, lenient=lenient, mark=mark)
        if wrong is not None:
            problems.append(wrong)
            if len(problems) == MOST:
                break
        elif _for_file(found, header):
            effective.append(found)
    problems += _conflicts(name, effective, tx_mode)
    values = {found.name: found for found in reversed(effective)}
    delimiter = values.get("delimiter")
    return Directed(
        tuple((found.name, found.argument, found.line) for found in effective),
        tuple(problems),
        values["txmode"].argument if "txmode" in values and values["txmode"].argument in {"none", "file"} else None,
        _unescape(delimiter.argument) if delimiter else "",
        "checkpoint" in values,
        delimiter.end if delimiter else 0,
    )


def _header(text: str, *, mark: bool) -> _Header:
    at = 0
    while text.startswith(("--", "#"), at):
        at = text.find("\n", at) + 1 or len(text)
    end = at
    following = text[at : text.find("\n", at) + 1 or len(text)]
    leading = at
    while leading < len(text):
        stop = text.find("\n", leading) + 1 or len(text)
        row = text[leading:stop].strip()
        if row and not row.startswith(("--", "#")):
            break
        leading = stop
    only = end == len(text)
    return _Header(
        end, leading, only or not following.strip(), not mark and (only or following.lstrip(" \t").startswith("\n"))
    )


def _scan(text: str, header: _Header) -> Iterator[Found]:
    """Every directive on a line of its own; in the header also behind other words, as Atlas reads it."""
    done, line, counted = -1, 1, 0
    for hit in _FOUND.finditer(text):
        if hit.start() < done:
            continue
        begin = text.rfind("\n", 0, hit.start()) + 1
        done = text.find("\n", hit.start()) + 1 or len(text) + 1
        row = text[begin : done - 1]
        line += text.count("\n", counted, begin)
        counted = begin
        found = LINE.match(row)
        if not found:
            continue
        alone = _COMMENT.fullmatch(found[1]) is not None
        place = (
            "first"
            if begin == 0
            else "header"
            if begin < header.end
            else "leading"
            if begin < header.leading
            else "body"
        )
        known = found[3] in _FILE + _OWN_FILE + _UNSUPPORTED[found[2]]
        if alone or (place in {"first", "header"} and known and row.startswith(("--", "#"))):
            yield Found(found[2], found[3], _argument_of(found), found[1], place, line, done)


def _argument_of(found: re.Match[str]) -> str:
    """The argument without blanks around it; ``sum`` as it is, because Atlas takes every blank and CR for a part of it."""
    given = found[4] or ""
    return given if found[3] == "sum" else given.strip()


def _judge(name: str, found: Found, header: _Header, *, lenient: bool, mark: bool) -> Problem | None:
    """What is wrong with this directive; raises DirectoryRefusedError for those that change what a file is."""
    if found.name in _UNSUPPORTED[found.spelling]:
        if found.place == "body":
            return None
        raise DirectoryRefusedError("not-supported", f"{name}:{found.line}: {_why_not(found)}", file=name)
    if found.name not in _known(found.spelling):
        return _unknown(name, found)
    if wrong := _argument(name, found):
        return wrong
    if found.spelling == "pilotage":
        detached = found.name in _OWN_FILE and found.place == "body"
    else:
        detached = found.name in _FILE and not _reaches(found, header, mark=mark)
    if not detached or (lenient and found.name != "sum" and found.place != "body"):
        return None
    return problem(
        "directive-detached",
        "error",
        f"{found.spelling}:{found.name} has no effect here{_reason(found, mark=mark)}",
        name,
        found.line,
        _remedy(found),
    )


def _known(spelling: str) -> tuple[str, ...]:
    return (_FILE if spelling == "atlas" else _OWN_FILE) + _EITHER[spelling] + _STATEMENT[spelling]


def _reaches(found: Found, header: _Header, *, mark: bool) -> bool:
    """Whether Atlas honours its own file directive at this place."""
    if found.name == "sum":
        return found.place == "first" and not mark and found.argument == "ignore"
    if found.name == "delimiter":
        return found.place == "first" and not mark and found.prefix == "-- "
    return found.place in {"first", "header"} and header.apart_for_atlas


def _for_file(found: Found, header: _Header) -> bool:
    """Whether the directive concerns the file as a whole rather than the statement below it."""
    if found.name in _EITHER[found.spelling]:
        return found.place in {"first", "header"} and header.apart
    return found.name not in _STATEMENT[found.spelling] and found.place != "body"


def _argument(name: str, found: Found) -> Problem | None:
    """The problem of an argument that cannot be understood."""
    given = found.argument
    if found.name == "txmode" and given == "all":
        why = "'txmode all' concerns the whole run and cannot stand in a file"
        return problem(
            "directive-conflict", "error", why, name, found.line, "write none or file, or give --tx-mode all"
        )
    understood = {
        "txmode": given in {"none", "file"},
        "sum": given.strip() == "ignore",
        "delimiter": bool(given),
        "timeout": bool(_DURATION.fullmatch(given)),
        "lock_timeout": bool(_DURATION.fullmatch(given)),
        "assume": given.startswith("applied-if "),
        "assert": bool(given),
    }
    if understood.get(found.name, True):
        return None
    wanted = {
        "txmode": "none or file",
        "sum": "ignore",
        "delimiter": "the delimiter",
        "assume": "applied-if and a check",
        "assert": "a query that must return true",
    }.get(found.name, "a duration such as 30s")
    return problem(
        "directive-unknown",
        "warning",
        f"{found.spelling}:{found.name} does not understand '{given}' and has no effect",
        name,
        found.line,
        f"write {wanted} behind it",
    )


def _unknown(name: str, found: Found) -> Problem:
    known = _known(found.spelling)
    from difflib import get_close_matches

    near = get_close_matches(found.name, known, 1)
    hint = f" — did you mean {found.spelling}:{near[0]}?" if near else ""
    return problem(
        "directive-unknown",
        "warning",
        f"there is no directive {found.spelling}:{found.name}{hint}",
        name,
        found.line,
        f"known are {', '.join(known)}",
    )


def _why_not(found: Found) -> str:
    if found.name == "sum":
        return "pilotage:sum is not supported, because Atlas must agree on the sum: write atlas:sum ignore on the first line"
    return f"atlas:{found.name} is not supported: write what it stands for as ordinary migration files"


def _reason(found: Found, *, mark: bool) -> str:
    if found.place == "body":
        return ", below the first statement"
    if mark:
        return ", behind a byte order mark"
    if found.name in {"sum", "delimiter"} and found.place != "first":
        return ", because it must be the first line"
    if found.name == "delimiter":
        return ", because '-- ' must stand before it"
    return (
        ", because no blank line follows the comments it stands in"
        if found.place != "leading"
        else ", behind another comment block"
    )


def _remedy(found: Found) -> str:
    if found.name in {"sum", "delimiter"}:
        return f"make '-- {found.spelling}:{found.name} {found.argument}' the first line of the file, with nothing around it"
    if found.spelling == "pilotage":
        return "move it to the top of the file"
    return f"put a blank line (LF) below the comments at the top of the file, or write pilotage:{found.name}"


def _conflicts(name: str, effective: list[Found], tx_mode: str) -> Iterator[Problem]:
    for which in _SINGLE:
        given = [found for found in effective if found.name == which]
        other = next((found for found in given if found.argument != given[0].argument), None)
        if other:
            why = f"{which} is '{given[0].argument}' in line {given[0].line} and '{other.argument}' here"
            yield problem("directive-conflict", "error", why, name, other.line, "keep one of them")
        if which == "txmode" and given and tx_mode == "all":
            why = f"'txmode {given[0].argument}' cannot be kept while the whole run is one transaction (--tx-mode all)"
            yield problem(
                "directive-conflict",
                "error",
                why,
                name,
                given[0].line,
                "run with --tx-mode file, or drop the directive",
            )


def _unescape(delimiter: str) -> str:
    return delimiter.replace("\\n", "\n").replace("\\r", "\r").replace("\\t", "\t")
