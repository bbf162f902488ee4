"""What a pull request's SQL runs on: a stranger's counts nothing of what it says itself, and what prepares a dev database is never proposed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Done, Repository

MEMORY = "dialect: sqlite\ndev_url: sqlite://dev?mode=memory\n"
CHANGE = "CREATE TABLE more (id integer PRIMARY KEY);\n"


class Job:
    """A job for a pull request: ``base`` is committed on main, ``head`` on the branch."""

    def __init__(self, repository: Repository, folder: Path, base: dict[str, str], head: dict[str, str]) -> None:
        self.repository, self.folder = repository, folder
        repository.commit(base, "base")
        repository.git("switch", "-q", "-c", "change")
        repository.commit({"migrations/2_more.sql": CHANGE, **head})

    def lint(self, *flags: str, fork: bool, **environ: str) -> Done:
        source = "stranger/shop" if fork else "acme/shop"
        base, head = (self.repository.git("rev-parse", name) for name in ("main", "HEAD"))
        event = {
            "number": 7,
            "pull_request": {
                "number": 7,
                "head": {"ref": "change", "sha": head, "repo": {"full_name": source}},
                "base": {"ref": "main", "sha": base, "repo": {"full_name": "acme/shop"}},
            },
            "repository": {"full_name": "acme/shop", "default_branch": "main"},
        }
        place = self.folder / "event.json"
        place.write_text(json.dumps(event))
        names = {
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_EVENT_NAME": "pull_request",
            "GITHUB_REPOSITORY": "acme/shop",
            "GITHUB_BASE_REF": "main",
            "GITHUB_HEAD_REF": "change",
            "GITHUB_REF": "refs/pull/7/merge",
            "GITHUB_EVENT_PATH": str(place),
        }
        return self.repository.run("lint", "--format", "json", *flags, **{**names, **environ})


def replay(done: Done) -> dict[str, str]:
    assert done.code in {0, 1}, done.err
    found: dict[str, str] = done.json["replay"]
    return found


def test_a_strangers_change_runs_on_what_the_base_names(repository: Repository, tmp_path: Path) -> None:
    elsewhere = "dialect: sqlite\ndev_url: sqlite://elsewhere.db\n"
    job = Job(repository, tmp_path, {"pilotage.yml": MEMORY}, {"pilotage.yml": elsewhere})
    (repository.path / "elsewhere.db").write_bytes(b"no database, but a file that opening would stumble over")
    assert replay(job.lint(fork=True))["status"] == "ok"
    assert job.lint(fork=False).code == 2  # who may write to the repository says what the change runs on


def test_a_stranger_brings_no_dev_database(repository: Repository, tmp_path: Path) -> None:
    job = Job(repository, tmp_path, {"pilotage.yml": "dialect: sqlite\n"}, {"pilotage.yml": MEMORY})
    assert replay(job.lint(fork=True))["status"] == "skipped"
    assert replay(job.lint(fork=False))["status"] == "ok"
    assert replay(job.lint(fork=True, PILOTAGE_DEV_URL="sqlite://dev?mode=memory"))["status"] == "ok"
    assert replay(job.lint("--dev-url", "embedded://sqlite", fork=True))["status"] == "ok"


@pytest.mark.parametrize(
    ("base", "head", "reached"),
    [("", "", False), ("", "allow_fork_dev_url: true\n", False), ("allow_fork_dev_url: true\n", "", True)],
)
def test_a_server_you_name_is_not_for_strangers_unless_the_base_says_so(
    base: str, head: str, reached: bool, repository: Repository, tmp_path: Path
) -> None:
    named = "dialect: postgres\ndev_url: postgres://nobody@127.0.0.1:1/dev\n"
    job = Job(repository, tmp_path, {"pilotage.yml": named + base}, {"pilotage.yml": named + head})
    done = job.lint(fork=True)
    if reached:
        assert done.code == 2
        assert "127.0.0.1:1" in done.err
    else:
        assert replay(done)["status"] == "skipped"
        said = " ".join(job.lint("--format", "text", fork=True).out.split())
        assert "Not replayed: the change may come from a fork" in said
        assert "allow_fork_dev_url" in said
    assert job.lint(fork=False).code == 2


def test_a_strangers_server_is_closed_off_and_nothing_of_it_is_kept(repository: Repository, tmp_path: Path) -> None:
    job = Job(repository, tmp_path, {"pilotage.yml": "dialect: postgres\n"}, {})
    cache = ("--cache-dir", str(tmp_path / "cache"), "--dev-url", "embedded://postgres")
    strange = job.lint(*cache, fork=True)
    assert replay(strange)["status"] == "ok"
    assert "without network" in strange.err
    assert not (tmp_path / "cache" / "bases").exists()
    own = job.lint(*cache, fork=False)
    assert "without network" not in own.err
    assert len(list((tmp_path / "cache" / "bases").iterdir())) == 1
    assert "an earlier run replayed" in job.lint(*cache, fork=False).err
    assert "an earlier run replayed" not in job.lint(*cache, fork=True).err


def test_a_base_that_cannot_be_kept_is_warned_of_and_the_run_is_right(repository: Repository, tmp_path: Path) -> None:
    job = Job(repository, tmp_path, {"pilotage.yml": MEMORY}, {})
    (tmp_path / "cache").write_text("no folder")
    done = job.lint("--cache-dir", str(tmp_path / "cache"), fork=False)
    assert replay(done)["status"] == "ok"
    assert "warning: the replayed base could not be kept, so the next run replays the whole history, too" in done.err
    assert "--cache-dir" in done.err


def test_where_nothing_can_be_closed_off_the_change_is_linted(repository: Repository, tmp_path: Path) -> None:
    job = Job(repository, tmp_path, {"pilotage.yml": "dialect: postgres\n"}, {})
    url = ("--dev-url", "embedded://postgres?superuser=true")
    assert replay(job.lint(*url, fork=True))["status"] == "skipped"
    assert "nothing here could be closed off" in " ".join(job.lint(*url, "--format", "text", fork=True).out.split())


INIT = "dialect: sqlite\ndev_url: sqlite://dev?mode=memory\ndev_init: db/init.sql\n"


def test_sql_that_prepares_a_dev_database_is_the_bases_on_every_pull_request(
    repository: Repository, tmp_path: Path
) -> None:
    base = {"pilotage.yml": INIT, "db/init.sql": "CREATE TABLE prepared (id integer PRIMARY KEY);\n"}
    head = {
        "db/init.sql": "CREATE TABLE proposed (id integer PRIMARY KEY);\n",
        "migrations/3_use.sql": "ALTER TABLE prepared ADD COLUMN n integer;\n",
    }
    job = Job(repository, tmp_path, base, head)
    for fork in (True, False):
        done = replay(job.lint(fork=fork))
        assert done["status"] == "ok", done
    local = repository.run("lint", "--format", "json", "--base", "main")
    assert replay(local)["status"] == "failed"  # nobody proposes anything here: the file is as it lies in the folder


def test_sql_that_prepares_a_dev_database_and_is_refused_is_named(repository: Repository, tmp_path: Path) -> None:
    base = {"pilotage.yml": INIT, "db/init.sql": "CREATE TABLE a (id int);\nCREATE TABLE a (id int);\n"}
    done = Job(repository, tmp_path, base, {}).lint(fork=False)
    assert done.code == 2
    assert "dev_init db/init.sql: statement 2 was refused: table a already exists" in done.err
