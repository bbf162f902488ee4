"""Every rule says what it is, and its own examples hold."""

from __future__ import annotations

from pathlib import Path

import pytest

from ci_runner import sql
from ci_runner.config.pattern import Pattern, pattern
from ci_runner.errors import UsageError
from ci_runner.lint import Example, LintFile, Policy, Rule, catalogue, document, explain, lint
from ci_runner.lint import rules as package
from ci_runner.model.report import FILE, ChangedFile, Finding, Observation
from tests.lint.harness import WORTH, before, migration

RULES = catalogue()
EXAMPLES = [(rule, example) for rule in RULES for example in document(rule.docstring).examples]


def patterns(traits: dict[str, str]) -> dict[str, Pattern]:
    """The trait ``naming table=[a-z]+``."""
    kind, _, text = traits.get("naming", "").partition("=")
    return {kind: pattern(text, "the example")} if kind else {}


def reviewed(rule: Rule, example: Example) -> tuple[Finding, ...]:
    """The findings of an example that the rule's own level, or the verdict, makes worth showing."""
    dialect, traits = example.dialect, example.traits
    text = example.sql
    file = migration(text, tx=traits.get("tx", "file"))
    old = migration(example.before + "\n", name=file.name)
    released = [example.before]
    if "edited" in traits:
        changed, released = ChangedFile(file.name, "edited", file, old), []
    elif "removed" in traits:
        changed = ChangedFile(file.name, "removed", None, old)
    else:
        changed = ChangedFile(file.name, "added", file, out_of_order=traits.get("out") == "of order")
    statements = sql.statements(file, dialect) if changed.migration else ()
    assert all(s.not_analysed is None for s in statements), [s.not_analysed for s in statements]
    found = lint(
        [LintFile(changed, statements)], before(released, dialect), dialect=dialect,
        policy=Policy({} if rule.default else {rule.slug: "warning"}, naming=patterns(traits)), format=traits.get("format", "atlas"),
        server_version=traits.get("version"), server_edition=traits.get("edition"),
        observations=[Observation(file.name, FILE, traits["seen"])] if "seen" in traits else (),
    ).findings  # fmt: skip
    return tuple(f for f in found if f.severity in WORTH or f.rule == rule.slug)


@pytest.mark.parametrize(
    ("rule", "example"), EXAMPLES, ids=[f"{r.slug}-{e.dialect}-{'good' if e.good else 'bad'}" for r, e in EXAMPLES]
)
def test_a_bad_example_yields_the_rule_at_its_line_and_a_good_one_nothing(rule: Rule, example: Example) -> None:
    found = reviewed(rule, example)
    if example.good:
        assert [(f.rule, f.message) for f in found] == []
        return
    marked = next((n for n, line in enumerate(example.sql.split("\n"), 1) if line.endswith("-- here")), None)
    lines = (
        {n for n, line in enumerate(example.sql.split("\n"), 1) if line and not line.startswith("--")}
        if marked is None
        else {marked}
    )
    assert {f.rule for f in found} == {rule.slug}
    assert {f.line for f in found} <= (lines or {1})


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.slug)
def test_a_rule_says_what_happens_why_and_what_to_do_instead(rule: Rule) -> None:
    words = document(rule.docstring)
    assert 10 < len(words.title) < 90
    assert len(words.why) > 40
    assert len(words.remedy) > 20
    assert any(example.good for example in words.examples)
    assert any(not example.good for example in words.examples)
    assert {example.dialect for example in words.examples} <= set(rule.databases)


def test_a_file_is_a_rule_and_its_name_is_the_slug() -> None:
    files = {path.stem.replace("_", "-") for path in Path(package.__path__[0]).glob("*.py")} - {"--init--"}
    assert files == {rule.slug for rule in RULES}


def test_rules_know_one_another_only_by_the_catalogue() -> None:
    paths = list(Path(package.__path__[0]).glob("*.py"))
    assert len(paths) > len(RULES)
    for path in paths:
        assert "ci_runner.lint.rules" not in path.read_text()
        assert "sqlglot" not in path.read_text()
        assert "ci_runner.sql" not in path.read_text()


def test_a_dialect_gets_the_rules_that_concern_it_and_no_others() -> None:
    for dialect in ("postgres", "mysql", "mariadb", "sqlite", "sqlserver", "clickhouse", "redshift", "snowflake"):
        assert {r.slug for r in catalogue(dialect)} == {r.slug for r in RULES if dialect in r.databases}


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("drop-table", "drop-table"),
        ("ban-drop-table", "drop-table"),
        ("DS101", "drop-schema"),
        ("PG309", "stored-generated-rewrite"),
    ],
)
def test_a_rule_is_explained_by_its_slug_and_by_a_foreign_name_that_means_one(name: str, slug: str) -> None:
    assert [rule.slug for rule in explain(name)] == [slug]


def test_a_name_that_is_none_is_answered_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="drop-table"):
        explain("drop-tabel")


def test_a_foreign_name_of_several_rules_stands_for_each() -> None:
    assert [rule.slug for rule in explain("DS103")] == ["drop-column", "rename-column"]
