"""Runs the linter on plain SQL: what earlier files hold, and the file under review."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from ci_runner import migrations, sql
from ci_runner.lint import LintFile, Policy, catalogue, lint
from ci_runner.model.directory import Migration, Part, Tree
from ci_runner.model.report import ChangedFile, Finding, Linted, Observation
from ci_runner.model.schema import Catalog
from ci_runner.sql import catalog

WORTH = ("error", "warning")


def migration(text: str, *, tx: str = "file", name: str = "2.sql") -> Migration:
    parts = (Part(0, len(text)),)
    return Migration(name, "2", "", text, hashlib.sha256(text.encode()).hexdigest(), transaction=tx, parts=parts)


def before(pre: Iterable[str], dialect: str) -> Catalog:
    state = Catalog()
    for number, text in enumerate(pre):
        released = migration(text, name=f"1_{number}.sql")
        state = catalog.fold(catalog.release(state), sql.statements(released, dialect), dialect)
    return state


def check(
    text: str,
    dialect: str = "postgres",
    *,
    pre: str | Iterable[str] = "",
    tx: str = "file",
    levels: dict[str, str] | None = None,
    observations: Iterable[Observation] = (),
    format: str = "atlas",  # noqa: A002 — the word of lint()
    suggest: bool = False,
    **more: object,
) -> Linted:
    dialect = sql.normalize_dialect(dialect)
    file = migration(text, tx=tx)
    changed = ChangedFile(file.name, "added", file)
    options = {key: more[key] for key in ("server_version", "server_edition") if more.get(key) is not None}
    policy = Policy(
        levels or {},
        require_reason=bool(more.get("require_reason")),
        today=str(more.get("today", "")),
        naming=more.get("naming") or {},
    )
    return lint(
        [LintFile(changed, sql.statements(file, dialect))],
        before([pre] if isinstance(pre, str) else pre, dialect),
        dialect=dialect, policy=policy, format=format, observations=observations,
        parse=(lambda m: sql.statements(m, dialect)) if suggest else None, **options,
    )  # fmt: skip


def worth(linted: Linted) -> list[tuple[str, int]]:
    """(slug, line) of what counts for the verdict."""
    return sorted((f.rule, f.line) for f in linted.findings if f.severity in WORTH)


def slugs(linted: Linted) -> list[str]:
    return sorted({f.rule for f in linted.findings if f.severity in WORTH})


def only(linted: Linted, slug: str) -> Finding:
    found = [f for f in linted.findings if f.rule == slug]
    assert len(found) == 1, [f.message for f in linted.findings]
    return found[0]


def everything_on() -> dict[str, str]:
    return {rule.slug: "warning" for rule in catalogue() if not rule.default}


_NAMES = {
    "atlas": "{0}_x.sql", "goose": "0000{0}_x.sql", "dbmate": "2024010{0}235959_x.sql", "flyway": "V{0}__x.sql",
    "golang-migrate": "00000{0}_x.up.sql", "prisma": "2024010{0}000000_x/migration.sql", "diesel": "2024-01-0{0}-000000_x/up.sql",
    "sqlx": "2024010{0}000000_x.sql", "supabase": "2024010{0}000000_x.sql", "liquibase": "{0}.sql", "drizzle": "000{0}_x.sql",
}  # fmt: skip
_HEADS = {
    "goose": "-- +goose Up\n", "dbmate": "-- migrate:up\n", "liquibase": "-- liquibase formatted sql\n-- changeset me:1\n",
}  # fmt: skip


def in_directory(
    text: str,
    *,
    pre: str = "",
    format: str = "atlas",  # noqa: A002 — the word of lint()
    dialect: str = "postgres",
    tx: str = "file",
    version: str | None = None,
) -> tuple[str, Linted]:
    """The newest file of a directory of that format, with its marks, and what is found in it, suggestions included."""
    dialect = sql.normalize_dialect(dialect)
    first, second = (_NAMES[format].format(number) for number in (1, 2))
    head = _HEADS.get(format, "")
    files = {first: (head + pre).encode(), second: (head + text).encode()}
    if format == "drizzle":
        files["meta/_journal.json"] = b'{"entries": [{"tag": "0001_x"}, {"tag": "0002_x"}]}'
    read = migrations.read(Tree("migrations", files), format=format, dialect=dialect, tx_mode=tx, sum_mode="off")
    newest = read.migrations[-1]
    changed = ChangedFile(newest.name, "added", newest)
    linted = lint(
        [LintFile(changed, sql.statements(newest, dialect))], before([pre], dialect), dialect=dialect, format=format, directory=read,
        server_version=version, parse=lambda m: sql.statements(m, dialect),
    )  # fmt: skip
    return newest.text, linted
