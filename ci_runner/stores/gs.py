"""A store in a bucket of Google Cloud Storage."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from ci_runner.errors import SetupError
from ci_runner.stores.address import Address, Settings, settings
from ci_runner.stores.objects import CloudStore, need, no_credentials

_BUCKET = re.compile(r"[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]")
_SCOPE = "https://www.googleapis.com/auth/devstorage.read_write"
_WAYS = (
    "set GOOGLE_APPLICATION_CREDENTIALS to the file of a service account or of a workload identity federation, or run "
    "`gcloud auth application-default login`"
)


def open_store(address: Address) -> CloudStore:
    """The store at a ``gs://bucket/prefix`` address; SetupError without client or credentials."""
    common = settings(address, _BUCKET, "bucket")
    need("gcs", "obstore")
    config = _credentials(address, common)
    from obstore.store import GCSStore

    return CloudStore(common, GCSStore, config)


def _credentials(address: Address, common: Settings) -> dict[str, Any]:
    endpoint = {"base_url": common.endpoint} if common.endpoint else {}
    if common.credentials == "anonymous":
        nobody = {"disable_oauth": True, "client_email": "", "private_key": "", "private_key_id": ""}
        if common.endpoint:
            nobody["gcs_base_url"] = common.endpoint
        return {"service_account_key": json.dumps(nobody), "skip_signature": True, **endpoint}
    need("gcs", "google.auth", "requests")
    return {"credential_provider": _google(address, common), **endpoint}


def _google(address: Address, common: Settings) -> Any:
    """Credentials of the file that is named, or of gcloud's; of the machine only when asked for."""
    from google.auth import load_credentials_from_file
    from google.auth.compute_engine import Credentials
    from google.auth.exceptions import GoogleAuthError
    from obstore.auth.google import GoogleCredentialProvider

    if common.credentials == "instance":
        return GoogleCredentialProvider(credentials=Credentials(scopes=[_SCOPE]))
    path = _file(address, common)
    if path is None:
        raise no_credentials(common.shown, _WAYS)
    try:
        found, _project = load_credentials_from_file(str(path), scopes=[_SCOPE])
    except (GoogleAuthError, OSError, ValueError) as error:
        raise SetupError(f"{path} gives no credentials for {common.shown}: {str(error)[:200]}") from None
    return GoogleCredentialProvider(credentials=found)


def _file(address: Address, common: Settings) -> Path | None:
    environ = address.environ
    named = environ.get("GOOGLE_APPLICATION_CREDENTIALS")
    if named and common.credentials != "profile":
        return Path(named)
    home = environ.get("CLOUDSDK_CONFIG") or (f"{environ['HOME']}/.config/gcloud" if environ.get("HOME") else None)
    own = Path(home) / "application_default_credentials.json" if home else None
    return own if own and common.credentials != "environment" and own.is_file() else None
