"""Addresses of stores: what opens, and what a wrong one is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from ci_runner import stores
from ci_runner.errors import ConfigError, PilotageError, SetupError

SECRET = "s3cr3t"


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("file:///srv/registry", "file:///srv/registry"),
        ("file://localhost/srv/registry", "file:///srv/registry"),
        ("file:/srv/registry", "file:///srv/registry"),
        ("FILE:///srv/with%20space", "file:///srv/with space"),
        ("memory:", "memory:"),
    ],
)
def test_an_address_opens_without_touching_anything(address: str, shown: str) -> None:
    assert stores.open(address).address == shown


def test_a_relative_folder_lies_below_the_current_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    store = stores.open("file://some/registry")
    store.create("a", b"x")
    assert (tmp_path / "some" / "registry" / "a").read_bytes() == b"x"


@pytest.mark.parametrize(
    ("address", "error", "says"),
    [
        ("", ConfigError, "empty"),
        ("  ", ConfigError, "empty"),
        ("file://a\x00b", ConfigError, "control characters"),
        ("file:///a%00b", ConfigError, "percent signs"),
        ("file:///a%ff", ConfigError, "percent signs"),
        ("migrations", ConfigError, 'did you mean "file://migrations"?'),
        ("/srv/registry", ConfigError, 'did you mean "file:///srv/registry"?'),
        ("./registry", ConfigError, 'did you mean "file://./registry"?'),
        ("file://", ConfigError, "names no folder"),
        ("file:///srv?regoin=x", ConfigError, "unknown parameter 'regoin'"),
        ("file:///srv?a=1&a=2", ConfigError, "twice"),
        ("file:///srv#part", ConfigError, "%23"),
        (f"file://user:{SECRET}@host/srv", ConfigError, "user information"),
        (f"s3://key:{SECRET}@bucket", ConfigError, "user information"),
        ("fil:///srv", ConfigError, 'did you mean "file"?'),
        ("redis://host", ConfigError, "no store is called 'redis'"),
        ("memory:x", ConfigError, "has no name"),
        (f"s3://bucket/prefix?token={SECRET}", SetupError, "S3"),
        ("gs://bucket", SetupError, "Google Cloud Storage"),
        ("azureblob://container/prefix", SetupError, "Azure"),
        ("oci://host/repository", SetupError, "OCI"),
    ],
)
def test_a_wrong_address_is_told_what_is_wrong_and_never_prints_a_secret(
    address: str, error: type[PilotageError], says: str
) -> None:
    with pytest.raises(error) as caught:
        stores.open(address)
    assert says in str(caught.value)
    assert SECRET not in str(caught.value)
    assert caught.value.exit_code == 2
