"""A lock that is a row, for engines without a lock of a session: taken by a conditional update, given back by hand when its holder died."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TypeVar

from ci_runner.databases import Sql
from ci_runner.databases.failure import DatabaseFailure
from ci_runner.databases.session import Session, Stepping
from ci_runner.databases.target import Lock, Target
from ci_runner.errors import RefusedError
from ci_runner.model.deploy import Facts

D = TypeVar("D", bound=Stepping)
TABLE = "pilotage_lock"
WEAK = (
    "this engine has no lock of a session: two deployments at once are kept apart by a row, so let only one job run at a time (a concurrency "
    "group); a row left by a job that died is given back by hand"
)


class Claiming(Session[D]):
    """``holder`` names this run in the row, which outlives the session: nobody concludes from a clock that a holder is gone."""

    def __init__(self, database: D, facts: Facts, again: Callable[[], Target], me: str) -> None:
        super().__init__(database, facts, again)
        self._me = me
        self._touched = False

    def run(self, statements: Sequence[Sql]) -> tuple[int, ...]:
        """One after the other, remembering that the session may have been changed."""
        self._touched = True
        return super().run(statements)

    def reset(self) -> None:
        """A new session where a file had this one; the row stays ours."""
        self.rollback()
        if self._touched:
            self.database.reset()
            self._touched = False

    def limits(self, lock_ms: int, statement_ms: int) -> None:
        """Neither is a setting of a session on these engines that every user may change."""

    def try_lock(self, lock: Lock) -> bool:
        """Take the row if nobody has it, and look whether it was us."""
        rows = self._known(lock)
        if not rows:
            self._put(
                f"INSERT INTO {self.qualified(TABLE)} (name, epoch, holder) VALUES ({self.literal(lock.name)}, 0, '')"
            )
            rows = self._rows(lock)
        epoch, holder = max(rows)
        if holder not in {"", self._me}:
            return False
        self._put(
            f"UPDATE {self.qualified(TABLE)} SET epoch = {epoch + 1}, holder = {self.literal(self._me)} "
            f"WHERE name = {self.literal(lock.name)} AND epoch = {epoch} AND holder = {self.literal(holder)}"
        )
        return max(self._rows(lock)) == (epoch + 1, self._me)

    def check_lock(self, lock: Lock) -> None:
        """The row must still be ours."""
        if max(self._rows(lock), default=(0, ""))[1] != self._me:
            raise RefusedError(
                f"{self.facts.name}: the row of {TABLE} is not ours any more: somebody gave it back while this deployment ran"
            )

    def holder(self, lock: Lock) -> str:
        """Who has the row, and the statement that gives it back when that run is dead."""
        _, holder = max(self._rows(lock), default=(0, ""))
        if not holder:
            return ""
        back = f"UPDATE {self.qualified(TABLE)} SET holder = '' WHERE name = {self.literal(lock.name)}"
        return f"{holder}; if that run is dead and nothing of it runs on the server any more: {back}"

    def unlock(self, lock: Lock) -> None:
        """Give the row back."""
        with suppress(DatabaseFailure):
            self._put(
                f"UPDATE {self.qualified(TABLE)} SET holder = '' WHERE name = {self.literal(lock.name)} "
                f"AND holder = {self.literal(self._me)}"
            )

    def _put(self, statement: str) -> None:
        self.write([statement])

    def _known(self, lock: Lock) -> list[tuple[int, str]]:
        """The row, after the table was made where it is missing."""
        try:
            return self._rows(lock)
        except DatabaseFailure as failure:
            if failure.lost:
                raise
        columns = f"name {self.words.key}, epoch {self.words.integer}, holder {self.words.key}"
        self._put(f"CREATE TABLE {self.qualified(TABLE)} ({columns})")
        return []

    def _rows(self, lock: Lock) -> list[tuple[int, str]]:
        found = self.query(f"SELECT epoch, holder FROM {self.qualified(TABLE)} WHERE name = {self.literal(lock.name)}")
        return [(int(epoch), str(holder or "")) for epoch, holder in found]
