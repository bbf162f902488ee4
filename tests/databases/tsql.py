"""Every T-SQL text of this project, and what Microsoft's grammar and sqlfluff's say to it."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from ci_runner import lint
from ci_runner.lint.document import document
from tests.conftest import ROOT, SHARED

# Two shapes: a file of one batch says it in one line, a file of several says why below.
_ONE = re.compile(r"^maxdop: \S*?(\d+)\.sql: could not be parsed, so it was left unchanged\. (.*)$", re.MULTILINE)
_SEVERAL = re.compile(r"^maxdop: \S*?(\d+)\.sql: formatted .* do not parse\.\nmaxdop:   (.*)$", re.MULTILINE)


def rules() -> dict[str, str]:
    """What rules show and suggest, by a name that says where it stands."""
    found = {**_examples(), **_suggestions()}
    return {name: text for name, text in sorted(found.items()) if text.strip()}


def forms() -> dict[str, str]:
    """Statements the reader of SQL is held to, many of them rare."""
    return {**_forms(), **_shared()}


def _examples() -> dict[str, str]:
    found = {}
    for rule in lint.catalogue():
        for number, example in enumerate(document(rule.docstring).examples):
            if example.dialect == "sqlserver":
                for part in ("before", "sql"):
                    found[f"rule {rule.slug} {number} {part}"] = getattr(example, part)
    return found


def _suggestions() -> dict[str, str]:
    cases = yaml.safe_load((ROOT / "tests/lint/suggestions.yaml").read_text())
    chosen = [case for case in cases if case.get("dialect") == "sqlserver"]
    keys = ("pre", "sql", "text")
    found = {f"suggestion {case['id']} {key}": case.get(key) or "" for case in chosen for key in keys}
    for case in chosen:
        found |= {f"suggestion {case['id']} {name}": text for name, text in (case.get("files") or {}).items()}
    return found


def _forms() -> dict[str, str]:
    found = {}
    for path in (
        "tests/sql/forms/sqlserver.yaml",
        "tests/sql/grammar/sqlserver.yaml",
        "tests/sql/grammar/effects/sqlserver.yaml",
    ):
        for number, text in enumerate(_leaves(yaml.safe_load((ROOT / path).read_text()))):
            found[f"{path.removeprefix('tests/sql/')} {number}"] = text
    return found


def _leaves(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for each in value:
            yield from _leaves(each)
    elif isinstance(value, dict):
        if "sql" in value:
            yield str(value["sql"])
            return
        for each in value.values():
            yield from _leaves(each)


def _shared() -> dict[str, str]:
    if not SHARED.is_dir():
        return {}
    cases = yaml.safe_load((SHARED / "cases/statement-forms.yaml").read_text())
    return {f"shared form {number}": case["sql"] for number, case in enumerate(cases) if case["dialect"] == "tsql"}


def refused_by_microsoft(given: dict[str, str], folder: Path) -> dict[str, str]:
    """Names of the texts its grammar (ScriptDom, by maxdop) does not take, with why. One process reads all."""
    places = {}
    for number, (name, text) in enumerate(given.items()):
        places[str(number)] = name
        (folder / f"{number}.sql").write_text(text + "\n")
    program = shutil.which("maxdop", path=str(Path(sys.executable).parent)) or "maxdop"
    done = subprocess.run([program, "--check", str(folder)], capture_output=True, text=True, check=False)
    told = done.stderr + done.stdout
    return {places[number]: why for number, why in (*_ONE.findall(told), *_SEVERAL.findall(told))}


def refused_by_sqlfluff(given: dict[str, str]) -> dict[str, str]:
    """Names of the texts sqlfluff's T-SQL does not parse, with its first complaint."""
    from sqlfluff.core import Linter

    linter = Linter(dialect="tsql")
    found = {}
    for name, text in given.items():
        try:
            violations = linter.parse_string(text + "\n").violations
        except Exception as error:  # it falls over some statements
            found[name] = f"{type(error).__name__}: {error}"
            continue
        errors = [error for error in violations if error.rule_code() in {"PRS", "LXR"}]
        if errors:
            found[name] = errors[0].desc()
    return found
