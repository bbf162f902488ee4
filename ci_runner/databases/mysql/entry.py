"""Why MySQL or MariaDB would not let us in, and what to do about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ci_runner.databases.address import Address
from ci_runner.databases.failure import NobodyThere, PasswordRefused
from ci_runner.errors import ConfigError, PilotageError, SetupError, TemporaryError

if TYPE_CHECKING:
    import ssl

_NO_NAME = (
    "Name or service not known",
    "nodename nor servname",
    "Temporary failure in name resolution",
    "No address associated",
)


def refusal(address: Address, error: Exception) -> PilotageError:
    """The error for a connection PyMySQL could not make; its texts never hold the password."""
    code = error.args[0] if error.args and isinstance(error.args[0], int) else 0
    words = str(error.args[1]) if len(error.args) > 1 else str(error)
    if address.password:
        words = words.replace(address.password, "***")
    where = f"cannot connect to {address}"
    if isinstance(error, RuntimeError) and "cryptography" in words:
        return SetupError(
            f"{where}: this server's passwords need the cryptography package: pip install 'pilotage[mysql]'"
        )
    if code in {1045, 1698}:
        return PasswordRefused(f"{where}: the password was refused; check user and password of the URL ({words})")
    if code == 1049:
        return SetupError(
            f"{where}: there is no database {address.database!r}; create it, or correct the URL ({words})"
        )
    if code == 1044:
        return SetupError(f"{where}: this user may not use the database {address.database!r}; grant it ({words})")
    if any(text in words for text in _NO_NAME):
        return SetupError(f"{where}: the host is unknown; check the host name ({words})")
    if "timed out" in words:
        return TemporaryError(
            f"{where}: the server did not answer in time; try again, or check host and port ({words})"
        )
    if code in {2002, 2003} and ("refused" in words or "No such file" in words):
        return NobodyThere(f"{where}: nothing listens there; start the server, or check host and port ({words})")
    if "SSL is required" in words:
        return SetupError(f"{where}: the server has no TLS; switch it on there, or leave tls out of the URL ({words})")
    if code in {2006, 2013}:
        return TemporaryError(f"{where}: the server closed the connection; try again when it is up ({words})")
    return SetupError(f"{where}: {words}")


def tls(address: Address) -> ssl.SSLContext | None:
    """The TLS context of ``?tls=true`` (certificate checked), ``?tls=skip-verify`` or ``?ssl-ca=FILE``; None without them."""
    wanted, authority = address.options.get("tls", ""), address.options.get("ssl-ca", "")
    if wanted not in {"", "true", "false", "skip-verify"}:
        raise ConfigError(f"{address}: tls is true, false or skip-verify, not {wanted!r}")
    if wanted in {"", "false"} and not authority:
        return None
    import ssl

    try:
        context = ssl.create_default_context(cafile=authority or None)
    except OSError as error:
        raise ConfigError(f"{address}: ssl-ca={authority} cannot be read: {error.strerror or error}") from None
    if wanted == "skip-verify":
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
