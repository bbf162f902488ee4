"""Reads a plain ``lint`` command line as click would, without importing it; every other line is left to click."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from ci_runner.config.options import OPTIONS, flag

QUIET = ("-q", "--quiet")
OWN = ("--format", "--output")


class Asked(Struct, frozen=True):
    """What a command line asks of ``lint``; ``flags`` are those of the manifest that were given."""

    quiet: bool
    flags: dict[str, Any]
    form: str
    output: str | None


def lint(arguments: Sequence[str]) -> Asked | None:
    """What a line of whole flags of ``lint`` asks for; None for another command, and for all that takes more to be read or refused."""
    if "lint" not in arguments:
        return None
    words = iter(arguments)
    quiet = False
    for word in words:
        if word == "lint":
            break
        if word not in QUIET:
            return None
        quiet = True
    known = {flag(option): option for option in OPTIONS if "lint" in option.commands}
    flags: dict[str, Any] = {}
    own: dict[str, str] = {}
    for word in words:
        name, equals, value = word.partition("=")
        option = known.get(name)
        if word in QUIET:
            quiet = True
        elif option and option.kind == "switch" and not option.default and not equals:
            flags[option.name] = True
        elif (option and option.kind != "switch") or name in OWN:
            if not equals:
                value = next(words, "-")
            if value.startswith("-"):  # perhaps another flag, perhaps a value: click knows
                return None
            if option is None:
                own[name] = value
            else:
                flags[option.name] = (*flags.get(option.name, ()), value) if option.kind == "list" else value
        else:
            return None
    return Asked(quiet, flags, own.get("--format", "text"), own.get("--output"))
