"""Reads a plain ``lint`` or ``status`` command line as click would, without importing it; every other line is left to click."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from ci_runner.config.options import OPTIONS, flag

QUIET = ("-q", "--quiet")
DRIFT = ("off", "warn")
# The flags that are a command's own, each with the name click gives it; those that take no word, and those that take one of a few.
OWN: Mapping[str, Mapping[str, str]] = {
    "lint": {"--format": "form", "--output": "output"},
    "status": {
        "--to": "url", "--env": "env", "--database": "database", "--commit": "commit", "--require-primary": "require_primary",
        "--drift": "drift", "--json": "as_json",
    },
}  # fmt: skip
SWITCHES = ("--require-primary", "--json")
CHOICES: Mapping[str, Sequence[str]] = {"--drift": DRIFT}


class Asked(Struct, frozen=True):
    """What a command line asks for; ``flags`` are those of the manifest that were given, ``own`` those of the command."""

    command: str
    quiet: bool
    flags: dict[str, Any]
    own: dict[str, Any]


def asked(arguments: Sequence[str]) -> Asked | None:
    """What a line of whole flags of such a command asks for; None for another command, and for all that takes more to be read or refused."""
    quiet = False
    at = 0
    while at < len(arguments) and arguments[at] in QUIET:
        quiet, at = True, at + 1
    command = arguments[at] if at < len(arguments) else ""
    if command not in OWN:
        return None
    known = {flag(option): option for option in OPTIONS if command in option.commands}
    mine = OWN[command]
    flags: dict[str, Any] = {}
    own: dict[str, Any] = {}
    words = iter(arguments[at + 1 :])
    for word in words:
        name, equals, value = word.partition("=")
        option = known.get(name)
        if word in QUIET:
            quiet = True
        elif option and option.kind == "switch" and not option.default and not equals:
            flags[option.name] = True
        elif word in mine and word in SWITCHES:
            own[mine[word]] = True
        elif (option and option.kind != "switch") or (name in mine and name not in SWITCHES):
            if not equals:
                value = next(words, "-")
            if value.startswith("-") or value not in CHOICES.get(name, (value,)):
                return None  # perhaps another flag, perhaps a value, perhaps none: click knows
            if option is None:
                own[mine[name]] = value
            else:
                flags[option.name] = (*flags.get(option.name, ()), value) if option.kind == "list" else value
        else:
            return None
    return Asked(command, quiet, flags, own)
