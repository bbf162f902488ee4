"""The verdict, the counts and the contract, from values as stations hand them over."""

from __future__ import annotations

import itertools
import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from msgspec.structs import replace

from ci_runner import report
from ci_runner.model.directory import Problem
from ci_runner.model.report import (
    Base,
    Finding,
    Linted,
    NotAnalysed,
    Replay,
    ReplayError,
    Report,
    Run,
    Severity,
    Suggestion,
    Verdict,
)
from ci_runner.model.tally import findings, fingerprints, lines_of, location
from ci_runner.text import redactor
from tests.conftest import ROOT
from tests.report import examples

SCHEMA = json.loads((ROOT / "docs" / "report.schema.json").read_text(encoding="utf-8"))
TEXT = "DROP TABLE a;\n"
OK = Replay("ok", "SQLite 3.40", 1)
SKIPPED = Replay("skipped", reason="no dev database is configured")
FAILED = Replay("failed", "SQLite 3.40", 1, ReplayError("1_a.sql", 1, 1, "no such table: a"))


def one(severity: Severity, *, file: str = "1_a.sql", line: int = 1, rule: str = "drop-table") -> Finding:
    return Finding(rule, severity, "a is dropped", file, line, 1, line, 14, statement="DROP TABLE a;")


def built(
    *found: Finding, replay: Replay = OK, fail_on: report.FailOn = "error", problems: tuple[Problem, ...] = ()
) -> Report:
    changes = examples.change_set(examples.changed("1_a.sql", TEXT), problems=problems)
    return report.build(changes, Linted(found), replay, fail_on=fail_on)


@pytest.mark.parametrize(
    ("severities", "replay", "fail_on", "verdict"),
    [
        ((), OK, "error", "pass"),
        (("notice",), OK, "error", "pass"),
        (("warning",), OK, "error", "warn"),
        (("warning", "error"), OK, "error", "fail"),
        (("notice",), OK, "warning", "pass"),
        (("warning",), OK, "warning", "fail"),
        (("error",), OK, "warning", "fail"),
        (("error",), OK, "never", "warn"),
        (("warning",), SKIPPED, "never", "warn"),
        (("notice",), OK, "never", "pass"),
        ((), SKIPPED, "error", "pass"),
        ((), FAILED, "error", "fail"),
        ((), FAILED, "never", "fail"),
    ],
)
def test_the_verdict_follows_findings_and_replay(
    severities: tuple[Severity, ...], replay: Replay, fail_on: report.FailOn, verdict: Verdict
) -> None:
    assert built(*map(one, severities), replay=replay, fail_on=fail_on).verdict == verdict


def test_statements_not_analysed_never_count() -> None:
    changes = examples.change_set(examples.changed("1_a.sql", TEXT))
    linted = Linted((), (NotAnalysed("1_a.sql", 1, "not understood"),))
    assert report.build(changes, linted, OK, fail_on="warning").verdict == "pass"


@pytest.mark.parametrize(("level", "verdict"), [("error", "fail"), ("warning", "warn"), ("notice", "pass")])
@pytest.mark.parametrize("file", ["1_a.sql", "atlas.sum", None])
def test_a_problem_counts_wherever_it_lies(level: Severity, verdict: Verdict, file: str | None) -> None:
    made = built(problems=(Problem("sum-file-mismatch", level, "wrong", file, 1),))
    assert made.verdict == verdict
    assert [each.rule for each in findings(made)] == ["sum-file-mismatch"]
    assert [each.code for each in made.problems] == ["sum-file-mismatch"]


def test_a_problem_of_a_changed_file_is_among_its_findings_once() -> None:
    problem = Problem("line-endings", "warning", "CRLF", "1_a.sql", 1, "convert it")
    made = built(problems=(problem, problem))
    (finding,) = made.files[0].findings
    assert (finding.rule, finding.severity, finding.line, finding.column, finding.end_column) == (
        "line-endings",
        "warning",
        1,
        1,
        14,
    )
    assert (finding.statement, finding.remedy) == ("DROP TABLE a;", "convert it")
    assert report.counts(made) == (0, 1, 0)


