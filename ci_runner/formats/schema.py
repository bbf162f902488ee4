"""A schema in the formats of ``pilotage schema``: two pictures, SQL and JSON."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ci_runner.formats.written import dumps
from ci_runner.model.diagram import Diagram
from ci_runner.model.drawing import whole
from ci_runner.model.inspected import Column, Schema, Table
from ci_runner.model.keys import foreign

FORMATS = ("mermaid", "svg", "sql", "json")
SCHEMA_VERSION = 1


def picture(form: str, schema: Schema, tables: Iterable[str], title: str) -> str:
    """The entity relationship diagram as ``mermaid`` or ``svg``."""
    diagram: Diagram = whole(schema, frozenset(tables))
    if form == "mermaid":
        from ci_runner.render.mermaid import mermaid

        return mermaid(diagram) + "\n"
    from ci_runner.render.svg import svg

    return svg(diagram, title=title) + "\n"


def script(statements: Iterable[str], dialect: str, heading: str) -> str:
    """Statements as a file that runs; bodies with semicolons in them get a delimiter of their own where the dialect's clients need one."""
    rows = [f"-- {heading}"]
    for statement in statements:
        comment = statement.startswith("--")
        inner = ";" in statement and dialect in ("mysql", "mariadb")
        rows.append(statement if comment else f"DELIMITER $$\n{statement}$$\nDELIMITER ;" if inner else f"{statement};")
    return "\n\n".join(rows) + "\n"


def document(schema: Schema, source: dict[str, Any]) -> str:
    """The inspected schema as JSON, keys in the order of docs/schema.schema.json; ``source`` says what it was read from."""
    tables = {name: _table(table) for name, table in schema.tables.items()}
    values = {
        "schema_version": SCHEMA_VERSION,
        **source,
        "tables": tables,
        "views": dict(schema.views),
        "enums": {name: list(labels) for name, labels in schema.enums.items()},
        "functions": dict(schema.functions),
        "sequences": dict(schema.sequences),
    }
    return dumps(values)


def _table(table: Table) -> dict[str, Any]:
    return {
        "columns": [_column(name, column) for name, column in table.columns.items()],
        "foreign_keys": [
            {"columns": list(key.columns), "table": key.table, "references": list(key.parents)}
            for key in foreign(table)
        ],
        "indexes": dict(table.indexes),
        "constraints": dict(table.constraints),
        "triggers": dict(table.triggers),
        "options": table.options,
    }


def _column(name: str, column: Column) -> dict[str, Any]:
    return {
        "name": name,
        "type": column.type,
        "nullable": column.nullable,
        "default": column.default or None,
        "generated": column.generated or None,
    }
