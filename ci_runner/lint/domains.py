"""What rules ask of types that a schema makes itself: what a domain stands for, what it demands, who uses it, what goes with it."""

from __future__ import annotations

from ci_runner.sql.catalog_types import carried, chain, constrained, settled, users

__all__ = ["carried", "chain", "constrained", "settled", "users"]
