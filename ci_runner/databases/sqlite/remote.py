"""SQLite databases in a process of their own, which can be killed and has nothing to lose."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from ci_runner.databases.sqlite.worker import ANSWER, CLOSE, DUMP, LOAD, MOST, OPEN, REQUEST, ROWS, RUN
from ci_runner.errors import SetupError

LARGEST = 1024 * 1024 * 1024  # bytes of a dumped database
_SCRIPT = Path(__file__).with_name("worker.py")


class Worker:
    """The process, started at once so that it gets ready while other work is done. One request at a time."""

    def __init__(self) -> None:
        command = [sys.executable, "-I", "-S", str(_SCRIPT)]
        try:
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env={}, cwd="/"
            )
        except OSError as error:
            raise SetupError(f"cannot start {sys.executable} for SQLite: {error}") from None
        self._lock = threading.Lock()
        self._opened = 0

    @property
    def alive(self) -> bool:
        """Is it still there?"""
        return self._process.poll() is None

    def database(self) -> Remote:
        """A new empty database in it."""
        self._opened += 1
        self.ask(OPEN, self._opened)
        return Remote(self, self._opened)

    def ask(self, what: bytes, number: int, content: bytes = b"", most: int = MOST) -> tuple[bytes, bool]:
        """(answer, in a transaction?); Refusal for a refused statement, or when the process is gone."""
        with self._lock:
            try:
                self._write(REQUEST.pack(what, number, len(content)) + content)
                well, inside, length = ANSWER.unpack(self._read(ANSWER.size))
                answer = self._read(length, most)
            except OSError as error:
                raise Refusal(self._end(error), lost=True) from None
        if well:
            return answer, inside
        words, name, statement = json.loads(answer)
        raise Refusal(str(words), str(name), statement if isinstance(statement, int) else None, inside=inside)

    def kill(self) -> None:
        """End it now, whatever it does."""
        self._process.kill()

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()

    def _end(self, error: OSError) -> str:
        self._process.kill()
        code = self._process.wait()
        how = f"with signal {-code}" if code < 0 else f"with exit code {code}"
        return f"SQLite's process ended {how} ({error})"

    def _write(self, content: bytes) -> None:
        stream = self._process.stdin
        if stream is None or stream.closed:
            raise OSError("it was closed")
        stream.write(content)
        stream.flush()

    def _read(self, length: int, most: int = ANSWER.size) -> bytes:
        if length > most:
            raise OSError("the answer is too large")
        stream = self._process.stdout
        found = stream.read(length) if stream is not None and not stream.closed else b""
        if len(found) < length:
            raise OSError("it says no more")
        return found


class Refusal(Exception):  # noqa: N818 - a refusal is an answer
    """What SQLite refused, in its words, and the number of the statement; ``lost`` when its process is gone."""

    def __init__(
        self, words: str, name: str = "", statement: int | None = None, *, inside: bool = False, lost: bool = False
    ) -> None:
        super().__init__(words)
        self.name = name
        self.statement = statement
        self.inside = inside
        self.lost = lost


class Remote:
    """One database in memory of a worker."""

    def __init__(self, worker: Worker, number: int) -> None:
        self.in_transaction = False
        self._worker = worker
        self._number = number

    def run(self, statements: Sequence[str], *, transaction: bool = False) -> None:
        """Run them in order, in one request; Refusal tells which was refused."""
        self._ask(RUN, json.dumps({"statements": statements, "transaction": transaction}).encode())

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of a query of our own; no blobs."""
        return [tuple(row) for row in json.loads(self._ask(ROWS, sql.encode()))]

    def dump(self) -> bytes:
        """The whole database as bytes; none for one that was never written to."""
        return self._ask(DUMP, most=LARGEST)

    def load(self, data: bytes) -> None:
        """Take on a dumped state."""
        self._ask(LOAD, data)

    def interrupt(self) -> None:
        """Stop the running statement, and all else in the worker: what does not end may not listen either."""
        self._worker.kill()

    def close(self) -> None:
        """Forget the database."""
        if self._worker.alive:
            with suppress(Refusal):
                self._ask(CLOSE)

    def _ask(self, what: bytes, content: bytes = b"", most: int = MOST) -> bytes:
        try:
            answer, self.in_transaction = self._worker.ask(what, self._number, content, most)
        except Refusal as refusal:
            self.in_transaction = refusal.inside
            raise
        return answer
