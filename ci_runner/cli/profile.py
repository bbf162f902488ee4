"""The registries a person works with, kept in their configuration directory: addresses only, never a key."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import msgspec

from ci_runner.errors import ConfigError, SetupError

_LIMIT = 1024 * 1024


class Profiles(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Workspaces by name → address of their registry, and the name of the one in use ("" = none)."""

    current: str
    registries: Mapping[str, str]

    @property
    def registry(self) -> str | None:
        """The address in use."""
        return self.registries.get(self.current)


def location(environ: Mapping[str, str]) -> Path | None:
    """The file, by the XDG base directories; None where there is no home."""
    home = environ.get("XDG_CONFIG_HOME") or (f"{environ['HOME']}/.config" if environ.get("HOME") else None)
    return Path(home) / "pilotage" / "profiles.json" if home else None


def load(environ: Mapping[str, str]) -> Profiles:
    """What is kept; nothing where there is no file. ConfigError for a file that cannot be understood."""
    path = location(environ)
    if path is None or not path.is_file():
        return Profiles("", {})
    try:
        return msgspec.json.decode(path.read_bytes()[:_LIMIT], type=Profiles)
    except (OSError, msgspec.DecodeError, RecursionError) as error:
        raise ConfigError(f"{path} cannot be understood ({error}): remove it and log in again") from None


def save(profiles: Profiles, environ: Mapping[str, str]) -> Path:
    """Write the file, readable by its owner only; SetupError where that cannot be."""
    path = location(environ)
    if path is None:
        raise SetupError("there is no place for a profile: set HOME or XDG_CONFIG_HOME")
    text = msgspec.json.format(msgspec.json.encode(profiles), indent=2).decode()
    beside = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600), "w") as stream:
            stream.write(text + "\n")
        beside.replace(path)
    except OSError as error:
        raise SetupError(f"the profile cannot be written to {path}: {error.strerror or error}") from None
    return path
