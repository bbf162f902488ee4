"""Hooks as their users meet them: set up, told, looked at, sent again; and never the reason of an exit code."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.cli.conftest import Done, Repository
from tests.fakes.receiver import Receiver, Say

PG = ("--dialect", "postgres")
SECRET = "whsec_" + "QUJD" * 10
LATER = Say(503, b"come back", {"retry-after": "3600"})  # more than a command waits for, so that no test does
HOOKS = """# ours
hooks:
  - name: team
    kind: generic
    url: { env: TEAM_URL }
    secret: { env: TEAM_SECRET }
    events: ["*"]
    allow_private: true%s
"""


@pytest.fixture
def shop(repository: Repository) -> Repository:
    """A repository with a registry beside it and one hook."""
    registry = (repository.path.parent / "registry").as_uri()
    repository.commit({"pilotage.yml": HOOKS % ""})
    return Repository(repository.path, {**repository.environ, "PILOTAGE_REGISTRY": registry, "TEAM_SECRET": SECRET})


def push(shop: Repository, receiver: Receiver | None, *more: str) -> Done:
    return shop.run("push", "app", *PG, *more, **{"TEAM_URL": receiver.url} if receiver else {})


def edit(shop: Repository) -> None:
    shop.commit({"migrations/1_init.sql": "CREATE TABLE users (id bigint PRIMARY KEY);\n"})


def extend(shop: Repository, number: int) -> None:
    shop.commit({f"migrations/{number}_more.sql": f"CREATE TABLE more{number} (id int);\n"})


def test_a_push_is_told_once_it_is_recorded_and_one_that_changes_nothing_is_not(shop: Repository) -> None:
    with Receiver() as receiver:
        assert push(shop, receiver).code == 0
        assert push(shop, receiver).code == 0
    (got,) = receiver.got
    assert (got.json["type"], got.json["data"]["dir"], got.json["data"]["to"]) == ("push.succeeded", "app", "version 1")
    assert got.json["data"]["git"]["sha"] == shop.git("rev-parse", "HEAD")
    assert got.headers["webhook-signature"].startswith("v1,")


@pytest.mark.parametrize("how", ["404", "500", "html", "redirect", "cut", "nobody", "unset"])
def test_no_exit_code_changes_whatever_the_hook_does(shop: Repository, how: str) -> None:
    say = {
        "404": Say(404, b"no_service"),
        "500": LATER,
        "html": Say(200, b"<html>sign in</html>"),
        "redirect": Say(302, headers={"location": "http://127.0.0.1:1/"}),
        "cut": Say(429, b"", {"retry-after": "9999"}),
    }.get(how, Say())
    with Receiver(say) as receiver:
        done = push(shop, None if how == "unset" else receiver)
        edit(shop)
        refused = push(shop, None if how == "unset" else receiver)
    assert (done.code, refused.code) == (0, 3)
    assert ("warning: hook 'team'" in done.err) is (how not in {"html", "nobody"})
    assert "secretpath" not in done.err + done.out + refused.err


def test_a_rejected_push_is_told_with_its_exit_code(shop: Repository) -> None:
    with Receiver() as receiver:
        push(shop, receiver)
        edit(shop)
        assert push(shop, receiver).code == 3
    told = receiver.got[-1].json
    assert (told["type"], told["data"]["exit_code"], told["data"]["outcome"]) == ("push.rejected", 3, "diverged")
    assert "1_init.sql" in told["data"]["files"][0]


def test_what_failed_is_kept_and_sent_again_with_the_next_message_or_by_hand(shop: Repository) -> None:
    with Receiver(LATER, LATER, Say(200)) as receiver:
        environ: Mapping[str, str] = {"TEAM_URL": receiver.url}
        push(shop, receiver)
        (failed,) = shop.run("hooks", "deliveries", "--failed", "--json").json
        assert (failed["state"], failed["status"], failed["answer"], failed["attempt"]) == (
            "failed",
            503,
            "come back",
            1,
        )
        assert "secretpath" not in str(failed)
        assert shop.run("hooks", "redeliver", failed["id"][:9], **environ).code == 1
        extend(shop, 2)
        push(shop, receiver)
        assert [got.headers["webhook-id"] for got in receiver.got][:3] == [failed["id"]] * 3
        assert len({got.body for got in receiver.got[:3]}) == 1
        assert receiver.got[3].json["data"]["to"] == "version 2"
        assert shop.run("hooks", "deliveries", "--failed", "--json").json == []
        assert shop.run("hooks", "redeliver", "--failed", **environ).out == "nothing to send again\n"
        shown = shop.run("hooks", "show", failed["id"]).out
    assert [
        word in shown for word in ("attempt 1: failed", "attempt 2: failed", "attempt 3: delivered", '"push.succeeded"')
    ] == [True] * 4


def test_a_hook_that_is_gone_rests_until_its_address_changes(shop: Repository) -> None:
    with Receiver(Say(410)) as receiver, Receiver() as moved:
        push(shop, receiver)
        extend(shop, 2)
        assert "410 Gone" in push(shop, receiver).err
        assert len(receiver.got) == 1
        extend(shop, 3)
        moved.url += "-elsewhere"
        push(shop, moved)
        assert len(moved.got) == 1


def test_only_what_changed_is_told_where_that_is_wanted(shop: Repository) -> None:
    shop.commit({"pilotage.yml": HOOKS % "\n    only_on_change: true"})
    with Receiver() as receiver:
        for number in (2, 3):
            extend(shop, number)
            assert push(shop, receiver).code == 0
        edit(shop)
        assert [push(shop, receiver).code, push(shop, receiver).code] == [3, 3]
    assert [got.json["type"] for got in receiver.got] == ["push.succeeded", "push.rejected"]


def test_a_pull_request_uses_the_hooks_of_its_base_and_no_others(shop: Repository) -> None:
    with Receiver() as receiver, Receiver() as other:
        shop.git("checkout", "-q", "-b", "feature")
        shop.write({"pilotage.yml": (HOOKS % "").replace("TEAM_URL", "OTHER_URL")})
        shop.commit({"migrations/2_more.sql": "ALTER TABLE users DROP COLUMN email;\n"})
        environ = {
            "GITHUB_ACTIONS": "true",
            "GITHUB_EVENT_NAME": "pull_request",
            "GITHUB_REPOSITORY": "acme/shop",
            "GITHUB_BASE_REF": "main",
        }
        shop.git("update-ref", "refs/remotes/origin/main", "main")
        done = shop.run("ci", *PG, TEAM_URL=receiver.url, OTHER_URL=other.url, **environ)
    assert (len(receiver.got), len(other.got)) == (1, 0), done.err
    told = receiver.got[0].json
    assert told["type"] == ("lint.failed" if done.code else "lint.passed")
    assert told["data"]["files"] == ["2_more.sql"]


def test_a_hook_is_added_where_a_person_would_add_it_and_the_rest_stays(folder: Repository) -> None:
    first = (
        "hooks",
        "add",
        "team",
        "--kind",
        "slack",
        "--url-env",
        "TEAM_URL",
        "--event",
        "deploy.*",
        "--for-env",
        "prod",
    )
    assert folder.run(*first).code == 0
    before = (
        "# top\ndir: migrations # here\nhooks:\n- name: a\n  kind: slack\n  url: {env: A}\n\n# end\nfail_on: error\n"
    )
    folder.write({"pilotage.yml": before})
    assert folder.run("hooks", "add", "b", "--url-file", "/run/secrets/b", "--secret-env", "B_SECRET").code == 0
    after = (folder.path / "pilotage.yml").read_text()
    assert [line for line in after.splitlines() if line in before.splitlines()] == before.splitlines()
    listed = folder.run("hooks", "list", "--json", A="https://x.example/1").json
    assert [(each["name"], each["state"] == "ready") for each in listed] == [("a", True), ("b", False)]
    for wrong in (
        ("b", "--url-env", "B"),
        ("c",),
        ("c", "--url-env", "https://hooks.example/x"),
        ("c", "--url-env", "C", "--event", "x"),
    ):
        assert folder.run("hooks", "add", *wrong).code == 2
    assert (folder.path / "pilotage.yml").read_text() == after


def test_an_address_in_the_configuration_is_refused_and_not_repeated(folder: Repository) -> None:
    folder.write(
        {
            "pilotage.yml": "hooks:\n  - name: a\n    kind: slack\n    url: https://hooks.slack.com/services/T0/B0/topsecretpath\n"
        }
    )
    done = folder.run("hooks", "list")
    assert (done.code, "topsecretpath" in done.err, "env: NAME" in done.err) == (2, False, True)


def test_a_hook_is_tried_out(shop: Repository) -> None:
    with Receiver(Say(), Say(404, b"no_service")) as receiver:
        assert shop.run("hooks", "test", "team", TEAM_URL=receiver.url).code == 0
        refused = shop.run("hooks", "test", "team", "--event", "deploy.failed", TEAM_URL=receiver.url)
        assert (refused.code, "no_service" in refused.out) == (1, True)
        assert [got.json["type"] for got in receiver.got] == ["hook.test", "deploy.failed"]
        assert shop.run("hooks", "test", "team", "--dry-run", TEAM_URL=receiver.url).json["type"] == "hook.test"
        assert len(receiver.got) == 2
    assert shop.run("hooks", "test", "teem").code == 2
    assert shop.run("hooks", "test", "team", "--event", "deploy.fialed").code == 2
    assert shop.run("hooks", "secret").out.startswith("whsec_")


def test_a_deployment_is_told_from_its_wait_for_approval_to_its_end(shop: Repository) -> None:
    more = "\nenvironments:\n  prod:\n    url: ${DATABASE}\n    require_approval: true\n"
    shop.commit({"pilotage.yml": HOOKS % "\n    envs: [prod]" + more})
    with Receiver() as receiver:
        environ = {"TEAM_URL": receiver.url, "DATABASE": f"sqlite://{shop.path.parent}/app.db"}
        assert shop.run("push", "app", "--dialect", "sqlite", **environ).code == 0
        assert shop.run("deploy", "app", "--env", "prod", **environ).code == 2
        plan = shop.run("plan", "app", "--env", "prod", "--json", **environ).json["digest"]
        done = shop.run("deploy", "app", "--env", "prod", "--plan", plan, **environ)
        assert done.code == 0, done.err
        extend(shop, 2)
        shop.commit({"migrations/3_bad.sql": "INSERT INTO nowhere VALUES (1);\n"})
        shop.run("push", "app", "--dialect", "sqlite", **environ)
        plan = shop.run("plan", "app", "--env", "prod", "--json", **environ).json["digest"]
        assert shop.run("deploy", "app", "--env", "prod", "--plan", plan, **environ).code == 1
    told = [(got.json["type"], got.json["data"]["dir"], got.json["data"]["exit_code"]) for got in receiver.got]
    assert told == [
        ("deploy.waiting_approval", "app", 2), ("deploy.started", "app", 0), ("deploy.succeeded", "app", 0),
        ("deploy.started", "app", 0), ("deploy.failed", "app", 1),
    ]  # fmt: skip
    last = receiver.got[-1].json["data"]
    assert (last["from"], last["to"], last["env"], last["files"]) == ("1", "2", "prod", ["2_more.sql"])
    assert "nowhere" in last["error"]


def test_two_runs_that_never_reached_a_database_are_two_messages(shop: Repository, tmp_path: Path) -> None:
    shop.commit(
        {"pilotage.yml": HOOKS % "" + "environments:\n  all:\n    databases: { a: '${A_URL}', b: '${B_URL}' }\n"}
    )
    urls = {f"{name}_URL": f"sqlite://{tmp_path}/{name}.db" for name in "AB"}
    with Receiver() as receiver:
        for _ in range(2):
            assert shop.run("deploy", "app", "--env", "all", **urls, TEAM_URL=receiver.url).code == 2
    failed = [got for got in receiver.got if got.json["type"] == "deploy.failed"]
    assert len(failed) == len({got.headers["webhook-id"] for got in failed}) == 4


def test_a_configuration_behind_a_symbolic_link_is_edited_where_it_lies(folder: Repository) -> None:
    folder.write({"shared/pilotage.yml": "dialect: postgres\n"})
    (folder.path / "pilotage.yml").symlink_to("shared/pilotage.yml")
    assert folder.run("hooks", "add", "team", "--url-env", "TEAM_URL").code == 0
    assert (folder.path / "pilotage.yml").is_symlink()
    assert "name: team" in (folder.path / "shared/pilotage.yml").read_text()
