"""Every way GitHub can fail, told apart, within a bounded wait."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ci_runner.http import Limits
from ci_runner.model.ci import Comment, Note, Status
from ci_runner.scm import Scm, ScmError
from tests.fakes.server import Fault
from tests.scm.conftest import Bench
from tests.scm.host import ADDED, BY_NAME, HEAD

Ask = Callable[[Scm], object]

pytestmark = pytest.mark.parametrize("bench", [BY_NAME["github"]], ids=["github"], indirect=True)

READ: Ask = lambda scm: scm.comments(7)  # noqa: E731
WRITE: Ask = lambda scm: scm.create_comment(7, "x")  # noqa: E731
REVIEW: Ask = lambda scm: scm.create_notes(7, HEAD, [Note("f", ADDED, 1, 1, "x")])  # noqa: E731
STATUS: Ask = lambda scm: scm.set_status(HEAD, Status("pilotage", "success", "ok"))  # noqa: E731

ALWAYS = 99
INTEGRATION = {"message": "Resource not accessible by integration"}
SECONDARY = {"message": "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."}
PRIMARY = {"message": "API rate limit exceeded for installation."}
TOO_LONG_OBJECT = {
    "message": "Validation Failed",
    "errors": [{"code": "unprocessable", "message": "Body is too long (maximum is 65536 characters)"}],
}
TOO_LONG_TEXT = {"message": "Validation Failed", "errors": ["body is too long (maximum is 65536 characters)"]}


def status(number: int, body: Any = None, times: int = ALWAYS, **headers: str) -> Fault:
    return Fault(".", "status", times, number, body, {name.replace("_", "-"): value for name, value in headers.items()})


@pytest.mark.parametrize(
    ("fault", "ask", "kind", "said"),
    [
        (status(401, {"message": "Bad credentials"}), READ, "unauthorised", "wrong or has expired"),
        (
            status(403, INTEGRATION, x_accepted_github_permissions="issues=write; pull_requests=write"),
            WRITE,
            "forbidden",
            "pull-requests: write",
        ),
        (
            status(403, INTEGRATION, x_accepted_github_permissions="contents=write"),
            WRITE,
            "forbidden",
            "contents: write",
        ),
        (
            status(403, {"message": "Resource protected by organization SAML enforcement."}, x_github_sso="required"),
            WRITE,
            "policy",
            "single sign-on",
        ),
        (
            status(
                403,
                {
                    "message": "Although you appear to have the correct authorization, the org has an IP allow list enabled"
                },
            ),
            READ,
            "policy",
            "organ",
        ),
        (status(403, {"message": "Unable to create comment because issue is locked."}), WRITE, "invalid", "locked"),
        (status(404, {"message": "Not Found"}), WRITE, "missing", "the token may not see it"),
        (status(410, {"message": "Issues are disabled for this repo"}), WRITE, "missing", "disabled"),
        (status(422, TOO_LONG_OBJECT), WRITE, "too_long", "too long"),
        (status(422, TOO_LONG_TEXT), WRITE, "too_long", "too long"),
        (status(422, {"message": "Validation Failed", "errors": [{"code": "custom"}]}), WRITE, "invalid", "custom"),
        (status(409, {"message": "Conflict"}), WRITE, "invalid", "Conflict"),
        (status(429, SECONDARY, retry_after="3600"), WRITE, "limited", "rate limit"),
        (status(403, SECONDARY, retry_after="3600"), WRITE, "limited", "rate limit"),
        (
            status(403, PRIMARY, x_ratelimit_remaining="0", x_ratelimit_reset="99999999999"),
            READ,
            "limited",
            "rate limit",
        ),
        (status(500), READ, "down", "500"),
        (status(503, "<html>unicorn</html>", content_type="text/html"), READ, "down", "503"),
        (status(502), WRITE, "doubt", "done all the same"),
        (status(502), REVIEW, "down", "502"),
        (Fault("POST", "done-then-status", ALWAYS, 502), REVIEW, "doubt", "502"),
        (Fault("POST", "cut", ALWAYS), WRITE, "doubt", "did not arrive whole"),
        (Fault("POST", "cut", ALWAYS), REVIEW, "doubt", "did not arrive whole"),
        (Fault("POST", "cut", ALWAYS), STATUS, "doubt", "did not arrive whole"),
        (Fault("GET", "cut", ALWAYS), READ, "down", "did not arrive whole"),
        (Fault("GET", "truncated", ALWAYS), READ, "down", "did not arrive whole"),
        (Fault("GET", "broken", ALWAYS), READ, "garbled", "broken JSON"),
        (Fault(".", "html", ALWAYS), READ, "garbled", "text/html instead of JSON"),
        (Fault(".", "redirect", ALWAYS), READ, "garbled", "sends on to https://login.example.org"),
        (status(200, {"a": "list was wanted"}), READ, "garbled", "wrong shape"),
        (status(200, [{"id": "no number"}]), READ, "garbled", "wrong shape"),
        (status(200, [7, None, []]), READ, "garbled", "wrong shape"),
        (status(200, [{"id": 1, "user": {}, "body": None}]), READ, "garbled", "wrong shape"),
    ],
)
def test_each_failure_is_told_apart(bench: Bench, fault: Fault, ask: Ask, kind: str, said: str) -> None:
    bench.fake.faults.append(fault)
    with pytest.raises(ScmError) as failed:
        ask(bench.scm())
    assert failed.value.kind == kind
    assert said in str(failed.value)
    assert "secret" not in str(failed.value)
    assert sum(bench.waits.slept) <= 120


def test_a_time_out_is_told_from_a_refusal(bench: Bench) -> None:
    bench.fake.faults.append(Fault("POST", "slow", seconds=1.0))
    with pytest.raises(ScmError) as failed:
        WRITE(bench.scm(limits=Limits(read=0.2)))
    assert failed.value.kind == "doubt"
    assert [body for _, body in bench.host.comments(bench.fake)] == ["x"], "it was done all the same"


def test_nobody_at_the_address_is_an_outage(bench: Bench) -> None:
    scm = bench.scm()
    bench.fake.server.shutdown()
    bench.fake.server.server_close()
    with pytest.raises(ScmError) as failed:
        WRITE(scm)
    assert failed.value.kind == "down"
    assert "cannot be reached" in str(failed.value)
    assert failed.value.exit_code == 5


@pytest.mark.parametrize(
    ("fault", "ask", "slept"),
    [
        (status(429, SECONDARY, 1, retry_after="7"), WRITE, [7]),
        (status(403, SECONDARY, 1), WRITE, [60]),
        (status(403, SECONDARY, 1), READ, [60]),
        (status(503, None, 2), READ, [0.5, 1.0]),
        (status(503, None, 1, retry_after="9"), READ, [9]),
        (Fault("GET", "cut", 1), READ, [0.5]),
        (Fault("GET", "truncated", 3), READ, [0.5, 1.0, 2.0]),
    ],
)
def test_what_passes_is_waited_for(bench: Bench, fault: Fault, ask: Ask, slept: list[float]) -> None:
    bench.fake.faults.append(fault)
    ask(bench.scm())
    assert bench.waits.slept == slept
    assert bench.fake.asked("POST") <= 2


def test_a_change_of_a_comment_is_repeated_because_it_only_replaces_text(bench: Bench) -> None:
    bench.host.add_comment(bench.fake, bench.login(), "old")
    scm = bench.scm()
    (there,) = scm.comments(7)
    bench.fake.faults.append(Fault("PATCH", "cut", 2))
    scm.update_comment(7, there, "new")
    assert [body for _, body in bench.host.comments(bench.fake)] == ["new"]


def test_a_post_that_may_have_been_done_is_not_repeated(bench: Bench) -> None:
    bench.fake.faults.append(Fault("POST", "cut", ALWAYS))
    with pytest.raises(ScmError):
        WRITE(bench.scm())
    assert bench.fake.asked("POST") == 1
    assert bench.waits.slept == []


def test_all_waiting_of_a_run_stays_within_its_bound(bench: Bench) -> None:
    bench.fake.faults.append(status(429, SECONDARY, ALWAYS, retry_after="50"))
    scm = bench.scm()
    for _ in range(3):
        with pytest.raises(ScmError):
            READ(scm)
    assert bench.waits.slept == [50, 50]


def test_a_reset_in_the_near_future_is_waited_for(bench: Bench) -> None:
    import time

    headers = {"x_ratelimit_remaining": "0", "x_ratelimit_reset": str(int(time.time()) + 30)}
    bench.fake.faults.append(status(403, PRIMARY, 1, **headers))
    READ(bench.scm())
    assert 28 <= bench.waits.slept[0] <= 32


def test_an_answer_over_the_cap_is_refused_before_it_fills_the_memory(bench: Bench) -> None:
    bench.host.add_comment(bench.fake, "mira", "x" * 50_000)
    with pytest.raises(ScmError) as failed:
        READ(bench.scm(limits=Limits(max_bytes=20_000)))
    assert failed.value.kind == "garbled"


def test_pages_that_lead_in_a_circle_come_to_an_end(bench: Bench) -> None:
    circle = {"Link": f'<{bench.fake.url}/repos/acme/shop/issues/7/comments?page=1>; rel="next"'}
    page = [{"id": number, "user": None, "body": "x"} for number in range(100)]
    bench.fake.faults.append(Fault("GET", "status", 10_000, 200, page, circle))
    assert len(bench.scm().comments(7)) == 50_000


def test_a_link_to_another_host_is_not_followed_with_the_token(bench: Bench) -> None:
    elsewhere = {"Link": '<http://evil.example/x?page=2>; rel="next"'}
    bench.fake.faults.append(Fault("GET", "status", 1, 200, [{"id": 1, "user": None, "body": "x"}], elsewhere))
    with pytest.raises(ScmError) as failed:
        READ(bench.scm())
    assert failed.value.kind == "garbled"


def test_somebody_elses_comment_is_not_ours_to_change(bench: Bench) -> None:
    bench.host.add_comment(bench.fake, "somebody", "theirs")
    with pytest.raises(ScmError) as failed:
        bench.scm().update_comment(7, Comment(bench.fake.state["comments"][0]["id"], "somebody", "theirs"), "x")
    assert failed.value.kind == "forbidden"


def test_an_encrypted_connection_goes_by_the_same_transport(bench: Bench) -> None:
    from ci_runner.model.ci import Trigger
    from ci_runner.scm import open as open_scm

    trigger = Trigger("github", "github", "push", "acme/shop", api_url="https://127.0.0.1:1/api/v3")
    scm = open_scm(trigger, "t", bench.waits.patience())
    with pytest.raises(ScmError) as failed:
        scm.default_branch()
    assert failed.value.kind == "down"
    assert "https://127.0.0.1:1/api/v3/repos/acme/shop cannot be reached" in str(failed.value)
    assert bench.waits.slept == [0.5, 1.0, 2.0]
