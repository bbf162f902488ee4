"""List: the directories as read, for people and for tests."""

from __future__ import annotations

from typing import Any

from ci_runner import migrations, sql
from ci_runner.errors import RefusedError
from ci_runner.journeys import lint
from ci_runner.journeys.ground import Ground


def listings(ground: Ground) -> list[tuple[str, dict[str, Any]]]:
    """(path, listing) of every configured directory; a refused directory is a listing that says so."""
    found = []
    for wanted in ground.config.directories:
        try:
            read = lint.folder(ground, wanted)
            shown = migrations.listing(read, lambda m, dialect=read.dialect: sql.count(m, dialect))  # type: ignore[misc]
        except RefusedError as error:
            shown = migrations.refusal(error)
        found.append((wanted.dir, shown))
    return found
