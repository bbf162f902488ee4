"""The engine as a process of our own, one for each session, which is ended and begun anew to interrupt it."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ci_runner.databases.address import Address
from ci_runner.databases.clickhouse.wire import Refused
from ci_runner.errors import SetupError

# Session settings: no request is repeated, a statement takes at most this much memory, and mutations are waited for.
FIRST = "SET http_max_tries = 1, s3_retry_attempts = 0, max_memory_usage = 1073741824, max_threads = 2, mutations_sync = 2, alter_sync = 2"
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC"}


def home_of(named: str) -> Path | None:
    """The folder the package ``chdb`` lies in: ``named``, or where Python finds it; None where it does not."""
    if named:
        return Path(named) if (Path(named) / "chdb").is_dir() else None
    spec = find_spec("chdb")
    return Path(spec.origin).parent.parent if spec and spec.origin else None


class Engine:
    """A session on the data of ``address.path``; ``address.options["home"]`` is where the package ``chdb`` lies."""

    def __init__(self, address: Address) -> None:
        self._folder = address.path
        self._home = address.options["home"]
        self._database = address.database
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self._interrupted = False
        self.left_open: list[str] = []
        self._start()

    def ask(self, sql: str, *, rows: bool) -> str:
        """Run ``sql``; an engine that was interrupted is begun anew for the next statement."""
        if self._process is None:
            self._start()
        return self._exchange({"sql": sql, "rows": rows})

    def interrupt(self) -> None:
        """Kill the engine: its data stays where it is."""
        with self._lock:
            self._interrupted = True
            if self._process is not None:
                self._process.kill()

    def renew(self) -> None:
        """A new engine on the same data."""
        self.close()
        self._start()

    def close(self) -> None:
        """End the engine."""
        with self._lock:
            process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    pipe.close()

    def _start(self) -> None:
        worker = Path(__file__).with_name("worker.py")
        with self._lock:
            self._interrupted = False
            self._process = subprocess.Popen(
                [sys.executable, "-I", str(worker), self._folder, self._home],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd=self._folder,
                env=ENVIRONMENT | {"TMPDIR": self._folder, "HOME": self._folder},
                text=True,
                encoding="utf-8",
            )
        first = self._line({})
        if "error" in first:
            self.close()
            raise SetupError(f"ClickHouse's engine does not start: {first['error'][:1000]}")
        self.left_open = first["open"]
        self._exchange({"sql": FIRST, "rows": False})
        if self._database:
            self._exchange({"sql": f"CREATE DATABASE IF NOT EXISTS `{self._database}`", "rows": False})
            self._exchange({"sql": f"USE `{self._database}`", "rows": False})

    def _exchange(self, request: dict[str, Any]) -> str:
        answer = self._line(request)
        if "error" in answer:
            raise Refused(answer["error"])
        return str(answer["rows"])

    def _line(self, request: dict[str, Any]) -> dict[str, Any]:
        """One line there, unless there is nothing to say, and one back."""
        process = self._process
        if process is None or process.stdin is None or process.stdout is None:
            raise Refused("the session is closed", lost=True)
        try:
            if request:
                process.stdin.write(json.dumps(request) + "\n")
                process.stdin.flush()
            line = process.stdout.readline()
        except (OSError, ValueError):
            line = ""
        if line:
            answer: dict[str, Any] = json.loads(line)
            return answer
        interrupted = self._interrupted
        self.close()
        if interrupted:
            raise Refused("Code: 394. DB::Exception: Query was cancelled. (QUERY_WAS_CANCELLED)")
        raise Refused(f"ClickHouse's engine ended by itself (exit code {process.returncode})", lost=True)
