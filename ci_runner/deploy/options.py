"""What a deployment was asked for beyond files and database."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from ci_runner.model.deploy import Drift, Order, Revision


class Adopt(Struct, frozen=True):
    """Take another tool's history over: of ``tool``, or of the only one there is. ``compat``: keep that tool's table up to date from now on.

    ``auto``: on the way to a deployment, where there is such a history and none of ours; the deployment goes on behind it.
    """

    tool: str | None = None
    compat: bool = False
    allow_missing: bool = False
    auto: bool = False


class Options(Struct, frozen=True):
    """How to deploy. Times are seconds; ``statement_timeout`` 0 = none. ``clean``: a database with tables and no rows of ours is accepted.

    ``explained`` says of a file whether a rewrite in the registry took it away. ``applied_bytes`` gives the bytes a row was made of, where
    some registry still has them. ``plan`` is the digest that was approved. ``accept_rollback`` is the reason to accept an older registry.
    """

    dir: str
    order: Order = "linear"
    drift: Drift = "warn"
    to_version: str | None = None
    amount: int | None = None
    baseline: str | None = None
    only_baseline: bool = False
    clean: bool = False
    adopt: Adopt | None = None
    adopted: tuple[Revision, ...] = ()
    adopted_from: str = ""
    plan: str | None = None
    accept_rollback: str = ""
    repair_indexes: bool = False
    lock_wait: float = 600.0
    lock_timeout: float = 5.0
    statement_timeout: float = 0.0
    explained: Callable[[str], bool] = lambda _name: False
    applied_bytes: Callable[[Revision], bytes | None] = lambda _revision: None
    actor: str = ""
    tool_version: str = ""
    run_id: str = ""

    @property
    def noted_only(self) -> bool:
        """Whether rows are written and nothing is run."""
        return self.only_baseline or (self.adopt is not None and not self.adopt.auto)
