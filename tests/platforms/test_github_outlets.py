"""GitHub's outlets, read back by the grammar its runner reads them with."""

from __future__ import annotations

import re
from itertools import count
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ci_runner import platforms
from ci_runner.model.ci import Annotation
from ci_runner.platforms import Platform
from ci_runner.text import visible

REGISTERED = {
    "error",
    "warning",
    "notice",
    "debug",
    "group",
    "endgroup",
    "add-mask",
    "stop-commands",
    "set-output",
    "set-env",
} | {"add-path", "echo"}


class Command(NamedTuple):
    name: str
    properties: dict[str, str]
    data: str


def unescape(text: str, *, of_property: bool) -> str:
    table = {"%0D": "\r", "%0A": "\n"} | ({"%3A": ":", "%2C": ","} if of_property else {})
    for escaped, plain in table.items():
        text = text.replace(escaped, plain)
    return text.replace("%25", "%")


def newer_form(row: str) -> Command | None:
    """``::name key=value,key=value::data``, leading blanks allowed."""
    row = row.lstrip()
    if not row.startswith("::") or (end := row.find("::", 2)) < 0:
        return None
    name, _, rest = row[2:end].partition(" ")
    if name not in REGISTERED:
        return None
    pairs = (pair.split("=", 1) for pair in rest.strip().split(",") if pair)
    properties = {pair[0].strip(): unescape(pair[1], of_property=True) for pair in pairs if len(pair) == 2}
    return Command(name, properties, unescape(row[end + 2 :], of_property=False))


def older_form(row: str) -> Command | None:
    """``##[name key=value;key=value]data``, anywhere in the line."""
    found = re.search(r"##\[([^\]]*)\](.*)", row)
    if found is None:
        return None
    name = found[1].partition(" ")[0]
    return Command(name, {}, found[2]) if name in REGISTERED else None


def commands(log: str) -> list[Command]:
    """What the runner makes of a log: lines end at CR, LF or both; between stop-commands and its token nothing counts."""
    found, stopped = [], ""
    for row in re.split(r"\r\n|\r|\n", log):
        if stopped:
            stopped = "" if row.strip() == f"::{stopped}::" else stopped
            continue
        command = newer_form(row) or older_form(row)
        if command is not None:
            found.append(command)
            stopped = command.data if command.name == "stop-commands" else ""
    return found


class Step:
    """One step of a job: what it printed and the two files."""

    def __init__(self, folder: Path):
        self.printed: list[str] = []
        self.summary, self.outputs = folder / "summary", folder / "outputs"
        words = (f"{number:032x}" for number in count(1))
        env = {"GITHUB_STEP_SUMMARY": str(self.summary), "GITHUB_OUTPUT": str(self.outputs)}
        self.platform: Platform = platforms.open("github", env, self.printed.append, lambda: next(words))

    @property
    def log(self) -> str:
        return "".join(self.printed)


@pytest.fixture
def step(tmp_path: Path) -> Step:
    return Step(tmp_path)


def annotation(level: str, number: int = 1) -> Annotation:
    return Annotation(level, f"message {number}", "title", "a.sql", number, number, 3, 9)  # type: ignore[arg-type]


def test_an_annotation_is_one_command_with_its_place(step: Step) -> None:
    step.platform.annotate([Annotation("error", "50 % of\nrows", "drop: x, y", "db/a,b:c.sql", 3, 3, 5, 9)])
    assert commands(step.log) == [
        Command(
            "error",
            {"file": "db/a,b:c.sql", "line": "3", "endLine": "3", "col": "5", "title": "drop: x, y"},
            "50 % of\nrows",
        )
    ]


def test_a_range_of_lines_has_no_column_because_github_refuses_one_there(step: Step) -> None:
    step.platform.annotate([Annotation("notice", "m", "", "a.sql", 3, 7, 5, 9), Annotation("warning", "no place")])
    warning, notice = commands(step.log)
    assert notice.properties == {"file": "a.sql", "line": "3", "endLine": "7"}
    assert warning == Command("warning", {}, "no place")


