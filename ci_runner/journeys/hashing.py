"""Hash: write atlas.sum anew where it differs."""

from __future__ import annotations

import difflib

from ci_runner import migrations, sources
from ci_runner.journeys import lint
from ci_runner.journeys.ground import Ground


def rehash(ground: Ground, *, write: bool) -> list[tuple[str, list[str]]]:
    """(path of the sum file, changed lines as +/- text) of every configured directory, written when ``write``."""
    found = []
    for wanted in ground.config.directories:
        read = lint.folder(ground, wanted)
        old, new = read.files.get(migrations.SUM_FILE, b"").decode("utf-8", "replace"), migrations.sum_text(read)
        if write and old != new:
            sources.write(ground.root / wanted.dir / migrations.SUM_FILE, new.encode())
        lines = difflib.ndiff(old.splitlines(), new.splitlines())
        found.append((f"{wanted.dir}/{migrations.SUM_FILE}", [line for line in lines if line[0] in "+-"]))
    return found
