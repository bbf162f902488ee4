"""Names as rules compare them."""

from __future__ import annotations

from ci_runner.lint.context import Context
from ci_runner.model.operations import Name
from ci_runner.sql.catalog_names import comparable, locate

__all__ = ["born_type", "comparable", "enum_key"]


def enum_key(context: Context, name: Name) -> Name:
    """The key of an enum type, resolved as the database would."""
    return locate(context.catalog, name, context.dialect, context.catalog.enums)


def born_type(context: Context, name: Name) -> bool:
    """Whether this file made the type."""
    return ("type", enum_key(context, name)) in context.catalog.born
