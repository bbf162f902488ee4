"""Why PostgreSQL would not let us in, and what to do about it."""

from __future__ import annotations

from ci_runner.databases.address import Address
from ci_runner.databases.failure import NobodyThere, PasswordRefused
from ci_runner.errors import PilotageError, SetupError, TemporaryError

_CAUSES = (
    (
        ("password authentication failed", "no password supplied", "28P01"),
        "the password was refused",
        "check user and password of the URL",
    ),
    (
        ("no pg_hba.conf entry",),
        "the server does not admit this user from here",
        "allow it in pg_hba.conf, or add ?sslmode=require",
    ),
    (
        ("could not translate host name", "failed to resolve host", "Name or service not known"),
        "the host is unknown",
        "check the host name",
    ),
    (("Connection refused",), "nothing listens there", "start the server, or check host and port"),
    (("No such file or directory",), "there is no server socket", "start the server, or check the socket's folder"),
    (("server does not support SSL",), "the server has no TLS", "remove sslmode from the URL"),
)
POOLED = (
    "a pooler between here and the server gives each transaction another session, so that no lock can be held: "
    "use the direct address of the server, or a pooler in session mode"
)
_WAITING = (
    "the database system is starting up",
    "server closed the connection",
    "the database system is shutting down",
)


_KINDS = {
    "the password was refused": PasswordRefused,
    "nothing listens there": NobodyThere,
    "there is no server socket": NobodyThere,
}


def refusal(address: Address, text: str) -> PilotageError:
    """The error for a connection psycopg could not make; ``text`` is libpq's account, which never holds the password."""
    words = " ".join(dict.fromkeys(line.strip() for line in text.splitlines() if line.strip()))
    if address.password:
        words = words.replace(address.password, "***")
    where = f"cannot connect to {address}"
    for needles, cause, remedy in _CAUSES:
        if any(needle in words for needle in needles):
            kind = _KINDS.get(cause, SetupError)
            return kind(f"{where}: {cause}; {remedy} ({words})")
    if f'role "{address.user or "postgres"}" does not exist' in words:
        return SetupError(f"{where}: there is no user {address.user!r}; create the role, or correct the URL ({words})")
    if "does not exist" in words and "database" in words:
        return SetupError(
            f"{where}: there is no database {address.database!r}; create it, or correct the URL ({words})"
        )
    if any(needle in words for needle in _WAITING) or "timeout" in words or "timed out" in words:
        return TemporaryError(
            f"{where}: the server did not answer in time; try again, or check host and port ({words})"
        )
    return SetupError(f"{where}: {words}")
