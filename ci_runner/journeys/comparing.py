"""Compare two states in the registry: which files, which lines of SQL, and what that makes of the schema."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ci_runner import migrations, registry
from ci_runner.journeys.ground import Ground
from ci_runner.journeys.versions import snapshot
from ci_runner.model.operations import Name
from ci_runner.model.registry import Snapshot
from ci_runner.model.schema import Catalog, Table
from ci_runner.sql import history

_MOST_LINES = 2000  # comparing lines takes time that grows faster than their number


def diff(ground: Ground, first: str, second: str) -> dict[str, Any]:
    """What ``second`` has that ``first`` has not, and the other way round, as JSON values: files, sql (unified diffs), schema (lines)."""
    (old_name, old), (new_name, new) = snapshot(ground, first), snapshot(ground, second)
    before = {file.name: file.content for file in old.files}
    after = {file.name: file.content for file in new.files}
    changed = sorted(name for name in before.keys() & after.keys() if before[name] != after[name])
    files = {
        "added": sorted(after.keys() - before.keys()),
        "removed": sorted(before.keys() - after.keys()),
        "changed": changed,
    }
    sql = [
        {"file": name, "diff": _lines(name, before.get(name, b""), after.get(name, b""))}
        for name in sorted((before.keys() ^ after.keys()) | set(changed))
    ]
    schema = list(_schema(_catalog(ground, old), _catalog(ground, new)))
    return {"from": old_name, "to": new_name, "files": files, "sql": sql, "schema": schema}


def _lines(name: str, old: bytes, new: bytes) -> str:
    before, after = (content.decode("utf-8", "replace").splitlines() for content in (old, new))
    if max(len(before), len(after)) > _MOST_LINES and before and after:
        return f"{name}: {len(before)} lines before, {len(after)} after; too many to compare line by line"
    return "\n".join(difflib.unified_diff(before, after, f"a/{name}", f"b/{name}", lineterm=""))


def _catalog(ground: Ground, state: Snapshot) -> Catalog:
    """The schema that the state's migrations add up to."""
    read = migrations.read(registry.tree(state, "registry"), format=state.format, dialect=state.dialect, sum_mode="off")
    return history.before(read.migrations, read.dialect, ground.cache)


def _schema(before: Catalog, after: Catalog) -> Iterator[str]:
    for name in _sorted({*before.tables, *after.tables}):
        old, new = before.tables.get(name), after.tables.get(name)
        if old is None or new is None:
            yield f"{'-' if new is None else '+'} table {name}"
        else:
            yield from (f"~ table {name}: {line}" for line in _table(old, new))
    kinds: tuple[tuple[str, Mapping[Name, object], Mapping[Name, object]], ...] = (
        ("view", before.views, after.views),
        ("enum", before.enums, after.enums),
        ("function", before.functions, after.functions),
    )
    for kind, olds, news in kinds:
        for name in _sorted({*olds, *news}):
            if (name in olds) != (name in news):
                yield f"{'+' if name in news else '-'} {kind} {name}"
            elif olds[name] != news[name]:
                yield f"~ {kind} {name}"


def _table(old: Table, new: Table) -> Iterator[str]:
    yield from _parts("column", old.columns, new.columns)
    yield from _parts("index", old.indexes, new.indexes)
    if old.constraints != new.constraints:
        yield "constraints differ"


def _parts(kind: str, old: Mapping[str, object], new: Mapping[str, object]) -> Iterator[str]:
    for name in sorted({*old, *new}):
        if (name in old) != (name in new):
            yield f"{'+' if name in new else '-'} {kind} {name}"
        elif old[name] != new[name]:
            yield f"~ {kind} {name}"


def _sorted(names: Iterable[Name]) -> list[Name]:
    return sorted(names, key=str)
