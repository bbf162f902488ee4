"""What stands on a terminal and in a CI log."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode

from ci_runner import render, report
from ci_runner.model.report import Linted, Replay
from tests.report import examples
from tests.text.test_escape import FOREIGN, HIDDEN

ANSI = re.compile("\x1b\\[[0-9;]*m")


class Plain(SingleFileSnapshotExtension):
    """Snapshots as text files; ``pytest --snapshot-update`` writes them anew."""

    file_extension = "txt"
    _write_mode = WriteMode.TEXT


@pytest.mark.parametrize("name", ["risky", "clean", "unchanged", "failed", "several"])
def test_terminal_output_looks_like_this(name: str, snapshot: SnapshotAssertion) -> None:
    assert render.text(examples.RUNS[name](), width=100) == snapshot(extension_class=Plain)


@pytest.mark.parametrize("name", examples.RUNS)
def test_colours_change_no_letter(name: str) -> None:
    run = examples.RUNS[name]()
    coloured = render.text(run, colour=True, width=90)
    assert [row.rstrip() for row in ANSI.sub("", coloured).splitlines()] == render.text(run, width=90).splitlines()
    assert "\x1b[" in coloured
    assert "\x1b" not in ANSI.sub("", coloured)


def test_a_finding_begins_with_its_place_for_editors_to_jump_to() -> None:
    rows = render.text(examples.risky()).splitlines()
    assert (
        sum(bool(re.match(r"db/migrations/\S+\.sql:\d+:\d+ (error|warning|notice) [\w-]+ ", row)) for row in rows) == 5
    )


def test_carets_stand_below_what_is_meant() -> None:
    rows = render.text(examples.risky()).splitlines()
    at = next(index for index, row in enumerate(rows) if "DROP COLUMN legacy_id" in row)
    start = rows[at].index("DROP COLUMN")
    assert rows[at + 1].index("^") == start
    assert rows[at + 1].count("^") == len("DROP COLUMN legacy_id")


def test_quiet_output_is_the_verdict_alone() -> None:
    assert (
        render.text(examples.risky(), quiet=True) == "failed: 2 errors, 2 warnings, 1 notice in 2 changed migrations\n"
    )


def test_a_rule_is_explained_once_a_directory() -> None:
    assert render.text(examples.many(30)).count("= why:") == 1


@settings(deadline=None, max_examples=60)
@example(["word " * 30 + "::error::x"], 20)
@example(["aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa ::error::x"], 20)
@given(st.lists(FOREIGN, min_size=1, max_size=2), st.sampled_from([None, 20, 80]))
def test_no_line_is_a_command_and_nothing_hidden_gets_through(foreign: list[str], width: int | None) -> None:
    for row in render.text(examples.hostile(tuple(foreign)), width=width).split("\n"):
        assert not row.lstrip().startswith("::")
        assert not re.search(r"##(\[|vso\[|teamcity\[)", row, re.IGNORECASE)
        assert not HIDDEN.search(row)


@pytest.mark.parametrize("name", ["risky", "clean", "unchanged", "failed", "several"])
def test_no_row_is_wider_than_the_terminal_but_one_that_begins_with_a_place(name: str) -> None:
    rows = render.text(examples.RUNS[name](), width=80).splitlines()
    assert [row for row in rows if len(row) > 80 and not row.startswith(("db/", "services/"))] == []


def test_a_suggestion_without_text_says_that_the_lines_go() -> None:
    text = "DROP TABLE a;\n"
    found = examples.finding("1_a.sql", text, "DROP TABLE a;", "drop-column", "error", "gone", fix="\n")
    made = report.build(examples.change_set(examples.changed("1_a.sql", text)), Linted((found,)), Replay("ok"))
    assert "      - the lines above are taken out" in render.text(report.combine([made])).splitlines()


def test_lines_of_source_are_cut_to_the_width() -> None:
    rows = render.text(examples.hostile(("x" * 5000,)), width=80).splitlines()
    assert all(len(row) <= 80 for row in rows if re.match(r"\s*\d* \| ", row))
