"""Show, diff, tags, yank and the registry's own commands as their users meet them."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Repository
from tests.fakes.objects import CLOUDS

PG = ("--dialect", "postgres")


@pytest.fixture
def shop(repository: Repository) -> Repository:
    """A repository with two versions in a registry beside it."""
    registry = (repository.path.parent / "registry").as_uri()
    shop = Repository(repository.path, {**repository.environ, "PILOTAGE_REGISTRY": registry})
    assert shop.run("push", "app:v1", *PG).code == 0
    shop.commit({"migrations/2_more.sql": "ALTER TABLE users ADD COLUMN note text;\nCREATE TABLE orders (id int);\n"})
    assert shop.run("push", "app:v2", *PG).code == 0
    return shop


def test_show_names_the_state_and_its_files(shop: Repository) -> None:
    found = shop.run("show", "app:v1", "--json").json
    assert (found["seq"], found["tags"], found["kind"]) == (1, ["v1"], "push")
    assert [file["name"] for file in found["files"]] == ["1_init.sql"]
    assert found["git"]["sha"] in shop.run("show", "app:v1").out
    assert shop.run("show", "app:v9").code == 2


def test_diff_shows_files_lines_and_schema(shop: Repository) -> None:
    found = shop.run("diff", "app:v1", "app:v2", "--json").json
    assert found["files"] == {"added": ["2_more.sql"], "removed": [], "changed": []}
    assert "+ALTER TABLE users ADD COLUMN note text;" in found["sql"][0]["diff"]
    assert found["schema"] == ["+ table public.orders", "~ table public.users: + column note"]
    assert "+ table public.orders" in shop.run("diff", "app:v1", "app").out
    assert "the same" in shop.run("diff", "app", "app:v2").out


def test_tags_are_listed(shop: Repository) -> None:
    assert [(each["tag"], each["seq"]) for each in shop.run("tags", "app", "--json").json] == [("v1", 1), ("v2", 2)]
    assert "v2" in shop.run("tags", "app").out


def test_a_tag_set_on_what_is_there_already_is_said(shop: Repository) -> None:
    assert "already there, now tagged stable (version 3)" in shop.run("push", "app:stable", *PG).out
    assert "already there as version 2, nothing to push" in shop.run("push", "app:stable", *PG).out


def test_a_yanked_latest_is_not_pulled_until_that_is_taken_back(shop: Repository) -> None:
    assert shop.run("yank", "app").code == 2
    assert shop.run("yank", "app:v2", "--reason", "locks orders").code == 0
    refused = shop.run("pull", "app", "--output", "out")
    assert (refused.code, "locks orders" in refused.err) == (3, True)
    assert shop.run("pull", "app:v2", "--output", "out").code == 0
    assert "locks orders" in shop.run("log", "app").out
    assert "locks orders" in shop.run("show", "app").out
    assert shop.run("yank", "app:v2", "--undo").code == 0
    assert shop.run("pull", "app", "--output", "again").code == 0


def test_check_says_what_a_store_can_do(shop: Repository) -> None:
    done = shop.run("registry", "check", "--json")
    assert (done.code, done.json[0]["ok"], done.json[0]["problems"]) == (0, True, [])
    assert shop.run("registry", "list").out == shop.run("list").out == "app\n"
    assert shop.run("registry", "sync").code == 0


def test_a_store_that_lets_two_writers_win_is_refused_unless_only_one_is_promised(repository: Repository) -> None:
    with CLOUDS["s3"](racy=True) as cloud:
        shop = Repository(repository.path, {**repository.environ, **cloud.environ, "PILOTAGE_REGISTRY": cloud.address})
        assert shop.run("registry", "check").code == 2
        refused = shop.run("push", "app", *PG)
        assert (refused.code, "must not hold a registry" in refused.err) == (2, True)
        assert shop.run("push", "app", *PG, "--unsafe-single-writer").code == 0
        entry = shop.run("log", "app", "--json").json["entries"][0]
        assert entry["actor"]["unsafe_single_writer"] == "yes"


@pytest.mark.parametrize("name", CLOUDS)
def test_the_whole_way_leads_over_every_cloud_and_no_key_is_shown(repository: Repository, name: str) -> None:
    with CLOUDS[name]() as cloud:
        shop = Repository(repository.path, {**repository.environ, **cloud.environ, "PILOTAGE_REGISTRY": cloud.address})
        said = [
            shop.run("push", "app:v1", *PG),
            shop.run("log", "app"),
            shop.run("verify"),
            shop.run("pull", "app:v1", "--output", "out"),
        ]
    assert [done.code for done in said] == [0, 0, 0, 0], said
    assert (shop.path / "out/1_init.sql").read_bytes() == (shop.path / "migrations/1_init.sql").read_bytes()
    for secret in cloud.environ.values():
        assert not any(secret in done.out + done.err for done in said if len(secret) > 6)


def test_policies_are_printed_for_the_cloud_the_registry_lies_in(shop: Repository) -> None:
    asked = ("registry", "policy", "--role", "pusher")
    found = shop.run(*asked, "--registry", "s3://acme/prod?region=eu-central-1").json
    assert found["Version"] == "2012-10-17"
    assert "DataActions" in shop.run(*asked, "--registry", "azureblob://acme/prod?storage_account=shop").json
    refused = shop.run(*asked)
    assert (refused.code, "rights are those of the file system" in refused.err) == (2, True)