def test_a_problem_that_lint_told_already_is_not_told_twice() -> None:
    made = built(one("error", rule="file-edited"), problems=(Problem("file-edited", "error", "edited", "1_a.sql", 1),))
    assert report.counts(made) == (1, 0, 0)


def test_findings_stand_by_position_and_the_graver_first() -> None:
    found = (one("notice", line=2), one("error", line=2, rule="z"), one("warning", line=1))
    assert [(each.line, each.severity) for each in built(*found).files[0].findings] == [
        (1, "warning"),
        (2, "error"),
        (2, "notice"),
    ]


def test_a_finding_on_a_file_that_did_not_change_is_not_lost() -> None:
    made = built(one("error", file="0_other.sql"))
    assert [file.name for file in made.files] == ["1_a.sql", "0_other.sql"]
    assert made.verdict == "fail"


def test_the_worst_directory_decides_the_run() -> None:
    passes, warns, fails = built(), built(one("warning")), built(one("error"))
    for reports in itertools.permutations([passes, warns, fails]):
        assert report.combine(reports).verdict == "fail"
    assert report.combine([passes, warns]).verdict == "warn"
    assert report.combine([]).verdict == "pass"


@pytest.mark.parametrize("name", examples.RUNS)
def test_documents_keep_the_contract(name: str) -> None:
    document = report.document(examples.RUNS[name]())
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    validator = jsonschema.Draft202012Validator(SCHEMA)
    assert [error.message for error in validator.iter_errors(document)] == []
    assert json.loads(json.dumps(document)) == document


CONTRACT = {
    "": "schema_version directory base files not_analysed problems suppressed replay schema_changes verdict",
    "directory": "path format dialect sum files",
    "base": "kind ref",
    "files.0": "name version change findings",
    "files.0.findings.0": "rule aliases severity message remedy evidence line column end_line end_column statement table rows bytes suggestion",
    "files.0.findings.0.suggestion": "line end_line text summary safe files",
    "not_analysed.0": "file line reason",
    "replay": "status engine statements error",
    "schema_changes.0": "action what name before after",
}


@pytest.mark.parametrize("place", CONTRACT)
def test_every_key_of_the_contract_is_there(place: str) -> None:
    value: Any = report.document(examples.risky())
    for step in filter(None, place.split(".")):
        value = value[int(step)] if step.isdigit() else value[step]
    assert list(value) == CONTRACT[place].split()


def test_the_schema_refuses_what_breaks_the_contract() -> None:
    validator = jsonschema.Draft202012Validator(SCHEMA)
    document = report.document(examples.risky())
    assert validator.is_valid({**document, "added_later": 1})
    assert not validator.is_valid({**document, "verdict": "green"})
    for key in document:
        assert not validator.is_valid({name: value for name, value in document.items() if name != key}), key


def test_one_directory_is_the_document_and_several_are_listed() -> None:
    assert report.document(examples.risky())["directory"]["path"] == "db/migrations"
    several = report.document(examples.several())
    assert list(several) == ["schema_version", "verdict", "directories"]
    assert [each["verdict"] for each in several["directories"]] == ["fail", "warn", "pass"]
    assert report.document(Run((), "pass")) == {"schema_version": 1, "verdict": "pass", "directories": []}


def test_the_documented_example_is_a_real_report() -> None:
    text = (ROOT / "docs" / "report.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```json\n(.*?)```", text, re.DOTALL)
    document = json.loads(example)
    assert [error.message for error in jsonschema.Draft202012Validator(SCHEMA).iter_errors(document)] == []


def test_outputs_are_for_later_steps() -> None:
    assert report.outputs(examples.risky()) == {"verdict": "fail", "errors": "2", "warnings": "2", "notices": "1"}


@pytest.mark.parametrize("name", examples.RUNS)
def test_the_status_line_fits_a_commit_status(name: str) -> None:
    status = report.status(examples.RUNS[name]())
    assert 0 < len(status) <= report.STATUS_LIMIT
    assert "\n" not in status


