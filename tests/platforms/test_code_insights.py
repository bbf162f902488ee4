"""Bitbucket's Code Insights: through the proxy without a token, by the API with one, each message held against the description."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ci_runner import platforms
from ci_runner.model.ci import Annotation, Status, Trigger
from tests.fakes.bitbucket import Bitbucket
from tests.fakes.datacenter import BOT_TOKEN, OWNER_TOKEN, DataCenter
from tests.fakes.server import Fault

HEAD = "a" * 40
FAILED = Status("pilotage", "failure", "2 errors", "https://example.org/run")
PLACE = f"{HEAD}/pilotage"


@pytest.fixture
def fake() -> Iterator[Bitbucket]:
    with Bitbucket() as made:
        yield made
        assert made.violations == []


def annotate(fake: Bitbucket, annotations: list[Annotation], status: Status | None = FAILED) -> tuple[str, ...]:
    env = {
        "BITBUCKET_REPO_FULL_NAME": "acme/shop",
        "BITBUCKET_COMMIT": HEAD,
        "PILOTAGE_BITBUCKET_PROXY": fake.origin,
    }
    return platforms.open("bitbucket", env, lambda _: None, lambda: "r").annotate(annotations, status)


def test_a_report_holds_the_verdict_and_each_finding_on_its_line(fake: Bitbucket) -> None:
    found = [
        Annotation("notice", "n", "", "a.sql", 9),
        Annotation("error", "drops a table\nwhy", "dropped", "a.sql", 3),
    ]
    assert annotate(fake, found) == ()
    report = fake.state["reports"][PLACE]
    assert (report["result"], report["details"], report["link"]) == ("FAILED", "2 errors", "https://example.org/run")
    assert [each["value"] for each in report["data"]] == [1, 0, 1]
    worst, last = fake.state["annotations"][PLACE].values()
    assert (worst["path"], worst["line"], worst["severity"]) == ("a.sql", 3, "HIGH")
    assert (worst["annotation_type"], worst["summary"], worst["details"]) == ("BUG", "dropped: drops a table", "why")
    assert (last["annotation_type"], last["severity"]) == ("CODE_SMELL", "LOW")


def test_a_second_run_on_a_commit_replaces_the_first(fake: Bitbucket) -> None:
    annotate(fake, [Annotation("error", str(number)) for number in range(3)])
    assert annotate(fake, [], Status("pilotage", "success", "no findings")) == ()
    assert fake.state["reports"][PLACE]["result"] == "PASSED"
    assert fake.state["annotations"][PLACE] == {}


def test_the_worst_thousand_come_in_requests_of_a_hundred(fake: Bitbucket) -> None:
    many = [Annotation("notice", f"n{number}") for number in range(1200)] + [Annotation("error", "x" * 1000)]
    assert annotate(fake, many) == ()
    there = list(fake.state["annotations"][PLACE].values())
    assert (len(there), len(there[0]["summary"]), there[0]["severity"]) == (1000, 450, "HIGH")
    assert fake.asked("POST", "/annotations") == 10


def test_each_job_has_a_report_of_its_own(fake: Bitbucket) -> None:
    for name in ("pilotage", "Till & Shop"):
        annotate(fake, [], Status(name, "success", "ok"))
    assert sorted(fake.state["reports"]) == [f"{HEAD}/pilotage", f"{HEAD}/pilotage-till-shop"]


@pytest.mark.parametrize(
    "fault",
    [Fault("PUT", "status", 9, 500), Fault("POST", "html", 9), Fault("DELETE", "cut", 9), Fault("PUT", "redirect", 9)],
)
def test_what_cannot_be_posted_is_one_warning_that_says_what_would_help(fake: Bitbucket, fault: Fault) -> None:
    fake.faults.append(fault)
    (warning,) = annotate(fake, [Annotation("error", "x")])
    assert warning.startswith("Code Insights report not posted: ")
    assert "scope repository:write" in warning


def test_nobody_at_the_proxy_is_one_warning() -> None:
    env = {
        "BITBUCKET_REPO_FULL_NAME": "a/b",
        "BITBUCKET_COMMIT": HEAD,
        "PILOTAGE_BITBUCKET_PROXY": "http://127.0.0.1:1",
    }
    (warning,) = platforms.open("bitbucket", env, lambda _: None, lambda: "r").annotate([], FAILED)
    assert "cannot be reached" in warning


def test_a_run_without_a_verdict_reports_nothing_and_one_without_a_commit_says_so() -> None:
    outlets = platforms.open("bitbucket", {}, lambda _: None, lambda: "r")
    assert outlets.annotate([]) == ()
    assert "BITBUCKET_COMMIT is not set" in outlets.annotate([], FAILED)[0]


# --- Data Center -------------------------------------------------------------------------------------------------------


def reported(fake: DataCenter, annotations: list[Annotation], token: str = BOT_TOKEN) -> tuple[str, ...]:
    trigger = Trigger("azure", "bitbucket", "pull_request", "ACME/shop", 7, head_sha=HEAD, api_url=fake.url)
    beside = platforms.of_scm(trigger, token, lambda _: None)
    assert beside is not None
    return beside.annotate(annotations, FAILED)


def test_data_center_gets_a_report_with_each_finding_on_its_line_and_the_last_run_counts() -> None:
    found = [
        Annotation("notice", "n", "", "a.sql"),
        Annotation("error", "drops\nwhy", "gone", "a.sql", 3),
        Annotation("warning", "w"),
    ]
    with DataCenter(context="/git") as fake:
        assert reported(fake, [Annotation("error", "old")] * 3) == ()
        assert reported(fake, found) == ()
        report = fake.state["reports"][PLACE]
        assert (report["result"], report["details"]) == ("FAIL", "2 errors")
        worst, middle, last = fake.state["annotations"][PLACE]
        assert (worst["path"], worst["line"], worst["severity"]) == ("a.sql", 3, "HIGH")
        assert (worst["type"], worst["message"]) == ("BUG", "gone: drops\nwhy")
        assert ("path" in middle, last["line"]) == (False, 0)
        assert fake.violations == []


def test_data_center_takes_the_worst_thousand_and_says_what_it_refuses() -> None:
    with DataCenter() as fake:
        assert reported(fake, [Annotation("notice", "n")] * 1200 + [Annotation("error", "x" * 3000)]) == ()
        there = fake.state["annotations"][PLACE]
        assert (len(there), len(there[0]["message"])) == (1000, 2000)
        (warning,) = reported(fake, [], "BBDC-nobody")
        assert warning.startswith("Code Insights report not posted: Bitbucket answered 401: Authentication failed")
        assert "BBDC-nobody" not in warning
        assert reported(fake, [], f"mira:{OWNER_TOKEN}") != (), "a name and a password are sent as such"
        assert fake.requests[-1].headers["authorization"].startswith("Basic ")
