"""Which changes of a column's type ClickHouse refuses, rewrites parts for, or keeps as metadata: held to its own engine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.images.servers import chdb_home
from tests.lint.harness import check, slugs

__all__ = ["chdb_home"]
TYPES = [
    "UInt8", "UInt64", "Bool", "String", "LowCardinality(String)", "Nullable(String)", "DateTime", "DateTime('UTC')", "Decimal(18,2)",
    "Decimal64(2)", "Enum8('a'=1,'b'=2)", "Enum8('a'=1)", "Enum8('x'=1,'b'=2)", "Enum16('a'=1,'b'=2)", "SimpleAggregateFunction(sum,UInt64)",
]  # fmt: skip
TABLES = {
    "column": "CREATE TABLE t (id UInt64, c {}) ENGINE = MergeTree ORDER BY id",
    "key": "CREATE TABLE t (id UInt64, c {}) ENGINE = MergeTree ORDER BY (id, c)",
    "inside a key": "CREATE TABLE t (id UInt64, c {}) ENGINE = MergeTree ORDER BY (id, toString(c))",
}
ENGINE = """
import json, sys
from chdb import session
here = session.Session()
def asked(text):
    return str(here.query(text, "TabSeparated")).strip()
def done(made, new):
    asked("DROP TABLE IF EXISTS t")
    asked(made)
    asked("INSERT INTO t (id) VALUES (1)")
    try:
        asked(f"ALTER TABLE t MODIFY COLUMN c {new}")
    except Exception as error:
        return "refused" if "FORBIDDEN" in str(error) else None
    return "mutation" if asked("SELECT count() FROM system.mutations WHERE table = 't'") != "0" else "metadata"
asked("SET mutations_sync = 0")
types, tables = json.load(sys.stdin)
for name, table in tables.items():
    for old in types:
        try:
            asked("DROP TABLE IF EXISTS t")
            asked(table.format(old))
        except Exception:
            continue  # not every type can be a key
        for new in types:
            if new != old:
                print(json.dumps([name, old, new, done(table.format(old), new)]))
"""


def told(table: str, new: str) -> str:
    found = slugs(check(f"ALTER TABLE t MODIFY COLUMN c {new};", "clickhouse", pre=f"{table};", tx="none"))
    return "refused" if "ch-key-column-change" in found else "mutation" if "ch-mutation" in found else "metadata"


def test_what_is_said_of_a_type_change_is_what_the_engine_does(chdb_home: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-c", ENGINE], input=json.dumps([TYPES, TABLES]), capture_output=True, text=True, timeout=300, check=True,
        env=os.environ | {"PYTHONPATH": str(chdb_home)},
    )  # fmt: skip
    compared, wrong = 0, {}
    for line in run.stdout.splitlines():
        name, old, new, truth = json.loads(line)
        if truth is None:
            continue  # types that cannot be cast into one another
        compared += 1
        if told(TABLES[name].format(old), new) != truth:
            wrong[name, old, new] = truth
    assert wrong == {}
    assert compared > 450
