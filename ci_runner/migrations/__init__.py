"""Reads a directory of migrations in any of eleven formats into migrations in execution order, with every problem on the way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ci_runner import lazily
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

# Most directories say their dialect.
__getattr__ = lazily(__name__, {"guess_dialect": "guess"})

__all__ = [
    "FORMATS", "STATEMENTS", "SUM_FILE", "detect", "guess_dialect", "listing", "markers", "read", "refusal",
    "sum_lines", "sum_text", "too_many_statements", "transaction", "wanted",
]  # fmt: skip
