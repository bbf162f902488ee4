"""Tables that a file builds anew and puts in the old one's place, as SQLite demands and others sometimes do: the rows survive."""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

from ci_runner.lint.clauses import uncommented
from ci_runner.lint.context import File, Step
from ci_runner.model.operations import CreateTable, Dml, DropTable, Name, Partition, RenameTable
from ci_runner.sql.catalog_names import locate
from ci_runner.sql.cursor import unquote
from ci_runner.sql.dialects import dialect
from ci_runner.text.pattern import later

_PARTS_FROM = later(r"\s*from\s+((?:[`\"]?\w+[`\"]?\.)?[`\"]?\w+[`\"]?)", re.IGNORECASE)


_MOST = 3_000  # drops and renames of one file held to one another: a bound for files that hold nothing else


class Rebuild(Struct, frozen=True):
    """``table`` is the old table's key. ``style``: new-first, rename-first (the old one steps aside), copy-out (and back),
    swap (both are renamed once the copy is made).

    ``made`` is where the final table is created, ``copied`` where its rows come, ``dropped`` where the old one goes.
    """

    table: Name
    style: str
    made: Step
    copied: Step
    dropped: Step | None


def rebuilds(file: File) -> tuple[Rebuild, ...]:
    """Every rebuild of an old table in the file."""
    if DropTable not in file.positions and RenameTable not in file.positions:
        return ()
    drops = [(step, key) for step, op in file.of(DropTable) for key in _keys(file, step, op.tables)]
    renames = [(step, _key(file, step, op.table), _key(file, step, op.new)) for step, op in file.of(RenameTable)]
    if (not drops and not renames) or len(drops) + len(renames) > _MOST:
        return ()
    copies = [(step, target, source) for step in file.steps for target, source in _copied(file, step)]
    makes = {_key(file, step, op.table): step for step, op in file.of(CreateTable)}
    found = [
        *_new_first(drops, renames, copies, makes),
        *_rename_first(drops, renames, copies, makes),
        *_copy_out(drops, copies, makes),
        *_swapped(drops, renames, copies, makes),
        *_exchanged(drops, renames, copies, makes),
    ]
    return tuple(found)


_Drops = list[tuple[Step, Name]]
_Pairs = list[tuple[Step, Name, Name]]


def _new_first(drops: _Drops, renames: _Pairs, copies: _Pairs, makes: dict[Name, Step]) -> Iterator[Rebuild]:
    for renamed, new, old in renames:
        dropped = next((step for step, key in drops if key == old and step.position < renamed.position), None)
        copied = next(
            (
                step
                for step, target, source in copies
                if target == new and source == old and step.position < renamed.position
            ),
            None,
        )
        if new in makes and dropped and copied and copied.position < dropped.position:
            yield Rebuild(old, "new-first", makes[new], copied, dropped)


def _rename_first(drops: _Drops, renames: _Pairs, copies: _Pairs, makes: dict[Name, Step]) -> Iterator[Rebuild]:
    for renamed, old, aside in renames:
        made = makes.get(old)
        copied = next((step for step, target, source in copies if target == old and source == aside), None)
        if made and copied and made.position > renamed.position:
            dropped = next((step for step, key in drops if key == aside and step.position > copied.position), None)
            yield Rebuild(old, "rename-first", made, copied, dropped)


def _copy_out(drops: _Drops, copies: _Pairs, makes: dict[Name, Step]) -> Iterator[Rebuild]:
    for dropped, old in drops:
        made = makes.get(old)
        if made is None or made.position < dropped.position:
            continue
        asides = {target for step, target, source in copies if source == old and step.position < dropped.position}
        back = next(
            (
                step
                for step, target, source in copies
                if target == old and source in asides and step.position > made.position
            ),
            None,
        )
        if back:
            yield Rebuild(old, "copy-out", made, back, dropped)


def _swapped(drops: _Drops, renames: _Pairs, copies: _Pairs, makes: dict[Name, Step]) -> Iterator[Rebuild]:
    for renamed, old, aside in renames:
        takes = next(
            ((step, new) for step, new, target in renames if target == old and step.position > renamed.position), None
        )
        if takes is None or takes[1] not in makes:
            continue
        copied = next(
            (
                step
                for step, target, source in copies
                if (target, source) == (takes[1], old) and step.position < renamed.position
            ),
            None,
        )
        if copied:
            behind = [(name, target) for step, name, target in renames if step.position > takes[0].position]
            last = next((target for name, target in behind if name == aside), aside)  # the copy's first name, as a rule
            dropped = next((step for step, key in drops if key == last and step.position > takes[0].position), None)
            yield Rebuild(old, "swap", makes[takes[1]], copied, dropped)


