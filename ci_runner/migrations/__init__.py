"""Reads a directory of migrations in any of eleven formats into migrations in execution order, with every problem on the way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ci_runner.migrations.checks import STATEMENTS, too_many_statements
from ci_runner.migrations.detect import detect
from ci_runner.migrations.listing import listing, refusal
from ci_runner.migrations.read import read, sum_lines, sum_text
from ci_runner.migrations.running import transaction
from ci_runner.migrations.sumfile import NAME as SUM_FILE
from ci_runner.migrations.table import FORMATS
from ci_runner.wanted import markers, wanted

if TYPE_CHECKING:
    from ci_runner.migrations.guess import guess_dialect

__all__ = [
    "FORMATS", "STATEMENTS", "SUM_FILE", "detect", "guess_dialect", "listing", "markers", "read", "refusal",
    "sum_lines", "sum_text", "too_many_statements", "transaction", "wanted",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    """Imports the guessing of dialects when it is first asked for: most directories say their dialect."""
    if name != "guess_dialect":
        raise AttributeError(f"module 'ci_runner.migrations' has no attribute {name!r}")
    from ci_runner.migrations.guess import guess_dialect

    return guess_dialect
