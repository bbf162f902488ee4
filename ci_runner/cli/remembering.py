"""Keeps the answer of a plain lint run, so that the same question need not be worked out again; see ``ci_runner.again``."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ci_runner import again
from ci_runner.cli.world import World

if TYPE_CHECKING:
    from ci_runner.journeys.ground import Ground
    from ci_runner.model.directory import Tree

# Settings whose value is all there is to know of them; with any other an answer may rest on what is not looked at again.
PLAIN = frozenset({"all", "dir", "dialect", "dir_format", "fail_on", "cache_dir", "tx_mode", "sum", "directives"})


def prepare(world: World) -> None:
    """Look up already what keeping an answer will take, where one will be kept."""
    if again.question(sys.argv[1:], world.environ, terminal=sys.stdout.isatty()):
        again.program()


def keep(world: World, ground: Ground, trees: Sequence[Tree], text: str, code: int) -> None:
    """Remember that this command printed ``text`` and ended with ``code``, having read ``trees``; not where it warned, which is to be seen again."""
    asked = again.question(sys.argv[1:], world.environ, terminal=sys.stdout.isatty())
    if asked is None or ground.cache.folder is None or Path(asked.folder) != ground.cache.folder:
        return
    if world.warned or not set(ground.config.sources) <= PLAIN or ground.trigger.platform != "local":
        return
    rests: list[tuple[str, str, str]] = []
    for tree in trees:
        if tree.irregular or tree.linked:
            return
        path = os.path.realpath(ground.root / tree.path)
        rests.append(("directory", path, again.digest(tree.files.items(), tree.folders)))
        depth = len(Path(os.path.relpath(path, ground.root)).parts)
        rests += [("file", *each) for each in again.around(path, depth)]
    kept = again.record(code, rests, text + "\n")
    if kept is not None:
        ground.cache.put(asked.key, kept)
