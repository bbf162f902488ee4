"""The two own tables: made, read, and the statements that write a row, the same for every engine but for the words of its columns."""

from __future__ import annotations

import json
import zlib
from base64 import b64decode, b64encode
from collections.abc import Mapping
from operator import attrgetter
from typing import Any, NamedTuple

from msgspec import convert
from msgspec.structs import asdict

from ci_runner.databases import DatabaseFailure, Target
from ci_runner.errors import RefusedError, SetupError
from ci_runner.model.deploy import LAYOUT, DirState, Revision

REVISIONS, STATE = "pilotage_revisions", "pilotage_state"
LONGEST_ERROR = 4096
EVENT = "event"  # counts the rows where they are only added: the last of a key counts
_KEY, _TEXT, _INTEGER = "key", "text", "integer"
# Column → its type; the field of the same name in Revision and DirState.
_REVISION = {
    "dir": _KEY, "version": _KEY, "position": _INTEGER, "name": _TEXT, "description": _TEXT, "kind": _KEY, "state": _KEY,
    "statements_total": _INTEGER, "statements_done": _INTEGER, "statement_hashes": _TEXT, "file_hash": _KEY, "text_hash": _KEY,
    "intent_statement": _INTEGER, "intent_fingerprint": _TEXT, "run_id": _KEY, "started_at": _KEY, "finished_at": _KEY,
    "duration_ms": _INTEGER, "error": _TEXT, "error_statement": _INTEGER, "digest": _KEY, "registry_seq": _INTEGER,
    "registry_head": _KEY, "inbox": _KEY, "tool_version": _KEY, "actor": _KEY,
}  # fmt: skip
_STATE = {
    "dir": _KEY, "layout": _INTEGER, "fingerprint": _KEY, "objects": _TEXT, "last_seq": _INTEGER, "last_head": _KEY,
    "adopted_from": _KEY, "updated_at": _KEY,
}  # fmt: skip


# What tells where a database stands; the rest is how it got there.
_BRIEF = (
    "version", "position", "name", "kind", "state", "statements_total", "statements_done", "file_hash", "text_hash", "finished_at", "error",
)  # fmt: skip


class Memory(NamedTuple):
    """What a database remembers of one directory; ``there`` says that the own tables exist, ``others`` that other directories have rows."""

    revisions: tuple[Revision, ...] = ()
    state: DirState | None = None
    there: bool = False


def read(target: Target, directory: str, *, brief: bool = False) -> Memory:
    """Everything about ``directory``; ``brief``: of its rows only what tells where it stands. RefusedError when a newer Pilotage wrote it.

    Nothing is made.
    """
    names = _BRIEF if brief else tuple(_REVISION)
    state_columns, columns = (", ".join(map(target.quoted, each)) for each in (_STATE, names))
    where = f"WHERE {target.quoted('dir')} = {target.literal(directory)}"
    if not exists(target):
        return Memory()
    rows = target.query(f"SELECT {target.quoted('layout')} FROM {target.qualified(STATE)}")
    newest = max((int(layout or 0) for (layout,) in rows), default=LAYOUT)
    if newest > LAYOUT:
        raise RefusedError(
            f"{target.facts.name} was deployed to by a newer Pilotage (layout {newest}, this one knows {LAYOUT}): use that version or a later one"
        )
    states = target.query(f"SELECT {state_columns} FROM {target.qualified(STATE)} {where}{_last(target, _STATE)}")
    found = target.query(f"SELECT {columns} FROM {target.qualified(REVISIONS)} {where}{_last(target, _REVISION)}")
    rows_of = (_brief(directory, row) for row in found) if brief else map(_revision, found)
    revisions = sorted(rows_of, key=attrgetter("position", "version"))
    return Memory(tuple(revisions), _state(states[-1]) if states else None, there=True)


def exists(target: Target) -> bool:
    """Whether the own tables are there; a database that does not let us look says so."""
    return target.definition("table", target.facts.schema, REVISIONS) is not None


def directories(target: Target) -> list[str]:
    """The names of the directories this database has rows of."""
    if not exists(target):
        return []
    rows = target.query(f"SELECT DISTINCT {target.quoted('dir')} FROM {target.qualified(REVISIONS)} ORDER BY 1")
    return [str(name) for (name,) in rows]


def names(target: Target) -> list[tuple[str, str, str]]:
    """(directory, version, file) of every row, whatever became of it; the tables must be there."""
    columns = ", ".join(target.quoted(name) for name in ("dir", "version", "name"))
    rows = target.query(f"SELECT DISTINCT {columns} FROM {target.qualified(REVISIONS)} ORDER BY 1, 2")
    return [(str(directory), str(version), str(name)) for directory, version, name in rows]


def create(target: Target) -> list[str]:
    """The statements that make the own tables where they are missing; the one that :func:`exists` looks for comes last."""
    keys = {STATE: ("dir",), REVISIONS: ("dir", "version")}
    return [
        _create(target, table, columns, keys[table])
        for table, columns in ((STATE, _STATE), (REVISIONS, _REVISION))
        if target.definition("table", target.facts.schema, table) is None
    ]


def _create(target: Target, table: str, columns: Mapping[str, str], key: tuple[str, ...]) -> str:
    words = target.words._asdict()
    lines = [
        f"{target.quoted(name)} {words[kind]}{' NOT NULL' if name in key else ''}" for name, kind in columns.items()
    ]
    if target.append:
        lines.append(f"{EVENT} {words[_INTEGER]}")
    else:
        lines.append(f"PRIMARY KEY ({', '.join(target.quoted(name) for name in key)})")
    tail = target.words.tail.replace("{key}", ", ".join(target.quoted(name) for name in key))
    return f"CREATE TABLE {target.qualified(table)} ({', '.join(lines)}){tail}"


