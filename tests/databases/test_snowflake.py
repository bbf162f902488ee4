"""Snowflake's door on fakesnow, which wants older packages than ours: the contract runs in a process with those before them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from ci_runner import databases
from ci_runner.databases.snowflake import failure
from ci_runner.errors import SetupError
from tests.conftest import ROOT
from tests.images.fetched import fetched

LEAST = 10
PACKAGES = ("fakesnow[server]==0.12.1", "snowflake-connector-python<4.4", "pytest", "hypothesis", "pytest-timeout")
# The stand-in repeats a statement with odd characters in a transaction for minutes, has no session settings, and cannot be stopped;
# its places are not Snowflake's.
BEYOND = ("percent_signs", "forgets_settings", "interrupted", "points_at_its_place")


def test_the_contract_of_all_databases_holds_on_the_stand_in(tmp_path: Path) -> None:
    folder = fetched("Snowflake's stand-in", "fakesnow-0.12.1", "fakesnow", PACKAGES)
    environment = os.environ | {"PYTHONPATH": f"{folder}{os.pathsep}{ROOT}", "PILOTAGE_TEST_FAKESNOW": "1"}
    words = ["-p", "no:cacheprovider", "--basetemp", str(tmp_path / "inner"), "-o", "addopts=", "-rN"]
    chosen = f"snowflake and not ({' or '.join(BEYOND)})"
    command = [
        sys.executable,
        "-m",
        "pytest",
        *words,
        "-k",
        chosen,
        "tests/databases/test_contract.py",
        "tests/databases/snowflake_cases.py",
    ]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=240)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    passed = re.search(r"(\d+) passed", done.stdout)
    assert passed is not None
    assert int(passed[1]) >= LEAST, done.stdout


@pytest.mark.parametrize(
    ("words", "sql", "rest"),
    [
        # https://docs.snowflake.com/sql-reference/errors: "syntax error line n at position m unexpected …"; lines from 1, positions from 0
        (
            "001003 (42000): SQL compilation error:\nsyntax error line 1 at position 7 unexpected 'FROM'.",
            "SELECT FROM t",
            "FROM t",
        ),
        (
            "001003 (42000): SQL compilation error:\nsyntax error line 2 at position 2 unexpected 'wrong'.",
            "SELECT 1\n, wrong x",
            "wrong x",
        ),
        ("002003 (02000): SQL compilation error:\nObject 'X' does not exist or not authorized.", "DROP TABLE x", None),
    ],
)
def test_a_documented_message_gives_the_place(words: str, sql: str, rest: str | None) -> None:
    found = failure(SimpleNamespace(msg=words, errno=int(words[:6])), sql)  # type: ignore[arg-type]
    assert found.code == words[2:6]
    assert (None if found.position is None else sql[found.position :]) == rest


def test_without_the_connector_the_message_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "snowflake", None)
    monkeypatch.setitem(sys.modules, "snowflake.connector", None)
    with pytest.raises(SetupError, match=r"pip install 'pilotage\[snowflake\]'"):
        databases.open_url("snowflake://user:secret@account/dev")
