"""A hook, an event and a world whose clock jumps when it is told to sleep."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

from ci_runner import notify
from ci_runner.config.hooks import Hook, Place
from ci_runner.model.events import Event
from ci_runner.text import Redactor

SECRET = notify.new_secret(bytes(range(32)))
OLD = notify.new_secret(bytes(range(1, 33)))


def hook(kind: str = "generic", **more: Any) -> Hook:
    return Hook(**{"name": "team", "kind": kind, "url": Place("env", "TEAM"), "allow_private": True, **more})


def event(kind: str = "deploy.failed", **more: Any) -> Event:
    from msgspec.structs import replace

    return replace(notify.sample(kind, "2026-01-05T09:00:00Z", "ab" * 16), **more)


def message(
    url: str, *, told: Event | None = None, signing: tuple[str, ...] = (SECRET,), **more: Any
) -> notify.Message:
    wanted = hook(**more)
    return notify.compose(
        wanted, notify.Secrets(url, signing if wanted.kind == "generic" else ()), told or event(), Redactor()
    )


class World:
    """Real time but for sleeping, which is written down and passes at once."""

    def __init__(self, **hosts: str):
        self.slept: list[float] = []
        self.looked_up: list[str] = []
        self.hosts = {name.replace("_", "."): address for name, address in hosts.items()}
        self.random = 1.0
        self.skipped = 0.0

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.skipped += seconds

    def lookup(self, host: str, _port: int) -> list[str]:
        self.looked_up.append(host)
        if host not in self.hosts:
            raise OSError("Name or service not known")
        return self.hosts[host].split(",")

    def outside(self) -> notify.Outside:
        return notify.Outside(
            self.lookup,
            lambda: datetime.now(UTC),
            lambda: time.monotonic() + self.skipped,
            self.sleep,
            lambda: self.random,
        )
