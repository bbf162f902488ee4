"""Asks sqlglot about statements whose first word no grammar here knows; imported only then.

sqlglot is never trusted with DDL. Of 30.30 is known: unknown statements become ``Command`` or raise; START TRANSACTION, SAVEPOINT, NOTIFY,
DISCARD and ``IF OBJECT_ID(…) … BEGIN`` become an ``Alias``; ``ALTER TABLE a RENAME b TO c`` becomes a table's rename; two statements without
a separator become one. So only queries and commands that read are taken from it, all else stays not analysed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ci_runner.model.operations import Operation, Other

if TYPE_CHECKING:
    from ci_runner.sql.cursor import Cursor

_NAMES = {"sqlserver": "tsql", "mariadb": "mysql"}
# What 30.30's parser raises by mistake on texts that are no SQL: ``DESC a DEFAULT MATERIALIZED …``, ``x {:}``.
_ITS_FAULTS = (TypeError, AttributeError, ValueError, KeyError, IndexError)
_LONGEST = 100_000  # characters: sqlglot's parser is not asked about more
_DEEPEST = 100  # parentheses: its parser recurses


def classify(c: Cursor) -> Operation | None:
    """An operation for a query or a reading command, None for everything else."""
    source = c.slice(0, c.last)
    if not source[:1].isalpha():
        return None  # no query begins so, and its parser trips over punctuation
    if len(source) > _LONGEST or source.count("(") > _DEEPEST:
        return None
    tree = _parse(source, c.dialect)
    kind = _kind(tree) if tree is not None else None
    if kind is None:
        return None
    c.rest()
    return c.op(Other, kind, 0)


def _parse(source: str, dialect: str) -> Any | None:
    import logging

    import sqlglot
    from sqlglot.errors import SqlglotError

    logging.getLogger("sqlglot").setLevel(logging.ERROR)  # it warns of every Command; that is our finding to make
    try:
        trees = sqlglot.parse(source, dialect=_NAMES.get(dialect, dialect))
    except (SqlglotError, RecursionError, *_ITS_FAULTS):
        return None
    return trees[0] if len(trees) == 1 else None


def _kind(tree: Any) -> str | None:
    from sqlglot import exp

    if isinstance(tree, exp.Query):
        return "select"
    if isinstance(tree, exp.Describe):
        return "explain"
    return None
