"""A PostgreSQL server process of our own: as which account it runs, started, stopped for certain, and gone with this program."""

from __future__ import annotations

import os
import pwd
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from ci_runner.databases import Address
from ci_runner.devdb.isolation import Limits
from ci_runner.errors import SetupError, TemporaryError

ADMIN = "pilotage_admin"
SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_connections": "20",
    "shared_buffers": "64MB",
    "max_worker_processes": "0",
    "max_parallel_workers_per_gather": "0",
    "max_parallel_maintenance_workers": "0",
    "jit": "off",
    "dynamic_shared_memory_type": "mmap",
    "temp_file_limit": "1GB",
    "min_wal_size": "2MB",
    "max_wal_size": "1GB",
}
START_LIMIT = 60.0
READY = b"database system is ready to accept connections"
PR_SET_PDEATHSIG = 1  # prctl(2)


@dataclass(frozen=True, slots=True)
class Owner:
    """The account the server runs as: PostgreSQL refuses root."""

    uid: int
    gid: int
    switch: bool


def owner_here() -> Owner:
    """This account, or another one where this is root; SetupError when there is none."""
    if os.geteuid() != 0:
        return Owner(os.geteuid(), os.getegid(), switch=False)
    for name in ("postgres", "nobody"):
        try:
            account = pwd.getpwnam(name)
        except KeyError:
            continue
        return Owner(account.pw_uid, account.pw_gid, switch=True)
    raise SetupError(
        "PostgreSQL does not run as root, and there is no account 'postgres' or 'nobody' to run it as: add one"
    )


class Server:
    """A server process on ``place``/data, listening on a socket in ``folder``."""

    def __init__(self, home: Path, folder: Path, owner: Owner, place: Path | None = None) -> None:
        self.home = home
        self._within: Sequence[str] = ()
        self._limits: Limits | None = None
        self.folder = folder
        self.owner = owner
        self.place = place or folder
        self.data = self.place / "data"
        self.written = self.data
        self._own_account = self._more = False
        self.admin = Address("postgres", socket=str(folder), user=ADMIN, database="postgres")
        self._process: subprocess.Popen[bytes] | None = None

    def options(self, *, switched: bool = True) -> dict[str, object]:
        """How its programs are started; not ``switched``: as this account."""
        owner = self.owner
        switch: dict[str, object] = {"user": owner.uid, "group": owner.gid, "extra_groups": []}
        switch = switch if owner.switch and switched else {}
        library = str(self.home / "lib")
        return switch | {
            "cwd": self.folder,
            "env": {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC", "LD_LIBRARY_PATH": library},
            "stdin": subprocess.DEVNULL,
            "start_new_session": True,
        }

    def close_off(self, within: Sequence[str], limits: Limits) -> None:
        """From its next start on: ``within`` is a command that starts it in turn, ``limits`` what each of its processes may use."""
        self._within = within
        self._limits = limits

    def lay_over(self, within: Sequence[str], written: Path | None, *, more: bool = False) -> None:
        """From its next start on: ``within`` mounts the data folder, below it what is in ``written``, and takes on the account.

        With ``more`` it mounts the rest when it reads a line, and says so. Without any of it: as at first.
        """
        self._within = within
        self._own_account = bool(within)
        self._more = more
        self.written = written or self.data

    def start(self) -> None:
        """Start it and wait until it answers; SetupError with the end of its log when it does not."""
        command = [*self._within, str(self.home / "bin" / "postgres"), "-D", str(self.data), "-k", str(self.folder)]
        for name, value in SETTINGS.items():
            command += ["-c", f"{name}={value}"]
        options = self.options(switched=not self._own_account)
        options["preexec_fn"] = _before(self._limits)  # threads of ours only wait at this time
        if self._more:
            options |= {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        with (self.folder / "log").open("wb") as log:
            self._process = subprocess.Popen(command, stderr=log, **({"stdout": log} | options))  # type: ignore[call-overload]
        import_driver()
        with ExitStack() as pipes:
            for pipe in filter(None, (self._process.stdin, self._process.stdout)):
                pipes.enter_context(pipe)
            self._wait(self._process)
            self._mount_more(self._process)

    def stop(self, number: int) -> None:
        """Stop it with that signal, and for certain."""
        server = self._process
        if server is None or server.poll() is not None:
            return
        if number != signal.SIGKILL:
            server.send_signal(number)
            try:
                server.wait(10)
            except subprocess.TimeoutExpired:
                number = signal.SIGKILL
        if number == signal.SIGKILL:  # all of its processes: those it would have ended itself, too
            with suppress(ProcessLookupError):
                os.killpg(server.pid, signal.SIGKILL)
            server.wait()

    def ended(self) -> str:
        """What ended it, with the last line of its log; "" while it runs."""
        server = self._process
        code = server.poll() if server else None
        if code is None:
            return ""
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        return f"it ended with {how}, its log with {tail(self._log(), 1)!r}"

    def _wait(self, server: subprocess.Popen[bytes]) -> None:
        """Until its log, whose language we set, says that it is ready."""
        limit = time.monotonic() + START_LIMIT
        log = self.folder / "log"
        while time.monotonic() < limit:
            if server.poll() is not None:
                raise SetupError(f"PostgreSQL stopped while starting: {self._log()}")
            if READY in log.read_bytes():
                return
            time.sleep(0.005)
        raise TemporaryError(f"PostgreSQL did not start within {START_LIMIT:.0f} s: {self._log()}")

    def _mount_more(self, server: subprocess.Popen[bytes]) -> None:
        """What it has no use for while it starts."""
        if server.stdin and server.stdout:
            server.stdin.write(b"\n")
            server.stdin.close()
            if not server.stdout.read():
                raise SetupError(f"no folder can be laid over a database: {self._log()}")

    def _log(self) -> str:
        return tail((self.folder / "log").read_text(errors="replace"))


def _before(limits: Limits | None) -> Callable[[], None]:
    """What the new process does first. Linux: it gets SIGINT (fast shutdown) when this one is killed in a way it cannot clean up after."""
    limit = limits.ready() if limits else None
    prctl: Callable[..., object] | None = None
    if sys.platform == "linux":
        import ctypes

        prctl = ctypes.CDLL(None, use_errno=True).prctl

    def first() -> None:
        if limit:
            limit()
        if prctl:
            prctl(PR_SET_PDEATHSIG, signal.SIGINT)

    return first


def import_driver() -> None:
    """To be called while a process of the server's is waited for: importing it takes as long. That there is none is said when it is used."""
    with suppress(ImportError):
        import_module("psycopg")


def tail(text: str, lines: int = 20) -> str:
    """The last lines of a log."""
    return "\n".join(text.strip().splitlines()[-lines:])
