"""The way back does not run.

A down part that fails is found out when a release must be taken back, and leaves the database half-way. Seen on the dev database: the
file is run there and taken back.

Instead: correct the down part; where there is no way back, leave it out and say so.

Bad, postgres, format goose, seen down-fails:
    -- +goose Up
    CREATE TABLE person (id bigint PRIMARY KEY);
    -- +goose Down
    DROP SEQUENCE person_number;

Good, postgres, format goose:
    -- +goose Up
    CREATE TABLE person (id bigint PRIMARY KEY);
    -- +goose Down
    DROP TABLE person;
"""

from __future__ import annotations

from collections.abc import Iterator

from ci_runner.lint.context import File
from ci_runner.lint.rule import Hit, rule


@rule("warning", seen=("down-fails",))
def check(file: File) -> Iterator[Hit]:
    """Files whose down part was refused."""
    for seen in file.seen("down-fails"):
        yield Hit(f"The way back stops at {seen.object}: {seen.detail}.", at=file.first, observed=True)