def test_status_lines_say_what_matters() -> None:
    lines = {name: report.status(make()) for name, make in examples.RUNS.items() if name not in {"many", "hostile"}}
    assert lines == {
        "risky": "2 errors, 2 warnings, 1 notice in 2 changed migrations; replayed on PostgreSQL 16.4",
        "clean": "nothing to report in 1 changed migration; replayed on PostgreSQL 16.4",
        "unchanged": "no migration changed",
        "failed": "A migration does not run; 1 error, 3 warnings in 1 changed migration",
        "several": "A migration does not run; 1 error, 4 warnings in 3 changed migrations",
    }


def test_no_secret_stays_in_any_text_of_a_report() -> None:
    secret = "correct horse battery"
    found = replace(
        one("error"),
        message=secret,
        why=secret,
        remedy=secret,
        statement=secret,
        suggestion=Suggestion(1, 1, f"SELECT '{secret}'"),
    )
    replay = Replay("failed", "SQLite", 1, ReplayError("1_a.sql", 1, 1, f"near {secret}", secret))
    changes = examples.change_set(examples.changed("1_a.sql", f"-- {secret}\n"), base=Base("git", secret))
    made = report.build(changes, Linted((found,)), replay, notes=(secret,), redact=redactor([secret]))
    assert secret not in repr(made)
    assert made.files[0].findings[0].suggestion is None  # applied, it would write the mask into the file
    assert made.verdict == "fail"


@pytest.mark.parametrize("known", [(), ("correct horse battery",)])
def test_files_known_to_be_harmless_spare_no_other_text_and_not_where_secrets_are_known(known: tuple[str, ...]) -> None:
    secret = "correct horse battery"
    changes = examples.change_set(examples.changed("1_a.sql", f"-- {secret}\n"))
    found = replace(one("error"), message="see postgres://u:hunter22@h/d")
    made = report.build(changes, Linted((found,)), OK, redact=redactor(known), harmless=lambda: True)
    assert "hunter22" not in repr(made)
    assert (secret in made.files[0].text) is (not known)


def test_a_suggestion_without_secrets_stays() -> None:
    suggestion = Suggestion(1, 1, "DROP TABLE b;\n", "drop the other")
    changes = examples.change_set(examples.changed("1_a.sql", TEXT))
    made = report.build(
        changes, Linted((replace(one("error"), suggestion=suggestion),)), OK, redact=redactor(["correct horse"])
    )
    assert made.files[0].findings[0].suggestion == suggestion


def test_fingerprints_last_while_the_finding_does() -> None:
    before = built(one("error"), one("error"))
    moved = built(one("error", line=3), one("warning", line=7))
    names = [name for _, name in fingerprints(before)]
    assert names == [name for _, name in fingerprints(moved)]
    assert len(set(names)) == 2
    assert names[0] not in {name for _, name in fingerprints(built(replace(one("error"), statement="DROP TABLE b;")))}


@pytest.mark.parametrize(
    ("path", "file", "where"),
    [
        ("./db/", "1.sql", "db/1.sql"),
        (".", "1.sql", "1.sql"),
        ("db", "", "db"),
        ("a\\b", "c/1.sql", "a/b/c/1.sql"),
        ("", "", "."),
    ],
)
def test_locations_are_what_ci_systems_want(path: str, file: str, where: str) -> None:
    assert location(replace(built(), path=path), file) == where


def test_lines_end_with_lf_or_crlf_only() -> None:
    assert lines_of("a\r\nb\x0cc\u2028d\n") == ["a", "b\x0cc\u2028d", ""]


def test_the_schema_is_reachable_from_the_docs() -> None:
    assert "report.schema.json" in (ROOT / "docs" / "report.md").read_text(encoding="utf-8")
    assert isinstance(SCHEMA["$id"], str)
    assert Path(SCHEMA["$id"]).name == "report.schema.json"
