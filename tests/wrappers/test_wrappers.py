"""The wrappers: what each CI system accepts, and exactly what the program understands."""

from __future__ import annotations

import json
import re
import shutil
import struct
import subprocess
import sys
import zipfile
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml

from ci_runner import __version__
from ci_runner.config.options import OPTIONS, variable
from scripts import generate, wrappers
from tests.conftest import missing
from tests.wrappers import orb

ROOT = Path(__file__).resolve().parents[2]
GITLAB = ROOT / "wrappers/gitlab/templates/pilotage/template.yml"
AZURE = ROOT / "wrappers/azure-devops"
NAMES = [option.name for option in wrappers.INPUTS]
ENVIRONMENT = {variable(option) for option in wrappers.INPUTS}
FENCE = re.compile(r"^```ya?ml\n(.*?)^```", re.MULTILINE | re.DOTALL)
SCHEMAS = {
    "gitlab": ["vendor.gitlab-ci", "--data-transform", "gitlab-ci"],
    "bitbucket": ["vendor.bitbucket-pipelines"],
    "azure": ["vendor.azure-pipelines", "--regex-variant", "nonunicode"],
    "circleci": ["vendor.circle-ci"],
}
EXAMPLES = {
    "gitlab": ".gitlab-ci.yml",
    "bitbucket": "bitbucket-pipelines.yml",
    "azure": "azure-pipelines.yml",
    "circleci": ".circleci/config.yml",
}


def valid(system: str, text: str, folder: Path) -> None:
    """Hold a file against the vendor's schema; Azure's knows no tasks from extensions, so ours stands in as a script."""
    if system == "azure":
        text = re.sub(
            r"- task: Pilotage@0\n(\s+)name: pilotage\n\s+inputs:\n\s+dir: \S+\n",
            r"- script: x\n\1name: pilotage\n",
            text,
        )
    path = folder / "snippet.yml"
    path.write_text(text)
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", *SCHEMAS[system], str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def snippets() -> list[tuple[str, str, str]]:
    found = []
    for system in SCHEMAS:
        folder = {"azure": "azure-devops"}.get(system, system)
        for page in (ROOT / f"docs/{system}.md", ROOT / f"wrappers/{folder}/README.md"):
            text = page.read_text()
            for match in FENCE.finditer(text):
                line = text[: match.start()].count("\n") + 1
                found.append((f"{page.relative_to(ROOT)}:{line}", system, match[1]))
    return [*found, *under_headings()]


def under_headings() -> list[tuple[str, str, str]]:
    """The snippets of pages that tell of all systems, one heading each."""
    found = []
    for name in ("cloud-login", "self-hosted"):
        text = (ROOT / f"docs/{name}.md").read_text()
        for match in FENCE.finditer(text):
            heading = re.findall(r"^### (\w+)", text[: match.start()], re.MULTILINE)[-1].lower()
            if heading in SCHEMAS:
                line = text[: match.start()].count("\n") + 1
                found.append((f"docs/{name}.md:{line}", heading, match[1]))
    return found


SNIPPETS = snippets()


@pytest.mark.parametrize(("where", "system", "text"), SNIPPETS, ids=[where for where, _, _ in SNIPPETS])
def test_a_pipeline_in_the_documents_is_one_its_vendor_accepts(
    where: str, system: str, text: str, tmp_path: Path
) -> None:
    valid(system, text, tmp_path)
    versions = set(re.findall(r"pilotage(?:==|:|@)(\d+\.\d+\.\d+)", text))
    assert versions <= {__version__}, where


@pytest.mark.parametrize("system", EXAMPLES)
def test_an_example_repository_has_a_pipeline_its_vendor_accepts_and_migrations_that_pass(
    system: str, tmp_path: Path
) -> None:
    folder = ROOT / "examples" / system
    valid(system, (folder / EXAMPLES[system]).read_text(), tmp_path)
    done = subprocess.run(
        [sys.executable, "-m", "ci_runner", "lint", "--all", "--format", "json"],
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, json.loads(done.stdout)["verdict"]) == (0, "pass"), done.stderr


def test_what_lies_in_the_repository_is_what_the_generator_writes() -> None:
    assert generate.differences(wrappers.files()) == ""
    assert set(wrappers.files()) <= set(generate.generated())


# --- GitLab ------------------------------------------------------------------------------------------------------------


def component(**inputs: str) -> dict[str, Any]:
    """The job of the component as GitLab expands it."""
    head, body = GITLAB.read_text().split("\n---\n")
    spec = yaml.safe_load(head)["spec"]["inputs"]
    assert set(inputs) <= set(spec)
    values = {name: inputs.get(name, each["default"]) for name, each in spec.items()}
    filled: dict[str, Any] = yaml.safe_load(re.sub(r"\$\[\[ inputs\.(\w+) \]\]", lambda found: values[found[1]], body))
    return filled


