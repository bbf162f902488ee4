"""Reads a directory out of a Git commit with three processes at most, however many files it holds."""

from __future__ import annotations

import hashlib
import os
import posixpath
from collections.abc import Callable, Iterator, Mapping

from msgspec import Struct

from ci_runner.errors import DirectoryRefusedError, HistoryError
from ci_runner.model.directory import Tree
from ci_runner.sources.git import Git, git_blob
from ci_runner.sources.limits import Count, Limits
from ci_runner.wanted import markers, wanted

_IRREGULAR = {"120000": "symlink", "160000": "submodule"}
_MODE = 6  # characters
_FILE = "100644 blob "


class _Blob(Struct, frozen=True):
    path: str
    mode: str
    sha: str


def at_commit(git: Git, commit: str, path: str, *, like: Tree | None = None, limits: Limits | None = None) -> Tree:
    """The directory ``path`` (relative to the repository) as ``commit`` holds it; no files when the commit has no such directory.

    ``like`` is the same directory as read elsewhere: bytes that Git's own hash says are equal are taken from there instead of being
    read again, and so are the marker files around it.
    What the folder would give: symbolic links and submodules are recorded, never followed. Raises HistoryError when the commit is not
    here, DirectoryRefusedError over a cap or for a path outside the repository.
    """
    return listed(git, commit, path, limits=limits)(like)


def listed(git: Git, commit: str, path: str, *, limits: Limits | None = None) -> Callable[[Tree | None], Tree]:
    """As :func:`at_commit`, for whoever has ``like`` only later: what the commit holds is asked now, the bytes when the Tree is."""
    inside = posixpath.normpath(path.replace(os.sep, "/"))
    if inside.startswith(("../", "/")) or inside == "..":
        raise DirectoryRefusedError(
            "outside-repository", f"{path} lies outside the repository {git.root}: no commit can hold it"
        )
    inside = "" if inside == "." else inside
    rows, count = _listed(git, commit, inside), Count(f"{path} at {commit[:12]}", limits or Limits())
    return lambda like: _read(git, commit, _Folder(path, inside, rows()), count, like)


class _Folder(Struct, frozen=True):
    """A directory in a commit: as the user named it, as Git does, and a row of Git's for everything in it."""

    path: str
    inside: str
    rows: list[str]


def _read(git: Git, commit: str, folder: _Folder, count: Count, like: Tree | None) -> Tree:
    known, blobs = _known(folder.rows, like or Tree(folder.path, {}))
    below = [path for path in (*known, *(blob.path for blob in blobs)) if "/" in path]
    count.listed(len(known) + len(blobs), max((path.count("/") for path in below), default=0))
    irregular = [(blob.path, _IRREGULAR[blob.mode]) for blob in blobs if blob.mode in _IRREGULAR]
    around = _around(folder.inside) if like is None else {}
    unread = [blob for blob in blobs if blob.mode not in _IRREGULAR and wanted(blob.path)]
    count.several([*known, *(blob.path for blob in unread)], [*map(len, known.values()), *_sizes(git, unread)])
    contents = _contents(git, [*(blob.sha for blob in unread), *(f"{commit}:{place}" for place in around.values())])
    files = known | {blob.path: read or b"" for blob, read in zip(unread, contents, strict=False)}
    found = zip(around, contents[len(unread) :], strict=True)
    context = {marker: b"" if marker.endswith("/") else data for marker, data in found if data is not None}
    context = dict(like.context) if like is not None else context
    folders = {above for path in below for above in _above(path)}
    return Tree(
        folder.path,
        files if (paths := sorted(files)) == [*files] else {path: files[path] for path in paths},
        context,
        tuple(sorted(irregular)),
        tuple(sorted(folders)),
    )


def _around(inside: str) -> dict[str, str]:
    """Marker files outside the directory, by their path as seen from it, and where in the repository each would lie."""
    depth = len(inside.split("/")) if inside else 0
    places = {marker: posixpath.normpath(posixpath.join(inside, marker)) for marker in markers(depth)}
    return {marker: place for marker, place in places.items() if not place.startswith("..")}


def _known(rows: list[str], like: Tree) -> tuple[dict[str, bytes], list[_Blob]]:
    """Those of the files whose bytes the commit has under their name, and what else it has.

    Git names an object by the hash of its kind, size and bytes, so that the row of each file is known beforehand.
    """
    names = {f"{_FILE}{blob}\t{path}": path for path, blob in _blobs(rows, like).items()}
    known = {path: like.files[path] for row in rows if (path := names.get(row))}
    others = []
    for row in [row for row in rows if row not in names]:
        path = names.get(_FILE + row[len(_FILE) :]) if row[:_MODE] not in _IRREGULAR else None
        if path is None:
            facts, _, path = row.partition("\t")
            others.append(_Blob(path, facts[:_MODE], facts[facts.rindex(" ") + 1 :]))
        elif path not in known:  # a file that may be executed
            known[path] = like.files[path]
    return known, others


def _blobs(rows: list[str], like: Tree) -> Mapping[str, str]:
    """What Git calls each of the files, in a repository with such rows."""
    if rows and len(rows[0].partition("\t")[0].rpartition(" ")[2]) == 64:
        return {
            path: hashlib.sha256(b"blob %d\0%b" % (len(data), data)).hexdigest() for path, data in like.files.items()
        }
    rest = like.files.keys() - like.blobs.keys()
    return {**like.blobs, **{path: git_blob(like.files[path]) for path in rest}} if rest else like.blobs


def _above(path: str) -> Iterator[str]:
    while "/" in path:
        path = path.rpartition("/")[0]
        yield path


def _listed(git: Git, commit: str, inside: str) -> Callable[[], list[str]]:
    """Git's row for every entry below the directory, which it writes meanwhile; [] when the commit has none there."""
    question = ("ls-tree", "-r", "-z", "--full-tree", git.checked(f"{commit}:{inside}"))
    answer = git.begun(*question)

    def rows() -> list[str]:
        code, output, _ = answer()
        if code:
            git.ensure_commit(commit)
            if git.attempt("rev-parse", "--verify", "--quiet", f"{commit}:{inside}")[0]:
                return []
            output = git.output(*question)
        return os.fsdecode(output).split("\0")[:-1]

    return rows


def _sizes(git: Git, blobs: list[_Blob]) -> list[int]:
    """The size of each blob; asked apart, for ``ls-tree -l`` would open every object of a directory that is mostly known."""
    if not blobs:
        return []
    names = "\n".join(blob.sha for blob in blobs).encode() + b"\n"
    said = git.output("cat-file", "--batch-check=%(objectsize)", input=names).splitlines()
    return [int(size) if size.isdigit() else 0 for size in said[: len(blobs)]]


def _contents(git: Git, objects: list[str]) -> list[bytes | None]:
    """The bytes of every object named, None for one that does not exist."""
    if any("\n" in name for name in objects):
        raise DirectoryRefusedError(
            "file-name", "the path of the directory holds a line break, which Git cannot be asked for"
        )
    if not objects:
        return []
    output = git.output("cat-file", "--batch", input=os.fsencode("\n".join(objects) + "\n"))
    found: list[bytes | None] = []
    at = 0
    for _ in objects:
        end = output.find(b"\n", at)
        facts = output[at:end].rsplit(b" ", 2)
        at = end + 1
        if end < 0:
            raise HistoryError("git cat-file answered less than it was asked for: run 'git fsck' in this repository")
        if len(facts) == 3 and facts[2].isdigit():
            size = int(facts[2])
            found.append(output[at : at + size])
            at += size + 1
        else:
            found.append(None)
    return found
