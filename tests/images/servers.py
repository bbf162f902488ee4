"""Real servers for tests: private PostgreSQL and MariaDB processes, and containers of images named like the official ones."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from pwd import struct_passwd
from typing import NamedTuple

import pytest

from ci_runner import databases
from ci_runner.databases import Sql
from ci_runner.devdb.embedded import find_home
from ci_runner.errors import PilotageError
from tests.conftest import missing
from tests.images.containers import LABEL, build, container_process, engine_answers, engine_process
from tests.images.fetched import fetched_chdb
from tests.images.processes import (
    START_LIMIT,
    account,
    as_user,
    free_port,
    one_builder,
    owned_folder,
    roomy_memory,
    stop,
)

PASSWORD = "c0rrect-h0rse"
# A kernel has a fixed number of asynchronous operations for all servers of a machine (fs.aio-max-nr), and each takes thousands.
PLAIN_IO = ("--innodb-use-native-aio=0",)


class Server(NamedTuple):
    """A running server: ``url(user, password, database)`` leads to it."""

    scheme: str
    port: int
    admin: str
    process: subprocess.Popen[bytes] | None

    def url(self, database: str = "", user: str = "", password: str = PASSWORD) -> str:
        return f"{self.scheme}://{user or self.admin}:{password}@127.0.0.1:{self.port}/{database}"

    def run(self, *statements: str, database: str = "") -> None:
        session = databases.open_url(self.url(database))
        session.execute([Sql(statement) for statement in statements], transaction=False)
        session.close()

    def rows(self, sql: str, database: str = "") -> list[tuple[object, ...]]:
        session = databases.open_url(self.url(database))
        try:
            return session.query(sql)
        finally:
            session.close()


def wait_for(process: subprocess.Popen[bytes] | None, url: str, log: Path | str) -> None:
    end = time.monotonic() + START_LIMIT
    while time.monotonic() < end:
        assert process is None or process.poll() is None, told(log)
        try:
            databases.open_url(url).close()
        except PilotageError:
            time.sleep(0.02)
        else:
            return
    pytest.fail(f"server did not start: {told(log)}")


def told(log: Path | str) -> str:
    """What a server wrote to its log, or only its name where that is all there is."""
    return log.read_text(errors="replace") if isinstance(log, Path) else log


def initialise(home: Path, folder: Path, owner: struct_passwd) -> None:
    """A cluster in ``folder`` whose superuser is ``boss``, with our password."""
    (folder / "pw").write_text(PASSWORD)
    (folder / "pw").chmod(0o644)
    options = ["-D", str(folder / "data"), "-U", "boss", "-A", "scram-sha-256", "-N", "--locale=C", "-E", "UTF8"]
    command = [str(home / "bin/initdb"), *options, f"--pwfile={folder / 'pw'}"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=folder, **as_user(owner))


@contextmanager
def postgres_process(settings: Mapping[str, str] = {"fsync": "off"}) -> Iterator[Server]:
    """PostgreSQL with passwords, on a loopback port."""
    home = find_home("", os.environ)
    owner = account("postgres")
    with owned_folder(owner) as folder:
        initialise(home, folder, owner)
        port = free_port()
        command = [
            str(home / "bin/postgres"),
            "-D",
            str(folder / "data"),
            "-k",
            str(folder),
            "-p",
            str(port),
            *(word for pair in settings.items() for word in ("-c", "=".join(pair))),
        ]
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                [*command, "-c", "listen_addresses=127.0.0.1"], stdout=log, stderr=log, cwd=folder, **as_user(owner)
            )
        server = Server("postgres", port, "boss", process)
        try:
            wait_for(process, server.url("postgres"), folder / "log")
            yield server
        finally:
            stop(process)


@contextmanager
def mariadb_process() -> Iterator[Server]:
    """MariaDB of the Debian package, on a loopback port."""
    owner = account("mysql")
    with owned_folder(owner, roomy_memory()) as folder:
        # A starting server removes what it takes for an earlier one's temporary tables, so none may share its folder for them.
        data, temporary = f"--datadir={folder / 'data'}", f"--tmpdir={folder}"
        with one_builder():
            done = subprocess.run(
                ["mariadb-install-db", "--no-defaults", data, temporary, "--skip-test-db", "--auth-root-authentication-method=normal", *PLAIN_IO,
                 *(["--user=mysql"] if os.geteuid() == 0 else [])],
                check=False, capture_output=True, text=True,
            )  # fmt: skip
        assert done.returncode == 0, f"mariadb-install-db: {done.stdout[-2000:]} {done.stderr[-2000:]}"
        init = folder / "init.sql"
        init.write_text(
            f"CREATE USER boss@'%' IDENTIFIED BY '{PASSWORD}';\nGRANT ALL ON *.* TO boss@'%' WITH GRANT OPTION;\n"
        )
        init.chmod(0o644)
        port = free_port()
        command = [
            mariadbd(), "--no-defaults", data, temporary, f"--socket={folder / 's'}", f"--port={port}", "--bind-address=127.0.0.1",
            f"--init-file={init}", f"--pid-file={folder / 'pid'}", "--innodb-flush-log-at-trx-commit=0", "--skip-name-resolve",
            *PLAIN_IO,
        ]  # fmt: skip
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder, **as_user(owner))
        server = Server("mariadb", port, "boss", process)
        try:
            wait_for(process, server.url(), folder / "log")
            yield server
        finally:
            stop(process)


def mariadbd() -> str:
    return shutil.which("mariadbd") or shutil.which("mariadbd", path="/usr/sbin:/usr/libexec") or ""


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Server]:
    try:
        find_home("", os.environ)
    except PilotageError as error:
        missing("PostgreSQL server", str(error))
    with postgres_process() as server:
        yield server


@pytest.fixture(scope="session")
def mariadb_server() -> Iterator[Server]:
    if not mariadbd() or not shutil.which("mariadb-install-db"):
        missing("MariaDB server", "apt-get install mariadb-server")
    with mariadb_process() as server:
        yield server


@pytest.fixture(scope="session")
def container_engine() -> Iterator[None]:
    with engine_process():
        yield


@pytest.fixture(scope="session")
def postgres_image(container_engine: None) -> str:
    home = Path("/usr/lib/postgresql/15")
    if not (home / "bin/initdb").is_file():
        missing("PostgreSQL 15 of Debian", "apt-get install postgresql-15")
    return build("postgres:15", ["postgres-image.sh", str(home), "postgres:15", LABEL])


@pytest.fixture(scope="session")
def mariadb_image(container_engine: None) -> str:
    if not shutil.which("apt-get"):
        missing("Debian's package manager", "run on Debian")
    return build("mariadb:10.11", ["mysql-image.sh", "mariadb", "bookworm", "mariadb:10.11", LABEL])


@pytest.fixture(scope="session")
def mysql_image(container_engine: None) -> str:
    """MySQL 9 of Debian's next release, which is all that packages have; it goes by the name of 8 as well."""
    if not shutil.which("apt-get"):
        missing("Debian's package manager", "run on Debian")
    build("mysql:9", ["mysql-image.sh", "mysql", "sid", "mysql:9", LABEL])
    subprocess.run(["docker", "tag", "mysql:9", "mysql:8"], check=True)
    return "mysql:9"


