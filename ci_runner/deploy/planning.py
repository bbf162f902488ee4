"""Decides what a deployment does before anything is touched: which files are pending, in which order, and what forbids to go on. Pure."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from typing import NamedTuple

from msgspec.structs import replace

from ci_runner.deploy import approval, history
from ci_runner.deploy.hashes import fingerprint
from ci_runner.deploy.keys import DOWN, key
from ci_runner.deploy.options import Options
from ci_runner.deploy.revisions import Memory
from ci_runner.errors import ConflictError, UsageError
from ci_runner.model.deploy import Facts, Origin, Plan, Revision, Step
from ci_runner.model.directory import Migration, MigrationDir


class Source(NamedTuple):
    """The files to deploy, and where they came from."""

    mdir: MigrationDir
    origin: Origin


def plan(source: Source, memory: Memory, facts: Facts, options: Options, objects: Mapping[str, str]) -> Plan:
    """The plan for a database that remembers ``memory`` and holds ``objects`` (name → hash).

    UsageError for a version there is none of, ConflictError for everything that needs a decision, DoubtError for a statement nobody knows of.
    """
    mdir, origin = source
    _suits(mdir, facts)
    history.refuse_doubt(memory.revisions, options)
    done = applied(memory)
    _refuse_half_way(memory)
    warnings = [*origin.warnings, *history.verify(mdir, done, options)]
    order = versioned(mdir, done)
    now = current(order, done)
    baseline = _baseline(mdir, order, done, options)
    done = {**done, **{row.version: row for row in baseline if row.state == "applied"}}
    pending, skipped = _in_order(order, [each for each in order if key(each) not in done], done, options)
    chosen, left = _chosen(mdir, order, pending, done, options)
    steps = _steps(mdir, chosen, facts, (*memory.revisions, *baseline))
    found = Plan(
        dir=options.dir,
        origin=origin,
        facts=facts,
        order=options.order,
        steps=steps,
        current=now or (baseline[-1].version if baseline else None),
        target=current_of(order, {*done, *versions_of(steps)}) or now,
        pending=tuple(map(key, left)),
        skipped=tuple(map(key, skipped)),
        baseline=baseline,
        warnings=(*warnings, *_remarks(mdir, order, skipped, done, options)),
        fingerprint=fingerprint(objects),
        drift=history.drift(memory.state, objects),
    )
    return replace(found, digest=approval.digest(found))


def _chosen(
    mdir: MigrationDir,
    order: Sequence[Migration],
    pending: list[Migration],
    done: Mapping[str, Revision],
    options: Options,
) -> tuple[list[Migration], list[Migration]]:
    """What is run now, repeatables behind the rest, and what is left of the pending files."""
    if options.noted_only:
        return [], pending
    chosen = _limited(order, pending, done, options)
    taken = set(map(key, chosen))
    left = [each for each in pending if key(each) not in taken]
    return [*chosen, *([] if left else repeatables(mdir, done))], left


def _steps(mdir: MigrationDir, chosen: Sequence[Migration], facts: Facts, rows: Sequence[Revision]) -> tuple[Step, ...]:
    """The files as steps, numbered behind what is there; one that an earlier run began goes on."""
    from ci_runner.deploy.steps import (
        step,  # which reads statements: who only asks where a database stands does without
    )

    begun = {row.version: row for row in rows if row.state in {"running", "failed"}}
    position = max((row.position for row in rows), default=0)
    return tuple(
        step(mdir, each, facts, position + index, begun.get(key(each))) for index, each in enumerate(chosen, 1)
    )


def _remarks(
    mdir: MigrationDir,
    order: Sequence[Migration],
    skipped: Sequence[Migration],
    done: Mapping[str, Revision],
    options: Options,
) -> list[str]:
    """What is not done although somebody may expect it."""
    found = [] if mdir.migrations else [f"{mdir.path} holds no migration: check --dir and --dir-format"]
    if skipped:
        names = ", ".join(map(key, skipped))
        found.append(f"skipped, because they sort before what is applied (order linear-skip): {names}")
    now, wanted = current(order, done), options.to_version
    if wanted is not None and now not in {None, wanted} and wanted in done:
        found.append(
            f"the database is past version {wanted}, at {now}: 'pilotage down --to-version {wanted}' goes back"
        )
    return found


def applied(memory: Memory) -> dict[str, Revision]:
    """The rows that count as applied, by version; not those of ways back."""
    return {row.version: row for row in memory.revisions if row.state == "applied" and not row.version.startswith(DOWN)}


def _refuse_half_way(memory: Memory) -> None:
    """A way back that stopped must be gone to its end before anything goes forward."""
    for row in memory.revisions:
        if row.version.startswith(DOWN) and row.state in {"running", "failed"} and row.statements_done:
            raise ConflictError(
                f"{row.name} stopped on its way back at statement {row.statements_done} of {row.statements_total}: run 'pilotage down' again first"
            )


def _suits(mdir: MigrationDir, facts: Facts) -> None:
    kin = {"mysql", "mariadb"}
    if mdir.dialect != facts.dialect and not {mdir.dialect, facts.dialect} <= kin:
        raise UsageError(
            f"{mdir.path} is written for {mdir.dialect}, the database is {facts.engine}: give --dialect, or the URL of another database"
        )


def versioned(mdir: MigrationDir, applied: Mapping[str, Revision]) -> list[Migration]:
    """What can run in order: an empty history begins at the newest checkpoint or baseline, a longer one passes them by."""
    found = [each for each in mdir.migrations if each.kind != "repeatable"]
    if not applied:
        first = set(mdir.first_run) if mdir.first_run is not None else None
        return [each for each in found if first is None or each.version in first]
    starts = [index for index, each in enumerate(found) if each.kind != "versioned" and key(each) in applied]
    return [each for each in found[starts[-1] if starts else 0 :] if each.kind == "versioned" or key(each) in applied]


def current(order: Sequence[Migration], applied: Mapping[str, Revision]) -> str | None:
    """The last applied version in the directory's order, else the one applied last."""
    known = current_of(order, applied)
    if known is not None:
        return known
    rows = sorted((row for row in applied.values() if row.kind != "repeatable"), key=lambda row: row.position)
    return rows[-1].version if rows else None