def test_ten_of_each_level_are_shown_worst_first_and_the_last_line_counts_the_rest(step: Step) -> None:
    rising = [annotation(level, number) for number in range(1, 14) for level in ("notice", "warning", "error")]
    assert step.platform.annotate(rising) == ()
    found = commands(step.log)
    assert [each.name for each in found] == ["error"] * 10 + ["warning"] * 10 + ["notice"] * 10
    assert [each.data for each in found[:2]] == ["message 1", "message 2"]
    assert found[-1].data.startswith("10 more annotations: ")


def test_ten_notices_need_no_remark(step: Step) -> None:
    step.platform.annotate([annotation("notice", number) for number in range(10)])
    assert [each.data for each in commands(step.log)] == [f"message {number}" for number in range(10)]


def test_eleven_errors_leave_one_for_the_remark(step: Step) -> None:
    step.platform.annotate([annotation("error", number) for number in range(11)])
    found = commands(step.log)
    assert [each.name for each in found] == ["error"] * 10 + ["notice"]
    assert found[-1].data.startswith("1 more annotation: ")


@given(
    annotations=st.lists(
        st.builds(
            Annotation,
            st.sampled_from(["error", "warning", "notice"]),
            st.text(max_size=60),
            st.text(max_size=30),
            st.none() | st.text(min_size=1, max_size=30),
            st.none() | st.integers(1, 99),
        ),
        max_size=9,
    ),
)
@settings(deadline=None, max_examples=300)
def test_no_text_of_an_annotation_becomes_another_command_or_property(
    tmp_path_factory: pytest.TempPathFactory, annotations: list[Annotation]
) -> None:
    step = Step(tmp_path_factory.getbasetemp())
    step.platform.annotate(annotations)
    found = commands(step.log)
    assert len(found) == len(annotations)
    assert {name for each in found for name in each.properties} <= {"file", "line", "endLine", "col", "title"}
    assert sorted(each.data for each in found) == sorted(visible(each.message) for each in annotations)
    # the runner drops blanks at the end of a command's properties
    files = [visible(each.file).strip() for each in annotations if each.file]
    assert sorted(each.properties["file"].strip() for each in found if "file" in each.properties) == sorted(files)


PIECES = st.lists(
    st.sampled_from(
        [
            "::",
            "##[",
            "]",
            "error",
            "set-env name=X",
            "stop-commands",
            "\n",
            "\r",
            "\u2028",
            "\x1b[0m",
            " ",
            "%0A",
            "add-mask",
            "\x85",
            "x",
        ]
    ),
    max_size=14,
).map("".join)


@given(foreign=PIECES | st.text(max_size=80))
@settings(deadline=None, max_examples=500)
def test_foreign_text_on_the_log_is_no_command_even_without_the_fence(
    tmp_path_factory: pytest.TempPathFactory, foreign: str
) -> None:
    step = Step(tmp_path_factory.getbasetemp())
    step.platform.log(foreign)
    assert [each.name for each in commands(step.log)] == ["stop-commands"]
    inside = re.split(r"\r\n|\r|\n", step.log)[1:-2]
    assert inside, "the text itself must be printed"
    assert [row for row in inside if newer_form(row) or older_form(row)] == []
    assert step.printed[-1] == f"::{'0' * 31}1::\n", "commands count again afterwards"


def parsed(outputs: str) -> dict[str, str]:
    """The runner's reading of GITHUB_OUTPUT."""
    found: dict[str, str] = {}
    rows = iter(outputs.split("\n"))
    for row in rows:
        if "<<" in row:
            name, _, delimiter = row.partition("<<")
            lines = []
            for line in rows:
                if line == delimiter:
                    break
                lines.append(line)
            found[name] = "\n".join(lines)
    return found


