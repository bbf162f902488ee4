"""What a lint run says: change set, observations, findings, report."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

from msgspec import Struct

from ci_runner.model.diagram import Diagram
from ci_runner.model.directory import Migration, MigrationDir, Problem
from ci_runner.model.stats import Size

Severity = Literal["error", "warning", "notice"]
Change = Literal["added", "edited", "removed", "renamed"]
Verdict = Literal["pass", "warn", "fail"]


class Base(Struct, frozen=True):
    """What the change is compared with. ``kind``: git, registry, latest, all; ``ref`` is the commit, NAME@seq, the number, or ""."""

    kind: Literal["git", "registry", "latest", "all"]
    ref: str = ""


class ChangedFile(Struct, frozen=True):
    """A migration that differs from the base. ``migration`` is None when removed; ``before`` is the base's, None when added."""

    name: str
    change: Change
    migration: Migration | None
    before: Migration | None = None
    out_of_order: bool = False


class ChangeSet(Struct, frozen=True):
    """Head against base: the changed files in execution order, and the base migrations that run before them unchanged."""

    head: MigrationDir
    base: Base
    files: tuple[ChangedFile, ...]
    released: tuple[Migration, ...] = ()


FILE = -1  # the statement of an observation on a whole file


class Observation(Struct, frozen=True):
    """What the dev database was seen to do at one statement (index into the file's statements).

    ``kind``: error, rewrite, scan, index-build, lock, algorithm, rows-lost, seed-error (refused on the rows of seeds). ``object`` is the
    table, ``detail`` the database's own words or lock name. On a whole file (``statement`` is FILE): down-missing, down-fails,
    down-differs; ``object`` is where its way back stands.
    """

    file: str
    statement: int
    kind: str
    object: str = ""
    detail: str = ""


class ReplayError(Struct, frozen=True):
    """A statement the dev database refused: where it stands, and the database's words (redacted)."""

    file: str
    line: int
    column: int
    message: str
    statement: str = ""
    code: str = ""


class SchemaChange(Struct, frozen=True):
    """One row of the table "what this migration does to the schema": ``action`` added, removed, changed; ``what`` table, column, index …"""

    action: str
    what: str
    name: str
    before: str = ""
    after: str = ""


class Replay(Struct, frozen=True):
    """``reason`` says why it was skipped; ``unobserved`` what could not be looked at, in words.

    ``engine`` is the database's name and version, "" when skipped. ``changes`` and ``diagram`` are what the change does to the schema,
    seen on the database or, when skipped, as the text says. ``remarks`` are what somebody has to mend for the replay to say more.
    """

    status: Literal["ok", "failed", "skipped"]
    engine: str = ""
    statements: int = 0
    error: ReplayError | None = None
    reason: str = ""
    observations: tuple[Observation, ...] = ()
    changes: tuple[SchemaChange, ...] = ()
    unobserved: tuple[str, ...] = ()
    diagram: Diagram | None = None
    remarks: tuple[str, ...] = ()


class SuggestedFile(Struct, frozen=True):
    """A file of the migration directory as it is to be: the next migration, or one that says how another is run."""

    name: str
    text: str


class Suggestion(Struct, frozen=True):
    """Replacement text for whole lines ``line`` … ``end_line`` of the file (from 1, inclusive), and ``files`` to be written beside it.

    ``safe``: it changes no meaning, the files lead to the same schema and rows as before. ``alone``: the lines are worth taking
    without the files.
    """

    line: int
    end_line: int
    text: str
    summary: str = ""
    safe: bool = False
    files: tuple[SuggestedFile, ...] = ()
    alone: bool = True


class Finding(Struct, frozen=True):
    """One observation worth a reviewer's time. Lines and columns from 1; ``end_column`` is one past the last character.

    ``page``: there is a page on the rule under docs/rules. ``table`` and ``size``: the table it is about as the statement names it, and
    how large that is in production, where somebody said so.
    """

    rule: str
    severity: Severity
    message: str
    file: str
    line: int
    column: int
    end_line: int
    end_column: int
    title: str = ""
    why: str = ""
    remedy: str = ""
    aliases: tuple[str, ...] = ()
    evidence: Literal["inferred", "observed"] = "inferred"
    statement: str = ""
    suggestion: Suggestion | None = None
    page: bool = True
    table: str = ""
    size: Size | None = None


class NotAnalysed(Struct, frozen=True):
    """A statement that was not understood: where, and why."""

    file: str
    line: int
    reason: str


class Linted(Struct, frozen=True):
    """What lint hands to the report."""

    findings: tuple[Finding, ...] = ()
    not_analysed: tuple[NotAnalysed, ...] = ()
    suppressed: int = 0


class StatementEffect(Struct, frozen=True):
    """One row of ``pilotage explain``; ``size`` is that of the table that is read or written, where it is known."""

    line: int
    end_line: int
    text: str
    operations: tuple[tuple[str, str, bool], ...]  # (kind, object, conditional)
    lock: str
    effect: str
    not_analysed: str | None = None
    size: Size | None = None


class FileReport(Struct, frozen=True):
    """One changed file with its findings, in order of position."""

    name: str
    version: str
    change: Change
    findings: tuple[Finding, ...] = ()
    text: str = ""


class Report(Struct, frozen=True):
    """All of one directory, with a verdict. ``notes`` are lines a person should read (shallow clone, base unknown …).

    ``summed`` works the directory's ``sum`` out, the first line that its atlas.sum must have, and ``explained`` its ``effects``: both take a
    while, and not every report is shown with them.
    """

    name: str
    path: str
    format: str
    dialect: str
    summed: Callable[[], str]
    total_files: int
    base: Base
    files: tuple[FileReport, ...]
    not_analysed: tuple[NotAnalysed, ...]
    problems: tuple[Problem, ...]
    suppressed: int
    replay: Replay
    verdict: Verdict
    notes: tuple[str, ...] = ()
    schema_changes: tuple[SchemaChange, ...] = ()
    explained: Callable[[], Mapping[str, tuple[StatementEffect, ...]]] = dict

    @property
    def effects(self) -> Mapping[str, tuple[StatementEffect, ...]]:
        """What the statements of the first changed files do, by file: the rows of ``explain``."""
        return self.explained()

    @property
    def sum(self) -> str:
        """The first line of atlas.sum, as it must be."""
        return self.summed()


class Run(Struct, frozen=True):
    """One lint run over one or several directories; ``verdict`` is the worst of them."""

    reports: tuple[Report, ...]
    verdict: Verdict
    notes: tuple[str, ...] = ()
