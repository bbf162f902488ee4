"""What every SCM does alike, whatever its API is like."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from ci_runner.errors import UsageError
from ci_runner.model.ci import Comment, Note, Status, Trigger
from ci_runner.model.report import Suggestion
from ci_runner.scm import ScmError
from ci_runner.scm import open as open_scm
from tests.scm.conftest import Bench
from tests.scm.host import ADDED, BASE, BY_NAME, EDITED, HEAD

NOTE = Note("f1", ADDED, 2, 2, "bad")


def test_all_comments_of_all_pages_come_with_their_authors(bench: Bench) -> None:
    for number in range(500):
        bench.host.add_comment(bench.fake, "mira" if number % 2 else "someone", f"comment {number}")
    found = bench.scm().comments(7)
    assert [each.body for each in found] == [f"comment {number}" for number in range(500)]
    assert {each.author for each in found} == {"mira", "someone"}
    assert bench.fake.asked("GET") == bench.host.pages


def test_a_comment_of_a_deleted_account_has_no_author(bench: Bench) -> None:
    bench.host.add_comment(bench.fake, bench.host.nobody, "orphan")
    assert bench.scm().comments(7)[0].author == bench.host.nobody


def test_a_comment_is_written_changed_and_removed(bench: Bench) -> None:
    scm = bench.scm()
    scm.create_comment(7, "one")
    (comment,) = scm.comments(7)
    assert (comment.author, comment.body) == (bench.login(), "one")
    scm.update_comment(7, comment, "two")
    assert bench.host.comments(bench.fake) == [(bench.login(), "two")]
    scm.delete_comment(7, comment)
    scm.delete_comment(7, comment)
    assert bench.host.comments(bench.fake) == []


@pytest.mark.parametrize("who", ["owner", "bot"])
def test_the_author_is_the_account_comments_are_written_by(bench: Bench, who: str) -> None:
    scm = bench.scm(who)
    scm.create_comment(7, "x")
    assert scm.author() == scm.comments(7)[0].author == bench.login(who)


def test_a_pull_request_is_known_by_its_number(bench: Bench) -> None:
    found = bench.scm().pull_request(7)
    size = bench.host.sha
    assert (found.number, found.head_sha, found.head_branch, found.base_branch) == (7, HEAD[:size], "risky", "main")
    assert (found.base_sha, found.is_fork, found.open) == (BASE[:size], False, True)


def test_a_pull_request_that_does_not_exist_is_missing_and_the_permission_that_may_hide_it_is_named(
    bench: Bench,
) -> None:
    with pytest.raises(ScmError) as refused:
        bench.scm().pull_request(8)
    assert refused.value.kind == "missing"
    assert "does not exist or the token may not see it" in str(refused.value)
    assert refused.value.permission == bench.host.permissions["read"]


def test_a_pull_request_is_found_by_its_head_commit(bench: Bench) -> None:
    assert [each.number for each in bench.scm().pull_requests_of(HEAD)] == [7]
    assert bench.scm().pull_requests_of("c" * 40) == ()


@pytest.mark.parametrize("repository", ["otter/shop", None])
def test_a_pull_request_of_a_fork_even_a_deleted_one_is_found_by_its_head_commit(
    bench: Bench, repository: str | None
) -> None:
    bench.fake.state["pulls"]["7"]["head"]["repo"] = repository
    (found,) = bench.scm().pull_requests_of(HEAD)
    assert (found.number, found.is_fork) == (7, True)


def test_a_closed_pull_request_is_not_found_by_its_head_commit(bench: Bench) -> None:
    bench.fake.state["pulls"]["7"]["state"] = "closed"
    assert bench.scm().pull_requests_of(HEAD) == ()


def test_open_pull_requests_and_the_files_they_bring_are_listed(bench: Bench) -> None:
    scm = bench.scm()
    assert [each.number for each in scm.open_pull_requests(5)] == [7]
    assert scm.open_pull_requests(0) == ()
    assert sorted(scm.changed_files(7)) == [EDITED, ADDED]
    bench.fake.state["pulls"]["7"]["state"] = "closed"
    assert scm.open_pull_requests(5) == ()


def test_the_merge_base_is_named_and_none_where_histories_have_nothing_in_common(bench: Bench) -> None:
    assert bench.scm().merge_base("main", HEAD) == BASE
    bench.fake.state["merge_base"] = None
    assert bench.scm().merge_base("main", HEAD) is None


def test_the_default_branch_is_known(bench: Bench) -> None:
    assert bench.scm().default_branch() == "main"


def test_notes_on_lines_the_change_shows_are_placed_and_others_are_not(bench: Bench) -> None:
    notes = [
        NOTE,
        Note("f2", EDITED, 11, 12, "range"),
        Note("f3", EDITED, 1, 1, "outside"),
        Note("f4", "other.sql", 1, 1, "untouched"),
    ]
    placed = bench.scm().create_notes(7, HEAD, notes)
    outside = [] if bench.host.knows_lines else [(EDITED, 1, "outside")]
    assert [each.fingerprint for each in placed] == ["f1", "f2", *(["f3"] if outside else [])]
    assert bench.host.notes(bench.fake) == [(ADDED, 2, "bad"), (EDITED, 12, "range"), *outside]


def test_all_notes_of_a_run_are_one_notification(bench: Bench) -> None:
    bench.scm().create_notes(
        7, HEAD, [replace(NOTE, fingerprint=str(line), line=line, end_line=line) for line in range(1, 9)]
    )
    assert len(bench.host.notes(bench.fake)) == 8
    assert bench.host.writes(bench.fake) == (1 if bench.host.one_notice else 8)


def test_no_request_is_written_for_no_note(bench: Bench) -> None:
    assert bench.scm().create_notes(7, HEAD, [Note("f", "other.sql", 1, 1, "x")]) == ()
    assert bench.host.writes(bench.fake) == 0


def test_a_suggestion_stands_on_its_own_lines_and_is_fenced_beyond_its_backticks(bench: Bench) -> None:
    bench.scm().create_notes(7, HEAD, [replace(NOTE, suggestion=Suggestion(3, 4, "SELECT '```';\nSELECT 2;\n"))])
    ((_, line, body),) = bench.host.notes(bench.fake)
    assert line == 4
    assert body == f"bad\n\n````{bench.host.suggestion}\nSELECT '```';\nSELECT 2;\n````"


def test_a_suggestion_outside_the_change_is_left_out_where_the_lines_of_the_change_are_known(bench: Bench) -> None:
    bench.scm().create_notes(7, HEAD, [Note("f", EDITED, 11, 11, "bad", Suggestion(1, 1, "x"))])
    with_it = (EDITED, 1, f"bad\n\n```{bench.host.suggestion.replace('-1', '-0')}\nx\n```")
    assert bench.host.notes(bench.fake) == [(EDITED, 11, "bad") if bench.host.knows_lines else with_it]


def test_notes_refused_for_their_ranges_are_placed_on_single_lines(bench: Bench) -> None:
    bench.fake.state["refuse_ranges"] = True
    bench.scm().create_notes(7, HEAD, [replace(NOTE, line=2, end_line=4, suggestion=Suggestion(2, 4, "x"))])
    assert bench.host.notes(bench.fake) == [
        (ADDED, 4, "bad" if bench.host.one_notice else f"bad\n\n```{bench.host.suggestion.replace('-1', '-2')}\nx\n```")
    ]


def test_notes_for_a_commit_that_is_not_the_head_any_more_are_refused_for_good(bench: Bench) -> None:
    with pytest.raises(ScmError) as refused:
        bench.scm().create_notes(7, "d" * 40, [NOTE])
    assert refused.value.kind == "invalid"
    assert bench.host.notes(bench.fake) == []


def test_a_note_is_changed_once_and_taken_back(bench: Bench) -> None:
    scm = bench.scm()
    scm.create_notes(7, HEAD, [NOTE])
    (there,) = scm.notes(7)
    assert (there.author, there.file, there.line, there.replied) == (bench.login(), ADDED, 2, False)
    scm.update_note(7, there, NOTE)
    assert bench.host.writes(bench.fake) == 1
    scm.update_note(7, there, replace(NOTE, body="worse"))
    assert bench.host.notes(bench.fake) == [(ADDED, 2, "worse")]
    scm.retire_note(7, there, "gone")
    scm.retire_note(7, there, "gone")
    assert bench.host.notes(bench.fake) == []


def test_a_changed_suggestion_stays_only_on_the_lines_it_replaces(bench: Bench) -> None:
    scm = bench.scm()
    ranged = replace(NOTE, line=2, end_line=4, suggestion=Suggestion(2, 4, "x"))
    scm.create_notes(7, HEAD, [ranged])
    (there,) = scm.notes(7)
    scm.update_note(7, there, replace(ranged, suggestion=Suggestion(2, 4, "y")))
    assert bench.host.notes(bench.fake)[0][2].endswith("\ny\n```")
    scm.update_note(7, there, replace(ranged, suggestion=Suggestion(3, 3, "z")))
    assert bench.host.notes(bench.fake)[0][2] == "bad"


def test_a_note_people_answered_is_rewritten_instead_of_removed(bench: Bench) -> None:
    scm = bench.scm()
    scm.create_notes(7, HEAD, [NOTE])
    bench.host.answer_note(bench.fake)
    (there,) = scm.notes(7)
    assert there.replied
    scm.retire_note(7, there, "gone")
    assert [body for _, _, body in bench.host.notes(bench.fake)] == ["gone", "why?"]


def test_a_status_is_cut_to_what_fits_and_not_set_twice(bench: Bench) -> None:
    status = Status("pilotage", "failure", "x" * 300, "https://example.org/run")
    bench.scm().set_status(HEAD, status)
    bench.scm().set_status(HEAD, status)
    bench.scm().set_status(HEAD, replace(status, context="other"))
    bench.scm().set_status(HEAD, status)
    assert [(context, state) for context, state, _ in bench.host.statuses(bench.fake)] == [
        ("pilotage", "failure"),
        ("other", "failure"),
    ]
    assert bench.host.statuses(bench.fake)[0][2] == "x" * (bench.host.status_limit - 1) + "…"
    bench.scm().set_status(HEAD, replace(status, state="success"))
    assert len(bench.host.statuses(bench.fake)) == 3


@pytest.mark.parametrize(
    "write",
    [
        lambda scm: scm.create_comment(7, "x"),
        lambda scm: scm.update_comment(7, Comment(2, "", ""), "x"),
        lambda scm: scm.create_notes(7, HEAD, [NOTE]),
        lambda scm: scm.set_status(HEAD, Status("pilotage", "success", "ok")),
    ],
)
def test_a_token_that_may_only_read_is_told_which_permission_it_lacks(bench: Bench, write: object) -> None:
    bench.host.add_comment(bench.fake, bench.login(), "mine")
    with pytest.raises(ScmError) as refused:
        write(bench.scm("read"))  # type: ignore[operator]
    assert refused.value.kind == "forbidden"
    assert refused.value.permission in bench.host.permissions.values()
    assert refused.value.permission in str(refused.value)
    assert refused.value.exit_code == 2


def test_no_token_stands_in_an_error_or_a_representation(bench: Bench) -> None:
    scm = bench.scm("wrong")
    with pytest.raises(ScmError) as refused:
        scm.comments(7)
    assert refused.value.kind == "unauthorised"
    assert bench.host.tokens["wrong"] not in f"{refused.value} {refused.value!r} {scm!r}"


@pytest.mark.parametrize("bench", [BY_NAME["gitlab"], BY_NAME["bitbucket"]], ids=["gitlab", "bitbucket"], indirect=True)
def test_a_thread_people_answered_is_resolved(bench: Bench) -> None:
    scm = bench.scm()
    scm.create_notes(7, HEAD, [Note("f", EDITED, 11, 11, "x")])
    bench.host.answer_note(bench.fake)
    scm.retire_note(7, scm.notes(7)[0], "gone")
    assert bench.fake.state["notes"][0]["resolved"]


def test_the_door_refuses_what_it_cannot_ask() -> None:
    with pytest.raises(UsageError, match="no pull request host is known"):
        open_scm(Trigger("local", None, "local"), "t")
    with pytest.raises(UsageError, match="does not name the repository"):
        open_scm(Trigger("github", "github", "push"), "t")
    for url in ("http://[bad", "ftp://x", "https://", "https://me:pw@x/", "https://x/?a=b", "https://x:port/"):
        with pytest.raises(UsageError, match=r"no http\(s\) address"):
            open_scm(Trigger("github", "github", "push", "a/b", api_url=url), "t")


def test_the_door_opens_without_a_request() -> None:
    scm = open_scm(
        Trigger("github", "github", "push", "acme/shop", api_url="https://git.acme.example:8443/api/v3"), "t"
    )
    assert (scm.name, scm.repository) == ("github", "acme/shop")


def test_one_client_closed_twice_leaves_another_open(bench: Bench) -> None:
    scm, other = bench.scm(), bench.scm()
    assert scm.comments(7) == ()
    scm.close()
    scm.close()
    assert other.comments(7) == ()
