"""What MySQL and MariaDB can do only by copying a table is told before, and nothing else is: random tables and changes on the servers."""

from __future__ import annotations

import random
from contextlib import closing
from typing import Any

import pymysql
import pytest

from tests.images.servers import PASSWORD, Server, container_engine, mariadb_server, mysql_image, mysql_server
from tests.lint.harness import check, slugs
from tests.lint.test_algorithms import COPIES, SUPPORTED_NOT

__all__ = ["container_engine", "mariadb_server", "mysql_image", "mysql_server"]
TEXTS = (
    "VARCHAR(20)", "VARCHAR(63)", "VARCHAR(64)", "VARCHAR(255)", "VARCHAR(300)", "CHAR(10)", "TEXT", "MEDIUMTEXT", "ENUM('a','b')",
    "ENUM('a','b','c')", "SET('a','b')",
)  # fmt: skip
OTHERS = (
    "INT",
    "BIGINT",
    "INT UNSIGNED",
    "DECIMAL(10,2)",
    "DATETIME",
    "DATETIME(3)",
    "TIMESTAMP NULL",
    "DATE",
    "JSON",
    "BLOB",
    "VARBINARY(50)",
    "BINARY(16)",
    "DOUBLE",
    "BIT(4)",
)
ENCODINGS = (
    "",
    "",
    "",
    " CHARACTER SET utf8mb4",
    " CHARACTER SET latin1",
    " CHARACTER SET utf8mb3",
    " COLLATE utf8mb4_bin",
    " CHARACTER SET ascii",
)
KEYS = (
    "",
    "",
    "",
    ", KEY k (b)",
    ", FULLTEXT KEY f (d)",
    ", KEY k2 (c, id)",
    ", FOREIGN KEY (id) REFERENCES p (id)",
    ", KEY k3 (d(5))",
)
DEFAULTS = (
    "DEFAULT CHARSET=latin1",
    "DEFAULT CHARSET=utf8mb4",
    "DEFAULT CHARSET=utf8mb3",
    "CHARSET utf8mb4 COLLATE utf8mb4_bin",
)
ACTIONS = (
    "MODIFY {x} {new}", "MODIFY {x} {new}", "MODIFY {x} {new} NOT NULL", "MODIFY {x} {old} NOT NULL", "MODIFY {x} {old} AFTER id",
    "CHANGE {x} y {old}",
    "ADD COLUMN n {new}", "ADD COLUMN n INT FIRST", "ADD COLUMN n INT AS (id + 1) STORED", "ADD COLUMN n INT NOT NULL DEFAULT 1", "DROP COLUMN {x}",
    "ADD COLUMN n VARCHAR(36) DEFAULT (UUID())", "RENAME COLUMN {x} TO z", "ALTER {x} DROP DEFAULT", "ADD INDEX i (id)", "ADD FULLTEXT i (d)",
    "DROP PRIMARY KEY", "DROP PRIMARY KEY, ADD PRIMARY KEY (id)", "ADD CONSTRAINT q CHECK (id > 0)", "ADD FOREIGN KEY (id) REFERENCES p (id)",
    "COMMENT='x'", "ROW_FORMAT=COMPRESSED", "FORCE", "DEFAULT CHARSET=utf8mb4", "CONVERT TO CHARACTER SET utf8mb4", "CONVERT TO CHARACTER SET latin1",
    "MODIFY id BIGINT NOT NULL", "MODIFY id INT NOT NULL AUTO_INCREMENT", "DROP KEY k",
)  # fmt: skip


def drawn(pick: random.Random) -> tuple[str, str]:
    """A table and one change of it."""

    def kind() -> str:
        return pick.choice(TEXTS) + pick.choice(ENCODINGS) if pick.random() < 0.6 else pick.choice(OTHERS)

    types = {name: kind() for name in ("a", "b", "c")}
    columns = ", ".join(f"{name} {type_}{pick.choice((' NOT NULL', '', ''))}" for name, type_ in types.items())
    table = f"CREATE TABLE t (id INT PRIMARY KEY, {columns}, d TEXT{pick.choice(KEYS)}) ENGINE=InnoDB {pick.choice(DEFAULTS)}"
    name, old = pick.choice(list(types.items()))
    alike = [type_ for type_ in (*TEXTS, *OTHERS) if type_.split("(")[0] == old.split("(")[0].split(" ")[0]]
    new = pick.choice(alike) + pick.choice(ENCODINGS) if alike and alike[0] in TEXTS else kind()
    return table, pick.choice(ACTIONS).format(x=name, old=old, new=new)


def copied(cursor: Any, table: str, clause: str) -> bool | None:
    """Whether the server can do it by a copy alone; None where it refuses the table or the clause."""
    for algorithm in ("INSTANT", "INPLACE", "COPY"):
        for statement in (
            "DROP DATABASE IF EXISTS copied",
            "CREATE DATABASE copied",
            "USE copied",
            "CREATE TABLE p (id INT PRIMARY KEY)",
        ):
            cursor.execute(statement)
        try:
            cursor.execute(table)
            cursor.execute(f"ALTER TABLE t ALGORITHM={algorithm}, {clause}")
        except pymysql.MySQLError as error:
            if error.args[0] not in SUPPORTED_NOT:
                return None
        else:
            return algorithm == "COPY"
    return None


@pytest.mark.parametrize("engine", ["mariadb", "mysql"])
def test_what_the_server_copies_is_told_and_nothing_else(engine: str, request: pytest.FixtureRequest) -> None:
    server: Server = request.getfixturevalue(f"{engine}_server")
    pick, wrong, compared = random.Random(7), [], 0
    place: dict[str, Any] = {"host": "127.0.0.1", "port": server.port, "user": server.admin, "password": PASSWORD}
    with closing(pymysql.connect(**place, autocommit=True)) as session, session.cursor() as cursor:
        for _ in range(60):
            table, clause = drawn(pick)
            truth = copied(cursor, table, clause)
            if truth is None:
                continue
            compared += 1
            before = f"CREATE TABLE p (id INT PRIMARY KEY);\n{table};"
            told = bool(COPIES & set(slugs(check(f"ALTER TABLE t {clause};", engine, pre=before, tx="none"))))
            if told != truth:
                wrong.append((clause, table, truth))
    assert wrong == []
    assert compared > 30
