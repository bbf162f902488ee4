"""A deployment's values: what a database is, what it remembers of earlier runs, what is to be done and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct, field

from ci_runner.model.operations import Statement

LAYOUT = 1  # of the two own tables; a database that says a higher one was deployed to by a newer Pilotage

RevisionKind = Literal["versioned", "baseline", "checkpoint", "repeatable", "adopted", "manual"]
RevisionState = Literal["running", "applied", "failed", "in_doubt", "reverted"]
Order = Literal["linear", "linear-skip", "non-linear"]
Drift = Literal["off", "warn", "error"]
StepMode = Literal["file", "all", "none"]


class Facts(Struct, frozen=True):
    """What a database says of itself.

    ``schema`` is where own tables and unqualified names go. ``identity`` names the database (engine, place, database, schema) without any
    secret. ``ddl``: schema changes can be undone with their transaction. ``rows``: row changes can. ``weak`` says in a sentence what cannot
    be promised on this engine, "" where everything can.
    """

    dialect: str
    engine: str
    version: tuple[int, ...]
    name: str
    schema: str
    identity: str
    user: str = ""
    ddl: bool = True
    rows: bool = True
    weak: str = ""


class Revision(Struct, frozen=True):
    """One row of ``pilotage_revisions``: a migration as this database knows it.

    ``dir`` and ``version`` are the key; a repeatable's version is ``repeatable:<name>``. ``position`` is the order of application, from 1.
    ``file_hash`` is ``s1:`` and the SHA-256 of the raw bytes, ``text_hash`` the same without byte order mark and CR; "" where not known.
    ``statement_hashes`` are kept for files that do not run in one transaction. ``intent_statement`` counts from 1; None when nothing is open.
    Times are UTC, ISO 8601.
    """

    dir: str
    version: str
    position: int
    name: str
    description: str = ""
    kind: RevisionKind = "versioned"
    state: RevisionState = "applied"
    statements_total: int = 0
    statements_done: int = 0
    statement_hashes: tuple[str, ...] = ()
    file_hash: str = ""
    text_hash: str = ""
    intent_statement: int | None = None
    intent_fingerprint: str = ""
    run_id: str = ""
    started_at: str = ""
    finished_at: str = ""
    duration_ms: int = 0
    error: str = ""
    error_statement: int | None = None
    digest: str = ""
    registry_seq: int = 0
    registry_head: str = ""
    inbox: str = ""
    tool_version: str = ""
    actor: str = ""


class DirState(Struct, frozen=True):
    """One row of ``pilotage_state``: what is remembered of a directory as a whole. ``objects`` are name → hash at the last deploy."""

    dir: str
    layout: int = LAYOUT
    fingerprint: str = ""
    objects: Mapping[str, str] = field(default_factory=dict)
    last_seq: int = 0
    last_head: str = ""
    adopted_from: str = ""
    updated_at: str = ""


class Origin(Struct, frozen=True):
    """Where the files of a deployment came from.

    ``kind``: registry, local or git. ``digest`` is the registry's of this state ("sha256:<hex>"), else one made of the files. ``address``
    is the store, the folder or the commit. ``seq`` and ``head`` ("<seq>:<sha256>") are the registry's; ``inbox`` the digest of a push that
    waits in a backup. ``warnings``: what a person should know, such as that a backup answered.
    """

    kind: Literal["registry", "local", "git"]
    digest: str
    address: str
    seq: int = 0
    head: str = ""
    inbox: str = ""
    warnings: tuple[str, ...] = ()


class Step(Struct, frozen=True):
    """One file of a plan. ``done``: its first statements that were carried out before, by an earlier run that stopped.

    ``parts`` gives the section of each statement where every section is a transaction of its own (liquibase). ``checks`` are queries that must
    be true before the file runs. ``before`` is the row of that earlier run. ``closing`` is a row that changes together with the step's own
    (the migration that a down file takes back).
    """

    version: str
    name: str
    description: str
    kind: RevisionKind
    mode: StepMode
    position: int
    statements: tuple[Statement, ...]
    file_hash: str
    text_hash: str
    text: str = ""
    done: int = 0
    directives: tuple[tuple[str, str, int], ...] = ()
    checks: tuple[str, ...] = ()
    parts: tuple[int, ...] = ()
    before: Revision | None = None
    closing: Revision | None = None


class Plan(Struct, frozen=True):
    """What a deployment would do, decided before anything is touched; ``digest`` ("sha256:<hex>") stands for all of it.

    ``current`` is the version the database is at and ``target`` the one it will be at, None before the first. ``pending`` are the versions
    left after this plan (``--amount``, ``--to-version``), ``skipped`` those that stay out by the order linear-skip.
    """

    dir: str
    origin: Origin
    facts: Facts
    order: Order
    steps: tuple[Step, ...]
    current: str | None
    target: str | None
    digest: str = ""
    pending: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    baseline: tuple[Revision, ...] = ()
    warnings: tuple[str, ...] = ()
    fingerprint: str = ""
    drift: tuple[str, ...] = ()


class Applied(Struct, frozen=True):
    """One file as it was carried out; ``times`` are milliseconds of each statement, ``resumed`` how many had been done before."""

    version: str
    name: str
    kind: RevisionKind
    statements: int
    duration_ms: int
    file_hash: str = ""
    times: tuple[int, ...] = ()
    resumed: int = 0


class Failure(Struct, frozen=True):
    """Why a run stopped. ``code`` is the exit code, ``statement`` counts from 1 within ``file``, ``sql_code`` is the database's own code."""

    code: int
    message: str
    file: str = ""
    statement: int | None = None
    sql_code: str = ""


