"""Reads and writes stats.yml: the rows and bytes of production's tables."""

from __future__ import annotations

from typing import Any

from ci_runner.config.file import compose
from ci_runner.errors import ConfigError
from ci_runner.model.stats import Size, Stats
from ci_runner.text.pattern import later

LIMIT = 4 * 1024 * 1024  # characters
TABLES = 50_000
VERSION = 1
KEYS = ("version", "taken", "engine", "tables")
DIGITS = 3  # that count: an estimate that wavers leaves the file as it was

# What YAML takes for no character or for the end of a line (https://yaml.org/spec/1.1/#id868524).
_HIDDEN = later("[\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")
Node = Any  # yaml's nodes carry their class in an untyped attribute


def read(text: str, name: str) -> Stats:
    """What the file says; ConfigError with file:line for anything it must not hold."""
    root = compose(text, name, LIMIT)
    if root is None:
        return Stats()
    top: dict[str, Node] = {}
    for key, value in root.value:
        if key.value not in KEYS:
            raise ConfigError(f"{_at(key, name)}: unknown key '{key.value}' (known are: {', '.join(KEYS)})")
        if key.value in top:
            raise ConfigError(f"{_at(key, name)}: '{key.value}' stands twice: remove one")
        top[key.value] = value
    version = top.get("version")
    if version is not None and version.value != str(VERSION):
        raise ConfigError(f"{_at(version, name)}: version {version.value} is not {VERSION}, the only one that is known")
    tables = top.get("tables")
    return Stats(_tables(tables, name) if tables is not None else {}, _word(top.get("taken")), _word(top.get("engine")))


def _tables(node: Node, name: str) -> dict[str, Size]:
    if node.id == "scalar" and not node.value:
        return {}
    if node.id != "mapping" or len(node.value) > TABLES:
        raise ConfigError(f"{_at(node, name)}: 'tables' must map at most {TABLES:,} names to rows and bytes")
    found: dict[str, Size] = {}
    for key, value in node.value:
        if key.id != "scalar" or not key.value:
            raise ConfigError(f"{_at(key, name)}: a table's name must be a plain word")
        if key.value in found:
            raise ConfigError(f"{_at(key, name)}: table '{key.value}' stands twice: remove one")
        found[key.value] = _size(value, key.value, name)
    return found


def _size(node: Node, table: str, name: str) -> Size:
    if node.id == "scalar":
        return Size(_number(node, table, name))
    if node.id != "mapping" or len(node.value) > len(Size._fields):
        raise ConfigError(f"{_at(node, name)}: table '{table}' must have a number of rows, or rows and bytes")
    given: dict[str, int | None] = {}
    for key, value in node.value:
        if key.value not in Size._fields:
            raise ConfigError(f"{_at(key, name)}: table '{table}' has '{key.value}': known are rows and bytes")
        given[key.value] = _number(value, table, name)
    return Size(given.get("rows"), given.get("bytes"))


def _number(node: Node, table: str, name: str) -> int | None:
    text = str(node.value).replace("_", "") if node.id == "scalar" else ""
    if text in ("", "null", "~") and node.id == "scalar":
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise ConfigError(
            f"{_at(node, name)}: table '{table}' must have whole numbers from 0, not '{str(node.value)[:40]}'"
        )
    return int(text)


def written(stats: Stats) -> str:
    """The file: one line a table, sorted by name, numbers to three digits that count."""
    rows = [
        "# How large production's tables are, so that findings can say it (docs/data.md). Written by pilotage stats.",
        f"version: {VERSION}",
        f"taken: {_quoted(stats.taken)}",
        f"engine: {_quoted(stats.engine)}",
        "tables:" if stats.tables else "tables: {}",
    ]
    for name, size in sorted(stats.tables.items()):
        facts = [
            f"{key}: {_rounded(value)}" for key, value in zip(size._fields, size, strict=True) if value is not None
        ]
        rows.append(f"  {_quoted(name)}: {{{', '.join(facts)}}}")
    return "\n".join(rows) + "\n"


def _quoted(text: str) -> str:
    """Text as YAML writes it between double quotes; what does not print is spelt out."""
    import json

    plain = json.dumps(text, ensure_ascii=False)
    return _HIDDEN.sub(lambda match: f"\\u{ord(match[0]):04x}", plain)


def _rounded(number: int) -> int:
    return round(number, DIGITS - len(str(number))) if number >= 10**DIGITS else number


def _word(node: Node | None) -> str:
    return str(node.value)[:200] if node is not None and node.id == "scalar" else ""


def _at(node: Node, name: str) -> str:
    return f"{name}:{node.start_mark.line + 1}"
