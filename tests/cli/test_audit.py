"""The record as those who answer for it read it."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
from pathlib import Path

import pytest

from tests.cli.conftest import Repository
from tests.fakes.issuer import Issuer

LITE = ("--dialect", "sqlite")


@pytest.fixture
def shop(repository: Repository) -> Repository:
    """A repository with a registry and a database beside it, deployed once."""
    shop = repository.with_registry(USER="ada")
    assert shop.run("push", "app:v1", *LITE).code == 0
    assert shop.run("deploy", "app").code == 0
    return shop


def log(shop: Repository) -> Path:
    (folder,) = (shop.path.parent / "registry" / "dirs" / "app" / "deploys").iterdir()
    return folder / "log"


def test_a_deploy_is_recorded_with_who_what_and_when(shop: Repository) -> None:
    (entry,) = shop.run("history", "app", "--json").json
    assert (entry["outcome"], entry["from"], entry["to"], entry["kind"]) == ("ok", "", "1", "deploy")
    assert (entry["actor"]["name"], entry["actor"]["verified"]) == ("ada", "no")
    assert [(file["name"], file["statements"], len(file["times"])) for file in entry["files"]] == [("1_init.sql", 1, 1)]
    assert entry["source"]["seq"] == 1
    assert entry["database"]["engine"].startswith("SQLite")
    assert "– → 1" in shop.run("history").out


def test_the_record_is_printed_in_every_format(shop: Repository) -> None:
    said = shop.run("audit", "--since", "1d", "--format", "json").json
    assert [(each["kind"], each["outcome"]) for each in said] == [("push", "ok"), ("deploy", "ok")]
    lines = shop.run("audit", "--format", "jsonl").out.splitlines()
    assert [json.loads(line) for line in lines] == said
    rows = list(csv.DictReader(io.StringIO(shop.run("audit", "--format", "csv").out)))
    assert [(row["kind"], row["dir"], row["actor"], row["verified"]) for row in rows] == [
        ("push", "app", "ada", "no"),
        ("deploy", "app", "ada", "no"),
    ]
    assert "ada (unverified)" in shop.run("audit").out
    assert shop.run("audit", "--since", "2999-01-01").out == "nothing is recorded for that time\n"
    assert shop.run("audit", "--since", "soon").code == 2
    assert shop.run("audit", "--format", "pdf").code == 2


def test_a_value_that_a_spreadsheet_would_run_is_text(shop: Repository) -> None:
    shop.commit({"migrations/2_more.sql": "CREATE TABLE more (id int);\n"})
    shop.run("push", "app", *LITE, USER="=cmd|' /C calc'!A0")
    rows = list(csv.DictReader(io.StringIO(shop.run("audit", "--format", "csv").out)))
    assert any(row["actor"].startswith("'=cmd") for row in rows)


def test_which_version_an_environment_is_on_and_how_far_behind(shop: Repository) -> None:
    (before,) = shop.run("envs", "--json").json
    assert (before["version"], before["seq"], before["behind"]) == ("1", 1, 0)
    shop.commit({"migrations/2_more.sql": "CREATE TABLE more (id int);\n"})
    shop.run("push", "app", *LITE)
    assert shop.run("envs", "app", "--json").json[0]["behind"] == 1
    assert ", 1 behind 2" in shop.run("envs").out
    shop.run("deploy", "app")
    assert ", the latest" in shop.run("envs").out
    assert shop.run("envs", "nothing").code == 2
    assert shop.run("history", "app", "--env", "nothing").code == 2


def test_a_failed_deploy_is_in_the_record_and_the_environment_stays_where_it_was(shop: Repository) -> None:
    shop.commit({"migrations/2_bad.sql": "CREATE TABLE good (id int);\nINSERT INTO nothing VALUES (1);\n"})
    shop.run("push", "app", *LITE, "--skip-replay")
    failed = shop.run("deploy", "app")
    assert failed.code == 1
    assert (entry := shop.run("history", "--json").json[0])["outcome"] == "failed"
    assert (entry["exit_code"], entry["error"]["file"], "nothing" in entry["error"]["message"]) == (
        1,
        "2_bad.sql",
        True,
    )
    (now,) = shop.run("envs", "--json").json
    assert (now["version"], now["last"]["outcome"]) == ("1", "failed")


def test_what_could_not_be_written_is_brought_in_by_the_next_deploy(shop: Repository) -> None:
    folder = log(shop)
    aside = folder.rename(folder.with_name("aside"))
    folder.write_text("in the way")
    shop.commit({"migrations/2_more.sql": "CREATE TABLE more (id int);\n"})
    shop.run("push", "app", *LITE)
    done = shop.run("deploy", "app")
    assert (done.code, "the record could not be written" in done.err) == (0, True)
    folder.unlink()
    aside.rename(folder)
    assert shop.run("deploy", "app").code == 0
    late = shop.run("history", "--json").json[0]
    assert (late["back_filled"], late["to"], [file["name"] for file in late["files"]]) == (True, "2", ["2_more.sql"])
    assert shop.run("deploy", "app").code == 0
    assert len(shop.run("history", "--json").json) == 2
    assert shop.run("audit", "verify").code == 0


def test_a_changed_record_is_found(shop: Repository) -> None:
    shop.commit({"migrations/2_more.sql": "CREATE TABLE more (id int);\n"})
    shop.run("push", "app", *LITE)
    shop.run("deploy", "app")
    assert shop.run("audit", "verify").code == 0
    first = log(shop) / "0000000001.json"
    first.chmod(0o644)
    first.write_text(first.read_text().replace('"name":"ada"', '"name":"eve"'))
    found = shop.run("audit", "verify")
    assert (found.code, "0000000002.json" in found.out) == (6, True)
    assert shop.run("history").code == 6


def test_a_database_without_a_registry_is_deployed_without_a_record(shop: Repository) -> None:
    database = shop.path.parent / "other.db"
    environ = {**shop.environ, "PILOTAGE_REGISTRY": ""}
    done = Repository(shop.path, environ).run("deploy", "--dir", "migrations", "--to", f"sqlite://{database}", "--json")
    assert (done.code, done.err) == (0, "")
    assert sqlite3.connect(database).execute("SELECT count(*) FROM pilotage_revisions").fetchone() == (1,)


def test_a_job_with_a_token_of_its_platform_is_named_as_verified(repository: Repository) -> None:
    with Issuer() as issuer:
        registry = (repository.path.parent / "registry").as_uri()
        job = {
            "GITLAB_CI": "true",
            "CI_SERVER_URL": issuer.url,
            "CI_PROJECT_PATH": "acme/shop",
            "PILOTAGE_REGISTRY": registry,
            "USER": "ada",
        }
        shop = Repository(repository.path, {**repository.environ, **job})
        token = issuer.token(sub="project_path:acme/shop", user_login="grace", pipeline_id="42")
        assert shop.run("push", "app:v1", *LITE, PILOTAGE_ID_TOKEN=token).code == 0
        forged = token[:-8] + ("AAAAAAAA" if not token.endswith("AAAAAAAA") else "BBBBBBBB")
        assert shop.run("push", "other", *LITE, PILOTAGE_ID_TOKEN=forged).code == 0
        proven, doubted = (shop.run("log", name, "--json").json["entries"][0]["actor"] for name in ("app", "other"))
    assert (proven["name"], proven["verified"], proven["claims"]["pipeline_id"]) == ("grace", "yes", "42")
    assert (doubted["verified"], "claims" in doubted, "signature" in doubted["unverified"]) == ("no", False, True)
    assert "grace\n" in shop.run("audit").out
    assert token not in str(shop.run("audit", "--format", "json").out)


def test_each_database_of_an_environment_has_a_record_of_its_own(repository: Repository) -> None:
    folder = repository.path.parent
    databases = "".join(f"      {name}: sqlite://{folder}/{name}.db\n" for name in ("one", "two"))
    repository.commit({"pilotage.yml": f"dialect: sqlite\nenvironments:\n  prod:\n    databases:\n{databases}"})
    shop = Repository(repository.path, {**repository.environ, "PILOTAGE_REGISTRY": (folder / "registry").as_uri()})
    assert shop.run("push", "app").code == 0
    assert shop.run("deploy", "app", "--env", "prod").code == 0
    found = shop.run("envs", "--json").json
    assert [(each["env"], each["version"], each["behind"]) for each in found] == [
        ("prod-one", "1", 0),
        ("prod-two", "1", 0),
    ]
    assert shop.run("audit", "verify").code == 0
