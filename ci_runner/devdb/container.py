"""Containers of ours: made with a label that says when nobody can need them any more, and removed for certain."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from ci_runner.devdb import engine
from ci_runner.errors import SetupError

if TYPE_CHECKING:
    from docker import DockerClient
    from docker.models.containers import Container

LABEL = "io.pilotage.devdb"
LIFETIME = 3600
UNFINISHED = 40  # looks for a container the engine was still making when the job was cancelled
_RETRY = 0.03


def reap(client: DockerClient, now: float) -> None:
    """Remove containers of earlier runs that could not: those with our label whose time is over."""
    with told("cannot ask the container engine for what earlier runs left"):
        found = client.containers.list(all=True, filters={"label": f"{LABEL}=1"}, ignore_removed=True)
    for container in found:
        expires = container.labels.get(f"{LABEL}.expires", "")
        if expires.isdigit() and int(expires) < now:
            remove(container)


@contextmanager
def created(client: DockerClient, image: Any, options: dict[str, Any], run_id: str, now: float) -> Iterator[Container]:
    """A container that is gone when the block ends. It is labelled, so that a later run finds it if this one is killed."""
    labels = {LABEL: "1", f"{LABEL}.run": run_id, f"{LABEL}.expires": str(int(now) + LIFETIME)}
    labels[f"{LABEL}.process"] = str(os.getpid())  # for whoever looks at what is running
    container = None
    try:
        with told(f"cannot make a container of {(image.tags or [image.short_id])[0]}"):
            container = client.containers.create(image.id, labels=labels, **options)
        yield container
    finally:
        if container is not None:
            remove(container)
        else:
            _remove_unfinished(client, run_id)


@contextmanager
def started(client: DockerClient, image: Any, options: dict[str, Any], run_id: str, now: float) -> Iterator[Container]:
    """The same, running."""
    with created(client, image, options, run_id, now) as container:
        with told(f"cannot start a container of {(image.tags or [image.short_id])[0]}"):
            container.start()
        yield container


def _remove_unfinished(client: DockerClient, run_id: str) -> None:
    """A job cancelled while the engine was making its container never learnt its name; the engine finishes it all the same."""
    for _ in range(UNFINISHED):
        try:
            found = client.containers.list(all=True, filters={"label": f"{LABEL}.run={run_id}"}, ignore_removed=True)
        except engine.refusals():
            return
        for container in found:
            remove(container)
        if found:
            return
        time.sleep(_RETRY)


def remove(container: Container) -> None:
    """Remove it with its volumes, running or not, there or not."""
    with suppress(*engine.refusals()):
        container.remove(force=True, v=True)


def kill(container: Container) -> None:
    """End its processes now; it is removed later."""
    with suppress(*engine.refusals()):
        container.kill()


def ended(container: Container) -> str:
    """What ended a container that runs no more; "" of one that runs, or of which the engine says nothing."""
    try:
        container.reload()
    except engine.refusals() as error:
        return f"the container engine knows no more of it: {engine.words(error)}"
    if container.status == "running":
        return ""
    state = container.attrs["State"]
    memory = ", out of memory" if state.get("OOMKilled") else ""
    return f"its container ended with exit code {state.get('ExitCode')}{memory}"


@contextmanager
def told(what: str) -> Iterator[None]:
    """The engine's refusals as SetupError."""
    try:
        yield
    except engine.refusals() as error:
        raise SetupError(f"{what}: {engine.words(error)}") from None
