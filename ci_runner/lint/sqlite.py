"""What SQLite does with foreign keys while a table is built anew (measured on 3.40)."""

from __future__ import annotations

from ci_runner.lint.clauses import rewrite
from ci_runner.lint.context import Context, quoted
from ci_runner.lint.rule import Edit, Fix
from ci_runner.model.operations import Name, Setting, Transaction
from ci_runner.model.schema import Catalog

_OFF = {"off", "0", "no", "false"}


def children(catalog: Catalog, table: Name) -> dict[str, str]:
    """The other tables that refer to this one, with what happens to their rows when its rows go."""
    found: dict[str, str] = {}
    for key in catalog.referrers.get(table, ()):
        child = catalog.tables.get(key)
        if child is None or key == table or child.born:
            continue
        for constraint in child.constraints:
            if constraint.references and constraint.references.table == table:
                found[str(child.name)] = constraint.references.on_delete or "no action"
    return found


def _pragma(context: Context, name: str) -> str | None:
    """The value of the last PRAGMA before the operation that counted; inside a transaction foreign_keys counts for nothing."""
    for step, op in context.earlier(Setting):
        if op.name == name and not (name == "foreign_keys" and step.tx.block):
            return op.value.strip("'\"").lower()
    return None


def foreign_keys(context: Context) -> bool:
    """Whether foreign keys are on: assumed, because runners and applications turn them on."""
    return _pragma(context, "foreign_keys") not in _OFF


def legacy(context: Context) -> bool:
    """Whether legacy_alter_table is on: views and triggers are left alone by a rename then."""
    return _pragma(context, "legacy_alter_table") not in (None, *_OFF)


def follows_rename(context: Context) -> bool:
    """Whether the foreign keys of others follow a rename: always, unless legacy_alter_table is on and foreign keys are off."""
    return not legacy(context) or foreign_keys(context)


def namer(context: Context, table: Name, column: str) -> str | None:
    """The view or trigger whose text names that column, so that SQLite refuses to drop it."""
    named = f"{context.key(table).name}.{column}"
    for (kind, name), text in context.catalog.programs.items():
        if named in text.names:
            return f"the text of {kind} {quoted(name)}"
    return None


def readers(context: Context, table: Name) -> list[str]:
    """The views and triggers of other tables that read the table, and follow when it is renamed."""
    if legacy(context):
        return []
    programs = context.catalog.programs.items()
    return [f"{kind} {quoted(name)}" for (kind, name), text in programs if table in text.reads and text.on != table]


@rewrite
def keys_off(context: Context) -> Fix | None:
    """The file with foreign keys off around it: outside the runner's transaction, in one of its own, where PRAGMA counts."""
    summary = "turn foreign keys off before the transaction begins, and on again behind it"
    if context.tx.by not in ("runner", "statement") or any(True for _ in context.file.of(Transaction)):
        return None
    if any(op.name == "foreign_keys" for _, op in context.file.of(Setting)):
        return Fix((), summary, no_transaction=True, safe=False, whole=True) if context.tx.by == "runner" else None
    first, last = context.file.statements[0].start, context.file.statements[-1].end
    closed = "" if context.file.text[last - 1 : last] == ";" else ";"
    edits = (
        Edit(first, first, "PRAGMA foreign_keys = OFF;\nBEGIN;\n"),
        Edit(last, last, f"{closed}\nCOMMIT;\nPRAGMA foreign_keys = ON;"),
    )
    return Fix(edits, summary, no_transaction=True, safe=False, whole=True)
