"""A table others refer to is built anew while foreign keys are on.

DROP TABLE first deletes every row of the old table. With foreign keys on (runners and applications turn them on), those deletes cascade
to the tables that refer to it, or fail. PRAGMA foreign_keys does nothing inside a transaction.

Instead: run the file outside a transaction, turn foreign keys off before BEGIN, and check with PRAGMA foreign_key_check before COMMIT.

Bad, sqlite:
    CREATE TABLE author (id INTEGER PRIMARY KEY, name TEXT);
    CREATE TABLE book (id INTEGER PRIMARY KEY, author_id INTEGER REFERENCES author (id) ON DELETE CASCADE);
    ---
    CREATE TABLE new_author (id INTEGER PRIMARY KEY, name TEXT, born INTEGER);
    INSERT INTO new_author (id, name) SELECT id, name FROM author;
    DROP TABLE author; -- here
    ALTER TABLE new_author RENAME TO author;

Good, sqlite, tx none:
    CREATE TABLE author (id INTEGER PRIMARY KEY, name TEXT);
    CREATE TABLE book (id INTEGER PRIMARY KEY, author_id INTEGER REFERENCES author (id) ON DELETE CASCADE);
    ---
    PRAGMA foreign_keys=OFF;
    BEGIN;
    CREATE TABLE new_author (id INTEGER PRIMARY KEY, name TEXT, born INTEGER);
    INSERT INTO new_author (id, name) SELECT id, name FROM author;
    DROP TABLE author;
    ALTER TABLE new_author RENAME TO author;
    COMMIT;
    PRAGMA foreign_keys=ON;
"""

from __future__ import annotations

from collections.abc import Iterator

from ci_runner.lint.context import Context, listed, quoted
from ci_runner.lint.facts import copied_before
from ci_runner.lint.rule import Hit, rule
from ci_runner.lint.sqlite import children, foreign_keys, keys_off
from ci_runner.model.operations import DropTable, Name, Setting


@rule("error", ("sqlite",), on=(DropTable,), seen=("rows-lost", "error"))
def check(context: Context) -> Iterator[Hit]:
    """The DROP of a rebuild whose table has children, where foreign keys are not known to be off."""
    op = context.step.operation
    assert isinstance(op, DropTable)  # noqa: S101
    if not foreign_keys(context):
        return
    tables = [
        rebuild.table
        for rebuild in context.file.rebuilds
        if rebuild.dropped is not None
        and rebuild.dropped.position == context.step.position
        and rebuild.style != "rename-first"
    ]
    tables += [context.key(name) for name in op.tables if context.old(name) and copied_before(context, name)]
    for table in tables:
        referring = children(context.catalog, table)
        if referring:
            yield _hit(context, table, referring)


def _hit(context: Context, table: Name, referring: dict[str, str]) -> Hit:
    idle = any(op.name == "foreign_keys" and step.tx.block for step, op in context.earlier(Setting))
    why = " PRAGMA foreign_keys inside the transaction does nothing." if idle else ""
    cascade = any(action == "cascade" for action in referring.values())
    effect = "deletes their rows too" if cascade else "fails or breaks their references"
    shown = f"Dropping {quoted(context.shown(table))} deletes its rows first"
    return Hit(f"{shown}, which {effect}: {listed(sorted(referring))} refer to it.{why}", fix=keys_off(context))
