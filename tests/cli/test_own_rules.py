"""A team's own rules: the documented example holds, pull requests cannot bring code, broken rules name themselves."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.cli.conftest import ROOT, Done, Repository

Branch = Callable[[Mapping[str, str | bytes]], Repository]
PAGE = (ROOT / "docs" / "own-rules.md").read_text(encoding="utf-8")
CONFIG, RULE, MIGRATION, SAID = (found[1] for found in re.finditer(r"```\w+\n(.*?)```", PAGE, re.DOTALL))
FILES = {
    "pilotage.yml": CONFIG,
    "rules/no_float_money.py": RULE,
}
CHANGE = {"migrations/2_invoice.sql": MIGRATION.split("\n", 1)[1]}


def proposed(repository: Repository, tmp_path: Path, *flags: str) -> Done:
    """lint, as a pull request's job runs it."""
    event = tmp_path / "event.json"
    heads = {"head": repository.git("rev-parse", "HEAD"), "base": repository.git("rev-parse", "main")}
    pull = {name: {"ref": name, "sha": sha, "repo": {"full_name": "acme/shop"}} for name, sha in heads.items()}
    event.write_text(json.dumps({"number": 7, "pull_request": {"number": 7, **pull}}))
    environ = {
        "CI": "true", "GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": "pull_request", "GITHUB_EVENT_PATH": str(event),
        "GITHUB_REPOSITORY": "acme/shop", "GITHUB_BASE_REF": "main",
    }  # fmt: skip
    return repository.run("lint", "--format", "json", *flags, **environ)


def rules(done: Done) -> list[str]:
    return [finding["rule"] for file in done.json["files"] for finding in file["findings"]]


def test_the_documented_example_says_what_the_page_says(repository: Repository) -> None:
    repository.commit(FILES)
    done = repository.write(CHANGE).run("lint")
    assert done.out.splitlines()[0] == SAID.strip()
    assert done.code == 1


def test_a_pull_request_is_judged_by_the_rules_of_its_base(repository: Repository, tmp_path: Path) -> None:
    repository.commit(FILES)
    repository.git("checkout", "-q", "-b", "feature")
    harmless = 'raise SystemExit("the head\'s code ran")'
    repository.commit({**CHANGE, "rules/no_float_money.py": harmless, "rules/new_one.py": harmless})
    done = proposed(repository, tmp_path)
    assert rules(done) == ["no-float-money"]


def test_a_folder_only_the_pull_request_names_is_not_looked_at(branch: Branch, tmp_path: Path) -> None:
    repository = branch({**FILES, **CHANGE, "rules/bad.py": "open('canary', 'w')"})
    done = proposed(repository, tmp_path)
    assert done.code == 0, done.err
    assert rules(done) == []
    assert not (repository.path / "canary").exists()
    text = repository.run(
        "lint", CI="true", GITHUB_ACTIONS="true", GITHUB_EVENT_NAME="pull_request", GITHUB_EVENT_PATH=str(tmp_path / "event.json"),
    )  # fmt: skip
    assert "own rules were left out" in text.out
    assert not (repository.path / "canary").exists()


@pytest.mark.parametrize(
    ("name", "source", "said"),
    [
        ("rules/a.py", "x = 1\ny = (\n", "rules/a.py:2 is not Python"),
        ("rules/a.py", "import json\n\njson.nothing\n", "rules/a.py:3 could not be loaded: AttributeError"),
        ("rules/a.py", "x = 1\n", "rules/a.py declares no rule"),
        ("rules/A-b.py", "x = 1\n", "cannot name a rule"),
        ("rules/drop_table.py", RULE, "'drop-table', a name that is taken"),
        (
            "rules/a.py",
            RULE.replace("op.columns if", "op.colums if"),
            "the rule 'a' crashed at rules/a.py:16, judging 2_invoice.sql:1",
        ),
        ("rules/a.py", RULE.replace("yield Hit(f", "yield (f"), "the rule 'a' crashed"),
        ("rules/a.py", b"\xff", "not UTF-8"),
    ],
)
def test_a_broken_rule_stops_the_run_and_says_where(
    repository: Repository, name: str, source: str | bytes, said: str
) -> None:
    repository.commit({"pilotage.yml": "dialect: postgres\nrules_path: rules\n", name: source})
    done = repository.write(CHANGE).run("lint")
    assert done.code == 2
    assert said in done.err


def test_a_missing_folder_is_a_mistake_and_one_outside_is_refused(repository: Repository) -> None:
    repository.write({"pilotage.yml": "dialect: postgres\nrules_path: nowhere\n"})
    assert "nowhere" in repository.run("lint").err
    outside = repository.path.parent / "out"
    outside.mkdir()
    (outside / "a.py").write_text(RULE)
    repository.write({"pilotage.yml": "dialect: postgres\nrules_path: ../out\n"})
    done = repository.run("lint")
    assert done.code == 2
    assert "outside" in done.err


def test_a_rule_for_another_database_keeps_quiet(repository: Repository) -> None:
    text = RULE.replace('@rule("warning", on', '@rule("warning", ("mysql",), on')
    repository.commit({"pilotage.yml": "dialect: postgres\nrules_path: rules\n", "rules/a.py": text})
    assert rules(repository.write(CHANGE).run("lint", "--format", "json")) == []


def test_an_own_rule_can_be_ignored_by_its_name(repository: Repository) -> None:
    repository.commit(FILES)
    sql = f"-- pilotage:ignore no-float-money: tokens, not money\n{CHANGE['migrations/2_invoice.sql']}"
    done = repository.write({"migrations/2_invoice.sql": sql}).run("lint", "--format", "json")
    assert (rules(done), done.json["suppressed"]) == ([], 1)
