"""Replay a change on the dev database a directory asks for; without one, say what could not be seen."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from itertools import chain
from operator import attrgetter
from typing import TYPE_CHECKING

from msgspec import Struct

from ci_runner import __version__, sql
from ci_runner.changes import following
from ci_runner.config import Directory
from ci_runner.errors import ConfigError, SetupError
from ci_runner.journeys import seeding, trust
from ci_runner.journeys.ground import Ground
from ci_runner.migrations import transaction
from ci_runner.model.directory import Migration, MigrationDir, Part
from ci_runner.model.operations import Statement
from ci_runner.model.report import ChangeSet, Replay

if TYPE_CHECKING:
    from ci_runner import devdb
    from ci_runner.devdb import DevDatabase
    from ci_runner.replay import ReplayFile, Slow
    from ci_runner.replay.observe import Observed

NO_DATABASE = (
    "no dev database: the change was judged by its text alone, not run; errors, rewrites and scans that only a database shows "
    "are not seen (--dev-url, docs/dev-databases.md)"
)
CLOSED = (
    "linted without a dev database, because the change may come from a fork and nothing here could be closed off for it"
)
TIME_LIMIT, STRANGERS_LIMIT = 600.0, 60.0  # seconds of a replay
SLOW, SLOW_WATCHED = 30.0, 5.0  # seconds after which a statement is told of: in a log, and to somebody who waits
BASES = "bases"  # below the cache folder
FAMILY = {"mariadb": "mysql"}
Statements = Mapping[str, tuple[Statement, ...]]
Ways = Mapping[str, tuple[Migration, ...]]


class Oracle(Struct, frozen=True):
    """An open dev database that a change can be asked of; without one, ``reason`` says why. ``keep`` is a key for what the change leaves."""

    database: DevDatabase | None = None
    reason: str = ""
    key: str = ""
    seconds: float = TIME_LIMIT
    slow: Slow | None = None
    seeds: tuple[ReplayFile, ...] = ()
    keep: str = ""

    def replayed(self, changes: ChangeSet, statements: Statements) -> Replay:
        """What was seen of the change, after its base was replayed or, where its state was kept, taken up."""
        if self.database is None:
            return Replay("skipped", reason=self.reason)
        from ci_runner import replay

        base, behind = _files(changes, statements)
        return replay.replay(
            base, behind, self.database, key=self.key, time_limit=self.seconds, seeds=self.seeds, keep=self.keep,
            slow=self.slow,
        )  # fmt: skip

    def undone(self, changes: ChangeSet, statements: Statements, ways: Ways) -> Observed:
        """What was seen of the ways back: for each file by name what undoes it, in order."""
        from ci_runner.replay import Limit
        from ci_runner.replay.observe import Observed
        from ci_runner.replay.undoing import undone

        if self.database is None:
            return Observed((), ())
        head = changes.head
        base, behind = _files(changes, statements)
        downs = {
            name: [_file(each, sql.outline(each, head.dialect), head.format) for each in way]
            for name, way in ways.items()
        }
        return undone(self.database, base, behind, downs, key=self.key, limit=Limit(self.seconds, self.slow))


@contextmanager
def opened(ground: Ground, wanted: Directory, changes: ChangeSet, *, keep: bool = False) -> Iterator[Oracle]:
    """The dev database of a directory while the block lasts; opened only where there is something to run on it.

    ``keep``: what a change without released files leaves is the base of those that come after it.
    """
    if wanted.dev_url and not following(changes):
        yield Oracle(reason="no migration was added or edited")
        return
    terms = trust.terms(ground, wanted, NO_DATABASE)
    if not terms.url:
        yield Oracle(reason=terms.reason)
        return
    with ExitStack() as stack:
        yield _open(ground, wanted, changes, terms, stack, keep=keep and not changes.released)


def _open(
    ground: Ground, wanted: Directory, changes: ChangeSet, terms: trust.Terms, stack: ExitStack, *, keep: bool
) -> Oracle:
    from ci_runner import devdb

    dialect = changes.head.dialect
    key = base_key(changes.head, changes.released, terms.init)
    whole = base_key(changes.head, following(changes), terms.init) if keep else ""
    shelf = _shelf(ground, terms, whole or (key if changes.released else ""))
    opening = devdb.open(
        terms.url,
        environment=ground.environ,
        run_id=ground.nonce(),
        report=ground.note,
        shelf=shelf,
        trusted=terms.trusted,
        init=_init(terms.init, dialect),
        dialect=dialect,
    )
    try:
        _of_one_kind(wanted, dialect, devdb.family(terms.url))
        database = stack.enter_context(opening)
    except (ConfigError, SetupError) as error:
        if terms.url == devdb.AUTO:
            return Oracle(reason=str(error))
        if terms.trusted:
            raise
        return Oracle(reason=f"{CLOSED}: {error}")
    _of_one_kind(wanted, dialect, database.dialect, database.engine)
    seeds = _seeds(seeding.files(ground, wanted, changes), dialect)
    seconds = TIME_LIMIT if terms.trusted else STRANGERS_LIMIT
    return Oracle(database, "", key, seconds, slow(ground), seeds, whole if shelf else "")


def slow(ground: Ground) -> Slow:
    """Who is told of statements that run for long."""
    from ci_runner.replay import Slow

    return Slow(ground.note, SLOW_WATCHED if ground.watched else SLOW)


def _shelf(ground: Ground, terms: trust.Terms, key: str) -> devdb.Shelf | None:
    """Where a base is kept under ``key``. What strangers' jobs keep nobody else reads, nor the reverse: for them there is no such place."""
    from ci_runner import devdb

    folder = ground.cache.folder if terms.trusted else None
    return devdb.Shelf(folder / BASES, key, ground.warn) if folder and key else None


