"""SQL of the team's own prepares every empty dev database, with an administrator's rights that no migration has."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ci_runner import devdb
from ci_runner.databases import DatabaseFailure, Sql
from ci_runner.devdb import Init, Shelf
from ci_runner.errors import ConfigError
from tests.devdb.opening import RUN, execute
from tests.devdb.test_contract import direct_url
from tests.images.servers import Server


def init(*statements: str) -> Init:
    return Init("db/init.sql", tuple(map(Sql, statements)))


POSTGRES = init(
    "CREATE ROLE app NOLOGIN",
    "CREATE EXTENSION dblink",
    "CREATE SCHEMA app",
    "CREATE TABLE app.settings (name text PRIMARY KEY)",
    "INSERT INTO app.settings VALUES ('one')",
)


@pytest.mark.parametrize(("url", "part"), [("embedded://postgres", ""), ("docker://postgres/15/dev", "postgres_image")])
def test_roles_extensions_and_schemas_are_there_and_the_replays_own(
    url: str, part: str, request: pytest.FixtureRequest
) -> None:
    if part:
        request.getfixturevalue(part)
    with devdb.open(url, environment=os.environ, run_id=RUN, report=lambda _: None, init=POSTGRES) as dev:
        for _ in range(2):
            database = dev.fresh()
            assert database.query("SELECT name FROM app.settings") == [("one",)]
            execute(database, "ALTER TABLE app.settings OWNER TO CURRENT_USER", "GRANT SELECT ON app.settings TO app")
            execute(database, "CREATE TABLE app.mine (id int)", "DROP TABLE app.settings")
            with pytest.raises(DatabaseFailure, match=r"permission denied|must be superuser"):
                execute(database, "CREATE ROLE another")
            assert database.query("SELECT rolsuper FROM pg_roles WHERE rolname = current_user") == [(False,)]
            database.close()


def test_a_kept_base_holds_what_was_prepared(tmp_path: Path) -> None:
    for _ in range(2):
        shelf = Shelf(tmp_path, "with-init")
        with devdb.open(
            "embedded://postgres", environment=os.environ, run_id=RUN, report=lambda _: None, shelf=shelf, init=POSTGRES
        ) as dev:
            database = dev.restore("with-init") or dev.snapshot(dev.fresh(), "with-init")
            assert len(list(tmp_path.glob("*.base"))) == 1
            execute(database, "GRANT SELECT ON app.settings TO app")
            database.close()


def test_a_server_without_copies_is_prepared_before_each_replay(mariadb_image: str) -> None:
    wanted = init("CREATE USER IF NOT EXISTS app@'%'", "CREATE TABLE settings (name varchar(9))")
    with devdb.open(
        "docker://mariadb/10.11/dev", environment=os.environ, run_id=RUN, report=lambda _: None, init=wanted
    ) as dev:
        for _ in range(2):
            database = dev.fresh()
            assert list(database.inspect().tables) == ["settings"]
            execute(database, "DROP TABLE settings")
            database.close()


def test_on_a_server_you_name_it_has_the_rights_of_the_urls_user(postgres_server: Server) -> None:
    url = direct_url("direct-postgres-within", postgres_server)
    with devdb.open(
        url, environment=os.environ, run_id=RUN, report=lambda _: None, init=init("CREATE SCHEMA app")
    ) as dev:
        database = dev.fresh()
        execute(database, "CREATE TABLE app.t (id int)")
        database.close()
    with (
        pytest.raises(ConfigError, match=r"dev_init db/init.sql: statement 1 was refused: permission denied") as caught,
        devdb.open(url, environment=os.environ, run_id=RUN, report=lambda _: None, init=init("CREATE ROLE app")) as dev,
    ):
        dev.fresh()
    assert caught.value.exit_code == 2
    with devdb.open(url, environment=os.environ, run_id=RUN, report=lambda _: None):
        pass  # it was given back clean


def test_what_is_refused_is_named_with_its_file() -> None:
    with (
        pytest.raises(ConfigError, match=r"dev_init db/init.sql: statement 2 was refused: .*nonsense"),
        devdb.open(
            "embedded://postgres",
            environment=os.environ,
            run_id=RUN,
            report=lambda _: None,
            init=init("SELECT 1", "nonsense"),
        ) as dev,
    ):
        dev.fresh()
