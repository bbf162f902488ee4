"""GitLab's refusals, told apart, and what is peculiar to it."""

from __future__ import annotations

from typing import Any

import pytest

from ci_runner.model.ci import Note, Status
from ci_runner.scm import ScmError
from ci_runner.scm.diff import old_lines
from tests.fakes.server import Fault
from tests.scm.conftest import Bench
from tests.scm.host import BY_NAME, EDITED, HEAD

pytestmark = pytest.mark.parametrize("bench", [BY_NAME["gitlab"]], ids=["gitlab"], indirect=True)

SCOPE = {"error": "insufficient_scope", "error_description": "The request requires higher privileges", "scope": "api"}


@pytest.mark.parametrize(
    ("status", "body", "kind", "said"),
    [
        (401, {"message": "401 Unauthorized"}, "unauthorised", "a job token (CI_JOB_TOKEN) may not comment"),
        (403, {"message": "403 Forbidden"}, "forbidden", "scope api and role Developer"),
        (403, SCOPE, "forbidden", "requires higher privileges"),
        (404, {"message": "404 Project Not Found"}, "missing", "the token may not see it"),
        (400, {"message": {"note": ["is too long (maximum is 1000000 characters)"]}}, "too_long", "note is too long"),
        (400, {"message": {"base": "odd"}}, "invalid", "base odd"),
        (400, {"error": "body is missing"}, "invalid", "body is missing"),
        (409, ["no object"], "invalid", "no reason given"),
        (422, "no json at all", "invalid", "no reason given"),
        (429, {"message": "Too many requests"}, "limited", "rate limit"),
        (500, {"message": "500 Internal Server Error"}, "doubt", "done all the same"),
    ],
)
def test_each_refusal_is_told_apart(bench: Bench, status: int, body: Any, kind: str, said: str) -> None:
    refused = bench.refused(status, body)
    assert refused.kind == kind
    assert said in str(refused)


@pytest.mark.parametrize("body", [{"not": "a list"}, [7], [{"id": "x"}], [{"id": 1, "author": None}]])
def test_an_answer_of_another_shape_is_garbled(bench: Bench, body: Any) -> None:
    assert bench.misread(body).kind == "garbled"


def test_a_redirect_is_not_followed_because_the_token_would_go_along(bench: Bench) -> None:
    bench.fake.faults.append(Fault("GET", "status", 1, 301, {}, {"Location": f"{bench.fake.origin}/elsewhere"}))
    with pytest.raises(ScmError, match="sends on to"):
        bench.scm().comments(7)
    assert bench.fake.asked("GET") == 1


def test_the_remarks_of_gitlab_and_the_notes_on_lines_are_no_comments(bench: Bench) -> None:
    bench.fake.state["remarks"] = True
    bench.host.add_comment(bench.fake, "mira", "hello")
    scm = bench.scm()
    scm.create_notes(7, HEAD, [Note("f", EDITED, 11, 11, "bad")])
    assert [each.body for each in scm.comments(7)] == ["hello"]


def test_a_line_that_stayed_is_named_by_its_old_and_its_new_number(bench: Bench) -> None:
    bench.scm().create_notes(7, HEAD, [Note("f", EDITED, 12, 12, "x"), Note("g", EDITED, 11, 11, "y")])
    stayed, added = (each["position"] for each in bench.fake.state["notes"])
    assert (stayed["old_line"], stayed["new_line"]) == (11, 12)
    assert ("old_line" in added, added["new_line"]) == (False, 11)
    assert old_lines("@@ -1,2 +1,2 @@\n a\n-b\n+c\n\\ No newline at end of file\n@@ -9 +9 @@\n z") == {
        1: 1,
        2: None,
        9: 9,
    }


def test_a_status_whose_words_alone_changed_is_left_because_gitlab_refuses_the_same_state_twice(bench: Bench) -> None:
    scm = bench.scm()
    scm.set_status(HEAD, Status("pilotage", "failure", "1 error"))
    scm.set_status(HEAD, Status("pilotage", "failure", "2 errors"))
    assert bench.host.statuses(bench.fake) == [("pilotage", "failure", "1 error")]


def test_one_note_refused_for_its_place_does_not_cost_the_others_theirs(bench: Bench) -> None:
    bench.fake.faults.append(Fault("POST", "status", 1, 400, {"message": "400 Bad request - Note {:line_code=>[...]}"}))
    placed = bench.scm().create_notes(7, HEAD, [Note("f", EDITED, 11, 11, "x"), Note("g", EDITED, 12, 12, "y")])
    assert [each.fingerprint for each in placed] == ["g"]
