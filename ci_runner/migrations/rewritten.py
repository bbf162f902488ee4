"""A migration with another text, read as its format reads it: where its sections lie then, and what wraps them."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from ci_runner.migrations.format import Source
from ci_runner.migrations.table import load
from ci_runner.model.directory import Migration, MigrationDir, Part


def rewritten(migration: Migration, text: str, directory: MigrationDir, files: Mapping[str, bytes]) -> Migration:
    """The migration with that text in a directory that also has ``files``; directives of Atlas are not read again."""
    form = load(directory.format)
    if form.sections is None:
        return replace(migration, text=text, parts=(Part(0, len(text)),))
    found = form.sections(Source(migration.name, text, directory.dialect, {**directory.files, **files}))
    parts = (Part(0, len(text)),) if found.parts is None else found.parts
    return replace(migration, text=text, parts=parts, transaction=found.transaction or migration.transaction)
