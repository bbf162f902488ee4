"""MySQL and MariaDB as a deployment's target: a named lock of the session, definitions as the server shows them, settings put back one by one."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from ci_runner.databases import Sql
from ci_runner.databases.address import Address, Use
from ci_runner.databases.failure import DatabaseFailure
from ci_runner.databases.mysql import SESSION, Mysql, connect
from ci_runner.databases.mysql.inspect import inspect
from ci_runner.databases.session import Session, digest, objects
from ci_runner.databases.target import LET_GO, OWN_TABLES, Lock, Target, Words
from ci_runner.errors import RefusedError, SetupError
from ci_runner.model.deploy import Facts

_GONE = frozenset(
    {"1146", "1051", "1305", "1360", "1049", "1356", "4091"}
)  # no such table, routine, trigger, database, sequence
_COUNTER = re.compile(r"\bAUTO_INCREMENT=\d+\s?")
# A table that LOCK TABLES did not name or only for reading, and FLUSH TABLES WITH READ LOCK.
_LOCKED = frozenset({"1100", "1099", "1223"})
_WORD = r"(?:`(?:[^`]|``)+`|[\w$]+)"
_TEMPORARY = re.compile(
    rf"\bcreate\s+(?:or\s+replace\s+)?temporary\s+table\s+(?:if\s+not\s+exists\s+)?({_WORD}(?:\s*\.\s*{_WORD})?)",
    re.IGNORECASE,
)
_LONG = 20_000
_VARIABLE = re.compile(r"(?<![@\w`'\"])@([A-Za-z_$][\w$]*)")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
# Session variables that are results, not settings, or change by themselves.
_RESULTS = frozenset(
    {
        "timestamp",
        "last_insert_id",
        "insert_id",
        "identity",
        "rand_seed1",
        "rand_seed2",
        "error_count",
        "warning_count",
        "in_transaction",
    }
    | {
        "pseudo_thread_id",
        "pseudo_slave_mode",
        "last_gtid",
        "gtid_seq_no",
        "lock_wait_timeout",
        "innodb_lock_wait_timeout",
    }
    | {"max_statement_time", "max_execution_time", "proxy_user", "external_user", "statement_id"}
)
_UNDOES = ("InnoDB", "ROCKSDB", "TokuDB", "ndbcluster", "SEQUENCE")
_MORE = """SELECT 'partitions of', table_name, group_concat(concat_ws(' ', partition_name, partition_method, partition_expression,
  partition_description) ORDER BY partition_ordinal_position, subpartition_ordinal_position)
 FROM information_schema.partitions WHERE partition_name IS NOT NULL AND table_schema = {own} GROUP BY table_name
UNION ALL SELECT 'comment on', table_name, table_comment FROM information_schema.tables
 WHERE table_comment <> '' AND table_type = 'BASE TABLE' AND table_schema = {own}
UNION ALL SELECT 'comment on', concat(table_name, '.', column_name), column_comment FROM information_schema.columns
 WHERE column_comment <> '' AND table_schema = {own}
