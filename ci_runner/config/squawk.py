"""Reads what a team coming from squawk has: .squawk.toml (or squawk.toml)."""

from __future__ import annotations

from ci_runner.config.file import File
from ci_runner.config.values import Setting
from ci_runner.errors import ConfigError


def read(text: str, name: str) -> File:
    """Settings of ``excluded_rules``, ``pg_version`` and ``assume_in_transaction``; squawk is for PostgreSQL alone.

    Excluded rules keep squawk's names: the catalogue knows them as aliases. Raises ConfigError with the file's name.
    """
    import tomllib

    try:
        found = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ConfigError(f"{name} is not valid TOML: {error}") from None
    settings = {"dialect": Setting("postgres", name)}
    excluded = found.get("excluded_rules", [])
    if not isinstance(excluded, list):
        raise ConfigError(f"'excluded_rules' in {name} must be a list of rule names")
    if excluded:
        settings["rules"] = Setting({str(rule): "off" for rule in excluded}, name)
    if "pg_version" in found:
        settings["server_version"] = Setting(str(found["pg_version"]), name)
    if "assume_in_transaction" in found:
        settings["tx_mode"] = Setting("file" if found["assume_in_transaction"] else "none", name)
    return settings, ()
