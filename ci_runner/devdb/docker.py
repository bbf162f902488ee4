"""A dev database in a container: found or pulled, started, asked until it answers, and removed for certain."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from importlib import import_module

from ci_runner import databases
from ci_runner.databases import Address, Database
from ci_runner.devdb import closed, container, ending, engine
from ci_runner.devdb.drivers import no_driver
from ci_runner.devdb.emptied import Emptied
from ci_runner.devdb.images import Wanted, read
from ci_runner.devdb.init import Init
from ci_runner.devdb.postgres import PostgresDev, Shelved, literal, provision, quote, run
from ci_runner.devdb.reach import Rung
from ci_runner.devdb.shelf import Shelf
from ci_runner.devdb.starting import Begin, Started, closed_off, started
from ci_runner.devdb.volume import Passwords, Volume, volume_of
from ci_runner.devdb.whole import Whole, opened
from ci_runner.errors import SetupError

START_LIMIT = 60.0
PULL_LIMIT = 300.0
_GLOBAL = re.compile(r"\bglobal\b", re.IGNORECASE)
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
) -> Iterator[PostgresDev | Emptied | Whole]:
    """Start the container ``url`` asks for, yield its dev database, remove it. ``clock`` is Unix time in seconds.

    A base on the ``shelf`` is put into it, and the one replayed is fetched from it.
    For SQL that is not ``trusted`` the container is closed: no network, no rights, an end to its memory, disk and processes.
    """
    wanted = _understood(url, trusted=trusted)
    client = engine.connect(environment, wanted.driver.engine)
    with ExitStack() as stack:
        stack.callback(client.close)
        container.reap(client, clock())
        image = engine.image(client, wanted.image, report, pull_limit)
        password = f"Aa1-{secrets.token_hex(16)}"  # of four kinds of characters, which SQL Server insists on
        begin = Begin(client, image, wanted, password, environment, closed.Run(run_id, clock()), start_limit)
        volume = volume_of(shelf, image, wanted) if trusted and _outlives(init) else None
        dev, rung, held = _opened(begin, volume, init, stack, trusted=trusted)
        kept = " with the base an earlier run replayed" if held else ""
        where = "" if trusted else ", without network"
        report(f"{dev.engine} started from image {wanted.image}{kept}{where}, reached by {rung.name}")
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


def _outlives(init: Init | None) -> bool:
    """Does all that the SQL sets up outlive the server? Global settings do not."""
    return init is None or not any(_GLOBAL.search(each.text) for each in init.statements)


def _opened(
    begin: Begin, volume: Volume | None, init: Init | None, stack: ExitStack, *, trusted: bool
) -> tuple[PostgresDev | Emptied | Whole, Rung, bool]:
    """The dev database, the way to its server, and whether it came up with a kept base; from here on an end of the server is told as that."""
    if volume is not None and begin.wanted.driver.engine != "postgres":
        whole = opened(begin, volume, partial(_server, begin.wanted, init), stack)
        if whole is not None:
            stack.enter_context(ending.told(partial(container.ended, whole.made)))
            return whole, whole.rung, whole.held
        volume = None
    begun = started(begin, volume, stack) if trusted else closed_off(begin, stack)
    stack.enter_context(ending.told(partial(container.ended, begun.made)))
    return _dev(begun, begin.wanted, init), begun.rung, begun.held is not None


def _server(wanted: Wanted, init: Init | None, admin: Address, used: bool = False) -> Emptied:
    """The databases of a server that cannot copy them; a password that was ``used`` before is changed."""
    module = import_module(f"ci_runner.devdb.{wanted.driver.engine}")
    admin = module.renewed(admin) if used else admin
    server: Emptied = module.server(admin, wanted.database, wanted.options)
    if init:
        server.prepare = lambda: _prepare(replace(admin, database=wanted.database), init)
    return server


def _dev(begun: Started, wanted: Wanted, init: Init | None) -> PostgresDev | Emptied:
    admin = begun.rung.address

    def kill() -> None:
        container.kill(begun.made)

    if wanted.driver.engine != "postgres":
        server = _server(wanted, init, admin)
        server.kill = kill
        return server
    owner = _taken_up(admin, begun.held) if begun.held else _step_aside(admin, wanted.superuser)
    admin = replace(admin, password=owner.password) if begun.held else admin
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
        shelved=_shelved(begun, Passwords(user.password, owner.password)),
        kill=kill,
        init=init,
    )


def _shelved(begun: Started, passwords: Passwords) -> Shelved | None:
    volume, again = begun.volume, begun.again
    if volume is None or again is None:
        return None
    return Shelved(
        volume.key,
        begun.held is not None,
        lambda _numbers: volume.keep(begun.made, passwords, lambda: again(passwords.replay)),
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
