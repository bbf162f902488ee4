"""The ways to deploy that the examples show: each manifest is what its platform takes, and what it runs is run."""

from __future__ import annotations

import json
import os
import re
import shutil
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from ci_runner import errors

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"
BIN = Path(sys.executable).parent
KUBERNETES = "1.32"
CODES = {each.exit_code for each in vars(errors).values() if isinstance(each, type) and issubclass(each, Exception)}


def rendered(template: str) -> str:
    """A template of the chart with its values, for the few expressions it uses; anything else stays and fails."""
    values = {
        "Values": yaml.safe_load((EXAMPLES / "helm/values.yaml").read_text()),
        "Release": {"Name": "shop"},
        "Chart": {
            key[0].upper() + key[1:]: value
            for key, value in yaml.safe_load((EXAMPLES / "helm/Chart.yaml").read_text()).items()
        },
    }

    def put(match: re.Match[str]) -> str:
        found: Any = values
        for part in match[1].split("."):
            found = found[part]
        return json.dumps(str(found)) if match[2] else str(found)

    return re.sub(r"\{\{ \.([\w.]+)( \| quote)? \}\}", put, template)


def documents() -> dict[str, dict[str, Any]]:
    found = {}
    for path in sorted([*EXAMPLES.glob("kubernetes/*.yaml"), *EXAMPLES.glob("argocd/presync*.yaml")]):
        found[path.name] = yaml.safe_load(path.read_text())
    found["helm"] = yaml.safe_load(rendered((EXAMPLES / "helm/templates/migrate.yaml").read_text()))
    return found


DOCUMENTS = documents()
JOBS = {name: document for name, document in DOCUMENTS.items() if document["kind"] == "Job"}


def container(document: Mapping[str, Any]) -> dict[str, Any]:
    pod = document["spec"]["template"]["spec"]
    return (pod["initContainers"] if document["kind"] == "Deployment" else pod["containers"])[0]


def refusal(document: Mapping[str, Any]) -> str:
    """What Kubernetes' own schema says against a manifest."""
    try:
        kubernetes_validate.validate(document, KUBERNETES, strict=True)
    except kubernetes_validate.ValidationError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_manifest_is_what_kubernetes_takes(name: str) -> None:
    assert refusal(DOCUMENTS[name]) == ""
    assert "backoffLimt" in refusal({**DOCUMENTS[name], "spec": {**DOCUMENTS[name]["spec"], "backoffLimt": 1}})


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_pod_may_do_nothing_but_migrate(name: str) -> None:
    pod = DOCUMENTS[name]["spec"]["template"]["spec"]
    one = container(DOCUMENTS[name])
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] > 0
    security = one["securityContext"]
    assert (security["readOnlyRootFilesystem"], security["allowPrivilegeEscalation"], security["capabilities"]) == (
        True,
        False,
        {"drop": ["ALL"]},
    )
    assert re.search(r"@sha256:[0-9a-f]{64}$", one["image"])
    (address,) = [each for each in one["env"] if each["name"] == "PILOTAGE_DATABASE_URL"]
    assert "secretKeyRef" in address["valueFrom"]


@pytest.mark.parametrize("name", JOBS)
def test_a_job_tries_again_only_what_is_safe_to_try_again(name: str) -> None:
    spec = JOBS[name]["spec"]
    fail, ignore = spec["podFailurePolicy"]["rules"]
    assert set(fail["onExitCodes"]["values"]) == CODES - {errors.TemporaryError.exit_code}
    assert fail["onExitCodes"]["containerName"] == container(JOBS[name])["name"]
    assert ignore["onPodConditions"][0]["type"] == "DisruptionTarget"
    assert spec["template"]["spec"]["restartPolicy"] == "Never"
    assert spec["template"]["spec"]["terminationGracePeriodSeconds"] > 25
    assert spec["activeDeadlineSeconds"] > 600


def test_argo_and_helm_run_it_before_anything_else_and_flux_waits_for_it() -> None:
    assert DOCUMENTS["presync-job.yaml"]["metadata"]["annotations"]["argocd.argoproj.io/hook"] == "PreSync"
    assert DOCUMENTS["helm"]["metadata"]["annotations"]["helm.sh/hook"] == "pre-install,pre-upgrade"
    migrations, application = yaml.safe_load_all((EXAMPLES / "flux/kustomizations.yaml").read_text())
    assert application["spec"]["dependsOn"] == [{"name": migrations["metadata"]["name"]}]
    assert (migrations["spec"]["wait"], migrations["spec"]["force"]) == (True, True)


