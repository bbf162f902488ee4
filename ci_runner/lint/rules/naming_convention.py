r"""A name breaks the team's convention.

Names that all follow one form can be guessed, and tell what they stand for. The forms are the team's own: `naming` in `pilotage.yml` gives a
regular expression per kind of object, and without it this rule says nothing. Only what a change names is looked at, never what was there before.

Instead: name it as the convention says. An object that must keep its name can be exempted with an ignore comment that says why.

Bad, postgres, naming table=[a-z]+(_[a-z]+)*:
    CREATE TABLE user_2fa (id bigint PRIMARY KEY);

Good, postgres, naming table=[a-z]+(_[a-z]+)*:
    CREATE TABLE user_second_factor (id bigint PRIMARY KEY);

Bad, postgres, naming foreign_key=fk_\w+:
    CREATE TABLE person (id bigint PRIMARY KEY);
    CREATE TABLE pet (id bigint PRIMARY KEY);
    ---
    ALTER TABLE pet ADD COLUMN person_id bigint CONSTRAINT pet_person REFERENCES person (id);

Good, postgres, naming foreign_key=fk_\w+:
    CREATE TABLE person (id bigint PRIMARY KEY);
    CREATE TABLE pet (id bigint PRIMARY KEY);
    ---
    ALTER TABLE pet ADD COLUMN person_id bigint CONSTRAINT fk_pet_person REFERENCES person (id);
"""

from __future__ import annotations

from collections.abc import Iterator

from ci_runner.lint.context import Context, quoted
from ci_runner.lint.naming import given, written
from ci_runner.lint.rule import Hit, rule
from ci_runner.model.operations import (
    AddColumn,
    AddConstraint,
    CreateIndex,
    CreateTable,
    RenameColumn,
    RenameConstraint,
    RenameIndex,
    RenameTable,
)

_KINDS = (AddColumn, AddConstraint, CreateIndex, CreateTable, RenameColumn, RenameConstraint, RenameIndex, RenameTable)


@rule("warning", on=_KINDS, aliases=("NM101", "NM102", "NM103", "NM104", "NM105", "NM106"))
def check(context: Context) -> Iterator[Hit]:
    """Everything the operation gives a name to, where the team has a pattern for its kind."""
    if not context.file.naming:
        return
    spelled = written(context)
    for kind, folded in given(context):
        pattern = context.file.naming.get(kind)
        name = spelled(folded)
        if pattern is not None and not pattern.matches(name):
            what = kind.replace("_", " ")
            yield Hit(
                f"The name of {what} {quoted(name)} does not match the convention {pattern.text} for {what} names."
            )
