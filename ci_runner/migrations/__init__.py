"""Reads a directory of migrations in any of eleven formats into migrations in execution order, with every problem on the way."""

from __future__ import annotations

from ci_runner.migrations.checks import STATEMENTS, too_many_statements
from ci_runner.migrations.detect import detect
from ci_runner.migrations.guess import guess_dialect
from ci_runner.migrations.listing import listing, refusal
from ci_runner.migrations.read import FORMATS, read, sum_text
from ci_runner.migrations.sumfile import NAME as SUM_FILE
from ci_runner.migrations.wanted import markers, wanted

__all__ = [
    "FORMATS", "STATEMENTS", "SUM_FILE", "detect", "guess_dialect", "listing", "markers", "read", "refusal",
    "sum_text", "too_many_statements", "wanted",
]  # fmt: skip
