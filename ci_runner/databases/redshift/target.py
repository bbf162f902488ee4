"""Redshift as a deployment's target: schema and rows go with their transaction; the lock is a row. Tried on PostgreSQL, never on a cluster."""

from __future__ import annotations

from functools import partial

from ci_runner.databases.address import Address, Use
from ci_runner.databases.claims import WEAK, Claiming
from ci_runner.databases.dbapi import PlainSession
from ci_runner.databases.redshift import connect
from ci_runner.databases.target import OWN_TABLES, Target, Words
from ci_runner.model.deploy import Facts


def open_target(address: Address, name: str) -> Target:
    """Connect as run ``name``."""
    database = connect(address, Use())
    ((schema, user),) = database.query("SELECT current_schema(), current_user")
    place = f"redshift:{address.host}:{address.port or 5439}/{address.database}/{schema}"
    facts = Facts(
        "redshift", database.engine, database.version, address.database, str(schema), place, str(user), weak=WEAK
    )
    return RedshiftTarget(database, facts, partial(open_target, address, name), name)


class RedshiftTarget(Claiming[PlainSession]):
    """Serializable transactions keep two claims apart (https://docs.aws.amazon.com/redshift/latest/dg/c_serial_isolation.html)."""

    BUSY = frozenset({"55P03", "40P01", "40001", "1023"})
    words = Words("varchar(255)", "varchar(65535)", "bigint")

    def tables(self) -> tuple[str, ...]:
        """Base tables of the schema."""
        rows = self.query(
            f"SELECT table_name FROM information_schema.tables WHERE table_type = 'BASE TABLE' AND table_schema = {self.literal(self.facts.schema)} "
            "ORDER BY 1"
        )
        return tuple(str(name) for (name,) in rows if name not in OWN_TABLES)

    def definition(self, kind: str, schema: str, name: str) -> str | None:
        """Columns of a table or view by the catalogue; nothing is told of other kinds."""
        if kind not in {"table", "view"}:
            return None
        rows = self.query(
            "SELECT column_name, data_type, is_nullable, column_default FROM information_schema.columns WHERE table_schema = "
            f"{self.literal(schema or self.facts.schema)} AND table_name = {self.literal(name)} ORDER BY ordinal_position"
        )
        return repr(rows) if rows else None
