"""Every statement's lock and cost, as the vendors' manuals have them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ci_runner import sql
from ci_runner.model.operations import Name
from ci_runner.sql.effect_table import COSTS, EFFECTS, STRENGTH, known
from tests.sql.reading import every_form, forms, read

COSTED = [
    ("postgres", "ALTER TABLE a ADD COLUMN b int", "ACCESS EXCLUSIVE", "metadata"),
    ("postgres", "ALTER TABLE a ADD COLUMN b int NOT NULL DEFAULT 0", "ACCESS EXCLUSIVE", "metadata"),
    ("postgres", "ALTER TABLE a ADD COLUMN b timestamptz DEFAULT now()", "ACCESS EXCLUSIVE", "metadata"),
    ("postgres", "ALTER TABLE a ADD COLUMN b uuid DEFAULT gen_random_uuid()", "ACCESS EXCLUSIVE", "rewrite"),
    ("postgres", "ALTER TABLE a ADD COLUMN b text DEFAULT 'f(x)'", "ACCESS EXCLUSIVE", "metadata"),
    ("postgres", "ALTER TABLE a ADD COLUMN b bigserial", "ACCESS EXCLUSIVE", "rewrite"),
    ("postgres", "ALTER TABLE a ADD COLUMN b int GENERATED ALWAYS AS (c) STORED", "ACCESS EXCLUSIVE", "rewrite"),
    ("postgres", "ALTER TABLE a ADD COLUMN b int CHECK (b > 0)", "ACCESS EXCLUSIVE", "scan"),
    ("postgres", "ALTER TABLE a ALTER b TYPE bigint", "ACCESS EXCLUSIVE", "rewrite"),
    ("postgres", "ALTER TABLE a ALTER b SET NOT NULL", "ACCESS EXCLUSIVE", "scan"),
    ("postgres", "ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES c", "SHARE ROW EXCLUSIVE", "scan"),
    ("postgres", "ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES c NOT VALID", "SHARE ROW EXCLUSIVE", "metadata"),
    ("postgres", "ALTER TABLE a VALIDATE CONSTRAINT x", "SHARE UPDATE EXCLUSIVE", "scan"),
    ("postgres", "ALTER TABLE a ADD COLUMN b int, ALTER c SET STATISTICS 5", "ACCESS EXCLUSIVE", "metadata"),
    ("postgres", "CREATE INDEX i ON a (b)", "SHARE", "scan"),
    ("postgres", "CREATE INDEX i ON ONLY a (b)", "SHARE", "metadata"),
    ("postgres", "CREATE INDEX CONCURRENTLY i ON a (b)", "SHARE UPDATE EXCLUSIVE", "scan"),
    ("postgres", "CREATE TABLE a (b int)", "", "metadata"),
    ("postgres", "CREATE TABLE a (b int REFERENCES c)", "SHARE ROW EXCLUSIVE", "metadata"),
    ("postgres", "LOCK TABLE a IN SHARE MODE", "SHARE", "none"),
    ("postgres", "VACUUM FULL a", "ACCESS EXCLUSIVE", "rewrite"),
    ("postgres", "UPDATE a SET b = 1", "ROW EXCLUSIVE", "scan"),
    ("postgres", "SET lock_timeout = '1s'", "", "none"),
    ("postgres", "FLY", "", "none"),
    ("mysql", "ALTER TABLE a ADD COLUMN b INT", "METADATA", "metadata"),
    ("mysql", "ALTER TABLE a MODIFY b BIGINT", "SHARED", "rewrite"),
    ("mysql", "ALTER TABLE a MODIFY b BIGINT, ALGORITHM=INSTANT", "METADATA", "metadata"),
    ("mysql", "ALTER TABLE a ADD COLUMN b INT, ALGORITHM=COPY, LOCK=EXCLUSIVE", "EXCLUSIVE", "rewrite"),
    ("mariadb", "CREATE INDEX i ON a (b)", "NONE", "scan"),
    ("sqlite", "ALTER TABLE a DROP COLUMN b", "EXCLUSIVE", "rewrite"),
    ("sqlserver", "CREATE INDEX i ON a (b)", "S", "scan"),
    ("sqlserver", "CREATE INDEX i ON a (b) WITH (ONLINE = ON)", "Sch-S", "scan"),
    ("sqlserver", "ALTER TABLE a ADD b INT NOT NULL DEFAULT 0", "Sch-M", "rewrite"),
    ("sqlserver", "ALTER TABLE a ADD b INT NULL", "Sch-M", "metadata"),
    ("clickhouse", "ALTER TABLE a UPDATE b = 1 WHERE 1", "", "rewrite"),
    ("redshift", "ALTER TABLE a ALTER DISTKEY b", "ACCESS EXCLUSIVE", "rewrite"),
    ("snowflake", "INSERT INTO a VALUES (1)", "PARTITIONS", "none"),
]


@pytest.mark.parametrize(("dialect", "text", "lock", "effect"), COSTED)
def test_a_statement_takes_the_lock_and_has_the_effect_of_the_manual(
    dialect: str, text: str, lock: str, effect: str
) -> None:
    (row,) = sql.effects(read(text, dialect), dialect)
    assert (row.lock, row.effect) == (lock, effect)


def test_a_row_names_its_operations_and_what_they_are_about() -> None:
    text = "ALTER TABLE s.a ADD COLUMN b int, RENAME CONSTRAINT x TO y;\nDO $$ BEGIN DROP TABLE c, d; END $$;\nFLY"
    rows = sql.effects(read("\n" + text, "postgres"), "postgres")
    assert rows[1].operations == (("do-block", "", False), ("drop-table", "c, d", True))
    assert (rows[2].line, rows[2].not_analysed) == (4, "no grammar for FLY at 4:1")
    (one,) = sql.effects(read("ALTER TABLE s.a ADD COLUMN b int", "postgres"), "tsql" if False else "postgres")
    assert one.operations == (("alter-table.add-column", "s.a.b", False),)


@given(st.sampled_from([(dialect, statement) for dialect, statement, _ in forms()]))
def test_every_form_has_a_lock_of_its_database_and_one_of_four_effects(form: tuple[str, str]) -> None:
    dialect, statement = form
    for row in sql.effects(read(statement, dialect), dialect):
        assert row.effect in EFFECTS
        assert row.lock in ("", *STRENGTH[dialect])


def test_every_kind_with_a_cost_is_a_kind_some_statement_has() -> None:
    made = {kind.removeprefix("conditional:") for _, _, kinds in every_form() for kind in kinds}
    made |= {
        kind.partition(".")[0] for kind in made
    }  # alter-view: what every alter-view.x costs that has no line of its own
    named = {kind for costs in COSTS.values() for kind in costs}
    assert sorted(named - made) == []


def test_an_unlisted_action_of_alter_table_costs_what_alter_table_costs() -> None:
    assert known("postgres", "alter-table.set-owner") == known("postgres", "alter-table")
    assert str(Name("s", "a")) == "s.a"
