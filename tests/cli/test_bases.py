"""What a merge leaves on the dev database is what the next pull request begins with."""

from __future__ import annotations

from tests.cli.conftest import Repository

TWO = {"migrations/2_more.sql": "ALTER TABLE users ADD COLUMN note text;\n"}
BROKEN = {"migrations/2_more.sql": "ALTER TABLE nobody ADD COLUMN note text;\n"}
KEPT = "with the base an earlier run replayed"
DATABASE = ("--dialect", "postgres", "--dev-url", "embedded://postgres")


def pushed(repository: Repository, code: int = 0) -> str:
    assert repository.run("hash").code == 0
    done = repository.run("push", "shop", "--registry", f"file://{repository.path.parent}/registry", *DATABASE)
    assert done.code == code, done.err
    return done.err


def linted(repository: Repository) -> str:
    assert repository.run("hash").code == 0
    done = repository.run("lint", "--base", "HEAD", *DATABASE)
    assert done.code == 0, done.out + done.err
    return done.err


def test_a_pull_request_begins_with_what_the_push_before_it_kept(repository: Repository) -> None:
    assert KEPT not in pushed(repository)
    repository.commit({})
    assert KEPT in linted(repository.write(TWO))
    repository.commit(TWO)
    assert KEPT not in pushed(repository)
    repository.commit({})
    assert KEPT in linted(repository.write({"migrations/3_last.sql": "ALTER TABLE users ADD COLUMN last int;\n"}))


def test_what_is_pushed_again_runs_from_the_first_file_on(repository: Repository) -> None:
    pushed(repository)
    pushed(repository)
    repository.commit({})
    assert KEPT in linted(repository.write(TWO))


def test_what_does_not_run_is_not_kept(repository: Repository) -> None:
    repository.commit(BROKEN)
    assert "2_more.sql:1:" in pushed(repository, 1)
    assert not list(repository.path.parent.rglob("*.base"))
