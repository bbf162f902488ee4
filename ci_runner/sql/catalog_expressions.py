"""The expressions a table is made of (checks, generated columns, indexes, partition keys) under a column's new name."""

from __future__ import annotations

import re

from msgspec.structs import replace

from ci_runner.model.operations import Column, Constraint, Index
from ci_runner.model.schema import Table


def respelled(table: Table, old: str, new: str) -> Table:
    """The table with ``old`` called ``new`` wherever an expression of it names that column; strings keep their text."""
    pattern = re.compile(rf"""'[^']*'|(["`\[]?)(?<![\w$]){re.escape(old)}(?![\w$])(["`\]]?)(?!\s*\()""", re.IGNORECASE)

    def spelled(text: str) -> str:
        if old not in text.lower():
            return text
        return pattern.sub(lambda found: found[0] if found[0][0] == "'" else f"{found[1]}{new}{found[2]}", text)

    def of_column(column: Column) -> Column:
        generated = column.generated and column.default
        return replace(column, default=spelled(column.default or "")) if generated else column

    def of_constraint(constraint: Constraint) -> Constraint:
        return replace(constraint, expression=spelled(constraint.expression)) if constraint.expression else constraint

    def of_index(index: Index) -> Index:
        parts = tuple(part if part.isidentifier() else spelled(part) for part in index.columns)
        return replace(index, columns=parts, where=spelled(index.where))

    return replace(
        table,
        columns={key: of_column(column) for key, column in table.columns.items()},
        constraints=tuple(map(of_constraint, table.constraints)),
        indexes={key: of_index(index) for key, index in table.indexes.items()},
        partition_by=spelled(table.partition_by),
    )
