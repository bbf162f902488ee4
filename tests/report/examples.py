"""Runs as a reviewer meets them: a risky change, a clean one, a failed replay, a monorepo, hundreds of findings, hostile names."""

from __future__ import annotations

import hashlib
from urllib.parse import quote

from ci_runner import report
from ci_runner.model import drawing, inspected
from ci_runner.model.directory import Migration, MigrationDir, Problem, SumCheck
from ci_runner.model.report import (
    Base,
    Change,
    ChangedFile,
    ChangeSet,
    Finding,
    Linted,
    NotAnalysed,
    Replay,
    ReplayError,
    Report,
    Run,
    SchemaChange,
    Severity,
    StatementEffect,
    Suggestion,
)

SEARCH = """\
-- Support looks orders up by e-mail.
CREATE INDEX orders_customer_email_idx ON orders (customer_email);

ALTER TABLE orders
    ADD COLUMN channel text NOT NULL;
"""

CLEANUP = """\
ALTER TABLE customers DROP COLUMN legacy_id;

ALTER TABLE invoices ALTER COLUMN total TYPE numeric(14, 4);

CREATE TABLE refunds (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    order_id bigint NOT NULL REFERENCES orders (id),
    amount numeric(14, 4) NOT NULL
);

VACUUM FULL customers WITH_A_TYPO;
"""

_KEY = {"key": "PRIMARY KEY (id)"}
_ID = inspected.Column("bigint", False)
_CUSTOMERS = {"id": _ID, "email": inspected.Column("text", False)}
_ORDERS = {"id": _ID, "customer_id": _ID, "customer_email": inspected.Column("text", False)}
_INVOICES = {"id": _ID, "order_id": _ID}
_OF_ORDER = _KEY | {"order": "FOREIGN KEY (order_id) REFERENCES orders(id)"}
_OF_CUSTOMER = _KEY | {"customer": "FOREIGN KEY (customer_id) REFERENCES customers(id)"}
# What the two files do to the tables, before and after.
SCHEMAS = (
    inspected.Schema(
        {
            "customers": inspected.Table({**_CUSTOMERS, "legacy_id": inspected.Column("integer")}, {}, _KEY),
            "orders": inspected.Table(_ORDERS, {}, _OF_CUSTOMER),
            "invoices": inspected.Table(
                {**_INVOICES, "total": inspected.Column("numeric(12,2)", False)}, {}, _OF_ORDER
            ),
        }
    ),
    inspected.Schema(
        {
            "customers": inspected.Table(_CUSTOMERS, {}, _KEY),
            "orders": inspected.Table({**_ORDERS, "channel": inspected.Column("text", False)}, {}, _OF_CUSTOMER),
            "invoices": inspected.Table(
                {**_INVOICES, "total": inspected.Column("numeric(14,4)", False)}, {}, _OF_ORDER
            ),
            "refunds": inspected.Table(
                {**_INVOICES, "amount": inspected.Column("numeric(14,4)", False)}, {}, _OF_ORDER
            ),
        }
    ),
)

RULES: dict[str, tuple[str, str, str, tuple[str, ...]]] = {
    "index-not-concurrent": (
        "Creating an index blocks writes",
        "`CREATE INDEX` holds a SHARE lock until the index is built: every INSERT, UPDATE and DELETE on the table waits.",
        "Build it with `CREATE INDEX CONCURRENTLY`, in a migration of its own that runs outside a transaction.",
        ("PG101", "require-concurrent-index-creation"),
    ),
    "add-notnull-no-default": (
        "A required column without a default",
        "Rows that exist have no value for the column, so the statement fails on the first one. On an empty test database it passes.",
        "Add the column as nullable, fill it in batches, then set NOT NULL in a later migration.",
        ("MF103", "adding-required-field"),
    ),
    "drop-column": (
        "Dropping a column loses its data",
        "The values are gone, and every instance of the application that still runs the old release fails on its next query.",
        "Stop reading and writing the column, release that, and drop it in a later release.",
        ("DS103", "ban-drop-column"),
    ),
    "type-change-rewrite": (
        "Changing this type rewrites the table",
        "The whole table is copied under an ACCESS EXCLUSIVE lock: neither reads nor writes get through until it is done.",
        "Add a new column, write both, fill it in batches, then swap the two.",
        ("PG301", "changing-column-type"),
    ),
    "lock-held-across-scan": (
        "A strong lock is held during other work",
        "The file runs in one transaction, so the first lock is kept until the last statement has ended.",
        "Take one strong lock in a transaction: split the file.",
        (),
    ),
}


