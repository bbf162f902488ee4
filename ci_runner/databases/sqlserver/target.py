"""SQL Server as a deployment's target: schema and rows go with their transaction, the lock is an application lock. Written from documentation."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from functools import partial

from ci_runner.databases.address import Address, Use
from ci_runner.databases.dbapi import PlainSession
from ci_runner.databases.failure import DatabaseFailure
from ci_runner.databases.session import Session
from ci_runner.databases.sqlserver import connect
from ci_runner.databases.target import OWN_TABLES, Lock, Target, Words
from ci_runner.errors import RefusedError
from ci_runner.model.deploy import Facts

_TABLE = """SELECT c.name, t.name, c.max_length, c.precision, c.scale, c.is_nullable, c.is_identity, c.is_computed, d.definition
FROM sys.columns c JOIN sys.types t ON t.user_type_id = c.user_type_id LEFT JOIN sys.default_constraints d ON d.object_id = c.default_object_id
WHERE c.object_id = OBJECT_ID({name}) ORDER BY c.column_id"""
_PARTS = "SELECT name, type_desc, is_unique, is_disabled FROM sys.indexes WHERE object_id = OBJECT_ID({name}) AND name IS NOT NULL ORDER BY name"
_MORE = "SELECT name, type FROM sys.objects WHERE parent_object_id = OBJECT_ID({name}) ORDER BY name"


def open_target(address: Address, name: str) -> Target:
    """Connect."""
    database = connect(address, Use())
    ((schema, user),) = database.query("SELECT SCHEMA_NAME(), SUSER_SNAME()")
    place = f"sqlserver:{address.host or 'localhost'}:{address.port or 1433}/{address.database or 'master'}/{schema}"
    facts = Facts(
        "sqlserver", database.engine, database.version, address.database or "master", str(schema), place, str(user),
        weak="never tried on a server: what is said of SQL Server rests on its documentation",
    )  # fmt: skip
    return SqlServerTarget(database, facts, partial(open_target, address, name))


class SqlServerTarget(Session[PlainSession]):
    """Settings of a file reach the next one: a new session would give up the lock."""

    BUSY = frozenset({"1222", "1205"})
    words = Words("nvarchar(200)", "nvarchar(max)", "bigint")

    def limits(self, lock_ms: int, statement_ms: int) -> None:  # noqa: ARG002 - statements have no limit of the server's
        """https://learn.microsoft.com/sql/t-sql/statements/set-lock-timeout-transact-sql"""
        self.write([f"SET LOCK_TIMEOUT {lock_ms or -1}"])

    def reset(self) -> None:
        """Undo what is open."""
        self.rollback()

    def try_lock(self, lock: Lock) -> bool:
        """https://learn.microsoft.com/sql/relational-databases/system-stored-procedures/sp-getapplock-transact-sql"""
        name = self.literal(lock.name)
        rows = self.query(
            f"DECLARE @got int; EXEC @got = sp_getapplock @Resource = {name}, @LockMode = 'Exclusive', @LockOwner = 'Session', "
            "@LockTimeout = 0; SELECT @got"
        )
        return bool(int(rows[0][0]) >= 0)

    def check_lock(self, lock: Lock) -> None:
        """https://learn.microsoft.com/sql/t-sql/functions/applock-mode-transact-sql"""
        if self.query(f"SELECT APPLOCK_MODE('public', {self.literal(lock.name)}, 'Session')")[0][0] != "Exclusive":
            raise RefusedError(
                f"{self.facts.name}: the lock is not on this session any more: use the direct address of the server"
            )

    def holder(self, lock: Lock) -> str:
        """As far as this user may see."""
        with suppress(DatabaseFailure):
            rows = self.query(
                "SELECT s.session_id, s.host_name, s.login_name FROM sys.dm_tran_locks l JOIN sys.dm_exec_sessions s ON s.session_id = "
                "l.request_session_id WHERE l.resource_type = 'APPLICATION' AND l.resource_description LIKE "
                f"'%' + LEFT({self.literal(lock.name)}, 32) + '%'"
            )
            if rows:
                return f"session {rows[0][0]} of {rows[0][2]} from {rows[0][1]}"
        return ""

    def unlock(self, lock: Lock) -> None:
        """The end of the session does the same."""
        with suppress(DatabaseFailure):
            self.write([f"EXEC sp_releaseapplock @Resource = {self.literal(lock.name)}, @LockOwner = 'Session'"])

    def tables(self) -> tuple[str, ...]:
        """User tables, those of other schemas qualified."""
        rows = self.query("SELECT SCHEMA_NAME(schema_id), name FROM sys.tables ORDER BY 1, 2")
        return tuple(
            str(name) if schema == self.facts.schema else f"{schema}.{name}"
            for schema, name in rows
            if name not in OWN_TABLES
        )

    def definition(self, kind: str, schema: str, name: str) -> str | None:
        """Text of views, routines and triggers; columns, indexes and constraints of tables."""
        full = self.literal(f"{self.quoted(schema or self.facts.schema)}.{self.quoted(name)}")
        if kind in {"view", "routine", "trigger"}:
            text = self.query(f"SELECT OBJECT_DEFINITION(OBJECT_ID({full}))")[0][0]
            return None if text is None else str(text)
        if kind != "table":
            return None
        found: Sequence[tuple[object, ...]] = self.query(_TABLE.replace("{name}", full))
        parts = [self.query(each.replace("{name}", full)) for each in (_PARTS, _MORE)] if found else []
        return repr([found, *parts]) if found else None

    def literal(self, value: str | int | None) -> str:
        """Unicode."""
        return f"N{super().literal(value)}" if isinstance(value, str) else super().literal(value)

    def quoted(self, name: str) -> str:
        """Brackets, whatever QUOTED_IDENTIFIER says."""
        return "[" + name.replace("]", "]]") + "]"