def test_the_gitlab_component_is_a_job_gitlab_accepts(tmp_path: Path) -> None:
    valid("gitlab", yaml.safe_dump(component(dir="db", fail_on="warning", job="shop")), tmp_path)


def test_the_gitlab_component_hands_every_option_to_its_variable_and_never_takes_a_token() -> None:
    spec = yaml.safe_load(GITLAB.read_text().split("\n---\n")[0])["spec"]["inputs"]
    assert set(spec) == {"job", "stage", "image", "token_env", *NAMES}
    (job,) = component(**dict.fromkeys(NAMES, "said")).values()
    assert set(job["variables"]) == {"GIT_DEPTH", "PILOTAGE_TOKEN_ENV", *ENVIRONMENT}
    said = {name: value for name, value in job["variables"].items() if name in ENVIRONMENT - {"PILOTAGE_REPORT"}}
    assert set(said.values()) == {"said"}
    assert job["variables"]["PILOTAGE_REPORT"].endswith(",said")


def test_options_of_an_input_are_the_options_of_the_program() -> None:
    spec = yaml.safe_load(GITLAB.read_text().split("\n---\n")[0])["spec"]["inputs"]
    for option in wrappers.INPUTS:
        if option.kind == "choice":
            assert spec[option.name]["options"] == ["", *option.choices]
            assert spec[option.name]["default"] == ""


# --- GitHub without Docker ----------------------------------------------------------------------------------------------


def test_github_accepts_the_composite_action_and_it_offers_what_the_docker_action_does() -> None:
    path = ROOT / "composite" / "action.yml"
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-actions", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    ours, docker = yaml.safe_load(path.read_text()), yaml.safe_load((ROOT / "action.yml").read_text())
    assert set(ours["inputs"]) == set(docker["inputs"])
    assert list(ours["outputs"]) == list(docker["outputs"])


