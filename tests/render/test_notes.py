"""What stands beside the lines of a change."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from ci_runner import render
from ci_runner.model.report import Linted, Replay, Run, SuggestedFile, Suggestion
from ci_runner.report import build
from tests.render.test_comment import gfm
from tests.report import examples


def test_errors_and_warnings_get_a_note_the_gravest_first() -> None:
    notes = render.notes(examples.risky())
    assert [(note.file, note.line, note.end_line) for note in notes] == [
        ("db/migrations/0013_order_search.sql", 4, 5),
        ("db/migrations/0014_cleanup.sql", 1, 1),
        ("db/migrations/0013_order_search.sql", 2, 2),
        ("db/migrations/0014_cleanup.sql", 3, 3),
    ]
    assert len({note.fingerprint for note in notes}) == 4
    assert [note.suggestion is not None for note in notes] == [False, False, True, False]


def test_a_note_says_what_why_and_instead_without_the_suggestion() -> None:
    body = render.notes(examples.risky())[2].body
    for said in (
        "Creating an index blocks writes",
        "warning",
        "Why it matters",
        "What to do instead",
        "observed on PostgreSQL 16.4",
    ):
        assert said in body
    assert "```" not in body


def test_a_failed_replay_gets_a_note_on_its_line() -> None:
    note = render.notes(examples.failed())[0]
    assert (note.file, note.line) == ("services/cart/migrations/0013_wrong_column.sql", 4)
    assert 'column "owner_id" does not exist' in note.body


def test_a_removed_file_gets_no_note_for_it_has_no_lines() -> None:
    text = "DROP TABLE a;\n"
    found = examples.finding("0013_x.sql", text, "DROP TABLE a;", "drop-column", "error", "gone")
    made = build(
        examples.change_set(examples.changed("0013_x.sql", text, "removed")), Linted((found,)), Replay("skipped")
    )
    assert render.notes(Run((made,), "fail")) == ()
    assert len(render.annotations(Run((made,), "fail"))) == 1


def test_annotations_tell_everything_the_gravest_first() -> None:
    made = render.annotations(examples.failed())
    assert [(each.level, each.file, each.line) for each in made] == [
        ("error", "services/cart/migrations/0013_wrong_column.sql", 4),
        ("error", "services/cart/migrations/atlas.sum", 1),
        ("warning", "services/cart/migrations/0004_old.sql", 1),
        ("warning", "services/cart/migrations/0007_old.sql", 1),
        ("warning", "services/cart/migrations/0013_wrong_column.sql", 1),
    ]


def test_foreign_text_in_a_note_is_only_text() -> None:
    notes = render.notes(examples.hostile())
    assert len(notes) > len(examples.hostile().reports)
    for note in notes:
        html = gfm(note.body)
        assert "<img" not in html
        assert "<script" not in html
        assert html.count("<a ") <= 1


@pytest.mark.parametrize("alone", [True, False])
def test_a_suggestion_with_further_files_shows_them_and_is_one_click_only_where_its_lines_stand_alone(
    alone: bool,
) -> None:
    text = "ALTER TABLE a ADD CONSTRAINT f FOREIGN KEY (n) REFERENCES b (id);\n"
    found = examples.finding("0013_x.sql", text, text.strip(), "index-not-concurrent", "warning", "checked")
    lines = text.replace(";", " NOT VALID;")
    file = SuggestedFile("0014_validate_f.sql", "ALTER TABLE a VALIDATE CONSTRAINT f;\n")
    suggestion = Suggestion(1, 1, lines, "add it with NOT VALID", True, (file,), alone)
    changes = examples.change_set(examples.changed("0013_x.sql", text))
    made = build(changes, Linted((replace(found, suggestion=suggestion),)), Replay("skipped"))
    (note,) = render.notes(Run((made,), "warn"))
    assert (note.suggestion is not None) is alone
    assert "`0014_validate_f.sql`" in note.body
    assert "ALTER TABLE a VALIDATE CONSTRAINT f;" in note.body
    assert "+++ 0014_validate_f.sql" in str(render.comment(Run((made,), "warn")))
