"""Starts the container of a dev database, on what an earlier run kept where that is so, and finds the way to its server."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, NamedTuple

from ci_runner.databases import Address
from ci_runner.devdb import closed, container, engine
from ci_runner.devdb.images import Wanted
from ci_runner.devdb.reach import Rung, Ways, reach
from ci_runner.devdb.volume import UNFIT, Passwords, Volume

if TYPE_CHECKING:
    from docker import DockerClient
    from docker.models.containers import Container


class Begin(NamedTuple):
    """What a container is started from."""

    client: DockerClient
    image: Any
    wanted: Wanted
    password: str
    environment: Mapping[str, str]
    run: closed.Run
    limit: float


class Started(NamedTuple):
    """A container and the way to its server; ``held`` are the passwords of a base it came up with, ``keep`` makes it one."""

    made: Container
    rung: Rung
    volume: Volume | None = None
    held: Passwords | None = None
    again: Callable[[str], Address] | None = None


def started(begin: Begin, volume: Volume | None, stack: ExitStack) -> Started:
    """The container, with the kept base in it where there is one that it starts with."""
    options = start_options(begin.image, begin.wanted, begin.password, begin.environment, begin.client)
    if volume is None:
        made = stack.enter_context(container.started(begin.client, begin.image, options, *begin.run))
        return Started(made, reached(begin, made, begin.password, stack))
    del options["tmpfs"]  # what lies in memory cannot be fetched: a volume can, and goes with its container
    options["volumes"] = [volume.folder]

    def again(password: str) -> Address:
        return reached(begin, made, password, stack).address

    made = stack.enter_context(container.created(begin.client, begin.image, options, *begin.run))
    try:
        held = volume.fill(made)
        if held:
            with container.told("cannot start a container with a kept base"):
                made.start()
            return Started(made, reached(begin, made, held.replay, stack), volume, held, again)
    except UNFIT:
        volume.slot.discard()
        container.remove(made)
        made = stack.enter_context(container.created(begin.client, begin.image, options, *begin.run))
    with container.told(f"cannot start a container of {begin.wanted.image}"):
        made.start()
    return Started(made, reached(begin, made, begin.password, stack), volume, None, again)


def closed_off(begin: Begin, stack: ExitStack) -> Started:
    """A container for a stranger's SQL."""
    client, image, wanted, password, environment, run, limit = begin
    given = variables(wanted, password)
    made, folder = closed.started(client, image, wanted, given, run, stack, engine.remote_host(environment))
    ways = Ways(environment, closed=True, folder=folder)
    return Started(made, reach(made, wanted, password, ways, limit, stack))


def reached(begin: Begin, made: Container, password: str, stack: ExitStack) -> Rung:
    """The way to its server, when it answers a query."""
    return reach(made, begin.wanted, password, Ways(begin.environment), begin.limit, stack)


def start_options(
    image: Any, wanted: Wanted, password: str, environment: Mapping[str, str], client: DockerClient
) -> dict[str, Any]:
    """What `containers.create` gets. An image of the user's own is started with its own command, and its database made by itself."""
    driver = wanted.driver
    volumes = sorted(image.attrs["Config"].get("Volumes") or {}) or [driver.data]
    network = engine.own_network(client, environment)
    elsewhere = engine.remote_host(environment) or (engine.inside() and not network)
    listen = "0.0.0.0" if elsewhere else "127.0.0.1"  # noqa: S104 - the password is random
    return {
        "command": None if wanted.custom else list(driver.command) or None,
        "environment": variables(wanted, password),
        "ports": {f"{driver.port}/tcp": (listen, None)},
        "tmpfs": dict.fromkeys(volumes, ""),
        "security_opt": ["no-new-privileges"],
    } | ({"network": network} if network else {})


def variables(wanted: Wanted, password: str) -> dict[str, str]:
    """The environment of the container."""
    driver = wanted.driver
    database = dict.fromkeys(driver.database, wanted.database) if wanted.custom else {}
    return dict.fromkeys(driver.password, password) | dict(driver.fixed) | database
