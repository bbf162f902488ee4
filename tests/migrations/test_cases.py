"""Reads every case of the data file, and every shared case, and compares what came out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from ci_runner import migrations, sql
from ci_runner.errors import DirectoryRefusedError
from ci_runner.migrations import sumfile
from ci_runner.model.directory import Tree

CASES = yaml.safe_load((Path(__file__).parent / "cases.yaml").read_text(encoding="utf-8"))


def _bytes(content: str | bytes) -> bytes:
    return content if isinstance(content, bytes) else content.encode()


def _tree(case: dict[str, Any]) -> Tree:
    files = {name: _bytes(content) for name, content in case["files"].items()}
    if summed := case.get("sum_of"):
        text = sumfile.text(sumfile.lines({name: _bytes(content) for name, content in summed.items()}))
        files["atlas.sum"] = text.replace("\n", "\r\n" if case.get("sum_crlf") else "\n").encode()
    folders = {name.rpartition("/")[0] for name in files if "/" in name}
    return Tree(
        case.get("path", "migrations"),
        {name: content for name, content in files.items() if migrations.wanted(name)},
        {name: _bytes(content) for name, content in case.get("context", {}).items()},
        tuple(case.get("irregular", {}).items()),
        tuple(sorted(folders)),
    )


def _listing(case: dict[str, Any], tree: Tree) -> dict[str, Any]:
    dialect = case.get("dialect", "postgres")
    try:
        read = migrations.read(
            tree,
            format=case.get("given"),
            dialect=dialect,
            tx_mode=case.get("tx_mode", "file"),
            sum_mode=case.get("sum_mode"),
            directives_lenient=case.get("lenient", False),
        )
        uncounted = case.get("expect", {}).get("uncounted")
        return migrations.listing(read, lambda m: 0 if uncounted else sql.count(m, dialect))
    except DirectoryRefusedError as error:
        return migrations.refusal(error)


def _short(problems: list[dict[str, Any]]) -> list[str]:
    return sorted(
        f"{p['level']} {p['code']} {p['file'] or ''}".strip() + (f":{p['line']}" if p["line"] else "") for p in problems
    )


@pytest.mark.parametrize("case", CASES, ids=[case["about"] for case in CASES])
def test_reading_a_directory_gives_what_its_case_says(case: dict[str, Any]) -> None:
    expected, got = case["expect"], _listing(case, _tree(case))
    assert _short(got["problems"]) == sorted(expected.get("problems", []))
    if "refused" in expected:
        assert {k: v for k, v in got["refused"].items() if k != "message"} == expected["refused"]
        assert "files" not in got
    else:
        assert "refused" not in got
    if "format" in expected:
        assert got["format"] == expected["format"]
    if "files" in expected:
        keys = ("name", "version", "description", "statements", "transaction", "kind")
        assert [[file[key] for key in keys if key in file] for file in got["files"]] == expected["files"]
    if "notices" in expected:
        assert _short(got["notices"]) == expected["notices"]
    if "sum_lines" in expected:
        assert [line.rpartition(" ")[0] for line in got["sum"].splitlines()[1:]] == expected["sum_lines"]
    for key in ("sum", "sum_check"):
        if key in expected:
            assert got[key] == expected[key]
    if "refused" not in expected:
        assert got.get("skipped", []) == expected.get("skipped", [])
    if "first_run" in expected:
        assert got.get("first_run") == expected["first_run"]


@pytest.mark.parametrize("case", CASES, ids=[case["about"] for case in CASES])
def test_every_problem_says_what_is_wrong_and_what_to_do(case: dict[str, Any]) -> None:
    got = _listing(case, _tree(case))
    for problem in got["problems"]:
        assert problem["message"]
        assert problem["remedy"]
    if "refused" in got:
        assert got["refused"]["message"].partition(":")[2]


def _shared() -> list[Path]:
    folder = Path(__file__).resolve().parents[3] / "shared" / "cases" / "directories"
    return sorted(folder.glob("*/expected.yaml"))


@pytest.mark.parametrize("case", _shared() or [None], ids=lambda case: case.parent.name if case else "none")
def test_the_shared_cases_come_out_to_the_letter(shared: Path, case: Path | None) -> None:
    assert case is not None, f"no cases in {shared}"
    expected = yaml.safe_load(case.read_text(encoding="utf-8"))
    folder = case.parent / expected["dir"]
    files = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    got = _listing(expected, Tree(str(folder), {name: data for name, data in files.items() if migrations.wanted(name)}))
    shown = [{key: problem[key] for key in ("code", "file", "level")} for problem in got.pop("problems")]
    assert shown == expected.pop("problems")
    assert {key: got[key] for key in expected if key in got} == {key: expected[key] for key in expected if key in got}
    assert set(expected) - set(got) <= {"about", "dir", "given"}
