"""How a container for a stranger's SQL is started: without network, rights or anything worth reading, and with an end to everything."""

from __future__ import annotations

import io
import os
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ci_runner.devdb import container
from ci_runner.devdb.images import Wanted
from ci_runner.devdb.workdir import work_folder
from ci_runner.errors import ConfigError, SetupError

if TYPE_CHECKING:
    from docker import DockerClient
    from docker.models.containers import Container

MEMORY = "1536m"  # tmpfs counts against it
DATA = "768m"
PROCESSES = 200
PROCESSORS = 2
USUAL = (999, 999)  # of the official images, where the image does not say


class Socket(NamedTuple):
    """Where a server's Unix socket is in its image, and what its file is called."""

    folder: str
    name: str
    command: tuple[str, ...] = ()


class Run(NamedTuple):
    """The run a container belongs to, and the time, in seconds of Unix."""

    id: str
    now: float


# Untested engines are not here: for strangers they stay closed.
SOCKETS: Mapping[str, Socket] = {
    "postgres": Socket("/var/run/postgresql", ".s.PGSQL.5432"),
    "mysql": Socket("/var/run/mysqld", "mysqld.sock", ("--socket=/var/run/mysqld/mysqld.sock",)),
}


def check(wanted: Wanted) -> None:
    """ConfigError for what no stranger's SQL runs on: engines nobody has tried to break out of, and rights that open a way out."""
    if wanted.driver.engine not in SOCKETS:
        raise ConfigError(f"{wanted.driver.engine} in a container is not proven against a stranger's SQL")
    if wanted.superuser:
        raise ConfigError("?superuser=true is for migrations whose authors are trusted")
    if not wanted.database:
        raise ConfigError("a dev URL without a database gives replays rights on the whole server")


def started(
    client: DockerClient,
    image: Any,
    wanted: Wanted,
    variables: Mapping[str, str],
    run: Run,
    stack: ExitStack,
    remote: str,
) -> tuple[Container, Path | None]:
    """The running container, and the folder its socket will be in; None where the engine does not see our folders."""
    user = _account(client, image, wanted, run)
    folder = None if remote else stack.enter_context(socket_folder())
    if folder:
        try:
            options = _options(image, wanted, variables, user, folder)
            return stack.enter_context(container.started(client, image, options, *run)), folder
        except SetupError as error:
            if "bind source path does not exist" not in str(error):
                raise
    options = _options(image, wanted, variables, user, None)
    return stack.enter_context(container.started(client, image, options, *run)), None


def _options(
    image: Any, wanted: Wanted, variables: Mapping[str, str], account: tuple[int, int], folder: Path | None
) -> dict[str, Any]:
    """What `containers.create` gets. ``variables`` are all the server sees; its data lie in memory, its socket there or in ``folder``."""
    driver, place = wanted.driver, SOCKETS[wanted.driver.engine]
    user, group = account
    own = f"uid={user},gid={group}"
    volumes = sorted(image.attrs["Config"].get("Volumes") or {}) or [driver.data]
    socket = {} if folder else {place.folder: f"{own},mode=0755,size=1m"}
    return {
        "command": [*driver.command, *place.command] or None,
        "environment": dict(variables),
        "network_mode": "none",
        "read_only": True,
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges"],
        "user": f"{user}:{group}",
        "pids_limit": PROCESSES,
        "mem_limit": MEMORY,
        "memswap_limit": MEMORY,
        "nano_cpus": PROCESSORS * 10**9,
        "ulimits": _ulimits(),
        "tmpfs": {
            **dict.fromkeys(volumes, f"{own},mode=0700,size={DATA}"),
            "/tmp": "mode=1777,size=64m",  # noqa: S108 - of the container
            "/run": "mode=1777,size=16m",
            **socket,
        },
    } | ({"mounts": [_mount(folder, place.folder)]} if folder else {})


def _mount(folder: Path, place: str) -> Any:
    """Of a folder that must be there already: on another machine the engine would make one of that name, and leave it."""
    from docker.types import Mount

    return Mount(place, str(folder), type="bind")


def _ulimits() -> list[Any]:
    from docker.types import Ulimit

    return [Ulimit(name="core", soft=0, hard=0), Ulimit(name="nofile", soft=4096, hard=4096)]


def _account(client: DockerClient, image: Any, wanted: Wanted, run: Run) -> tuple[int, int]:
    """The account the image's server runs as, from its passwd file; nothing of the image is run for that."""
    from docker.errors import DockerException

    with container.created(client, image, {"network_mode": "none", "entrypoint": ["true"]}, *run) as made:
        try:
            chunks, _ = made.get_archive("/etc/passwd")
            with tarfile.open(fileobj=io.BytesIO(b"".join(chunks))) as archive:
                file = archive.extractfile(archive.next() or "passwd")
                lines = file.read(1 << 20).decode(errors="replace").splitlines() if file else []
        except (DockerException, tarfile.TarError, KeyError, OSError):
            return USUAL
    rows = [line.split(":") for line in lines]
    names = {"postgres"} if wanted.driver.engine == "postgres" else {"mysql"}
    found = [(row[2], row[3]) for row in rows if len(row) > 3 and row[0] in names]
    if found and all(part.isdigit() and int(part) for part in found[0]):
        return int(found[0][0]), int(found[0][1])
    return USUAL


@contextmanager
def socket_folder() -> Iterator[Path]:
    """A folder for a socket that the container's account, whoever that is here, may write to; nobody else comes near it."""
    with work_folder("pilotage-in-", os.geteuid(), os.getegid()) as parent:
        folder = parent / "s"
        folder.mkdir()
        folder.chmod(0o777)
        yield folder