def finding(
    name: str,
    text: str,
    snippet: str,
    rule: str,
    severity: Severity,
    message: str,
    *,
    observed: bool = False,
    fix: str = "",
) -> Finding:
    """A finding on the first place where ``snippet`` stands in ``text``."""
    start = text.index(snippet)
    before, span = text[:start], snippet.rstrip()
    line, column = before.count("\n") + 1, start - (before.rfind("\n") + 1) + 1
    end_line = line + span.count("\n")
    end_column = (column if end_line == line else 1) + len(span.rsplit("\n", 1)[-1])
    title, why, remedy, aliases = RULES[rule]
    return Finding(
        rule=rule,
        severity=severity,
        message=message,
        file=name,
        line=line,
        column=column,
        end_line=end_line,
        end_column=end_column,
        title=title,
        why=why,
        remedy=remedy,
        aliases=aliases,
        evidence="observed" if observed else "inferred",
        statement=span,
        suggestion=Suggestion(line, end_line, fix, "Build the index without blocking writes") if fix else None,
    )


def changed(name: str, text: str, change: Change = "added") -> ChangedFile:
    """A changed file whose version stands before the first underscore."""
    version, _, description = name.removesuffix(".sql").partition("_")
    migration = Migration(name, version, description, text, hashlib.sha256(text.encode("utf-8", "replace")).hexdigest())
    return ChangedFile(
        name, change, None if change == "removed" else migration, migration if change == "removed" else None
    )


def change_set(
    *files: ChangedFile,
    path: str = "db/migrations",
    problems: tuple[Problem, ...] = (),
    dialect: str = "postgres",
    released: int = 12,
    base: Base = Base("git", "4f1d2c3a9b07e5d6c8a1b2f3e4d5c6b7a8f90123"),  # noqa: B008  a frozen value
) -> ChangeSet:
    """The files on top of ``released`` earlier ones."""
    old = tuple(Migration(f"{n:04}_old.sql", f"{n:04}", "old", "", "") for n in range(1, released + 1))
    mine = tuple(file.migration for file in files if file.migration)
    head = MigrationDir(path, "atlas", dialect, (*old, *mine), "h1:x=\n", SumCheck(True), problems)
    return ChangeSet(head, base, files, old)


