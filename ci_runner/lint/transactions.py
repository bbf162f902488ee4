"""In which transaction each operation of a file runs: the runner's, one the file opens itself, or its own."""

from __future__ import annotations

from msgspec import Struct

from ci_runner.model.directory import Migration
from ci_runner.model.operations import Operation, Statement, Transaction


class Tx(Struct, frozen=True):
    """``id`` tells transactions of a file apart. ``by``: runner, file (an explicit BEGIN), block (DO), statement (autocommit)."""

    id: int
    by: str

    @property
    def block(self) -> bool:
        """Whether the statement runs inside a transaction block, where CONCURRENTLY and VACUUM are refused."""
        return self.by != "statement"

    @property
    def opener(self) -> str:
        """Who opened that block, for a sentence that has just named a transaction."""
        return _OPENERS.get(self.by, "")


_OPENERS = {
    "runner": "the runner wraps this file in one",
    "file": "the file opens one with BEGIN",
    "block": "a DO block is one",
}


class _State:
    """Where the reading stands: the transactions seen, the open one, how deep BEGIN is nested and the savepoints' names (SQL Server)."""

    __slots__ = ("count", "depth", "group", "open", "saved")

    def __init__(self) -> None:
        self.count = 0
        self.open: Tx | None = None
        self.depth = 0
        self.group: object = None
        self.saved: set[str] = set()

    def new(self, by: str) -> Tx:
        self.count += 1
        return Tx(self.count, by)


def transactions(statements: tuple[Statement, ...], migration: Migration, dialect: str) -> list[list[Tx]]:
    """For every statement the transaction of each of its operations."""
    if _in_one(statements, migration):
        return [[_RUNNERS] * len(statement.operations) for statement in statements]
    state = _State()
    found = []
    for statement in statements:
        _enter(state, statement, migration)
        own = None if state.open else state.new("statement")
        in_do = any(op.kind == "do-block" for op in statement.operations)
        row = []
        for operation in statement.operations:
            if isinstance(operation, Transaction):
                row.append(state.open or own or state.new("statement"))
                _step(state, operation, dialect)
                continue
            tx = state.open or own or state.new("statement")
            row.append(Tx(tx.id, "block") if in_do else tx)
        found.append(row)
    return found


_RUNNERS = Tx(1, "runner")


def _in_one(statements: tuple[Statement, ...], migration: Migration) -> bool:
    """Whether the runner wraps all statements together and none of them says a word of transactions: so it is in nearly every file."""
    if migration.transaction != "file":
        return False
    for statement in statements:
        if statement.transaction:
            return False
        for operation in statement.operations:
            if operation.__class__ is Transaction or operation.kind == "do-block":
                return False
    return True


def _enter(state: _State, statement: Statement, migration: Migration) -> None:
    """The runner opens a transaction at the start of each group of statements it wraps together."""
    mode = statement.transaction or migration.transaction
    group: object = mode
    if mode == "changeset" or len(migration.parts) > 1:
        group = (
            mode,
            next((i for i, part in enumerate(migration.parts) if part.start <= statement.start < part.end), 0),
        )
        if migration.transaction in ("file", "all") and statement.transaction is None:
            group = mode
    if group == state.group:
        return
    state.group = group
    state.open = None if mode == "none" else state.new("runner")
    state.depth = 0 if mode == "none" else 1


def _step(state: _State, operation: Operation, dialect: str) -> None:
    if operation.kind == "transaction.savepoint":
        state.saved.update(operation.options)
    elif (
        dialect == "sqlserver"
        and operation.kind == "transaction.rollback"
        and state.saved.intersection(operation.options)
    ):
        return  # to a savepoint
    elif operation.kind == "transaction.begin":
        state.depth += 1
        if state.open is None:
            state.open = state.new("file")
    elif operation.kind in ("transaction.commit", "transaction.rollback"):
        nested = dialect == "sqlserver" and operation.kind == "transaction.commit" and state.depth > 1
        state.depth = state.depth - 1 if nested else 0
        if not nested:
            state.open = None
