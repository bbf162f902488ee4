"""What an SCM can refuse and why, as one error with the permission that would help."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from ci_runner.errors import PilotageError
from ci_runner.http import Trouble
from ci_runner.text import line as one_line

Kind = Literal[
    "unauthorised",
    "forbidden",
    "policy",
    "limited",
    "missing",
    "too_long",
    "invalid",
    "stale",
    "down",
    "doubt",
    "garbled",
]
_SETUP = frozenset({"unauthorised", "forbidden", "policy", "missing"})


class ScmError(PilotageError):
    """The SCM did not do what was asked.

    ``kind``: ``unauthorised`` (no valid token), ``forbidden`` (token without a permission), ``policy`` (an organisation's rule),
    ``limited`` (rate), ``missing`` (not there, or not for this token), ``too_long``, ``invalid`` (refused as it stands),
    ``stale`` (it changed since it was read),
    ``down`` (unreachable, 5xx), ``doubt`` (perhaps done: look before repeating), ``garbled`` (no usable answer).
    ``permission`` names what the token lacks, "" when that is not the reason.
    """

    def __init__(self, message: str, kind: Kind, permission: str = ""):
        super().__init__(message)
        self.kind: Kind = kind
        self.permission = permission

    @property
    def exit_code(self) -> int:  # type: ignore[override]
        """2 where somebody has to change a setting, 5 where trying again later may do."""
        return 2 if self.kind in _SETUP else 5

    @property
    def final(self) -> bool:
        """Whether asking the same SCM anything else in this run is in vain."""
        return self.kind in {"unauthorised", "policy", "limited", "down", "garbled"}


def answered(body: bytes | str | None) -> Mapping[str, Any]:
    """The JSON object that an answer which says no holds; an empty one where it holds anything else."""
    try:
        data = json.loads(body or b"")
    except (ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}


def sentence(parts: Iterable[object]) -> str:
    """Those parts that are texts as one line of at most 300 characters."""
    return one_line(" – ".join(part for part in parts if isinstance(part, str) and part))[:300]


def lost(trouble: Trouble, *, writes: bool) -> Kind:
    """Without a usable answer, only what was never sent or was sent elsewhere is known not to have been done."""
    if trouble == "unreachable":
        return "down"
    if trouble == "redirect":
        return "garbled"
    return "doubt" if writes else "down" if trouble == "doubt" else "garbled"
