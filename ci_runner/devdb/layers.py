"""Folders a server writes to, laid over others that are only read, so that it starts on them without a copy (overlayfs of Linux)."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from ci_runner.devdb.server import Owner

PROGRAMS = ("sh", "mount", "unshare", "setpriv")
# Pairs of options and place up to "--", then the command: all mounts are this process's own and end with it.
_MOUNT = 'while [ "$1" != -- ]; do mount -t overlay -o "$1" pilotage "$2" || exit; shift 2; done; shift; exec "$@"'
_SPACE = ("unshare", "--mount", "--propagation", "private")
_STRANGER = ("--user", "--map-current-user", "--keep-caps")  # who is not root is somebody like it in a space of its own
_NOBODY = ("--inh-caps=-all", "--ambient-caps=-all", "--bounding-set=-all")
_SPECIAL = frozenset(',:\\"')  # what overlayfs reads in a path as something else


class Layer(NamedTuple):
    """``place`` is to show what is ``below`` and what the server changes of it, which goes to ``above``."""

    below: Path
    place: Path
    above: Path

    def options(self, owner: Owner) -> str:
        """As mount takes them. Volatile: nothing of it is ever needed again, so nobody waits for a disk."""
        plain = "" if owner.switch else "userxattr,"
        upper, work = self.above / "upper", self.above / "work"
        return f"{plain}volatile,lowerdir={self.below},upperdir={upper},workdir={work}"

    def make(self, owner: Owner) -> None:
        """The folders above, for the account the server runs as."""
        self.above.mkdir(parents=True)
        for name in ("upper", "work"):
            (self.above / name).mkdir(mode=0o700)
            os.chown(self.above / name, owner.uid, owner.gid)


def command(layers: Sequence[Layer], owner: Owner) -> tuple[str, ...]:
    """What a server's command stands behind: it mounts the layers, one after the other, and becomes the server's account."""
    pairs = [part for layer in layers for part in (layer.options(owner), str(layer.place))]
    account = (f"--reuid={owner.uid}", f"--regid={owner.gid}", "--clear-groups") if owner.switch else ()
    space = _SPACE if owner.switch else (*_SPACE, *_STRANGER)
    # Becoming another account clears the wish to die with the parent, so it is said again.
    return (
        *space,
        "--",
        "sh",
        "-c",
        _MOUNT,
        "sh",
        *pairs,
        "--",
        "setpriv",
        "--pdeathsig",
        "INT",
        *account,
        *_NOBODY,
        "--",
    )


def possible(beneath: Path, folder: Path, owner: Owner, options: Mapping[str, object]) -> bool:
    """Does this machine let ``owner`` lay a folder in ``folder`` over one in ``beneath``? It is tried, with these ``options`` of a process."""
    if not (mountable(beneath) and mountable(folder)) or not all(map(shutil.which, PROGRAMS)):
        return False
    trial = Layer(beneath / "tried", folder / "trial" / "place", folder / "trial" / "above")
    trial.make(owner)
    for path in (trial.below, trial.place):
        path.mkdir(mode=0o700)
        os.chown(path, owner.uid, owner.gid)
    tried = [*command([trial], owner), "mkdir", str(trial.place / "new")]
    try:
        done = subprocess.run(tried, capture_output=True, check=False, timeout=10, **options)  # type: ignore[call-overload]
    except (OSError, subprocess.SubprocessError):
        return False
    finally:
        trial.below.rmdir()
    return bool(done.returncode == 0 and (trial.above / "upper" / "new").is_dir())


def mountable(path: Path) -> bool:
    """Can ``path`` be named in the options of a mount?"""
    return _SPECIAL.isdisjoint(str(path))
