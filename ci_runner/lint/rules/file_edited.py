"""A migration that is already released was changed.

Databases that have run it keep what its old text did and will not run it again; new databases get the new text. From here on they differ,
and a deploy refuses the changed file. Repeatable migrations (Flyway's R__ files) are made to be edited and run again: they are exempt.

Instead: restore the file as it was released, and put the change into a new migration.

Bad, postgres, edited:
    CREATE TABLE person (id bigint PRIMARY KEY);
    ---
    CREATE TABLE person (id bigint PRIMARY KEY, email text);

Good, postgres:
    CREATE TABLE person (id bigint PRIMARY KEY);
    ---
    ALTER TABLE person ADD COLUMN email text;
"""

from __future__ import annotations

from collections.abc import Iterator

from ci_runner.lint.context import File
from ci_runner.lint.rule import Hit, rule


@rule("error")
def check(file: File) -> Iterator[Hit]:
    """Edited files of the released history."""
    migration = file.changed.migration
    if file.changed.change == "edited" and migration is not None and migration.kind != "repeatable":
        yield Hit(
            f"{file.changed.name} is already released: databases that ran it keep its old effect, and a deploy refuses the new text."
        )
