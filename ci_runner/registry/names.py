"""The names a registry accepts: of directories, of tags, and of the files in a manifest."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

from ci_runner.errors import ConflictError, UsageError

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}")
_TAG = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_DRIVE = re.compile(r"[A-Za-z]:")
_PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")  # of a file at the top: most names, and nothing to be said of them
_LONGEST_FILE_NAME = 1024
_LONGEST_SEGMENT = 200


def check_name(name: str) -> str:
    """The name of a directory, as given; UsageError when it is none."""
    if _NAME.fullmatch(name):
        return name
    raise UsageError(
        f"{name[:80]!r} cannot name a directory in a registry: a name is 1 to 63 letters, digits, dashes and underscores "
        "and begins with a letter or a digit"
    )


def check_tag(tag: str) -> str:
    """A tag, as given; UsageError when it is none."""
    if tag == "latest":
        raise UsageError('"latest" is no tag to set: it always is what was pushed last; choose another tag')
    if _TAG.fullmatch(tag):
        return tag
    raise UsageError(
        f"{tag[:80]!r} cannot be a tag: a tag is 1 to 128 letters, digits, dots, dashes and underscores and begins with a letter or a digit"
    )


def check_tags(tags: Iterable[str]) -> tuple[str, ...]:
    """Tags without repetitions, sorted."""
    return tuple(sorted({check_tag(tag) for tag in tags}))


def is_tag(text: str) -> bool:
    """Whether ``text`` has a tag's form."""
    return bool(_TAG.fullmatch(text))


def check_collision(name: str, existing: Iterable[str]) -> None:
    """ConflictError when ``name`` differs from an existing name only in upper and lower case."""
    for other in existing:
        if other != name and other.lower() == name.lower():
            raise ConflictError(
                f"{name!r} differs only in upper and lower case from {other!r}, which the registry already has: push to {other!r}, "
                "or choose a name that is different on every file system"
            )


def did_you_mean(name: str, existing: Iterable[str]) -> str:
    """A sentence that helps somebody who asked for a name that is not there."""
    known = sorted(existing)
    near = difflib.get_close_matches(name, known, n=1)
    if near:
        return f"did you mean {near[0]!r}?"
    if not known:
        return "it holds no directory so far: push one first"
    more = f" and {len(known) - 10} more" if len(known) > 10 else ""
    return f"it has: {', '.join(known[:10])}{more}"


def file_name_fault(name: str) -> str | None:
    """Why ``name`` must not be the name of a file in a snapshot; None when it may.

    Names come from registries that somebody else may have written to, and become paths: they are relative, with forward slashes,
    and mean the same on every system.
    """
    if len(name) <= _LONGEST_SEGMENT and _PLAIN.fullmatch(name):
        return None
    try:
        size = len(name.encode())
    except UnicodeEncodeError:
        return "is no valid text"
    segments = name.split("/")
    if not name or size > _LONGEST_FILE_NAME:
        return f"is empty or over {_LONGEST_FILE_NAME} bytes"
    if "\\" in name or _DRIVE.match(name) or name.startswith("/"):
        return "is no relative path with forward slashes"
    if not name.isprintable():
        return "holds control or invisible characters"
    if any(segment in {"", ".", ".."} for segment in segments):
        return "holds empty, . or .. steps"
    if any(len(segment.encode()) > _LONGEST_SEGMENT for segment in segments):
        return f"holds a step over {_LONGEST_SEGMENT} bytes"
    return None


def file_names_fault(names: Iterable[str]) -> str | None:
    """Why these names cannot lie in one folder together: one is wrong, given twice, or both a file and a folder; None when they can."""
    seen: set[str] = set()
    folders: set[str] = set()
    for name in names:
        fault = file_name_fault(name)
        if fault:
            return f"the file name {name[:80]!r} {fault}"
        if name in seen:
            return f"the file name {name[:80]!r} is given twice"
        seen.add(name)
        if "/" in name:
            folders.update(name[:at] for at, character in enumerate(name) if character == "/")
    both = min(seen & folders, default=None)
    return None if both is None else f"{both[:80]!r} is both a file and a folder"
