"""What the pages on deploying show is what the program does."""

from __future__ import annotations

import json
import re

from ci_runner import config, sql
from ci_runner.deploy.intent import assumed
from ci_runner.model.directory import Migration
from tests.cli.conftest import Repository, folder
from tests.docs.pages import ROOT, blocks

__all__ = ["folder"]


def test_the_commands_of_the_guide_run_one_after_the_other(folder: Repository) -> None:
    folder.write({"migrations/1_a.sql": "CREATE TABLE a (id int);\n"})
    (block,) = [each for each in blocks("docs/deploy.md") if each.language == "sh"]
    shown = [folder.run(*line.split()[1:]) for line in block.text.splitlines()]
    assert [each.code for each in shown] == [0, 0, 0]
    assert "plan sha256:" in shown[0].out
    assert "is at 1" in shown[2].out


def test_the_json_of_the_guide_has_the_keys_a_deployment_prints(folder: Repository) -> None:
    folder.write({"migrations/1_a.sql": "CREATE TABLE a (id int);\n"})
    (block,) = [each for each in blocks("docs/deploy.md") if each.language == "json"]
    printed = folder.run("deploy", "--dir", "migrations", "--to", "sqlite://shop.db", "--json").json
    assert list(json.loads(block.text)) == list(printed)


def test_the_directive_of_the_guide_is_read_as_one() -> None:
    (block,) = [each for each in blocks("docs/deploy.md") if each.language == "sql"]
    (statement,) = sql.statements(Migration("a.sql", "1", "", block.text, ""), "postgres")
    assert (assumed(statement) or "").startswith("SELECT count(*) > 0 FROM information_schema")


def test_the_environments_of_the_guide_are_read_as_they_stand() -> None:
    (block,) = [each for each in blocks("docs/environments.md") if each.language == "yaml"]
    found = config.load(config.file.read(block.text, "pilotage.yml"), {}, {}).environments
    assert [each.name for each in found] == ["staging", "prod", "tenants"]
    assert (found[1].require_approval, found[1].drift, found[1].lock_timeout) == (True, "error", 2.0)
    assert (found[2].parallel, found[2].on_failure, len(found[2].databases)) == (8, "continue", 2)


def test_every_key_of_an_environment_is_explained() -> None:
    text = (ROOT / "docs" / "environments.md").read_text()
    rows = " ".join(re.findall(r"^\| (`.*?) \|", text, re.MULTILINE))
    from ci_runner.config.environments import KEYS

    assert {key for key in KEYS if f"`{key}`" in rows} == set(KEYS)
