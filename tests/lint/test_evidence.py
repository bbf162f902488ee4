"""What a dev database was seen to do outranks what the text says, both ways."""

from __future__ import annotations

from ci_runner.model.report import Observation
from tests.lint.harness import check, only, slugs

PRE = "CREATE TABLE a (id int, n varchar(10)); CREATE INDEX i ON a (n);"


def seen(kind: str, detail: str = "", *, table: str = "a", statement: int = 0) -> Observation:
    return Observation("2.sql", statement, kind, table, detail)


def test_without_a_database_everything_is_inferred() -> None:
    assert only(check("ALTER TABLE a ALTER id TYPE bigint;", pre=PRE), "type-change-rewrite").evidence == "inferred"


def test_a_rewrite_that_was_seen_is_observed() -> None:
    observations = [seen("rewrite"), seen("lock", "AccessExclusiveLock")]
    linted = check("ALTER TABLE a ALTER id TYPE bigint;", pre=PRE, observations=observations)
    assert only(linted, "type-change-rewrite").evidence == "observed"


def test_a_rewrite_that_did_not_come_takes_the_finding_back() -> None:
    linted = check("ALTER TABLE a ALTER id TYPE bigint;", pre=PRE, observations=[seen("lock", "AccessExclusiveLock")])
    assert slugs(linted) == []


def test_a_rewrite_nobody_inferred_is_found() -> None:
    linted = check("ALTER TABLE a ALTER n TYPE varchar(20);", pre=PRE, observations=[seen("rewrite")])
    assert only(linted, "type-change-rewrite").evidence == "observed"


def test_of_several_operations_only_the_inferred_one_is_blamed() -> None:
    sql = "ALTER TABLE a ALTER id TYPE bigint, ALTER n TYPE varchar(20);"
    linted = check(sql, pre=PRE, observations=[seen("rewrite")])
    assert '"id"' in only(linted, "type-change-rewrite").message


def test_what_was_seen_on_another_table_says_nothing_of_this_one() -> None:
    linted = check("ALTER TABLE a ALTER id TYPE bigint;", pre=PRE, observations=[seen("lock", table="b")])
    assert only(linted, "type-change-rewrite").evidence == "inferred"


def test_what_was_seen_at_another_statement_says_nothing_of_this_one() -> None:
    linted = check("SELECT 1;\nALTER TABLE a ALTER id TYPE bigint;", pre=PRE, observations=[seen("lock", statement=0)])
    assert only(linted, "type-change-rewrite").evidence == "inferred"


def test_a_refused_statement_is_observed() -> None:
    observations = [seen("error", "column contains null values")]
    assert (
        only(
            check("ALTER TABLE a ADD m int NOT NULL;", pre=PRE, observations=observations), "add-notnull-no-default"
        ).evidence
        == "observed"
    )


def test_a_scan_that_was_skipped_takes_set_not_null_back() -> None:
    linted = check("ALTER TABLE a ALTER n SET NOT NULL;", pre=PRE, observations=[seen("lock", "AccessExclusiveLock")])
    assert slugs(linted) == []


def test_the_algorithm_a_server_chose_outranks_the_table_of_types() -> None:
    pre = "CREATE TABLE t (id INT PRIMARY KEY, n INT);"
    sql = "ALTER TABLE t MODIFY n BIGINT;"
    instant = check(sql, "mariadb", pre=pre, observations=[seen("algorithm", "instant", table="t")])
    assert slugs(instant) == []
    copied = check(sql, "mariadb", pre=pre, observations=[seen("algorithm", "copy", table="t")])
    assert only(copied, "mysql-copy-alter").evidence == "observed"
    unforeseen = check(
        "ALTER TABLE t ADD COLUMN m INT;", "mariadb", pre=pre, observations=[seen("algorithm", "copy", table="t")]
    )
    assert only(unforeseen, "mysql-copy-alter").evidence == "observed"


def test_a_scanned_partition_confirms_what_was_said_of_its_parent() -> None:
    pre = "CREATE TABLE p (d date) PARTITION BY RANGE (d); CREATE TABLE c (d date);"
    sql = "ALTER TABLE p ATTACH PARTITION c FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');"
    scanned = [seen("lock", "ShareUpdateExclusiveLock", table="p"), seen("scan", table="c")]
    assert only(check(sql, pre=pre, observations=scanned), "attach-scan").evidence == "observed"
    assert slugs(check(sql, pre=pre, observations=[seen("lock", "ShareUpdateExclusiveLock", table="p")])) == []


def test_lost_rows_confirm_a_cascading_rebuild() -> None:
    pre = "CREATE TABLE t (id INTEGER PRIMARY KEY); CREATE TABLE c (t_id INTEGER REFERENCES t (id) ON DELETE CASCADE);"
    sql = "CREATE TABLE t2 (id INTEGER PRIMARY KEY);\nINSERT INTO t2 SELECT id FROM t;\nDROP TABLE t;\nALTER TABLE t2 RENAME TO t;"
    lost = [seen("rows-lost", "1 row before, 0 after", table="c", statement=2)]
    assert only(check(sql, "sqlite", pre=pre, observations=lost), "sqlite-rebuild-fk-cascade").evidence == "observed"
