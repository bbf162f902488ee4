"""Reads pilotage.yml into settings that remember their line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ci_runner.config.options import BY_NAME, OPTIONS, flag, variable
from ci_runner.config.values import REGISTRY_LISTS, Setting
from ci_runner.errors import ConfigError

Node = Any  # yaml's nodes carry their class in an untyped attribute

LIMIT = 256 * 1024
DEPTH = 12
NODES = 20_000

TOP = frozenset(o.name for o in OPTIONS if o.file) | {"directories", "hooks", "environments"}
ENTRY = frozenset(o.name for o in OPTIONS if o.file and o.scope == "directory") | {"name"}
REGISTRY = frozenset({"url", *REGISTRY_LISTS})

File = tuple[dict[str, Setting], tuple[dict[str, Setting], ...]]


def read(text: str, name: str) -> File:
    """The file's top-level settings and those of each entry of ``directories``.

    Raises ConfigError with file:line for YAML that does not parse, unknown or repeated keys and values of the wrong shape.
    """
    root = compose(text, name)
    if root is None:
        return {}, ()
    top = _settings(root, name, TOP)
    entries = top.pop("directories", None)
    top |= _registry(top.pop("registry", None))
    if entries is None:
        return top, ()
    if not isinstance(entries.value, list) or not entries.value:
        raise ConfigError(f"'directories' in {entries.source} must be a list of directories, each with 'dir'")
    return top, tuple(_settings(node, name, ENTRY) for node in entries.value)


def compose(text: str, name: str, limit: int = LIMIT) -> Node | None:
    """The mapping that a YAML file holds, as nodes that know their lines; None for an empty file. ConfigError for anything else."""
    import yaml

    if len(text) > limit:
        raise ConfigError(f"{name} is larger than {limit // 1024} KiB: that is no configuration file")
    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        root: Node = yaml.compose(text, Loader=loader)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{name}:{mark.line + 1}" if mark else name
        problem = getattr(error, "problem", None) or "it is nested too deeply or holds characters YAML does not allow"
        raise ConfigError(f"{where} is not valid YAML: {problem}") from None
    if root is None or (root.id == "scalar" and not root.value):
        return None
    if root.id != "mapping":
        raise ConfigError(f"{name}:1 must hold 'option: value' lines")
    return root


def _settings(node: Node, name: str, known: frozenset[str]) -> dict[str, Setting]:
    if node.id != "mapping":
        raise ConfigError(f"{_at(node, name)}: expected 'option: value' lines here")
    found: dict[str, Setting] = {}
    for key, value in _items(node, name):
        where = _at(key, name)
        if key.value not in known:
            raise ConfigError(f"unknown option '{key.value}' in {where}{_meant(key.value, known)}")
        if key.value in found:
            raise ConfigError(f"option '{key.value}' stands twice, the second time in {where}: remove one")
        raw: object = (
            value.value if key.value == "directories" and value.id == "sequence" else _plain(value, name, [NODES])
        )
        found[key.value] = Setting(raw, where, _places(value, name))
    return found


def _places(node: Node, name: str) -> dict[str, str]:
    """Where each part of a value stands."""
    if node.id == "sequence":
        return {str(number): _at(item, name) for number, item in enumerate(node.value, 1)}
    return {key.value: _at(key, name) for key, _ in _items(node, name)} if node.id == "mapping" else {}


def _items(node: Node, name: str) -> Iterator[tuple[Node, Node]]:
    for key, value in node.value:
        if key.id != "scalar":
            raise ConfigError(f"{_at(key, name)}: an option's name must be a plain word")
        yield key, value


def _plain(node: Node, name: str, budget: list[int], depth: int = 0) -> object:
    """Node → str, int, None, list or dict of them; aliases cannot multiply, because depth and number of nodes are bounded."""
    budget[0] -= 1
    if depth > DEPTH or budget[0] < 0:
        raise ConfigError(f"{_at(node, name)}: nested too deeply, or too many values")
    if node.id == "sequence":
        return [_plain(item, name, budget, depth + 1) for item in node.value]
    if node.id == "mapping":
        found: dict[str, object] = {}
        for key, value in _items(node, name):
            if key.value in found:
                raise ConfigError(f"'{key.value}' stands twice, the second time in {_at(key, name)}: remove one")
            found[key.value] = _plain(value, name, budget, depth + 1)
        return found
    if node.tag.endswith((":bool", ":int", ":null")):
        return _scalar(node)
    return str(node.value)


def _scalar(node: Node) -> object:
    if node.tag.endswith(":null"):
        return None
    if node.tag.endswith(":bool"):
        # "off" is a severity as well as YAML's false: who asks decides, so keep the word
        return str(node.value)
    try:
        return int(str(node.value).replace("_", ""))
    except ValueError:
        return str(node.value)


def _registry(setting: Setting | None) -> dict[str, Setting]:
    """``registry: url`` or ``registry: {url, backups, publish}`` → the settings of those names; the address is ``registry``."""
    if setting is None:
        return {}
    if not isinstance(setting.value, Mapping):
        return {"registry": setting}
    for key in setting.value:
        if key not in REGISTRY:
            raise ConfigError(f"unknown option 'registry.{key}' in {setting.source}{_meant(key, REGISTRY)}")
    found = {"registry": Setting(setting.value.get("url"), setting.source)}
    return found | {
        name: Setting(setting.value[name], setting.source) for name in REGISTRY_LISTS if name in setting.value
    }


def _at(node: Node, name: str) -> str:
    return f"{name}:{node.start_mark.line + 1}"


def _meant(word: str, known: frozenset[str]) -> str:
    """What somebody may have meant who wrote ``word`` where only ``known`` are options."""
    option = BY_NAME.get(str(word).replace("-", "_"))
    if option is not None and not option.file:
        how = [flag(option)] if option.commands else []
        return f": it is said run by run, with {' or '.join([*how, variable(option)])}"
    if option is not None and known is ENTRY:
        return ": it is the same for all directories and stands at the top of the file"
    from difflib import get_close_matches

    close = get_close_matches(str(word).replace("-", "_"), known, 1, 0.6)
    return f" — did you mean '{close[0]}'?" if close else f" — known are: {', '.join(sorted(known))}"


def secret_in_clear(setting: Setting, option: str) -> bool:
    """Whether a secret option of the committed file holds a password in clear instead of naming a variable."""
    value = str(setting.value or "")
    if not BY_NAME[option].secret or value.startswith("${"):
        return False
    authority = value.split("://", 1)[-1].split("/", 1)[0]
    return "@" in authority and ":" in authority.rsplit("@", 1)[0]
