"""Default < file < environment < flag, and every wrong value answered with its place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ci_runner import config
from ci_runner.config import Config, atlas, load, squawk
from ci_runner.config.options import BY_NAME, OPTIONS, variable
from ci_runner.config.schema import schema
from ci_runner.errors import ConfigError, PilotageError

ROOT = Path(__file__).resolve().parents[2]


def loaded(text: str = "", environ: dict[str, str] | None = None, **flags: Any) -> Config:
    return load(config.file.read(text, "pilotage.yml"), environ or {}, flags)


def test_without_any_setting_the_defaults_hold() -> None:
    found = loaded()
    assert found.fail_on == "error"
    assert [(d.dir, d.name, d.tx_mode) for d in found.directories] == [("migrations", "migrations", "file")]


PRECEDENCE = [
    ("", {}, {}, "error"),
    ("fail_on: warning", {}, {}, "warning"),
    ("fail_on: warning", {"PILOTAGE_FAIL_ON": "never"}, {}, "never"),
    ("fail_on: warning", {"PILOTAGE_FAIL_ON": ""}, {}, "warning"),
    ("fail_on: warning", {"PILOTAGE_FAIL_ON": "never"}, {"fail_on": "error"}, "error"),
]


@pytest.mark.parametrize(("text", "environ", "flags", "expected"), PRECEDENCE)
def test_a_flag_beats_the_environment_beats_the_file_beats_the_default(
    text: str, environ: dict[str, str], flags: dict[str, str], expected: str
) -> None:
    assert loaded(text, environ, **flags).fail_on == expected


@given(st.sampled_from([o for o in OPTIONS if o.kind == "choice" and o.file and o.scope == "run"]), st.data())
def test_precedence_holds_for_every_choice(option: Any, data: st.DataObject) -> None:
    pick = st.sampled_from(option.choices)
    layers = [data.draw(st.none() | pick) for _ in range(3)]
    text = f"{option.name}: {layers[0]}" if layers[0] else ""
    environ = {variable(option): layers[1]} if layers[1] else {}
    flags = {option.name: layers[2]} if layers[2] else {}
    expected = next((layer for layer in reversed(layers) if layer), option.default)
    assert getattr(loaded(text, environ, **flags), option.name) == expected


WRONG = {
    "an unknown key is named with its line and the nearest": (
        "dialect: postgres\ndri: x\n",
        "unknown option 'dri' in pilotage.yml:2 — did you mean 'dir'?",
    ),
    "an unknown dialect lists the known": ("dialect: oracle", "unknown dialect 'oracle' in pilotage.yml:1"),
    "a misspelt dialect gets a suggestion": ("dialect: postgress", "did you mean 'postgres'?"),
    "a key given twice": ("dir: a\ndir: b\n", "stands twice, the second time in pilotage.yml:2"),
    "a rule given twice": (
        "rules:\n  drop-table: off\n  drop-table: error\n",
        "'drop-table' stands twice, the second time in pilotage.yml:3",
    ),
    "an option of a single run": ("latest: 5", "unknown option 'latest' in pilotage.yml:1: it is said run by run, with --latest or"),
    "an option that is a variable only": ("token: x", "it is said run by run, with PILOTAGE_TOKEN"),
    "an option of the whole file in one directory": (
        "directories:\n  - dir: a\n    fail_on: never\n",
        "unknown option 'fail_on' in pilotage.yml:3: it is the same for all directories",
    ),
    "YAML that does not parse": ("dir: [", "pilotage.yml:2 is not valid YAML"),
    "a list at the top": ("- dir", "pilotage.yml:1 must hold 'option: value' lines"),
    "a password in clear": ("dev_url: postgres://me:hunter2@db/dev", "holds a password in clear"),
    "a list where a value belongs": ("fail_on: [error]", "'fail_on' in pilotage.yml:1 must be a single value"),
    "a switch that is neither": ("comment: maybe", "must be true or false"),
    "a severity on a line of its own": (
        "rules:\n  add-column: off\n  drop-table: fatal\n",
        "rule 'drop-table' in pilotage.yml:3 has severity",
    ),
    "a pattern on a line of its own": ("naming:\n  table: x\n  index: '['\n", "pilotage.yml:3 (naming.index)"),
    "a hook on a line of its own": (
        "hooks:\n  - {name: a, kind: slack, url: {env: A}}\n  - name: b\n    kind: x\n",
        "'kind' of hook 'b' in pilotage.yml:3",
    ),
    "an environment on a line of its own": (
        "dir: m\nenvironments:\n  dev:\n    url: ${DEV}\n  prod:\n    url: ${PROD}\n    order: sideways\n",
        "'order' of environment 'prod' in pilotage.yml:5",
    ),
    "an unknown severity": ("rules: {drop-table: fatal}", "rule 'drop-table' in pilotage.yml:1 has severity 'fatal'"),
    "rules that are no map": ("rules: [drop-table]", "must map rule names to a severity"),
    "an unknown key of the registry": ("registry: {urll: x}", "unknown option 'registry.urll'"),
    "directories that are no list": ("directories: {dir: a}", "must be a list"),
    "a report without a file": ("report: sarif", "is not FORMAT=FILE"),
    "two directories of one name": (
        "directories: [{name: a, dir: x}, {name: A, dir: y}]",
        "directories 'x' and 'y' share the name 'A'",
    ),
    "a name that cannot be one": ("directories: [{name: ../x, dir: x}]", "cannot name a directory"),
    "an alias bomb": (
        "a: &a [1,2,3,4,5,6,7,8,9]\n" + "\n".join(f"{c}: &{c} [{', '.join([f'*{p}'] * 9)}]" for p, c in zip("abcdefgh", "bcdefghi", strict=True)),
        "unknown option 'a'",
    ),
    "an alias bomb under a known key": (
        "rules: {x: &a [1,1,1,1,1,1,1,1,1], y: &b [" + ",".join(["*a"] * 9) + "], z: &c [" + ",".join(["*b"] * 9) + "], u: &d ["
        + ",".join(["*c"] * 9) + "], v: &e [" + ",".join(["*d"] * 9) + "], w: [" + ",".join(["*e"] * 9) + "]}",
        "nested too deeply, or too many values",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_file_is_answered_with_its_place(case: str) -> None:
    text, message = WRONG[case]
    with pytest.raises(ConfigError) as caught:
        loaded(text)
    assert message in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_a_wrong_variable_and_a_wrong_flag_are_named_as_such() -> None:
    with pytest.raises(ConfigError, match="unknown dialect 'pg' in PILOTAGE_DIALECT"):
        loaded(environ={"PILOTAGE_DIALECT": "pg"})
    with pytest.raises(ConfigError, match="--latest must be a whole number"):
        loaded(latest="0")


def test_tsql_is_accepted_for_sqlserver() -> None:
    assert loaded("dialect: tsql").directories[0].dialect == "sqlserver"


def test_directories_inherit_what_stands_beside_them_and_may_differ() -> None:
    text = """
