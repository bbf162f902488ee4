"""Runs as a reviewer meets them: a risky change, a clean one, a failed replay, a monorepo, hundreds of findings, hostile names."""

from __future__ import annotations

from urllib.parse import quote

from ci_runner import report
from ci_runner.model.directory import Problem
from ci_runner.model.report import (
    Base,
    Finding,
    Linted,
    Replay,
    ReplayError,
    Report,
    Run,
    SchemaChange,
    StatementEffect,
)
from tests.report.hostile import hostile
from tests.report.making import RULES, change_set, changed, finding
from tests.report.risky import risky_report


def risky() -> Run:
    """One directory with findings of every severity."""
    return report.combine([risky_report()])


def clean_report(name: str = "shop", path: str = "db/migrations") -> Report:
    """One added file and nothing to say about it."""
    text = "CREATE TABLE coupons (id bigint PRIMARY KEY, code text NOT NULL);\n"
    return report.build(
        change_set(changed("0013_coupons.sql", text), path=path),
        Linted(),
        Replay("ok", "PostgreSQL 16.4", 1),
        name=name,
    )


def clean() -> Run:
    """Nothing to report."""
    return report.combine([clean_report()])


def unchanged() -> Run:
    """A pull request that touches no migration."""
    return report.combine(
        [report.build(change_set(), Linted(), Replay("skipped", reason="no migration changed"), name="shop")]
    )


def failed_report() -> Report:
    """A migration the database refuses."""
    name = "0013_wrong_column.sql"
    text = "CREATE TABLE carts (id bigint PRIMARY KEY);\n\nCREATE INDEX carts_owner_idx\n    ON carts (owner_id);\n"
    error = ReplayError(
        name,
        4,
        15,
        'column "owner_id" does not exist',
        "CREATE INDEX carts_owner_idx\n    ON carts (owner_id);",
        "42703",
    )
    problems = (
        Problem(
            "sum-file-mismatch",
            "error",
            "atlas.sum does not match its own first line; it was probably merged by hand",
            "atlas.sum",
            1,
            "run `pilotage hash` and commit atlas.sum",
        ),
        Problem(
            "line-endings", "warning", "the file has CRLF line ends", "0004_old.sql", None, "add `*.sql text eol=lf`"
        ),
        Problem(
            "line-endings", "warning", "the file has CRLF line ends", "0007_old.sql", None, "add `*.sql text eol=lf`"
        ),
        Problem("byte-order-mark", "warning", "the file begins with a byte order mark", name, 1, "save it without"),
    )
    return report.build(
        change_set(changed(name, text), path="services/cart/migrations", problems=problems),
        Linted(),
        Replay("failed", "PostgreSQL 16.4", 2, error),
        name="cart",
        notes=("The clone is shallow and holds no merge base: every file was taken as changed.",),
    )


def failed() -> Run:
    """A failed replay, with problems of the directory beside it."""
    return report.combine([failed_report()])


def several() -> Run:
    """A monorepo: one directory fails, one warns, one is clean."""
    text = "ALTER TABLE products DROP COLUMN old_price;\n"
    warns = report.build(
        change_set(
            changed("0013_price.sql", text),
            path="services/catalogue/migrations",
            dialect="mysql",
            base=Base("registry", "catalogue@41"),
        ),
        Linted(
            (
                finding(
                    "0013_price.sql",
                    text,
                    "DROP COLUMN old_price",
                    "drop-column",
                    "warning",
                    "`products.old_price` is dropped",
                ),
            )
        ),
        Replay("skipped", reason="no dev database is configured"),
        name="catalogue",
    )
    return report.combine([failed_report(), warns, clean_report("billing", "services/billing/migrations")])


def many(number: int = 500) -> Run:
    """One file with very many findings; every tenth is an error."""
    rows = [f"ALTER TABLE t{n:04} DROP COLUMN c{n:04};" for n in range(number)]
    text, name = "\n".join(rows) + "\n", "0013_great_cleanup.sql"
    findings = tuple(
        Finding(
            "drop-column",
            "warning" if n % 10 else "error",
            f"`t{n:04}.c{n:04}` and everything stored in it is dropped",
            name,
            n + 1,
            1,
            n + 1,
            len(row) + 1,
            *RULES["drop-column"],
            "inferred",
            row,
        )
        for n, row in enumerate(rows)
    )
    effects = {
        name: tuple(
            StatementEffect(
                n + 1,
                n + 1,
                row,
                (("alter-table.drop-column", f"t{n:04}.c{n:04}", False),),
                "ACCESS EXCLUSIVE",
                "metadata",
            )
            for n, row in enumerate(rows)
        )
    }
    schema = tuple(SchemaChange("removed", "column", f"t{n:04}.c{n:04}", "text") for n in range(number))
    built = report.build(
        change_set(changed(name, text)),
        Linted(findings),
        Replay("ok", "PostgreSQL 16.4", number, changes=schema),
        name="shop",
        effects=lambda: effects,
    )
    return report.combine([built])


RUNS = {
    "risky": risky,
    "clean": clean,
    "unchanged": unchanged,
    "failed": failed,
    "several": several,
    "many": many,
    "hostile": hostile,
}


def links(path: str, line: int, end_line: int) -> str:
    """Where lines of a file can be read, as GitHub addresses them."""
    return f"https://github.com/acme/shop/blob/4f1d2c3/{quote(path)}#L{line}-L{end_line}"