UNION ALL SELECT 'event', event_name, event_definition FROM information_schema.events WHERE event_schema = {own}"""
# Two queries, compared here: MariaDB joins its views by comparing every column with every table.
_COLLATIONS = """SELECT table_name, column_name, collation_name FROM information_schema.columns
WHERE collation_name IS NOT NULL AND table_schema = {own}"""
_DEFAULTS = "SELECT table_name, table_collation FROM information_schema.tables WHERE table_schema = {own}"


def open_target(address: Address, name: str) -> Target:
    """Connect; SetupError for a URL that names no database."""
    if not address.database:
        raise SetupError(f"{address}: which database? name it behind the host, mysql://user@host/database")
    database = connect(address, Use())
    place = address.socket or f"{address.host or 'localhost'}:{address.port or 3306}"
    ((user,),) = database.query("SELECT current_user()")
    facts = Facts(
        database.dialect, database.engine, database.version, address.database, address.database,
        f"{database.dialect}:{place}/{address.database}", str(user), ddl=False,
    )  # fmt: skip
    return MysqlTarget(database, facts, lambda: open_target(address, name))


class MysqlTarget(Session[Mysql]):
    """Changes of the schema commit by themselves here, so that only rows go with their transaction."""

    BUSY = frozenset({"1205", "1213", "3572"})
    words = Words("varchar(255)", "longtext", "bigint", " ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin")

    def __init__(self, database: Mysql, facts: Facts, again: Callable[[], Target]) -> None:
        super().__init__(database, facts, again)
        self._limits = (-1, -1)
        self._touched = False
        self._temporary: set[str] = set()
        self._named: set[str] = set()  # variables of the user's
        self._number = 0
        self._first = self._variables()

    @property
    def in_transaction(self) -> bool:
        """The server says so with every answer; a change of the schema ends it. With autocommit off there always is one."""
        return self.database.in_transaction or not self.database.commits_by_itself

    def run(self, statements: Sequence[Sql]) -> tuple[int, ...]:
        """One after the other, remembering whether the session's settings were touched."""
        self._touched |= any(SESSION.search(each.text) for each in statements)
        for each in statements:
            if len(each.text) < _LONG:  # what is longer is data
                self._temporary.update(_TEMPORARY.findall(each.text))
                self._named.update(_VARIABLE.findall(each.text))
        return super().run(statements)

    def write(self, statements: Sequence[str]) -> None:
        """Our own statements; locks that a file holds on tables give way to them."""
        try:
            super().write(statements)
        except DatabaseFailure as failure:
            if failure.code not in _LOCKED:
                raise
            super().write(["UNLOCK TABLES", *statements[failure.statement or 0 :]])

    def limits(self, lock_ms: int, statement_ms: int) -> None:
        """Whole seconds for locks; MySQL itself limits only SELECT."""
        if (lock_ms, statement_ms) == self._limits:
            return
        seconds = max(1, -(-lock_ms // 1000)) if lock_ms else 31_536_000
        whole = (
            f"max_statement_time = {statement_ms / 1000:.3f}"
            if self.facts.dialect == "mariadb"
            else f"max_execution_time = {statement_ms}"
        )
        self.write(
            [
                f"SET SESSION lock_wait_timeout = {seconds}, SESSION innodb_lock_wait_timeout = {seconds}, SESSION {whole}"
            ]
        )
        self._limits = (lock_ms, statement_ms)

    def reset(self) -> None:
        """Every setting that differs from the session's first is put back: a new session would give up the lock."""
        self.rollback()
        self.write([f"SET @{name} = NULL" for name in sorted(self._named)])
        self._named.clear()
        if not self._touched:
            return
        for name in sorted(self._temporary):
            with suppress(DatabaseFailure):  # of a database that is gone
                self.write([f"DROP TEMPORARY TABLE IF EXISTS {name}"])
        self._temporary.clear()
        self.write(["UNLOCK TABLES", f"USE {self.quoted(self.facts.schema)}"])
        now = self._variables()
        for name, value in self._first.items():
            if now.get(name) != value and name not in _RESULTS:
                with suppress(DatabaseFailure):  # a variable that cannot be set in a session
                    shown = value if _NUMBER.fullmatch(value) else self.literal(value)
                    self.write([f"SET SESSION {name} = {shown}"])
        self._touched, self._limits = False, (-1, -1)

    def try_lock(self, lock: Lock) -> bool:
        """A named lock belongs to the session and ends with it."""
        ((found, self._number),) = self.query(f"SELECT GET_LOCK({self.literal(lock.name)}, 0), CONNECTION_ID()")
        return bool(found)

    def check_lock(self, lock: Lock) -> None:
        """Asked of the server before every statement."""
        ((holder, own),) = self.query(f"SELECT IS_USED_LOCK({self.literal(lock.name)}), CONNECTION_ID()")
        if holder != own and own == self._number:
            raise RefusedError(f"{self.facts.name}: {LET_GO}")
        if holder != own:
            raise RefusedError(
                f"{self.facts.name}: the lock is not on this session any more: a proxy between here and the server gives each transaction "
                "another one; use the direct address of the server"
            )

    def direct(self) -> None:
        """Two looks must meet the same server session."""
        if len({self.query("SELECT CONNECTION_ID()")[0][0] for _ in range(2)}) > 1:
            raise RefusedError(
                f"{self.facts.name}: a proxy between here and the server gives each transaction another session, so that no lock can be held: "
                "use the direct address of the server"
            )

    def holder(self, lock: Lock) -> str:
        """Connection, user, address and for how long, as far as this user may see."""
        ((number,),) = self.query(f"SELECT IS_USED_LOCK({self.literal(lock.name)})")
        if number is None:
            return ""
        rows = self.query(f"SELECT user, host, time FROM information_schema.processlist WHERE id = {int(number)}")
        return f"connection {number}" + (
            f" of {rows[0][0]} from {rows[0][1]}, for {rows[0][2]} s in its state" if rows else ""
        )

    def unlock(self, lock: Lock) -> None:
        """Let it go; the end of the session does the same."""
        with suppress(DatabaseFailure):
            self.query(f"SELECT RELEASE_LOCK({self.literal(lock.name)})")

    def fingerprint(self) -> Mapping[str, str]:
        """What inspecting finds, and partitions, comments, collations and events beside it."""
        found = {name: digest(text) for name, text in objects(inspect(self.query, self.facts.schema))}
        for kind, name, text in self._here(_MORE):
            found[f"{kind} {name}"] = digest(str(text))
        usual = dict(self._here(_DEFAULTS))
        for table, column, collation in self._here(_COLLATIONS):
            if usual.get(table) not in {None, collation}:
                found[f"collation of {table}.{column}"] = digest(str(collation))
        return found

    def _here(self, sql: str) -> list[tuple[Any, ...]]:
        return self.query(sql.replace("{own}", self.literal(self.facts.schema)))

    def tables(self) -> tuple[str, ...]:
        """Base tables of the database."""
        rows = self.query(
            "SELECT table_name FROM information_schema.tables WHERE table_type = 'BASE TABLE' AND table_schema = "
            f"{self.literal(self.facts.schema)} ORDER BY 1"
        )
        return tuple(str(name) for (name,) in rows if name not in OWN_TABLES)

    def definition(self, kind: str, schema: str, name: str) -> str | None:
        """As SHOW CREATE has it, without the counter that rows move."""
        full = f"{self.quoted(schema or self.facts.schema)}.{self.quoted(name)}"
        column = {"trigger": 2, "routine": 2}.get(kind, 1)
        for what in {"trigger": ("TRIGGER",), "routine": ("PROCEDURE", "FUNCTION")}.get(kind, ("TABLE",)):
            try:
                rows = self.query(f"SHOW CREATE {what} {full}")
            except DatabaseFailure as failure:
                if failure.code in _GONE:
                    continue
                raise
            return _COUNTER.sub("", str(rows[0][column])) if rows else None
        return None

    def undoes(self, tables: Sequence[tuple[str, str]]) -> bool:
        """Tables of a transactional engine without triggers, or a database that has no other tables at all."""
        if not tables:
            return True
        engines = ", ".join(self.literal(engine) for engine in _UNDOES)
        others = self.query(
            "SELECT count(*) FROM information_schema.tables WHERE table_type = 'BASE TABLE' AND table_schema = "
            f"{self.literal(self.facts.schema)} AND engine NOT IN ({engines})"
        )
        if others[0][0] == 0 and all(schema in {"", self.facts.schema} for schema, _ in tables):
            return True
        return all(self._undone(schema or self.facts.schema, name, engines) for schema, name in tables)

    def _undone(self, schema: str, name: str, engines: str) -> bool:
        where = f"table_schema = {self.literal(schema)} AND table_name = {self.literal(name)}"
        rows = self.query(f"SELECT engine IN ({engines}) FROM information_schema.tables WHERE {where}")
        triggers = self.query(
            f"SELECT 1 FROM information_schema.triggers WHERE event_object_schema = {self.literal(schema)} "
            f"AND event_object_table = {self.literal(name)} LIMIT 1"
        )
        return bool(rows) and bool(rows[0][0]) and not triggers

    def rows(self, schema: str, table: str) -> int | None:
        """InnoDB's estimate."""
        found = self.query(
            f"SELECT table_rows FROM information_schema.tables WHERE table_schema = {self.literal(schema or self.facts.schema)} "
            f"AND table_name = {self.literal(table)}"
        )
        return int(found[0][0]) if found and found[0][0] is not None else None

    def literal(self, value: str | int | None) -> str:
        """In hexadecimal where the session's sql_mode and character set decide what it means."""
        if isinstance(value, str) and ("'" in value or "\\" in value or "\0" in value or not value.isascii()):
            return f"CONVERT(0x{value.encode('utf-8', 'replace').hex()} USING utf8mb4)"
        return super().literal(value)

    def quoted(self, name: str) -> str:
        """Backticks, which every sql_mode knows."""
        return "`" + name.replace("`", "``") + "`"

    def _variables(self) -> dict[str, str]:
        return {str(name): str(value) for name, value in self.query("SHOW SESSION VARIABLES")}