def test_the_chart_renders_with_helm_itself_where_that_is_here() -> None:
    ours = DOCUMENTS["helm"]
    helm = shutil.which("helm")
    if helm:
        done = subprocess.run(
            [helm, "template", "shop", str(EXAMPLES / "helm")], capture_output=True, text=True, check=True
        )
        assert yaml.safe_load(done.stdout) == ours
    assert ours["metadata"]["name"] == "shop-migrate"
    assert container(ours)["args"] == ["deploy", "pilotage://app?tag=1.4.0", "--env", "prod"]


def test_the_task_is_what_ecs_takes() -> None:
    from botocore.loaders import Loader
    from botocore.model import ServiceModel
    from botocore.validate import ParamValidator

    model = ServiceModel(Loader().load_service_model("ecs", "service-2"), "ecs")
    definition = json.loads((EXAMPLES / "ecs/task-definition.json").read_text())
    report = ParamValidator().validate(definition, model.operation_model("RegisterTaskDefinition").input_shape)
    assert not report.has_errors(), report.generate_report()
    one = definition["containerDefinitions"][0]
    assert (one["readonlyRootFilesystem"], one["user"]) == (True, "65532:65532")
    assert {each["name"] for each in one["secrets"]} == {"PILOTAGE_DATABASE_URL"}
    assert one["stopTimeout"] > 25


def shim(folder: Path, name: str, script: str) -> dict[str, str]:
    """An environment in which ``name`` is this script: the door to a cloud or a daemon."""
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return {"PATH": f"{folder}:/usr/bin:/bin", "HOME": str(folder)}


