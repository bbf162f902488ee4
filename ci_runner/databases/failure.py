"""The one way a database says no."""

from __future__ import annotations

from ci_runner.errors import PilotageError, SetupError


class PasswordRefused(SetupError):  # noqa: N818 - names what happened
    """The server is there and does not take this user's password: trying again is useless."""


class NobodyThere(SetupError):  # noqa: N818 - names what happened
    """No server listens at the address now: one that is just starting may do so in a moment."""


MESSAGE_LIMIT = 4_000
_FULL = {
    "SQLITE_FULL",
    "53100",
    "1021",
    "1114",
}  # SQLite; PostgreSQL: disk_full; MySQL: ER_DISK_FULL, ER_RECORD_FILE_FULL
# PostgreSQL's standby; MySQL's --read-only, --super-read-only and read-only transactions; SQL Server's and ClickHouse's replicas.
_READ_ONLY = {"25006", "1290", "1836", "1792", "3906", "TABLE_IS_READ_ONLY"}


class DatabaseFailure(PilotageError):  # noqa: N818 - a refusal is a result to report, seldom an error of ours
    """A statement the database refused.

    ``message`` is in the database's own words, ``code`` its SQLSTATE or error name, ``position`` the offset in characters (from 0)
    within the statement where the server points at one. ``statement`` is the index into the statements handed over; None when no
    single statement is to blame (a commit). ``lost`` says that the connection is gone.
    """

    exit_code = 5

    def __init__(
        self,
        message: str,
        code: str = "",
        position: int | None = None,
        statement: int | None = None,
        *,
        lost: bool = False,
    ) -> None:
        text = message.strip()
        if len(text) > MESSAGE_LIMIT:
            text = text[:MESSAGE_LIMIT] + " …"
        super().__init__(text)
        self.message = text
        self.code = code
        self.position = position
        self.statement = statement
        self.lost = lost

    @property
    def full(self) -> bool:
        """Whether the database had no room, which the same statement may find later."""
        return self.code in _FULL

    @property
    def read_only(self) -> bool:
        """Whether this server, file or session takes no writes: a replica, as a rule."""
        return self.code in _READ_ONLY or self.code.startswith("SQLITE_READONLY")

    def at(self, statement: int) -> DatabaseFailure:
        """The same failure, blamed on ``statement``."""
        return DatabaseFailure(self.message, self.code, self.position, statement, lost=self.lost)