@pytest.fixture(scope="session")
def mysql_server(mysql_image: str) -> Iterator[Server]:
    in_memory = ("--tmpfs", "/var/lib/mysql")
    with container_process(mysql_image, 3306, {"MYSQL_ROOT_PASSWORD": PASSWORD}, *in_memory) as port:
        server = Server("mysql", port, "root", None)
        wait_for(None, server.url(), mysql_image)
        yield server


@pytest.fixture(scope="session")
def chdb_home() -> Iterator[Path]:
    """The package that holds ClickHouse's engine, fetched once a machine without the 0.4 GB of other packages it asks for."""
    home = fetched_chdb()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PILOTAGE_CHDB_HOME", str(home))
        yield home


@pytest.fixture(scope="session")
def snowflake_server() -> Iterator[int]:
    """The port of fakesnow; only where its packages stand before ours (see tests/databases/test_snowflake.py)."""
    port = free_port()
    serve = f"import sys; from fakesnow.cli import main; sys.exit(main(['-s', '-p', '{port}']))"
    process = subprocess.Popen([sys.executable, "-c", serve], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        end = time.monotonic() + START_LIMIT
        while time.monotonic() < end and process.poll() is None:
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            time.sleep(0.1)
        yield port
    finally:
        stop(process)


@pytest.fixture
def snowflake_url(snowflake_server: int) -> str:
    """A database nobody had before: the stand-in makes it when it is named."""
    name = f"CONTRACT_{os.urandom(4).hex().upper()}"
    return f"snowflake://fake:snow@localhost:{snowflake_server}/{name}?account=fakesnow&protocol=http"


@pytest.fixture(scope="session")
def clickhouse_image(container_engine: None, chdb_home: Path) -> str:
    tag = "clickhouse/clickhouse-server:23.11"
    return build(tag, ["clickhouse-image.sh", str(chdb_home), tag, LABEL])


@pytest.fixture(scope="session")
def clickhouse_server(clickhouse_image: str) -> Iterator[Server]:
    with container_process(clickhouse_image, 8123, {"CLICKHOUSE_PASSWORD": PASSWORD}) as port:
        server = Server("clickhouse", port, "default", None)
        wait_for(None, server.url(), clickhouse_image)
        yield server


def leftovers(process: int, run: str = "") -> set[str]:
    """Servers, work folders and containers that the program with this process id (and run id) made and has not removed."""
    marks = [f"pilotage-{kind}-{process}-" for kind in ("pg", "ch")]
    places = (Path("/dev/shm"), Path(tempfile.gettempdir()))
    found = {str(path) for place in places for mark in marks for path in place.glob(mark + "*")}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            words = (entry / "cmdline").read_bytes()
        except OSError:
            continue
        if any(mark.encode() in words for mark in marks):
            found.add(f"process {entry.name}")
    if run and engine_answers():
        listed = subprocess.run(
            ["docker", "ps", "-aq", "--filter", f"label=io.pilotage.devdb.run={run}"],
            capture_output=True,
            text=True,
            check=True,
        )
        found |= {f"container {name}" for name in listed.stdout.split()}
    return found


def assert_nothing_left(process: int, run: str = "", others: Collection[str] = ()) -> None:
    """Nothing of that run is here any more but ``others``, ten seconds from now at the latest."""
    end = time.monotonic() + 10
    while left := leftovers(process, run).difference(others):
        assert time.monotonic() < end, f"left behind: {sorted(left)}"
        time.sleep(0.05)