def current_of(order: Sequence[Migration], versions: Container[str]) -> str | None:
    """The last of ``versions`` in the directory's order."""
    return next((key(each) for each in reversed(order) if key(each) in versions), None)


def _baseline(
    mdir: MigrationDir, order: Sequence[Migration], applied: Mapping[str, Revision], options: Options
) -> tuple[Revision, ...]:
    """Rows for everything up to ``--baseline V``, which the database holds already without having been told."""
    if options.adopt is not None:
        _refuse_second(options, applied)
        return options.adopted
    if options.baseline is None:
        return ()
    if applied:
        if options.only_baseline:
            raise ConflictError(
                f"{options.dir} has a history in this database already ({len(applied)} versions): a baseline is for one without"
            )
        return ()
    everything = [each for each in mdir.migrations if each.kind == "versioned"] or list(order)
    versions = [key(each) for each in everything]
    if options.baseline not in versions:
        raise UsageError(
            f"--baseline {options.baseline}: {mdir.path} has no such version; its newest is {versions[-1] if versions else 'none'}"
        )
    upto = everything[: versions.index(options.baseline) + 1]
    return tuple(history.known(mdir, each, options, "baseline", index) for index, each in enumerate(upto, 1))


def _refuse_second(options: Options, applied: Mapping[str, Revision]) -> None:
    if applied:
        raise ConflictError(
            f"{options.dir} has a history of our own in this database already ({len(applied)} versions): nothing is left to take over"
        )


def _in_order(
    order: Sequence[Migration], pending: list[Migration], applied: Mapping[str, Revision], options: Options
) -> tuple[list[Migration], list[Migration]]:
    """Pending files that sort before an applied one: refused, skipped or run, as the order says."""
    last = max((index for index, each in enumerate(order) if key(each) in applied), default=-1)
    before = set(map(key, order[: max(last, 0)]))
    late = [each for each in pending if key(each) in before]
    if not late or options.order == "non-linear":
        return pending, []
    if options.order == "linear-skip":
        return [each for each in pending if key(each) not in before], late
    names = ", ".join(each.name for each in late[:10]) + (f" and {len(late) - 10} more" if len(late) > 10 else "")
    raise ConflictError(
        f"{names}: sorts before {order[last].name}, which is applied already. Give it a newer version, or deploy with "
        "--order non-linear (runs it now) or --order linear-skip (leaves it out)"
    )


def _limited(
    order: Sequence[Migration], pending: list[Migration], applied: Mapping[str, Revision], options: Options
) -> list[Migration]:
    chosen = pending
    if options.to_version is not None:
        versions = [key(each) for each in order]
        if options.to_version not in versions and options.to_version not in applied:
            newest = versions[-1] if versions else "none"
            raise UsageError(
                f"there is no version {options.to_version} to deploy to; the newest is {newest} (pilotage status lists them)"
            )
        upto = set(versions[: versions.index(options.to_version) + 1]) if options.to_version in versions else set()
        chosen = [each for each in pending if key(each) in upto]
    return chosen[: options.amount] if options.amount is not None else chosen


def repeatables(mdir: MigrationDir, applied: Mapping[str, Revision]) -> list[Migration]:
    """Those never run, and those whose text is another now."""
    from ci_runner.deploy.hashes import text_hash

    found = [each for each in mdir.migrations if each.kind == "repeatable"]
    return [
        each
        for each in found
        if key(each) not in applied or applied[key(each)].text_hash != text_hash(mdir.files[each.name])
    ]


def versions_of(steps: Sequence[Step]) -> tuple[str, ...]:
    """The versions of the steps, in order."""
    return tuple(each.version for each in steps)
