"""JSON with one spelling for one value, and its reading from bytes that nobody vouches for."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any, NoReturn

from ci_runner.errors import IntegrityError

_DEEPEST = 32
_HEX = re.compile(r"[0-9a-f]{64}")


def sha256(content: bytes) -> str:
    """SHA-256 as 64 hex digits."""
    return hashlib.sha256(content).hexdigest()


def is_sha256(value: object) -> bool:
    """Whether ``value`` is a string of 64 lower-case hex digits."""
    return isinstance(value, str) and bool(_HEX.fullmatch(value))


def is_number(value: object, expected: int) -> bool:
    """Whether ``value`` is this whole number; neither a truth value nor a fraction is."""
    return type(value) is int and value == expected


def dumps(value: Mapping[str, Any]) -> bytes:
    """Sorted keys, no spaces, UTF-8 (a question mark for what is no valid text), one trailing line feed."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode(errors="replace") + b"\n"


def loads(raw: bytes, what: str) -> dict[str, Any]:
    """The object in ``raw``; IntegrityError, naming ``what``, for anything else.

    Refused are also duplicate keys, numbers that are not finite, nesting over 32 levels and text that is no valid Unicode.
    """
    try:
        value = json.loads(raw.decode(), object_pairs_hook=_object, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else str(error)[:200]
        raise IntegrityError(f"{what} is no valid JSON: {reason}") from None
    if not isinstance(value, dict):
        raise IntegrityError(f"{what} is no JSON object")
    plain = raw.isascii() and b"\\u" not in raw
    fault = _depth_fault(value) or (None if plain else _text_fault(value))
    if fault:
        raise IntegrityError(f"{what} is refused: {fault}")
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("a key is given twice")
    return value


def _refuse(_constant: str) -> NoReturn:
    raise ValueError("a number is not finite")


def _depth_fault(value: Any) -> str | None:
    level, depth = [value], 0
    while level:
        depth += 1
        if depth > _DEEPEST:
            return f"nested over {_DEEPEST} levels"
        inside = (item for outer in level for item in (outer.values() if isinstance(outer, dict) else outer))
        level = [item for item in inside if isinstance(item, dict | list)]
    return None


def _text_fault(value: Any) -> str | None:
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            waiting.extend(item)
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)
        elif isinstance(item, str) and not item.isascii() and not _encodes(item):
            return "text that is no valid Unicode"
    return None


def _encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
