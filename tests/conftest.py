"""What every test may lean on: parts of the machine by name, and the shared case files."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

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
