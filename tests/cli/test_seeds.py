"""Seeds as a team keeps them beside its migrations."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cli.conftest import Repository

TWINS = "INSERT INTO users (id, email) VALUES (1, 'a@x.example');\nINSERT INTO users (id, email) VALUES (2, 'a@x.example');\n"
CONFIG = "dialect: sqlite\ndev_url: sqlite://dev?mode=memory\nseeds: db/seeds\n"
UNIQUE = {"migrations/2_unique.sql": "CREATE UNIQUE INDEX users_email ON users (email);\n"}


@pytest.fixture
def shop(repository: Repository) -> Repository:
    first = "CREATE TABLE users (id integer PRIMARY KEY, email text);\n"
    repository.commit({"migrations/1_init.sql": first, "pilotage.yml": CONFIG, "db/seeds/1_users.sql": TWINS})
    return repository.write(UNIQUE)


def linted(shop: Repository, code: int) -> Any:
    done = shop.run("lint", "--base", "HEAD", "--format", "json")
    assert done.code == code, done.err
    return {
        finding["rule"]: finding["message"]
        for each in done.json["files"]
        for finding in each["findings"]
        if finding["severity"] == "error"
    }


def test_what_the_rows_of_the_seeds_break_is_an_error(shop: Repository) -> None:
    assert linted(shop, 1) == {
        "fails-on-seeds": "Refused on the rows of the seeds: UNIQUE constraint failed: users.email."
    }


def test_the_seeds_are_those_of_the_base_for_they_fit_its_schema(shop: Repository) -> None:
    shop.write(
        {"db/seeds/1_users.sql": "INSERT INTO users (id, email, note) VALUES (1, 'a', 'only after the change');\n"}
    )
    assert "fails-on-seeds" in linted(shop, 1)


def test_where_the_base_has_none_those_of_the_working_tree_count(shop: Repository) -> None:
    shop.git("rm", "-rq", "db/seeds")
    (shop.path / "migrations" / "2_unique.sql").unlink()
    shop.commit({"README.md": "no seeds"})
    shop.write(UNIQUE)
    assert "there is no folder db/seeds" in shop.run("lint", "--base", "HEAD").err
    shop.write({"db/seeds/1_users.sql": TWINS})
    assert "fails-on-seeds" in linted(shop, 1)


def test_seeds_that_do_not_run_are_a_remark_with_their_place(shop: Repository) -> None:
    shop.commit(
        {
            "db/seeds/1_users.sql": "INSERT INTO users (id) VALUES (1);\n\nINSERT INTO user (id) VALUES (1);\n",
            "migrations/2_unique.sql": "SELECT 1;\n",
        }
    )
    shop.write({"migrations/3_unique.sql": UNIQUE["migrations/2_unique.sql"]})
    out = shop.run("lint", "--base", "HEAD", "--format", "markdown").out.replace("\\", "").replace("\u200b", "")
    said = "the seeds do not run, so the change was watched without them: db/seeds/1_users.sql:3: no such table: user"
    assert said in out


def test_of_a_whole_history_no_seeds_are_asked_for(shop: Repository) -> None:
    done = shop.run("lint", "--all", "--format", "markdown")
    assert "seeds" not in done.out


def test_seeds_outside_of_the_repository_are_refused(shop: Repository) -> None:
    (shop.path / "db" / "seeds" / "2_link.sql").symlink_to("/etc/hostname")
    shop.git("rm", "-rq", "--cached", "db/seeds")
    shop.git("-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "x")
    done = shop.run("lint", "--base", "HEAD")
    assert done.code == 2
    assert "lies outside of" in done.err
