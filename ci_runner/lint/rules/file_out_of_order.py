"""A new migration sorts before one that is already released.

Databases that are up to date have passed that point: depending on the runner the file is skipped, refused, or run in an order nobody
tested, while new databases run it earlier.

Instead: give the file a version after the newest released one.

Bad, postgres, out of order:
    CREATE TABLE person (id bigint PRIMARY KEY);
    ---
    ALTER TABLE person ADD COLUMN email text;

Good, postgres:
    CREATE TABLE person (id bigint PRIMARY KEY);
    ---
    ALTER TABLE person ADD COLUMN email text;
"""

from __future__ import annotations

from collections.abc import Iterator

from ci_runner.lint.context import File
from ci_runner.lint.rule import Hit, rule


@rule("warning")
def check(file: File) -> Iterator[Hit]:
    """New files marked as out of order by the change set."""
    changed = file.changed
    if changed.out_of_order and changed.change in ("added", "renamed"):
        yield Hit(f"{changed.name} sorts before a released migration: databases that are up to date have passed it.")
