"""Workflows people copy from the documents, and ours: valid, and nothing a security auditor would object to."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from ci_runner.config.names import OWNER

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), *sorted((ROOT / "examples").rglob("*.md"))]
FENCE = re.compile(r"^```ya?ml\n(.*?)^```", re.MULTILINE | re.DOTALL)
# Our own releases are named by version in documents, since a page cannot hold the hash of the commit it is part of.
POLICY = (
    f"rules:\n  unpinned-uses:\n    config:\n      policies:\n        '{OWNER}/*': ref-pin\n        '*': hash-pin\n"
)


def workflows() -> list[tuple[str, str]]:
    """Every workflow in the documents, as (page and position, text)."""
    found = []
    for page in PAGES:
        for match in FENCE.finditer(page.read_text()):
            if re.search(r"^on:", match[1], re.MULTILINE) and re.search(r"^jobs:", match[1], re.MULTILINE):
                line = page.read_text()[: match.start()].count("\n") + 1
                found.append((f"{page.relative_to(ROOT)}:{line}", match[1]))
    return found


SNIPPETS = workflows()


def test_the_readme_shows_a_workflow_to_copy() -> None:
    assert any(where.startswith("README.md") for where, _ in SNIPPETS)


@pytest.mark.parametrize(("where", "text"), SNIPPETS, ids=[where for where, _ in SNIPPETS])
def test_a_workflow_in_the_documents_passes_schema_linter_and_auditor(where: str, text: str, tmp_path: Path) -> None:
    path = tmp_path / ".github" / "workflows" / "pilotage.yml"
    path.parent.mkdir(parents=True)
    path.write_text(text)
    (tmp_path / "zizmor.yml").write_text(POLICY)
    for command in (
        ["check-jsonschema", "--builtin-schema", "vendor.github-workflows", str(path)],
        ["actionlint", str(path)],
        ["zizmor", "--offline", "--persona", "auditor", "--config", str(tmp_path / "zizmor.yml"), str(tmp_path)],
    ):
        done = subprocess.run(
            [str(BIN / command[0]), *command[1:]],
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{where}: {done.stdout}"


@pytest.mark.parametrize(
    "path", [*PAGES, *sorted((ROOT / ".github").rglob("*.yml"))], ids=lambda path: str(path.relative_to(ROOT))
)
def test_no_example_runs_a_pull_request_with_the_rights_of_the_base(path: Path) -> None:
    assert not re.search(r"^\s*(on:.*)?\bpull_request_target\b\s*:?", path.read_text(), re.MULTILINE)