dialect: postgres
rules: {drop-table: warning, rename-table: off}
directories:
  - {name: shop, dir: db/shop, rules: {drop-table: notice}}
  - {dir: ./db/edge/, dialect: sqlite}
"""
    shop, edge = loaded(text).directories
    assert (shop.name, shop.dialect, dict(shop.rules)) == (
        "shop",
        "postgres",
        {"drop-table": "notice", "rename-table": "off"},
    )
    assert (edge.name, edge.dir, edge.dialect) == ("db-edge", "db/edge", "sqlite")


def test_a_directory_flag_picks_one_of_several_and_keeps_its_settings() -> None:
    text = "directories: [{dir: a, dialect: mysql}, {name: b, dir: x/b, dialect: sqlite}]"
    assert [d.dialect for d in loaded(text, dir="a").directories] == ["mysql"]
    assert [d.dir for d in loaded(text, dir="b").directories] == ["x/b"]
    assert [(d.dir, d.dialect) for d in loaded(text, dir="other").directories] == [("other", None)]


def test_a_whole_value_may_name_a_variable_and_a_part_of_one_may_not() -> None:
    text = "dev_url: ${DEV}\nregistry: {url: '${REG}', backups: [file:///b]}"
    found = loaded(text, {"DEV": "sqlite://dev", "REG": "file:///r"})
    assert (found.directories[0].dev_url, found.registry, found.backups) == (
        "sqlite://dev",
        "file:///r",
        ("file:///b",),
    )
    assert (
        loaded("dev_url: postgres://evil/${TOKEN}", {"TOKEN": "s3cret"}).directories[0].dev_url
        == "postgres://evil/${TOKEN}"
    )
    with pytest.raises(ConfigError, match="the variable DEV, which is not set"):
        loaded(text, {"REG": "x"})


def test_secrets_do_not_show_in_the_printed_form_of_the_configuration() -> None:
    found = loaded(environ={"PILOTAGE_DEV_URL": "postgres://me:hunter2@db/dev", "PILOTAGE_TOKEN": "ghp_secret"})
    assert "hunter2" not in repr(found)
    assert "ghp_secret" not in repr(found)


def test_where_each_value_came_from_is_remembered() -> None:
    found = loaded("dialect: mysql\nfail_on: never", {"PILOTAGE_FAIL_ON": "error"}, latest="2")
    assert dict(found.sources) == {"dialect": "pilotage.yml:1", "fail_on": "PILOTAGE_FAIL_ON", "latest": "--latest"}


ACCEPTED = [
    "dir: a",
    "server_version: 15",
    "registry: file:///x",
    "rules: {drop-table: off}",
    "directories: [{dir: a}]",
    "report: [sarif=a]",
]


@pytest.mark.parametrize("text", ACCEPTED)
def test_what_the_reader_accepts_the_published_schema_accepts(text: str) -> None:
    assert loaded(text) != loaded()
    assert jsonschema.Draft202012Validator(schema()).is_valid(yaml.safe_load(text))


@pytest.mark.parametrize("text", ["dri: a", "fail_on: x", "directories: []", "registry: {backups: []}", "comment: 3"])
def test_what_the_reader_refuses_the_published_schema_refuses(text: str) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(yaml.safe_load(text), schema())


def test_the_published_schema_is_a_valid_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(schema())
    assert json.dumps(schema())


@given(st.text(max_size=300))
def test_no_text_makes_the_reader_fail_in_any_other_way(text: str) -> None:
    try:
        loaded(text)
    except PilotageError as error:
        assert "pilotage.yml" in str(error) or "directory" in str(error)


def test_every_option_of_a_command_is_in_the_manifest_once() -> None:
    assert len(BY_NAME) == len(OPTIONS)


ATLAS = """
lint {
  destructive { error = false }
}
env "local" {
  dev = "docker://postgres/15/dev?search_path=public"
  migration {
    dir = "file://db/migrations?format=goose"
    repo { name = "app" }
  }
}
env "ci" {
  dev = getenv("DEV_URL")
  migration { dir = "file://db/other" }
  lint { destructive { error = true } }
}
env "prod" { url = var.url }
"""


def test_an_atlas_configuration_is_read() -> None:
    found = load(atlas.read(ATLAS, "atlas.hcl"), {"DEV_URL": "sqlite://dev"}, {})
    app, other = found.directories
    assert (app.name, app.dir, app.dir_format, app.dialect) == ("app", "db/migrations", "goose", "postgres")
    assert app.rules["drop-table"] == "warning"
    assert (other.dir, other.dev_url, other.rules["drop-table"]) == ("db/other", "sqlite://dev", "error")


@pytest.mark.parametrize("text", ["env {", "}{", 'env "a" { migration { dir = } }', "\x00"])
def test_a_broken_atlas_configuration_is_a_clear_error(text: str) -> None:
    with pytest.raises(ConfigError, match=r"atlas\.hcl.* is not valid HCL"):
        atlas.read(text, "atlas.hcl")


def test_a_squawk_configuration_is_read() -> None:
    text = 'excluded_rules = ["ban-drop-table"]\npg_version = "13.0"\nassume_in_transaction = false\n'
    found = load(squawk.read(text, ".squawk.toml"), {}, {}).directories[0]
    assert (found.dialect, found.server_version, found.tx_mode, dict(found.rules)) == (
        "postgres",
        "13.0",
        "none",
        {"ban-drop-table": "off"},
    )


def test_what_is_read_of_a_squawk_configuration_remembers_its_line() -> None:
    text = '# ours\n"excluded_rules" = [\n  "ban-drop-table",\n]\n\npg_version = "13.0"\n'
    found = load(squawk.read(text, ".squawk.toml"), {}, {})
    assert (found.sources["rules"], found.sources["server_version"]) == (".squawk.toml:2", ".squawk.toml:6")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('pg_version = "13"\nexcluded_paths = ["*.sql"]\n', ".squawk.toml:2: 'excluded_paths' is not read: every file"),
        ("\nincluded_rules = []\n", ".squawk.toml:2: 'included_rules' is not read: a pilotage.yml names"),
        (
            "[upload_to_github]\nfail_on_violations = true\n",
            ".squawk.toml:1: 'upload_to_github' is not read: 'fail_on'",
        ),
        ("upload_to_github.fail_on_violations = true\n", ".squawk.toml:1: 'upload_to_github' is not read"),
        (
            "pgversion = 13\n",
            ".squawk.toml:1: 'pgversion' is not read: only assume_in_transaction, excluded_rules, pg_version are",
        ),
    ],
)
def test_each_key_of_a_squawk_configuration_that_is_passed_over_is_named_with_its_place(text: str, said: str) -> None:
    (line,) = squawk.unread(text, ".squawk.toml")
    assert line.startswith(said)


def test_a_squawk_configuration_of_keys_that_are_read_is_passed_without_a_word() -> None:
    assert list(squawk.unread('excluded_rules = []\npg_version = "9"\nassume_in_transaction = true\n', "x")) == []


@pytest.mark.parametrize(("text", "message"), [("a =", "not valid TOML"), ("excluded_rules = 3", "must be a list")])
def test_a_broken_squawk_configuration_is_a_clear_error(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        squawk.read(text, ".squawk.toml")


def test_naming_is_compiled_and_an_entry_s_patterns_join_the_common_ones() -> None:
    text = "naming: {table: '[a-z_]+', index: 'ix_.+'}\ndirectories:\n  - dir: a\n    naming: {table: '[A-Z]+'}\n"
    naming = load(config.file.read(text, "pilotage.yml"), {}, {}).directories[0].naming
    assert {kind: each.text for kind, each in naming.items()} == {"table": "[A-Z]+", "index": "ix_.+"}
    assert naming["table"].matches("ABC")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("naming: {tabel: a}", "unknown kind 'tabel'"),
        ("naming: [a]", "must map"),
        ("naming: {table: [a]}", "must be a regular expression"),
        ("naming: {table: '('}", r"pilotage\.yml:1 \(naming\.table\)"),
    ],
)
def test_a_convention_that_cannot_be_meant_is_refused_with_its_place(text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        load(config.file.read(text, "pilotage.yml"), {}, {})


def test_naming_can_be_given_in_a_variable_one_line_a_kind() -> None:
    naming = load(({}, ()), {"PILOTAGE_NAMING": "table=[a-z]{1,9}\nindex=ix_.+"}, {}).directories[0].naming
    assert [each.text for each in naming.values()] == ["[a-z]{1,9}", "ix_.+"]
