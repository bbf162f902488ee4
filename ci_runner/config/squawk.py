"""Reads what a team coming from squawk has: .squawk.toml (or squawk.toml)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ci_runner.config.file import File
from ci_runner.config.values import Setting
from ci_runner.errors import ConfigError

READ = frozenset({"excluded_rules", "pg_version", "assume_in_transaction"})
# Keys squawk has beyond those (https://squawkhq.com/docs/cli), and the way there is instead.
INSTEAD = {
    "excluded_paths": "every file of the directory is judged; '-- squawk-ignore-file' within one keeps its findings quiet",
    "included_rules": "a pilotage.yml names rules that are off until asked for, under 'rules'",
    "upload_to_github": "'fail_on' in a pilotage.yml says which findings fail the check",
}


def read(text: str, name: str) -> File:
    """Settings of the keys in ``READ``; squawk is for PostgreSQL alone.

    Excluded rules keep squawk's names: the catalogue knows them as aliases. Raises ConfigError with the file's name.
    """
    found = _parse(text, name)
    settings = {"dialect": Setting("postgres", name)}

    def put(option: str, value: object, key: str) -> None:
        settings[option] = Setting(value, f"{name}:{_line(text, key)}")

    excluded = found.get("excluded_rules", [])
    if not isinstance(excluded, list):
        raise ConfigError(f"'excluded_rules' in {name}:{_line(text, 'excluded_rules')} must be a list of rule names")
    if excluded:
        put("rules", {str(rule): "off" for rule in excluded}, "excluded_rules")
    if "pg_version" in found:
        put("server_version", str(found["pg_version"]), "pg_version")
    if "assume_in_transaction" in found:
        put("tx_mode", "file" if found["assume_in_transaction"] else "none", "assume_in_transaction")
    return settings, ()


def unread(text: str, name: str) -> Iterator[str]:
    """A sentence on each key that is passed over, with its place and what there is instead; of a file that :func:`read` takes."""
    for key in _parse(text, name):
        if key not in READ:
            instead = INSTEAD.get(key, f"only {', '.join(sorted(READ))} are")
            yield f"{name}:{_line(text, key)}: '{key}' is not read: {instead}"


def _parse(text: str, name: str) -> Mapping[str, Any]:
    import tomllib

    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ConfigError(f"{name} is not valid TOML: {error}") from None


def _line(text: str, key: str) -> int:
    """The line (from 1) on which a key of the file's top level, or the table of that name, begins; 1 where it is spelt in another way."""
    begins = re.compile(rf"\s*\[{{0,2}}\s*[\"']?{re.escape(key)}[\"']?\s*[\].=]")
    return next((number for number, row in enumerate(text.split("\n"), 1) if begins.match(row)), 1)
