"""What keeps a deployment from the wrong database or an older registry: tables nobody accounts for, a log shorter than the one last seen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import get_args

from ci_runner.deploy.options import Options
from ci_runner.deploy.revisions import REVISIONS, Memory
from ci_runner.errors import ConflictError, IntegrityError, RefusedError
from ci_runner.model.deploy import DirState, Origin, RevisionState

STATES = frozenset(get_args(RevisionState))
# Tables in which other tools keep what they have applied.
FOREIGN = (
    "atlas_schema_revisions", "flyway_schema_history", "schema_migrations", "goose_db_version", "_prisma_migrations",
    "__diesel_schema_migrations", "_sqlx_migrations", "databasechangelog", "__drizzle_migrations",
)  # fmt: skip


def clean(tables: Sequence[str], name: str, options: Options) -> None:
    """ConflictError for a database that holds tables although nothing was ever deployed to it by us."""
    if not tables or options.baseline is not None or options.clean or options.adopt is not None:
        return
    elsewhere = next((each.removesuffix(f".{REVISIONS}") for each in tables if each.endswith(f".{REVISIONS}")), None)
    if elsewhere is not None:
        raise ConflictError(
            f"{name} was deployed to in its schema {elsewhere}, and this connection works in another one: give ?search_path={elsewhere} in its "
            "address, or, where this schema is to have a history of its own, --allow-dirty once"
        )
    foreign = next((each for each in tables if each.rpartition(".")[2].lower() in FOREIGN), None)
    if foreign is not None:
        raise ConflictError(
            f"{name} has the table {foreign} of another migration tool and none of ours: take its history over with 'pilotage adopt', or "
            "say which version the database is at with --baseline VERSION"
        )
    more = f" and {len(tables) - 1} more" if len(tables) > 1 else ""
    raise ConflictError(
        f"{name} is not empty: it has the table {tables[0]}{more}, and nothing was ever deployed to it. Say which version it is at with "
        "--baseline VERSION, or give --allow-dirty to run every migration all the same"
    )


def sound(memory: Memory, name: str, options: Options) -> None:
    """What is remembered must be what we wrote: RefusedError for a state we do not know, ConflictError where every row is gone."""
    for row in memory.revisions:
        if row.state not in STATES:
            raise RefusedError(
                f"{row.name}: its row in {REVISIONS} of {name} has the state {row.state!r}, which this Pilotage does not know: it was changed by "
                "hand, or written by a newer version"
            )
    if memory.state is not None and not memory.revisions and options.baseline is None and not options.clean:
        raise ConflictError(
            f"the rows of {options.dir} are gone from {REVISIONS} of {name}, although it was deployed there ({memory.state.updated_at}): put them "
            "back, say which version the database is at with --baseline VERSION, or give --allow-dirty to run every migration again"
        )


def rollback(state: DirState | None, origin: Origin, in_chain: Callable[[str], bool], options: Options) -> None:
    """IntegrityError when the registry is older than the one this database was last deployed from, or is another one.

    ``in_chain`` says whether a head "<seq>:<sha256>" is an entry of the registry's log. ``--accept-registry-rollback`` lets it pass.
    """
    if state is None or origin.kind != "registry" or not state.last_seq or options.accept_rollback:
        return
    if origin.seq and number(origin.head) < state.last_seq:
        raise IntegrityError(
            f"the registry ends at entry {number(origin.head)}, but this database was deployed from one that had entry {state.last_seq} "
            f"({state.last_head}): it was truncated, or this is an old copy. Verify it (pilotage verify), or give "
            "--accept-registry-rollback REASON"
        )
    if state.last_head and not in_chain(state.last_head):
        raise IntegrityError(
            f"the registry's log does not hold the entry {state.last_head} this database was deployed from: its history was rewritten, or this is "
            "another registry. Verify it (pilotage verify), or give --accept-registry-rollback REASON"
        )


def number(head: str) -> int:
    """The sequence number of a head "<seq>:<sha256>", 0 where there is none."""
    digits = head.partition(":")[0]
    return int(digits) if digits.isdigit() else 0
