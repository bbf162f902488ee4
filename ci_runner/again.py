"""Answers a command that was answered before: same words, same surroundings, same files, so the same answer, before anything is imported.

Only ``lint --all`` without a database, reports or settings beyond the plain ones is remembered, and nothing in CI: a cache shared between
jobs is a stranger's bytes, and an answer is a verdict. What an answer depends on is either in its key (arguments, environment, folder,
configuration files, the day) or listed in it with a hash: this program, the directories that were read, and the marker files around them.
Imports are the few that Python has at hand: the rest of the program takes longer to import than this to answer.
"""

from __future__ import annotations

import os
import stat
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256

from ci_runner import __version__
from ci_runner.wanted import markers, wanted

CONFIGURATIONS = ("pilotage.yml", "pilotage.yaml", "atlas.hcl", ".squawk.toml")
SWITCHES = frozenset({"--all", "--quiet", "-q"})
VALUES = frozenset({"--dir", "--dialect", "--dir-format", "--format", "--fail-on", "--cache-dir", "--tx-mode", "--sum"})
_MAKE = b"pilotage answer 2\n"
_NOISE = frozenset({"_", "SHLVL", "OLDPWD"})  # what a shell changes from command to command
_LARGEST = 64 * 1024 * 1024  # bytes, of one file read and of an answer
_FOLDER = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
_FILE = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)

Files = Iterable[tuple[str, bytes]]
_made_of: list[str] = []


class Question:
    """A command that may have been answered before: where answers are kept, and under which name this one's is."""

    __slots__ = ("folder", "key")

    def __init__(self, folder: str, key: str) -> None:
        self.folder, self.key = folder, key


def question(arguments: Sequence[str], environ: Mapping[str, str], *, terminal: bool) -> Question | None:
    """The question that a command line asks; None for every command that is not remembered."""
    flags = _flags(arguments)
    if flags is None or terminal or environ.get("CI") or os.name != "posix":
        return None
    home = environ.get("XDG_CACHE_HOME") or (f"{environ['HOME']}/.cache" if environ.get("HOME") else "")
    folder = flags.get("--cache-dir") or environ.get("PILOTAGE_CACHE_DIR") or (f"{home}/pilotage" if home else "")
    if not folder:
        return None
    try:
        return Question(folder, f"answer-{_key(arguments, environ)}")
    except OSError:  # no folder to stand in, or the program is no folder but an archive
        return None


def _key(arguments: Sequence[str], environ: Mapping[str, str]) -> str:
    """What an answer depends on beyond the directories it was read from, hashed."""
    cwd = os.getcwd()
    surroundings = [f"{name}={value}" for name, value in sorted(environ.items()) if name not in _NOISE]
    today = time.strftime("%Y-%m-%d", time.gmtime())
    hashed = sha256(_MAKE)
    for part in (
        __version__,
        sys.version,
        today,
        cwd,
        *arguments,
        "",
        *surroundings,
        "",
        *_configuration(cwd),
    ):
        hashed.update(os.fsencode(part) + b"\0")
    return hashed.hexdigest()


def _flags(arguments: Sequence[str]) -> dict[str, str] | None:
    """The flags of a plain ``lint --all``; None for anything else."""
    found: dict[str, str] = {}
    words = iter(arguments)
    commands = []
    for word in words:
        name, equals, value = word.partition("=")
        if name in VALUES:
            found[name] = value if equals else next(words, "")
        elif word in SWITCHES:
            found[word] = ""
        else:
            commands.append(word)
    return found if commands == ["lint"] and "--all" in found else None


def program() -> str:
    """The hash of what this program is made of: its files and the folders packages are installed in, each with the time it last changed.

    Looked up once a run, which takes 4 ms.
    """
    if _made_of:
        return _made_of[0]
    root = os.path.dirname(os.path.abspath(__file__))
    times = [f"{path} {os.stat(path).st_mtime_ns}" for path in sys.path if path != os.getcwd() and os.path.isdir(path)]
    pending = [root]
    while pending:
        with os.scandir(pending.pop()) as entries:
            for entry in entries:
                if entry.name == "__pycache__":
                    continue
                if entry.is_dir():
                    pending.append(entry.path)
                else:
                    times.append(f"{entry.path} {entry.stat().st_mtime_ns}")
    _made_of.append(sha256(os.fsencode("\0".join(sorted(times)))).hexdigest())
    return _made_of[0]


