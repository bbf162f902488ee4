"""There is no way back.

The format has down parts, and this file has none, or an empty one: a release with it can only be followed by another one, never taken back.
Off unless a team asks for it, for many teams only go forward.

Instead: write the down part; where there is none, ignore the rule in this file and say why.

Bad, postgres, format goose, seen down-missing:
    -- +goose Up
    CREATE TABLE person (id bigint PRIMARY KEY);

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


@rule("warning", default=False)
def check(file: File) -> Iterator[Hit]:
    """Files without a down part, or with an empty one."""
    for seen in file.seen("down-missing"):
        where = f": {seen.object} undoes nothing" if seen.object else ""
        yield Hit(f"{file.changed.name} has no way back{where}.", at=file.first)
