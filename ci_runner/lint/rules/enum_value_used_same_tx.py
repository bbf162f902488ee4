"""A new enum value is used in the transaction that adds it.

PostgreSQL refuses it with "unsafe use of new value" (55P04) until the ALTER TYPE is committed, even for a type created in the same
transaction.

Instead: add the value in one migration and use it in the next.

Bad, postgres:
    CREATE TYPE mood AS ENUM ('sad');
    CREATE TABLE person (id bigint PRIMARY KEY, mood mood);
    ---
    ALTER TYPE mood ADD VALUE 'ok';
    UPDATE person SET mood = 'ok' WHERE id = 1; -- here

Good, postgres, tx none:
    CREATE TYPE mood AS ENUM ('sad');
    CREATE TABLE person (id bigint PRIMARY KEY, mood mood);
    ---
    ALTER TYPE mood ADD VALUE 'ok';
    UPDATE person SET mood = 'ok' WHERE id = 1;
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ci_runner.lint.clauses import rewrite
from ci_runner.lint.context import REACH, Context, Step, quoted
from ci_runner.lint.enums import may_hold
from ci_runner.lint.naming import enum_key
from ci_runner.lint.rule import POSTGRES, Edit, Fix, Hit, rule
from ci_runner.model.operations import AlterEnum


@rule("error", POSTGRES, on=(AlterEnum,), seen=("error",))
def check(context: Context) -> Iterator[Hit]:
    """The first later operation of the same transaction that speaks of the value where the type is at home."""
    op = context.step.operation
    assert isinstance(op, AlterEnum)  # noqa: S101
    if op.kind != "alter-type.add-value" or op.value in context.catalog.enums.get(enum_key(context, op.type), ()):
        return
    word = re.compile(rf"'{re.escape(op.value.replace(chr(39), chr(39) * 2))}'")
    for step in context.file.steps[context.step.position + 1 :][:REACH]:
        other = step.operation
        if step.tx.id != context.tx.id or isinstance(other, AlterEnum):
            continue
        text = context.text(other)
        if word.search(text) and may_hold(context, step, op.type, text, op.value):
            yield Hit(
                f"Value '{op.value}' of {quoted(op.type)} is used before the transaction that adds it has committed: PostgreSQL refuses it.",
                at=other,
                fix=_fix(context, step),
            )
            return


@rewrite
def _fix(context: Context, use: Step) -> Fix | None:
    """Everything from the first use on as the next migration."""
    migration, statement = context.file.changed.migration, context.file.statements[use.statement]
    if migration is None or context.tx.by != "runner" or use.statement == context.step.statement:
        return None
    stop = next((part.end for part in migration.parts if part.start <= statement.start < part.end), len(migration.text))
    start = migration.text.rfind("\n", 0, statement.start) + 1
    rest = migration.text[start:stop].strip()
    if not rest.startswith(migration.text[statement.start : statement.end][:20]):
        return None  # it shares its line with another statement
    kept = "\n" if migration.text[start:stop].endswith("\n") and stop < len(migration.text) else ""
    return Fix(
        (Edit(start, stop, kept),),
        "use the value in the next migration",
        after=((rest,),),
        name="use_the_new_value",
        last=True,
    )
