"""What every journey stands on: the repository, why the run happens, what it was told, and a way to speak."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime
    from pathlib import Path

    from ci_runner.cache import Cache
    from ci_runner.config import Config
    from ci_runner.model.ci import Trigger
    from ci_runner.model.directory import Tree
    from ci_runner.sources import Git
    from ci_runner.text import Redactor


class Ground(Struct, frozen=True):
    """``root`` is the repository's root (the configuration's folder outside Git); directories and ``config_file`` are relative to it."""

    root: Path
    git: Git | None
    config: Config
    config_file: str | None
    trigger: Trigger
    environ: Mapping[str, str]
    cache: Cache
    redact: Redactor
    note: Callable[[str], None]
    warn: Callable[[str], None]
    detail: Callable[[str], None]
    now: Callable[[], datetime]
    nonce: Callable[[], str]
    watched: bool = False  # somebody sits before it and waits
    commit: str | None = None  # the commit to judge where it is not the one checked out
    seen: Callable[[Tree], None] = lambda _: None  # is told of every folder that is read
    meanwhile: Callable[[], None] = lambda: None  # what can be done while another process reads


_held: list[object] = []


def hold(value: object) -> None:
    """Keep the last value of many parts until the process ends, which then does not take it apart: for 10,000 files that takes 10 ms."""
    _held[:] = [value]
