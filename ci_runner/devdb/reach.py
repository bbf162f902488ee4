"""Finds the way to a container's server, rung by rung; a rung holds when a real query was answered on it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ci_runner import databases
from ci_runner.databases import Address, Database, PasswordRefused
from ci_runner.devdb import engine
from ci_runner.devdb.closed import SOCKETS
from ci_runner.devdb.container import told
from ci_runner.devdb.images import Wanted
from ci_runner.devdb.tunnel import tunnel
from ci_runner.errors import PilotageError, SetupError, TemporaryError

if TYPE_CHECKING:
    from docker.models.containers import Container

RETRY = 0.03
SOCKET, TUNNEL = "its socket", "a process in the container"
TUNNEL_AFTER = 2.0  # seconds the plain ways are given before a process in the container is tried
# Official images run a first server that hears its socket only, and end it again: not this one is waited for.
_FINAL = {
    "postgres": "SELECT 1 WHERE current_setting('listen_addresses') <> ''",
    "mysql": "SELECT 1 WHERE @@skip_networking = 0",
}


class Rung(NamedTuple):
    """A way to the server, and what it is called in the log."""

    name: str
    address: Address


class Ways(NamedTuple):
    """Which ways there are: ``folder`` holds the server's socket where it was mounted; ``closed`` containers have no network."""

    environment: Mapping[str, str]
    closed: bool = False
    folder: Path | None = None


def reach(container: Container, wanted: Wanted, password: str, ways: Ways, limit: float, stack: ExitStack) -> Rung:
    """The first rung a real query was answered on, with the password, within ``limit`` seconds; ``stack`` keeps the tunnel open.

    An open port proves nothing: Docker's proxy accepts before the server does.
    """
    start = time.monotonic()
    last, dug = "", None
    spare: Rung | None = None
    while time.monotonic() - start < limit:
        with told(f"the container of {wanted.image} is gone"):
            container.reload()
        if container.status in {"exited", "dead"}:
            raise SetupError(exited(container, wanted.image, password))
        late = time.monotonic() - start > TUNNEL_AFTER or (ways.closed and ways.folder is None)
        if dug is None and late and wanted.driver.engine in SOCKETS:
            dug = stack.enter_context(tunnel(container, wanted.driver.port, SOCKETS[wanted.driver.engine].name))
        for rung in _rungs(container, wanted, password, ways, dug):
            try:
                _try(rung.address)
            except PasswordRefused as refused:
                last = str(refused)
                if rung.name == SOCKET:
                    continue  # the first server of an image that prepares itself has no password yet
                raise SetupError(
                    f"the server of {wanted.image} does not take the password it was started with: {refused}"
                ) from None
            except PilotageError as error:
                last = str(error)
            else:
                if rung.name != TUNNEL or spare:
                    return rung
                spare = rung  # it may have come up just now: the plain ways get one more look
        time.sleep(RETRY)
    raise TemporaryError(
        f"the server of {wanted.image} did not answer within {limit:.0f} s: {last}\n{log_of(container, password)}"
    )


def _rungs(container: Container, wanted: Wanted, password: str, ways: Ways, dug: Path | None) -> Iterator[Rung]:
    driver = wanted.driver
    plain = Address(driver.engine, "", None, driver.user, password, driver.default, options={"connect_timeout": "2"})
    if not ways.closed:
        for name, host, port in engine.addresses(container, driver.port, ways.environment):
            yield Rung(name, replace(plain, host=host, port=port))
    for name, folder in ((SOCKET, ways.folder), (TUNNEL, dug)):
        if folder is not None and driver.engine in SOCKETS:
            file = folder / SOCKETS[driver.engine].name
            if file.exists():
                yield Rung(name, replace(plain, socket=str(folder if driver.engine == "postgres" else file)))


def _try(address: Address) -> None:
    database: Database = databases.open_address(address)
    try:
        rows = database.query(_FINAL.get(databases.SCHEMES[address.scheme], "SELECT 1"))
    finally:
        database.close()
    if not rows:
        raise TemporaryError("the server is still being prepared")


def exited(container: Container, image: str, password: str) -> str:
    """What a container that stopped had to say."""
    code = container.attrs["State"].get("ExitCode")
    return f"the container of {image} stopped with exit code {code} while starting:\n{log_of(container, password)}"


def log_of(container: Container, password: str) -> str:
    """The last lines of its log, without the password."""
    with told("cannot read the log of a container"):
        text = container.logs(tail=20).decode(errors="replace").strip()
    return text.replace(password, "***")
