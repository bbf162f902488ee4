"""Tries suggestions on the rewritten files: linted, and replayed where a dev database is there; what does not hold is dropped."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from msgspec import Struct
from msgspec.structs import replace

from ci_runner import lint, sql
from ci_runner.config import Directory
from ci_runner.journeys.judging import Judge
from ci_runner.journeys.oracle import Oracle
from ci_runner.journeys.reading import read
from ci_runner.model.directory import MigrationDir, Tree
from ci_runner.model.report import ChangedFile, ChangeSet, Finding, Linted, Replay, SchemaChange

ALONE = 8  # suggestions tried one by one when they do not hold together: each is a replay
MARK = b"\xef\xbb\xbf"


class Change(Struct, frozen=True):
    """A change as it was judged: its files and statements, what was found, and what the dev database said."""

    changes: ChangeSet
    linted: Linted
    replay: Replay


def confirmed(change: Change, wanted: Directory, judge: Judge, oracle: Oracle) -> Linted:
    """The findings, with those suggestions only that lead to the same schema on the dev database, without the hazard.

    All are tried together; when that fails, each by itself, in one round.
    """
    findings = change.linted.findings
    suggested = [finding for finding in findings if finding.suggestion]
    if not suggested or oracle.database is None or change.replay.status != "ok":
        return change.linted
    held = set(map(id, _held(change, suggested, wanted, judge, oracle)))
    kept = (f if f.suggestion is None or id(f) in held else replace(f, suggestion=None) for f in findings)
    return replace(change.linted, findings=tuple(kept))


def _held(
    change: Change, suggested: list[Finding], wanted: Directory, judge: Judge, oracle: Oracle
) -> Iterator[Finding]:
    _, together = rewritten(change.changes.head, suggested)
    holds = _holds(change, together, wanted, judge, oracle)
    if holds:
        yield from together
    tried = set(map(id, together)) if holds or len(together) == 1 else set()
    for finding in [each for each in suggested if id(each) not in tried][:ALONE]:
        if _holds(change, (finding,), wanted, judge, oracle):
            yield finding


def _holds(change: Change, taken: tuple[Finding, ...], wanted: Directory, judge: Judge, oracle: Oracle) -> bool:
    changes = applied(change.changes, taken, wanted)
    statements = {f.name: sql.statements(f.migration, changes.head.dialect) for f in changes.files if f.migration}
    replayed = oracle.replayed(changes, statements)
    if replayed.status != "ok" or _schema(replayed) != _schema(change.replay):
        return False
    return better(change.linted, judge(changes, statements, replayed.observations), taken)


def better(before: Linted, after: Linted, taken: Iterable[Finding]) -> bool:
    """Whether each suggestion rid its file of one hazard of its kind, and none brought another."""
    old, new = _counts(before), _counts(after)
    gone = Counter((finding.file, finding.rule) for finding in taken)
    return len(after.not_analysed) <= len(before.not_analysed) and all(
        new[key] <= old[key] - gone[key] for key in {*old, *new}
    )


def _counts(linted: Linted) -> Counter[tuple[str, str]]:
    return Counter((finding.file, finding.rule) for finding in linted.findings)


def _schema(replayed: Replay) -> list[SchemaChange]:
    """What the change did to the schema; that a constraint is not validated yet is what its suggestion says itself."""
    return [replace(row, after=row.after.replace(" NOT VALID", "")) for row in replayed.changes]


def applied(changes: ChangeSet, findings: Iterable[Finding], wanted: Directory) -> ChangeSet:
    """The change set with the suggestions of ``findings`` in its files, read anew so that directives count as they would."""
    files, _ = rewritten(changes.head, findings)
    head = read(Tree(changes.head.path, {**changes.head.files, **files}), wanted, changes.head)
    named = {migration.name: migration for migration in head.migrations}
    changed = tuple(
        replace(each, migration=named.get(each.name)) if each.name in files else each for each in changes.files
    )
    new = (
        ChangedFile(name, "added", named[name]) for name in files if name in named and name not in changes.head.files
    )
    return replace(changes, head=head, files=(*changed, *new))


def rewritten(head: MigrationDir, findings: Iterable[Finding]) -> tuple[dict[str, bytes], tuple[Finding, ...]]:
    """The bytes of the files with those suggestions in them, by name, and the findings whose suggestion is in.

    Of two suggestions that write one and the same file the first is taken.
    """
    by_file: dict[str, list[Finding]] = {}
    files: dict[str, bytes] = {}
    written: set[str] = set()
    for finding in findings:
        names = {file.name for file in finding.suggestion.files} if finding.suggestion else set()
        if not names & written:
            written |= names
            by_file.setdefault(finding.file, []).append(finding)
    taken: list[Finding] = []
    for name, own in by_file.items():
        raw = head.files[name]
        mark = MARK if raw.startswith(MARK) else b""
        text, used = lint.combined(raw.removeprefix(MARK).decode("utf-8"), own)
        files[name] = mark + text.encode("utf-8")
        files |= {
            file.name: file.text.encode("utf-8") for each in used if each.suggestion for file in each.suggestion.files
        }
        taken += used
    return files, tuple(taken)
