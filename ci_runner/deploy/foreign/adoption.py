"""From another tool's history and a directory to the rows of our own: what is applied, from where to go on, and what forbids it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType

from msgspec.structs import replace

from ci_runner import sql
from ci_runner.deploy import history as own
from ci_runner.deploy.foreign import atlas, drizzle, liquibase, prisma
from ci_runner.deploy.foreign.history import History, Mark
from ci_runner.deploy.hashes import statement_hash
from ci_runner.deploy.options import Options
from ci_runner.errors import ConflictError
from ci_runner.model.deploy import Revision
from ci_runner.model.directory import Migration, MigrationDir

_MOST = 10


def adopt(
    tool: ModuleType, table: str, history: History, mdir: MigrationDir, options: Options, *, allow_missing: bool
) -> tuple[Revision, ...]:
    """The rows of kind ``adopted`` for everything the tool has applied, in the directory's order.

    ConflictError for a history that is half-way, a version without a file (unless ``allow_missing``) and a file that is not what was applied.
    """
    if history.refused:
        raise ConflictError(f"{table} cannot be taken over: {history.refused}")
    found = [each for each in mdir.migrations if each.kind != "checkpoint"]
    if history.upto is not None:
        return _numbered(_upto(tool, table, history.upto, found, allow_missing=allow_missing), mdir, options)
    known = {tool.key(mark.version): mark for mark in history.marks}
    pairs = _matched(tool, known, found, mdir)
    lost = [
        mark for mark in history.marks if tool.key(mark.version) not in {tool.key(m.version) for _, m in pairs if m}
    ]
    if tool is liquibase:
        lost = _lost_changesets(history, found)
    if lost and not allow_missing:
        named = ", ".join(mark.name or mark.version for mark in lost[:_MOST])
        more = f" and {len(lost) - _MOST} more" if len(lost) > _MOST else ""
        raise ConflictError(
            f"{table} has versions without a file in {mdir.path}: {named}{more}. Put the files back, or give --allow-missing to leave those out"
        )
    _unedited(tool, table, pairs, mdir)
    rows = [_row(mdir, migration, mark, options, index) for index, (migration, mark) in enumerate(pairs, 1)]
    return tuple(rows)


def _matched(
    tool: ModuleType, known: dict[str, Mark], found: Sequence[Migration], mdir: MigrationDir
) -> list[tuple[Migration, Mark | None]]:
    """Migrations that are applied, each with its mark; those below a baseline have none."""
    base = [
        index
        for index, each in enumerate(found)
        if (mark := known.get(tool.key(_name(tool, each, mdir)))) is not None and mark.state == "baseline"
    ]
    baselines = [mark for mark in known.values() if mark.state == "baseline"]
    last = max(base, default=-1)
    if not base and baselines:
        last = _below(tool, found, baselines[-1].version)
    pairs: list[tuple[Migration, Mark | None]] = []
    for index, each in enumerate(found):
        mark = _mark(tool, known, each, mdir)
        if mark is not None or (index <= last and each.kind != "repeatable"):
            pairs.append((each, mark))
    return pairs


def _mark(tool: ModuleType, known: dict[str, Mark], each: Migration, mdir: MigrationDir) -> Mark | None:
    if tool is liquibase:
        names = liquibase.changesets(each)
        return Mark(each.version) if names and all(name in known for name in names) else None
    if each.kind == "repeatable":
        return next((mark for mark in known.values() if mark.name == each.name and not mark.version), None)
    return known.get(tool.key(_name(tool, each, mdir)))


def _name(tool: ModuleType, each: Migration, mdir: MigrationDir) -> str:
    """What the tool calls the migration."""
    if tool is drizzle:
        return drizzle.named(each, mdir)
    return prisma.named(each) if tool is prisma else each.version


def _below(tool: ModuleType, found: Sequence[Migration], version: str) -> int:
    """The last file that is not newer than a baseline whose own file is gone."""
    wanted = _order(tool.key(version))
    return max(
        (i for i, each in enumerate(found) if each.version and _order(tool.key(each.version)) <= wanted), default=-1
    )


def _order(version: str) -> tuple[tuple[int, str], ...]:
    return tuple((int(part) if part.isascii() and part.isdigit() else 0, part) for part in version.split("."))


def _upto(
    tool: ModuleType, table: str, version: str, found: Sequence[Migration], *, allow_missing: bool
) -> list[Migration]:
    """Everything up to the one version that is kept."""
    if not version:
        return []
    wanted = tool.key(version)
    at = next((index for index, each in enumerate(found) if tool.key(each.version) == wanted), None)
    if at is None and not allow_missing:
        raise ConflictError(
            f"{table} is at version {version}, and there is no such file: put it back, or give --allow-missing to take what is older for applied"
        )
    last = at if at is not None else _below(tool, found, version)
    return list(found[: last + 1])


def _numbered(found: Sequence[Migration], mdir: MigrationDir, options: Options) -> tuple[Revision, ...]:
    return tuple(_row(mdir, each, None, options, index) for index, each in enumerate(found, 1))


def _unedited(tool: ModuleType, table: str, pairs: Sequence[tuple[Migration, Mark | None]], mdir: MigrationDir) -> None:
    """ConflictError for the first file that is not what the table says was applied."""
    for migration, mark in pairs:
        if mark is None or mark.state == "baseline" or tool.same(mark, migration, mdir) is not False:
            continue
        raise ConflictError(
            f"{migration.name} is not the file that {tool.NAME} applied: its hash differs from the one in {table}. Put it back as it was, or make "
            f"{tool.NAME} accept it first"
        )


def _row(mdir: MigrationDir, migration: Migration, mark: Mark | None, options: Options, position: int) -> Revision:
    row = own.known(mdir, migration, options, "adopted", position)
    if migration.kind == "repeatable":
        row = replace(row, kind="repeatable")
    if mark is None or mark.state in {"applied", "baseline"}:
        return row
    return _begun(mdir, migration, mark, row)


def _begun(mdir: MigrationDir, migration: Migration, mark: Mark, row: Revision) -> Revision:
    """The row of a file that Atlas carried out in part: it goes on behind the statements that are done, if they are what they were."""
    texts = [each.text for each in sql.statements(migration, mdir.dialect)]
    done = [text.rstrip().rstrip(";").rstrip() + ";" for text in texts[: mark.done]]
    if mark.done and (len(done) < mark.done or atlas.statements(done)[: mark.done] != list(mark.partial[: mark.done])):
        raise ConflictError(
            f"{migration.name} was carried out in part ({mark.done} of {mark.total} statements), and those are not the first ones of the file any "
            "more: put the file back as it was, or finish it with Atlas"
        )
    return replace(
        row,
        state="failed",
        statements_total=len(texts),
        statements_done=mark.done,
        statement_hashes=tuple(statement_hash(text) for text in texts),
        error=mark.error,
    )


def _lost_changesets(history: History, found: Sequence[Migration]) -> list[Mark]:
    there = {name for each in found for name in liquibase.changesets(each)}
    return [mark for mark in history.marks if mark.version not in there]
