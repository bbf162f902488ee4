"""How MySQL and MariaDB carry a change out: the cheapest algorithm they accept, whether rows can be written meanwhile, and what fails on rows."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ci_runner.databases.failure import DatabaseFailure
from ci_runner.databases.mysql.rows import fill
from ci_runner.databases.running import watched
from ci_runner.databases.watch import Seen, Watched

if TYPE_CHECKING:
    from ci_runner.databases import Sql
    from ci_runner.databases.mysql import Mysql

# Cheapest first. MariaDB tells a change that rebuilds the table in place from one that need not.
ALGORITHMS = {"mysql": ("instant", "inplace", "copy"), "mariadb": ("instant", "nocopy", "inplace", "copy")}
LOCKS = ("none", "shared")
_REFUSED = frozenset(
    {"1221", "1845", "1846", "1851"}
)  # ER_ALTER_OPERATION_NOT_SUPPORTED and its kin; the first for a LOCK that INSTANT has not
_NAME = r"((?:`[^`]+`|\w+)(?:\s*\.\s*(?:`[^`]+`|\w+))?)"
_ALTER = re.compile(rf"\s*alter\s+(?:online\s+|ignore\s+)*table\s+(?:if\s+exists\s+)?{_NAME}\s+(?!\s*$)", re.IGNORECASE)
_INDEX = re.compile(rf"\s*(?:create|drop)\s+(?:\w+\s+){{0,4}}?index\s+.*?\bon\s+{_NAME}", re.IGNORECASE | re.DOTALL)
_END = re.compile(r"[;\s]+\Z")
_SAID = re.compile(r"\balgorithm\b", re.IGNORECASE)
_LOCK_SAID = re.compile(r"\block\s*=", re.IGNORECASE)
# MariaDB 10.11 checks an ENGINE clause against INPLACE alone: it takes INSTANT and NOCOPY, and copies every row all the same.
_ENGINE = re.compile(r"\bengine\b", re.IGNORECASE)
_UNCHECKED = frozenset({"instant", "nocopy"})


class MysqlWatcher:
    """Watches one session by asking for algorithms; what the server refuses for its algorithm has not been done."""

    def __init__(self, session: Mysql) -> None:
        self._session = session

    def fill(self, script: str) -> tuple[str, ...]:
        """Put a row into every empty table the script concerns; returns those where none could be made.

        Algorithms are chosen by definitions, so that what is seen of them holds without a row, too.
        """
        return fill(self._session, script)

    def watch(self, statements: Sequence[Sql], *, transaction: bool) -> Watched:
        """Run the statements, ALTER TABLE and index statements by the cheapest way; the refusal that ended it, if one did."""
        return watched(self._session, statements, transaction=transaction, look=self._one)

    def _one(self, index: int, statement: Sql) -> list[Seen]:
        """Run one statement by the cheapest algorithm, where it has one to choose."""
        alter = _ALTER.match(statement.text)
        found = alter or _INDEX.match(statement.text)
        if found and not _SAID.search(statement.text):
            for way in self._ways(statement.text):
                try:
                    self._session.step(statement._replace(text=_asked(statement.text, way, "," if alter else "")))
                except DatabaseFailure as failure:
                    if failure.code in _REFUSED:
                        continue
                    break
                return [Seen(index, "algorithm", found[1].replace("`", "").replace(" ", ""), ", ".join(way))]
        self._session.step(statement)
        return []

    def _ways(self, text: str) -> Iterator[tuple[str, ...]]:
        """Algorithms from the cheapest on, each with the weaker lock first; INSTANT takes none."""
        for algorithm in ALGORITHMS[self._session.dialect]:
            if algorithm in _UNCHECKED and _ENGINE.search(text):
                continue
            if algorithm != "instant" and not _LOCK_SAID.search(text):
                yield from ((algorithm, f"lock={lock}") for lock in LOCKS)
            yield (algorithm,)


def _asked(text: str, way: tuple[str, ...], comma: str) -> str:
    """The statement with ALGORITHM and LOCK said behind it: parts of a list in ALTER TABLE, words in CREATE and DROP INDEX."""
    said = f"{comma} ".join((f"ALGORITHM={way[0]}", *way[1:]))
    return f"{_END.sub('', text)}\n{comma} {said.upper()}"
