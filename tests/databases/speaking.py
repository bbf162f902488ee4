"""Statements of the contracts, as each dialect wants them."""

from __future__ import annotations

import re

_REFERENCES = re.compile(r" REFERENCES \w+ \(\w+\)| PRIMARY KEY")


def native(dialect: str, text: str) -> str:
    """A CREATE TABLE as the dialect takes it: ClickHouse's tables have engines and an order, and no keys."""
    if dialect == "clickhouse" and text.startswith("CREATE TABLE") and "ENGINE" not in text:
        return f"{_REFERENCES.sub('', text)} ENGINE = MergeTree ORDER BY tuple()"
    return text
