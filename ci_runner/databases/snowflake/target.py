"""Snowflake as a deployment's target: every change of the schema commits by itself, the lock is a row. Tried on a stand-in, never on an account."""

from __future__ import annotations

from functools import partial

from ci_runner.databases.address import Address, Use
from ci_runner.databases.claims import WEAK, Claiming
from ci_runner.databases.dbapi import PlainSession
from ci_runner.databases.snowflake import connect
from ci_runner.databases.target import OWN_TABLES, Target, Words
from ci_runner.model.deploy import Facts


def open_target(address: Address, name: str) -> Target:
    """Connect as run ``name``."""
    database = connect(address, Use())
    base, _, schema = address.database.partition("/")
    schema = (schema or "PUBLIC").upper()
    place = f"snowflake:{address.options.get('account') or address.host}/{base}/{schema}"
    facts = Facts(
        "snowflake", database.engine, database.version, base, schema, place, address.user, ddl=False, weak=WEAK
    )
    return SnowflakeTarget(database, facts, partial(open_target, address, name), name)


class SnowflakeTarget(Claiming[PlainSession]):
    """Own names are unquoted, so that Snowflake folds them as it does everybody's."""

    words = Words("varchar", "varchar", "bigint")

    def qualified(self, name: str) -> str:
        """In the schema of the connection."""
        return f"{super().quoted(self.facts.schema)}.{name}"

    def quoted(self, name: str) -> str:
        """Columns are quoted in capitals: position and others are words of the language."""
        return super().quoted(name.upper())

    def literal(self, value: str | int | None) -> str:
        """A backslash escapes, too (https://docs.snowflake.com/sql-reference/data-types-text)."""
        return super().literal(value.replace("\\", "\\\\") if isinstance(value, str) else value)

    def tables(self) -> tuple[str, ...]:
        """Base tables of the schema."""
        rows = self.query(
            f"SELECT table_name FROM information_schema.tables WHERE table_type = 'BASE TABLE' AND table_schema = {self.literal(self.facts.schema)} "
            "ORDER BY 1"
        )
        return tuple(str(name) for (name,) in rows if str(name).lower() not in OWN_TABLES)

    def definition(self, kind: str, schema: str, name: str) -> str | None:
        """Columns of a table or view by the catalogue; nothing is told of other kinds. Names compare folded, as unquoted ones are."""
        if kind not in {"table", "view"}:
            return None
        rows = self.query(
            "SELECT column_name, data_type, is_nullable, column_default, comment FROM information_schema.columns WHERE table_schema = "
            f"{self.literal((schema or self.facts.schema).upper())} AND upper(table_name) = {self.literal(name.upper())} ORDER BY ordinal_position"
        )
        return repr(rows) if rows else None
