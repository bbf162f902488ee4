"""Bitbucket's refusals, told apart, and what is peculiar to it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ci_runner.model.ci import Note, Status, Trigger
from ci_runner.scm import ScmError
from ci_runner.scm import open as open_scm
from ci_runner.scm.bodies import plain
from tests.fakes.server import Fault
from tests.scm.conftest import Bench
from tests.scm.host import BY_NAME, EDITED, HEAD

pytestmark = pytest.mark.parametrize("bench", [BY_NAME["bitbucket"]], ids=["bitbucket"], indirect=True)


def error(message: str, **more: Any) -> dict[str, Any]:
    return {"type": "error", "error": {"message": message, **more}}


@pytest.mark.parametrize(
    ("status", "body", "kind", "said"),
    [
        (401, error("Token is invalid"), "unauthorised", "wrong or has expired"),
        (403, error("Your credentials lack scopes"), "forbidden", "scope pullrequest:write"),
        (404, error("Repository not found"), "missing", "the token may not see it"),
        (400, error("Bad request", fields={"content": "This field is too long."}), "too_long", "too long"),
        (400, error("Bad request", detail="content: at most 32768 characters"), "too_long", "at most"),
        (400, error("Bad request"), "invalid", "Bad request"),
        (400, {"key": "x", "message": "summary is required", "arguments": {}}, "invalid", "summary is required"),
        (409, ["no object"], "invalid", "no reason given"),
        (422, "no json at all", "invalid", "no reason given"),
        (429, error("Rate limit for this resource has been exceeded"), "limited", "rate limit"),
        (500, error("Something went wrong"), "doubt", "done all the same"),
    ],
)
def test_each_refusal_is_told_apart(bench: Bench, status: int, body: Any, kind: str, said: str) -> None:
    refused = bench.refused(status, body)
    assert refused.kind == kind
    assert said in str(refused)


@pytest.mark.parametrize("body", [["a list"], {"values": 7}, {"values": [{"id": "x"}]}, {"values": [{}]}, "null"])
def test_an_answer_of_another_shape_is_garbled(bench: Bench, body: Any) -> None:
    assert bench.misread(body).kind == "garbled"


@pytest.mark.parametrize(
    "where", ["https://evil.example/2.0/x", "http://127.0.0.1:1/2.0/x", "/2.0/x", "{origin}/1.0/x"]
)
def test_a_next_page_on_another_host_or_above_the_root_is_not_asked_for(bench: Bench, where: str) -> None:
    page = {"values": [], "next": where.format(origin=bench.fake.origin)}
    bench.fake.faults.append(Fault("GET", "status", 1, 200, page))
    with pytest.raises(ScmError, match="another host") as failed:
        bench.scm().comments(7)
    assert failed.value.kind == "garbled"
    assert bench.fake.asked("GET") == 1


def test_pages_that_lead_in_a_circle_come_to_an_end(bench: Bench) -> None:
    page = {"values": [], "next": f"{bench.fake.url}/repositories/acme/shop/pullrequests/7/comments"}
    bench.fake.faults.append(Fault("GET", "status", 9999, 200, page))
    assert bench.scm().comments(7) == ()
    assert bench.fake.asked("GET") == 501


def test_the_marker_is_hidden_in_a_link_definition_because_html_comments_are_shown_there(bench: Bench) -> None:
    scm = bench.scm()
    body = "<!-- pilotage:v1 key=a%20b -->\n**1 error**"
    scm.create_comment(7, body)
    assert bench.fake.state["comments"][0]["body"] == "[//]: # (pilotage:v1 key=a%20b)\n\n**1 error**"
    assert scm.comments(7)[0].body == body


def test_html_becomes_plain_markdown_and_sql_stays_as_it_is(bench: Bench) -> None:
    body = "<details><summary>1 notice</summary>\n\n```sql\nSELECT '<br>';\n~~~\n</details>\n```\n\n</details>\n<sub>x</sub>"
    assert plain(body) == "**1 notice**\n\n```sql\nSELECT '<br>';\n~~~\n</details>\n```\n\n\nx"
    assert plain(plain(body)) == plain(body)
    assert plain("| ➕&nbsp;added<br>x |\n```\n&nbsp;\n```") == "| ➕\u00a0added · x |\n```\n&nbsp;\n```"


def test_a_comment_that_differs_only_in_what_cannot_be_shown_is_not_sent_again(bench: Bench) -> None:
    scm = bench.scm()
    scm.create_comment(7, "<sub>x</sub>")
    scm.update_comment(7, scm.comments(7)[0], "<sub>x</sub>")
    assert bench.host.writes(bench.fake) == 1


def test_a_comment_somebody_deleted_is_none(bench: Bench) -> None:
    bench.host.add_comment(bench.fake, "{mira}", "hello")
    bench.fake.state["comments"][0]["deleted"] = True
    assert bench.scm().comments(7) == ()


def test_a_long_context_is_a_key_of_forty_characters_of_its_own(bench: Bench) -> None:
    scm = bench.scm()
    for end in "ab":
        scm.set_status(HEAD, Status("x" * 50 + end, "success", "ok"))
    keys = [each["key"] for each in bench.fake.state["statuses"]]
    assert [len(key) for key in keys] == [40, 40]
    assert keys[0] != keys[1]
    assert bench.fake.state["statuses"][0]["url"] == "https://bitbucket.org/acme/shop"


def test_one_note_refused_for_its_place_does_not_cost_the_others_theirs(bench: Bench) -> None:
    bench.fake.faults.append(Fault("POST", "status", 1, 400, error("Bad request")))
    placed = bench.scm().create_notes(7, HEAD, [Note("f", EDITED, 11, 11, "x"), Note("g", EDITED, 12, 12, "y")])
    assert [each.fingerprint for each in placed] == ["g"]


def test_a_persons_token_is_sent_with_its_user(bench: Bench) -> None:
    trigger = Trigger("bitbucket", "bitbucket", "push", "acme/shop", api_url=bench.fake.url)
    with pytest.raises(ScmError):
        open_scm(trigger, "mira@example.org:secret").comments(7)
    assert bench.fake.requests[-1].headers["authorization"].startswith("Basic ")


def test_what_is_sent_is_json_whatever_stands_in_it(bench: Bench) -> None:
    text = 'a "quoted" \\ back\x01slash \u2028 😀'
    bench.scm().create_comment(7, text)
    assert json.loads(bench.fake.requests[-1].raw)["content"]["raw"] == text