class Outcome(Struct, frozen=True):
    """What a deployment came to: the one value that output, record and notification are made of.

    ``before`` and ``after`` are the versions the database was and is at ("from" and "to" in JSON), None before the first. ``applied`` are the
    files carried out now, ``pending`` the versions still waiting. ``environment`` and ``database`` are "" for a plain ``--to``.
    ``earlier`` are the rows the database had before this run: what the registry's record may lack.
    """

    status: Literal["ok", "noop", "failed", "in_doubt"]
    before: str | None = None
    after: str | None = None
    applied: tuple[Applied, ...] = ()
    pending: tuple[str, ...] = ()
    error: Failure | None = None
    warnings: tuple[str, ...] = ()
    dir: str = ""
    environment: str = ""
    database: str = ""
    facts: Facts | None = None
    origin: Origin | None = None
    run_id: str = ""
    plan_digest: str = ""
    actor: str = ""
    drift: tuple[str, ...] = ()
    lock_wait_ms: int = 0
    started_at: str = ""
    duration_ms: int = 0
    action: Literal["deploy", "down", "baseline", "resolve", "adopt"] = "deploy"
    earlier: tuple[Revision, ...] = ()

    @property
    def exit_code(self) -> int:
        """0, or the code of what stopped it."""
        return self.error.code if self.error else 0


class Standing(Struct, frozen=True):
    """Where a database stands against a directory, with everything a deployment would object to. All are versions but ``edited`` and ``missing``.

    ``edited`` and ``missing`` are names of files. ``partial`` are files that stopped on the way, as (version, done, total, why).
    """

    dir: str
    facts: Facts
    origin: Origin
    current: str | None
    applied: int
    pending: tuple[str, ...] = ()
    partial: tuple[tuple[str, int, int, str], ...] = ()
    in_doubt: tuple[str, ...] = ()
    out_of_order: tuple[str, ...] = ()
    edited: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    drift: tuple[str, ...] = ()
    adopted_from: str = ""
    foreign: str = ""
    last_at: str = ""
    warnings: tuple[str, ...] = ()

    @property
    def settled(self) -> bool:
        """Nothing that needs a decision."""
        return not (self.in_doubt or self.out_of_order or self.edited or self.missing)
