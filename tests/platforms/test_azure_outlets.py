"""Azure's outlets, read back by the grammar its agent reads logging commands with."""

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


class Command(NamedTuple):
    name: str
    properties: dict[str, str]
    data: str


def plain(text: str, *, of_property: bool) -> str:
    table = {"%0D": "\r", "%0A": "\n"} | ({"%3B": ";", "%5D": "]"} if of_property else {})
    for escaped, said in table.items():
        text = text.replace(escaped, said)
    return text.replace("%AZP25", "%")


def commands(log: str) -> list[Command]:
    """What the agent makes of a log: ``##vso[area.event name=value;]data``, anywhere in a line, up to the first bracket."""
    found = []
    for row in re.split(r"\r\n|\r|\n", log):
        start = row.lower().find("##vso[")
        end = row.find("]", start)
        if start < 0 or end < 0:
            continue
        name, _, rest = row[start + 6 : end].partition(" ")
        if "." not in name:
            continue
        pairs = (pair.split("=", 1) for pair in rest.strip().split(";") if pair.strip())
        properties = {pair[0]: plain(pair[1], of_property=True) for pair in pairs if len(pair) == 2}
        found.append(Command(name, properties, plain(row[end + 1 :], of_property=False)))
    return found


class Step:
    """One step of a job: what it printed, and the agent's temporary folder."""

    def __init__(self, folder: Path | None):
        self.printed: list[str] = []
        words = (f"{number:032x}" for number in count(1))
        env = {"BUILD_SOURCESDIRECTORY": "/agent/1/s"} | ({"AGENT_TEMPDIRECTORY": str(folder)} if folder else {})
        self.platform: Platform = platforms.open("azure", env, self.printed.append, lambda: next(words))

    @property
    def commands(self) -> list[Command]:
        return commands("".join(self.printed))


def test_an_error_and_a_warning_are_issues_on_their_lines_worst_first_and_a_notice_is_none(tmp_path: Path) -> None:
    step = Step(tmp_path)
    step.platform.annotate(
        [
            Annotation("notice", "n", "", "a.sql", 1),
            Annotation("warning", "w"),
            Annotation("error", "50 % of\nrows", "drop: x; y]", "db/a;b].sql", 3, 3, 5, 9),
        ]
    )
    place = {"sourcepath": "/agent/1/s/db/a;b].sql", "linenumber": "3", "columnnumber": "5"}
    assert step.commands == [
        Command("task.logissue", {"type": "error", **place}, "drop: x; y]: 50 % of\nrows"),
        Command("task.logissue", {"type": "warning"}, "w"),
    ]


def test_a_value_is_a_variable_of_the_job_and_an_output_of_the_step(tmp_path: Path) -> None:
    step = Step(tmp_path)
    assert step.platform.output({"verdict": "fail", "report_path": "a;b].json"}) == ()
    assert [(each.properties, each.data) for each in step.commands] == [
        ({"variable": "PILOTAGE_VERDICT"}, "fail"),
        ({"variable": "verdict", "isOutput": "true"}, "fail"),
        ({"variable": "PILOTAGE_REPORT_PATH"}, "a;b].json"),
        ({"variable": "report_path", "isOutput": "true"}, "a;b].json"),
    ]


@pytest.mark.parametrize(("verdict", "issues"), [("pass", 0), ("warn", 1), ("fail", 0)])
def test_warnings_make_a_step_that_succeeded_with_issues(tmp_path: Path, verdict: str, issues: int) -> None:
    step = Step(tmp_path)
    step.platform.output({"verdict": verdict})
    assert [each.properties for each in step.commands].count({"result": "SucceededWithIssues"}) == issues


def test_the_summary_is_a_file_in_the_folder_that_outlives_the_step(tmp_path: Path) -> None:
    step = Step(tmp_path)
    assert step.platform.summarise("# Report\n") == ()
    ((name, _, path),) = step.commands
    assert (name, Path(path).parent) == ("task.uploadsummary", tmp_path)
    assert Path(path).read_text() == "# Report\n"


def test_a_place_that_cannot_be_written_is_a_warning(tmp_path: Path) -> None:
    assert "AGENT_TEMPDIRECTORY is not set" in Step(None).platform.summarise("x")[0]
    assert "cannot be written" in Step(tmp_path / "none").platform.summarise("x")[0]


PIECES = [
    "##vso[",
    "task.setvariable variable=x]y",
    "]",
    ";",
    "%",
    "%AZP25",
    "%0A",
    "%5D",
    "\n",
    "\r",
    "\x85",
    "\u2028",
    "##[",
]
TEXT = st.lists(st.sampled_from(PIECES) | st.text(max_size=8), max_size=8).map("".join)


@given(message=TEXT, title=TEXT, file=TEXT)
@settings(deadline=None, max_examples=300)
def test_no_foreign_text_makes_a_command_of_its_own_or_another_property(message: str, title: str, file: str) -> None:
    step = Step(None)
    step.platform.annotate([Annotation("error", message, title, file, 3)])
    (command,) = step.commands
    assert command.name == "task.logissue"
    assert set(command.properties) <= {"type", "sourcepath", "linenumber"}
    assert command.properties["type"] == "error"
    assert command.data == visible((f"{title}: " if title else "") + message)
    if file:
        assert command.properties["sourcepath"] == visible(f"/agent/1/s/{file}")


@given(text=TEXT)
@settings(deadline=None, max_examples=300)
def test_foreign_text_on_the_log_is_no_command(text: str) -> None:
    step = Step(None)
    step.platform.log(text)
    assert step.commands == []


@given(value=TEXT)
@settings(deadline=None, max_examples=200)
def test_a_value_sets_itself_or_nothing(value: str) -> None:
    step = Step(None)
    warnings = step.platform.output({"report_path": value})
    assert [each.data for each in step.commands] == ([] if warnings else [value, value])
