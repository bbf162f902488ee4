"""The statement fails on the rows of the seeds.

It runs on empty tables and is refused where there are rows: NULL where the new column allows none, values twice under a unique key, text that
is no number. Seen on the dev database, on the rows that the directory's seed files put there before the change.

Instead: bring the rows into shape first, in a migration of its own; or correct the seeds where production has no such rows.

Bad, postgres, seen seed-error:
    CREATE TABLE person (id bigint PRIMARY KEY, email text UNIQUE);
    ---
    UPDATE person SET email = lower(email);

Good, postgres:
    CREATE TABLE person (id bigint PRIMARY KEY, email text UNIQUE);
    ---
    DELETE FROM person p USING person q WHERE lower(p.email) = lower(q.email) AND p.id > q.id;
    UPDATE person SET email = lower(email);
"""

from __future__ import annotations

from collections.abc import Iterator

from ci_runner.lint.context import File
from ci_runner.lint.rule import Hit, rule


@rule("error", seen=("seed-error",))
def check(file: File) -> Iterator[Hit]:
    """Statements that were refused on tables that hold the rows of seeds."""
    for number, seen in sorted(file.observations.items()):
        for each in seen:
            if each.kind == "seed-error":
                operation = next((step.operation for step in file.steps if step.statement == number), file.first)
                words = each.detail.partition("\n")[0].rstrip(".")
                yield Hit(f"Refused on the rows of the seeds: {words}.", at=operation, observed=True)
