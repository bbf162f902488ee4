"""Add a hook to pilotage.yml as a person would: a few lines in their place, every other byte left alone."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ci_runner import config, sources
from ci_runner.config import hooks
from ci_runner.config.values import Setting
from ci_runner.errors import ConfigError, UsageError

_PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./-]*")


def add(path: Path, name: str, wanted: Mapping[str, object]) -> str:
    """Write the hook into the file at ``path``, which may not exist yet; the lines written.

    ``wanted``: kind, url_env or url_file, secret_env, events, dirs, envs. UsageError when something is missing or wrong, ConfigError when
    the file cannot take it; nothing is written then.
    """
    if bool(wanted.get("url_env")) == bool(wanted.get("url_file")):
        raise UsageError(
            "say where the address is found: --url-env NAME or --url-file FILE; it never stands in the configuration"
        )
    value = _value(name, wanted)
    hooks.parse(Setting([value], "the command line"))
    text = _text(path)
    lines = _lines(value)
    made = _inserted(text, path.name, lines)
    top, _ = config.file.read(made, path.name)
    if not any(hook.name == name for hook in hooks.parse(top["hooks"])):
        raise ConfigError(f"{path.name} cannot be edited safely; add these lines by hand:\nhooks:\n" + "\n".join(lines))
    sources.write(path.resolve(), made.encode())
    return "\n".join(lines) + "\n"


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8") if path.exists() else ""
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read as text: {error}") from None


def _value(name: str, wanted: Mapping[str, object]) -> dict[str, Any]:
    kind = "env" if wanted.get("url_env") else "file"
    value: dict[str, Any] = {"name": name, "kind": wanted.get("kind"), "url": {kind: wanted[f"url_{kind}"]}}
    if wanted.get("secret_env"):
        value["secret"] = {"env": wanted["secret_env"]}
    for key in ("events", "dirs", "envs"):
        if wanted.get(key):
            value[key] = list(wanted[key])  # type: ignore[call-overload]  # click gives tuples
    return value


def _lines(value: Mapping[str, Any]) -> list[str]:
    rows: list[str] = []
    for key, each in value.items():
        if isinstance(each, dict):
            kind, place = next(iter(each.items()))
            shown = f"{{ {kind}: {_word(place)} }}"
        else:
            shown = f"[{', '.join(map(_word, each))}]" if isinstance(each, list) else _word(each)
        rows.append(f"{'  - ' if not rows else '    '}{key}: {shown}")
    return rows


def _word(value: object) -> str:
    text = str(value)
    return text if _PLAIN.fullmatch(text) and not text.isdigit() else json.dumps(text)


def _inserted(text: str, name: str, lines: list[str]) -> str:
    import yaml

    try:
        root: Any = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError:
        raise ConfigError(f"{name} is no valid YAML: mend it first (pilotage doctor)") from None
    pairs = root.value if root is not None and root.id == "mapping" else []
    found = next((value for key, value in pairs if key.value == "hooks"), None)
    if found is None:
        joint = "" if not text or text.endswith("\n") else "\n"
        return f"{text}{joint}hooks:\n" + "\n".join(lines) + "\n"
    if found.id != "sequence" or found.flow_style or not found.value:
        raise ConfigError(
            f"'hooks' in {name} is not a list with a line for each hook; add these lines by hand:\n" + "\n".join(lines)
        )
    rows = text.splitlines()
    indent = " " * max(0, found.value[0].start_mark.column - 2)
    at = _end(found)
    return "\n".join([*rows[:at], *(indent + line[2:] for line in lines), *rows[at:]]) + "\n"


def _end(node: Any) -> int:
    """The line behind the last scalar below ``node``, counted from 0."""
    if node.id == "scalar" or not node.value or node.flow_style:
        return int(node.end_mark.line) + 1
    last = node.value[-1]
    return _end(last[1] if isinstance(last, tuple) else last)
