"""A migration that is already released is gone.

Databases that have run it keep its effect; new databases never get it. A deploy finds a history that is not its own and refuses.
A released file under another name is gone under its old one, and reported as such. Who tells migrations apart by name or path runs it again;
where the version alone counts and was kept, a database takes no notice, but a push to the registry still finds another history. What the file does
is not judged a second time.

Instead: restore the file under its old name, and undo its effect in a new migration.

Bad, postgres, removed:
    CREATE TABLE person (id bigint PRIMARY KEY);
    ---

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
    """Removed files, and released files under another name."""
    changed = file.changed
    if changed.change == "removed":
        yield Hit(
            f"{changed.name} is released and now missing: databases that ran it keep its effect, new ones never get it."
        )
    elif changed.change == "renamed" and changed.before is not None and changed.before.kind != "repeatable":
        same = changed.migration is not None and changed.migration.version == changed.before.version
        told = (
            "its version is the same, but whoever goes by names would run it again, and the registry takes it for another history."
            if same
            else "databases that ran it under the old name would run it again."
        )
        yield Hit(f"{changed.before.name} is released and was renamed to {changed.name}: {told}")