def _of_one_kind(wanted: Directory, dialect: str, kind: str, called: str = "") -> None:
    """ConfigError where the dev database speaks another SQL than the directory; PostgreSQL may stand in for Redshift."""
    there, here = FAMILY.get(kind, kind), FAMILY.get(dialect, dialect)
    if there and there != here and (here, there) != ("redshift", "postgres"):
        raise ConfigError(f"{wanted.dir} is {dialect}, but its dev database is {called or kind}: give one of its kind")


def _seeds(found: Iterable[tuple[str, str]], dialect: str) -> tuple[ReplayFile, ...]:
    """Seed files as they are run: each in a transaction of its own."""
    seeds = (Migration(path, "", "", text, "") for path, text in found)
    return tuple(_file(each, sql.outline(each, dialect), "") for each in seeds)


def _init(given: tuple[str, str] | None, dialect: str) -> devdb.Init | None:
    """The SQL that prepares the dev database, cut as a migration is."""
    if given is None:
        return None
    from ci_runner import devdb
    from ci_runner.databases import Sql

    name, text = given
    file = Migration(name, "", "", text, "", parts=(Part(0, len(text)),))
    return devdb.Init(name, tuple(Sql(each.text, each.data) for each in sql.outline(file, dialect)))


def base_key(head: MigrationDir, files: Iterable[Migration], init: tuple[str, str] | None = None) -> str:
    """A hash over all that decides what replaying ``files`` leaves: their names, content, order, how they are cut and run, and on what."""
    running = hashlib.sha256(f"{__version__} {head.dialect} {head.format}".encode())
    running.update(f"\0{init[1]}".encode() if init else b"")
    parts = chain.from_iterable(map(attrgetter("name", "sha256", "transaction", "delimiter"), files))
    running.update("\0".join(("", *parts)).encode())
    return running.hexdigest()


def replayed(ground: Ground, wanted: Directory, changes: ChangeSet, statements: Statements) -> Replay:
    """What the directory's dev database was seen to do with the change; without released files, what that leaves is kept for those behind it."""
    with opened(ground, wanted, changes, keep=True) as oracle:
        return oracle.replayed(changes, statements)


def _files(changes: ChangeSet, statements: Statements) -> tuple[Callable[[], list[ReplayFile]], list[ReplayFile]]:
    """The released files, read when they are asked for, and what runs after them."""
    dialect, form = changes.head.dialect, changes.head.format

    def base() -> list[ReplayFile]:
        return [_file(each, sql.outline(each, dialect), form) for each in changes.released]

    behind = [_file(each, statements.get(each.name) or sql.outline(each, dialect), form) for each in following(changes)]
    return base, behind


def _file(migration: Migration, statements: tuple[Statement, ...], form: str) -> ReplayFile:
    from ci_runner import replay

    mode = transaction(migration, statements, form)
    return replay.ReplayFile(migration.name, migration.text, statements, mode, migration.parts)
