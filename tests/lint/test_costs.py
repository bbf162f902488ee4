"""What explain says a statement of PostgreSQL costs is what the rules say of it, wherever the schema is known."""

from __future__ import annotations

from typing import Any

import pytest

from ci_runner import sql
from ci_runner.lint.costs import exact
from ci_runner.model.report import StatementEffect
from ci_runner.sql import catalog
from tests.lint.harness import before, check, migration
from tests.lint.test_cases import OWN

REWRITES = {"type-change-rewrite", "volatile-default-rewrite", "stored-generated-rewrite", "serial-identity-rewrite"}
READS = {"set-not-null-scan", "constraint-not-valid-missing", "attach-scan", "unique-constraint-blocking", "exclusion-constraint",
         "type-change-index-rebuild"}  # fmt: skip
JUDGED = (
    "add-column",
    "alter-column-type",
    "set-not-null",
    "add-check",
    "add-primary-key-using-index",
    "attach-partition",
)


def explained(text: str, pre: str | list[str]) -> tuple[StatementEffect, ...]:
    state = catalog.release(before([pre] if isinstance(pre, str) else pre, "postgres"))
    return sql.effects(sql.statements(migration(text), "postgres"), "postgres", state, exact)


KNOWN = """CREATE TYPE mood AS ENUM ('x'); CREATE TABLE a (b int, c varchar(20), d numeric(10, 2), e text NOT NULL, f text, g timestamp, h xml);
CREATE INDEX i ON a (lower(f)); CREATE UNIQUE INDEX u ON a (b); ALTER TABLE a ADD CONSTRAINT k CHECK (d > 0);
CREATE FUNCTION steady() RETURNS int LANGUAGE sql STABLE AS 'SELECT 1'; CREATE FUNCTION fresh() RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE DOMAIN code AS text DEFAULT gen_random_uuid()::text; CREATE UNLOGGED TABLE n (b int); CREATE TABLE o (b int); ALTER TABLE o SET UNLOGGED;
CREATE FOREIGN TABLE far (b int) SERVER s; CREATE TABLE p (r text NOT NULL) PARTITION BY LIST (r);
CREATE TABLE p_eu (r text NOT NULL CHECK (r = 'eu')); CREATE TABLE p_us (r text NOT NULL)"""
TOLD = [
    ("ALTER TABLE a ALTER b TYPE bigint", "rewrite"), ("ALTER TABLE a ALTER b TYPE int4", "metadata"),
    ("ALTER TABLE a ALTER c TYPE varchar(50)", "metadata"),
    ("ALTER TABLE a ALTER c TYPE varchar(5)", "rewrite"), ("ALTER TABLE a ALTER c TYPE text USING c::text", "metadata"),
    ("ALTER TABLE a ALTER c TYPE text USING trim(c)", "rewrite"), ("ALTER TABLE a ALTER d TYPE numeric(12, 2)", "scan"),
    ("ALTER TABLE a ALTER f TYPE varchar", "scan"), ("ALTER TABLE a ALTER h TYPE text", "metadata"),
    ("ALTER TABLE a ALTER g TYPE timestamptz", "rewrite"),
    ("SET timezone = 'UTC'; ALTER TABLE a ALTER g TYPE timestamptz", "metadata"), ("ALTER TABLE unseen ALTER b TYPE text", "rewrite"),
    ("ALTER TABLE a ADD x int DEFAULT steady()", "metadata"), ("ALTER TABLE a ADD x int DEFAULT fresh()", "rewrite"),
    ("ALTER TABLE a ADD x text DEFAULT to_char(now(), 'YYYY')", "metadata"), ("ALTER TABLE a ADD x code", "rewrite"),
    ("ALTER TABLE a ADD IF NOT EXISTS b bigserial", "metadata"), ("ALTER TABLE a ADD x int REFERENCES z DEFAULT NULL", "metadata"),
    ("ALTER TABLE a ADD x int UNIQUE", "scan"), ("ALTER TABLE a ALTER e SET NOT NULL", "metadata"), ("ALTER TABLE a ALTER f SET NOT NULL", "scan"),
    ("ALTER TABLE a ADD PRIMARY KEY USING INDEX u", "scan"), ("ALTER TABLE ONLY p ADD UNIQUE (r)", "metadata"),
    ("ALTER TABLE a SET LOGGED", "metadata"), ("ALTER TABLE a SET UNLOGGED", "rewrite"), ("ALTER TABLE n SET UNLOGGED", "metadata"),
    ("ALTER TABLE n SET LOGGED", "rewrite"), ("ALTER TABLE o SET UNLOGGED", "metadata"), ("ALTER TABLE unseen SET LOGGED", "rewrite"),
    ("ALTER FOREIGN TABLE far ALTER b TYPE bigint", "metadata"), ("ALTER TABLE far ALTER b SET NOT NULL, ADD CHECK (b > 0)", "metadata"),
    ("ALTER TABLE p ATTACH PARTITION p_eu FOR VALUES IN ('eu')", "metadata"), ("ALTER TABLE p ATTACH PARTITION p_us FOR VALUES IN ('us')", "scan"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "effect"), TOLD)
def test_a_statement_costs_what_the_schema_makes_it_cost(text: str, effect: str) -> None:
    row = explained(text, KNOWN)[-1]
    assert (row.lock, row.effect) == ("ACCESS EXCLUSIVE", effect)


SINGLE = [
    case
    for case in OWN
    if case["dialect"] == "postgres"
    and not case.get("with")
    and not ("SET LOCAL" in case["sql"] and case.get("tx") == "none")
]  # costs do not know the transaction


def _differing(case: dict[str, Any]) -> list[tuple[str, str, set[str]]]:
    """Statements of one judged action on a table that was there, of which findings and costs do not say the same."""
    pre, wrong = case.get("pre", ""), []
    state = catalog.release(before([pre] if isinstance(pre, str) else pre, "postgres"))
    statements = sql.statements(migration(case["sql"], tx=case.get("tx", "file")), "postgres")
    found = check(case["sql"], "postgres", pre=pre, tx=case.get("tx", "file")).findings
    for statement, row in zip(statements, sql.effects(statements, "postgres", state, exact), strict=True):
        operation = statement.operations[0] if len(statement.operations) == 1 else None
        table = getattr(operation, "table", None)
        if (
            operation is None
            or table is None
            or not operation.kind.startswith(tuple(f"alter-table.{k}" for k in JUDGED))
        ):
            continue
        if catalog.table_of(state, table, "postgres") is None or f"CREATE TABLE {table}" in case["sql"]:
            continue
        slugs = {f.rule for f in found if f.line == statement.line}
        told = "rewrite" if slugs & REWRITES else "scan" if slugs & READS else "metadata"
        if told != row.effect:
            wrong.append((statement.text, row.effect, slugs))
    return wrong


def test_findings_and_costs_agree_on_every_labelled_file() -> None:
    assert {case["id"]: wrong for case in SINGLE if (wrong := _differing(case))} == {}
