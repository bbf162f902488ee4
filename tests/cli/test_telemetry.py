"""Lint, push and deploy as a collector sees them, and as they go on when it does not answer."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Repository
from tests.fakes.receiver import Got, Receiver, Say
from tests.telemetry.collector import facts, metrics, spans

LITE = ("--dialect", "sqlite")
JOB = {
    "GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": "push", "GITHUB_REF": "refs/heads/main", "GITHUB_REPOSITORY": "acme/shop", "GITHUB_RUN_ID": "4711",
    "GITHUB_SERVER_URL": "https://github.com", "GITHUB_SHA": "c" * 40, "GITHUB_WORKFLOW": "Deploy",
}  # fmt: skip


@pytest.fixture
def shop(repository: Repository) -> Repository:
    return repository.with_registry(**JOB)


def traced(receiver: Receiver) -> dict[str, str]:
    return {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url.partition("/services")[0]}


def of(receiver: Receiver, signal: str) -> list[Got]:
    return [got for got in receiver.got if got.path.endswith(signal)]


def test_push_and_deploy_leave_traces_with_the_words_of_the_conventions(shop: Repository) -> None:
    with Receiver() as receiver:
        assert shop.run("push", "app", *LITE, **traced(receiver)).code == 0
        assert shop.run("deploy", "app", **traced(receiver)).code == 0
    push, deploy = of(receiver, "traces")
    root = spans(push)[0]
    told = facts(root)
    assert root.name == "pilotage push"
    assert (told["cicd.pipeline.name"], told["cicd.pipeline.run.id"], told["cicd.pipeline.task.run.result"]) == (
        "Deploy",
        "4711",
        "success",
    )
    assert (told["vcs.repository.name"], told["vcs.ref.head.name"], told["vcs.provider.name"]) == (
        "acme/shop",
        "main",
        "github",
    )
    assert told["cicd.pipeline.run.url.full"] == "https://github.com/acme/shop/actions/runs/4711"
    names = [span.name for span in spans(deploy)]
    assert names == ["pilotage deploy", "deploy app", "migration 1_init.sql", "statement 1"]
    database = facts(spans(deploy)[1])
    assert (database["db.system.name"], database["db.namespace"], database["deployment.status"]) == (
        "sqlite",
        "app.db",
        "succeeded",
    )
    assert all("CREATE TABLE" not in got.body.decode() for got in receiver.got)
    numbers = metrics(of(receiver, "metrics")[1])
    assert {
        "cicd.pipeline.run.duration",
        "pilotage.migrations.applied",
        "db.client.operation.duration",
        "pilotage.lock.wait",
    } <= set(numbers)


def test_what_fails_says_so(shop: Repository) -> None:
    with Receiver() as receiver:
        shop.run("push", "app", *LITE)
        shop.commit({"migrations/1_init.sql": "CREATE TABLE other (id int);\n"})
        assert shop.run("push", "app", *LITE, **traced(receiver)).code == 3
    root = spans(of(receiver, "traces")[0])[0]
    assert (facts(root)["cicd.pipeline.task.run.result"], facts(root)["error.type"], root.status.code) == (
        "error",
        "exit_3",
        2,
    )
    assert "cicd.pipeline.run.errors" in metrics(of(receiver, "metrics")[0])


def test_lint_counts_its_findings(shop: Repository) -> None:
    shop.git("checkout", "-q", "-b", "feature")
    shop.commit({"migrations/2_more.sql": "ALTER TABLE users DROP COLUMN email;\n"})
    with Receiver() as receiver:
        shop.run("lint", "--dialect", "postgres", "--base", "main", **traced(receiver))
    assert [span.name for span in spans(of(receiver, "traces")[0])] == ["pilotage lint", "lint migrations"]
    assert metrics(of(receiver, "metrics")[0])["pilotage.findings"].sum.data_points[0].as_int > 0


def test_no_collector_changes_an_exit_code_or_sees_a_secret(shop: Repository) -> None:
    with Receiver(Say(500)) as receiver:
        done = shop.run(
            "push", "app", *LITE, **traced(receiver), OTEL_EXPORTER_OTLP_HEADERS="authorization=Bearer%20hunter2hunter2"
        )
    assert (done.code, "HTTP 500" in done.err, "hunter2" in done.err) == (0, True, False)
    gone = shop.run("deploy", "app", "--json", **traced(receiver))
    assert (gone.code, gone.json["status"], "telemetry was not sent" in gone.err) == (0, "ok", True)
