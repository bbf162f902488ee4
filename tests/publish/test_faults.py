"""Whatever an SCM does in the middle of a run: one warning, nothing twice, and the next run puts it right."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import structs

from ci_runner import platforms
from ci_runner.http import Limits, Patience
from ci_runner.model.ci import Note, Publication, Status, Trigger
from ci_runner.publish import Target, publish
from tests.fakes.server import Fault
from tests.publish.test_publish import CLEAR, FOUND, MARKER
from tests.scm.conftest import Bench
from tests.scm.host import ADDED, HEAD, HOSTS, Waits

ROOT = Path(__file__).resolve().parents[2]
SECONDARY = {"message": "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."}
TOO_LONG = {"message": "Validation Failed", "errors": ["body is too long (maximum is 100 characters)"]}
NOTE_TOO_LONG = {"message": {"note": ["is too long (maximum is 1000000 characters)"]}}
LESS_THAN = {"errors": [{"context": "text", "message": "Please enter a non-empty value less than 32768 characters"}]}
RIGHTS = {
    "errors": [{"message": "You are not permitted", "exceptionName": "com.atlassian.bitbucket.AuthorisationException"}]
}
INTEGRATION = {"message": "Resource not accessible by integration"}
QUIET = platforms.open("local", {}, lambda _: None, lambda: "r")


def refuse(number: int, body: Any = None, times: int = 999, where: str = ".", **headers: str) -> Fault:
    return Fault(
        where, "status", times, number, body, {name.replace("_", "-"): value for name, value in headers.items()}
    )


ALL = "comment, line notes and commit status not posted"
SAML = refuse(403, {"message": "SAML enforcement"}, x_github_sso="required")
# what went wrong → fault, how the warning begins, what it says; WRITE stands for the permission of the host
LASTING = {
    "401": (refuse(401, {"message": "Bad credentials"}), ALL, "wrong or has expired"),
    "403-permission": (refuse(403, INTEGRATION, where="POST"), ALL, "WRITE"),
    "403-limit": (refuse(429, SECONDARY, retry_after="3600"), ALL, "rate limit"),
    "404": (
        refuse(404, {"message": "Not Found"}, where="(GET|POST) ({comments}|.*/pulls/7/comments|{notes})"),
        "comment and line",
        "may not see it",
    ),
    "409": (refuse(409, {"message": "Conflict"}, where="POST {comments}"), "comment not posted", "Conflict"),
    "422-invalid": (
        refuse(422, {"message": "Validation Failed"}, where="POST {notes}"),
        "line notes not posted",
        "Validation Failed",
    ),
    "429": (refuse(429, SECONDARY), ALL, "rate limit"),
    "500": (refuse(500), ALL, "try again later"),
    "503-html": (refuse(503, "<html>", content_type="text/html"), ALL, "503"),
    "html": (Fault(".", "html", 999), ALL, "instead of JSON"),
    "redirect": (Fault(".", "redirect", 999), ALL, "login.example.org"),
    "broken": (Fault("GET", "broken", 999), ALL, "broken JSON"),
    "truncated": (Fault("GET", "truncated", 999), ALL, "did not arrive whole"),
}
OWN = {
    ("github", "403-policy"): (SAML, ALL, "single sign-on"),
    ("github", "403-secondary"): (refuse(403, SECONDARY, retry_after="3600"), ALL, "rate limit"),
    ("github", "422-too-long"): (refuse(422, TOO_LONG, where="POST {comments}"), "comment not posted", "too long"),
    ("datacenter", "400-too-long"): (
        refuse(400, LESS_THAN, where="POST {comments}"),
        "comment not posted",
        "less than 32768 characters",
    ),
    ("datacenter", "401-rights"): (refuse(401, RIGHTS, where="POST"), ALL, "WRITE"),
    ("gitlab", "400-too-long"): (refuse(400, NOTE_TOO_LONG, where="POST {comments}"), "comment not posted", "too long"),
}
STRIKES = [(host, name, case) for host in HOSTS for name, case in LASTING.items()]
STRIKES += [(host, name, case) for host in HOSTS for (owner, name), case in OWN.items() if owner == host.name]
PASSING = {
    "comment-done-then-cut": Fault("POST {comments}", "cut"),
    "comment-done-then-502": Fault("POST {comments}", "done-then-status", status=502),
    "comment-done-then-truncated": Fault("POST {comments}", "truncated"),
    "comment-done-then-broken": Fault("POST {comments}", "broken"),
    "comment-done-but-slow": Fault("POST {comments}", "slow", seconds=2.5),
    "comment-not-done-502": refuse(502, times=1, where="POST {comments}"),
    "review-done-then-cut": Fault("POST {notes}", "cut"),
    "review-done-then-502": Fault("POST {notes}", "done-then-status", status=502),
    "review-not-done-503": refuse(503, times=1, where="POST {notes}"),
    "status-done-then-cut": Fault("POST {statuses}", "cut"),
    "status-not-done-500": refuse(500, times=1, where="POST {statuses}"),
    "list-cut": Fault("GET {comments}", "cut", 2),
    "list-500": refuse(500, times=2, where="GET"),
    "429-then-fine": refuse(429, SECONDARY, 1, retry_after="3"),
    "403-limit-then-fine": refuse(403, SECONDARY, 1),
}


def run(bench: Bench, publication: Publication, read: float = 2.0) -> tuple[str, ...]:
    """``read`` are the seconds an answer may take: less than the slow one of the faults."""
    patience = bench.waits.patience()
    scm = bench.scm(patience=patience, limits=Limits(read=read))
    return publish(publication, QUIET, Target(scm, 7, HEAD), patience).warnings


def assert_stands_once(bench: Bench, publication: Publication) -> None:
    assert bench.host.comments(bench.fake) == [(bench.login(), f"{MARKER}\n{publication.comment}")]
    bodies = sorted(body.partition("\n")[2] for _, _, body in bench.host.notes(bench.fake))
    assert bodies == sorted(note.body for note in publication.notes)
    assert publication.status is not None
    assert bench.host.statuses(bench.fake) == [("pilotage", publication.status.state, publication.status.description)]


@pytest.mark.parametrize(
    ("bench", "case"),
    [(host, case) for host, _, case in STRIKES],
    ids=[f"{h.name}-{n}" for h, n, _ in STRIKES],
    indirect=["bench"],
)
def test_a_lasting_fault_is_one_warning_and_the_next_run_puts_it_right(
    bench: Bench, case: tuple[Fault, str, str]
) -> None:
    fault, what, why = case
    bench.fake.faults.append(replace(fault, where=bench.host.where(fault.where)))
    warnings = run(bench, structs.replace(FOUND, brief=""))
    assert len(warnings) == 1
    assert warnings[0].startswith(what)
    assert why.replace("WRITE", bench.host.permissions["write"]) in warnings[0]
    assert "\n" not in warnings[0]
    assert len(warnings[0]) < 700
    assert sum(bench.waits.slept) <= 120
    bench.fake.faults.clear()
    assert run(bench, FOUND) == ()
    assert_stands_once(bench, FOUND)


@pytest.mark.parametrize("name", PASSING)
def test_a_fault_that_passes_leaves_no_warning_and_nothing_twice(bench: Bench, name: str) -> None:
    fault = PASSING[name]
    bench.fake.faults.append(replace(fault, where=bench.host.where(fault.where)))
    assert run(bench, FOUND) == ()
    assert_stands_once(bench, FOUND)
    assert bench.fake.faults[0].times == 0, "the fault must have struck"


def test_faults_of_the_same_kind_are_told_once(bench: Bench) -> None:
    bench.fake.faults.append(refuse(403, INTEGRATION, where="POST"))
    (warning,) = run(bench, structs.replace(FOUND, status=None))
    assert warning.startswith("comment and line notes not posted")
    assert warning.count("Resource not accessible") == 2, "one request for each"
    bench.fake.faults[0] = refuse(401, {"message": "Bad credentials"})
    (warning,) = run(bench, FOUND)
    assert warning.count("Bad credentials") == 1, "a token that is wrong once is wrong for all"


def test_a_pull_request_with_three_thousand_files_still_gets_its_notes(bench: Bench) -> None:
    files = bench.fake.state["pulls"]["7"]["files"]
    bench.fake.state["pulls"]["7"]["files"] = [
        {"filename": f"src/{number}.py", "status": "added"} for number in range(2998)
    ] + files
    assert run(bench, FOUND, read=30) == ()
    assert len(bench.host.notes(bench.fake)) == 2


def test_a_pull_request_whose_head_repository_is_gone_is_published_to(bench: Bench) -> None:
    bench.fake.state["pulls"]["7"]["head"]["repo"] = None
    assert run(bench, FOUND) == ()
    assert_stands_once(bench, FOUND)


WHERE = st.sampled_from(["GET", "POST", "PATCH", "DELETE", "comments", "reviews", "notes", "discussions", "statuses"])
HOW = st.sampled_from(["cut", "status", "done-then-status", "truncated", "broken", "html"])
FAULTS = st.lists(st.tuples(WHERE, HOW, st.integers(1, 3)), max_size=3)
WORLD = st.lists(st.tuples(st.sets(st.integers(1, 9), max_size=4), FAULTS), min_size=1, max_size=4)


@pytest.mark.slow
@pytest.mark.parametrize("host", HOSTS, ids=lambda host: host.name)
@given(world=WORLD)
@settings(deadline=None, max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_after_any_faults_nothing_stands_twice_and_one_quiet_run_makes_all_right(host: Any, world: Any) -> None:
    with host.make() as fake:
        bench = Bench(host, fake)
        for lines, faults in world:
            fake.faults[:] = [Fault(where, how, times, 502) for where, how, times in faults]
            notes = tuple(Note(f"f{line}", ADDED, line, line, f"n{line}") for line in sorted(lines))
            wanted = structs.replace(
                FOUND,
                comment=f"found {sorted(lines)}",
                notes=notes,
                status=Status("pilotage", "failure", f"{len(lines)}"),
            )
            assert len(run(bench, wanted)) <= 1
            assert len(host.comments(fake)) <= 1
            markers = Counter(body.partition("\n")[0] for _, _, body in host.notes(fake))
            assert all(times == 1 for times in markers.values())
        fake.faults.clear()
        assert run(bench, CLEAR) == ()
        assert host.comments(fake) == [(bench.login(), f"{MARKER}\n{CLEAR.comment}")]
        assert host.notes(fake) == []
        assert fake.violations == []


def test_the_fake_runs_as_a_program_and_keeps_its_state_in_a_file(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    command = [sys.executable, "-m", "tests.fakes.github", "--state", str(state)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT, text=True) as program:
        try:
            assert program.stdout is not None
            url = program.stdout.readline().strip()
            from ci_runner.scm.github import open as opened

            trigger = Trigger("github", "github", "pull_request", "acme/shop", 7, api_url=url)
            scm = opened(trigger, HOSTS[0].tokens["bot"], Waits().patience(), between_writes=0)
            assert publish(FOUND, QUIET, Target(scm, 7, HEAD), Patience(5)).warnings == ()
            with pytest.raises(urllib.error.HTTPError, match="401"):
                urllib.request.urlopen(f"{url}/user")
            assert json.loads(state.read_text())["comments"][0]["body"] == f"{MARKER}\n**2 errors**"
        finally:
            program.terminate()
