"""Pages lead where they say, show only what is checked, and name only commands, options and targets that exist."""

from __future__ import annotations

import json
import re
import shlex
import tomllib
from importlib import metadata
from importlib.util import find_spec

import click
import jsonschema
import pytest
import yaml
from packaging.requirements import Requirement

from ci_runner import config
from ci_runner.cli import COMMANDS, main
from tests.docs.pages import NAMES, ROOT, Block, anchors, blocks, commands, links

BLOCKS = [block for name in NAMES for block in blocks(name)]
# Each language has a test here or in test_shown.py, but for the pipelines among the YAML (tests/wrappers) and rules in Python
# (tests/cli/test_own_rules.py). Of Groovy the commands in it are checked: there is no Jenkins to ask.
CHECKED = {"", "console", "sh", "yaml", "json", "jinja", "mermaid", "text", "sql", "python", "groovy"}


PIPELINES = {
    f"docs/{name}.md" for name in ("approval", "azure", "bitbucket", "circleci", "cloud-login", "gitlab", "self-hosted")
}


def of(language: str) -> list[Block]:
    return [block for block in BLOCKS if block.language == language]


def shown(block: Block) -> str:
    return block.where


@pytest.mark.parametrize("name", NAMES)
def test_every_link_leads_to_a_file_and_a_heading_that_exist(name: str) -> None:
    for target in links(name):
        path, _, anchor = target.partition("#")
        file = (ROOT / name).parent / path if path else ROOT / name
        assert file.exists(), f"{name} links {target}"
        if anchor and file.suffix == ".md":
            assert anchor in anchors(file.resolve().relative_to(ROOT).as_posix()), f"{name} links {target}"


def test_every_picture_is_one_and_is_shown() -> None:
    kept = {path.relative_to(ROOT).as_posix() for path in (ROOT / "docs" / "images").iterdir()}
    used = {
        ((ROOT / name).parent / target).resolve().relative_to(ROOT).as_posix()
        for name in NAMES
        for target in links(name)
        if "images/" in target
    }
    assert used == kept
    for name in kept:
        start = (ROOT / name).read_bytes()[:64]
        assert start.startswith(b"\x89PNG\r\n") if name.endswith(".png") else b"<svg" in start, name


def test_every_block_is_of_a_kind_that_a_test_checks() -> None:
    assert {block.where for block in BLOCKS if block.language not in CHECKED} == set()


@pytest.mark.parametrize("name", NAMES)
def test_every_command_shown_exists_with_its_options(name: str) -> None:
    general = {flag for option in main.params for flag in (*option.opts, *option.secondary_opts)} | {"--help"}
    for where, line in commands(name):
        words = shlex.split(line, comments=True)[1:]
        if words[0].startswith("-"):
            assert set(words[:1]) <= general, f"{where}: {line}"
            continue
        assert words[0] in COMMANDS, f"{where}: {line}"
        command = main.get_command(None, words[0])  # type: ignore[arg-type]
        if isinstance(command, click.Group):
            command = command.get_command(None, words[1])  # type: ignore[arg-type]
        assert command is not None
        known = general | {flag for option in command.params for flag in (*option.opts, *option.secondary_opts)}
        used = {word.partition("=")[0] for word in words if word.startswith("--")}
        assert used <= known, f"{where}: {line}"


def test_every_make_target_and_extra_shown_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    extras = set(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"])
    lines = [line for block in of("sh") for line in block.text.splitlines()]
    made = {match[1] for line in lines if (match := re.match(r"make ([a-z]+)", line))}
    asked = {extra for line in lines if (m := re.search(r"pilotage\[([\w,]+)\]", line)) for extra in m[1].split(",")}
    assert {"demo", "test"} <= made <= targets
    assert "embedded" in asked
    assert asked <= extras


CONFIGURATIONS = [b for b in of("yaml") if "\njobs:" not in b.text and b.where.partition(":")[0] not in PIPELINES]


@pytest.mark.parametrize("block", CONFIGURATIONS, ids=shown)
def test_a_configuration_shown_is_valid_for_editors_and_for_the_program(block: Block) -> None:
    schema = json.loads((ROOT / "docs/pilotage.schema.json").read_text())
    given = yaml.safe_load(block.text)
    assert [error.message for error in jsonschema.Draft202012Validator(schema).iter_errors(given)] == []
    nothing = config.load(config.file.read("", "pilotage.yml"), {}, {})
    assert config.load(config.file.read(block.text, "pilotage.yml"), {}, {}) != nothing


def test_the_report_shown_keeps_the_schema() -> None:
    (block,) = [b for b in blocks("docs/report.md") if b.language == "json"]
    schema = json.loads((ROOT / "docs/report.schema.json").read_text())
    assert [
        error.message for error in jsonschema.Draft202012Validator(schema).iter_errors(json.loads(block.text))
    ] == []


@pytest.mark.parametrize("block", of("mermaid"), ids=shown)
def test_what_a_diagram_names_without_a_label_is_a_package(block: Block) -> None:
    bare = re.sub(
        r"\|[^|]*\|", " ", re.sub(r"^\s*(flowchart|subgraph) .*|^\s*end$", "", block.text, flags=re.MULTILINE)
    )
    labelled = set(re.findall(r"(\w+)\[", bare))
    names = set(re.sub(r"\[[^\]]*\]|-->|---", " ", bare).split()) - labelled
    homes = ("ci_runner", "ci_runner.sql")
    assert {name for name in names if not any(find_spec(f"{home}.{name}") for home in homes)} == set()


def test_the_readme_names_the_size_of_the_base_install() -> None:
    said = re.search(r"base install is (\d+) packages, (\d+) MB", (ROOT / "README.md").read_text())
    assert said, "README.md: how many packages, how many MB?"
    assert abs(len(closure("pilotage")) - int(said[1])) <= 3  # what others depend on moves a little between releases
    assert 20 <= int(said[2]) <= 200


def closure(name: str) -> set[str]:
    """The packages that come along with one, itself among them, without any extra."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        each = re.sub(r"[-_.]+", "-", waiting.pop()).lower()
        if each in found:
            continue
        found.add(each)
        needed = map(Requirement, metadata.requires(each) or ())
        waiting += [one.name for one in needed if one.marker is None or one.marker.evaluate({"extra": ""})]
    return found
