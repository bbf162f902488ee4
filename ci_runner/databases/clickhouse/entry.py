"""Why ClickHouse would not let us in, and what to do about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ci_runner.databases.address import Address
from ci_runner.databases.refused import Cause, explained, no_database, password
from ci_runner.errors import ConfigError, PilotageError

if TYPE_CHECKING:
    import ssl

# Error names: https://github.com/ClickHouse/ClickHouse, src/Common/ErrorCodes.cpp
_CAUSES = (
    password(("AUTHENTICATION_FAILED", "WRONG_PASSWORD", "UNKNOWN_USER", "REQUIRED_PASSWORD")),
    no_database(("UNKNOWN_DATABASE",)),
    Cause(("ACCESS_DENIED",), "this user may not use the database '{database}'", "grant it"),
    Cause(("native", "clickhouse-client program"), "this port does not speak HTTP", "name the HTTP port, 8123 or 8443"),
    Cause(("HTTP request to an HTTPS",), "this port speaks TLS", "add ?secure=true"),
)


def refusal(address: Address, error: Exception) -> PilotageError:
    """The error for a server that could not be asked its first question."""
    return explained(address, str(error) or type(error).__name__, _CAUSES)


def tls(address: Address) -> ssl.SSLContext | None:
    """The TLS context of ``?secure=true`` or port 8443; with ``?skip_verify=true`` the certificate is not checked."""
    for name in ("secure", "skip_verify"):
        if address.options.get(name, "") not in {"", "true", "false"}:
            raise ConfigError(f"{address}: {name} is true or false, not {address.options[name]!r}")
    if not (address.options.get("secure") == "true" or (address.port == 8443 and "secure" not in address.options)):
        return None
    import ssl

    context = ssl.create_default_context()
    if address.options.get("skip_verify") == "true":
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
