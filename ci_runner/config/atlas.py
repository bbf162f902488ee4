"""Reads what a team coming from Atlas has: the migration, dev, lint and repo parts of atlas.hcl's env blocks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ci_runner.config.file import File
from ci_runner.config.values import Setting
from ci_runner.errors import ConfigError, SetupError

# atlas.hcl's analyzers and the rules they stand for; their own names are accepted in ignore comments as well
ANALYZERS = {
    "destructive": ("drop-table", "drop-schema", "drop-column"),
    "data_depend": ("add-notnull-no-default", "unique-may-fail", "set-not-null-scan"),
    "incompatible": ("rename-table", "rename-column"),
    "concurrent_index": ("index-not-concurrent", "drop-index-not-concurrent", "concurrent-in-tx"),
}
_DRIVERS = {"postgres": "postgres", "mysql": "mysql", "maria": "mariadb", "mariadb": "mariadb", "sqlite": "sqlite"}


def read(text: str, name: str) -> File:
    """Settings from every ``env`` block that has a migration directory; the first env's when several share one directory.

    Expressions that need evaluation (``var.x``, ``getenv("X")``) become ``${X}`` where they name a variable, and are left
    out otherwise. Raises SetupError without python-hcl2, ConfigError for a file that does not parse.
    """
    document = _parse(text, name)
    common = _lint(_blocks(document, "lint"), name)
    envs = [
        (label, body)
        for block in _blocks(document, "env")
        for label, body in block.items()
        if isinstance(body, Mapping)
    ]
    entries: dict[str, dict[str, Setting]] = {}
    for label, body in envs:
        settings = _env(_bare(label), body, name)
        if "dir" in settings:
            entries.setdefault(str(settings["dir"].value), settings)
    return common, tuple(entries.values())


def _parse(text: str, name: str) -> Mapping[str, Any]:
    try:
        import hcl2
        from lark.exceptions import LarkError
    except ImportError:
        raise SetupError(
            f"reading {name} needs python-hcl2: pip install 'pilotage[atlas]', or write a pilotage.yml"
        ) from None
    try:
        parsed: Mapping[str, Any] = hcl2.loads(text)
    except (LarkError, ValueError, KeyError, RecursionError) as error:
        line = getattr(error, "line", None)
        raise ConfigError(
            f"{name}{f':{line}' if line else ''} is not valid HCL; fix it, or write a pilotage.yml"
        ) from None
    return parsed


def _env(label: str, body: Mapping[str, Any], name: str) -> dict[str, Setting]:
    where = f"{name}, env {label}"
    settings: dict[str, Setting] = {}
    for migration in _blocks(body, "migration"):
        if directory := _text(migration.get("dir")):
            path, _, query = directory.removeprefix("file://").partition("?")
            settings["dir"] = Setting(path, where)
            if query.startswith("format="):
                settings["dir_format"] = Setting(query.removeprefix("format="), where)
        for repo in _blocks(migration, "repo"):
            if entry := _text(repo.get("name")):
                settings["name"] = Setting(entry, where)
    if dev := _text(body.get("dev")):
        settings["dev_url"] = Setting(dev, where)
        driver = dev.partition("://")[2].split("/")[0] if dev.startswith("docker://") else dev.partition("://")[0]
        if driver in _DRIVERS:
            settings["dialect"] = Setting(_DRIVERS[driver], where)
    return settings | _lint(_blocks(body, "lint"), where)


def _lint(blocks: list[Mapping[str, Any]], where: str) -> dict[str, Setting]:
    """``lint { destructive { error = false } }`` → severities; the text of other settings has no counterpart here."""
    rules: dict[str, str] = {}
    for block in blocks:
        for analyzer, slugs in ANALYZERS.items():
            for body in _blocks(block, analyzer):
                if "error" in body:
                    rules |= dict.fromkeys(slugs, "error" if body["error"] in (True, "true") else "warning")
    return {"rules": Setting(rules, where)} if rules else {}


def _blocks(body: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    found = body.get(name, [])
    return [block for block in (found if isinstance(found, list) else [found]) if isinstance(block, Mapping)]


def _bare(text: str) -> str:
    return text.strip('"')


def _text(value: object) -> str | None:
    """A literal string, or ``${NAME}`` for getenv("NAME"); None for what only Atlas could evaluate."""
    if not isinstance(value, str):
        return None
    word = _bare(value)
    if word.startswith('${getenv("') and word.endswith('")}'):
        return "${" + word[len('${getenv("') : -len('")}')] + "}"
    return None if word.startswith("${") or not word else word
