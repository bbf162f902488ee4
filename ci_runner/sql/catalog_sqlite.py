"""What SQLite alone needs to be known: the texts of views and triggers."""

from __future__ import annotations

from msgspec.structs import replace

from ci_runner.model import operations as ops
from ci_runner.model.operations import Name, Operation
from ci_runner.model.schema import Catalog, Program
from ci_runner.sql.catalog_change import added, copied
from ci_runner.sql.catalog_map import Layered
from ci_runner.sql.catalog_names import created, locate

_MOST = 20_000  # as many as a schema may be expected to have; beyond it no more are remembered


def followed(before: Catalog, after: Catalog, op: Operation) -> Catalog:
    """``after`` with what else the operation means; ``before`` says what its names stood for."""
    if isinstance(op, ops.Dml):
        return copied(after, op, "sqlite")
    if isinstance(op, ops.AddColumn):
        return added(after, op, "sqlite")
    if isinstance(op, ops.CreateView):
        return _made(after, "view", created(before, op.view, "sqlite"), op)
    if isinstance(op, ops.CreateTrigger):
        return _made(after, "trigger", created(before, op.object, "sqlite"), op)
    if not after.programs:
        return after
    if isinstance(op, ops.DropObjects):
        return _dropped(after, op)
    if isinstance(op, ops.DropTable):
        gone = {locate(before, name, "sqlite") for name in op.tables}
        kept = Layered.of(after.programs)
        for key, program in after.programs.items():
            kept = kept.without(key) if program.on in gone else kept
        return replace(after, programs=kept)
    if isinstance(op, ops.RenameTable):
        return _renamed(after, locate(before, op.table, "sqlite"), created(before, op.new, "sqlite"))
    if isinstance(op, ops.RenameColumn):
        return _column_renamed(after, locate(before, op.table, "sqlite"), op)
    return after


def _made(catalog: Catalog, kind: str, key: Name, op: ops.CreateView | ops.CreateTrigger) -> Catalog:
    if (kind, key) in catalog.programs or len(catalog.programs) >= _MOST:
        return catalog
    on = locate(catalog, op.on, "sqlite") if isinstance(op, ops.CreateTrigger) else None
    reads = tuple(locate(catalog, name, "sqlite") for name in op.reads)
    made = Program(reads, tuple(filter(None, (_resolved(catalog, name) for name in op.names))), on)
    return replace(catalog, programs=Layered.of(catalog.programs).put((kind, key), made))


def _dropped(catalog: Catalog, op: ops.DropObjects) -> Catalog:
    kept = Layered.of(catalog.programs)
    for name in op.names:
        key = op.kind.removeprefix("drop-"), locate(catalog, name, "sqlite", [key for _, key in catalog.programs])
        kept = kept.without(key)
    return replace(catalog, programs=kept)


def _renamed(catalog: Catalog, old: Name, new: Name) -> Catalog:
    """The texts are rewritten, as SQLite does unless ``legacy_alter_table`` is on."""
    if catalog.settings.get("legacy_alter_table", "off").lower() not in ("off", "0", "no", "false"):
        return catalog
    kept = Layered.of(catalog.programs)
    for key, program in catalog.programs.items():
        if old not in program.reads and program.on != old:
            continue
        names = tuple(_moved(name, old.name, new.name) for name in program.names)
        reads = tuple(new if name == old else name for name in program.reads)
        kept = kept.put(key, Program(reads, names, new if program.on == old else program.on))
    return replace(catalog, programs=kept)


def _moved(name: str, old: str, new: str) -> str:
    table, dot, column = name.rpartition(".")
    return f"{new}.{column}" if dot and table == old else name


def _column_renamed(catalog: Catalog, table: Name, op: ops.RenameColumn) -> Catalog:
    kept = Layered.of(catalog.programs)
    old, new = f"{table.name}.{op.column.lower()}", f"{table.name}.{op.new.lower()}"
    for key, program in catalog.programs.items():
        if old in program.names:
            names = tuple(new if name == old else name for name in program.names)
            kept = kept.put(key, replace(program, names=names))
    return replace(catalog, programs=kept)


def _resolved(catalog: Catalog, name: str) -> str:
    """``column@t,u/v`` as ``table.column``; "" where that cannot be told, or where another table would take the name over."""
    column, at, scopes = name.partition("@")
    if not at:
        return column
    found: list[str] = []
    for table in scopes.replace("/", ",").split(","):
        known = catalog.tables.get(Name("", table))
        if known is None or known.partial:
            return found[0] if found else ""
        if column in known.columns:
            found.append(f"{table}.{column}")
    return found[0] if len(found) == 1 else ""
