"""The command line as a person or a job runs it, in a process of its own: output, JSON, exit codes, sources, environments, signals."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Repository, folder, repository
from tests.deploy.place import Place

__all__ = ["folder", "repository"]

A = {"migrations/1_a.sql": "CREATE TABLE a (id int);\n"}
B = {**A, "migrations/2_b.sql": "CREATE TABLE b (id int);\nINSERT INTO b VALUES (1);\n"}
KEYS = ["status", "from", "to", "applied", "pending", "error"]


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite://{tmp_path}/app.db"


def test_json_has_exactly_the_promised_keys_whatever_happens(folder: Repository, url: str) -> None:
    folder.write(B)
    done = folder.run("deploy", "--dir", "migrations", "--to", url, "--json")
    assert (done.code, list(done.json)) == (0, KEYS)
    assert done.json == {"status": "ok", "from": None, "to": "2", "applied": ["1", "2"], "pending": [], "error": None}
    again = folder.run("deploy", "--dir", "migrations", "--to", url, "--json").json
    assert again == {"status": "noop", "from": "2", "to": "2", "applied": [], "pending": [], "error": None}
    folder.write({"migrations/3_c.sql": "INSERT INTO nowhere VALUES (1);\n"})
    failed = folder.run("deploy", "--dir", "migrations", "--to", url, "--json")
    assert (failed.code, list(failed.json), failed.json["status"], failed.json["error"]["code"]) == (
        1,
        KEYS,
        "failed",
        1,
    )
    assert (failed.json["to"], failed.json["pending"]) == ("2", ["3"])
    assert "3_c.sql:1:1" in failed.json["error"]["message"]
    unreachable = folder.run("deploy", "--dir", "migrations", "--to", "nonsense://x", "--json")
    assert (unreachable.code, list(unreachable.json), unreachable.json["status"]) == (2, KEYS, "failed")


def test_a_person_reads_what_was_applied_and_where_the_database_is_now(folder: Repository, url: str) -> None:
    folder.write(B)
    done = folder.run("deploy", "--dir", "migrations", "--to", url)
    lines = done.out.splitlines()
    assert [line.split(",")[0] for line in lines[:2]] == ["  ✓ 1_a.sql  1 statement", "  ✓ 2_b.sql  2 statements"]
    assert lines[2].startswith("✓ app.db: empty → 2, 2 files in ")
    assert folder.run("deploy", "--dir", "migrations", "--to", url).out == "✓ app.db: nothing to do at version 2\n"


def test_a_dry_run_says_what_would_be_done_and_writes_nothing(folder: Repository, url: str) -> None:
    folder.write(B)
    shown = folder.run("deploy", "--dir", "migrations", "--to", url, "--dry-run")
    assert "would go empty → 2" in shown.out
    assert folder.run("deploy", "--dir", "migrations", "--to", url, "--dry-run", "--json").json["pending"] == ["1", "2"]
    assert folder.run("status", "--dir", "migrations", "--to", url, "--json").json["applied"] == 0


def test_the_address_may_come_from_a_variable_and_is_never_printed(folder: Repository, url: str) -> None:
    folder.write(A)
    done = folder.run("deploy", "--dir", "migrations", "--json", PILOTAGE_DATABASE_URL=url)
    assert done.json["to"] == "1"
    refused = folder.run(
        "deploy", "--dir", "migrations", PILOTAGE_DATABASE_URL="postgres://u:v3ry-s3cret@127.0.0.1:1/x?oops=1"
    )
    assert refused.code == 2
    assert "v3ry-s3cret" not in refused.out + refused.err
    assert "which database?" in folder.run("deploy", "--dir", "migrations").err


def test_status_names_everything_a_deployment_would_object_to(folder: Repository, url: str) -> None:
    folder.write({**A, "migrations/3_c.sql": "CREATE TABLE c (id int);\n"})
    folder.run("deploy", "--dir", "migrations", "--to", url)
    folder.write({"migrations/1_a.sql": "CREATE TABLE a (id int, x int);\n", "migrations/2_b.sql": "SELECT 1;\n"})
    (folder.path / "migrations/3_c.sql").unlink()
    found = folder.run("status", "--dir", "migrations", "--to", url, "--json")
    assert found.code == 3
    assert {key: found.json[key] for key in ("version", "pending", "out_of_order", "edited", "missing")} == {
        "version": "1", "pending": ["2"], "out_of_order": [], "edited": ["1_a.sql"], "missing": ["3_c.sql"],
    }  # fmt: skip


def test_the_registry_is_deployed_from_by_name_tag_and_digest(folder: Repository, url: str, tmp_path: Path) -> None:
    store = f"file://{tmp_path}/registry"
    folder.write(A)
    first = folder.run("push", "app:v1", "--dir", "migrations", "--registry", store, "--json").json
    folder.write(B)
    folder.run("push", "app:v2", "--dir", "migrations", "--registry", store)
    told = folder.run("deploy", "pilotage://app?tag=v1", "--to", url, "--registry", store, "--json")
    assert told.json["to"] == "1", told.err
    by_digest = f"pilotage://app?digest={first['digest']}"
    assert folder.run("deploy", by_digest, "--to", url, "--registry", store, "--json").json["status"] == "noop"
    assert folder.run("deploy", "app", "--to", url, "--registry", store, "--json").json["to"] == "2"
    older = folder.run("deploy", "app:v1", "--to", url, "--registry", store, "--json")
    assert (older.code, older.json["error"]["code"]) == (3, 3)
    assert "pilotage down" in older.json["error"]["message"]
    unknown = folder.run("deploy", "app:v9", "--to", url, "--registry", store, "--json")
    assert unknown.code == 2


def test_a_directory_is_read_as_it_was_pushed_whatever_the_configuration_says_of_another(
    folder: Repository, url: str, tmp_path: Path
) -> None:
    folder.write({**B, "pilotage.yml": "dir: other\ndialect: postgres\n"})
    registry = ("--registry", f"file://{tmp_path}/registry")
    assert folder.run("push", "app", "--dir", "migrations", "--dialect", "sqlite", *registry).code == 0
    done = folder.run("deploy", "app", "--to", url, *registry)
    assert (done.code, done.err.count("postgres")) == (0, 0)


def test_a_baseline_says_that_nothing_was_run(folder: Repository, url: str) -> None:
    folder.write(B)
    done = folder.run("baseline", "1", "--dir", "migrations", "--to", url)
    assert (done.code, done.out) == (0, "✓ app.db: noted as being at version 1; nothing was run\n")


def test_a_tag_that_was_moved_after_the_plan_is_refused(folder: Repository, url: str, tmp_path: Path) -> None:
    where = ("--registry", f"file://{tmp_path}/registry")
    folder.write(A)
    folder.run("push", "app:v1", "--dir", "migrations", *where)
    digest = folder.run("plan", "app:v1", "--to", url, *where, "--json").json["digest"]
    folder.write(B)
    folder.run("push", "app:v1", "--dir", "migrations", "--move-tag", *where)
    refused = folder.run("deploy", "app:v1", "--to", url, *where, "--plan", digest)
    assert (refused.code, "not the plan that was approved" in refused.err) == (3, True)


def test_checks_beside_a_file_travel_with_it_through_the_registry(folder: Repository, url: str, tmp_path: Path) -> None:
    where = ("--registry", f"file://{tmp_path}/registry")
    folder.write({**A, "migrations/1_a.sql.checks": "SELECT 0;\n"})
    folder.run("push", "app", "--dir", "migrations", *where)
    refused = folder.run("deploy", "app", "--to", url, *where)
    assert (refused.code, "its check does not hold" in refused.err) == (1, True)


def test_an_edited_file_is_shown_against_the_bytes_the_registry_kept(
    folder: Repository, url: str, tmp_path: Path
) -> None:
    store = f"file://{tmp_path}/registry"
    folder.write(A)
    folder.run("push", "app", "--dir", "migrations", "--registry", store)
    folder.run("deploy", "app", "--to", url, "--registry", store)
    folder.write({"migrations/1_a.sql": "CREATE TABLE a (id bigint);\n"})
    refused = folder.run("deploy", "app", "--dir", "migrations", "--to", url, "--registry", store)
    assert refused.code == 3
    assert "-CREATE TABLE a (id int);" in refused.err
    assert "+CREATE TABLE a (id bigint);" in refused.err


def test_a_yanked_version_is_refused(folder: Repository, url: str, tmp_path: Path) -> None:
    store = f"file://{tmp_path}/registry"
    folder.write(A)
    folder.run("push", "app:v1", "--dir", "migrations", "--registry", store)
    folder.run("yank", "app:v1", "--reason", "drops rows", "--registry", store, PILOTAGE_REGISTRY=store)
    for name in ("app", "app:v1"):
        refused = folder.run("deploy", name, "--to", url, "--registry", store)
        assert (refused.code, "drops rows" in refused.err) == (3, True), refused.err


def test_a_registry_older_than_the_one_last_deployed_from_is_refused_with_code_6(
    folder: Repository, url: str, tmp_path: Path
) -> None:
    store = f"file://{tmp_path}/registry"
    for files in (A, B):
        folder.write(files)
        folder.run("push", "app", "--dir", "migrations", "--registry", store)
    folder.run("deploy", "app", "--to", url, "--registry", store)
    log = tmp_path / "registry/dirs/app/log"
    max(log.iterdir()).unlink()
    (tmp_path / "registry/hints/app").unlink(missing_ok=True)
    refused = folder.run("deploy", "app", "--to", url, "--registry", store, "--json")
    assert (refused.code, refused.json["error"]["code"]) == (6, 6)
    assert "truncated" in refused.json["error"]["message"]
    taken = folder.run(
        "deploy", "app", "--to", url, "--registry", store, "--accept-registry-rollback", "restored", "--json"
    )
    assert taken.code == 3  # a version that was applied is not in the older registry


@pytest.mark.parametrize("after", ["", "CREATE TABLE c (id int);\n"])
def test_a_backup_that_is_stale_or_went_another_way_is_refused_with_code_6(
    folder: Repository, url: str, tmp_path: Path, after: str
) -> None:
    """What stands in for the registry must know the state that was deployed last, whatever it holds besides."""
    one, two = tmp_path / "one", tmp_path / "two"
    folder.write(A)
    folder.run("push", "app", "--dir", "migrations", "--registry", f"file://{one}")
    shutil.copytree(one, two)
    if after:
        folder.write({**A, "migrations/2_c.sql": after})
        folder.run("push", "app", "--dir", "migrations", "--registry", f"file://{two}")
        (folder.path / "migrations/2_c.sql").unlink()
    folder.write(B)
    folder.run("push", "app", "--dir", "migrations", "--registry", f"file://{one}")
    assert folder.run("deploy", "app", "--to", url, "--registry", f"file://{one}").code == 0
    one.rename(tmp_path / "gone")
    folder.write({"pilotage.yml": f"registry:\n  url: file://{one}\n  backups: [file://{two}]\n"})
    refused = folder.run("deploy", "app", "--to", url, "--json")
    assert (refused.code, refused.json["error"]["code"]) == (6, 6), refused.err


def test_a_backup_answers_where_the_registry_does_not(folder: Repository, url: str, tmp_path: Path) -> None:
    folder.write(
        {**A, "pilotage.yml": f"registry:\n  url: file://{tmp_path}/one\n  backups: [file://{tmp_path}/two]\n"}
    )
    folder.run("push", "app", "--dir", "migrations")
    (tmp_path / "one").rename(tmp_path / "gone")
    done = folder.run("deploy", "app", "--to", url, "--json")
    assert done.json["to"] == "1", done.err
    assert "backup" in done.err
    strict = folder.run("deploy", "app", "--to", url, "--require-primary", "--json")
    assert strict.code != 0
    (tmp_path / "two").rename(tmp_path / "gone too")
    assert folder.run("deploy", "app", "--to", url, "--json").json["status"] == "failed"


def test_a_git_commit_is_a_source(repository: Repository, url: str) -> None:
    first = repository.git("rev-parse", "HEAD")
    repository.commit({"migrations/2_b.sql": "CREATE TABLE b (id int);\n"})
    done = repository.run("deploy", "--dir", "migrations", "--commit", first, "--to", url, "--json")
    assert done.json["to"] == "1", done.err
    assert repository.run("deploy", "--dir", "migrations", "--to", url, "--json").json["to"] == "2"


def test_a_sum_that_does_not_hold_is_a_conflict(folder: Repository, url: str) -> None:
    folder.write(A)
    folder.run("hash", "--dir", "migrations")
    folder.write({"migrations/1_a.sql": "CREATE TABLE other (id int);\n"})
    refused = folder.run("deploy", "--dir", "migrations", "--to", url, "--json")
    assert (refused.code, "1_a.sql" in refused.json["error"]["message"]) == (3, True)


def test_a_pull_request_from_a_fork_deploys_nothing(repository: Repository, url: str, tmp_path: Path) -> None:
    event = tmp_path / "event.json"
    head = {"repo": {"full_name": "eve/shop", "fork": True}, "sha": "0" * 40, "ref": "x"}
    base = {"repo": {"full_name": "ada/shop"}, "ref": "main", "sha": "0" * 40}
    event.write_text(json.dumps({"pull_request": {"number": 7, "head": head, "base": base}, "number": 7}))
    fork = {
        "GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": "pull_request", "GITHUB_EVENT_PATH": str(event), "GITHUB_REPOSITORY": "ada/shop",
    }  # fmt: skip
    refused = repository.run("deploy", "--dir", "migrations", "--to", url, "--json", **fork)
    assert (refused.code, "fork" in refused.json["error"]["message"]) == (2, True)


def tenants(folder: Repository, tmp_path: Path, more: str = "") -> dict[str, str]:
    lines = "environments:\n  prod:\n    databases: {a: '${A_URL}', b: '${B_URL}', c: '${C_URL}'}\n" + more
    folder.write({**B, "pilotage.yml": lines})
    return {f"{name.upper()}_URL": f"sqlite://{tmp_path}/{name}.db" for name in "abc"}


def test_an_environment_of_several_databases_is_deployed_to_as_a_whole(folder: Repository, tmp_path: Path) -> None:
    environ = tenants(folder, tmp_path, "    parallel: 2\n")
    done = folder.run("deploy", "--dir", "migrations", "--env", "prod", "--json", **environ)
    assert done.code == 0, done.err
    assert (done.json["status"], [(each["database"], each["to"]) for each in done.json["databases"]]) == (
        "ok", [("a", "2"), ("b", "2"), ("c", "2")],
    )  # fmt: skip
    one = folder.run("status", "--dir", "migrations", "--env", "prod", "--database", "b", "--json", **environ)
    assert one.json["version"] == "2"
    assert len(folder.run("status", "--dir", "migrations", "--env", "prod", "--json", **environ).json) == 3


@pytest.mark.parametrize(
    ("more", "states"), [("", ["ok", "failed", "failed"]), ("    on_failure: continue\n", ["ok", "failed", "ok"])]
)
def test_when_one_database_fails_the_rest_is_left_or_gone_on_with_and_all_are_reported(
    folder: Repository, tmp_path: Path, more: str, states: list[str]
) -> None:
    environ = tenants(folder, tmp_path, "    parallel: 1\n" + more)
    Place("sqlite", environ["B_URL"]).run("CREATE TABLE stranger (id int)")
    done = folder.run("deploy", "--dir", "migrations", "--env", "prod", "--json", **environ)
    assert (done.code, [each["status"] for each in done.json["databases"]]) == (3, states)
    told = folder.run("deploy", "--dir", "migrations", "--env", "prod", **environ)
    assert f"{states.count('ok')} of 3 databases" in told.out


def test_an_environment_that_wants_approval_runs_only_the_plan_that_was_approved(
    folder: Repository, tmp_path: Path
) -> None:
    environ = tenants(folder, tmp_path, "    require_approval: true\n")
    where = ("--dir", "migrations", "--env", "prod")
    refused = folder.run("deploy", *where, **environ)
    assert (refused.code, "pilotage plan --env prod" in refused.err) == (2, True)
    digest = folder.run("plan", *where, "--json", **environ).json["digest"]
    folder.write({"migrations/3_c.sql": "CREATE TABLE c (id int);\n"})
    assert folder.run("deploy", *where, "--plan", digest, **environ).code == 3
    (folder.path / "migrations/3_c.sql").unlink()
    done = folder.run("deploy", *where, "--plan", digest, "--json", **environ)
    assert (done.code, done.json["status"]) == (0, "ok"), done.err
    assert folder.run("deploy", *where, "--plan", digest, **environ).code == 0


def test_one_approved_plan_of_one_database_runs_and_is_written_to_a_file(folder: Repository, url: str) -> None:
    folder.write({**B, "pilotage.yml": "environments:\n  prod:\n    url: ${DB}\n    require_approval: yes\n"})
    shown = folder.run("plan", "--dir", "migrations", "--env", "prod", "--output", "plan.json", DB=url)
    plan = json.loads((folder.path / "plan.json").read_text())
    assert plan["digest"] in shown.out
    assert [step["name"] for step in plan["steps"]] == ["1_a.sql", "2_b.sql"]
    assert plan["steps"][1]["statements"][1]["text"].startswith("INSERT INTO b")
    done = folder.run("deploy", "--dir", "migrations", "--env", "prod", "--plan", plan["digest"], "--json", DB=url)
    assert done.json["to"] == "2", done.err


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("environments:\n  prod:\n    url: postgres://u:pw-secret@h/d\n", "set NAME"),
        ("environments:\n  prod:\n    url: ${NOPE}\n", "variable NOPE, which is not set"),
        ("environments:\n  prod:\n    urls: ${X}\n", "did you mean 'url'?"),
        ("environments:\n  prod: {}\n", "either 'url'"),
        ("environments:\n  prod:\n    databases: {'a b': '${X}'}\n", "a name is"),
        ("environments:\n  prod:\n    url: ${X}\n    order: sideways\n", "'order' of environment 'prod'"),
        ("environments:\n  prod:\n    url: ${X}\n    lock_wait: soon\n", "duration"),
        ("environments:\n  staging:\n    url: ${X}\n", "there is no environment 'prod'"),
    ],
)  # fmt: skip
def test_a_wrong_environment_is_a_configuration_error_that_says_what_to_write(
    folder: Repository, text: str, words: str
) -> None:
    folder.write({**A, "pilotage.yml": text})
    refused = folder.run("deploy", "--dir", "migrations", "--env", "prod", X="sqlite://x.db")
    assert refused.code == 2
    assert words in refused.err
    assert "pw-secret" not in refused.err


def test_databases_may_be_listed_by_a_variable(folder: Repository, tmp_path: Path) -> None:
    folder.write({**A, "pilotage.yml": "environments:\n  prod:\n    databases: ${ALL}\n"})
    listed = "\n".join(f"{name}=sqlite://{tmp_path}/{name}.db" for name in ("x", "y"))
    done = folder.run("deploy", "--dir", "migrations", "--env", "prod", "--json", ALL=listed)
    assert [each["database"] for each in done.json["databases"]] == ["x", "y"]


def test_going_back_needs_the_digest_that_going_back_prints(folder: Repository, url: str) -> None:
    up, down = "-- +goose Up\n", "-- +goose Down\n"
    folder.write({"migrations/1_a.sql": f"{up}CREATE TABLE a (id int);\n{down}DROP TABLE a;\n"})
    folder.run("deploy", "--dir", "migrations", "--to", url)
    where = ("down", "--dir", "migrations", "--to", url, "--to-version", "0")
    assert folder.run(*where, "--apply").code == 2
    digest = folder.run(*where, "--json").json["plan"]
    assert folder.run(*where, "--apply", "--plan", "sha256:0").code == 3
    done = folder.run(*where, "--apply", "--plan", digest, "--json")
    assert done.json == {"status": "ok", "from": "1", "to": None, "applied": ["1"], "pending": [], "error": None}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_the_statement_that_runs_with_code_5_and_the_lock_is_free(
    folder: Repository, new_place: Callable[[str], Place], number: int
) -> None:
    place = new_place("postgres")
    folder.write({**A, "migrations/2_s.sql": "INSERT INTO a VALUES (1);\nSELECT pg_sleep(30);\n"})
    arguments = [sys.executable, "-m", "ci_runner", "deploy", "--dir", "migrations", "--to", place.url, "--json"]
    process = subprocess.Popen(
        arguments, cwd=folder.path, env=dict(folder.environ), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    asking = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(30)%' AND pid <> pg_backend_pid() AND state = 'active'"
    end = time.monotonic() + 30
    while place.rows(asking) == [(0,)] and time.monotonic() < end:
        time.sleep(0.05)
    started = time.monotonic()
    os.kill(process.pid, number)
    out, err = process.communicate(timeout=25)
    assert process.returncode == 5, out + err
    assert time.monotonic() - started < 25
    assert json.loads(out)["error"]["code"] == 5
    assert place.rows("SELECT count(*) FROM a") == [(0,)]
    folder.write({"migrations/2_s.sql": "INSERT INTO a VALUES (2);\n"})
    assert folder.run("deploy", "--dir", "migrations", "--to", place.url, "--json").json["to"] == "2"


def test_a_statement_in_doubt_is_settled_by_command(folder: Repository, url: str) -> None:
    folder.write(A)
    folder.run("deploy", "--dir", "migrations", "--to", url)
    Place("sqlite", url).run(
        "UPDATE pilotage_revisions SET state = 'in_doubt', intent_statement = 1, statements_done = 0"
    )
    doubtful = folder.run("deploy", "--dir", "migrations", "--to", url, "--json")
    assert (doubtful.code, doubtful.json["status"], doubtful.json["error"]["code"]) == (4, "in_doubt", 4)
    assert folder.run("status", "--dir", "migrations", "--to", url).code == 4
    assert folder.run("resolve", "--to", url).code == 2
    assert folder.run("resolve", "--to", url, "--applied").code == 2
    settled = folder.run("resolve", "--to", url, "--applied", "--reason", "the table is there", "--json")
    assert settled.json == {"version": "1", "state": "applied", "done": 1, "total": 1}, settled.err
    assert folder.run("deploy", "--dir", "migrations", "--to", url, "--json").json["status"] == "noop"
