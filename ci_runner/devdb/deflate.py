"""Content that is kept deflated, written and read piece by piece; whoever keeps it has a hash of it."""

from __future__ import annotations

import io
import os
import zlib
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from queue import Empty, Queue
from threading import Thread
from typing import IO

LEVEL = 1  # half the time of the usual one, and a quarter more bytes
UNREADABLE = (OSError, EOFError, zlib.error)
_RAW = -15  # without a checksum of its own, which takes as long as all else
_PIECE = 256 * 1024
_BLOCK = 1024 * 1024
_THREADS = 4
_AHEAD = 16  # pieces


class Deflating:
    """Hands what is written to ``write``, deflated in blocks by several threads, in order; the last of it with :meth:`finish`.

    Each block ends at a byte and looks back at no other, so that one behind the other they are a stream as any.
    """

    def __init__(self, write: Callable[[bytes], object]) -> None:
        self._write = write
        self._width = min(os.cpu_count() or 1, _THREADS)
        self._threads = ThreadPoolExecutor(self._width)
        self._deflated: deque[Future[bytes]] = deque()
        self._block = bytearray()

    def write(self, content: bytes) -> int:
        """All of it."""
        self._block += content
        if len(self._block) >= _BLOCK:
            self._hand_over(zlib.Z_FULL_FLUSH)
        return len(content)

    def finish(self) -> None:
        """Without this the content is none."""
        self._hand_over(zlib.Z_FINISH)
        self._take(0)

    def close(self) -> None:
        """End the threads."""
        self._threads.shutdown(cancel_futures=True)

    def _hand_over(self, end: int) -> None:
        self._deflated.append(self._threads.submit(_deflated, bytes(self._block), end))
        self._block.clear()
        self._take(2 * self._width)

    def _take(self, left: int) -> None:
        """Pass on what is done first, until no more than ``left`` blocks are waited for."""
        while len(self._deflated) > left:
            self._write(self._deflated.popleft().result())


def _deflated(block: bytes, end: int) -> bytes:
    deflate = zlib.compressobj(LEVEL, zlib.DEFLATED, _RAW)
    return deflate.compress(block) + deflate.flush(end)


class Inflated(io.RawIOBase):
    """The content of what was deflated, made by a thread of its own while what came before is used. To be closed before ``file``.

    Reading raises one of UNREADABLE where that is damaged, or not all there.
    """

    def __init__(self, file: IO[bytes]) -> None:
        super().__init__()
        self._pieces: Queue[bytes | Exception] = Queue(_AHEAD)
        self._ready = b""
        self._at = 0
        self._thread = Thread(target=self._inflate, args=(file,), daemon=True)
        self._thread.start()

    def readable(self) -> bool:
        """It is."""
        return True

    def read(self, size: int = -1) -> bytes:
        """So many bytes, fewer at the end alone; all that are left where no number is given."""
        if size < 0:
            return self.readall()
        if size > len(self._ready) - self._at:
            self._have(size)
        content = self._ready[self._at : self._at + size]
        self._at += len(content)
        return content

    def close(self) -> None:
        """And have the thread end, wherever it is."""
        while self._thread.is_alive():
            with suppress(Empty):
                self._pieces.get(timeout=0.01)
        super().close()

    def _have(self, size: int) -> None:
        """At least ``size`` bytes ready, or all there are."""
        parts = [self._ready[self._at :]]
        ready = len(parts[0])
        while ready < size:
            piece = self._pieces.get()
            if isinstance(piece, Exception):
                raise piece
            if not piece:
                self._pieces.put(piece)  # to be met again
                break
            parts.append(piece)
            ready += len(piece)
        self._ready, self._at = b"".join(parts), 0

    def _inflate(self, file: IO[bytes]) -> None:
        end: bytes | Exception = b""
        try:
            for piece in _pieces(file):
                self._pieces.put(piece)
        except UNREADABLE as error:
            end = error
        self._pieces.put(end)


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    inflate = zlib.decompressobj(_RAW)
    while not inflate.eof:
        deflated = inflate.unconsumed_tail or file.read(_PIECE)
        piece = inflate.decompress(deflated, _PIECE)
        if piece:
            yield piece
        elif not deflated:
            raise EOFError("it ends too early")
