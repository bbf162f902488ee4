"""The image under test, built once."""

from __future__ import annotations

import pytest

from tests.conftest import missing
from tests.wrappers import images


@pytest.fixture(scope="session")
def image() -> str:
    """Name of the image built from the Dockerfile."""
    lacking = images.lacking()
    if lacking:
        missing(*lacking)
    return images.pilotage()
