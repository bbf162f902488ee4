"""A migration directory, from raw bytes to migrations in execution order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct, field

Level = Literal["error", "warning", "notice"]
TxMode = Literal["file", "all", "none", "changeset"]
Kind = Literal["versioned", "repeatable", "baseline", "checkpoint"]


class Tree(Struct, frozen=True):
    """What a source read, with nothing judged yet.

    ``path`` is the directory as the user gave it. ``files`` are relative POSIX paths to bytes. ``context`` are marker files
    outside the directory (``Cargo.toml`` …). ``irregular`` are entries that were not opened, with the reason
    (``symlink``, ``fifo``, ``unreadable`` …) as (relative path, reason). ``folders`` are the folders below, however empty;
    ``linked`` the files with more than one hard link. What whoever read the files found out about their bytes on the way: ``simple`` is
    the SHA-256 (hex) of each that is known to be run as it is (see ``migrations.checks.simple``), ``blobs`` what Git would call it (SHA-1).
    """

    path: str
    files: Mapping[str, bytes]
    context: Mapping[str, bytes] = field(default_factory=dict)
    irregular: tuple[tuple[str, str], ...] = ()
    folders: tuple[str, ...] = ()
    linked: tuple[str, ...] = ()
    simple: Mapping[str, str] = field(default_factory=dict)
    blobs: Mapping[str, str] = field(default_factory=dict)


CODES = (
    "byte-order-mark", "dialect-mismatch", "directive-conflict", "directive-detached", "directive-unknown", "duplicate-version",
    "empty-directory", "empty-file", "file-missing", "format-ambiguous", "format-error", "hard-link", "journal-mismatch", "line-endings",
    "merge-conflict", "nested-file", "not-supported", "sum-file-invalid", "sum-file-mismatch", "sum-file-missing", "sum-mismatch",
    "too-many-statements", "version-order",
)  # fmt: skip

# Those that tell what stands in one file and nothing of how files follow on one another.
OF_ONE_FILE = frozenset(
    {"byte-order-mark", "directive-detached", "directive-unknown", "empty-file", "hard-link", "line-endings"}
)


class Problem(Struct, frozen=True):
    """Something wrong with the directory itself; ``code`` is a slug of the catalogue, ``line`` counts from 1."""

    code: str
    level: Level
    message: str
    file: str | None = None
    line: int | None = None
    remedy: str = ""


class Part(Struct, frozen=True):
    """A piece of a file that runs forward, as character offsets into ``Migration.text``; ``transaction`` overrides the file's.

    Formats with sections (goose, dbmate, liquibase, drizzle) have several; for the others the one part is the whole file. A
    liquibase part is one changeset, in a transaction of its own unless ``transaction`` is none. ``whole`` says
    that the part is one statement however many delimiters it holds (goose's StatementBegin … StatementEnd).
    """

    start: int
    end: int
    transaction: TxMode | None = None
    whole: bool = False
    delimiter: str = ""


class Migration(Struct, frozen=True):
    """One forward migration file.

    ``text`` is the decoded file without byte order mark, lines as they are. ``sha256`` is the hash of the raw bytes (hex).
    ``delimiter`` is the statement delimiter a directive asks for, "" for the dialect's own. ``directives`` are those in effect for
    the whole file as (name, argument, line).
    """

    name: str
    version: str
    description: str
    text: str
    sha256: str
    kind: Kind = "versioned"
    transaction: TxMode = "file"
    parts: tuple[Part, ...] = ()
    delimiter: str = ""
    directives: tuple[tuple[str, str, int], ...] = ()


class SumCheck(Struct, frozen=True):
    """Outcome of comparing ``atlas.sum`` on disk: ok, or the first difference (``line`` from 1), or why it cannot be compared."""

    ok: bool
    line: int | None = None
    file: str | None = None
    reason: str | None = None
    error: str | None = None
    cause: str | None = None


class MigrationDir(Struct, frozen=True):
    """A directory as read: migrations in execution order, and every problem found on the way.

    ``files`` are the raw bytes worth keeping in a registry: forward files, ``down`` files, the format's metadata and atlas.sum;
    ``first_run`` are the versions that run on an empty database when not all do; ``skipped`` are SQL files deliberately not read.
    ``summed`` is what atlas.sum covers in order, None where that is the migrations; ``blobs`` are the Tree's of ``files``.
    """

    path: str
    format: str
    dialect: str
    migrations: tuple[Migration, ...]
    sum_check: SumCheck
    problems: tuple[Problem, ...] = ()
    skipped: tuple[str, ...] = ()
    first_run: tuple[str, ...] | None = None
    files: Mapping[str, bytes] = field(default_factory=dict)
    down: tuple[str, ...] = ()
    summed: Mapping[str, bytes] | None = None
    blobs: Mapping[str, str] = field(default_factory=dict)
