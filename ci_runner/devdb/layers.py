"""Folders a server writes to, laid over others that are only read, so that it starts on them without a copy (overlayfs of Linux)."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from ci_runner.devdb.server import Owner
from ci_runner.devdb.workdir import removed

PROGRAMS = ("sh", "install", "mount", "unshare", "setpriv")
_SPACE = ("unshare", "--mount", "--propagation", "private")  # all mounts are the command's own and end with it
_STRANGER = ("--user", "--map-current-user", "--keep-caps")  # who is not root is somebody like it in a space of its own
_NOBODY = ("--inh-caps=-all", "--ambient-caps=-all", "--bounding-set=-all")
_SPECIAL = frozenset(',:\\"')  # what overlayfs reads in a path as something else
_MEMORY = "mount -t tmpfs -o size={room},mode=0711{large} pilotage {folder}"
# In pieces as large as what is written at once, memory is filled in a third of the time; old kernels ignore or refuse the word.
_LARGE = ",huge=within_size"
# This process is the server's child when it has ended, so it must not end with a failure: the server would start anew.
_LATER = "exec 3<&0 4>&1; {{ read -r line <&3 && {mounts} && echo laid >&4; exit 0; }} &"
_BECOME = 'exec "$@" </dev/null >&2 3<&- 4>&-'


class Layer(NamedTuple):
    """``place`` is to show what is ``below``, the first of several above the others, and what the server changes of it."""

    below: Sequence[Path]
    place: Path


class Above(NamedTuple):
    """A folder for what is changed. With ``room``, in bytes, it lies in memory of the command's own; without, in the folder."""

    folder: Path
    room: int | None


def command(first: Layer, later: Sequence[Layer], above: Above, owner: Owner) -> tuple[str, ...]:
    """What a server's command stands behind: it lays the first layer and becomes the server's account.

    The others are laid when a line comes on its standard input; when they are, it says so on its standard output.
    """
    account = (f"--reuid={owner.uid}", f"--regid={owner.gid}", "--clear-groups") if owner.switch else ()
    space = _SPACE if owner.switch else (*_SPACE, *_STRANGER)
    room, (mount, *mounts) = _room(above), _mounts([first, *later], above, owner)
    script = "\n".join(
        [f"{room} && {mount} || exit", *([_LATER.format(mounts=" && ".join(mounts))] if mounts else []), _BECOME]
    )
    # Becoming another account clears the wish to die with the parent, so it is said again.
    return (*space, "--", "sh", "-c", script, "sh", "setpriv", "--pdeathsig", "INT", *account, *_NOBODY, "--")


def _room(above: Above) -> str:
    if above.room is None:
        return ":"
    large, plain = (
        _MEMORY.format(room=above.room, large=large, folder=shlex.quote(str(above.folder))) for large in (_LARGE, "")
    )
    return f"{{ {large} 2>/dev/null || {plain}; }}"


def _mounts(layers: Sequence[Layer], above: Above, owner: Owner) -> list[str]:
    """Commands, one for each layer. Volatile: nothing of it is ever needed again, so nobody waits for a disk."""
    who = ["-o", str(owner.uid), "-g", str(owner.gid)] if owner.switch else []
    made = []
    for number, layer in enumerate(layers):
        upper, work = (str(above.folder / f"{number}-{name}") for name in ("upper", "work"))
        options = f"volatile,lowerdir={':'.join(map(str, layer.below))},upperdir={upper},workdir={work}"
        options += "" if owner.switch else ",userxattr"
        folders = shlex.join(["install", "-d", "-m", "700", *who, upper, work])
        mount = shlex.join(["mount", "-t", "overlay", "-o", options, "pilotage", str(layer.place)])
        made.append(f"{folders} && {mount}")
    return made


def possible(beneath: Path, above: Above, owner: Owner, options: Mapping[str, object]) -> bool:
    """Does this machine let ``owner`` lay a folder over one in ``beneath``? It is tried, with these ``options`` of a process."""
    if not (mountable(beneath) and mountable(above.folder)) or not all(map(shutil.which, PROGRAMS)):
        return False
    trial = above.folder.with_name("trial")
    below, place = beneath / "tried", trial / "place"
    trial.mkdir()
    for path in (below, place):
        path.mkdir(mode=0o700)
        os.chown(path, owner.uid, owner.gid)
    here = Above(trial / "above", above.room)
    here.folder.mkdir()
    tried = [*command(Layer([below], place), [], here, owner), "mkdir", str(place / "new")]
    try:
        done = subprocess.run(tried, capture_output=True, check=False, timeout=10, **options)  # type: ignore[call-overload]
        return bool(done.returncode == 0 and not any(below.iterdir()) and not any(place.iterdir()))
    except (OSError, subprocess.SubprocessError):
        return False
    finally:
        for path in (below, trial):
            removed(path)


def mountable(path: Path) -> bool:
    """Can ``path`` be named in the options of a mount?"""
    return _SPECIAL.isdisjoint(str(path))
