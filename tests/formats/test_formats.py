"""Every format is what its readers take, for every run, whatever is in it."""

from __future__ import annotations

import json
import re
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ci_runner import formats, report
from ci_runner.errors import UsageError
from ci_runner.model.report import Linted, Replay, Run
from tests.report import examples
from tests.text.test_escape import FOREIGN

ALL = pytest.mark.parametrize("name", examples.RUNS)


@ALL
@pytest.mark.parametrize("form", formats.FORMATS)
def test_every_format_ends_with_a_newline_and_is_utf_8(form: str, name: str) -> None:
    made = formats.render(form, examples.RUNS[name]())
    made.encode("utf-8")
    assert made.endswith("\n") or (form == "github" and not made)


def test_an_unknown_format_is_a_usage_error_that_names_the_known() -> None:
    with pytest.raises(UsageError, match="unknown report format 'yaml' — choose one of text, json, "):
        formats.render("yaml", examples.clean())


@ALL
def test_json_is_the_document(name: str) -> None:
    run = examples.RUNS[name]()
    assert json.loads(formats.render("json", run)) == report.document(run)


# --- SARIF: what the schema of SARIF 2.1.0 and GitHub's code scanning demand -------------------------------------------


def sarif(run: Run) -> dict[str, Any]:
    log = json.loads(formats.render("sarif", run))
    assert log["version"] == "2.1.0"
    assert log["$schema"].endswith("sarif-schema-2.1.0.json")
    (only,) = log["runs"]
    found: dict[str, Any] = only
    return found


@ALL
def test_sarif_results_point_at_their_rules_and_places(name: str) -> None:
    run = sarif(examples.RUNS[name]())
    rules = run["tool"]["driver"]["rules"]
    assert len({rule["id"] for rule in rules}) == len(rules)
    for rule in rules:
        assert rule["shortDescription"]["text"]
        assert rule["help"]["text"]
        assert re.fullmatch(r"https://\S+", rule.get("helpUri", "https://x"))
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] in {"error", "warning", "note"}
        assert result["message"]["text"]
        (location,) = result["locations"]
        place = location["physicalLocation"]
        assert re.fullmatch(r"[A-Za-z0-9%._~/-]+", place["artifactLocation"]["uri"])
        region = place.get("region", {"startLine": 1})
        assert region["startLine"] >= 1
        if "endLine" in region:
            assert (region["endLine"], region["endColumn"]) >= (region["startLine"], 1)


def test_sarif_counts_and_fingerprints_match_the_run() -> None:
    results = sarif(examples.many())["results"]
    assert len(results) == 500
    assert len({result["partialFingerprints"]["pilotage/v1"] for result in results}) == 500


def test_sarif_tells_a_failed_replay_and_statements_not_analysed() -> None:
    failed = sarif(examples.failed())["results"][-1]
    assert (failed["ruleId"], failed["level"]) == ("replay-failed", "error")
    assert failed["locations"][0]["physicalLocation"]["region"] == {"startLine": 4, "startColumn": 15}
    (note,) = sarif(examples.risky())["invocations"][0]["toolExecutionNotifications"]
    assert note["descriptor"]["id"] == "not-analysed"


def test_a_sarif_fix_replaces_whole_lines() -> None:
    (fix,) = (fix for result in sarif(examples.risky())["results"] for fix in result.get("fixes", ()))
    (replacement,) = fix["artifactChanges"][0]["replacements"]
    assert replacement["deletedRegion"] == {"startLine": 2, "startColumn": 1, "endLine": 3, "endColumn": 1}
    assert replacement["insertedContent"]["text"].endswith("(customer_email);\n")


# --- JUnit -------------------------------------------------------------------------------------------------------------


def junit(run: Run) -> ElementTree.Element:
    return ElementTree.fromstring(formats.render("junit", run))


@ALL
def test_junit_is_xml_whose_counts_are_right(name: str) -> None:
    root = junit(examples.RUNS[name]())
    for level in (root, *root):
        cases = list(level.iter("testcase"))
        assert int(level.get("tests", "-1")) == len(cases)
        for count, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert int(level.get(count, "-1")) == sum(case.find(tag) is not None for case in cases)


