"""One migration as a step of a plan: its statements, how they are put into transactions, and where an interrupted file goes on."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from ci_runner import migrations, sql
from ci_runner.deploy import unfit
from ci_runner.deploy.compare import changed_statements
from ci_runner.deploy.effects import Effect, effect
from ci_runner.deploy.hashes import file_hash, statement_hash, text_hash
from ci_runner.deploy.keys import key
from ci_runner.errors import ConflictError, UsageError
from ci_runner.model.deploy import Facts, Revision, RevisionKind, Step, StepMode
from ci_runner.model.directory import Migration, MigrationDir
from ci_runner.model.operations import Statement
from ci_runner.wanted import CHECKS

_OWN = frozenset({"begin", "commit", "rollback"})


def step(mdir: MigrationDir, migration: Migration, facts: Facts, position: int, before: Revision | None) -> Step:
    """The step of ``migration``; ``before`` is the row of an earlier run that stopped in it. ConflictError where that cannot be gone on with."""
    statements = _repeated(sql.statements(migration, mdir.dialect))
    if len(statements) > migrations.STATEMENTS:
        raise migrations.too_many_statements(migration.name, len(statements))
    effects = [effect(each, mdir.dialect) for each in statements]
    unfit.refuse(mdir.path, migration, mdir.dialect, statements, effects)
    mode, parts = _mode(mdir, migration, statements, effects, facts)
    data = mdir.files[migration.name]
    done = _done(mdir.path, migration, statements, before) if before is not None else 0
    return Step(
        version=key(migration),
        name=migration.name,
        description=migration.description,
        kind=_kind(migration),
        mode=mode,
        position=before.position if before is not None else position,
        statements=statements,
        file_hash=file_hash(data),
        text_hash=text_hash(data),
        text=migration.text,
        done=done,
        directives=migration.directives,
        checks=_checks(mdir, migration),
        parts=parts,
        before=before,
    )


def _checks(mdir: MigrationDir, migration: Migration) -> tuple[str, ...]:
    """The queries of the file's own directives, then those of the file of checks beside it."""
    own = tuple(argument for name, argument, _ in migration.directives if name == "assert")
    beside = mdir.files.get(migration.name + CHECKS)
    if beside is None:
        return own
    text = beside.decode("utf-8-sig", "replace")
    return (*own, *(text[start:end].rstrip("; \n") for start, end in sql.split(text, mdir.dialect)))


def _kind(migration: Migration) -> RevisionKind:
    return "versioned" if migration.kind == "baseline" else migration.kind


def _repeated(statements: tuple[Statement, ...]) -> tuple[Statement, ...]:
    """With ``GO 3`` a statement is sent three times."""
    if all(each.repeat == 1 for each in statements):
        return statements
    return tuple(each for each in statements for _ in range(each.repeat))


def _mode(
    mdir: MigrationDir, migration: Migration, statements: tuple[Statement, ...], effects: Sequence[Effect], facts: Facts
) -> tuple[StepMode, tuple[int, ...]]:
    wanted = migrations.transaction(migration, statements, mdir.format)
    if wanted == "changeset":
        starts = [part.start for part in migration.parts]
        return "none", tuple(bisect_right(starts, each.start) for each in statements)
    own = any(each.kind in _OWN for each in effects)
    if wanted == "all":
        if not facts.ddl:
            raise UsageError(
                f"--tx-mode all: {facts.engine} ends a transaction at every change of the schema, so that nothing could be undone; use --tx-mode file"
            )
        if own:
            raise UsageError(
                f"--tx-mode all: {mdir.path}/{migration.name} begins or ends a transaction itself; use --tx-mode file"
            )
        return "all", ()
    return ("none" if own else wanted), ()


def _done(folder: str, migration: Migration, statements: tuple[Statement, ...], before: Revision) -> int:
    """How many statements need not run again; they must still be what they were."""
    done, known = before.statements_done, before.statement_hashes
    if not done or not known:
        return 0
    now = tuple(statement_hash(each.text) for each in statements)
    upto = max(done, before.intent_statement or 0)
    if now[:upto] == known[:upto]:
        return done
    raise ConflictError(
        f"{folder}/{migration.name} was carried out up to statement {done} of {before.statements_total}, and "
        f"{changed_statements(known[:upto], now)} since: put those back as they were (only what follows may change), "
        f"or settle it by hand: pilotage resolve --applied|--rerun"
    )
