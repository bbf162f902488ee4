"""A store in an S3 bucket, of Amazon or of anybody who speaks its language."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from ci_runner.errors import ConfigError, SetupError
from ci_runner.stores.address import Address, Settings, settings, switch
from ci_runner.stores.objects import CloudStore, need, no_credentials

_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_WAYS = (
    "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, let the CI system log in to AWS by OIDC (AWS_ROLE_ARN and "
    "AWS_WEB_IDENTITY_TOKEN_FILE), or name a profile (AWS_PROFILE or ?profile=…)"
)
_CONTAINER = ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI")


def open_store(address: Address) -> CloudStore:
    """The store at an ``s3://bucket/prefix`` address; SetupError without client, region or credentials."""
    common = settings(address, _BUCKET, "bucket")
    need("s3", "obstore")
    config = {**_place(address, common), **_credentials(address, common)}
    from obstore.store import S3Store

    return CloudStore(
        common,
        S3Store,
        {"checksum_algorithm": "sha256", "conditional_put": "etag", "disable_bulk_delete": True, **config},
    )


def _place(address: Address, common: Settings) -> dict[str, Any]:
    environ = address.environ
    region = address.parameters.get("region") or environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION")
    if not region and not common.endpoint:
        raise ConfigError(f"{common.shown} names no region: add ?region=eu-central-1, or set AWS_REGION")
    if not common.endpoint:
        # Certificates of the bucket's own host name have one star, which stands for no dots.
        path_style = switch(address, "path_style", default="." in common.bucket)
        return {"region": region, "virtual_hosted_style_request": not path_style}
    if switch(address, "path_style", default=True):
        return {"region": region or "us-east-1", "endpoint": common.endpoint}
    url = urlsplit(common.endpoint)
    own = url._replace(netloc=f"{common.bucket}.{url.netloc}").geturl()
    return {"region": region or "us-east-1", "endpoint": own, "virtual_hosted_style_request": True}


def _credentials(address: Address, common: Settings) -> dict[str, Any]:
    """The first source that is set up, in the order of Amazon's own tools; the instance's identity only when asked for."""
    environ, source = address.environ, common.credentials
    profile = address.parameters.get("profile") or environ.get("AWS_PROFILE")
    if source == "anonymous":
        return {"skip_signature": True}
    if source == "instance":
        return {}
    key, secret = environ.get("AWS_ACCESS_KEY_ID"), environ.get("AWS_SECRET_ACCESS_KEY")
    if source in {"auto", "environment"} and not address.parameters.get("profile"):
        if key and secret:
            token = environ.get("AWS_SESSION_TOKEN")
            return {
                "access_key_id": key,
                "secret_access_key": secret,
                **({"session_token": token} if token else {}),
            }
        if environ.get("AWS_WEB_IDENTITY_TOKEN_FILE") and environ.get("AWS_ROLE_ARN"):
            return {}
        if any(environ.get(name) for name in _CONTAINER):
            return {}
    if source == "environment":
        raise no_credentials(common.shown, _WAYS)
    return {"credential_provider": _profile(common, profile)}


def _profile(common: Settings, profile: str | None) -> Any:
    """Credentials of the AWS configuration files: keys, SSO, roles; never of the machine."""
    need("s3", "boto3")
    import boto3
    import botocore.session
    from botocore.exceptions import BotoCoreError
    from obstore.auth.boto3 import Boto3CredentialProvider

    session = botocore.session.Session(profile=profile)
    try:
        chain = session.get_component("credential_provider")
        for name in ("iam-role", "container-role", "env"):
            chain.remove(name)
        if session.get_credentials() is None:
            raise no_credentials(common.shown, _WAYS)
    except BotoCoreError as error:
        raise SetupError(f"the AWS configuration gives no credentials for {common.shown}: {error}") from None
    return Boto3CredentialProvider(boto3.session.Session(botocore_session=session))
