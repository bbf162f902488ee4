"""The container engine: where it is, how images get into it, and at which addresses its containers answer."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ci_runner.errors import SetupError, TemporaryError

if TYPE_CHECKING:
    from docker import DockerClient
    from docker.models.containers import Container

DEFAULT = "unix:///var/run/docker.sock"
SAY_AFTER = 5.0
WITHOUT = {
    "postgres": "embedded://postgres/18, postgres://USER@HOST/DATABASE",
    "mysql": "mysql://USER@HOST/DATABASE, an empty database of a server that is there",
    "clickhouse": "embedded://clickhouse, clickhouse://USER@HOST/DATABASE",
    "sqlserver": "embedded://sqlserver, sqlserver://USER@HOST/DATABASE",
}
_MARKS = ("/.dockerenv", "/run/.containerenv")  # Docker's and Podman's


def connect(environment: Mapping[str, str], kind: str = "postgres") -> DockerClient:
    """A client of the engine DOCKER_HOST names, or of the one on this machine; SetupError when it does not answer.

    What databases of this ``kind`` can do without it, the error says.
    """
    try:
        import docker
        from docker.errors import DockerException
    except ImportError:
        raise SetupError("containers need the docker package: pip install docker") from None
    place = environment.get("DOCKER_HOST") or DEFAULT
    chosen = {key: value for key, value in environment.items() if key.startswith("DOCKER_")} | {"DOCKER_HOST": place}
    try:
        client = docker.from_env(environment=chosen)
        client.ping()
    except DockerException as error:
        text = words(error)
        if "PermissionError" in text or "Permission denied" in text:
            raise SetupError(
                f"no right to use the container engine at {place}: add this user to the group docker, or run as root"
            ) from None
        raise SetupError(
            f"no container engine at {place}: start Docker, set DOCKER_HOST, or use a dev URL without it ({WITHOUT[kind]}) ({text})"
        ) from None
    return client


def refusals() -> tuple[type[Exception], ...]:
    """What a call to the engine may raise: its refusals, and that it does not answer any more."""
    from docker.errors import DockerException
    from requests.exceptions import RequestException

    return DockerException, RequestException


def words(error: Exception) -> str:
    """The engine's own explanation in one line."""
    text = str(getattr(error, "explanation", None) or error)
    return " ".join(text.split())[:500]


def image(client: DockerClient, name: str, report: Callable[[str], None], limit: float) -> Any:
    """The image ``name``, pulled when it is not here; SetupError when it cannot be had, TemporaryError after ``limit`` seconds."""
    from docker.errors import ImageNotFound

    try:
        return client.images.get(name)
    except ImageNotFound:
        report(f"image {name} is not here, pulling it")
    except refusals() as error:
        raise SetupError(f"cannot look for image {name}: {words(error)}") from None
    try:
        _pull(client, name, report, limit)
        return client.images.get(name)
    except refusals() as error:
        raise SetupError(
            f"image {name} is not on this machine and cannot be pulled from {_registry(name)}: {words(error)}; try `docker pull {name}` by hand, "
            "check the tag, log in, or use an image that is here"
        ) from None


def _pull(client: DockerClient, name: str, report: Callable[[str], None], limit: float) -> None:
    import requests
    from docker.errors import APIError

    started = said = time.monotonic()
    layers: dict[str, bool] = {}
    repository, tag = split(name)
    try:
        for event in client.api.pull(repository, tag=tag, stream=True, decode=True):
            if "error" in event:
                raise APIError(str(event["error"]))
            if event.get("id"):
                layers[event["id"]] = event.get("status") in {"Pull complete", "Already exists"}
            now = time.monotonic()
            if now - started > limit:
                raise TemporaryError(
                    f"image {name} was not pulled within {limit:.0f} s; run again, or `docker pull {name}` beforehand"
                )
            if now - said > SAY_AFTER:
                said = now
                report(f"pulling {name}: {sum(layers.values())} of {len(layers)} layers")
    except (requests.exceptions.Timeout, requests.exceptions.ConnectionError):
        raise TemporaryError(
            f"the container engine fell silent while pulling {name}; run again, or `docker pull {name}` beforehand"
        ) from None


def split(name: str) -> tuple[str, str]:
    """(repository, tag or digest); without either, Docker's "latest"."""
    if "@" in name:
        repository, _, digest = name.partition("@")
        return repository, digest
    repository, colon, tag = name.rpartition(":")
    return (repository, tag) if colon and "/" not in tag else (name, "latest")


def _registry(name: str) -> str:
    first = name.partition("/")[0]
    return first if "/" in name and ("." in first or ":" in first) else "Docker Hub"


def remote_host(environment: Mapping[str, str]) -> str:
    """The engine's host where it is another machine, else ""."""
    place = urlsplit(environment.get("DOCKER_HOST", ""))
    return place.hostname or "" if place.scheme in {"tcp", "http", "https", "ssh"} else ""


def inside() -> bool:
    """Does this program run in a container?"""
    return any(Path(mark).exists() for mark in _MARKS)


def own_network(client: DockerClient, environment: Mapping[str, str]) -> str:
    """The network of the container this program runs in, "" outside of one: a neighbour there can be reached by its address."""
    if not inside() or not environment.get("HOSTNAME"):
        return ""
    try:
        own = client.containers.get(environment["HOSTNAME"])
    except refusals():
        return ""
    networks: list[str] = list(own.attrs["NetworkSettings"]["Networks"])
    return networks[0] if networks and networks[0] not in {"host", "none"} else ""


def addresses(container: Container, port: int, environment: Mapping[str, str]) -> Iterator[tuple[str, str, int]]:
    """(what it is, host, port) where the container may answer, in the order they are tried.

    Published at the engine's host, or here; from another container its own addresses, then its name on our network, then the gateway, behind
    which the engine's machine is: what was published on all its addresses is there.
    """
    settings = container.attrs["NetworkSettings"]
    published = [int(each["HostPort"]) for each in (settings.get("Ports") or {}).get(f"{port}/tcp") or []]
    host = remote_host(environment)
    for number in published:
        yield ("the engine's host", host, number) if host else ("a published port", "127.0.0.1", number)
    if not inside():
        return
    networks = settings.get("Networks") or {}
    for network in networks.values():
        if network.get("IPAddress"):
            yield "its address", network["IPAddress"], port
    if any(name not in {"bridge", "host", "none"} for name in networks):
        yield "its name", container.name or "", port
    gateways = dict.fromkeys([settings.get("Gateway"), *(network.get("Gateway") for network in networks.values())])
    for gateway in filter(None, gateways):
        for number in published:
            yield "its gateway", gateway, number