@pytest.mark.parametrize(
    ("name", "failures", "errors", "skipped"),
    [("risky", 2, 0, 0), ("clean", 0, 0, 0), ("unchanged", 0, 0, 1), ("failed", 1, 1, 0), ("several", 1, 1, 1)],
)
def test_junit_is_red_for_what_fails_the_check(name: str, failures: int, errors: int, skipped: int) -> None:
    root = junit(examples.RUNS[name]())
    assert (root.get("failures"), root.get("errors"), root.get("skipped")) == (str(failures), str(errors), str(skipped))


@pytest.mark.parametrize(("fail_on", "failures"), [("error", 0), ("warning", 1), ("never", 0)])
def test_junit_warnings_are_red_only_where_they_fail_the_check(fail_on: report.FailOn, failures: int) -> None:
    text = "DROP TABLE a;\n"
    found = examples.finding("1_a.sql", text, "DROP TABLE a;", "drop-column", "warning", "gone")
    made = report.build(
        examples.change_set(examples.changed("1_a.sql", text)), Linted((found,)), Replay("skipped"), fail_on=fail_on
    )
    assert junit(report.combine([made])).get("failures") == str(failures)


# --- GitLab Code Quality -----------------------------------------------------------------------------------------------


@ALL
def test_code_quality_issues_have_what_gitlab_demands(name: str) -> None:
    issues = json.loads(formats.render("codequality", examples.RUNS[name]()))
    for issue in issues:
        assert set(issue) == {"description", "check_name", "fingerprint", "severity", "location"}
        assert issue["severity"] in {"info", "minor", "major", "critical", "blocker"}
        assert issue["description"]
        assert not issue["location"]["path"].startswith("./")
        assert issue["location"]["lines"]["begin"] >= 1
    assert len({issue["fingerprint"] for issue in issues}) == len(issues)


def test_a_failed_replay_blocks() -> None:
    issues = json.loads(formats.render("codequality", examples.failed()))
    assert [issue["check_name"] for issue in issues if issue["severity"] == "blocker"] == ["replay-failed"]


# --- GitHub workflow commands ------------------------------------------------------------------------------------------

COMMAND = re.compile(r"::(error|warning|notice)( (?:[A-Za-z]+=[^,:\r\n]*)(?:,[A-Za-z]+=[^,:\r\n]*)*)?::([^\r\n]+)")


@ALL
def test_github_gets_commands_and_nothing_else(name: str) -> None:
    for row in formats.render("github", examples.RUNS[name]()).splitlines():
        assert COMMAND.fullmatch(row), row


def test_github_gets_the_place_of_every_finding() -> None:
    rows = formats.render("github", examples.risky()).splitlines()
    assert len(rows) == 5
    assert rows[0].startswith("::error file=db/migrations/0013_order_search.sql,line=4,endLine=5,title=")
    assert rows[1].startswith("::error file=db/migrations/0014_cleanup.sql,line=1,endLine=1,col=23,endColumn=44,title=")


@settings(deadline=None, max_examples=60)
@given(st.lists(FOREIGN, min_size=1, max_size=2))
def test_no_text_breaks_out_of_its_format(foreign: list[str]) -> None:
    run = examples.hostile(tuple(foreign))
    json.loads(formats.render("json", run))
    json.loads(formats.render("codequality", run))
    sarif(run)
    junit(run)
    for row in formats.render("github", run).splitlines():
        assert COMMAND.fullmatch(row), row


# --- what may be printed -----------------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=30)
@example(["x\n::error::x", "  ::set-output name=a::b", "##vso[task.complete]", "#\n#[x]"])
@given(st.lists(FOREIGN, min_size=1, max_size=2))
def test_no_line_of_any_format_is_a_command_to_a_ci_system_but_those_of_the_format_for_commands(
    foreign: list[str],
) -> None:
    run = examples.hostile(tuple(foreign))
    for form in formats.FORMATS.keys() - {"github"}:
        for row in formats.render(form, run).split("\n"):
            assert not row.lstrip().startswith("::"), form
            assert not re.search(r"##(\[|vso\[|teamcity\[)", row, re.IGNORECASE), form


def test_what_keeps_commands_out_of_a_document_changes_nothing_its_readers_get() -> None:
    run = examples.hostile(("a\n::error::x ##vso[task.complete]y",))
    assert json.loads(formats.render("json", run)) == report.document(run)
    told = "\n".join(junit(run).itertext())
    assert "\n::error::x ##vso[task.complete]y" in told
