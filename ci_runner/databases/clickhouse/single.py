"""A statement written for a cluster, as one server without a keeper can run it."""

from __future__ import annotations

import re

from ci_runner.text.pattern import many

_MARKS = re.compile(r"\bon\s+cluster\b|\breplicated|\bshared\w*mergetree\b", re.IGNORECASE)
_STRING = (
    r"'" + many(r"[^'\\]|\\.|''") + r"\\?(?:'|\Z)"
)  # one that does not end goes to the end, so that no other is looked for in it
_NAME = r"`[^`]*`|\"[^\"]*\""
_ARGUMENTS = r"\s*\((?:" + many(rf"[^()'`\"]|{_STRING}|{_NAME}|\([^()]*\)") + r")\)"
# Strings, quoted names and comments are passed over; then what needs a cluster or a keeper.
_TOKENS = re.compile(
    rf"(?P<cluster>\bon\s+cluster\s+(?:{_STRING}|{_NAME}|\{{[^}}]{{0,200}}\}}|[\w-]+))"
    rf"|(?P<database>\bengine\s*=\s*replicated(?:{_ARGUMENTS}))"
    rf"|\b(?P<engine>(?:replicated|shared)(?P<plain>\w*mergetree)\b(?P<arguments>{_ARGUMENTS})?)"
    rf"|{_STRING}|{_NAME}|--[^\n]*|/\*.*?(?:\*/|\Z)",
    re.IGNORECASE | re.DOTALL,
)
_ARGUMENT = re.compile(rf"(?:{_STRING}|[^,'])+", re.DOTALL)
_VISIBLE = re.compile(r"[^\n]")


def on_one_server(text: str) -> tuple[str, tuple[str, ...]]:
    """``text`` without ON CLUSTER and with plain engines for replicated ones, all else at its place; and what was left out of it."""
    if not _MARKS.search(text):
        return text, ()
    left_out: dict[str, None] = {}

    def plain(found: re.Match[str]) -> str:
        if found["cluster"]:
            left_out["ON CLUSTER"] = None
            return _VISIBLE.sub(" ", found[0])
        if found["database"] or found["engine"]:
            left_out["replication"] = None
            kept = "ENGINE = Atomic" if found["database"] else found["plain"] + _own(found["arguments"] or "")
            return kept + _VISIBLE.sub(" ", found[0][len(kept) :])
        return found[0]

    return _TOKENS.sub(plain, text), tuple(left_out)


def _own(arguments: str) -> str:
    """The engine's own arguments, behind two strings in the first places: the path in the keeper and the replica's name."""
    parts = [part.strip() for part in _ARGUMENT.findall(arguments.strip()[1:-1])]
    own = parts[2:] if parts and parts[0].startswith("'") else parts
    return f"({', '.join(own)})" if own else ""
