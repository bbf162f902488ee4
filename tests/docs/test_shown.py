"""Commands, answers and templates that the documents show, run as they stand there."""

from __future__ import annotations

import json
import os
import re
import shlex
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.docs.pages import ROOT, blocks

HISTORY = {
    "0001_shop.sql": "CREATE TABLE orders (id bigint PRIMARY KEY, email text NOT NULL);\n",
    "0002_note.sql": "-- What the customer wants us to know.\n\nALTER TABLE orders ADD COLUMN note text;\n",
    "0003_index.sql": "CREATE INDEX orders_email_idx ON orders (email);\n",
}


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A folder with migrations, outside of any repository."""
    for folder in ("migrations", "db/migrations"):
        (tmp_path / "shop" / folder).mkdir(parents=True)
        for name, text in HISTORY.items():
            (tmp_path / "shop" / folder / name).write_text(text)
    return tmp_path / "shop"


def run(line: str, shop: Path, code: int = 0) -> str:
    """Run a command line that begins with ``pilotage``; what it printed."""
    words = shlex.split(line, comments=True)
    environ = {"PATH": os.environ["PATH"], "HOME": str(shop.parent), "PYTHONPATH": str(ROOT), "PILOTAGE_SUM": "off"}
    done = subprocess.run(
        [sys.executable, "-m", "ci_runner", *words[1:]],
        cwd=shop,
        env=environ | {"GIT_CEILING_DIRECTORIES": str(shop.parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, f"{line}: {done.stdout}{done.stderr}"
    return done.stdout


def lines(name: str, language: str) -> list[str]:
    return [
        line
        for block in blocks(name)
        if block.language == language
        for line in block.text.splitlines()
        if line.startswith("pilotage ")
    ]


def test_the_readme_lints_migrations_with_an_embedded_database(shop: Path) -> None:
    (line,) = [line for line in lines("README.md", "sh") if line.startswith("pilotage lint ")]
    assert "Replayed on PostgreSQL 18" in run(line, shop)


def test_the_readme_deploys_what_was_pushed(shop: Path, tmp_path: Path) -> None:
    (line,) = [line for line in lines("README.md", "sh") if line.startswith("pilotage deploy ")]
    registry = f" --registry file://{tmp_path}/registry"
    run("pilotage push app --dir migrations --dialect sqlite" + registry, shop)
    assert "empty → 0003, 3 files" in run(
        line.replace("$DATABASE_URL", f"sqlite://{tmp_path}/shop.db") + registry, shop
    )
    with closing(sqlite3.connect(tmp_path / "shop.db")) as database:
        assert [row[1] for row in database.execute("PRAGMA table_info(orders)")] == ["id", "email", "note"]


def test_the_reports_a_guide_writes_are_there_afterwards(shop: Path) -> None:
    (line,) = lines("docs/report.md", "sh")
    run(line, shop)
    assert json.loads((shop / "report.json").read_text())["directory"]["path"] == "db/migrations"
    assert (shop / "junit.xml").read_text().startswith("<?xml")


def test_the_life_of_a_registry_as_its_guide_tells_it(shop: Path, tmp_path: Path) -> None:
    told = lines("docs/registry.md", "")
    assert [line.split()[1] for line in told] == ["push", "push", "log", "pull", "verify"]
    head = ""
    for line in told:
        here = line.partition(" #")[0].replace("file:///srv/registry", f"file://{tmp_path}/registry")
        here = here.replace("--output migrations", "--output pulled").replace("42:8c1f…", head)
        done = run(here + (" --json" if " push " in here else ""), shop)
        head = json.loads(done)["head"] if " push " in here else head
    assert {path.name: path.read_text() for path in (shop / "pulled").iterdir()} == HISTORY


def test_explain_answers_as_its_guide_shows(shop: Path) -> None:
    (block,) = [block for block in blocks("docs/explain.md") if block.language == "json"]
    assert json.loads(run("pilotage explain migrations/0002_note.sql --json", shop)) == json.loads(block.text)


def test_the_template_shown_adds_its_line_to_every_finding(shop: Path) -> None:
    (block,) = [block for block in blocks("docs/report.md") if block.language == "jinja"]
    named = re.search(r"templates/(\S+)", block.text)
    assert named
    (shop / "templates").mkdir()
    (shop / "templates" / named[1]).write_text(block.text)
    (shop / "pilotage.yml").write_text("templates: templates\n")
    written = run("pilotage lint --latest 1 --format markdown", shop)
    assert "Ask the data team about `index-not-concurrent`" in written