def _configuration(cwd: str) -> list[str]:
    """The configuration files in the folder and above, to the repository's root, with their hashes."""
    found, folder = [], cwd
    while True:
        found += [f"{folder}/{name} {content(f'{folder}/{name}')}" for name in CONFIGURATIONS]
        git = os.path.lexists(f"{folder}/.git")
        found.append(f"{folder} {git}")
        above = os.path.dirname(folder)
        if git or above == folder:
            return found
        folder = above


def content(path: str) -> str:
    """The hash of a file; what stands there instead where there is none."""
    try:
        status = os.stat(path)
        if not stat.S_ISREG(status.st_mode):
            return f"kind-{stat.S_IFMT(status.st_mode)}"
        if status.st_size > _LARGEST:
            return f"large-{status.st_size}-{status.st_mtime_ns}"
        with open(path, "rb") as stream:
            return sha256(stream.read()).hexdigest()
    except OSError as error:
        return str(error.errno)


def digest(files: Files, folders: Iterable[str]) -> str:
    """The hash of a directory: its files that are read, by relative path in order, and the folders below it."""
    hashed = sha256()
    for path, data in files:
        hashed.update(b"%d %d " % (len(path), len(data)) + os.fsencode(path))
        hashed.update(data)
    for folder in folders:
        hashed.update(b"/" + os.fsencode(folder))
    return hashed.hexdigest()


def around(path: str, depth: int) -> list[tuple[str, str]]:
    """The marker files that tell the format of the directory at ``path``, from ``depth`` folders up, each with its hash."""
    return [(place, content(place)) for place in (f"{path}/{marker}" for marker in markers(depth))]


def directory(path: str) -> str | None:
    """The :func:`digest` of the directory at ``path``; None where it holds anything but files and folders, or cannot be read."""
    files: list[tuple[str, bytes]] = []
    folders: list[str] = []
    try:
        _walk(os.open(path, _FOLDER), "", files, folders)
    except (OSError, _OddError):
        return None
    return digest(sorted(files), sorted(folders))


class _OddError(Exception):
    """Something that a source would remark on."""


def _walk(descriptor: int, prefix: str, files: list[tuple[str, bytes]], folders: list[str]) -> None:
    try:
        with os.scandir(descriptor) as entries:
            for entry in entries:
                name = prefix + entry.name
                if entry.is_dir(follow_symlinks=False):
                    if entry.name != ".git":
                        folders.append(name)
                        _walk(os.open(entry.name, _FOLDER, dir_fd=descriptor), f"{name}/", files, folders)
                elif not entry.is_file(follow_symlinks=False):
                    raise _OddError
                elif wanted(name):
                    files.append((name, _read(entry.name, descriptor)))
    finally:
        os.close(descriptor)


def _read(name: str, descriptor: int) -> bytes:
    handle = os.open(name, _FILE, dir_fd=descriptor)
    try:
        status = os.fstat(handle)
        data = os.read(handle, status.st_size + 1)
    finally:
        os.close(handle)
    if status.st_nlink > 1 or len(data) != status.st_size:
        raise _OddError
    return data


def answer(asked: Question) -> tuple[bytes, int] | None:
    """What to print and the exit code, where the question was answered and nothing that the answer rests on has changed."""
    try:
        path = f"{asked.folder}/{asked.key}"
        if os.stat(path).st_uid != os.geteuid():
            return None
        with open(path, "rb") as stream:
            kept = stream.read(_LARGEST)
    except OSError:
        return None
    head, _, text = kept.partition(b"\n\n")
    lines = os.fsdecode(head).split("\n")
    if not head.startswith(_MAKE) or len(lines) < 3 or not lines[1].isdigit():
        return None
    rests = {line.rpartition(" ")[0]: line.rpartition(" ")[2] for line in lines[2:]}
    for what, known in rests.items():
        sort, _, place = what.partition(" ")
        if _now(sort, place) != known:
            return None
    return text, int(lines[1])


def _now(sort: str, place: str) -> str | None:
    if sort == "program":
        return program()
    return directory(place) if sort == "directory" else content(place)


def record(code: int, rests: Iterable[tuple[str, str, str]], text: str) -> bytes | None:
    """An answer as it is kept. ``rests`` are what it rests on: (directory or file, absolute path, hash); None where a path cannot be written down."""
    lines = [f"{sort} {path} {known}" for sort, path, known in (("program", "-", program()), *rests)]
    if any("\n" in line for line in lines):
        return None
    return _MAKE + os.fsencode("\n".join([str(code), *lines])) + b"\n\n" + text.encode("utf-8", "surrogateescape")
