"""Reads ``hooks:`` of pilotage.yml: who is told of which events. An address never stands there, only where it can be found."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any, Literal

from msgspec import Struct

from ci_runner.config.values import Setting
from ci_runner.errors import ConfigError
from ci_runner.model.events import TYPES

KINDS = ("slack", "generic")
DEFAULT_EVENTS = ("deploy.failed", "deploy.in_doubt", "deploy.succeeded", "push.degraded", "registry.*")
PATTERNS = (*TYPES, *sorted({f"{each.partition('.')[0]}.*" for each in TYPES}), "*")
MOST = 50
"""Hooks in one file."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
KEYS = (
    "name", "kind", "url", "events", "dirs", "envs", "only_on_change", "include_sql",
    "secret", "old_secret", "allow_private", "ports", "proxy",
)  # fmt: skip


class Place(Struct, frozen=True):
    """Where a secret is found: a variable of the environment, or a file."""

    kind: Literal["env", "file"]
    name: str


class Hook(Struct, frozen=True):
    """One hook. ``events`` are types or patterns such as ``deploy.*``; empty ``dirs`` and ``envs`` mean all of them.

    ``secret`` signs generic hooks, ``old_secret`` too while it is being replaced. ``ports`` are allowed beside 443 and 8443.
    """

    name: str
    kind: str
    url: Place
    events: tuple[str, ...] = DEFAULT_EVENTS
    dirs: tuple[str, ...] = ()
    envs: tuple[str, ...] = ()
    only_on_change: bool = False
    include_sql: bool = False
    secret: Place | None = None
    old_secret: Place | None = None
    allow_private: bool = False
    ports: tuple[int, ...] = ()
    proxy: Place | None = None


def parse(setting: Setting) -> tuple[Hook, ...]:
    """The hooks of a file; ConfigError, naming the hook and never an address, for anything that cannot be meant."""
    if not isinstance(setting.value, list):
        raise ConfigError(f"'hooks' in {setting.source} must be a list of hooks, each with name, kind and url")
    if len(setting.value) > MOST:
        raise ConfigError(f"'hooks' in {setting.source} has {len(setting.value)} hooks, at most {MOST} are allowed")
    found = tuple(_hook(value, index, setting.at(str(index))) for index, value in enumerate(setting.value, 1))
    names = [hook.name.lower() for hook in found]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice:
        raise ConfigError(f"two hooks in {setting.source} are called '{twice}': give each its own name")
    return found


def _hook(value: object, index: int, source: str) -> Hook:
    if not isinstance(value, Mapping):
        raise ConfigError(f"hook {index} in {source} must hold 'name', 'kind' and 'url'")
    name = str(value.get("name") or "")
    where = f"hook '{name}' in {source}" if _NAME.fullmatch(name) else f"hook {index} in {source}"
    if not _NAME.fullmatch(name):
        raise ConfigError(f"{where} needs a name of 1 to 63 letters, digits, dashes and underscores")
    for key in value:
        if key not in KEYS:
            raise ConfigError(f"unknown option '{key}' of {where}{_meant(str(key), KEYS)}")
    if value.get("kind") not in KINDS:
        raise ConfigError(f"'kind' of {where} must be one of {', '.join(KINDS)}")
    if "url" not in value:
        raise ConfigError(f"{where} has no url: write url: {{ env: NAME_OF_A_VARIABLE }}")
    parsed = {key: _PARSERS[key](value[key], key, where) for key in value if key in _PARSERS and value[key] is not None}
    if parsed.get("secret") is None and parsed.get("old_secret"):
        raise ConfigError(f"{where} has an old_secret but no secret: the new one is 'secret'")
    if value["kind"] == "slack" and parsed.get("secret"):
        raise ConfigError(f"{where} is of kind slack: Slack knows no signatures, leave 'secret' out")
    return Hook(name=name, kind=str(value["kind"]), **parsed)


def _place(value: object, key: str, where: str) -> Place:
    if not isinstance(value, Mapping):
        raise ConfigError(
            f"'{key}' of {where} holds its value in clear, and it is a secret: put it into a variable and write "
            f"{key}: {{ env: NAME }}, or into a file and write {key}: {{ file: /path }}"
        )
    if len(value) != 1 or next(iter(value)) not in {"env", "file"}:
        raise ConfigError(f"'{key}' of {where} must be {{ env: NAME }} or {{ file: /path }}")
    kind, name = next((str(k), v) for k, v in value.items())
    if not isinstance(name, str) or not name or (kind == "env" and not _VARIABLE.fullmatch(name)):
        raise ConfigError(f"'{key}' of {where} must name {'a variable' if kind == 'env' else 'a file'}")
    return Place("env" if kind == "env" else "file", name)


def _events(value: object, key: str, where: str) -> tuple[str, ...]:
    words = _words(value, key, where)
    for word in words:
        if word not in PATTERNS:
            raise ConfigError(f"unknown event '{word}' of {where}{_meant(word, PATTERNS)}")
    return words


def _words(value: object, key: str, where: str) -> tuple[str, ...]:
    items = value if isinstance(value, list) else [value]
    if not items or not all(isinstance(item, str) and 0 < len(item) <= 200 for item in items):
        raise ConfigError(f"'{key}' of {where} must be a word or a list of words")
    return tuple(items)


def _ports(value: object, key: str, where: str) -> tuple[int, ...]:
    items = value if isinstance(value, list) else [value]
    if not all(isinstance(item, int) and 0 < item < 65536 for item in items):
        raise ConfigError(f"'{key}' of {where} must be port numbers")
    return tuple(items)


def _switch(value: object, key: str, where: str) -> bool:
    word = str(value).lower()
    if word not in {"true", "yes", "on", "false", "no", "off"}:
        raise ConfigError(f"'{key}' of {where} must be true or false")
    return word in {"true", "yes", "on"}


def _meant(word: str, known: tuple[str, ...]) -> str:
    close = get_close_matches(word, known, 1, 0.6)
    return f" — did you mean '{close[0]}'?" if close else f" — known are: {', '.join(known)}"


_PARSERS: dict[str, Callable[[object, str, str], Any]] = {
    "url": _place,
    "events": _events,
    "dirs": _words,
    "envs": _words,
    "only_on_change": _switch,
    "include_sql": _switch,
    "secret": _place,
    "old_secret": _place,
    "allow_private": _switch,
    "ports": _ports,
    "proxy": _place,
}
