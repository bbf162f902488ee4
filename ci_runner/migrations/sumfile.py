"""``atlas.sum``: one running SHA-256 over names and contents, written and checked as Atlas does."""

from __future__ import annotations

import hashlib
import re
from binascii import b2a_base64
from collections.abc import Callable, Mapping, Sequence
from itertools import chain

from ci_runner.model.directory import SumCheck

NAME = "atlas.sum"
_PREFIX = "h1:"
_COLON = ord(":")  # one byte is found in a tenth of the time that several take
_DIRECTIVE = rb"[ -~]*atlas:(\w+)(?: +([^\n]+))?"

Line = tuple[str, str]


def lines(files: Mapping[str, bytes]) -> list[Line]:
    """(name, hash) of every file in order; a file that says ``atlas:sum ignore`` gives its name to the hash and has no line."""
    running = hashlib.sha256()
    found = []
    for name, content in files.items():
        if _COLON in content and b"atlas:sum" in content and ignores(content):
            running.update(name.encode("utf-8", "surrogateescape"))
            continue
        running.update(name.encode("utf-8", "surrogateescape") + content)
        found.append((name, b2a_base64(running.digest(), newline=False).decode("ascii")))
    return found


def ignores(content: bytes) -> bool:
    """Whether the first line takes the file out of the sum; a byte order mark, a trailing blank or CR is in the way of that."""
    found = re.match(_DIRECTIVE, content)
    return found is not None and found[1] == b"sum" and found[2] == b"ignore"


def text(computed: Sequence[Line]) -> str:
    """The whole text of the file for these lines."""
    rows = map(f" {_PREFIX}".join, computed)
    return "\n".join((f"{_PREFIX}{_total(computed)}", *rows, ""))


def _total(computed: Sequence[Line]) -> str:
    joined = "".join(chain.from_iterable(computed))
    return b2a_base64(hashlib.sha256(joined.encode("utf-8", "surrogateescape")).digest(), newline=False).decode("ascii")


def check(written: bytes, files: Mapping[str, bytes]) -> SumCheck:
    """Compare the file on disk with those it is to cover, in order; the first difference is the one reported."""
    recorded = parse(written)
    if isinstance(recorded, str):
        return SumCheck(ok=False, error=recorded)
    computed = lines(files)
    if recorded == computed:
        return SumCheck(ok=True)
    cause = "line-endings" if _differs_in_line_ends(recorded, files) else None
    return _first_difference(recorded, computed, cause)


def parse(written: bytes) -> list[Line] | str:
    """The lines of a sum file, or the code of what is wrong with it."""
    try:
        rows = written.decode("utf-8").split("\n")
    except UnicodeDecodeError:
        return "sum-file-invalid"
    if rows[-1] == "":
        rows.pop()
    rows = [row.removesuffix("\r") for row in rows] or [""]
    recorded = []
    for row in rows[1:]:
        name, found, digest = row.partition(_PREFIX)
        if not found:
            return "sum-file-invalid"
        recorded.append((name.strip(), digest))
    return recorded if rows[0].removeprefix(_PREFIX) == _total(recorded) else "sum-file-mismatch"


def bad_line(written: bytes) -> int:
    """The first line (from 1) that is no line of a sum file; 1 when it is the header or the encoding."""
    rows = written.split(b"\n")
    if rows[-1] == b"":
        rows.pop()
    return next((number for number, row in enumerate(rows[1:], 2) if _PREFIX.encode() not in row), 1)


def _first_difference(recorded: Sequence[Line], computed: Sequence[Line], cause: str | None) -> SumCheck:
    places = {name: index for index, (name, _) in enumerate(computed)}
    for index, line in enumerate(recorded):
        if index < len(computed) and computed[index] == line:
            continue
        place = places.get(line[0])
        if place == index:
            return SumCheck(False, index + 2, line[0], "edited", cause=cause)
        if place is None or index >= len(computed):
            return SumCheck(False, index + 2, line[0], "removed", cause=cause)
        return SumCheck(False, index + 2, computed[index][0], "added", cause=cause)
    return SumCheck(False, len(recorded) + 2, computed[len(recorded)][0], "added", cause=cause)


def _differs_in_line_ends(recorded: list[Line], files: Mapping[str, bytes]) -> bool:
    to_lf: Callable[[bytes], bytes] = lambda data: data.replace(b"\r\n", b"\n")  # noqa: E731
    for convert in (to_lf, lambda data: to_lf(data).replace(b"\n", b"\r\n")):
        if recorded == lines({name: convert(data) for name, data in files.items()}):
            return True
    return False
