"""A store in a container of Azure Blob Storage."""

from __future__ import annotations

import re
from typing import Any

from ci_runner.errors import ConfigError, SetupError
from ci_runner.stores.address import Address, Settings, settings
from ci_runner.stores.objects import CloudStore, need, no_credentials

_CONTAINER = re.compile(r"[a-z0-9](?:-?[a-z0-9]){2,62}")
_ACCOUNT = re.compile(r"[a-z0-9]{3,24}")
_DOMAIN = re.compile(r"[a-z0-9]+(?:[.-][a-z0-9]+){1,8}")
_WAYS = (
    "set AZURE_STORAGE_CONNECTION_STRING, AZURE_STORAGE_KEY or AZURE_STORAGE_SAS_TOKEN, let the CI system log in to Azure by OIDC, "
    "or run `az login`"
)


def open_store(address: Address) -> CloudStore:
    """The store at an ``azureblob://container/prefix`` address; SetupError without client, account or credentials."""
    common = settings(address, _CONTAINER, "container")
    need("azure", "obstore")
    connection = _connection(address.environ.get("AZURE_STORAGE_CONNECTION_STRING", ""))
    account = (
        address.parameters.get("storage_account")
        or address.environ.get("AZURE_STORAGE_ACCOUNT")
        or connection.get("AccountName", "")
    )
    if not _ACCOUNT.fullmatch(account):
        raise ConfigError(
            f"{common.shown} names no storage account: add ?storage_account=…, 3 to 24 letters and digits"
        )
    config = {
        "account_name": account,
        **_endpoint(address, common, account),
        **_credentials(address, common, connection),
    }
    from obstore.store import AzureStore

    return CloudStore(common, AzureStore, config)


def _endpoint(address: Address, common: Settings, account: str) -> dict[str, str]:
    if common.endpoint:
        return {"endpoint": common.endpoint}
    domain = address.parameters.get("domain", "blob.core.windows.net")
    if not _DOMAIN.fullmatch(domain):
        raise ConfigError(f"domain={domain[:60]} is no domain: give one like blob.core.chinacloudapi.cn")
    return {"endpoint": f"https://{account}.{domain}"}


def _connection(text: str) -> dict[str, str]:
    """The parts of a connection string, ``AccountName=…;AccountKey=…``."""
    return {name: value for name, _, value in (part.partition("=") for part in text.split(";")) if value}


def _credentials(address: Address, common: Settings, connection: dict[str, str]) -> dict[str, Any]:
    environ, source = address.environ, common.credentials
    if source == "anonymous":
        return {"skip_signature": True}
    if source in {"auto", "environment"}:
        key = environ.get("AZURE_STORAGE_KEY") or connection.get("AccountKey")
        token = environ.get("AZURE_STORAGE_SAS_TOKEN") or connection.get("SharedAccessSignature")
        if key:
            return {"account_key": key}
        if token:
            return {"sas_key": token.removeprefix("?")}
    return {"credential_provider": _identity(common)}


def _identity(common: Settings) -> Any:
    """Azure's default identity: environment, workload identity, command line; that of the machine only when asked for."""
    need("azure", "azure.identity", "requests")
    from azure.core.exceptions import AzureError
    from azure.identity import DefaultAzureCredential, ManagedIdentityCredential
    from obstore.auth.azure import AzureCredentialProvider

    if common.credentials == "instance":
        return AzureCredentialProvider(credential=ManagedIdentityCredential())
    found = DefaultAzureCredential(
        exclude_managed_identity_credential=True,
        exclude_interactive_browser_credential=True,
        exclude_cli_credential=common.credentials == "environment",
        exclude_developer_cli_credential=True,
        exclude_powershell_credential=True,
        exclude_shared_token_cache_credential=True,
        exclude_visual_studio_code_credential=True,
    )
    try:
        return AzureCredentialProvider(credential=found)
    except AzureError:
        raise no_credentials(common.shown, _WAYS) from None
    except ValueError as error:
        raise SetupError(f"Azure gives no credentials for {common.shown}: {str(error)[:200]}") from None
