"""The process strangers' SQLite statements run in: it has nothing of this machine but its standard library, and says only what it is asked.

Started as a script of its own (``python -I -S worker.py``) with an empty environment; imports nothing of Pilotage. Each request is a head of
13 bytes (what, which database, how many bytes follow) and those bytes; each answer a head of 10 bytes (well?, in a transaction?, how many).
"""

from __future__ import annotations

import json
import os
import sqlite3
import struct
from typing import Any

REQUEST, ANSWER = struct.Struct(">cIQ"), struct.Struct(">??Q")
OPEN, RUN, ROWS, DUMP, LOAD, CLOSE = b"o", b"r", b"q", b"d", b"l", b"c"
MEMORY = 1024**3
CPU_SECONDS = 900
FILES = 24  # descriptors: the standard three and what the interpreter itself needs
LENGTH = 256 * 1024 * 1024
MOST = 64 * 1024 * 1024  # bytes of an answer to a query of ours
LOOK = 1_000_000  # steps of SQLite's machine between two looks at whether anybody still waits
# PRAGMAs that read or set something of this database or session only (https://sqlite.org/pragma.html).
PRAGMAS = frozenset(
    """analysis_limit application_id auto_vacuum automatic_index busy_timeout cache_size cache_spill case_sensitive_like cell_size_check
    checkpoint_fullfsync collation_list compile_options count_changes data_version database_list defer_foreign_keys encoding foreign_key_check
    foreign_key_list foreign_keys freelist_count full_column_names function_list ignore_check_constraints incremental_vacuum index_info
    index_list index_xinfo integrity_check journal_mode journal_size_limit legacy_alter_table legacy_file_format locking_mode max_page_count mmap_size
    module_list optimize page_count page_size pragma_list query_only quick_check read_uncommitted recursive_triggers reverse_unordered_selects
    schema_version secure_delete short_column_names shrink_memory soft_heap_limit synchronous table_info table_list table_xinfo temp_store
    threads trusted_schema user_version wal_autocheckpoint wal_checkpoint""".split()  # noqa: SIM905 - words read better as words
)
_FUNCTIONS = frozenset({"load_extension", "fts3_tokenizer", "readfile", "writefile", "edit"})


class RefusedError(Exception):
    """A statement SQLite refused, and its number among those it came with; None when no single one is to blame."""

    def __init__(self, number: int | None, error: BaseException) -> None:
        super().__init__(str(error) or "out of memory")
        self._number = number
        self._name = getattr(error, "sqlite_errorname", "") or (
            "SQLITE_NOMEM" if isinstance(error, MemoryError) else ""
        )

    def told(self) -> bytes:
        """Words, error name and number as they are sent."""
        return json.dumps([str(self), self._name, self._number]).encode()


def serve(source: int, sink: int) -> None:
    """Answer requests until nobody asks any more."""
    databases: dict[int, sqlite3.Connection] = {}
    while head := _read(source, REQUEST.size):
        what, number, length = REQUEST.unpack(head)
        content = _read(source, length)
        try:
            answer = True, _done(databases, what, number, content)
        except RefusedError as refused:
            answer = False, refused.told()
        except (sqlite3.Error, sqlite3.Warning, ValueError, MemoryError) as error:
            answer = False, RefusedError(None, error).told()
        inside = number in databases and databases[number].in_transaction
        _write(sink, ANSWER.pack(answer[0], inside, len(answer[1])) + answer[1])


def _done(databases: dict[int, sqlite3.Connection], what: bytes, number: int, content: bytes) -> bytes:
    if what == OPEN:
        databases[number] = sqlite3.connect(":memory:", isolation_level=None)
        guard(databases[number])
        return b""
    if what == CLOSE:
        databases.pop(number).close()
        return b""
    connection = databases[number]
    if what == RUN:
        _run(connection, **json.loads(content))
        return b""
    if what == ROWS:
        return _rows(connection, content.decode())
    if what == DUMP:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        return connection.serialize() if pages else b""  # one that was never written to SQLite cannot serialize
    connection.set_authorizer(None)  # deserialize attaches, which statements may not
    if content:
        connection.deserialize(content)
    guard(connection)
    return b""


def _run(connection: sqlite3.Connection, statements: list[str], transaction: bool) -> None:
    """In order, each to its end, all in one transaction where that is asked for; a refusal says which it was."""
    number = None
    try:
        if transaction:
            connection.execute("BEGIN")
        for number, statement in enumerate(statements):  # noqa: B007 - read in the handler
            for _ in connection.execute(statement):  # a SELECT does its work while it is read
                pass
        number = None
        if transaction and connection.in_transaction:
            connection.execute("COMMIT")
    except (sqlite3.Error, sqlite3.Warning, ValueError, MemoryError) as error:
        if transaction and connection.in_transaction:
            connection.execute("ROLLBACK")
        raise RefusedError(number, error) from error


def _rows(connection: sqlite3.Connection, sql: str) -> bytes:
    rows: list[Any] = []
    size = 0
    for row in connection.execute(sql):
        rows.append(json.dumps(row))
        size += len(rows[-1])
        if size > MOST:
            raise ValueError("the answer is too large")
    return ("[" + ",".join(rows) + "]").encode()


def guard(connection: sqlite3.Connection) -> None:
    """Put authorizer, limits and the look at whoever waits on ``connection``."""
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LENGTH)
    connection.setlimit(sqlite3.SQLITE_LIMIT_WORKER_THREADS, 0)
    connection.execute("PRAGMA temp_store = MEMORY")
    if hasattr(connection, "setconfig"):  # Python 3.12
        connection.setconfig(getattr(sqlite3, "SQLITE_DBCONFIG_DEFENSIVE"), True)  # noqa: B009 - Python 3.11 has no such name
    parent = os.getppid()
    connection.set_progress_handler(lambda: os.getppid() != parent, LOOK)
    connection.set_authorizer(_allow)


def _allow(action: int, first: str | None, second: str | None, _database: str | None, _source: str | None) -> int:
    """ATTACH only of nameless databases (VACUUM needs that one), PRAGMAs of the list, no function that reads files or loads code."""
    denied = (
        (action == sqlite3.SQLITE_ATTACH and first not in {"", ":memory:"})
        or (action == sqlite3.SQLITE_PRAGMA and (first or "").lower() not in PRAGMAS)
        or (action == sqlite3.SQLITE_FUNCTION and (second or "").lower() in _FUNCTIONS)
    )
    return sqlite3.SQLITE_DENY if denied else sqlite3.SQLITE_OK


def _confine() -> None:
    """No file may be written, none but a few opened, and memory and time of the processor end."""
    try:
        import resource
    except ImportError:  # not a Unix: the authorizer and SQLite's own limits stand alone
        return
    for name, most in (("AS", MEMORY), ("CPU", CPU_SECONDS), ("FSIZE", 0), ("NOFILE", FILES), ("CORE", 0)):
        kind = getattr(resource, f"RLIMIT_{name}", None)
        if kind is not None:
            _, hard = resource.getrlimit(kind)
            allowed = most if hard == resource.RLIM_INFINITY else min(most, hard)
            try:
                resource.setrlimit(kind, (allowed, allowed))
            except (ValueError, OSError):  # macOS has no limit on address space
                continue


def _read(source: int, length: int) -> bytes:
    parts = []
    while length and (part := os.read(source, min(length, 1 << 20))):
        parts.append(part)
        length -= len(part)
    return b"".join(parts)


def _write(sink: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(sink, view) :]


if __name__ == "__main__":
    _confine()
    serve(0, 1)
