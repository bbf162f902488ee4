"""What a rule is, how one is declared, and how those of the catalogue are found."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from msgspec import Struct

from ci_runner.model.operations import Operation
from ci_runner.model.report import Severity

ALL = ("postgres", "mysql", "mariadb", "sqlite", "sqlserver", "clickhouse", "redshift", "snowflake")
MYSQL = ("mysql", "mariadb")
POSTGRES = ("postgres",)

_PREFIXES = {
    "mysql": MYSQL, "sqlite": ("sqlite",), "mssql": ("sqlserver",), "ch": ("clickhouse",), "rs": ("redshift",),
    "pg": POSTGRES,
}  # fmt: skip


class Edit(Struct, frozen=True, order=True):
    """Replacement of the characters ``start`` … ``end`` of the migration's text."""

    start: int
    end: int
    text: str


class Fix(Struct, frozen=True):
    """A mechanical safe rewrite: edits of the statement, and whether it must then run outside a transaction.

    ``after`` are the steps to come behind the statement, each with its statements, each in a transaction of its own; where the file
    has no room for them they make the next migration, called ``name``. ``partial``: the edits are worth making without those steps.
    ``whole``: the edits have all of the file in view, which may leave its transaction. ``last``: nothing may run behind the file yet.
    ``safe``: once all has run, schema and rows are what they would have been without the rewrite, so that it may be made unasked.
    """

    edits: tuple[Edit, ...]
    summary: str
    no_transaction: bool = False
    safe: bool = True
    after: tuple[tuple[str, ...], ...] = ()
    name: str = ""
    partial: bool = False
    whole: bool = False
    last: bool = False


class Hit(Struct, frozen=True):
    """What a rule found: a sentence with the names in it; ``at`` is the operation to point to when not the one under review.

    ``observed`` says that the rule itself rests on an observation; ``remedy`` replaces the documented one where it can be more exact.
    """

    message: str
    at: Operation | None = None
    fix: Fix | None = None
    observed: bool = False
    remedy: str = ""


class Rule(Struct, frozen=True):
    """One hazard of the catalogue. ``on`` are the operation classes its check is called for; without any it is called once a file.

    ``seen`` are the kinds of observation that confirm a finding, or that a check of whole files asks for; ``refutable``: when the database was
    watched at that statement and none of them came up, there is no hazard. ``default`` is off for rules a team must ask for.
    ``accepts`` are further foreign names whose ignore comments cover it, too many to show.
    """

    slug: str
    severity: Severity
    databases: tuple[str, ...]
    on: tuple[type[Operation], ...]
    aliases: tuple[str, ...]
    check: Callable[[Any], Iterable[Hit]]
    module: str
    seen: tuple[str, ...] = ()
    refutable: bool = False
    default: bool = True
    accepts: tuple[str, ...] = ()

    @property
    def docstring(self) -> str:
        """The module's docstring: the rule's documentation, see ``ci_runner.lint.document``."""
        return sys.modules[self.module].__doc__ or ""


Check = Callable[[Any], Iterable[Hit]]


def rule(
    severity: Severity,
    databases: tuple[str, ...] = ALL,
    *,
    on: tuple[type[Operation], ...] = (),
    aliases: tuple[str, ...] = (),
    seen: tuple[str, ...] = (),
    refutable: bool = False,
    default: bool = True,
    accepts: tuple[str, ...] = (),
) -> Callable[[Check], Rule]:
    """Declare the decorated check a rule; its slug is the name of its module."""

    def declare(check: Check) -> Rule:
        module = check.__module__
        slug = module.rpartition(".")[2].replace("_", "-")
        return Rule(slug, severity, databases, on, aliases, check, module, seen, refutable, default, accepts)

    return declare


def discover(dialect: str = "") -> Iterator[Rule]:
    """The rules of ``lint/rules``, one a module, in order of slug; with a dialect only those that concern it.

    A module whose name begins with another database's prefix is not even imported.
    """
    from importlib import import_module

    from ci_runner.lint import rules

    for name in sorted(_modules(rules.__path__)):
        only = _PREFIXES.get(name.partition("_")[0])
        if dialect and only and dialect not in only:
            continue
        found: Rule = import_module(f"{rules.__name__}.{name}").check
        if not dialect or dialect in found.databases:
            yield found


def _modules(folders: Iterable[str]) -> Iterator[str]:
    """The modules in a package's folders."""
    for folder in map(Path, folders):
        if folder.is_dir():
            yield from (file.stem for file in folder.iterdir() if file.suffix == ".py" and file.stem != "__init__")
        else:  # in an archive; pkgutil would do for folders, too, but imports ``inspect`` for them
            from pkgutil import iter_modules

            yield from (found.name for found in iter_modules([str(folder)]))