def risky_report(fail_on: report.FailOn = "error") -> Report:
    """Two files with five findings, one statement not analysed and a replay that went through."""
    search, cleanup = "0013_order_search.sql", "0014_cleanup.sql"
    findings = (
        finding(
            search,
            SEARCH,
            "CREATE INDEX orders_customer_email_idx ON orders (customer_email);",
            "index-not-concurrent",
            "warning",
            "writes to `orders` wait until `orders_customer_email_idx` is built",
            observed=True,
            fix="CREATE INDEX CONCURRENTLY orders_customer_email_idx ON orders (customer_email);\n",
        ),
        finding(
            search,
            SEARCH,
            "ALTER TABLE orders\n    ADD COLUMN channel text NOT NULL;",
            "add-notnull-no-default",
            "error",
            "`orders.channel` is NOT NULL and has no default: fails as soon as `orders` holds a row",
            observed=True,
        ),
        finding(
            cleanup,
            CLEANUP,
            "DROP COLUMN legacy_id",
            "drop-column",
            "error",
            "`customers.legacy_id` and everything stored in it is dropped",
        ),
        finding(
            cleanup,
            CLEANUP,
            "ALTER TABLE invoices ALTER COLUMN total TYPE numeric(14, 4);",
            "type-change-rewrite",
            "warning",
            "`invoices.total` changes from `numeric(12,2)` to `numeric(14,4)`: `invoices` is rewritten",
            observed=True,
        ),
        finding(
            cleanup,
            CLEANUP,
            "ALTER TABLE invoices",
            "lock-held-across-scan",
            "notice",
            "ACCESS EXCLUSIVE on `customers` is held while `invoices` is rewritten",
        ),
    )
    effects = {
        search: (
            StatementEffect(2, 2, "CREATE INDEX …", (("create-index", "orders", False),), "SHARE", "scan"),
            StatementEffect(
                4,
                5,
                "ALTER TABLE …",
                (("alter-table.add-column", "orders.channel", False),),
                "ACCESS EXCLUSIVE",
                "metadata",
            ),
        ),
        cleanup: (
            StatementEffect(
                1,
                1,
                "ALTER …",
                (("alter-table.drop-column", "customers.legacy_id", False),),
                "ACCESS EXCLUSIVE",
                "metadata",
            ),
            StatementEffect(
                3,
                3,
                "ALTER …",
                (("alter-table.alter-column-type", "invoices.total", False),),
                "ACCESS EXCLUSIVE",
                "rewrite",
            ),
            StatementEffect(
                5, 9, "CREATE TABLE …", (("create-table", "refunds", False),), "SHARE ROW EXCLUSIVE", "metadata"
            ),
            StatementEffect(11, 11, "VACUUM …", (), "", "none", "the statement is not understood"),
        ),
    }
    schema = (
        SchemaChange("removed", "column", "customers.legacy_id", "integer"),
        SchemaChange("changed", "column", "invoices.total", "numeric(12,2)", "numeric(14,4)"),
        SchemaChange("added", "column", "orders.channel", "", "text NOT NULL"),
        SchemaChange("added", "index", "orders_customer_email_idx", "", "orders (customer_email)"),
        SchemaChange("added", "table", "refunds", "", "id, order_id, amount"),
    )
    return report.build(
        change_set(changed(search, SEARCH), changed(cleanup, CLEANUP)),
        Linted(
            findings,
            (NotAnalysed(cleanup, 11, "the statement is not understood: VACUUM FULL customers WITH_A_TYPO"),),
            1,
        ),
        Replay("ok", "PostgreSQL 16.4", 6, changes=schema, diagram=drawing.changed(*SCHEMAS)),
        name="shop",
        fail_on=fail_on,
        effects=effects,
    )


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
        effects=effects,
    )
    return report.combine([built])


HOSTILE = (
    "::error file=a::pwned",
    "##vso[task.setvariable variable=x]y",
    "<img src=x onerror=alert(1)>",
    "</details><script>alert(1)</script>",
    "[link](https://evil.example) ![i](https://evil.example/i.png)",
    "@octocat #1 org/repo#2 https://evil.example www.evil.example me@evil.example GH-3",
    "```\n# heading\n~~~\n- [ ] task",
    "a|b\\|c `d` ``e``",
    "\x1b]8;;https://evil.example\x07click\x1b]8;;\x07 \x1b[31mred\x1b[0m \x00\x08\r",
    "\u202egpj.exe \u2028 \u2066 \udcff \U000e0041",
    "[bold red]rich[/bold red] [link=https://evil.example]x[/link]",
    "{{ 7 * 7 }} {% raw %} $x^2$ :shipit: <!-- c --> &lt; \\",
    "1. one\n2. two\n===\n---\n| a | b |\n|---|---|",
)


def hostile(payloads: tuple[str, ...] = HOSTILE) -> Run:
    """Every text a pull request or a database controls, set to something that wants to be mark-up or a command."""
    reports = []
    for number, bad in enumerate(payloads):
        name, text = f"{number:04}_{bad}.sql", f"{bad}\nSELECT 1; -- {bad}\n"
        found = Finding(
            "drop-column",
            "error",
            bad,
            name,
            1,
            1,
            2,
            9,
            bad,
            bad,
            bad,
            (bad,),
            "observed",
            bad,
            Suggestion(1, 1, bad, bad),
        )
        built = report.build(
            change_set(
                changed(name, text),
                path=bad,
                problems=(Problem("line-endings", "warning", bad, f"x{bad}", 1, bad),),
                base=Base("git", bad),
            ),
            Linted((found,), (NotAnalysed(name, 1, bad),), 1),
            Replay(
                "failed",
                bad,
                1,
                ReplayError(name, 1, 1, bad, bad, bad),
                changes=(SchemaChange("added", bad, bad, bad, bad),),
            ),
            name=bad,
            notes=(bad,),
            effects={name: (StatementEffect(1, 1, bad, ((bad, bad, True),), bad, bad, bad),)},
        )
        reports.append(built)
    return report.combine(reports, (payloads[0],))


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