def test_outputs_are_read_back_as_they_were(step: Step) -> None:
    step.outputs.write_text("earlier<<E\nkept\nE\n")
    values = {"verdict": "fail", "report_path": "a\nb<<ghd_1\nx=1", "seq": "", "fail-on": "error"}
    assert step.platform.output(values) == ()
    assert parsed(step.outputs.read_text()) == {"earlier": "kept", **values}


def test_an_output_that_holds_the_delimiter_or_has_a_bad_name_is_refused_and_the_others_are_set(step: Step) -> None:
    values = {"a": f"x\nghd_{1:032x}\nverdict<<E\npass\nE", "bad\nname": "x", "errors": "2"}
    warnings = step.platform.output(values)
    assert len(warnings) == 2
    assert parsed(step.outputs.read_text()) == {"errors": "2"}


def test_the_summary_is_appended(step: Step) -> None:
    step.summary.write_text("before\n")
    assert step.platform.summarise("# Report") == ()
    assert step.summary.read_text() == "before\n# Report\n"


def test_a_summary_of_exactly_the_room_left_is_whole(step: Step) -> None:
    step.summary.write_bytes(b"x" * 1000)
    assert step.platform.summarise("é" * ((1024 * 1024 - 1000) // 2 - 1) + "z") == ()
    assert step.summary.stat().st_size == 1024 * 1024


def test_a_summary_over_one_mebibyte_is_cut_at_a_line_with_every_block_closed(step: Step) -> None:
    long = "# Report\n\n<details><summary>all</summary>\n\n```sql\n" + "SELECT 'é';\n" * 200_000 + "```\n</details>\n"
    warnings = step.platform.summarise(long)
    text = step.summary.read_text()
    assert len(warnings) == 1
    assert "1024 KiB" in warnings[0]
    assert 1024 * 1024 - 2000 < step.summary.stat().st_size <= 1024 * 1024
    assert text.count("```") % 2 == 0
    assert text.count("<details") == text.count("</details>")
    assert text.rstrip().endswith("the JSON report holds all of it.*")


def test_a_full_summary_stays_as_it_is(step: Step) -> None:
    step.summary.write_bytes(b"x" * 1024 * 1024)
    assert len(step.platform.summarise("# Report")) == 1
    assert step.summary.stat().st_size == 1024 * 1024


def test_files_that_cannot_be_written_are_a_warning_that_says_why(tmp_path: Path) -> None:
    env = {"GITHUB_STEP_SUMMARY": str(tmp_path), "GITHUB_OUTPUT": str(tmp_path / "none" / "x")}
    platform = platforms.open("github", env, lambda _: None, lambda: "r" * 32)
    (summary,) = platform.summarise("x")
    (outputs,) = platform.output({"verdict": "pass"})
    assert "job summary not written" in summary
    assert "run the image without --user" in outputs


def test_files_that_are_not_there_are_a_warning_that_names_the_variable() -> None:
    platform = platforms.open("github", {}, lambda _: None, lambda: "r" * 32)
    assert "GITHUB_STEP_SUMMARY is not set" in platform.summarise("x")[0]
    assert "GITHUB_OUTPUT is not set" in platform.output({"verdict": "pass"})[0]


def test_a_machine_with_only_a_log_prints_foreign_text_behind_a_bar_and_nothing_else() -> None:
    printed: list[str] = []
    platform = platforms.open("local", {}, printed.append, lambda: "r" * 32)
    platform.annotate([annotation("error")])
    platform.log("::error::x\n##vso[task.complete]")
    assert platform.summarise("x") == platform.output({"a": "b"}) == ()
    assert all(row.startswith("  | ") for row in printed)
    assert len(printed) == 2
    assert "##vso[" not in "".join(printed)


@pytest.mark.parametrize("name", [name for name in platforms.NAMES if name != "github"])
def test_foreign_text_stands_behind_a_bar_on_every_log(name: str) -> None:
    printed: list[str] = []
    platforms.open(name, {}, printed.append, lambda: "r" * 32).log("::error::x\n##vso[task.complete]")
    assert all(row.startswith("  | ") for row in printed)
    assert "##vso[" not in "".join(printed)
