"""Push, pull, log and verify as their users meet them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Repository

PG = ("--dialect", "postgres")


@pytest.fixture
def shop(repository: Repository) -> Repository:
    """A repository whose registry is a folder beside it."""
    registry = (repository.path.parent / "registry").as_uri()
    return Repository(repository.path, {**repository.environ, "PILOTAGE_REGISTRY": registry})


def test_a_push_says_what_it_came_to(shop: Repository) -> None:
    first = shop.run("push", "app:v1", *PG, "--json")
    assert first.code == 0, first.err
    assert set(first.json) == {"outcome", "seq", "digest", "head", "stores"}
    assert (first.json["outcome"], first.json["seq"]) == ("ok", 1)
    assert first.json["head"].startswith("1:")
    again = shop.run("push", "app:v1", *PG, "--json")
    assert (again.json["outcome"], again.json["head"]) == ("noop", first.json["head"])


def test_a_history_that_was_edited_is_refused(shop: Repository) -> None:
    shop.run("push", "app", *PG)
    shop.commit({"migrations/1_init.sql": "CREATE TABLE users (id int);\n"})
    done = shop.run("push", "app", *PG, "--json")
    assert (done.code, done.json["outcome"]) == (3, "diverged")
    assert any("1_init.sql" in line for line in done.json["differences"])
    assert shop.run("push", "app", *PG, "--allow-rewrite", "--json").json["seq"] == 2


def test_an_older_state_is_kept_but_does_not_become_the_latest(shop: Repository) -> None:
    first = shop.git("rev-parse", "HEAD")
    shop.commit({"migrations/2_more.sql": "ALTER TABLE users ADD COLUMN a int;\n"})
    assert shop.run("push", "app", *PG, "--json").json["seq"] == 1
    shop.git("checkout", "-q", first)
    done = shop.run("push", "app", *PG, "--json")
    assert (done.code, done.json["outcome"]) == (0, "stale")


def test_what_was_pushed_is_pulled_byte_for_byte(shop: Repository, tmp_path: Path) -> None:
    shop.run("push", "app:v1", *PG)
    shop.commit({"migrations/2_more.sql": b"SELECT 1;\r\n"})
    shop.run("push", "app", *PG)
    latest = shop.run("pull", "app", "--output", str(tmp_path / "latest"), "--json")
    tagged = shop.run("pull", "app:v1", "--output", str(tmp_path / "v1"), "--json")
    assert (latest.json["seq"], tagged.json["seq"]) == (2, 1)
    assert (tmp_path / "latest/2_more.sql").read_bytes() == b"SELECT 1;\r\n"
    assert sorted(path.name for path in (tmp_path / "v1").iterdir()) == ["1_init.sql"]


def test_a_version_is_named_in_one_way_only(shop: Repository, tmp_path: Path) -> None:
    shop.run("push", "app", *PG)
    done = shop.run("pull", "app:v1", "--seq", "1", "--output", str(tmp_path / "x"))
    assert done.code == 2
    assert "once" in done.err
    assert shop.run("pull", "app", "--seq", "9", "--output", str(tmp_path / "x")).code != 0


def test_the_log_tells_every_version(shop: Repository) -> None:
    commit = shop.git("rev-parse", "HEAD")
    shop.run("push", "app:v1", *PG)
    (entry,) = shop.run("log", "app", "--json").json["entries"]
    assert (entry["seq"], entry["tags"], [f["name"] for f in entry["files"]]) == (1, ["v1"], ["1_init.sql"])
    assert entry["git"]["sha"] == commit
    assert entry["digest"].startswith("sha256:")
    assert "v1" in shop.run("log", "app").out
    assert shop.run("log", "--json").json == ["app"]


def test_a_changed_byte_is_found_and_its_version_named(shop: Repository) -> None:
    shop.run("push", "app", *PG)
    assert shop.run("verify", "--json").json["ok"] is True
    blob = next(path for path in (shop.path.parent / "registry/blobs").rglob("*") if path.is_file())
    blob.chmod(0o644)
    blob.write_bytes(blob.read_bytes().replace(b"e", b"E", 1))
    done = shop.run("verify", "app", "--json")
    assert done.code == 6
    assert done.json["directories"][0]["damages"][0]["seq"] == 1


def test_a_remembered_head_is_an_anchor(shop: Repository) -> None:
    head = shop.run("push", "app", *PG, "--json").json["head"]
    assert shop.run("verify", "app", "--anchor", head).code == 0
    assert shop.run("verify", "app", "--anchor", "1:" + "0" * 64).code == 6
    assert shop.run("verify", "--anchor", head).code == 2


def test_a_directory_that_does_not_run_is_not_pushed(shop: Repository) -> None:
    shop.commit({"migrations/2_bad.sql": "ALTER TABLE absent ADD COLUMN a int;\n"})
    flags = ("--dialect", "sqlite", "--dev-url", "sqlite://dev?mode=memory")
    done = shop.run("push", "app", *flags)
    assert done.code == 1
    assert "2_bad.sql:1:" in done.err
    assert "no such table: absent" in done.err
    assert not (shop.path.parent / "registry/dirs").exists()
    assert shop.run("push", "app", *flags, "--skip-replay").code == 0


def test_a_sum_that_does_not_hold_is_not_pushed(shop: Repository) -> None:
    assert shop.run("hash", *PG).code == 0
    shop.write({"migrations/1_init.sql": "CREATE TABLE users (id int);\n"})
    done = shop.run("push", "app", *PG)
    assert done.code == 3
    assert "1_init.sql" in done.err
    assert shop.run("hash", *PG, "--check").code == 3


WRONG = {
    "no registry": (("push", "app"), 2, "--registry"),
    "a name with a path in it": (("push", "../app", "--registry", "file:///tmp/none"), 2, "../app"),
    "a registry without a scheme": (("push", "app", "--registry", "folder"), 2, "file://"),
    "an unknown store": (("push", "app", "--registry", "ftp://x/y"), 2, "ftp"),
    "a registry that is not there": (("log", "app", "--registry", "memory:"), 2, "memory:"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_registry_command_is_answered_with_its_remedy(repository: Repository, case: str) -> None:
    arguments, code, word = WRONG[case]
    done = repository.run(*arguments, *(PG if arguments[0] == "push" else ()))
    assert done.code == code, done.err
    assert word in done.err


def test_a_registry_that_is_down_is_stood_in_for_by_its_backup(repository: Repository) -> None:
    beside = repository.path.parent
    config = f"dialect: postgres\nregistry:\n  url: {(beside / 'primary').as_uri()}\n  backups: [{(beside / 'backup').as_uri()}]\n"
    repository.commit({"pilotage.yml": config})
    assert repository.run("push", "app", "--json").json["seq"] == 1
    (beside / "primary").rename(beside / "gone")
    done = repository.run("log", "app", "--json")
    assert [entry["seq"] for entry in done.json["entries"]] == [1]
    assert "read from" in done.err
    assert "lost data" in done.err
    (beside / "gone").rename(beside / "primary")
    repository.commit({"migrations/2_more.sql": "SELECT 1;\n"})
    (beside / "backup").rename(beside / "gone")
    assert repository.run("push", "app", "--json").json["seq"] == 2
    assert repository.run("sync").code == 0
    assert len(list((beside / "backup/dirs/app/log").iterdir())) == 2


def test_verifying_where_no_registry_is_fails(repository: Repository) -> None:
    assert repository.run("verify", "--registry", (repository.path / "nothing").as_uri()).code != 0
