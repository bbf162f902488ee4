"""Keeps the answer of a plain lint run, so that the same question need not be worked out again; see ``ci_runner.again``."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ci_runner import again
from ci_runner.cli.world import World

if TYPE_CHECKING:
    from ci_runner.journeys.ground import Ground
    from ci_runner.model.directory import Tree

# Settings whose value is all there is to know of them; with any other an answer may rest on what is not looked at again.
PLAIN = frozenset({"all", "dir", "dialect", "dir_format", "fail_on", "cache_dir", "tx_mode", "sum", "directives"})


def remembered(world: World, ground: Ground) -> tuple[Ground, Memory]:
    """The ground of a run that notes what it rests on, and where it notes that."""
    from msgspec.structs import replace

    memory = Memory(world, ground)
    return replace(ground, seen=memory.see, meanwhile=memory.prepare), memory


class Memory:
    """What one run rests on, noted while it runs, and at its end what it printed: where the run is none to be remembered, nothing."""

    def __init__(self, world: World, ground: Ground) -> None:
        self._world, self._ground = world, ground
        self._rests: list[tuple[str, str, str]] = []
        asked = again.question(sys.argv[1:], world.environ, terminal=sys.stdout.isatty())
        plain = set(ground.config.sources) <= PLAIN and ground.trigger.platform == "local"
        here = asked is not None and ground.cache.folder is not None and Path(asked.folder) == ground.cache.folder
        self._asked = asked if plain and here else None

    def prepare(self) -> None:
        """Look up already what keeping an answer takes."""
        if self._asked:
            again.program()

    def see(self, tree: Tree) -> None:
        """Note a folder that was read; with anything odd in it nothing is remembered."""
        if tree.irregular or tree.linked:
            self._asked = None
        if self._asked is None:
            return
        path = os.path.realpath(self._ground.root / tree.path)
        self._rests.append(("directory", path, again.digest(tree.files.items(), tree.folders)))
        depth = len(Path(os.path.relpath(path, self._ground.root)).parts)
        self._rests += [("file", *each) for each in again.around(path, depth)]

    def keep(self, text: str, code: int) -> None:
        """Remember that this command printed ``text`` and ended with ``code``; not where it warned, which is to be seen again."""
        if self._asked is None or self._world.warned:
            return
        kept = again.record(code, self._rests, text + "\n")
        if kept is not None:
            self._ground.cache.put(self._asked.key, kept)
