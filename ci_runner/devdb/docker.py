"""A dev database in a container: found or pulled, started, asked until it answers, and removed for certain."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING, Any

from ci_runner import databases
from ci_runner.databases import Address, Database
from ci_runner.devdb import closed, container, engine
from ci_runner.devdb.drivers import no_driver
from ci_runner.devdb.emptied import Emptied
from ci_runner.devdb.images import Wanted, read
from ci_runner.devdb.init import Init
from ci_runner.devdb.postgres import PostgresDev, literal, provision, quote, run
from ci_runner.devdb.reach import Ways, reach
from ci_runner.errors import SetupError

if TYPE_CHECKING:
    from docker import DockerClient

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
    *,
    trusted: bool = True,
    init: Init | None = None,
    start_limit: float = START_LIMIT,
    pull_limit: float = PULL_LIMIT,
) -> Iterator[PostgresDev | Emptied]:
    """Start the container ``url`` asks for, yield its dev database, remove it. ``clock`` is Unix time in seconds.

    For SQL that is not ``trusted`` the container is closed: no network, no rights, an end to its memory, disk and processes.
    """
    wanted = read(url)
    if lack := no_driver(wanted.driver.engine):
        raise SetupError(lack)
    if not trusted:
        closed.check(wanted)
    client = engine.connect(environment)
    with ExitStack() as stack:
        stack.callback(client.close)
        container.reap(client, clock())
        image = engine.image(client, wanted.image, report, pull_limit)
        password = f"Aa1-{secrets.token_hex(16)}"  # of four kinds of characters, which SQL Server insists on
        run = closed.Run(run_id, clock())
        if trusted:
            ways = Ways(environment)
            options = _start_options(image, wanted, password, environment, client)
            made = stack.enter_context(container.started(client, image, options, *run))
        else:
            variables = _variables(wanted, password)
            made, folder = closed.started(client, image, wanted, variables, run, stack, engine.remote_host(environment))
            ways = Ways(environment, closed=True, folder=folder)
        rung = reach(made, wanted, password, ways, start_limit, stack)
        dev = _dev(rung.address, wanted, init, lambda: container.kill(made))
        report(
            f"{dev.engine} started from image {wanted.image}{'' if trusted else ', without network'}, reached by {rung.name}"
        )
        stack.callback(dev.close)
        yield dev


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


def _dev(admin: Address, wanted: Wanted, init: Init | None, kill: Callable[[], None]) -> PostgresDev | Emptied:
    if wanted.driver.engine != "postgres":
        whole: Emptied = import_module(f"ci_runner.devdb.{wanted.driver.engine}").server(
            admin, wanted.database, wanted.options
        )
        whole.kill = kill
        if init:
            whole.prepare = lambda: _prepare(replace(admin, database=wanted.database), init)
        return whole
    owner = _step_aside(admin, wanted.superuser)
    options = {**admin.options, **wanted.options}
    user = replace(admin, database=wanted.database if wanted.database != "postgres" else "dev", options=options)
    template = wanted.database if wanted.custom and wanted.driver.database and wanted.database != "postgres" else ""
    if template:
        user = replace(user, database=f"{wanted.database}_replay")
    return PostgresDev(owner, user, template=template, confined=not wanted.superuser, kill=kill, init=init)


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
