"""A risky change as a reviewer meets it: two files, five findings, one statement not analysed, and what it does to the schema."""

from __future__ import annotations

from ci_runner import report
from ci_runner.model import drawing, inspected
from ci_runner.model.report import Linted, NotAnalysed, Replay, Report, SchemaChange, StatementEffect
from tests.report.making import change_set, changed, finding

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

FIRST, SECOND = "0013_order_search.sql", "0014_cleanup.sql"
FINDINGS = (
    finding(
        FIRST,
        SEARCH,
        "CREATE INDEX orders_customer_email_idx ON orders (customer_email);",
        "index-not-concurrent",
        "warning",
        "writes to `orders` wait until `orders_customer_email_idx` is built",
        observed=True,
        fix="CREATE INDEX CONCURRENTLY orders_customer_email_idx ON orders (customer_email);\n",
    ),
    finding(
        FIRST,
        SEARCH,
        "ALTER TABLE orders\n    ADD COLUMN channel text NOT NULL;",
        "add-notnull-no-default",
        "error",
        "`orders.channel` is NOT NULL and has no default: fails as soon as `orders` holds a row",
        observed=True,
    ),
    finding(
        SECOND,
        CLEANUP,
        "DROP COLUMN legacy_id",
        "drop-column",
        "error",
        "`customers.legacy_id` and everything stored in it is dropped",
    ),
    finding(
        SECOND,
        CLEANUP,
        "ALTER TABLE invoices ALTER COLUMN total TYPE numeric(14, 4);",
        "type-change-rewrite",
        "warning",
        "`invoices.total` changes from `numeric(12,2)` to `numeric(14,4)`: `invoices` is rewritten",
        observed=True,
    ),
    finding(
        SECOND,
        CLEANUP,
        "ALTER TABLE invoices",
        "lock-held-across-scan",
        "notice",
        "ACCESS EXCLUSIVE on `customers` is held while `invoices` is rewritten",
    ),
)
EFFECTS = {
    FIRST: (
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
    SECOND: (
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
CHANGES = (
    SchemaChange("removed", "column", "customers.legacy_id", "integer"),
    SchemaChange("changed", "column", "invoices.total", "numeric(12,2)", "numeric(14,4)"),
    SchemaChange("added", "column", "orders.channel", "", "text NOT NULL"),
    SchemaChange("added", "index", "orders_customer_email_idx", "", "orders (customer_email)"),
    SchemaChange("added", "table", "refunds", "", "id, order_id, amount"),
)


def risky_report(fail_on: report.FailOn = "error") -> Report:
    """Two files with five findings, one statement not analysed and a replay that went through."""
    return report.build(
        change_set(changed(FIRST, SEARCH), changed(SECOND, CLEANUP)),
        Linted(
            FINDINGS,
            (NotAnalysed(SECOND, 11, "the statement is not understood: VACUUM FULL customers WITH_A_TYPO"),),
            1,
        ),
        Replay("ok", "PostgreSQL 16.4", 6, changes=CHANGES, diagram=drawing.changed(*SCHEMAS)),
        name="shop",
        fail_on=fail_on,
        effects=lambda: EFFECTS,
    )
