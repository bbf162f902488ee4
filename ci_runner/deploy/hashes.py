"""Hashes a database remembers: of a file's bytes, of its text whatever the line endings, of its statements, of a lock's name."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from ci_runner.databases import Lock

MARK = b"\xef\xbb\xbf"
SCHEME = "s1:"  # names the algorithm: SHA-256 of the bytes


def file_hash(data: bytes) -> str:
    """Of the raw bytes."""
    return SCHEME + hashlib.sha256(data).hexdigest()


def text_hash(data: bytes) -> str:
    """Of the bytes without byte order mark and CR: equal where only line endings differ."""
    return SCHEME + hashlib.sha256(data.removeprefix(MARK).replace(b"\r", b"")).hexdigest()


def statement_hash(text: str) -> str:
    """Of one statement, so that a file that was carried out in part is found to go on as it began."""
    return hashlib.sha256(text.replace("\r", "").encode("utf-8", "surrogatepass")).hexdigest()[:16]


def fingerprint(objects: Mapping[str, str]) -> str:
    """One hash for every object of a schema; "" for an empty one would hide a loss, so it has a hash, too."""
    running = hashlib.sha256()
    for name in sorted(objects):
        running.update(f"{name}\0{objects[name]}\n".encode("utf-8", "surrogatepass"))
    return SCHEME + running.hexdigest()


def lock(directory: str, schema: str) -> Lock:
    """The lock of one directory in one schema: a number of 64 bits, and a name of at most 64 characters."""
    found = hashlib.sha256("\0".join(("pilotage", directory, schema)).encode()).digest()
    number = int.from_bytes(found[:8], "big", signed=True)
    return Lock(number, f"pilotage/{schema[:20]}/{found.hex()[:32]}")