def ensure(target: Target) -> None:
    """Make the own tables where they are missing; SetupError when this user may not, DatabaseFailure when there is no room or connection."""
    if exists(target):
        return
    try:
        target.write(create(target))
    except DatabaseFailure as failure:
        if failure.lost or failure.full or failure.read_only:
            raise
        if exists(target):
            return
        facts = target.facts
        place = facts.name if facts.schema == facts.name else f"{facts.schema} of {facts.name}"
        raise SetupError(
            f"the table {REVISIONS} cannot be made in {place}: {failure.message}; "
            f"grant user {target.facts.user or 'of the URL'} the right to create tables there"
        ) from None


def insert(target: Target, revision: Revision) -> str:
    """The statement that writes a row that is not there yet (or, where rows are only added, its newest state)."""
    return _insert(target, REVISIONS, _row(revision))


def update(target: Target, revision: Revision) -> str:
    """The statement that brings the row that is there to this state."""
    if target.append:
        return insert(target, revision)
    return _update(target, REVISIONS, _row(revision), ("dir", "version"))


def progress(target: Target, revision: Revision) -> str:
    """As :func:`update`, only of what changes from statement to statement."""
    if target.append:
        return insert(target, revision)
    row = _row(revision)
    short = {
        name: row[name]
        for name in ("dir", "version", "state", "statements_done", "intent_statement", "intent_fingerprint")
    }
    return _update(target, REVISIONS, short, ("dir", "version"))


def put(target: Target, revision: Revision, *, known: bool) -> str:
    """:func:`update` for a row that is there, else :func:`insert`."""
    return update(target, revision) if known else insert(target, revision)


def put_state(target: Target, state: DirState, *, known: bool) -> str:
    """The statement that writes what is remembered of the directory as a whole."""
    packed = b64encode(zlib.compress(json.dumps(dict(state.objects), sort_keys=True).encode())).decode()
    row = {**asdict(state), "objects": packed}
    if known and not target.append:
        return _update(target, STATE, row, ("dir",))
    return _insert(target, STATE, row)


def _insert(target: Target, table: str, row: Mapping[str, Any]) -> str:
    names = ", ".join(target.quoted(name) for name in row)
    if target.append:
        values = ", ".join(map(target.literal, row.values()))
        number = f"(SELECT coalesce(max({EVENT}), 0) + 1 FROM {target.qualified(table)})"
        return f"INSERT INTO {target.qualified(table)} ({names}, {EVENT}) SELECT {values}, {number}"
    return f"INSERT INTO {target.qualified(table)} ({names}) VALUES ({', '.join(map(target.literal, row.values()))})"


def _update(target: Target, table: str, row: Mapping[str, Any], key: tuple[str, ...]) -> str:
    given = [f"{target.quoted(name)} = {target.literal(value)}" for name, value in row.items() if name not in key]
    where = [f"{target.quoted(name)} = {target.literal(row[name])}" for name in key]
    return f"UPDATE {target.qualified(table)} SET {', '.join(given)} WHERE {' AND '.join(where)}"


def _last(target: Target, columns: Mapping[str, str]) -> str:
    """Where rows are only added, the newest of each key."""
    return target.newest(("dir", "version") if columns is _REVISION else ("dir",)) if target.append else ""


def _row(revision: Revision) -> dict[str, Any]:
    row = asdict(revision)
    row["statement_hashes"] = " ".join(revision.statement_hashes)
    row["error"] = revision.error[:LONGEST_ERROR]
    return row


def _revision(row: tuple[Any, ...]) -> Revision:
    """The row as a value; columns stand in the order of its fields. One that is not as we write it is looked at field by field."""
    if type(row[2]) is int and type(row[7]) is int and type(row[8]) is int and row.count(None) <= 2:
        return Revision(*(*row[:9], tuple(row[9].split()) if row[9] else (), *row[10:]))
    return _converted(dict(zip(_REVISION, row, strict=True)))


def _brief(directory: str, row: tuple[Any, ...]) -> Revision:
    """The same of a row of _BRIEF."""
    version, position, name, kind, state, total, done, file_hash, text_hash, finished, error = row
    if type(position) is int and type(total) is int and type(done) is int and None not in row:
        return Revision(
            directory, version, position, name, "", kind, state, total, done, (), file_hash, text_hash, None, "", "", "", finished, 0, error
        )  # fmt: skip
    return _converted({"dir": directory, **dict(zip(_BRIEF, row, strict=True))})


def _converted(row: Mapping[str, Any]) -> Revision:
    values = {name: _plain(value, _REVISION[name]) for name, value in row.items()}
    if "statement_hashes" in row:
        values["statement_hashes"] = tuple(str(values["statement_hashes"]).split())
    for name in {"intent_statement", "error_statement"} & row.keys():
        values[name] = row[name]
    return convert(values, Revision, strict=False)


def _state(row: tuple[Any, ...]) -> DirState:
    values = {name: _plain(value, _STATE[name]) for name, value in zip(_STATE, row, strict=True)}
    try:
        values["objects"] = json.loads(zlib.decompress(b64decode(str(values["objects"])))) if values["objects"] else {}
    except (ValueError, zlib.error):
        values["objects"] = {}
    return convert(values, DirState, strict=False)


def _plain(value: object, kind: str) -> object:
    if value is None:
        return 0 if kind == _INTEGER else ""
    return value.decode() if isinstance(value, bytes) else value
