"""Values for later steps as environment-like files: the same names on every CI system, and no value that says more than itself."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Mapping
from pathlib import Path

from ci_runner.text import line

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


def named(values: Mapping[str, str]) -> tuple[dict[str, str], tuple[str, ...]]:
    """Outputs under their names in files, ``PILOTAGE_VERDICT``; a value with control characters stays out and is warned of."""
    ours = {f"PILOTAGE_{name.upper()}": value for name, value in values.items()}
    fit = {name: value for name, value in ours.items() if _NAME.match(name) and value.isprintable()}
    lost = tuple(f"output {line(name)} not set: its value holds control characters" for name in ours if name not in fit)
    return fit, lost


def exports(values: Mapping[str, str]) -> str:
    """Lines for a shell to source."""
    return "".join(f"export {name}={shlex.quote(value)}\n" for name, value in values.items())


def append(path: str, text: str) -> None:
    """Add to a file the CI system named; OSError when that cannot be."""
    with Path(path).open("ab") as file:
        file.write(text.encode(errors="replace"))


def write_below(root: str, folder: str, name: str, text: str) -> None:
    """Write ``root/folder/name``; OSError also where a link in the checkout would lead the text elsewhere."""
    place = Path(root, folder)
    place.mkdir(exist_ok=True)
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
    inside = os.open(place, flags)
    try:
        target = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o644, dir_fd=inside)
        with os.fdopen(target, "wb") as file:
            file.write(text.encode(errors="replace"))
    finally:
        os.close(inside)
