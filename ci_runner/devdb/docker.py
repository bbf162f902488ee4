"""A dev database in a container: found or pulled, started, asked until it answers, and removed for certain."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING, Any

from ci_runner import databases
from ci_runner.databases import Address, Database, PasswordRefused
from ci_runner.devdb import engine
from ci_runner.devdb.drivers import no_driver
from ci_runner.devdb.emptied import Emptied
from ci_runner.devdb.images import Wanted, read
from ci_runner.devdb.postgres import PostgresDev, literal, provision, quote, run
from ci_runner.errors import PilotageError, SetupError, TemporaryError

if TYPE_CHECKING:
    from docker import DockerClient
    from docker.models.containers import Container

LABEL = "io.pilotage.devdb"
LIFETIME = 3600
START_LIMIT = 60.0
PULL_LIMIT = 300.0
RETRY = 0.03
UNFINISHED = 40  # looks for a container the engine was still making when the job was cancelled
SETUP, ADMIN = "pilotage_setup", "pilotage_admin"


@contextmanager
def open_container(
    url: str,
    environment: Mapping[str, str],
    run_id: str,
    report: Callable[[str], None],
    clock: Callable[[], float],
    *,
    start_limit: float = START_LIMIT,
    pull_limit: float = PULL_LIMIT,
) -> Iterator[PostgresDev | Emptied]:
    """Start the container ``url`` asks for, yield its dev database, remove it. ``clock`` is Unix time in seconds."""
    wanted = read(url)
    if lack := no_driver(wanted.driver.engine):
        raise SetupError(lack)
    client = engine.connect(environment)
    try:
        reap(client, clock())
        image = engine.image(client, wanted.image, report, pull_limit)
        password = secrets.token_hex(16)
        with _container(
            client, image, _start_options(image, wanted, password, environment, client), run_id, clock()
        ) as container:
            dev = _dev(_reach(container, wanted, password, environment, start_limit), wanted)
            report(f"{dev.engine} started from image {wanted.image}")
            try:
                yield dev
            finally:
                dev.close()
    finally:
        client.close()


def reap(client: DockerClient, now: float) -> None:
    """Remove containers of earlier runs that could not: those with our label whose time is over."""
    for container in client.containers.list(all=True, filters={"label": f"{LABEL}=1"}, ignore_removed=True):
        expires = container.labels.get(f"{LABEL}.expires", "")
        if expires.isdigit() and int(expires) < now:
            _remove(container)


@contextmanager
def _container(
    client: DockerClient, image: Any, options: dict[str, Any], run_id: str, now: float
) -> Iterator[Container]:
    """A running container that is gone when the block ends. It is labelled, so that a later run finds it if this one is killed."""
    labels = {LABEL: "1", f"{LABEL}.run": run_id, f"{LABEL}.expires": str(int(now) + LIFETIME)}
    name = (image.tags or [image.short_id])[0]
    container = None
    try:
        with _told(f"cannot make a container of {name}"):
            container = client.containers.create(image.id, labels=labels, **options)
        with _told(f"cannot start a container of {name}"):
            container.start()
        yield container
    finally:
        if container is not None:
            _remove(container)
        else:
            _remove_unfinished(client, run_id)


def _remove_unfinished(client: DockerClient, run_id: str) -> None:
    """A job cancelled while the engine was making its container never learnt its name; the engine finishes it all the same."""
    for _ in range(UNFINISHED):
        found = client.containers.list(all=True, filters={"label": f"{LABEL}.run={run_id}"}, ignore_removed=True)
        for container in found:
            _remove(container)
        if found:
            return
        time.sleep(RETRY)


def _start_options(
    image: Any, wanted: Wanted, password: str, environment: Mapping[str, str], client: DockerClient
) -> dict[str, Any]:
    """What `containers.create` gets. An image of the user's own is started with its own command, and its database made by itself."""
    driver = wanted.driver
    database = dict.fromkeys(driver.database, wanted.database) if wanted.custom else {}
    volumes = sorted(image.attrs["Config"].get("Volumes") or {}) or [driver.data]
    listen = "0.0.0.0" if engine.remote_host(environment) else "127.0.0.1"  # noqa: S104 - the password is random
    network = engine.own_network(client, environment)
    return {
        "command": None if wanted.custom else list(driver.command) or None,
        "environment": dict.fromkeys(driver.password, password) | dict(driver.fixed) | database,
        "ports": {f"{driver.port}/tcp": (listen, None)},
        "tmpfs": dict.fromkeys(volumes, ""),
        "security_opt": ["no-new-privileges"],
    } | ({"network": network} if network else {})


def _reach(
    container: Container, wanted: Wanted, password: str, environment: Mapping[str, str], limit: float
) -> Address:
    """The address at which a real query, over TCP and with the password, was answered.

    An open port proves nothing: Docker's proxy accepts before the server does.
    """
    end = time.monotonic() + limit
    options = {"connect_timeout": "2"}
    last = ""
    while time.monotonic() < end:
        with _told(f"the container of {wanted.image} is gone"):
            container.reload()
        if container.status in {"exited", "dead"}:
            raise SetupError(_exited(container, wanted.image, password))
        for host, port in engine.addresses(container, wanted.driver.port, environment):
            address = Address(
                wanted.driver.engine, host, port, wanted.driver.user, password, wanted.driver.default, options=options
            )
            try:
                database = databases.open_address(address)
                database.query("SELECT 1")
                database.close()
            except PasswordRefused as refused:
                raise SetupError(
                    f"the server of {wanted.image} does not take the password it was started with: {refused}"
                ) from None
            except PilotageError as error:
                last = str(error)
            else:
                return address
        time.sleep(RETRY)
    raise TemporaryError(
        f"the server of {wanted.image} did not answer within {limit:.0f} s: {last}\n{_log(container, password)}"
    )


def _dev(admin: Address, wanted: Wanted) -> PostgresDev | Emptied:
    if wanted.driver.engine != "postgres":
        whole: Emptied = import_module(f"ci_runner.devdb.{wanted.driver.engine}").server(
            admin, wanted.database, wanted.options
        )
        return whole
    owner = _step_aside(admin, wanted.superuser)
    options = {**admin.options, **wanted.options}
    user = replace(admin, database=wanted.database if wanted.database != "postgres" else "dev", options=options)
    template = wanted.database if wanted.custom and wanted.driver.database and wanted.database != "postgres" else ""
    if template:
        user = replace(user, database=f"{wanted.database}_replay")
    return PostgresDev(owner, user, template=template, confined=not wanted.superuser)


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


def _exited(container: Container, image: str, password: str) -> str:
    code = container.attrs["State"].get("ExitCode")
    return f"the container of {image} stopped with exit code {code} while starting:\n{_log(container, password)}"


def _log(container: Container, password: str) -> str:
    text = container.logs(tail=20).decode(errors="replace").strip()
    return text.replace(password, "***")


def _remove(container: Container) -> None:
    with suppress(_docker_error()):
        container.remove(force=True, v=True)


@contextmanager
def _told(what: str) -> Iterator[None]:
    """The engine's refusals as SetupError."""
    try:
        yield
    except _docker_error() as error:
        raise SetupError(f"{what}: {engine.words(error)}") from None


def _docker_error() -> type[Exception]:
    from docker.errors import DockerException

    return DockerException
