"""What the configuration comes to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from msgspec import Struct, field

from ci_runner.config.pattern import Pattern

if TYPE_CHECKING:
    from ci_runner.config.environments import Environment
    from ci_runner.config.hooks import Hook


REGISTRY_LISTS = ("backups", "publish")  # addresses beside the registry's own


class Directory(Struct, frozen=True):
    """One migration directory. ``name`` is its entry in the registry and its heading in reports."""

    name: str
    dir: str
    dir_format: str | None = None
    dialect: str | None = None
    dev_url: str | None = None
    dev_init: str | None = None
    allow_fork_dev_url: bool = False
    tx_mode: str = "file"
    server_version: str | None = None
    server_edition: str | None = None
    sum: str | None = None
    directives: str = "strict"
    rules: Mapping[str, str] = field(default_factory=dict)
    require_ignore_reason: bool = False
    naming: Mapping[str, Pattern] = field(default_factory=dict)
    rules_path: str | None = None
    baseline: str | None = None
    seeds: str | None = None
    stats: str | None = None

    def __repr__(self) -> str:  # without the address of the dev database, which may hold a password
        return f"Directory({self.name}, {self.dir}, {self.dialect})"


class Config(Struct, frozen=True):
    """Everything a run was told; ``sources`` says per option where the value came from (default, file:line, variable, flag)."""

    directories: tuple[Directory, ...]
    name: str = "pilotage"
    base: str | None = None
    latest: int | None = None
    all: bool = False
    fail_on: str = "error"
    reports: tuple[tuple[str, str], ...] = ()
    registry: str | None = None
    backups: tuple[str, ...] = ()
    publish: tuple[str, ...] = ()
    comment: bool = True
    code_scanning: bool = False
    skip_replay: bool = False
    platform: str | None = None
    scm_url: str | None = None
    token: str | None = None
    templates: str | None = None
    cache_dir: str | None = None
    hooks: tuple[Hook, ...] = ()
    environments: tuple[Environment, ...] = ()
    sources: Mapping[str, str] = field(default_factory=dict)

    def __repr__(self) -> str:  # without addresses and tokens
        return f"Config({', '.join(map(repr, self.directories))}, {dict(self.sources)})"


class Setting(Struct, frozen=True):
    """One value on its way in: as text or parsed, with the place a message can point at; ``places`` are those of its parts.

    A part goes by its key, or by its number from 1 in a list.
    """

    value: object
    source: str
    places: Mapping[str, str] = field(default_factory=dict)

    def at(self, part: str) -> str:
        """The place of a part; that of the whole where it is not known, as on a command line."""
        return self.places.get(part, self.source)
