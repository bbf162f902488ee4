"""Where a database stands, asked of the database itself without a lock and without writing anything."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from msgspec.structs import replace

from ci_runner.databases import Target
from ci_runner.deploy import naming, revisions
from ci_runner.deploy.looking import look
from ci_runner.deploy.options import Adopt, Options
from ci_runner.deploy.planning import Source
from ci_runner.deploy.revisions import Memory
from ci_runner.errors import PilotageError
from ci_runner.model.deploy import Standing


class Known(NamedTuple):
    """What a database says without the files: what it remembers, and the objects it has (name → hash) where drift is looked for."""

    memory: Memory
    objects: Mapping[str, str]


def asked(target: Target, directory: str, options: Options) -> Known:
    """What the database knows of ``directory``."""
    memory = revisions.read(target, directory, brief=True)
    return Known(memory, target.fingerprint() if memory.state is not None and options.drift != "off" else {})


def standing(target: Target, source: Source, options: Options, known: Known | None = None) -> Standing:
    """Where the database stands. ``known`` is what it knows of the directory, where it was asked already."""
    memory, objects = known or asked(target, options.dir, options)
    if memory.there and not memory.revisions:
        source, options = naming.known(target, source, options)
        memory, objects = asked(target, options.dir, options)
    tables = () if memory.revisions else target.tables()
    if tables:
        memory = _as_if_taken_over(target, source, options, memory)
    return look(source, memory, target.facts, options, objects, tables)


def _as_if_taken_over(target: Target, source: Source, options: Options, memory: Memory) -> Memory:
    """What would be remembered had the history of another tool been taken over; the same memory where there is none, or it cannot be."""
    from ci_runner.deploy.foreign import taking

    try:
        taken = taking.prepared(target, source, replace(options, adopt=Adopt(auto=True, allow_missing=True)))
    except PilotageError:
        return memory
    return memory._replace(revisions=taken.adopted)
