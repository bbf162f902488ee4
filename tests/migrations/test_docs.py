"""The guide names every code that reading can give."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
GUIDE = (ROOT / "docs" / "directories.md").read_text(encoding="utf-8")
CASES = yaml.safe_load((Path(__file__).parent / "cases.yaml").read_text(encoding="utf-8"))


def test_every_code_that_a_case_shows_is_explained() -> None:
    shown = {
        line.split()[1] for case in CASES for key in ("problems", "notices") for line in case["expect"].get(key, ())
    }
    refused = {case["expect"]["refused"]["code"] for case in CASES if "refused" in case["expect"]}
    assert len(shown) > 15
    assert not {code for code in shown | refused if f"`{code}`" not in GUIDE}


def test_every_code_explained_is_one_that_the_program_gives() -> None:
    program = "".join(
        path.read_text(encoding="utf-8")
        for folder in ("migrations", "sources")
        for path in (ROOT / "ci_runner" / folder).glob("*.py")
    )
    tables = GUIDE.partition("## Problems")[2].partition("## What counts")[0]
    codes = {
        code
        for row in re.findall(r"^\| (`[^|]*`) \|", tables, re.MULTILINE)
        for code in re.findall(r"`([a-z-]+)`", row)
    }
    assert len(codes) > 30
    assert not {code for code in codes if f'"{code}"' not in program}
