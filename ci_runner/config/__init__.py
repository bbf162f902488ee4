"""Default < file < environment < flag: one Config from four places, each value remembering where it came from."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from ci_runner.config import file
from ci_runner.config import options as manifest
from ci_runner.config.options import BY_NAME, OPTIONS, Option
from ci_runner.config.pattern import Pattern, pattern
from ci_runner.config.values import REGISTRY_LISTS, Config, Directory, Setting
from ci_runner.errors import ConfigError
from ci_runner.text.pattern import later

if TYPE_CHECKING:
    from ci_runner.config.environments import Environment
    from ci_runner.config.hooks import Hook

__all__ = ["Config", "Directory", "Setting", "file", "load", "relocate"]

Settings = dict[str, Setting]
_SPELLINGS = {"tsql": "sqlserver", "mssql": "sqlserver", "postgresql": "postgres", "golang_migrate": "golang-migrate"}
_VERSION = later(r"[^\d\s]{0,20}\d")
_NAME = later(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}\Z")
_VARIABLE = later(r"\$\{(\w+)\}\Z")


def load(
    found: tuple[Settings, tuple[Settings, ...]], environ: Mapping[str, str], flags: Mapping[str, object]
) -> Config:
    """The Config of a run.

    ``found`` is what ``config.file.read`` (or a reader of a foreign configuration) returned, ``environ`` the environment with
    wrapper inputs already under their PILOTAGE_ names, ``flags`` option name → value of those given. Raises ConfigError
    naming the place of the wrong value.
    """
    top, entries = found
    hooks, environments = top.get("hooks"), top.get("environments")
    top = {name: setting for name, setting in top.items() if name not in {"hooks", "environments"}}
    for settings in (top, *entries):
        _no_secrets(settings)
    above = _variables(environ) | _flags(flags)
    run = {name: s for name, s in (top | above).items() if name in REGISTRY_LISTS or BY_NAME[name].scope == "run"}
    own = {name: s for name, s in top.items() if name in BY_NAME and BY_NAME[name].scope == "directory"}
    over = {name: s for name, s in above.items() if BY_NAME[name].scope == "directory"}
    directories = tuple(_directory(settings, environ) for settings in _entries(own, entries, over))
    _unique(directories)
    apart = {"report", *REGISTRY_LISTS}
    values = {name: _value(BY_NAME[name], s, environ) for name, s in run.items() if name not in apart}
    return Config(
        directories=directories,
        reports=tuple(_report(s, text) for s in [run.get("report")] if s for text in _list(s)),
        backups=_addresses(run.get("backups"), environ),
        publish=_addresses(run.get("publish"), environ),
        hooks=_hooks(hooks) if hooks else (),
        environments=_environments(environments) if environments else (),
        sources=MappingProxyType({name: s.source for name, s in (top | above).items()}),
        **values,  # type: ignore[arg-type]  # checked by _value against the manifest
    )


def _addresses(setting: Setting | None, environ: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(_expand(text, setting, environ) for text in _list(setting)) if setting else ()


def _environments(setting: Setting) -> tuple[Environment, ...]:
    from ci_runner.config import environments

    return environments.parse(setting)


def _hooks(setting: Setting) -> tuple[Hook, ...]:
    from ci_runner.config import hooks

    return hooks.parse(setting)


def relocate(config: Config, folder: str) -> Config:
    """The same Config with directories and files relative to the repository's root, when its file lies in ``folder`` below it."""
    if folder == ".":
        return config
    return replace(config, directories=tuple(_moved(d, folder) for d in config.directories))


def _moved(directory: Directory, folder: str) -> Directory:
    paths = {name: getattr(directory, name) for name in manifest.PATHS}
    moved = {name: _clean(posixpath.normpath(posixpath.join(folder, path))) for name, path in paths.items() if path}
    return replace(directory, **moved)


def _variables(environ: Mapping[str, str]) -> Settings:
    """PILOTAGE_* of the manifest; an empty value means "not given" (wrappers pass every input on)."""
    found = {}
    for option in OPTIONS:
        name = manifest.variable(option)
        if environ.get(name):
            found[option.name] = Setting(environ[name], name)
    return found


