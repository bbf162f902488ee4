"""Which clauses of ALTER TABLE copy the table: held to MySQL and MariaDB, that are asked for each algorithm in turn."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import pymysql
import pytest
import yaml

from tests.images.servers import PASSWORD, Server, container_engine, mariadb_server, mysql_image, mysql_server
from tests.lint.harness import check, slugs

__all__ = ["container_engine", "mariadb_server", "mysql_image", "mysql_server"]
CLAUSES = yaml.safe_load((Path(__file__).parent / "clauses.yaml").read_text(encoding="utf-8"))
SUPPORTED_NOT = (1845, 1846, 1847)  # by that algorithm: for this operation, for this reason, with this lock
COPIES = {"mysql-copy-alter", "constraint-not-valid-missing"}


def fresh(cursor: Any, tables: list[str]) -> None:
    for statement in ("DROP DATABASE IF EXISTS clauses", "CREATE DATABASE clauses", "USE clauses", *tables):
        cursor.execute(statement)


def copied(cursor: Any, clause: str, tables: list[str]) -> bool | None:
    """Whether the server can do it by a copy alone; None where it refuses the clause altogether. It is done then."""
    for algorithm in ("INSTANT", "INPLACE", "COPY"):
        try:
            cursor.execute(f"ALTER TABLE t ALGORITHM={algorithm}, {clause}")
        except pymysql.MySQLError as error:
            if error.args[0] not in SUPPORTED_NOT:
                return None
        else:
            cursor.execute("DROP TABLE IF EXISTS t, t2")
            cursor.execute(tables[-1])
            return algorithm == "COPY"
    return None


@pytest.mark.parametrize("engine", ["mariadb", "mysql"])
def test_what_is_told_to_copy_the_table_is_what_the_server_copies(engine: str, request: pytest.FixtureRequest) -> None:
    server: Server = request.getfixturevalue(f"{engine}_server")
    told_wrong, compared = {}, 0
    place: dict[str, Any] = {"host": "127.0.0.1", "port": server.port, "user": server.admin, "password": PASSWORD}
    sets = [(CLAUSES["tables"], [*CLAUSES["both"], *CLAUSES[engine]])]
    sets += [([more["table"]], more["clauses"]) for more in CLAUSES["further"]]
    with closing(pymysql.connect(**place, autocommit=True)) as session, session.cursor() as cursor:
        for tables, clauses in sets:
            fresh(cursor, tables)
            before = ";\n".join(tables) + ";"
            for clause in clauses:
                truth = copied(cursor, clause, tables)
                if truth is None:
                    continue
                compared += 1
                told = bool(COPIES & set(slugs(check(f"ALTER TABLE t {clause};", engine, pre=before, tx="none"))))
                if told != truth:
                    told_wrong[tables[-1][:80], clause] = truth
    assert told_wrong == {}
    assert compared > 150
