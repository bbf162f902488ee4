"""What the image is made of: everything the program asks for, each with its hash, from no particular index."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
LOCKED = {path.stem: path.read_text() for path in (ROOT / "requirements").glob("*.txt")}


def names(text: str) -> set[str]:
    """Normalized names at the start of requirement lines."""
    return {name.lower().replace("_", "-") for name in re.findall(r"^([A-Za-z0-9][\w.-]*)", text, re.MULTILINE)}


def wanted(extra: str) -> set[str]:
    """What an extra asks for, with the extras it is made of."""
    found = names("\n".join(PROJECT["project"]["dependencies"]))
    for line in PROJECT["project"]["optional-dependencies"][extra]:
        inner = re.fullmatch(r"pilotage\[([\w,]+)\]", line)
        found |= set().union(*map(wanted, inner[1].split(","))) if inner else names(line)
    return found


@pytest.mark.parametrize(("image", "extra"), [("image", "all"), ("full", "full")])
def test_everything_an_image_is_to_hold_is_locked(image: str, extra: str) -> None:
    assert wanted(extra) - names(LOCKED[image]) == set()


def test_the_full_image_holds_every_extra() -> None:
    extras = PROJECT["project"]["optional-dependencies"]
    assert set().union(*map(wanted, extras)) == wanted("full")


def test_the_build_backend_is_locked() -> None:
    assert names("\n".join(PROJECT["build-system"]["requires"])) <= names(LOCKED["build"])


@pytest.mark.parametrize("name", sorted(LOCKED))
def test_every_locked_package_has_a_hash_and_no_index_is_named(name: str) -> None:
    entries = re.split(r"\n(?=[a-z0-9])", re.sub(r"^#.*\n", "", LOCKED[name], flags=re.MULTILINE))
    assert entries
    assert [entry.split("\n")[0] for entry in entries if "--hash=sha256:" not in entry] == []
    assert "://" not in LOCKED[name]
