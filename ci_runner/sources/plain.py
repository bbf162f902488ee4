"""Text files of the repository that are no migrations: one by its path, or all of a kind in a folder, now or at a commit."""

from __future__ import annotations

from pathlib import Path

from ci_runner.errors import RefusedError, SetupError
from ci_runner.sources.git import Git
from ci_runner.sources.limits import MIB

TEXT_LIMIT = 16 * MIB
MOST = 200  # files of one kind in a folder


def text(root: Path, path: str, what: str) -> str:
    """The UTF-8 text of a file below ``root``; ``what`` is its name in messages. RefusedError or SetupError when it cannot be had."""
    place = (root / path).resolve()
    if root.resolve() not in place.parents:
        raise RefusedError(f"{what} {path} lies outside of {root}: give a path below it")
    try:
        with place.open("rb") as stream:
            data = stream.read(TEXT_LIMIT + 1)
    except OSError as error:
        raise SetupError(f"{what} {path} cannot be read: {error.strerror or error}") from None
    if len(data) > TEXT_LIMIT:
        raise RefusedError(f"{what} {path} is larger than {TEXT_LIMIT // MIB} MiB")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise RefusedError(f"{what} {path} is not UTF-8: byte {error.start}") from None


def texts(root: Path, folder: str, suffix: str, what: str) -> tuple[tuple[str, str], ...]:
    """(path, text) of the files right below a folder whose names end in ``suffix``, sorted by name."""
    place = root / folder
    if not place.is_dir():
        raise SetupError(f"{what}: there is no folder {folder}")
    names = sorted(each.name for each in place.iterdir() if each.name.endswith(suffix))
    return tuple((path, text(root, path, what)) for path in _paths(folder, names, what))


def texts_at(git: Git, commit: str, folder: str, suffix: str, what: str) -> tuple[tuple[str, str], ...]:
    """The same as they were at a commit; symbolic links are left out, and a folder that was not there has no files."""
    listed = git.output("ls-tree", "-z", f"{git.checked(commit)}:") if folder == "." else _listed(git, commit, folder)
    rows = (row.partition(b"\t") for row in listed.split(b"\0") if row.startswith((b"100644 ", b"100755 ")))
    names = sorted(name.decode("utf-8", "replace").rpartition("/")[2] for _, _, name in rows)
    found = []
    for path in _paths(folder, [name for name in names if name.endswith(suffix)], what):
        data = git.output("show", f"{commit}:{path}")
        try:
            found.append((path, data[: TEXT_LIMIT + 1].decode("utf-8")))
        except UnicodeDecodeError as error:
            raise RefusedError(f"{what} {path} at {commit[:10]} is not UTF-8: byte {error.start}") from None
    return tuple(found)


def _listed(git: Git, commit: str, folder: str) -> bytes:
    return git.output("ls-tree", "-z", git.checked(commit), "--", f"{folder.rstrip('/')}/")


def _paths(folder: str, names: list[str], what: str) -> list[str]:
    if len(names) > MOST:
        raise RefusedError(f"{what}: {folder} holds {len(names)} files, more than the {MOST} that are read")
    return [name if folder == "." else f"{folder}/{name}" for name in names]
