"""What is peculiar to Bitbucket Data Center: versions of comments, rights told by 401, anchors, paths a server lives below."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from ci_runner.errors import UsageError
from ci_runner.model.ci import Note, Trigger
from ci_runner.model.report import Suggestion
from ci_runner.scm import needs, own_bitbucket
from ci_runner.scm import open as open_scm
from tests.fakes.datacenter import BOT_TOKEN, DataCenter
from tests.fakes.server import Fault
from tests.scm.conftest import Bench
from tests.scm.host import ADDED, BY_NAME, EDITED, HEAD

pytestmark = pytest.mark.parametrize("bench", [BY_NAME["datacenter"]], ids=["datacenter"], indirect=True)


def error(message: str, kind: str | None = None) -> dict[str, Any]:
    name = f"com.atlassian.bitbucket.{kind}" if kind else None
    return {"errors": [{"context": None, "message": message, "exceptionName": name}]}


@pytest.mark.parametrize(
    ("status", "body", "kind", "said"),
    [
        (401, error("Authentication failed", "auth.IncorrectPasswordAuthenticationException"), "unauthorised", "wrong or has expired"),
        (401, error("You are not permitted", "AuthorisationException"), "forbidden", "of an account that may comment"),
        (403, error("XSRF check failed"), "forbidden", "XSRF check failed"),
        (404, error("does not exist", "pull.NoSuchPullRequestException"), "missing", "the token may not see it"),
        (400, error("Please enter a non-empty value less than 32768 characters"), "too_long", "less than 32768"),
        (400, error("The line is not part of the diff."), "invalid", "not part of the diff"),
        (409, error("out-of-date information", "comment.CommentOutOfDateException"), "stale", "out-of-date"),
        (429, error("too many requests"), "limited", "rate limit"),
        (500, error("An error occurred"), "doubt", "done all the same"),
        (400, {"errors": ["no object", {"message": 7}]}, "invalid", "no reason given"),
    ],
)  # fmt: skip
def test_each_refusal_is_told_apart(bench: Bench, status: int, body: Any, kind: str, said: str) -> None:
    refused = bench.refused(status, body)
    assert refused.kind == kind
    assert said in str(refused)


def test_a_comment_that_changed_since_it_was_read_is_changed_and_removed_all_the_same(bench: Bench) -> None:
    scm = bench.scm()
    scm.create_comment(7, "one")
    (old,) = scm.comments(7)
    scm.update_comment(7, old, "two")
    scm.update_comment(7, old, "three")
    assert [each.body for each in scm.comments(7)] == ["three"]
    scm.delete_comment(7, old)
    assert scm.comments(7) == ()


def test_a_change_that_was_done_before_its_answer_got_lost_is_not_made_again(bench: Bench) -> None:
    scm = bench.scm()
    scm.create_comment(7, "one")
    (old,) = scm.comments(7)
    bench.fake.faults.append(Fault("PUT", "cut"))
    scm.update_comment(7, old, "two")
    assert [(each.body, each.version) for each in scm.comments(7)] == [("two", 1)]


def test_an_anchor_names_the_kind_of_the_line_it_stands_on(bench: Bench) -> None:
    bench.scm().create_notes(7, HEAD, [Note("a", EDITED, 11, 11, "added"), Note("b", EDITED, 12, 12, "context")])
    kinds = [(each["line"], each["anchor"]["lineType"]) for each in bench.fake.state["notes"]]
    assert kinds == [(11, "ADDED"), (12, "CONTEXT")]


def test_a_suggestion_for_one_line_can_be_taken_over_and_one_for_several_stands_there_as_sql(bench: Bench) -> None:
    one = Note("a", ADDED, 2, 2, "bad", Suggestion(2, 2, "x;\n"))
    bench.scm().create_notes(7, HEAD, [one, replace(one, fingerprint="b", suggestion=Suggestion(3, 4, "y;\n"))])
    assert [body for _, _, body in bench.host.notes(bench.fake)] == [
        "bad\n\n```suggestion\nx;\n```",
        "bad\n\n```sql\ny;\n```",
    ]


def test_an_answered_note_is_rewritten_and_its_thread_resolved(bench: Bench) -> None:
    scm = bench.scm()
    scm.create_notes(7, HEAD, [Note("f1", ADDED, 2, 2, "bad")])
    bench.host.answer_note(bench.fake)
    scm.retire_note(7, scm.notes(7)[0], "gone")
    assert [each.get("resolved", False) for each in bench.fake.state["notes"]] == [True, False]


def test_an_outdated_note_has_no_line_any_more(bench: Bench) -> None:
    scm = bench.scm()
    scm.create_notes(7, HEAD, [Note("f1", ADDED, 2, 2, "bad")])
    bench.fake.state["notes"][0]["anchor"] = {**bench.fake.state["notes"][0]["anchor"], "orphaned": True}
    assert scm.notes(7)[0].line is None


@pytest.mark.parametrize(("context", "repository"), [("/bitbucket", "ACME/shop"), ("", "~mira/shop")])
def test_a_server_may_live_below_a_path_and_a_repository_belong_to_a_person(
    bench: Bench, context: str, repository: str
) -> None:
    with DataCenter(context=context) as fake:
        fake.state["repository"] = repository
        trigger = Trigger("local", "bitbucket", "pull_request", repository, 7, api_url=fake.url)
        scm = open_scm(trigger, BOT_TOKEN)
        scm.create_comment(7, "x")
        assert [each.author for each in scm.comments(7)] == [scm.author()] == [bench.login()]
        assert fake.violations == []


def test_the_address_tells_it_from_the_cloud(bench: Bench) -> None:
    trigger = Trigger("azure", "bitbucket", "push", "ACME/shop", api_url=bench.fake.url)
    assert own_bitbucket(trigger)
    assert "HTTP access token" in needs(trigger)
    assert not own_bitbucket(replace(trigger, api_url="https://api.bitbucket.org/2.0"))
    for name in ("shop", "ACME/shop/more", "ACME/"):
        with pytest.raises(UsageError, match="KEY/slug"):
            open_scm(replace(trigger, repository=name), "t")