def test_no_auditor_objects_to_the_composite_action(tmp_path: Path) -> None:
    (tmp_path / "action.yml").write_text((ROOT / "composite" / "action.yml").read_text())
    program = Path(sys.executable).parent / "zizmor"
    command = [str(program), "--offline", "--persona", "auditor", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_input_is_part_of_a_script() -> None:
    steps = yaml.safe_load((ROOT / "composite" / "action.yml").read_text())["runs"]["steps"]
    assert not any("${{" in step.get("run", "") for step in steps)


# --- Bitbucket ----------------------------------------------------------------------------------------------------------


def test_the_pipe_says_what_it_takes() -> None:
    pipe = yaml.safe_load((ROOT / "wrappers/bitbucket/pipe.yml").read_text())
    assert set(pipe["variables"]) == {"BITBUCKET_ACCESS_TOKEN", *ENVIRONMENT}
    assert pipe["image"].endswith(f":{__version__}")
    assert {"name", "image", "description", "category", "repository", "maintainer", "vendor", "tags"} <= set(pipe)


@pytest.mark.parametrize(("value", "fine"), [("warning", True), ("", True), ("sometimes", False)])
def test_the_pipes_toolkit_takes_what_the_program_takes(
    value: str, fine: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if find_spec("bitbucket_pipes_toolkit") is None:
        missing("bitbucket-pipes-toolkit", "pip install bitbucket-pipes-toolkit")
    monkeypatch.setenv("PILOTAGE_FAIL_ON", value)
    toolkit = import_module("bitbucket_pipes_toolkit")
    path = ROOT / "wrappers/bitbucket/pipe.yml"
    schema = yaml.safe_load(path.read_text())["variables"]
    try:
        toolkit.Pipe(pipe_metadata_file=str(path), schema=schema)
        taken = True
    except SystemExit:
        taken = False
    assert taken == fine


# --- CircleCI -----------------------------------------------------------------------------------------------------------


def test_the_orb_packs_into_an_inline_orb_and_its_job_expands_into_one_circleci_accepts(tmp_path: Path) -> None:
    packed = orb.pack(ROOT / "wrappers/circleci/src")
    made = orb.expand(packed, "ci", {"dir": "db", "token_env": "T", "report": "json=r.json"})
    valid("circleci", yaml.safe_dump(made), tmp_path)
    ((_, job),) = made["jobs"].items()
    steps = {name: step[name] for step in job["steps"] if isinstance(step, dict) for name in step}
    run = steps["run"]
    assert steps["save_cache"]["paths"] == [run["environment"]["PILOTAGE_CACHE_DIR"]] == ["/tmp/pilotage-cache"]
    assert steps["save_cache"]["key"].startswith(steps["restore_cache"]["keys"][0])
    assert "pilotage ci" in run["command"]
    assert set(run["environment"]) >= ENVIRONMENT
    assert (run["environment"]["PILOTAGE_DIR"], run["environment"]["PILOTAGE_TOKEN_ENV"]) == ("db", "T")
    inline = {**packed, "examples": None}
    del inline["examples"], inline["display"], inline["version"], inline["description"]
    workflows = {"main": {"jobs": ["pilotage/ci"]}}
    valid("circleci", yaml.safe_dump({"version": 2.1, "orbs": {"pilotage": inline}, "workflows": workflows}), tmp_path)


def test_the_orbs_example_uses_parameters_its_job_has(tmp_path: Path) -> None:
    packed = orb.pack(ROOT / "wrappers/circleci/src")
    ((_, example),) = packed["examples"].items()
    (job,) = example["usage"]["workflows"]["database"]["jobs"]
    assert set(job["pilotage/ci"]) <= set(packed["jobs"]["ci"]["parameters"])
    assert "name" not in packed["jobs"]["ci"]["parameters"]
    valid("circleci", yaml.safe_dump(example["usage"]), tmp_path)


def test_an_empty_pipeline_value_says_nothing(tmp_path: Path) -> None:
    (tmp_path / "pilotage").write_text("#!/bin/sh\nenv | grep ^PILOTAGE_ | sort\n")
    (tmp_path / "pilotage").chmod(0o755)
    env = {
        "PATH": f"{tmp_path}:/usr/bin:/bin",
        "PILOTAGE_DIR": "<nil>",
        "PILOTAGE_NAME": "a <nil>",
        "PILOTAGE_BASE": "",
    }
    script = ROOT / "wrappers/circleci/src/scripts/ci.sh"
    done = subprocess.run(["bash", "-e", str(script)], env=env, capture_output=True, text=True, check=True)
    assert done.stdout == "PILOTAGE_BASE=\nPILOTAGE_NAME=a <nil>\n"


# --- Azure --------------------------------------------------------------------------------------------------------------

TASK = json.loads((AZURE / "pilotage/task.json").read_text())


def test_the_azure_task_keeps_the_rules_its_packer_does_not_check() -> None:
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", TASK["id"])
    assert re.fullmatch(r"[A-Za-z0-9-]+", TASK["name"])
    assert len(TASK["friendlyName"]) <= 40
    assert TASK["instanceNameFormat"]
    assert TASK["category"] in {"Build", "Deploy", "Package", "Test", "Tool", "Utility"}
    assert set(TASK["execution"]) <= {"Node", "Node10", "Node16", "Node20_1", "Node24", "PowerShell3"}
    assert all((AZURE / "pilotage" / each["target"]).is_file() for each in TASK["execution"].values())
    assert ".".join(str(TASK["version"][part]) for part in ("Major", "Minor", "Patch")) == __version__


def test_the_azure_task_offers_every_option_and_every_output() -> None:
    assert [each["name"] for each in TASK["inputs"]] == ["connection", "runtime", "image", *NAMES]
    assert not any(each["required"] for each in TASK["inputs"])
    assert [each["name"] for each in TASK["outputVariables"]] == [name for name, _ in generate.OUTPUTS]
    assert {option.name for option in OPTIONS if option.wrapper} - set(NAMES) == {"token"}


def test_the_extension_holds_the_task_and_its_page() -> None:
    extension = json.loads((AZURE / "vss-extension.json").read_text())
    (contribution,) = extension["contributions"]
    assert (AZURE / contribution["properties"]["name"] / "task.json").is_file()
    assert (AZURE / extension["content"]["details"]["path"]).is_file()
    assert extension["version"] == __version__


@pytest.mark.parametrize(("path", "size"), [("images/icon.png", 128), ("pilotage/icon.png", 32)])
def test_the_marketplace_finds_an_icon_of_the_size_it_asks_for(path: str, size: int) -> None:
    data = (AZURE / path).read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">II", data[16:24]) == (size, size)


@pytest.mark.slow
def test_the_extension_can_be_packed(tmp_path: Path) -> None:
    tfx = shutil.which("tfx")
    if tfx is None:
        missing("tfx", "npm install --global tfx-cli@0.23")
    shutil.copytree(AZURE, tmp_path / "extension")
    command = [str(tfx), "extension", "create", "--manifest-globs", "vss-extension.json", "--no-prompt"]
    done = subprocess.run(command, cwd=tmp_path / "extension", capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    (packed,) = (tmp_path / "extension").glob("*.vsix")
    with zipfile.ZipFile(packed) as archive:
        assert {"pilotage/task.json", "pilotage/shim.js", "pilotage/icon.png", "images/icon.png", "README.md"} <= set(
            archive.namelist()
        )
