"""Reads ``environments:`` of pilotage.yml: which databases there are and how they are deployed to. An address with a password never stands there."""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, Literal

from msgspec import Struct

from ci_runner.config.values import Setting
from ci_runner.errors import ConfigError
from ci_runner.text.durations import milliseconds

MOST = 200
"""Environments in one file."""
TENANTS = 10_000
"""Databases of one environment."""
ORDERS = ("linear", "linear-skip", "non-linear")
DRIFTS = ("off", "warn", "error")
KEYS = (
    "url", "databases", "parallel", "on_failure", "require_approval", "order", "drift", "adopt", "lock_wait", "lock_timeout", "timeout",
    "require_primary",
)  # fmt: skip
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}")
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]{0,127})\}")


class Environment(Struct, frozen=True):
    """One environment. ``databases`` are (name, address), the address as written: ``${NAME}`` or one without a password.

    ``listed`` is the variable that lists the databases, one ``name=address`` a line, where the file does not. ``parallel`` is how many are deployed
    to at a time; ``on_failure``: whether the rest is still begun when one fails. Times are seconds; None = the command's default.
    """

    name: str
    databases: tuple[tuple[str, str], ...] = ()
    listed: str = ""
    parallel: int = 4
    on_failure: Literal["stop", "continue"] = "stop"
    require_approval: bool = False
    order: str | None = None
    drift: str | None = None
    adopt: bool = False
    lock_wait: float | None = None
    lock_timeout: float | None = None
    timeout: float | None = None
    require_primary: bool = False

    def __repr__(self) -> str:  # without addresses
        return f"Environment({self.name})"


def parse(setting: Setting) -> tuple[Environment, ...]:
    """The environments of a file; ConfigError, naming the environment and never an address, for anything that cannot be meant."""
    if not isinstance(setting.value, Mapping) or not 0 < len(setting.value) <= MOST:
        raise ConfigError(f"'environments' in {setting.source} must map 1 to {MOST} names to their settings")
    return tuple(_environment(str(name), value, setting.at(str(name))) for name, value in setting.value.items())


def _environment(name: str, value: object, source: str) -> Environment:
    where = f"environment '{name}' in {source}"
    if not _NAME.fullmatch(name):
        raise ConfigError(f"{where}: a name is 1 to 63 letters, digits, dashes and underscores")
    if not isinstance(value, Mapping):
        raise ConfigError(f"{where} must hold 'url' or 'databases'")
    for key in value:
        if key not in KEYS:
            close = get_close_matches(str(key), KEYS, 1, 0.6)
            hint = f" — did you mean '{close[0]}'?" if close else f" — known are: {', '.join(KEYS)}"
            raise ConfigError(f"unknown option '{key}' of {where}{hint}")
    if ("url" in value) == ("databases" in value):
        raise ConfigError(f"{where} needs either 'url' (one database) or 'databases' (several)")
    databases, listed = _databases(value, where)
    return Environment(
        name,
        databases,
        listed,
        parallel=_number(value, "parallel", 4, where),
        on_failure=_word(value, "on_failure", ("stop", "continue"), where) or "stop",  # type: ignore[arg-type]
        require_approval=_switch(value, "require_approval", where),
        order=_word(value, "order", ORDERS, where),
        drift=_word(value, "drift", DRIFTS, where),
        adopt=_word(value, "adopt", ("auto", "off"), where) == "auto",
        lock_wait=_seconds(value, "lock_wait", where),
        lock_timeout=_seconds(value, "lock_timeout", where),
        timeout=_seconds(value, "timeout", where),
        require_primary=_switch(value, "require_primary", where),
    )


