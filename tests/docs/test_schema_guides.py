"""The guides to schemas and to rows, run as they stand there."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from ci_runner.config.stats import read, written
from tests.docs.pages import blocks
from tests.docs.test_shown import lines, run, shop

__all__ = ["shop"]

SHOWN = lines("docs/schema.md", "sh")


@pytest.mark.parametrize("line", SHOWN)
def test_every_picture_and_script_shown_is_made(shop: Path, line: str) -> None:
    out = run(line, shop)
    words = shlex.split(line)
    made = (shop / words[words.index("--output") + 1]).read_text() if "--output" in words else out
    assert made.startswith(("<svg", "erDiagram", "-- migrations at version"))
    assert "orders" in made


def test_the_statistics_shown_are_what_the_program_writes() -> None:
    (block,) = [block for block in blocks("docs/data.md") if block.language == "text"]
    stats = read(block.text, "stats.yml")
    assert len(stats.tables) == 3
    assert written(stats) == block.text


def test_the_seeds_shown_break_the_change_shown(shop: Path) -> None:
    for block in blocks("docs/data.md"):
        if block.language == "sql":
            name = block.text.partition("\n")[0].removeprefix("-- ")
            (shop / name).parent.mkdir(parents=True, exist_ok=True)
            (shop / name).write_text(block.text)
    (config,) = [block for block in blocks("docs/data.md") if block.language == "yaml"]
    (shop / "pilotage.yml").write_text(config.text)
    document = json.loads(run("pilotage lint --latest 1 --format json", shop, 1))
    rules = {finding["rule"] for each in document["files"] for finding in each["findings"]}
    assert "fails-on-seeds" in rules
