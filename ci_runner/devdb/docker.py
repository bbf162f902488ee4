"""A dev database in a container: found or pulled, started, asked until it answers, and removed for certain."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

from ci_runner import databases
from ci_runner.databases import Address, Database
from ci_runner.devdb import closed, container, ending, engine
from ci_runner.devdb.drivers import no_driver
from ci_runner.devdb.emptied import Emptied
from ci_runner.devdb.images import Wanted, read
from ci_runner.devdb.init import Init
from ci_runner.devdb.postgres import PostgresDev, Shelved, literal, provision, quote, run
from ci_runner.devdb.reach import Rung, Ways, reach
from ci_runner.devdb.shelf import Shelf
from ci_runner.devdb.volume import Passwords, Volume, volume_of
from ci_runner.errors import PilotageError, SetupError

if TYPE_CHECKING:
    from docker import DockerClient
    from docker.models.containers import Container

START_LIMIT = 60.0
PULL_LIMIT = 300.0
SETUP, ADMIN = "pilotage_setup", "pilotage_admin"


@contextmanager
def open_container(
    url: str,
    environment: Mapping[str, str],
    run_id: str,
    report: Callable[[str], None],
    clock: Callable[[], float],
    shelf: Shelf | None = None,
    *,
    trusted: bool = True,
    init: Init | None = None,
    start_limit: float = START_LIMIT,
    pull_limit: float = PULL_LIMIT,
) -> Iterator[PostgresDev | Emptied]:
    """Start the container ``url`` asks for, yield its dev database, remove it. ``clock`` is Unix time in seconds.

    A base on the ``shelf`` is put into it, and the one replayed is fetched from it.
    For SQL that is not ``trusted`` the container is closed: no network, no rights, an end to its memory, disk and processes.
    """
    wanted = _understood(url, trusted=trusted)
    client = engine.connect(environment)
    with ExitStack() as stack:
        stack.callback(client.close)
        container.reap(client, clock())
        image = engine.image(client, wanted.image, report, pull_limit)
        password = f"Aa1-{secrets.token_hex(16)}"  # of four kinds of characters, which SQL Server insists on
        begin = Begin(client, image, wanted, password, environment, closed.Run(run_id, clock()), start_limit)
        started = _started(begin, volume_of(shelf, image, wanted), stack) if trusted else _closed_off(begin, stack)
        stack.enter_context(ending.told(partial(container.ended, started.made)))
        dev = _dev(started, wanted, init)
        kept = " with the base an earlier run replayed" if started.held else ""
        where = "" if trusted else ", without network"
        report(f"{dev.engine} started from image {wanted.image}{kept}{where}, reached by {started.rung.name}")
        stack.callback(dev.close)
        yield dev


def _understood(url: str, *, trusted: bool) -> Wanted:
    """The URL taken apart, where its driver is here and such a container may run what it is for."""
    wanted = read(url)
    if lack := no_driver(wanted.driver.engine):
        raise SetupError(lack)
    if not trusted:
        closed.check(wanted)
    return wanted


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


def _started(begin: Begin, volume: Volume | None, stack: ExitStack) -> Started:
    """The container, with the kept base in it where there is one that it starts with."""
    options = _start_options(begin.image, begin.wanted, begin.password, begin.environment, begin.client)
    if volume is None:
        made = stack.enter_context(container.started(begin.client, begin.image, options, *begin.run))
        return Started(made, _reached(begin, made, begin.password, stack))
    del options["tmpfs"]  # what lies in memory cannot be fetched: a volume can, and goes with its container
    options["volumes"] = [volume.folder]

    def again(password: str) -> Address:
        return _reached(begin, made, password, stack).address

    made = stack.enter_context(container.created(begin.client, begin.image, options, *begin.run))
    try:
        held = volume.fill(made)
        if held:
            with container.told("cannot start a container with a kept base"):
                made.start()
            return Started(made, _reached(begin, made, held.replay, stack), volume, held, again)
    except PilotageError:
        volume.slot.discard()
        container.remove(made)
        made = stack.enter_context(container.created(begin.client, begin.image, options, *begin.run))
    with container.told(f"cannot start a container of {begin.wanted.image}"):
        made.start()
    return Started(made, _reached(begin, made, begin.password, stack), volume, None, again)


def _closed_off(begin: Begin, stack: ExitStack) -> Started:
    """A container for a stranger's SQL."""
    client, image, wanted, password, environment, run, limit = begin
    variables = _variables(wanted, password)
    made, folder = closed.started(client, image, wanted, variables, run, stack, engine.remote_host(environment))
    ways = Ways(environment, closed=True, folder=folder)
    return Started(made, reach(made, wanted, password, ways, limit, stack))


