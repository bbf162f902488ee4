"""What rests on what: for every engine and version what tests of each change prove on the real one, on a stand-in, or not at all.

Each door says so in its ``proof.py``; the page docs/proof.md is made of it.
"""

from __future__ import annotations

from importlib import import_module
from typing import NamedTuple


class Proof(NamedTuple):
    """One line: ``engine`` with its version and where it comes from; what is proven on it, on ``stand_in``, and what rests on ``documents``."""

    engine: str
    real: str = ""
    stand_in: str = ""
    documents: str = ""


def proofs() -> tuple[Proof, ...]:
    """The lines of every door, in the order of their URL schemes."""
    from ci_runner.databases import SCHEMES

    found: list[Proof] = []
    for engine in dict.fromkeys(SCHEMES.values()):
        found += import_module(f"ci_runner.databases.{engine}.proof").PROOFS
    return tuple(found)