@pytest.mark.parametrize(("ended", "code"), [("0", 0), ("3", 3), ("5", 5), ("None", 5)])
def test_a_task_ends_the_pipeline_with_its_own_exit_code(tmp_path: Path, ended: str, code: int) -> None:
    answers = 'echo "$@" >>"$HOME/asked"; case "$2" in register*) echo arn:def ;; run-task) echo arn:task ;; describe*) echo ENDED ;; esac'
    environ = shim(tmp_path, "aws", answers.replace("ENDED", ended)) | {
        "CLUSTER": "shop",
        "SUBNETS": "subnet-1",
        "SECURITY_GROUPS": "sg-1",
    }
    done = subprocess.run(
        ["sh", str(EXAMPLES / "ecs/run.sh")], env=environ, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (code, f"pilotage ended with exit code {code}\n")
    asked = (tmp_path / "asked").read_text()
    assert [line.split()[1] for line in asked.splitlines()] == [
        "register-task-definition",
        "run-task",
        "wait",
        "describe-tasks",
    ]
    assert "assignPublicIp=DISABLED" in asked


def test_the_container_gets_the_address_by_name_and_no_rights(tmp_path: Path) -> None:
    environ = shim(tmp_path, "docker", 'printf "%s\\n" "$@" >"$HOME/asked"; exit 3')
    secret = {"PILOTAGE_DATABASE_URL": "postgres://u:secret@db/shop"}
    done = subprocess.run([str(EXAMPLES / "docker/deploy.sh"), "app", "--dry-run"], env=environ | secret, check=False)
    words = (tmp_path / "asked").read_text().splitlines()
    assert done.returncode == 3
    assert words[-3:] == ["deploy", "app", "--dry-run"]
    assert {"--read-only", "--cap-drop", "no-new-privileges", "65532:65532", "PILOTAGE_DATABASE_URL"} <= set(words)
    assert not any("secret" in word for word in words)


@pytest.mark.parametrize(
    "path", sorted([*EXAMPLES.glob("ecs/*.sh"), *EXAMPLES.glob("docker/*.sh")]), ids=lambda path: path.name
)
def test_a_script_is_plain_shell(path: Path) -> None:
    assert subprocess.run(["sh", "-n", str(path)], check=False).returncode == 0
    assert path.stat().st_mode & stat.S_IXUSR


def test_the_compose_file_is_what_compose_takes() -> None:
    path = str(EXAMPLES / "docker/compose.yaml")
    done = subprocess.run(
        [str(BIN / "check-jsonschema"), "--builtin-schema", "vendor.compose-spec", path],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


class Terraform:
    """The module as parsed, without Terraform."""

    def __init__(self) -> None:
        import hcl2

        self.files = {path.name: hcl2.loads(path.read_text()) for path in sorted((EXAMPLES / "terraform").glob("*.tf"))}
        resource = next(each for each in self.files["main.tf"]["resource"])
        (self.kind, named), *_ = [(_bare(key), value) for key, value in resource.items() if not key.startswith("__")]
        self.body = next(value for key, value in named.items() if not key.startswith("__"))
        provisioner = self.body["provisioner"][0]
        self.run = next(value for key, value in provisioner.items() if not key.startswith("__"))


def _bare(text: str) -> str:
    return text.strip('"')


@pytest.fixture(scope="module")
def module() -> Terraform:
    return Terraform()


def test_the_module_is_terraform_data_and_nothing_else(module: Terraform) -> None:
    assert module.kind == "terraform_data"
    assert "provider" not in module.files["main.tf"]
    assert "when" not in module.run, "destroying must do nothing to a database"
    assert set(map(_plain, module.run["environment"])) == {
        "PILOTAGE_REGISTRY",
        "PILOTAGE_DIRECTORY",
        "PILOTAGE_DIGEST",
        "PILOTAGE_ENVIRONMENT",
        "PILOTAGE_DATABASE_URL",
    }
    text = (EXAMPLES / "terraform/main.tf").read_text()
    assert re.search(r"triggers_replace\s*=\s*\[var\.registry, var\.directory, var\.digest, var\.environment\]", text)
    assert "${" not in text, "values reach the shell by the environment alone"


def _plain(key: str) -> str:
    return key.strip('"')


@pytest.fixture
def shop(tmp_path: Path) -> dict[str, str]:
    """A registry with one version, an empty database, and the variables a Terraform run would have."""
    (tmp_path / "migrations").mkdir()
    (tmp_path / "migrations" / "1_init.sql").write_text("CREATE TABLE users (id int);\n")
    registry = (tmp_path / "registry").as_uri()
    environ = {
        "PATH": f"{tmp_path}:/usr/bin:/bin",
        "HOME": str(tmp_path),
        "PYTHONPATH": str(ROOT),
        "PILOTAGE_SUM": "off",
    }
    shim(tmp_path, "pilotage", f'exec {sys.executable} -m ci_runner "$@"')
    pushed = subprocess.run(
        ["pilotage", "push", "app", "--dir", "migrations", "--dialect", "sqlite", "--registry", registry, "--json"],
        cwd=tmp_path, env=environ, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return environ | {
        "PILOTAGE_REGISTRY": registry,
        "PILOTAGE_DIRECTORY": "app",
        "PILOTAGE_ENVIRONMENT": "prod",
        "PILOTAGE_DIGEST": json.loads(pushed.stdout)["digest"],
        "PILOTAGE_DATABASE_URL": f"sqlite://{tmp_path}/app.db",
    }


def tables(tmp_path: Path) -> set[str]:
    with sqlite3.connect(tmp_path / "app.db") as database:
        return {name for (name,) in database.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}


def test_the_command_of_the_module_deploys(module: Terraform, shop: dict[str, str], tmp_path: Path) -> None:
    command = (
        json.loads(module.run["command"])
        if module.run["command"].startswith('"')
        else module.run["command"].replace('\\"', '"')
    )
    done = subprocess.run(
        ["/bin/sh", "-c", command], cwd=tmp_path, env=shop, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "users" in tables(tmp_path)
    wrong = {**shop, "PILOTAGE_DIGEST": "sha256:" + "0" * 64}
    assert (
        subprocess.run(["/bin/sh", "-c", command], cwd=tmp_path, env=wrong, capture_output=True, check=False).returncode
        == 2
    )


def test_terraform_itself_takes_the_module_where_it_is_here(shop: dict[str, str], tmp_path: Path) -> None:
    folder = tmp_path / "module"
    shutil.copytree(EXAMPLES / "terraform", folder)
    terraform = shutil.which("terraform")
    if terraform is None:
        assert (folder / "main.tf").exists()
        return
    environ = {**shop, "PATH": f"{tmp_path}:{os.environ['PATH']}", "TF_IN_AUTOMATION": "1"}
    environ |= {
        f"TF_VAR_{name}": shop[f"PILOTAGE_{name.upper()}"]
        for name in ("registry", "directory", "digest", "database_url")
    }

    def run(*words: str, **more: str) -> int:
        done = subprocess.run(
            [terraform, *words], cwd=folder, env=environ | more, capture_output=True, text=True, check=False
        )
        assert "secret" not in done.stdout
        return done.returncode

    assert run("init", "-backend=false", "-input=false") == 0
    assert run("validate") == 0
    assert run("apply", "-auto-approve", "-input=false") == 0
    assert "users" in tables(tmp_path)
    assert run("plan", "-detailed-exitcode", "-input=false") == 0, "the same digest is nothing to do"
    assert run("plan", "-input=false", TF_VAR_digest="v1.4") == 1
