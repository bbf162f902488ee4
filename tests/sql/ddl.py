"""Random histories of schema changes, and what the catalog makes of them in the form in which an engine is asked."""

from __future__ import annotations

from typing import NamedTuple

from hypothesis import strategies as st

from ci_runner import sql
from ci_runner.model.schema import Catalog
from ci_runner.sql import catalog
from tests.sql.reading import migration


class Seen(NamedTuple):
    """A schema as compared: tables with columns in order, constraints, indexes, and what stands beside tables."""

    tables: dict[str, list[tuple[str, str, bool, bool, str]]]  # name, type, nullable, default, generated or identity
    constraints: dict[str, list[tuple[str, str, tuple[str, ...], bool]]]  # name, kind, columns, validated
    indexes: dict[str, dict[str, tuple[bool, tuple[str | None, ...]]]]  # unique, columns
    rest: dict[str, object]


def histories(
    templates: tuple[str, ...], names: dict[str, tuple[str, ...]], most: int = 14
) -> st.SearchStrategy[list[str]]:
    """Lists of statements: templates with ``{t}``, ``{c}`` … filled from their names."""

    def filled(template: str) -> st.SearchStrategy[str]:
        fields = [key for key in names if "{" + key in template]
        choice = st.fixed_dictionaries({key: st.sampled_from(names[key]) for key in fields})
        return choice.map(template.format_map)

    return st.lists(st.sampled_from(templates).flatmap(filled), min_size=2, max_size=most)


def folded(statements: list[str], dialect: str) -> Catalog:
    """The catalog after those statements; each is understood."""
    state = Catalog()
    for text in statements:
        found = sql.statements(migration(text), dialect)
        assert [s.not_analysed for s in found] == [None], text
        state = catalog.fold(state, found, dialect)
    return state