def _databases(value: Mapping[str, Any], where: str) -> tuple[tuple[tuple[str, str], ...], str]:
    if "url" in value:
        return (("", address(value["url"], where)),), ""
    found = value["databases"]
    if isinstance(found, str) and (listed := _VARIABLE.fullmatch(found)):
        return (), listed[1]
    if not isinstance(found, Mapping) or not 0 < len(found) <= TENANTS:
        raise ConfigError(
            f"'databases' of {where} must map 1 to {TENANTS} names to addresses, such as eu: ${{EU_URL}}, or be a variable ${{NAME}} that lists "
            "them, one name=address a line"
        )
    for name in found:
        if not _NAME.fullmatch(str(name)):
            raise ConfigError(
                f"'databases' of {where}: a name is 1 to 63 letters, digits, dashes and underscores, not {str(name)[:80]!r}"
            )
    return tuple((str(name), address(text, where)) for name, text in found.items()), ""


def address(value: object, where: str) -> str:
    """An address as it may stand in a file; ConfigError for one with a password, which is not repeated."""
    text = str(value or "")
    if not text or isinstance(value, (Mapping, list)):
        raise ConfigError(
            f"{where}: write the address of a database as a variable that holds it, such as ${{DATABASE_URL}}"
        )
    if _VARIABLE.fullmatch(text):
        return text
    authority = text.partition("://")[2].partition("/")[0]
    if "${" in text or "@" in authority or "password" in text.lower():
        raise ConfigError(
            f"{where}: an address with a user or password stands in the environment, not in a file: write ${{NAME}} and set NAME"
        )
    return text


def resolved(environment: Environment, environ: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """(name, address) of each database with variables looked up; ConfigError for one that is not set."""
    if environment.listed:
        return _listed(environment, environ)
    found = []
    for name, text in environment.databases:
        variable = _VARIABLE.fullmatch(text)
        if variable and not environ.get(variable[1]):
            of = f" of database '{name}'" if name else ""
            raise ConfigError(
                f"environment '{environment.name}' takes the address{of} from the variable {variable[1]}, which is not set"
            )
        found.append((name, environ[variable[1]] if variable else text))
    return tuple(found)


def _listed(environment: Environment, environ: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    text = environ.get(environment.listed, "")
    pairs = [line.strip().partition("=") for line in text.splitlines() if line.strip()]
    where = f"environment '{environment.name}': the variable {environment.listed}"
    if not pairs or len(pairs) > TENANTS:
        raise ConfigError(f"{where} must list 1 to {TENANTS} databases, one name=address a line")
    for number, (name, _, url) in enumerate(pairs, 1):
        if not _NAME.fullmatch(name.strip()) or "://" not in url:
            raise ConfigError(f"{where}: line {number} is not name=address")
    return tuple((name.strip(), url.strip()) for name, _, url in pairs)


def _word(value: Mapping[str, Any], key: str, known: tuple[str, ...], where: str) -> str | None:
    if value.get(key) is None:
        return None
    word = str(value[key]).strip().lower()
    word = {"false": "off", "no": "off"}.get(word, word)  # YAML's own reading of off
    if word not in known:
        raise ConfigError(f"'{key}' of {where} is one of {', '.join(known)}, not '{value[key]}'")
    return word


def _switch(value: Mapping[str, Any], key: str, where: str) -> bool:
    word = str(value.get(key, "false")).strip().lower()
    if word not in {"true", "false", "yes", "no", "on", "off"}:
        raise ConfigError(f"'{key}' of {where} must be true or false, not '{value[key]}'")
    return word in {"true", "yes", "on"}


def _number(value: Mapping[str, Any], key: str, default: int, where: str) -> int:
    given = value.get(key, default)
    if not str(given).isdigit() or not 1 <= int(given) <= 100:
        raise ConfigError(f"'{key}' of {where} must be a whole number from 1 to 100, not '{given}'")
    return int(given)


def _seconds(value: Mapping[str, Any], key: str, where: str) -> float | None:
    if value.get(key) is None:
        return None
    found = milliseconds(str(value[key]))
    if found is None:
        raise ConfigError(f"'{key}' of {where} must be a duration such as 30s or 10m, not '{value[key]}'")
    return found / 1000
