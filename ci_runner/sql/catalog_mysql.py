"""What MySQL and MariaDB do to a table unasked: an index for each foreign key, and constraint names that follow the table's."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from ci_runner.model.operations import Constraint, Index, Other
from ci_runner.model.schema import Table
from ci_runner.sql.catalog_names import comparable, index_name

_UNASKED = "foreign-key"  # the option of an index that stands only because of a foreign key


def foreign_index(table: Table, constraint: Constraint, given: str, dialect: str) -> Index | None:
    """The index a foreign key makes for itself where none begins with its columns; ``given`` is the name it was given, if any."""
    if not constraint.columns or any(_begins(index, constraint.columns, dialect) for index in table.indexes.values()):
        return None
    name = given or index_name("", constraint.columns, table.indexes, dialect)
    return Index(name, constraint.columns, options=(_UNASKED,))


def spared(table: Table, index: Index, dialect: str) -> Mapping[str, Index]:
    """The table's indexes without those ``index`` makes superfluous: it begins with the columns of a foreign key's own."""
    return {
        name: known
        for name, known in table.indexes.items()
        if known.options != (_UNASKED,) or not _begins(index, known.columns, dialect)
    }


def _begins(index: Index, columns: tuple[str, ...], dialect: str) -> bool:
    folded = tuple(comparable(column, dialect) for column in columns)
    return tuple(comparable(column, dialect) for column in index.columns[: len(columns)]) == folded


def renamed_keys(table: Table, old: str, new: str) -> Table:
    """The table with the foreign keys that were numbered after its old name numbered after its new one."""
    stem = f"{old}_ibfk_"
    moved = tuple(
        replace(c, name=f"{new}_ibfk_{c.name[len(stem) :]}")
        if c.kind == "foreign-key" and c.name.lower().startswith(stem)
        else c
        for c in table.constraints
    )
    return replace(table, constraints=moved)


def recoded(table: Table, op: Other, charset: str) -> Table:
    """The table after CONVERT TO CHARACTER SET, or with another default: then its columns keep what they have, now said of each."""
    converted = op.kind == "alter-table.convert-charset"
    columns = {
        name: replace(column, charset="", collation="")
        if converted
        else replace(column, charset=column.charset or table.charset)
        for name, column in table.columns.items()
    }
    collations = tuple(option for option in op.options if option.startswith("collate="))
    options = (*(option for option in table.options if not option.startswith("collate=")), *collations)
    return replace(table, columns=columns, charset=charset, options=options)
