"""Azure's refusals, told apart, and what is peculiar to it."""

from __future__ import annotations

from typing import Any

import pytest

from ci_runner.errors import UsageError
from ci_runner.http import Patience
from ci_runner.model.ci import Note, Status, Trigger
from ci_runner.scm import ScmError
from ci_runner.scm import open as open_scm
from tests.fakes.azure import BOT_TOKEN
from tests.fakes.server import Fault
from tests.scm.conftest import Bench
from tests.scm.host import BY_NAME, EDITED, HEAD

pytestmark = pytest.mark.parametrize("bench", [BY_NAME["azure"]], ids=["azure"], indirect=True)
PAGE = {"Content-Type": "text/html; charset=utf-8"}


@pytest.mark.parametrize(
    ("status", "body", "headers", "kind", "said"),
    [
        (203, "<html>Sign In</html>", PAGE, "unauthorised", "a page for people instead of JSON"),
        (200, "<html>Sign In</html>", PAGE, "unauthorised", "missing, wrong or has expired"),
        (302, "", {"Location": "https://spsprodweu1.vssps.visualstudio.com/_signin?x=y"}, "unauthorised", "vssps"),
        (401, "", {}, "unauthorised", "missing, wrong or has expired"),
        (403, {"message": "TF401027: You need the Git permission"}, {}, "forbidden", "Contribute to pull requests"),
        (404, {"message": "TF401180: not found"}, {}, "missing", "the token may not see it"),
        (400, {"message": "The comment is longer than 150000 characters"}, {}, "too_long", "longer than"),
        (400, {"message": "TF400898: odd"}, {}, "invalid", "TF400898"),
        (409, {"message": "conflict"}, {}, "invalid", "conflict"),
        (429, {"message": "TF400733: canceled"}, {}, "limited", "rate limit"),
        (503, "<html>", PAGE, "doubt", "done all the same"),
    ],
)
def test_each_refusal_is_told_apart(
    bench: Bench, status: int, body: Any, headers: dict[str, str], kind: str, said: str
) -> None:
    bench.fake.faults.append(Fault("POST", "status", 99, status, body, headers))
    with pytest.raises(ScmError) as failed:
        bench.scm().create_comment(7, "x")
    assert failed.value.kind == kind
    assert said in str(failed.value)
    assert "x=y" not in str(failed.value)
    assert sum(bench.waits.slept) <= 120


@pytest.mark.parametrize("body", [["a list"], {"value": 7}, {"value": [7]}, {"value": [{"comments": [{}]}]}, "null"])
def test_an_answer_of_another_shape_is_garbled(bench: Bench, body: Any) -> None:
    bench.fake.faults.append(Fault("GET", "status", 1, 200, body))
    with pytest.raises(ScmError) as failed:
        bench.scm().comments(7)
    assert failed.value.kind == "garbled"


@pytest.mark.parametrize(("who", "scheme"), [("owner", "Basic"), ("bot", "Bearer")])
def test_a_jobs_token_is_a_bearer_and_a_personal_one_a_password(bench: Bench, who: str, scheme: str) -> None:
    bench.scm(who).comments(7)
    assert bench.fake.requests[-1].headers["authorization"].startswith(f"{scheme} ")


def test_a_comment_that_asks_for_something_is_active_and_closed_when_it_does_not_any_more(bench: Bench) -> None:
    scm = bench.scm()
    scm.create_comment(7, "2 errors", done=False)
    assert bench.fake.state["comments"][0]["status"] == "active"
    scm.update_comment(7, scm.comments(7)[0], "all clear", done=True)
    assert bench.fake.state["comments"][0]["status"] == "closed"


def test_a_thread_people_answered_is_fixed_and_active_again_when_the_finding_returns(bench: Bench) -> None:
    scm = bench.scm()
    note = Note("f", EDITED, 11, 11, "x")
    scm.create_notes(7, HEAD, [note])
    bench.host.answer_note(bench.fake)
    scm.retire_note(7, scm.notes(7)[0], "gone")
    assert bench.fake.state["notes"][0]["status"] == "fixed"
    scm.update_note(7, scm.notes(7)[0], note)
    assert bench.fake.state["notes"][0]["status"] == "active"


def test_a_note_spans_its_lines_from_their_beginning(bench: Bench) -> None:
    scm = bench.scm()
    scm.create_notes(7, HEAD, [Note("f", EDITED, 11, 12, "x")])
    context = bench.fake.requests[-1].body["threadContext"]
    assert context == {
        "filePath": f"/{EDITED}",
        "rightFileStart": {"line": 11, "offset": 1},
        "rightFileEnd": {"line": 12, "offset": 1},
    }
    (there,) = scm.notes(7)
    assert (there.start_line, there.line) == (11, 12)


def test_changed_files_come_in_pages_of_two_thousand(bench: Bench) -> None:
    files = [{"filename": f"src/{number}.py", "status": "added"} for number in range(4500)]
    bench.fake.state["pulls"]["7"]["files"][:0] = files
    assert len(bench.scm().create_notes(7, HEAD, [Note("f", EDITED, 11, 11, "x")])) == 1
    assert bench.fake.asked("GET", "/changes") == 3


def test_without_a_pull_request_the_status_is_the_commits(bench: Bench) -> None:
    trigger = Trigger("azure", "azure", "push", "Web Shop/shop", api_url=bench.fake.url)
    scm = open_scm(trigger, BOT_TOKEN, Patience(5))
    scm.set_status(HEAD, Status("pilotage", "success", "ok", "https://example.org/run"))
    scm.set_status(HEAD, Status("pilotage", "success", "ok", "https://example.org/run"))
    assert bench.fake.asked("POST", f"/commits/{HEAD}/statuses") == 1


def test_a_repository_without_project_or_organisation_is_refused(bench: Bench) -> None:
    with pytest.raises(UsageError, match="SYSTEM_COLLECTIONURI"):
        open_scm(Trigger("azure", "azure", "push", "Web Shop/shop"), "t")
    with pytest.raises(UsageError, match="project/name"):
        open_scm(Trigger("azure", "azure", "push", "shop", api_url="https://dev.azure.com/acme"), "t")


def test_on_a_server_the_collection_lies_below_a_path(bench: Bench) -> None:
    trigger = Trigger("azure", "azure", "push", "Web Shop/shop", 7, api_url=f"{bench.fake.origin}/tfs/acme/")
    with pytest.raises(ScmError) as failed:
        open_scm(trigger, BOT_TOKEN, Patience(5)).comments(7)
    assert failed.value.kind == "missing"
    assert bench.fake.requests[-1].path.startswith("/tfs/acme/Web%20Shop/_apis/git/repositories/shop/")
    bench.fake.violations.clear()