def _flags(flags: Mapping[str, object]) -> Settings:
    return {
        name: Setting(value, manifest.flag(BY_NAME[name])) for name, value in flags.items() if value not in (None, ())
    }


def _entries(own: Settings, entries: tuple[Settings, ...], over: Settings) -> Iterable[Settings]:
    """Settings of each directory: an entry over the file's common ones, under environment and flags; ``--dir`` picks."""
    picked = over.get("dir")
    rest = {name: s for name, s in over.items() if name != "dir"}
    if not entries:
        return [_over(own, over)]
    if picked is None:
        return [_over(own, entry, rest) for entry in entries]
    wanted = _clean(str(picked.value))
    chosen = [e for e in entries if wanted in {_clean(str(e["dir"].value)) if "dir" in e else "", _word(e.get("name"))}]
    return [_over(own, entry, rest) for entry in chosen] or [_over(own, over)]


def _over(*layers: Settings) -> Settings:
    """Later layers win; severities of rules and patterns of names are merged one by one."""
    merged: Settings = {}
    for layer in layers:
        for name, setting in layer.items():
            before = merged.get(name)
            each = _EACH.get(name)
            if each and before is not None:
                setting = Setting({**each(before), **each(setting)}, setting.source)  # noqa: PLW2901
            merged[name] = setting
    return merged


def _directory(settings: Settings, environ: Mapping[str, str]) -> Directory:
    values = {n: _value(BY_NAME[n], s, environ) for n, s in settings.items() if n not in {"name", *_EACH}}
    directory = _clean(str(values.pop("dir", None) or BY_NAME["dir"].default))
    name = _word(settings.get("name")) or default_name(directory)
    if not _NAME.match(name):
        where = settings["name"].source if "name" in settings else f"directory '{directory}'"
        raise ConfigError(
            f"'{name}' ({where}) cannot name a directory: letters, digits, dashes and underscores, at most 63"
        )
    each = {option: parse(settings[option]) for option, parse in _EACH.items() if option in settings}
    return Directory(name=name, dir=directory, **each, **{n: v for n, v in values.items() if v is not None})  # type: ignore[arg-type]


def default_name(directory: str) -> str:
    """The registry name of a directory that was given none: its path with everything odd turned into dashes."""
    return re.sub(r"[^A-Za-z0-9]+", "-", directory).strip("-")[:63] or "migrations"


def _unique(directories: tuple[Directory, ...]) -> None:
    names: dict[str, str] = {}
    for directory in directories:
        other = names.setdefault(directory.name.lower(), directory.dir)
        if other != directory.dir:
            raise ConfigError(
                f"directories '{other}' and '{directory.dir}' share the name '{directory.name}': give one another 'name'"
            )


def _value(option: Option, setting: Setting, environ: Mapping[str, str]) -> object:
    value = setting.value
    if isinstance(value, (list, dict)):
        raise ConfigError(f"{_called(option, setting)} must be a single value")
    if value is None:
        return option.default
    parse = _PARSERS.get(option.kind)
    if parse:
        return parse(option, setting)
    text = _expand(str(value), setting, environ)
    if option.kind == "version" and text and not _VERSION.match(text):
        raise ConfigError(f"{_called(option, setting)} must be a version such as 16 or 8.0.36, not '{text}'")
    return text


def _called(option: Option, setting: Setting) -> str:
    """What a message calls an option: the flag or variable as it was written, else its name and its line."""
    as_written = {manifest.flag(option), manifest.variable(option)}
    return setting.source if setting.source in as_written else f"'{option.name}' in {setting.source}"


def _choice(option: Option, setting: Setting) -> str:
    word = str(setting.value).strip().lower()
    word = _SPELLINGS.get(word, word)
    if word not in option.choices:
        from difflib import get_close_matches

        close = get_close_matches(word, option.choices, 1, 0.5)
        hint = f" — did you mean '{close[0]}'?" if close else ""
        raise ConfigError(
            f"unknown {option.name} '{setting.value}' in {setting.source}{hint} (one of {', '.join(option.choices)})"
        )
    return word


