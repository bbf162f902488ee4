"""Reads a directory with its own settings; a whole one, with every statement, in a second process.

Little is imported here, for the second process imports it anew while the first one finds out what there is to read.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from msgspec import Struct
from msgspec.structs import asdict, replace

from ci_runner import aside, migrations, sources, sql
from ci_runner.config.values import Directory
from ci_runner.model.directory import Migration, MigrationDir, Tree
from ci_runner.model.operations import Statement
from ci_runner.text import Redactor

Whole = tuple[Tree, MigrationDir]


class Overall(Struct, frozen=True):
    """What takes a while to know of all files together, and is not asked for before the end.

    ``sum`` is the first line that atlas.sum must have. ``harmless``: none of their texts holds what looks like a secret.
    """

    sum: str
    harmless: bool


Then = aside.Steps[Migration, tuple[Statement, ...], Overall]


def read(tree: Tree, directory: Directory, head: MigrationDir | None = None, *, judged: bool = True) -> MigrationDir:
    """The directory as read with its own settings; the base of a head is read as the head's format and dialect."""
    return migrations.read(
        tree,
        format=head.format if head else directory.dir_format,
        dialect=head.dialect if head else directory.dialect or migrations.guess_dialect(tree, directory.dev_url),
        tx_mode=directory.tx_mode,
        sum_mode=directory.sum,
        directives_lenient=directory.directives == "lenient",
        like=head,
        judged=judged,
    )


def prepare(dialect: str) -> None:
    """Import what reads statements, of that dialect where one is known ("" where not)."""
    from ci_runner.sql import pipeline
    from ci_runner.sql.reading import heads

    if dialect:
        name = sql.normalize_dialect(dialect)
        pipeline.split("", name)  # compiles the expressions
        heads(name)


def order(root: Path, wanted: Directory) -> bytes:
    """What :func:`task` is to be told, to read that directory of the repository at ``root``, whatever bytes their names are made of."""
    from marshal import dumps

    plain = asdict(replace(wanted, rules={}, naming={}))  # those are for who judges
    return dumps((str(root), plain))


def task(order: bytes) -> tuple[Callable[[], Whole], Callable[[Whole], Then]]:
    """Reads the directory of that order, then every statement, then what there is to know of them all; see ``aside.ahead``.

    The tree comes without the bytes that stand in the migrations anyway.
    """
    from marshal import loads

    root, fields = loads(order)  # noqa: S302  said by our own code
    wanted = Directory(**fields)

    def first() -> Whole:
        tree = sources.begun(Path(root) / wanted.dir, root=Path(root), shown=wanted.dir, blobs=False)()
        head = read(tree, wanted)
        others = {path: tree.files[path] for path in tree.files.keys() - head.files.keys()}
        return replace(tree, files=others, simple={}, blobs={}), head

    return first, _statements


def _statements(made: Whole) -> Then:
    _, head = made
    return partial(statements, head.dialect), {each.name: each for each in head.migrations}, partial(overall, head)


def overall(head: MigrationDir) -> Overall:
    """What there is to know of all files of a directory."""
    texts = tuple(migration.text for migration in head.migrations)
    harmless = Redactor().value(texts) is texts
    return Overall(migrations.sum_text(head).partition("\n")[0], harmless)


def statements(dialect: str, migration: Migration) -> tuple[Statement, ...]:
    """What reads them is imported by whichever process does: that takes a tenth of the time of 1,000 files."""
    return sql.statements(migration, dialect)
