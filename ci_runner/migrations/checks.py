"""Judges names, versions and bytes: what is refused outright, and what is a problem on its file."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Sequence
from hashlib import sha256
from itertools import pairwise
from operator import attrgetter

from ci_runner.errors import DirectoryRefusedError
from ci_runner.migrations.format import Entry, Format, as_number, hidden, problem
from ci_runner.model.directory import Problem, Tree
from ci_runner.text.pattern import later

STATEMENTS = 100_000
_WORD = r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_-])?"
_SURROGATE = later("[\ud800-\udfff]")
_PLAIN = re.compile(rf"{_WORD}(?:/{_WORD})*")
_LETTERS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_./-"
_DIGITS = {*"0123456789"}
_AWKWARD = (
    "//",
    "/.",
    "/-",
    "./",
    "/con",
    "/prn",
    "/aux",
    "/nul",
    "/com",
    "/lpt",
)  # what no plain path holds between slashes
_FORBIDDEN = r'[\x00-\x1f\x7f-\x9f\\:*?"<>|\ud800-\udfff]'
_DEVICE = re.compile(r"(?:^|/)(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\.|/|$)", re.IGNORECASE)
_NUL, _RETURN, _COLON, _LESS, _GREATER = b"\0\r:<>"  # a byte is found in a tenth of the time that a row of bytes takes
_CONFLICT = rb"(?m)^(?:<{7}|>{7})(?:[ \t\r].*)?$"
_TROUBLE = {
    "unreadable": "cannot be read: give this user the right to",
    "changing": "changed while it was read: run again when nothing writes there",
}
_KINDS = {
    "symlink": "a symbolic link",
    "fifo": "a named pipe",
    "socket": "a socket",
    "device": "a device",
    "submodule": "a submodule",
}


def irregular(tree: Tree) -> None:
    """Refuse a directory that holds anything but files and folders, or a file that cannot be read."""
    for path, reason in sorted(tree.irregular):
        if reason in _TROUBLE:
            raise DirectoryRefusedError(reason, f"{_shown(path)} in {tree.path} {_TROUBLE[reason]}", file=path)
        what = _KINDS.get(reason, "no ordinary file")
        raise DirectoryRefusedError(
            "not-a-regular-file", f"{_shown(path)} in {tree.path} is {what}: put the file itself there", file=path
        )


def name(path: str) -> None:
    """Refuse a path that some system could not store or a shell would misread."""
    if _PLAIN.fullmatch(path) and len(path) < 256 and not _DEVICE.search(path):
        return
    for part in path.split("/"):
        reason = _name_reason(part)
        if reason:
            raise DirectoryRefusedError("file-name", f"the name {_shown(path)} {reason}: rename it", file=path)


def plain(paths: Collection[str]) -> bool:
    """Whether there is nothing to be said of any of these paths, which one look at all of them tells; False where it takes a closer one."""
    whole = f"/{'/'.join(paths)}/"
    if not whole.isascii() or whole.encode().translate(None, _LETTERS) or max(map(len, paths), default=0) > 255:
        return False
    if whole.count("/") == len(paths) + 1 and {path[:1] for path in paths} <= _DIGITS and "./" not in whole:
        return True  # what many directories hold: names without folders that begin with a digit
    folded = whole.lower()
    return not paths or not any(awkward in folded for awkward in _AWKWARD)


def unicode(path: str) -> bool:
    """Whether a path is text: Python keeps bytes of a file name that are not UTF-8 as lone surrogates."""
    return path.isascii() or not _SURROGATE.search(path)


def _name_reason(part: str) -> str | None:
    if not unicode(part):
        return "is not UTF-8"
    if not part or len(part.encode()) > 255:
        return "is not 1 to 255 bytes long"
    if found := re.search(_FORBIDDEN, part):
        return f"holds the character {found[0]!a}, which not every system can store"
    if part.startswith("-"):
        return "begins with '-', which a command would take for an option"
    if part.endswith((" ", ".")):
        return "ends with a blank or dot, which Windows drops"
    return "is a device on Windows" if _DEVICE.search(part) else None


def _shown(path: str) -> str:
    return path if path.isprintable() else ascii(path)


def order(entries: Sequence[Entry], form: Format) -> Iterable[Problem]:
    """``version-order`` once: the first file, in byte order of names, that a lower version follows."""
    if form.order == "own":
        return
    ordered = [entry for entry in entries if entry.version]
    if (paths := [entry.path for entry in ordered]) != sorted(paths):
        ordered.sort(key=attrgetter("path"))
    versions = [entry.version for entry in ordered]
    if versions == sorted(versions) and _same_digits(versions):
        return
    by_bytes = None if form.order == "number" else _first(ordered, versions)
    by_number = _first(ordered, [as_number(version) for version in versions])
    found = by_bytes or by_number
    if found is None:
        return
    before, after = found
    level = "error" if by_bytes else "warning"
    message = f"{before.path} sorts before {after.path}, whose version {after.version} is lower than {before.version}"
    if form.order == "number":
        message += f"; {form.name} runs them by number, Atlas by name"
    yield problem("version-order", level, message, before.path, remedy="give every version the same number of digits")  # type: ignore[arg-type]


def _same_digits(versions: Sequence[str]) -> bool:
    """Whether all are numbers of the same number of digits, whose order is that of their bytes."""
    digits = "".join(versions)
    return digits.isascii() and digits.isdigit() and len(set(map(len, versions))) == 1


def _first(ordered: Sequence[Entry], keys: Sequence[str] | Sequence[int | str]) -> tuple[Entry, Entry] | None:
    """The first entry that one of a lower key follows, and that one; text and numbers are not compared."""
    for index, (left, right) in enumerate(pairwise(keys)):
        if left.__class__ is right.__class__ and right < left:  # type: ignore[operator]
            return ordered[index], ordered[index + 1]
    return None


def duplicates(entries: Sequence[Entry], form: Format) -> Iterable[Problem]:
    """``duplicate-version`` on the later of two files with one version, or with names that some file system takes for one."""
    known = [entry.version for entry in entries if entry.version]
    paths = "\n".join([entry.path for entry in entries])  # no name that gets here holds a line break
    folded = paths.lower()
    apart = paths.isascii() and (folded == paths or len({*folded.split("\n")}) == len(entries))
    if apart and len({*(known if form.key is str else map(form.key, known))}) == len(known):
        return
    versions: dict[object, str] = {}
    names: dict[str, str] = {}
    for entry in entries:
        folded = entry.path.lower() if entry.path.isascii() else unicodedata.normalize("NFC", entry.path).casefold()
        same_name = names.setdefault(folded, entry.path)
        same_version = (
            versions.setdefault((form.key(entry.version), entry.kind == "baseline"), entry.path)
            if entry.version
            else entry.path
        )
        if same_version != entry.path:
            message = f"{entry.path} and {same_version} have the same version {entry.version}"
        elif same_name != entry.path:
            message = f"{entry.path!a} and {same_name!a} are one name to some file systems"
        else:
            continue
        yield problem("duplicate-version", "error", message, entry.path, remedy="give one of them a version of its own")


def nested(tree: Tree, form: Format, skipped: Iterable[str]) -> Iterable[Problem]:
    """``nested-file`` for SQL in folders that the format does not read; hidden folders are left alone."""
    if not form.root_only:
        return
    for path in skipped:
        if "/" in path and not hidden(path):
            message = f"{path} is not run: {form.name} reads only the files of the directory itself"
            yield problem("nested-file", "warning", message, path, remedy=f"move it up to {tree.path}, or out of it")


def decode(path: str, data: bytes, folder: str) -> str:
    """The text of a file of ``folder`` without byte order mark; DirectoryRefusedError for NUL bytes and anything but UTF-8."""
    if data.isascii() and b"\x00" not in data:
        return data.decode("ascii")
    wide = _wide(data) if data[:1] in (b"\xff", b"\xfe", b"\x00") or b"\x00" in data else None
    if wide:
        raise DirectoryRefusedError(
            "encoding",
            f"{folder}/{path} is {wide}: convert it to UTF-8 (iconv -f {wide} -t UTF-8)",
            file=path,
            offset=0,
        )
    if b"\x00" in data:
        offset = data.index(b"\x00")
        raise DirectoryRefusedError(
            "nul-byte",
            f"{folder}/{path} has a NUL byte at offset {offset}: it is no SQL text",
            file=path,
            offset=offset,
        )
    try:
        return data.decode("utf-8-sig" if data.startswith(b"\xef\xbb\xbf") else "utf-8")
    except UnicodeDecodeError:
        offset = _bad_offset(data)
        raise DirectoryRefusedError(
            "encoding",
            f"{folder}/{path} is not UTF-8 from byte offset {offset} on: convert it (iconv -t UTF-8)",
            file=path,
            offset=offset,
        ) from None


def _bad_offset(data: bytes) -> int:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start
    return 0


def _wide(data: bytes) -> str | None:
    """UTF-16 or UTF-32 by byte order mark, or by the zeros that text in them has at every second byte or three of four."""
    if data.startswith((b"\xff\xfe\x00\x00", b"\x00\x00\xfe\xff")):
        return "UTF-32"
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "UTF-16"
    if b"\x00" not in data[:512]:
        return None
    head = data[: len(data[:512]) // 4 * 4] if len(data) >= 4 else b""
    zeros = [head[place::4].count(0) for place in range(4)]
    each = len(head) // 4
    if each and zeros[1] == zeros[2] == each and sorted((zeros[0], zeros[3])) == [0, each]:
        return "UTF-32"
    even, odd = zeros[0] + zeros[2], zeros[1] + zeros[3]
    if each and min(even, odd) == 0 and max(even, odd) * 10 >= each * 2 * 8:
        return "UTF-16"
    return None


def simple(data: bytes) -> str:
    """The SHA-256 (hex) of a file that is run as it is: statements without directives, in text of which there is nothing to say.

    "" for any other, and for one that begins with anything but comments to the end of a line and a letter, which takes a closer look.
    """
    return sha256(data).hexdigest() if quiet(data) and not directed(data) and _begins(data) else ""


def _begins(data: bytes) -> bool:
    at = 0
    while data.startswith((b"--", b"\n"), at):
        at = data.find(b"\n", at) + 1
        if not at:
            return False
    return data[at : at + 1].isalpha()


def directed(data: bytes) -> bool:
    """Whether there may be directives in the file."""
    return _COLON in data and (b"atlas:" in data or b"pilotage:" in data)


def quiet(data: bytes) -> bool:
    """Whether the bytes are text of which there is nothing to say: what :func:`decode` and :func:`content` need not look at."""
    return data.isascii() and not (
        _NUL in data
        or _RETURN in data
        or (_LESS in data and b"<<<<<<<" in data)
        or (_GREATER in data and b">>>>>>>" in data)
    )


def content(path: str, data: bytes) -> tuple[Problem, ...]:
    """Problems of a file's bytes that do not keep it from being read."""
    return () if quiet(data) else tuple(_content(path, data))


def _content(path: str, data: bytes) -> Iterable[Problem]:
    if data.startswith(b"\xef\xbb\xbf"):
        yield problem(
            "byte-order-mark",
            "warning",
            f"{path} begins with a byte order mark, which is not executed",
            path,
            1,
            "save it without",
        )
    if b"\r" in data:
        line = data.count(b"\n", 0, data.index(b"\r")) + 1
        yield problem(
            "line-endings",
            "warning",
            f"{path} has CR line endings",
            path,
            line,
            "set '*.sql text eol=lf' in .gitattributes",
        )
    if (b"<<<<<<<" in data or b">>>>>>>" in data) and (found := re.search(_CONFLICT, data)):
        line = data.count(b"\n", 0, found.start()) + 1
        yield problem(
            "merge-conflict",
            "error",
            f"{path} still holds the markers of a merge conflict",
            path,
            line,
            "finish the merge",
        )


def too_many_statements(path: str, count: int, form: str | None = None) -> DirectoryRefusedError:
    """The refusal of a file with more than 100,000 statements, for whoever splits them."""
    return DirectoryRefusedError(
        "too-many-statements",
        f"{path} has {count} statements, more than {STATEMENTS}: split the file",
        file=path,
        format=form,
    )
