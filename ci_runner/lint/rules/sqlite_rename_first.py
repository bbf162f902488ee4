"""A rebuild renames the old table out of the way first.

SQLite rewrites the foreign keys of other tables to follow the rename; when the renamed table is dropped, they refer to a table that does
not exist, and every later INSERT into them fails.

Instead: create the new table under another name, copy, drop the old one, and rename the new one last.

Bad, sqlite, tx none:
    CREATE TABLE author (id INTEGER PRIMARY KEY);
    CREATE TABLE book (id INTEGER PRIMARY KEY, author_id INTEGER REFERENCES author (id));
    ---
    PRAGMA foreign_keys=OFF;
    ALTER TABLE author RENAME TO author_old; -- here
    CREATE TABLE author (id INTEGER PRIMARY KEY, name TEXT);
    INSERT INTO author (id) SELECT id FROM author_old;
    DROP TABLE author_old;
    PRAGMA foreign_keys=ON;

Good, sqlite, tx none:
    CREATE TABLE author (id INTEGER PRIMARY KEY);
    CREATE TABLE book (id INTEGER PRIMARY KEY, author_id INTEGER REFERENCES author (id));
    ---
    PRAGMA foreign_keys=OFF;
    CREATE TABLE author_new (id INTEGER PRIMARY KEY, name TEXT);
    INSERT INTO author_new (id) SELECT id FROM author;
    DROP TABLE author;
    ALTER TABLE author_new RENAME TO author;
    PRAGMA foreign_keys=ON;
"""

from __future__ import annotations

from collections.abc import Iterator

from ci_runner.lint.context import Context, listed, quoted
from ci_runner.lint.facts import rebuild_of
from ci_runner.lint.rule import Hit, rule
from ci_runner.lint.sqlite import children, follows_rename, readers
from ci_runner.model.operations import RenameTable


@rule("error", ("sqlite",), on=(RenameTable,))
def check(context: Context) -> Iterator[Hit]:
    """The first step of a rebuild in the wrong order, when other tables refer to the old one."""
    op = context.step.operation
    assert isinstance(op, RenameTable)  # noqa: S101
    rebuild = rebuild_of(context, op.table)
    if rebuild is None or rebuild.style != "rename-first" or rebuild.dropped is None:
        return
    referring = children(context.catalog, rebuild.table) if follows_rename(context) else {}
    names = [listed(sorted(referring))] if referring else []
    names += readers(context, rebuild.table)
    if names:
        yield Hit(
            f"Renaming {quoted(op.table)} to {quoted(op.new)} first makes {', '.join(names)} refer to it: then it is dropped."
        )
