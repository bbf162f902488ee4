"""sqlglot stands beside the grammars as an oracle: where it types a statement, the kinds agree, or the difference is explained."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import sqlglot
from sqlglot import exp

from tests.sql.reading import forms, kinds

NAMES = {"sqlserver": "tsql", "mariadb": "mysql"}
TREES: dict[type, tuple[str, ...]] = {
    exp.Insert: ("insert",),
    exp.Update: ("update",),
    exp.Delete: ("delete",),
    exp.Merge: ("merge",),
    exp.TruncateTable: ("truncate",),
    exp.Commit: ("transaction.commit",),
    exp.Use: ("use",),
    exp.Grant: ("grant",),
    exp.Revoke: ("revoke",),
    exp.Copy: ("copy",),
}
ACTIONS: dict[type, str] = {
    exp.ColumnDef: "alter-table.add-column",
    exp.RenameColumn: "alter-table.rename-column",
    exp.AlterRename: "alter-table.rename-table",
}
OBJECTS = {
    "TABLE": ("create-table", "create-table-as", "create-temp-table", "create-partition", "create-or-replace-table", "create-foreign-table",
              "create-virtual-table", "create-external-table", "create-or-replace-dynamic-table", "create-dynamic-table"),
    "INDEX": ("create-index", "create-index-concurrently", "create-fulltext-index", "create-spatial-index", "create-xml-index"),
    "VIEW": ("create-view", "create-or-replace-view", "create-materialized-view", "alter-view.set-query"),
    "FUNCTION": ("create-function", "create-or-replace-function", "alter-function.set-body", "create-external-function"),
    "PROCEDURE": ("create-procedure", "create-or-replace-procedure", "alter-procedure.set-body"),
    "SCHEMA": ("create-schema", "create-database", "create-or-replace-schema"),
    "DATABASE": ("create-database",),
    "SEQUENCE": ("create-sequence", "create-or-replace-sequence"),
    "TRIGGER": ("create-trigger", "create-or-replace-trigger"),
}  # fmt: skip

INTO = "sqlglot keeps SELECT … INTO a query; it creates a table"
EXPLAINED = {
    (
        "postgres",
        "SELECT set_config('app.user', 'x', false), set_config('a.b', 'y', true)",
    ): "two settings in one query",
    (
        "postgres",
        "SELECT set_config('a', 'b', true) AS x, pg_catalog.set_config('c', 'd', false), now()",
    ): "two settings in one query",
    ("postgres", "ALTER TABLE a RENAME b TO c"): "sqlglot takes b for the new name of the table",
    (
        "postgres",
        'ALTER TABLE t RENAME "oldName" TO "newName"',
    ): "sqlglot takes the column for the new name of the table",
    ("postgres", "SELECT * INTO a FROM b"): INTO,
    ("postgres", "SELECT * INTO backup_users FROM users"): INTO,
    ("postgres", "SELECT pg_catalog.set_config('search_path', '', false)"): "the call changes a setting",
    ("redshift", "SELECT * INTO TEMP a FROM b"): INTO,
    ("snowflake", "INSERT OVERWRITE INTO a VALUES (1)"): "the rows that were there go: a kind of its own",
    ("sqlserver", "SELECT * INTO #t FROM a"): INTO,
    ("sqlserver", "SELECT TOP (10) id INTO dbo.b FROM a WHERE c = 1"): INTO,
    (
        "sqlserver",
        "ALTER TABLE a ADD b INT NULL, CONSTRAINT fk FOREIGN KEY (b) REFERENCES c (id) ON DELETE SET NULL ON UPDATE CASCADE",
    ): "sqlglot takes the constraint for a column",
    ("mariadb", "ALTER TABLE a ADD VECTOR INDEX i (b)"): "sqlglot takes the index for a column of type INDEX",
}


def trees() -> Iterator[tuple[str, str, exp.Expression]]:
    logging.getLogger("sqlglot").setLevel(logging.ERROR)
    for dialect, statement, _ in forms():
        try:
            parsed = sqlglot.parse(statement, dialect=NAMES.get(dialect, dialect))
        except (sqlglot.errors.SqlglotError, RecursionError):
            continue
        if len(parsed) == 1 and parsed[0] is not None and not isinstance(parsed[0], exp.Command):
            yield dialect, statement, parsed[0]


def expected(tree: exp.Expression) -> tuple[tuple[str, ...], ...] | None:
    """For each operation the kinds sqlglot's tree allows, None where it does not tell."""
    if isinstance(tree, exp.Alter) and tree.args.get("kind") == "TABLE":
        actions = tree.args["actions"]
        known = [ACTIONS.get(type(action)) for action in actions]
        return tuple((kind,) for kind in known if kind) if all(known) else None
    if isinstance(tree, exp.Create) and str(tree.args.get("kind")) in OBJECTS:
        return (OBJECTS[str(tree.args["kind"])],)
    if isinstance(tree, exp.Drop) and tree.args.get("kind") in ("TABLE", "VIEW", "INDEX"):
        return (("drop-table", "drop-view", "drop-materialized-view", "drop-index", "drop-index-concurrently"),)
    for make, kinds_ in TREES.items():
        if type(tree) is make:
            return (kinds_,)
    return (("select",),) if isinstance(tree, exp.Query) else None


def agrees(dialect: str, statement: str, allowed: tuple[tuple[str, ...], ...]) -> bool:
    found = kinds(statement, dialect)
    return len(found) == len(allowed) and all(kind in some for kind, some in zip(found, allowed, strict=True))


def test_where_sqlglot_types_a_statement_the_kinds_agree_or_the_difference_is_explained() -> None:
    told = [(dialect, statement, expected(tree)) for dialect, statement, tree in trees()]
    compared = [(dialect, statement, allowed) for dialect, statement, allowed in told if allowed]
    differing = {
        (dialect, statement) for dialect, statement, allowed in compared if not agrees(dialect, statement, allowed)
    }
    assert differing == set(EXPLAINED)
    assert len(compared) > 250
