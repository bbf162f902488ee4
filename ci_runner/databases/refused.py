"""Why a server would not let us in, and what to do about it: the causes all engines share, in front of each engine's own."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from ci_runner.databases.address import Address
from ci_runner.databases.failure import PasswordRefused
from ci_runner.errors import PilotageError, SetupError, TemporaryError


class Cause(NamedTuple):
    """Words that give a cause away, the cause, its remedy, and the error it makes. ``{database}`` in it is the address's."""

    words: tuple[str, ...]
    cause: str
    remedy: str
    kind: type[PilotageError] = SetupError


COMMON = (
    Cause(
        ("Name or service not known", "nodename nor servname", "No address associated", "Temporary failure in name resolution"),
        "the host is unknown", "check the host name",
    ),
    Cause(("Connection refused",), "nothing listens there", "start the server, or check host and port"),
    Cause(("CERTIFICATE_VERIFY_FAILED",), "its certificate is not trusted", "name its authority's certificates in SSL_CERT_FILE"),
    Cause(("WRONG_VERSION_NUMBER", "record layer failure"), "it does not speak TLS on this port", "check port and TLS options"),
    Cause(("timed out", "timeout"), "the server did not answer in time", "try again, or check host and port", TemporaryError),
    Cause(
        ("closed connection", "Connection reset", "without response", "IncompleteRead"),
        "the server closed the connection", "try again when it is up", TemporaryError,
    ),
)  # fmt: skip


def password(words: tuple[str, ...]) -> Cause:
    """The cause of a password that is wrong."""
    return Cause(words, "the password was refused", "check user and password of the URL", PasswordRefused)


def no_database(words: tuple[str, ...]) -> Cause:
    """The cause of a database that is not there."""
    return Cause(words, "there is no database '{database}'", "create it, or correct the URL")


def explained(address: Address, words: str, own: Iterable[Cause]) -> PilotageError:
    """The error for a connection that could not be made; ``words`` are the driver's, from which the password is taken out."""
    text = " ".join(words.split())
    if address.password:
        text = text.replace(address.password, "***")
    where = f"cannot connect to {address}"
    for cause in (*own, *COMMON):
        if any(needle in text for needle in cause.words):
            what = cause.cause.replace("{database}", address.database)
            return cause.kind(f"{where}: {what}; {cause.remedy} ({text[:500]})")
    return SetupError(f"{where}: {text[:500]}")


def seconds(address: Address) -> int:
    """How long connecting may take: ``?connect_timeout=``, 10 where that is missing or no number of seconds below an hour."""
    given = address.options.get("connect_timeout", "10")
    return int(given) if given.isdigit() and 0 < int(given) < 3600 else 10
