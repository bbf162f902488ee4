"""Durations as directives write them: ``500ms``, ``30s``, ``5m``, ``1.5h``; a number alone is seconds."""

from __future__ import annotations

import re

_DURATION = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,6})?)(ms|s|m|min|h)?")
_SECONDS = {"ms": 0.001, "s": 1.0, None: 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}


def milliseconds(text: str) -> int | None:
    """The duration, None when it is none."""
    found = _DURATION.fullmatch(text.strip())
    return round(float(found[1]) * _SECONDS[found[2]] * 1000) if found else None
