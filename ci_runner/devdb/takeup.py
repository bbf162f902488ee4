"""Starts a server of our own on a kept base: laid over an unpacked one where this machine can do that, else on one unpacked for the run."""

from __future__ import annotations

import os
import signal
import zlib
from collections.abc import Callable
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from typing import IO

from ci_runner.devdb import layers
from ci_runner.devdb.packing import PackError, unpack
from ci_runner.devdb.server import Server
from ci_runner.devdb.shelf import Slot
from ci_runner.devdb.unpacked import Copies, Unpacked, discard, unpacked
from ci_runner.devdb.workdir import removed, room
from ci_runner.errors import PilotageError

BELOW = "below"
_UNFIT = (PackError, OSError, EOFError, zlib.error, PilotageError)


def taken_up(
    server: Server, slot: Slot, configure: Callable[[Server], None], held: ExitStack, *, lasting: bool
) -> bool:
    """Start the server on the base in ``slot``; False, with nothing left of it, when there is none or it is not fit.

    ``configure`` writes its configuration; ``held`` is unwound when the server has ended; ``lasting``: what is unpacked is there for the
    next run, too.
    """
    if not slot.path.exists():
        return False
    if _laid_over(server, slot, configure, held, lasting=lasting):
        return True
    with slot.reading() as stream:
        if stream is None:
            return False
        try:
            unpack(stream, server.data, _account(server))
            configure(server)
            server.start()
        except _UNFIT:
            server.stop(signal.SIGKILL)
            removed(server.data)
            slot.discard()
            return False
    return True


def _laid_over(
    server: Server, slot: Slot, configure: Callable[[Server], None], held: ExitStack, *, lasting: bool
) -> bool:
    """Start it on layers over the unpacked base. False where that cannot be, for whatever reason: there is a plain way."""
    make = partial(_unpack_below, server)
    try:
        with ExitStack() as stack:
            found = stack.enter_context(unpacked(slot, make)) if lasting else _unpacked_here(server, slot, make)
            if found is None:
                return False
            _lay(server, found)
            configure(server)
            server.start()
            held.push(stack.pop_all())
    except _UNFIT:
        server.stop(signal.SIGKILL)
        server.lay_over((), None)
        discard(slot)
        for path in (server.data, server.folder / "layers", server.folder / "written", server.place / BELOW):
            removed(path)
        return False
    with suppress(OSError):
        os.utime(slot.path)
    return True


def _lay(server: Server, found: Unpacked) -> None:
    """The data folder over the base and, when the server runs, each copy of a database over the one that it is a copy of.

    A server that starts looks through all folders for files to be removed, and one of thousands of files that others are laid over is
    read slowly.
    """
    if not layers.mountable(found.folder):
        raise PackError("its folder cannot be mounted")
    written = server.folder / "written"
    first = layers.Layer([written, found.folder], server.data)
    copies = [layers.Layer([found.folder / of], server.data / copy) for copy, of in found.copies.items()]
    server.data.mkdir()
    written.mkdir()
    server.lay_over(layers.command(first, copies, _above(server), server.owner), written, more=bool(copies))


def _above(server: Server) -> layers.Above:
    folder = server.folder / "layers"
    folder.mkdir(exist_ok=True)
    return layers.Above(folder, room(folder))


def _unpack_below(server: Server, stream: IO[bytes], folder: Path) -> Copies:
    if not layers.possible(folder.parent, _above(server), server.owner, server.options(switched=False)):
        raise PackError("nothing can be laid over it")
    return unpack(stream, folder, _account(server), copying=False)


def _unpacked_here(server: Server, slot: Slot, make: Callable[[IO[bytes], Path], Copies]) -> Unpacked | None:
    """The base unpacked for this run alone."""
    folder = server.place / BELOW
    with slot.reading() as stream:
        return Unpacked(folder, make(stream, folder)) if stream is not None else None


def _account(server: Server) -> tuple[int, int] | None:
    return (server.owner.uid, server.owner.gid) if server.owner.switch else None
