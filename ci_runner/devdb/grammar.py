"""T-SQL read by Microsoft's own grammar, where no SQL Server is to be had: refuses what does not parse, and knows no more than that."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ci_runner.databases import Database, DatabaseFailure, Seen, Watched
from ci_runner.errors import SetupError
from ci_runner.model.inspected import Schema

if TYPE_CHECKING:
    from ci_runner.databases import Sql

PROGRAM = "maxdop"
LIMIT = 60.0
_UNREAD = ("could not be parsed", "do not parse")
# A text of one batch is refused in one line, of several below it or not at all; places are those of the batch (https://pypi.org/project/maxdop/).
_REFUSED = re.compile(r"(?:left unchanged\. |\nmaxdop:   )(\d+):(\d+): (.*?)(?: \(error (\d+)\))?$", re.MULTILINE)


@contextmanager
def open_grammar(report: Callable[[str], None]) -> Iterator[GrammarDev]:
    """The dev database of ``embedded://sqlserver``; SetupError says how to get the program."""
    dev = GrammarDev(find())
    report(f"{dev.engine}: syntax is checked, nothing is run")
    yield dev


def find() -> str:
    """The path of maxdop: beside this Python, or on the search path."""
    program = shutil.which(PROGRAM, path=str(Path(sys.executable).parent)) or shutil.which(PROGRAM)
    if program is None:
        raise SetupError(
            "Microsoft's grammar of T-SQL is not on this machine: pip install 'pilotage[maxdop]', or use docker://sqlserver/2022-latest"
        )
    return program


class GrammarDev:
    """Sessions that read statements and run none, so that every database is empty."""

    dialect = "sqlserver"

    def __init__(self, program: str) -> None:
        said = subprocess.run([program, "--version"], capture_output=True, text=True, check=False, timeout=LIMIT).stdout
        number = re.search(r"\d+(?:\.\d+)+", said)
        self.engine = f"Microsoft's T-SQL grammar (maxdop {number[0] if number else ''})"
        self._program = program

    def fresh(self, scripts: Iterable[str] = ()) -> Database:  # noqa: ARG002 - nothing is needed beforehand
        """A new session."""
        return Grammar(self._program, self.engine)

    def snapshot(self, database: Database, key: str, scripts: Iterable[str] = ()) -> Database:  # noqa: ARG002
        """There is no state to keep."""
        return database

    def restore(self, key: str, scripts: Iterable[str] = ()) -> Database | None:  # noqa: ARG002
        """None: nothing was kept."""
        return None

    def kill(self) -> None:
        """Nothing runs between statements."""

    def advice(self, failure: DatabaseFailure) -> str:  # noqa: ARG002 - a grammar is always right about itself
        """Nothing to add."""
        return ""


class Grammar(Database):
    """A session: each batch of statements is read at once, and again one by one where something in it is refused."""

    dialect = "sqlserver"
    version: tuple[int, ...] = ()
    name = ""

    def __init__(self, program: str, engine: str) -> None:
        self.engine = engine
        self._program = program

    def execute(
        self,
        statements: Sequence[Sql],
        *,
        transaction: bool,  # noqa: ARG002 - a grammar has none
        after: Callable[[int], None] | None = None,
    ) -> tuple[Seen, ...]:
        """Read them; the first that is refused is blamed."""
        if self._refusal("\nGO\n".join(each.text for each in statements)):
            for index, statement in enumerate(statements):
                refused = self._refusal(statement.text)
                if refused:
                    raise refused.at(index)
        for index in range(len(statements)):
            if after:
                after(index)
        return ()

    def begin(self) -> None:
        """Nothing is opened."""

    def commit(self) -> None:
        """Nothing is open."""

    def rollback(self) -> None:
        """Nothing is open."""

    def reset(self) -> None:
        """Nothing was set."""

    def interrupt(self) -> None:
        """A reading ends by itself."""

    def close(self) -> None:
        """Nothing is held."""

    def query(self, sql: str) -> list[tuple[Any, ...]]:  # noqa: ARG002 - there is nothing to ask
        """No rows."""
        return []

    def watcher(self) -> Grammar:
        """This one: there is nothing to see."""
        return self

    def fill(self, _script: str) -> tuple[str, ...]:
        """No rows are made."""
        return ()

    def watch(self, statements: Sequence[Sql], *, transaction: bool) -> Watched:  # noqa: ARG002 - they were read in the first pass
        """Nothing is seen."""
        return Watched(())

    def inspect(self) -> Schema:
        """An empty schema: nothing is ever run."""
        return Schema()

    def _refusal(self, text: str) -> DatabaseFailure | None:
        with tempfile.TemporaryDirectory(prefix="pilotage-tsql-") as folder:
            file = Path(folder) / "batch.sql"
            file.write_text(text + "\n", encoding="utf-8")
            try:
                done = subprocess.run(
                    [self._program, "--check", str(file)],
                    capture_output=True,
                    text=True,
                    encoding="utf-8",
                    check=False,
                    timeout=LIMIT,
                    cwd=folder,
                )
            except subprocess.TimeoutExpired:
                raise DatabaseFailure(f"the grammar took more than {LIMIT:.0f} s for this text") from None
        said = done.stderr + done.stdout
        if not any(words in said for words in _UNREAD):
            return None
        found = _REFUSED.search(said)
        if not found:  # of a text of several batches it may say no more
            return DatabaseFailure("this does not parse")
        lines = text.split("\n")
        line, column = int(found[1]) - 1, int(found[2]) - 1
        position = sum(len(each) + 1 for each in lines[:line]) + column if line < len(lines) else None
        return DatabaseFailure(found[3], found[4] or "", position)
