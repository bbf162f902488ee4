"""What every test may lean on: parts of the machine by name, and the shared case files."""

from __future__ import annotations

import errno
import ipaddress
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

# Where a verdict is wanted, the same examples every time; elsewhere, and in `nox -s fuzz`, new ones are looked for.
settings.register_profile("verdict", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("search", deadline=None, suppress_health_check=[HealthCheck.too_slow])
DEMANDED = os.environ.get("PILOTAGE_TEST_REQUIRE", "")  # "all", or "installed": all but what lies beside the checkout
settings.load_profile("verdict" if DEMANDED else "search")

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"
BESIDE = "they lie in ../shared"


def missing(part: str, how: str) -> None:
    """Skip for want of ``part``; where every part is demanded (PILOTAGE_TEST_REQUIRE) that is a failure."""
    message = f"{part} is missing here: {how}"
    if DEMANDED == "all" or (DEMANDED == "installed" and how != BESIDE):
        pytest.fail(message)
    pytest.skip(message)


@pytest.fixture
def need() -> Callable[[bool, str, str], None]:
    """``need(available, "MariaDB server", "apt-get install mariadb-server")``: skip or fail by name when not available."""

    def check(available: bool, part: str, how: str) -> None:
        if not available:
            missing(part, how)

    return check


@pytest.fixture
def shared() -> Path:
    """The folder of shared cases; it lies beside the checkout and is not part of the project."""
    if not SHARED.is_dir():
        missing("shared case files", BESIDE)
    return SHARED


METADATA = {"metadata.google.internal", "metadata", "100.100.100.200", "168.63.129.16", "fd00:ec2::254"}
_REACHED: list[str] = []


def link_local(host: object) -> bool:
    """Is this an address of a cloud's metadata service, or a neighbour that nobody named?"""
    text = str(host).partition("%")[0]
    try:
        return text in METADATA or ipaddress.ip_address(text).is_link_local
    except ValueError:
        return text in METADATA


@pytest.fixture(scope="session", autouse=True)
def _no_way_to_metadata() -> Iterator[None]:
    """Sockets to link-local addresses fail; nothing here may ask a cloud who we are."""
    patch = pytest.MonkeyPatch()
    for name in ("connect", "connect_ex", "sendto"):
        patch.setattr(socket.socket, name, _watched(getattr(socket.socket, name)), raising=False)
    yield
    patch.undo()


def _watched(real: Callable[..., Any]) -> Callable[..., Any]:
    def call(self: socket.socket, *arguments: Any) -> Any:
        address = arguments[-1]
        if isinstance(address, tuple) and link_local(address[0]):
            _REACHED.append(str(address[0]))
            raise OSError(errno.ENETUNREACH, f"a test reached for {address[0]}")
        return real(self, *arguments)

    return call


@pytest.fixture(autouse=True)
def _no_test_reached_for_metadata() -> Iterator[None]:
    """Also where the refusal was caught and passed over."""
    _REACHED.clear()
    yield
    assert not _REACHED, f"link-local addresses were tried: {_REACHED}"