def _exchanged(drops: _Drops, renames: _Pairs, copies: _Pairs, makes: dict[Name, Step]) -> Iterator[Rebuild]:
    """EXCHANGE TABLES and SWAP WITH: one statement for both renames, and the old rows stand under the copy's name."""
    for step, one, two in renames:
        if not step.operation.kind.endswith(("swap-table", "exchange-tables")):
            continue
        for old, new in ((one, two), (two, one)):
            copied = next(
                (copy for copy, *pair in copies if pair == [new, old] and copy.position < step.position), None
            )
            if copied and new in makes:
                dropped = next((drop for drop, key in drops if key == new and drop.position > step.position), None)
                yield Rebuild(old, "swap", makes[new], copied, dropped)


def _key(file: File, step: Step, name: Name) -> Name:
    return locate(step.catalog, name, file.dialect)


def _keys(file: File, step: Step, names: tuple[Name, ...]) -> list[Name]:
    return [_key(file, step, name) for name in names]


def _copied(file: File, step: Step) -> Iterator[tuple[Name, Name]]:
    """(target, source) of every copy the step makes."""
    op = step.operation
    if isinstance(op, Dml) and op.kind in ("insert", "insert-overwrite"):
        for target in op.tables:
            yield from ((_key(file, step, target), _key(file, step, source)) for source in op.reads)
    elif isinstance(op, Partition):
        found = _PARTS_FROM.match(op.bounds) if _whole(op) else None
        if found:
            *schema, bare = (part.strip('`"') for part in found[1].split("."))
            yield _key(file, step, op.table), _key(file, step, Name(".".join(schema), bare))
    elif isinstance(op, CreateTable) and (op.selects or "clone" in op.options):
        target = _key(file, step, op.table)
        if op.source:
            yield target, _key(file, step, op.source)
            return
        text = uncommented(file.text[op.start : op.end])
        for name in re.findall(
            r'\b(?:from|join|as\s+table)\s+((?:["`\[]?\w+["`\]]?\.)?["`\[]?\w+["`\]]?)', text, re.IGNORECASE
        ):
            traits = dialect(file.dialect)
            *schema, bare = (unquote(part, traits, traits.fold) for part in name.split("."))
            yield target, _key(file, step, Name(".".join(schema), bare))


def _whole(op: Partition) -> bool:
    """Whether ClickHouse's ATTACH or REPLACE PARTITION … FROM takes every row of a table, so far as the text can tell."""
    name = op.partition.name.lower().replace(" ", "")
    return op.kind.endswith(("attach-partition", "replace-partition")) and name in ("all", "tuple()", "id'all'")


def unwrapped(expression: str) -> str:
    """A select item's expression without alias, quotes and table name, for comparing it with a column's name."""
    bare = re.sub(r'["`\[\]]', "", expression.strip())
    return bare.rpartition(".")[2].strip()


def keeps_itself(file: File, step: Step) -> bool:
    """Whether CREATE OR REPLACE TABLE … AS SELECT takes the rows of the table it replaces."""
    return any(target == source for target, source in _copied(file, step)) and bool(
        getattr(step.operation, "selects", False)
    )


_ALIASED = later(r"(?:.*[\s)])?(?:as\s+)?((?:\w+\.)*\w+|\"[^\"]+\")", re.IGNORECASE | re.DOTALL)


def produced(made: CreateTable, name: str) -> frozenset[str] | None:
    """The names of the columns a CREATE TABLE … AS SELECT makes, folded; None where they cannot be told."""
    if made.columns:
        return frozenset(column.name for column in made.columns)
    traits, found = dialect(name), set()
    for value in made.values:
        match = _ALIASED.fullmatch(value.strip())
        if match is None:
            return None
        found.add(unquote(match[1].rpartition(".")[2] if match[1][0] != '"' else match[1], traits, traits.fold_columns))
    return frozenset(found) if made.values else None
