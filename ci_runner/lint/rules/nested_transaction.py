"""BEGIN or COMMIT stands in a file that the runner wraps.

The inner COMMIT ends the runner's transaction: what follows runs unprotected, and a failure later on cannot be undone. An inner BEGIN is
ignored with a warning, or refused.

Instead: leave it out, or tell the runner not to wrap this file.

Bad, postgres:
    CREATE TABLE person (id bigint PRIMARY KEY);
    ---
    BEGIN;
    ALTER TABLE person ADD COLUMN email text;
    COMMIT;

Good, postgres:
    CREATE TABLE person (id bigint PRIMARY KEY);
    ---
    ALTER TABLE person ADD COLUMN email text;
"""

from __future__ import annotations

from collections.abc import Iterator

from ci_runner.lint.clauses import lines_of, rewrite
from ci_runner.lint.context import Context
from ci_runner.lint.rule import Edit, Fix, Hit, rule
from ci_runner.model.operations import Transaction

_KINDS = ("transaction.begin", "transaction.commit", "transaction.rollback", "transaction.prepare")


@rule(
    "warning",
    on=(Transaction,),
    aliases=("TX101", "TX201", "transaction-nesting", "ban-uncommitted-transaction"),
    seen=("error",),
)
def check(context: Context) -> Iterator[Hit]:
    """The first BEGIN, COMMIT or ROLLBACK inside the runner's transaction."""
    op = context.step.operation
    if op.kind not in _KINDS:
        return
    if op.options and any(
        other.kind == "transaction.savepoint" and other.options == op.options
        for _, other in context.earlier(Transaction)
    ):
        return  # SQL Server's ROLLBACK to a savepoint
    mode = context.statement.transaction or context.file.transaction
    if mode == "none":
        if op.kind == "transaction.begin" and not _closed(context):
            yield Hit(
                "The transaction that begins here is never ended: what it does is rolled back when the connection closes."
            )
        return
    if context.dialect == "clickhouse" or any(other.kind in _KINDS for _, other in context.earlier(Transaction)):
        return
    word = op.kind.partition(".")[2].upper()
    if word == "BEGIN":
        yield Hit(
            "The runner already wraps this file in a transaction: BEGIN nests in it, and the COMMIT that follows ends the runner's.",
            fix=_fix(context),
        )
    else:
        yield Hit(f"{word} ends the transaction the runner wraps this file in: what follows runs without one.")


def _closed(context: Context) -> bool:
    return any(
        other.kind in ("transaction.commit", "transaction.rollback", "transaction.prepare")
        for _, other in context.later(Transaction)
    )


@rewrite
def _fix(context: Context) -> Fix | None:
    """Without BEGIN and COMMIT, where they are the first and the last statement of the file and there are no others."""
    statements, inner = context.file.statements, [step for step, _ in context.file.of(Transaction)]
    ends = [step.statement for step in inner]
    commits = inner[-1].operation.kind == "transaction.commit"
    if ends != [0, len(statements) - 1] or not commits or "chain" in inner[-1].operation.options:
        return None
    spans = (lines_of(context.file.text, statements[at].start, statements[at].end) for at in ends)
    return Fix(tuple(Edit(start, stop, "") for start, stop in spans), "leave the transaction to the runner")
