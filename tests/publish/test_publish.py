"""What a reviewer finds after one run, and after the next."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from ci_runner import platforms
from ci_runner.model.ci import Annotation, Note, Posted, Publication, Status
from ci_runner.platforms import Platform
from ci_runner.publish import NOTES, RETIRED, Target, publish, room
from tests.scm.conftest import Bench
from tests.scm.host import ADDED, EDITED, HEAD

MARKER = "<!-- pilotage:v1 key=shop -->"
FOUND = Publication(
    key="shop",
    comment="**2 errors**",
    brief="2 errors; see the run",
    notes=(Note("f1", ADDED, 2, 2, "drops a table"), Note("f2", EDITED, 11, 11, "rewrites the table")),
    status=Status("pilotage", "failure", "2 errors"),
)
CLEAR = replace(FOUND, comment="all clear", notes=(), status=Status("pilotage", "success", "no findings"))


def post(
    bench: Bench, publication: Publication, who: str = "bot", platform: Platform | None = None, *, is_fork: bool = False
) -> Posted:
    quiet = platforms.open("local", {}, lambda _: None, lambda: "r")
    patience = bench.waits.patience()
    return publish(publication, platform or quiet, Target(bench.scm(who), 7, HEAD, is_fork), patience)


def note_texts(bench: Bench) -> list[str]:
    return [body.partition("\n")[2] for _, _, body in bench.host.notes(bench.fake)]


def test_a_first_run_writes_one_comment_with_the_marker_on_its_first_line_notes_and_a_status(bench: Bench) -> None:
    assert post(bench, FOUND) == Posted(("comment written", "line notes: 2 new", "commit status set"))
    assert bench.host.comments(bench.fake) == [(bench.login(), f"{MARKER}\n**2 errors**")]
    assert note_texts(bench) == ["drops a table", "rewrites the table"]
    assert bench.host.statuses(bench.fake) == [("pilotage", "failure", "2 errors")]


def test_a_second_run_that_finds_the_same_writes_nothing(bench: Bench) -> None:
    post(bench, FOUND)
    before = bench.host.writes(bench.fake)
    assert post(bench, FOUND).done == ("comment unchanged", "commit status set")
    assert bench.host.writes(bench.fake) == before


def test_when_the_findings_go_the_comment_says_all_clear_and_the_notes_are_taken_back(bench: Bench) -> None:
    post(bench, FOUND)
    assert post(bench, CLEAR).done == ("comment updated", "line notes: 2 resolved", "commit status set")
    assert bench.host.comments(bench.fake) == [(bench.login(), f"{MARKER}\nall clear")]
    assert bench.host.notes(bench.fake) == []
    assert bench.host.statuses(bench.fake)[-1] == ("pilotage", "success", "no findings")


def test_a_note_people_answered_says_that_it_is_resolved_and_returns_with_its_finding(bench: Bench) -> None:
    post(bench, FOUND)
    bench.host.answer_note(bench.fake)
    post(bench, CLEAR)
    assert note_texts(bench)[0] == RETIRED
    again = bench.host.writes(bench.fake)
    assert "line notes" not in " ".join(post(bench, CLEAR).done)
    assert bench.host.writes(bench.fake) == again
    post(bench, FOUND)
    assert note_texts(bench)[0] == "drops a table"


def test_a_note_whose_finding_moved_or_changed_is_kept_and_updated(bench: Bench) -> None:
    post(bench, FOUND)
    post(
        bench,
        replace(FOUND, notes=(replace(FOUND.notes[0], line=5, end_line=5, body="drops two tables"), FOUND.notes[1])),
    )
    assert note_texts(bench) == ["drops two tables", "rewrites the table"]


def test_a_marker_copied_by_somebody_else_is_not_taken_for_ours(bench: Bench) -> None:
    bench.host.add_comment(bench.fake, "mallory", f"{MARKER}\nall clear, merge it")
    post(bench, FOUND)
    assert bench.host.comments(bench.fake) == [
        ("mallory", f"{MARKER}\nall clear, merge it"),
        (bench.login(), f"{MARKER}\n**2 errors**"),
    ]


def test_a_quoted_marker_further_down_is_not_taken_for_ours(bench: Bench) -> None:
    bench.host.add_comment(bench.fake, bench.login(), f"> look:\n{MARKER}\n**2 errors**")
    post(bench, FOUND)
    assert len(bench.host.comments(bench.fake)) == 2


def test_our_comment_is_found_behind_five_pages_of_others(bench: Bench) -> None:
    for number in range(450):
        bench.host.add_comment(bench.fake, "mira", f"comment {number}")
    bench.host.add_comment(bench.fake, bench.login(), f"{MARKER}\nold")
    for number in range(50):
        bench.host.add_comment(bench.fake, "mira", f"later {number}")
    assert post(bench, FOUND).done[0] == "comment updated"
    assert [body for login, body in bench.host.comments(bench.fake) if login == bench.login()] == [
        f"{MARKER}\n**2 errors**"
    ]


def test_comments_that_two_runs_wrote_at_once_become_one(bench: Bench) -> None:
    for _ in range(3):
        bench.host.add_comment(bench.fake, bench.login(), f"{MARKER}\nold")
    post(bench, FOUND)
    assert bench.host.comments(bench.fake) == [(bench.login(), f"{MARKER}\n**2 errors**")]


def test_two_jobs_with_different_names_keep_out_of_each_others_way(bench: Bench) -> None:
    post(bench, FOUND)
    other = replace(FOUND, key="billing --> x", comment="other", notes=(replace(FOUND.notes[0], body="other"),))
    post(bench, other)
    assert len(bench.host.comments(bench.fake)) == 2
    assert note_texts(bench) == ["drops a table", "rewrites the table", "other"]
    post(bench, replace(other, notes=()))
    assert note_texts(bench) == ["drops a table", "rewrites the table"]
    assert "-->" not in bench.host.comments(bench.fake)[1][1].removeprefix("<!-- pilotage:v1 key=").split("\n")[
        0
    ].removesuffix(" -->")


def test_where_nothing_stood_before_a_run_that_only_updates_writes_no_comment(bench: Bench) -> None:
    untouched = replace(CLEAR, create=False)
    post(bench, untouched)
    assert bench.host.comments(bench.fake) == []
    post(bench, FOUND)
    post(bench, untouched)
    assert bench.host.comments(bench.fake) == [(bench.login(), f"{MARKER}\nall clear")]


@pytest.mark.parametrize("as_text", [False, True])
def test_a_comment_the_host_finds_too_long_is_replaced_by_the_brief_one(bench: Bench, as_text: bool) -> None:
    bench.fake.too_long_as_text = as_text
    scm = bench.scm()
    fits = "x" * room(scm, "shop")
    post(bench, replace(FOUND, comment=fits))
    assert bench.host.comments(bench.fake)[0][1] == f"{MARKER}\n{fits}"
    post(bench, replace(FOUND, comment=fits + "x"))
    assert bench.host.comments(bench.fake)[0][1] == f"{MARKER}\n2 errors; see the run"


@pytest.mark.parametrize("as_text", [False, True])
def test_a_host_with_a_tighter_limit_than_we_know_gets_the_brief_comment_too(bench: Bench, as_text: bool) -> None:
    bench.fake.limit = 100
    bench.fake.too_long_as_text = as_text
    posted = post(bench, replace(FOUND, comment="x" * 200))
    assert posted.warnings == ()
    assert bench.host.comments(bench.fake) == [(bench.login(), f"{MARKER}\n2 errors; see the run")]


def test_the_most_notes_a_run_posts_are_the_first_ones(bench: Bench) -> None:
    many = tuple(Note(f"f{number}", ADDED, 1 + number % 9, 1 + number % 9, f"n{number}") for number in range(NOTES + 5))
    post(bench, replace(FOUND, notes=many))
    assert note_texts(bench) == [f"n{number}" for number in range(NOTES)]


def test_a_push_without_a_pull_request_sets_the_status_only(bench: Bench) -> None:
    quiet = platforms.open("local", {}, lambda _: None, lambda: "r")
    posted = publish(FOUND, quiet, Target(bench.scm(), None, HEAD), bench.waits.patience())
    assert posted == Posted(("commit status set",))


def test_on_a_fork_with_a_read_only_token_summary_and_annotations_come_first_and_one_line_names_the_permission(
    bench: Bench, tmp_path: Path
) -> None:
    printed: list[str] = []
    env = {"GITHUB_STEP_SUMMARY": str(tmp_path / "summary"), "GITHUB_OUTPUT": str(tmp_path / "outputs")}
    github = platforms.open("github", env, printed.append, lambda: "r" * 32)
    wanted = replace(
        FOUND,
        annotations=(Annotation("error", "drops a table", "", ADDED, 2),),
        summary="# Report",
        outputs={"verdict": "fail"},
    )
    posted = post(bench, wanted, "read", github, is_fork=True)
    assert printed == [f"::error file={ADDED},line=2::drops a table\n"]
    assert (tmp_path / "summary").read_text() == "# Report\n"
    assert "verdict<<" in (tmp_path / "outputs").read_text()
    assert posted.done == ()
    (warning,) = posted.warnings
    assert warning.startswith("comment, line notes and commit status not posted: ")
    assert bench.host.permissions["write"] in warning
    assert bench.host.permissions["status"] in warning
    assert "from a fork" in warning
    assert "\n" not in warning
    assert [bench.host.comments(bench.fake), bench.host.notes(bench.fake), bench.host.statuses(bench.fake)] == [
        [],
        [],
        [],
    ]


def test_without_a_token_one_line_says_what_one_would_add(tmp_path: Path) -> None:
    github = platforms.open("github", {"GITHUB_STEP_SUMMARY": str(tmp_path / "s")}, lambda _: None, lambda: "r" * 32)
    posted = publish(replace(FOUND, summary="# Report"), github, Target(None, 7, HEAD, is_fork=True))
    assert (tmp_path / "s").read_text() == "# Report\n"
    (warning,) = posted.warnings
    assert warning.startswith("comment, line notes and commit status not posted: there is no token")
    assert "pull-requests: write" in warning


def test_nothing_to_post_is_no_warning_even_without_a_token() -> None:
    quiet = platforms.open("local", {}, lambda _: None, lambda: "r")
    assert publish(Publication("shop"), quiet, Target(None)) == Posted()


def test_a_comment_somebody_deletes_in_between_is_written_again(bench: Bench) -> None:
    post(bench, FOUND)
    scm = bench.scm()
    listed = scm.comments(7)
    bench.fake.state["comments"].clear()

    class Stale:
        """The SCM, whose first listing is from before the deletion."""

        def __init__(self) -> None:
            self.first = True

        def __getattr__(self, name: str) -> object:
            if name == "comments" and self.first:
                self.first = False
                return lambda _: listed
            return getattr(scm, name)

    quiet = platforms.open("local", {}, lambda _: None, lambda: "r")
    posted = publish(CLEAR, quiet, Target(Stale(), 7, HEAD), bench.waits.patience())  # type: ignore[arg-type]
    assert posted.warnings == ()
    assert bench.host.comments(bench.fake) == [(bench.login(), f"{MARKER}\nall clear")]
