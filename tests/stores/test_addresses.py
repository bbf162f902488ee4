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
        (f"s3://bucket/prefix?token={SECRET}", ConfigError, "unknown parameter 'token'"),
        ("s3://bucket/prefix", ConfigError, "names no region"),
        ("s3://Bucket?region=x", ConfigError, "no name of a bucket"),
        ("s3://bucket/a/../b?region=x", ConfigError, "path after the bucket"),
        ("s3://bucket/a//b?region=x", ConfigError, "path after the bucket"),
        ("s3://bucket?region=x&path_style=perhaps", ConfigError, "neither true nor false"),
        ("s3://bucket?region=x&credentials=guess", ConfigError, "none of auto"),
        ("s3://bucket?region=x&timeout=never", ConfigError, "number of seconds"),
        ("s3://bucket?endpoint=ftp://x", ConfigError, "endpoint= takes"),
        (f"s3://bucket?endpoint=https://u:{SECRET}@x.example.org", ConfigError, "endpoint= takes"),
        ("s3://bucket?endpoint=http://127.0.0.1:9", ConfigError, "insecure=true"),
        ("s3://bucket?endpoint=http://s3.example.org&insecure=true", ConfigError, "not encrypted"),
        ("s3://bucket?endpoint=http://8.8.8.8&insecure=true", ConfigError, "not encrypted"),
        ("s3://bucket?endpoint=http://169.254.1.1&insecure=true", ConfigError, "link-local"),
        ("s3://bucket?region=x&credentials=environment", SetupError, "AWS_ACCESS_KEY_ID"),
        ("gs://bucket", SetupError, "GOOGLE_APPLICATION_CREDENTIALS"),
        ("gs://-", ConfigError, "no name of a bucket"),
        ("azureblob://container/prefix", ConfigError, "storage_account"),
        ("azureblob://container?storage_account=SHOP", ConfigError, "storage_account"),
        ("azureblob://container?storage_account=shop&domain=x/y", ConfigError, "is no domain"),
        ("oci://host/repository", SetupError, "the last writer wins"),
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


@pytest.mark.parametrize(
    ("address", "environ"),
    [
        ("s3://bucket/prod?region=eu-central-1", {"AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": SECRET}),
        ("s3://bucket", {"AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_REGION": "eu-west-1"}),
        ("s3://bucket?region=x", {"AWS_ROLE_ARN": "arn:aws:iam::1:role/r", "AWS_WEB_IDENTITY_TOKEN_FILE": "/t"}),
        ("s3://bucket?region=x&credentials=anonymous", {}),
        ("s3://bucket?endpoint=http://store.internal:9000&insecure=true&credentials=anonymous&path_style=false", {}),
        ("gs://bucket/prod?credentials=anonymous", {}),
        ("azureblob://container/prod?storage_account=shop", {"AZURE_STORAGE_KEY": "Zm9v"}),
        ("azureblob://container", {"AZURE_STORAGE_CONNECTION_STRING": "AccountName=shop;AccountKey=Zm9v"}),
        ("azureblob://container?storage_account=shop", {"AZURE_STORAGE_SAS_TOKEN": f"?sv=1&sig={SECRET}"}),
    ],
)
def test_a_cloud_opens_with_the_credentials_its_own_tools_know_and_shows_none(
    address: str, environ: dict[str, str]
) -> None:
    store = stores.open(address, environ)
    assert store.address == address
    assert SECRET not in repr(store) + repr(vars(store))