def _switch(option: Option, setting: Setting) -> bool:
    word = str(setting.value).strip().lower()
    if word in {"true", "yes", "on", "1"}:
        return True
    if word in {"false", "no", "off", "0"}:
        return False
    raise ConfigError(f"{_called(option, setting)} must be true or false, not '{setting.value}'")


def _integer(option: Option, setting: Setting) -> int:
    try:
        number = int(str(setting.value))
    except ValueError:
        number = 0
    if number < 1:
        raise ConfigError(f"{_called(option, setting)} must be a whole number from 1, not '{setting.value}'")
    return number


_PARSERS: dict[str, Callable[[Option, Setting], object]] = {"choice": _choice, "switch": _switch, "integer": _integer}


def _rules(setting: Setting) -> dict[str, str]:
    value = setting.value
    if isinstance(value, str):
        pairs = [part.partition("=") for part in value.split(",") if part.strip()]
        value = {name.strip(): severity.strip() for name, _, severity in pairs}
    if not isinstance(value, Mapping):
        raise ConfigError(f"'rules' in {setting.source} must map rule names to a severity")
    value = {rule: "off" if severity in {"false", "no"} else severity for rule, severity in value.items()}
    for rule, severity in value.items():
        if severity not in manifest.SEVERITIES:
            raise ConfigError(
                f"rule '{rule}' in {setting.at(rule)} has severity '{severity}': use {', '.join(manifest.SEVERITIES)}"
            )
    return {str(rule): str(severity) for rule, severity in value.items()}


def _naming(setting: Setting) -> dict[str, Pattern]:
    value = setting.value
    if isinstance(value, str):
        value = {name.strip(): text for name, _, text in (line.partition("=") for line in value.splitlines())}
    if not isinstance(value, Mapping):
        raise ConfigError(f"'naming' in {setting.source} must map kinds of objects to a regular expression")
    for kind, text in value.items():
        if kind not in manifest.NAMED:
            raise ConfigError(
                f"unknown kind '{kind}' of 'naming' in {setting.at(kind)}: use {', '.join(manifest.NAMED)}"
            )
        if not isinstance(text, (str, Pattern)):
            raise ConfigError(f"'naming.{kind}' in {setting.at(kind)} must be a regular expression, in quotes")
    return {
        kind: text if isinstance(text, Pattern) else pattern(text, f"{setting.at(kind)} (naming.{kind})")
        for kind, text in value.items()
    }


_EACH: dict[str, Callable[[Setting], dict[str, Any]]] = {"rules": _rules, "naming": _naming}


def _report(setting: Setting, text: str) -> tuple[str, str]:
    form, equals, path = text.partition("=")
    known = (*manifest.REPORTS, "html")
    if not equals or not path or form not in known:
        raise ConfigError(f"report '{text}' in {setting.source} is not FORMAT=FILE with a format of {', '.join(known)}")
    return form, path


def _list(setting: Setting) -> list[str]:
    if isinstance(setting.value, (list, tuple)):
        return [str(item) for item in setting.value]
    return [item.strip() for item in str(setting.value).split(",") if item.strip()]


def _expand(text: str, setting: Setting, environ: Mapping[str, str]) -> str:
    """``${NAME}`` as a whole value names a variable. Never a part of one: a changed file could send a secret to a host it names."""
    found = _VARIABLE.match(text)
    if found is None:
        return text
    if not environ.get(found[1]):
        raise ConfigError(f"{setting.source} takes its value from the variable {found[1]}, which is not set")
    return environ[found[1]]


def _no_secrets(settings: Settings) -> None:
    for name, setting in settings.items():
        if name in BY_NAME and file.secret_in_clear(setting, name):
            raise ConfigError(
                f"'{name}' in {setting.source} holds a password in clear: put the address into a variable and write ${{NAME}}"
            )


def _clean(path: str) -> str:
    path = path.removeprefix("file://").replace("\\", "/").rstrip("/") or "."
    while path.startswith("./"):
        path = path[2:]
    return path or "."


def _word(setting: Setting | None) -> str:
    return str(setting.value) if setting is not None and setting.value is not None else ""
