"""CREATE statements as the server itself writes them, for engines that can."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ci_runner.databases import Database

_DEFINER = re.compile(r" DEFINER=(?:`[^`]*`|\S+?)@(?:`[^`]*`|\S+)| SQL SECURITY DEFINER| ALGORITHM=UNDEFINED")
_COUNTER = re.compile(r" AUTO_INCREMENT=\d+(?= )")
_SQLITE = r"""SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite\_%' ESCAPE '\'
ORDER BY CASE type WHEN 'table' THEN 1 WHEN 'index' THEN 2 WHEN 'view' THEN 3 ELSE 4 END, rowid"""
_CLICKHOUSE = """SELECT create_table_query FROM system.tables WHERE database = currentDatabase() AND NOT is_temporary
ORDER BY engine LIKE '%View', metadata_modification_time, name"""
_ROUTINES = "SELECT routine_name FROM information_schema.routines WHERE routine_schema = database() AND routine_type = '{}' ORDER BY 1"
_NAMES = "SELECT table_name FROM information_schema.tables WHERE table_schema = database() AND table_type {} 'VIEW' ORDER BY 1"
# kind, the column of SHOW CREATE that holds the statement, and the query of names
_OBJECTS = (
    ("TABLE", 1, _NAMES.format("<>")),
    ("FUNCTION", 2, _ROUTINES.format("FUNCTION")),
    ("PROCEDURE", 2, _ROUTINES.format("PROCEDURE")),
    ("VIEW", 1, _NAMES.format("=")),
    ("TRIGGER", 2, "SELECT trigger_name FROM information_schema.triggers WHERE trigger_schema = database() ORDER BY 1"),
)


def creating(database: Database) -> tuple[str, ...] | None:
    """The statements without their semicolons, in an order in which they run; None where the server has no words for it (PostgreSQL)."""
    if database.dialect == "sqlite":
        return tuple(row[0] for row in database.query(_SQLITE))
    if database.dialect == "clickhouse":
        own = re.compile(rf"(?<![\w.`']){re.escape(database.name)}\.(?=[\w`])") if database.name else None
        found = (str(row[0]) for row in database.query(_CLICKHOUSE))
        return tuple(own.sub("", text) if own else text for text in found)
    if database.dialect in ("mysql", "mariadb") and database.name:
        return tuple(_mysql(database))
    return None


def _mysql(database: Database) -> Iterator[str]:
    """SHOW CREATE of every object, without the account that made it; views that read others may stand before them."""
    yield "SET foreign_key_checks = 0"
    for kind, column, query in _OBJECTS:
        for (name,) in database.query(query):
            row = database.query(f"SHOW CREATE {kind} `{name.replace('`', '``')}`")[0]
            text = _DEFINER.sub("", str(row[column])).replace(f"`{database.name}`.", "")
            yield _COUNTER.sub("", text) if kind == "TABLE" else text
    yield "SET foreign_key_checks = 1"
