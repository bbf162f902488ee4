"""The guides by task and the reference of JSON, followed as they stand there."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.cli.conftest import Repository, folder, repository
from tests.docs.pages import NAMES, ROOT, blocks, commands, links

__all__ = ["folder", "repository"]

OLD = {
    "migrations/0001_users.sql": "CREATE TABLE users (id bigint PRIMARY KEY, email text, fax text);\n",
    "migrations/0002_email.sql": "CREATE INDEX users_email_idx ON users (email);\nALTER TABLE users DROP COLUMN fax;\n",
}


def rows(name: str) -> Iterator[list[str]]:
    """The cells of every table row of a page."""
    for line in (ROOT / name).read_text(encoding="utf-8").splitlines():
        if line.startswith("| ") and not line.startswith("|---"):
            yield [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip("|"))]


def test_every_page_is_reached_from_the_readme_and_listed_in_the_index() -> None:
    reached, waiting = {"README.md"}, ["README.md"]
    while waiting:
        name = waiting.pop()
        targets = {(ROOT / name).parent / target.partition("#")[0] for target in links(name)}
        found = {path.resolve().relative_to(ROOT).as_posix() for path in targets if path.suffix == ".md"} - reached
        reached |= found
        waiting += found
    assert set(NAMES) - reached == set()
    here = {f"docs/{target.partition('#')[0]}" for target in links("docs/README.md")}
    pages = {name for name in NAMES if re.fullmatch(r"docs/[^/]+\.md", name)} - {"docs/README.md"}
    assert pages - here == set()


def test_an_old_repository_is_linted_as_its_guide_tells(folder: Repository) -> None:
    folder.git("init", "-q", "-b", "main")
    folder.commit(OLD)
    (setting,) = [block.text for block in blocks("docs/first-lint.md") if block.language == "yaml"]
    shown = [block.text.splitlines() for block in blocks("docs/first-lint.md") if block.language == "console"]
    (baseline,) = [line for _, line in commands("docs/first-lint.md") if "--write-baseline" in line]
    first, later = ([re.sub(r"[0-9a-f]{10}", "…", line) for line in lines] for lines in shown)
    assert lines_of(folder, first[0]) >= set(first[1:])
    assert folder.run(*shlex.split(baseline)[1:], "--dialect", "postgres").code == 0
    assert folder.run("lint", "--all", "--dialect", "postgres").code == 1
    folder.write({"pilotage.yml": setting})
    assert lines_of(folder, later[0]) >= set(later[1:])


def lines_of(folder: Repository, shown: str) -> set[str]:
    """What the command line behind the ``$`` prints, without hashes."""
    done = folder.run(*shlex.split(shown.removeprefix("$ pilotage ")))
    assert done.code == 0, done.out
    return {re.sub(r"[0-9a-f]{10}", "…", line) for line in done.out.splitlines()}


def test_several_directories_are_handled_as_their_guide_tells(folder: Repository, tmp_path: Path) -> None:
    (setting,) = [block.text for block in blocks("docs/monorepo.md") if block.language == "yaml"]
    folder.git("init", "-q", "-b", "main")
    entries = {entry["name"]: entry["dir"] for entry in yaml.safe_load(setting)["directories"]}
    for name, path in entries.items():
        folder.write({f"{path}/0001_{name}.sql": f"CREATE TABLE {name} (id integer PRIMARY KEY);\n"})
    folder.write({"pilotage.yml": setting.replace("dev_url: embedded", "# dev_url: embedded")})
    shown = [line for block in blocks("docs/monorepo.md") for line in block.text.splitlines()]
    lines = [line for line in shown if line.startswith("pilotage ")]
    assert [line.split()[1] for line in lines] == ["lint", "lint", "push", "deploy", "lint", "lint"]
    for line in lines:
        if " deploy " in line:
            assert folder.run("push", "billing", "--registry", f"file://{tmp_path}/registry").code == 0
        words = shlex.split(line.replace("file:///srv/registry", f"file://{tmp_path}/registry"))
        done = folder.run(*words[1:])
        assert done.code == 0, f"{line}: {done.out}{done.err}"
    assert (
        folder.run("lint", "--dir", "orders", "--json", cwd="services").json["directory"]["path"] == entries["orders"]
    )


SOURCES = "\n".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "ci_runner").rglob("*.py")))


def test_every_message_that_trouble_is_named_by_is_one_of_the_program() -> None:
    messages = [cells[0] for cells in rows("docs/troubleshooting.md") if cells[0].startswith("`")]
    assert len(messages) >= 10
    for message in messages:
        parts = re.split(r"…|pilotage\.yml:3|\bmigrations\b|version 4|postgres\b|SQLite", message.strip("`"))
        assert [part for part in parts if len(part) > 3 and part.strip() not in SOURCES] == [], message


def test_every_exit_code_is_explained() -> None:
    codes = {int(cells[0]) for cells in rows("docs/troubleshooting.md") if cells[0].isdigit()}
    raised = {int(code) for code in re.findall(r"exit_code = (\d+)", SOURCES)}
    assert codes == raised | {0, 130, 141}


@pytest.fixture
def kept(folder: Repository) -> Repository:
    """A directory that was pushed, deployed, and told of."""
    registry = (folder.path.parent / "registry").as_uri()
    hook = "hooks:\n  - name: team\n    kind: generic\n    url: { env: TEAM_URL }\n"
    folder.git("init", "-q", "-b", "main")
    folder.commit({**OLD, "pilotage.yml": f"dialect: sqlite\nregistry: {registry}\n{hook}"})
    assert folder.run("push", "app:v1").code == 0
    assert folder.run("deploy", "app", "--to", "sqlite://app.db").code == 0
    return folder


ARGUMENTS = {
    "schema": "", "deploy": "app --to sqlite://app.db", "baseline": "--dir migrations --to sqlite://new.db 0001", "plan": "app --to sqlite://app.db",
    "status": "app --to sqlite://app.db", "push": "app", "registry import": "again migrations", "pull": "app --output pulled", "log": "app",
    "show": "app", "tags": "app", "diff": "app app:v1", "explain": "migrations/0001_users.sql", "rebase": "--onto main",
}  # fmt: skip
TOLD = [
    (command.strip("` "), cells[1])
    for cells in rows("docs/json.md")
    for command in cells[0].split(",")
    if "`" in command
]
UNTRIED = {"down": "needs a way back", "adopt": "needs another tool's table"}  # both print what deploy prints


def test_every_command_that_prints_json_is_told_of_once() -> None:
    from ci_runner.cli import COMMANDS, main

    printing = {name for name in COMMANDS if "--json" in flags(main.get_command(None, name))}  # type: ignore[arg-type]
    assert printing - {name.split()[0] for name, _ in TOLD} <= {"list", "resolve"}
    assert len(TOLD) == len(dict(TOLD))


def flags(command: object) -> set[str]:
    return {flag for param in getattr(command, "params", ()) for flag in param.opts}


@pytest.mark.parametrize(("command", "said"), [each for each in TOLD if each[0] not in UNTRIED])
def test_json_has_the_keys_that_are_told(kept: Repository, command: str, said: str) -> None:
    done = kept.run(*command.split(), *ARGUMENTS.get(command, "").split(), "--json")
    found = json.loads(done.out)
    keys = set(re.findall(r"`(\w+)`", said))
    if said.startswith("a list"):
        assert isinstance(found, list)
        assert found
        assert all(not keys or keys <= each.keys() for each in found)
    else:
        assert keys <= found.keys()