def _reached(begin: Begin, made: Container, password: str, stack: ExitStack) -> Rung:
    return reach(made, begin.wanted, password, Ways(begin.environment), begin.limit, stack)


def _start_options(
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
        "environment": _variables(wanted, password),
        "ports": {f"{driver.port}/tcp": (listen, None)},
        "tmpfs": dict.fromkeys(volumes, ""),
        "security_opt": ["no-new-privileges"],
    } | ({"network": network} if network else {})


def _variables(wanted: Wanted, password: str) -> dict[str, str]:
    driver = wanted.driver
    database = dict.fromkeys(driver.database, wanted.database) if wanted.custom else {}
    return dict.fromkeys(driver.password, password) | dict(driver.fixed) | database


def _dev(started: Started, wanted: Wanted, init: Init | None) -> PostgresDev | Emptied:
    admin = started.rung.address

    def kill() -> None:
        container.kill(started.made)

    if wanted.driver.engine != "postgres":
        whole: Emptied = import_module(f"ci_runner.devdb.{wanted.driver.engine}").server(
            admin, wanted.database, wanted.options
        )
        whole.kill = kill
        if init:
            whole.prepare = lambda: _prepare(replace(admin, database=wanted.database), init)
        return whole
    owner = _taken_up(admin, started.held) if started.held else _step_aside(admin, wanted.superuser)
    admin = replace(admin, password=owner.password) if started.held else admin
    options = {**admin.options, **wanted.options}
    user = replace(admin, database=wanted.database if wanted.database != "postgres" else "dev", options=options)
    template = wanted.database if wanted.custom and wanted.driver.database and wanted.database != "postgres" else ""
    if template:
        user = replace(user, database=f"{wanted.database}_replay")
    return PostgresDev(
        owner,
        user,
        template=template,
        confined=not wanted.superuser,
        shelved=_shelved(started, Passwords(user.password, owner.password)),
        kill=kill,
        init=init,
    )


def _shelved(started: Started, passwords: Passwords) -> Shelved | None:
    volume, again = started.volume, started.again
    if volume is None or again is None:
        return None
    return Shelved(
        volume.key,
        started.held is not None,
        lambda _numbers: volume.keep(started.made, passwords, lambda: again(passwords.replay)),
    )


def _taken_up(admin: Address, held: Passwords) -> Address:
    """The administrator of a kept base; both roles get a new password, the kept ones have been in a file."""
    owner = replace(admin, user=ADMIN, password=held.admin)
    session = databases.open_address(owner)
    new = secrets.token_hex(16)
    run(session, *(f"ALTER ROLE {quote(role)} PASSWORD {literal(new)}" for role in (admin.user, ADMIN)))
    session.close()
    return replace(owner, password=new)


def _prepare(admin: Address, init: Init) -> None:
    database = databases.open_address(admin)
    try:
        init.run(database)
    finally:
        database.close()


def _step_aside(admin: Address, superuser: bool) -> Address:
    """Rename the image's superuser and give its name, which scripts mention, to a role without its rights; the new address of the first."""
    first = databases.open_address(admin)
    run(first, f"CREATE ROLE {SETUP} SUPERUSER LOGIN PASSWORD {literal(admin.password)}")
    first.close()
    second = databases.open_address(replace(admin, user=SETUP))
    run(
        second,
        f"ALTER ROLE {quote(admin.user)} RENAME TO {ADMIN}",
        f"ALTER ROLE {ADMIN} PASSWORD {literal(secret := secrets.token_hex(16))}",
    )
    second.close()
    owner = replace(admin, user=ADMIN, password=secret)
    third: Database = databases.open_address(replace(owner, database="template1"))
    run(third, f"DROP ROLE {SETUP}")
    provision(third, admin.user, admin.password, superuser=superuser)
    third.close()
    return owner
