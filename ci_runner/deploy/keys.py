"""The versions by which a database remembers migrations and their ways back."""

from __future__ import annotations

from ci_runner.errors import RefusedError
from ci_runner.model.directory import Migration

_LONGEST_VERSION = 200
DOWN = "down:"  # before the version of a migration: the row of its way back


def key(migration: Migration) -> str:
    """The version by which a database remembers a migration."""
    found = f"repeatable:{migration.name}" if migration.kind == "repeatable" else migration.version
    if len(found) > _LONGEST_VERSION:
        raise RefusedError(
            f"{migration.name}: a version of more than {_LONGEST_VERSION} characters cannot be kept: shorten the name"
        )
    return found
