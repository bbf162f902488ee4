"""Manifests: the list of a snapshot's files, whose hash is the digest of the directory."""

from __future__ import annotations

from typing import Any, cast

from ci_runner.errors import IntegrityError, RefusedError
from ci_runner.model.registry import Manifest, ManifestFile, Snapshot
from ci_runner.registry import canonical, keys, names

_KINDS = {"up", "down", "repeatable", "aux"}
_LONGEST_WORD = 200


def of(snapshot: Snapshot) -> Manifest:
    """The manifest of a snapshot about to be pushed; RefusedError over a cap or for file names that no reader would accept."""
    files = sorted(
        (
            ManifestFile(file.name, file.kind, canonical.sha256(file.content), len(file.content))
            for file in snapshot.files
        ),
        key=lambda file: file.name,
    )
    fault = _files_fault(files)
    if fault:
        raise RefusedError(f"this directory cannot be pushed: {fault}")
    raw = canonical.dumps(
        {
            "v": 1,
            "dialect": snapshot.dialect,
            "format": snapshot.format,
            "sum": snapshot.sum,
            "files": [
                {"name": file.name, "kind": file.kind, "sha256": file.sha256, "size": file.size} for file in files
            ],
        }
    )
    if len(raw) > keys.TEXT_LIMIT:
        raise RefusedError(
            f"this directory cannot be pushed: its list of files takes {len(raw)} bytes, the limit is {keys.TEXT_LIMIT}"
        )
    return Manifest(snapshot.dialect, snapshot.format, snapshot.sum, tuple(files), canonical.sha256(raw), raw)


def parse(raw: bytes, digest: str) -> Manifest:
    """A manifest from a store; IntegrityError unless its bytes have ``digest`` and every line of it can be used safely."""
    what = f"manifest {digest[:12]}"
    if canonical.sha256(raw) != digest:
        raise IntegrityError(
            f"{what} is damaged: its bytes have the hash {canonical.sha256(raw)}; verify the registry and restore it"
        )
    value = canonical.loads(raw, what)
    if not canonical.is_number(value.get("v"), 1):
        raise newer(what, value.get("v"))
    words = [value.get(key) for key in ("dialect", "format", "sum")]
    if not all(isinstance(word, str) and len(word) <= _LONGEST_WORD and (word.isprintable()) for word in words):
        raise IntegrityError(f"{what} is refused: dialect, format and sum must be short strings")
    files = _parse_files(value.get("files"), what)
    dialect, directory_format, sum_ = cast("list[str]", words)
    return Manifest(dialect, directory_format, sum_, tuple(files), digest, raw)


def newer(what: str, version: object) -> RefusedError | IntegrityError:
    """The error for a version other than 1: a newer one asks for a newer Pilotage, anything else is damage."""
    if isinstance(version, int) and not isinstance(version, bool) and version > 1:
        return RefusedError(
            f"{what} was written by a newer Pilotage (format {version}, this one reads 1): upgrade Pilotage here"
        )
    return IntegrityError(f"{what} is refused: it does not say its format")


def check_format(raw: bytes, address: str) -> None:
    """RefusedError for a registry of a newer format, IntegrityError for a format that cannot be read."""
    version = canonical.loads(raw, keys.FORMAT).get("format")
    if not canonical.is_number(version, 1):
        raise newer(f"the registry {address}", version)


def _parse_files(value: Any, what: str) -> list[ManifestFile]:
    if not isinstance(value, list) or len(value) > keys.COUNT_LIMIT:
        raise IntegrityError(f"{what} is refused: its files are no list, or over {keys.COUNT_LIMIT}")
    files = [_parse_file(line, what) for line in value]
    fault = _files_fault(files)
    if fault:
        raise IntegrityError(f"{what} is refused: {fault}")
    if files != sorted(files, key=lambda file: file.name):
        raise IntegrityError(f"{what} is refused: its files are not sorted by name")
    return files


def _parse_file(line: Any, what: str) -> ManifestFile:
    if not isinstance(line, dict):
        raise IntegrityError(f"{what} is refused: a file's line is no object")
    name, kind, sha256, size = (line.get(key) for key in ("name", "kind", "sha256", "size"))
    if not isinstance(name, str) or not isinstance(kind, str) or kind not in _KINDS or not canonical.is_sha256(sha256):
        raise IntegrityError(f"{what} is refused: a file's line lacks a name, a known kind or a hash")
    if not isinstance(size, int) or isinstance(size, bool) or size < 0:
        raise IntegrityError(f"{what} is refused: the size of {name[:80]!r} is no count of bytes")
    return ManifestFile(name, kind, cast("str", sha256), size)  # type: ignore[arg-type]


def _files_fault(files: list[ManifestFile]) -> str | None:
    if len(files) > keys.COUNT_LIMIT:
        return f"it has {len(files)} files, the limit is {keys.COUNT_LIMIT}"
    large = next((file for file in files if file.size > keys.FILE_LIMIT), None)
    if large:
        return f"{large.name[:80]!r} has {large.size} bytes, the limit is {keys.FILE_LIMIT}"
    total = sum(file.size for file in files)
    if total > keys.FILES_LIMIT:
        return f"its files have {total} bytes, the limit is {keys.FILES_LIMIT}"
    return names.file_names_fault(file.name for file in files)
