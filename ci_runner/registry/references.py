"""How people name a state: ``app``, ``app:v1.4``, ``pilotage://app?tag=v1.4``."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl

from ci_runner.errors import UsageError
from ci_runner.model.registry import Reference, Selector
from ci_runner.registry import canonical, keys, names

_SCHEME = "pilotage://"
_SELECTORS = ("tag", "version", "digest", "seq")
_LONGEST_VERSION = 200


def parse_reference(text: str) -> Reference:
    """``name`` or ``name:tag``; an address with its scheme is taken too."""
    if text.startswith(_SCHEME):
        return parse_address(text)
    name, colon, tag = text.partition(":")
    names.check_name(name)
    if not colon or tag == "latest":
        return Reference(name)
    return Reference(name, Selector("tag", names.check_tag(tag)))


def parse_address(text: str) -> Reference:
    """``pilotage://name`` with at most one of ``?tag=``, ``?version=``, ``?digest=sha256:…``, ``?seq=``."""
    if not text.startswith(_SCHEME):
        name = text if re.fullmatch(r"[\w-]+", text) else "app"
        raise UsageError(f"{text[:80]!r} is no address in a registry — did you mean {_SCHEME}{name}?")
    name, question, query = text.removeprefix(_SCHEME).partition("?")
    if "@" in name:
        raise UsageError(
            "an address in a registry takes no user information (…@): credentials never stand in an address"
        )
    names.check_name(name.removesuffix("/"))
    pairs = parse_qsl(query, keep_blank_values=True)
    if question and len(pairs) != 1:
        raise UsageError(
            f"the address of {name!r} takes exactly one of {', '.join(_SELECTORS)} after the question mark"
        )
    return Reference(name.removesuffix("/"), _selector(*pairs[0]) if pairs else Selector())


def _selector(key: str, value: str) -> Selector:
    if key == "tag":
        return Selector() if value == "latest" else Selector("tag", names.check_tag(value))
    if key == "seq":
        if not re.fullmatch(r"[0-9]{1,10}", value) or not 0 < int(value) <= keys.LAST_SEQ:
            raise UsageError(f"seq={value[:80]} is no number of a log entry: they count from 1")
        return Selector("seq", str(int(value)))
    if key == "digest":
        digest = value.removeprefix("sha256:")
        if not canonical.is_sha256(digest):
            raise UsageError("digest= takes sha256: and 64 hex digits, as push prints them")
        return Selector("digest", digest)
    if key == "version":
        if not value or len(value) > _LONGEST_VERSION or not value.isprintable():
            raise UsageError("version= takes the version of a migration, as `pilotage ls` prints it")
        return Selector("version", value)
    raise UsageError(f"unknown parameter {key[:60]!r} in the address (it takes: {', '.join(_SELECTORS)})")
