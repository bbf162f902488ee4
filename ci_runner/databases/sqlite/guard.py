"""What a statement may do in SQLite when nobody has read it: stay inside its own database, within limits."""

from __future__ import annotations

import sqlite3

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
_LENGTH = 256 * 1024 * 1024


def guard(connection: sqlite3.Connection) -> None:
    """Put authorizer and limits on ``connection``."""
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LENGTH)
    connection.setlimit(sqlite3.SQLITE_LIMIT_WORKER_THREADS, 0)
    connection.set_authorizer(_allow)


def _allow(action: int, first: str | None, second: str | None, _database: str | None, _source: str | None) -> int:
    """ATTACH only of nameless databases (VACUUM needs that one), PRAGMAs of the list, no function that reads files or loads code."""
    denied = (
        (action == sqlite3.SQLITE_ATTACH and first not in {"", ":memory:"})
        or (action == sqlite3.SQLITE_PRAGMA and (first or "").lower() not in PRAGMAS)
        or (action == sqlite3.SQLITE_FUNCTION and (second or "").lower() in _FUNCTIONS)
    )
    return sqlite3.SQLITE_DENY if denied else sqlite3.SQLITE_OK
