"""The way back does not lead back.

After up and down the schema is not the one before. When a release has to be taken back, what is left or missing breaks the older release
or the next attempt to deploy, at the worst of all times. Seen on the dev database: the file is run there, taken back and run again.

Instead: undo in the down part, in reverse order, everything that the up part does; where that cannot be done, leave the down part out and say so.

Bad, postgres, format goose, seen down-differs:
    -- +goose Up
    CREATE TABLE person (id bigint PRIMARY KEY);
    CREATE SEQUENCE person_number;
    -- +goose Down
    DROP TABLE person;

Good, postgres, format goose:
    -- +goose Up
    CREATE TABLE person (id bigint PRIMARY KEY);
    CREATE SEQUENCE person_number;
    -- +goose Down
    DROP SEQUENCE person_number;
    DROP TABLE person;
"""

from __future__ import annotations

from collections.abc import Iterator

from ci_runner.lint.context import File
from ci_runner.lint.rule import Hit, rule


@rule("warning", seen=("down-differs",))
def check(file: File) -> Iterator[Hit]:
    """Files whose down part was seen to leave another schema."""
    for seen in file.seen("down-differs"):
        where = f" ({seen.object})" if seen.object and seen.object != file.changed.name else ""
        yield Hit(
            f"After up and down{where} the schema is not what it was: {seen.detail}.", at=file.first, observed=True
        )
