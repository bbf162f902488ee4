"""Which lock a statement takes and what it costs, for ``pilotage explain``: tables of facts, one per dialect.

Sources: PostgreSQL's chapter "Explicit Locking" and the notes of ALTER TABLE; MySQL's "Online DDL Operations" and MariaDB's "InnoDB Online
DDL"; Microsoft's "Transaction locking guide" and the remarks of ALTER TABLE; ClickHouse's "Mutations"; Redshift's and Snowflake's manuals
of the single statements. Locks are in each vendor's own words, "" where none is held on an object that existed before.
"""

from __future__ import annotations

from msgspec import Struct


class Cost(Struct, frozen=True):
    """``effect`` is none, metadata, scan or rewrite."""

    lock: str
    effect: str


AE, SRE, SHARE, SUE, RE, READ = (
    "ACCESS EXCLUSIVE", "SHARE ROW EXCLUSIVE", "SHARE", "SHARE UPDATE EXCLUSIVE", "ROW EXCLUSIVE", "ACCESS SHARE",
)  # fmt: skip

# From weak to strong, per dialect; what is not listed is weaker than all that is.
STRENGTH: dict[str, tuple[str, ...]] = {
    "postgres": ("ACCESS SHARE", "ROW SHARE", RE, SUE, SHARE, SRE, "EXCLUSIVE", AE),
    "redshift": ("ACCESS SHARE", SRE, AE),
    "mysql": (
        "ROW",
        "METADATA",
        "NONE",
        "SHARED",
        "EXCLUSIVE",
    ),  # an instant counts less than a long build beside writers
    "mariadb": ("ROW", "METADATA", "NONE", "SHARED", "EXCLUSIVE"),
    "sqlite": ("RESERVED", "EXCLUSIVE"),
    "sqlserver": ("IX", "Sch-S", "S", "Sch-M"),
    "clickhouse": (),
    "snowflake": ("PARTITIONS", "TABLE"),
}
EFFECTS = ("none", "metadata", "scan", "rewrite")


def _costs(text: str) -> dict[str, Cost]:
    """One line a lock and an effect, then the kinds: ``ACCESS EXCLUSIVE|scan: a b c`` (``.x`` is short for ``alter-table.x``)."""
    found: dict[str, Cost] = {}
    for line in text.strip().splitlines():
        head, _, kinds = line.strip().partition(": ")
        lock, _, effect = head.partition("|")
        for kind in kinds.split():
            found["alter-table" + kind if kind.startswith(".") else kind] = Cost(lock.strip(), effect.strip())
    return found


_POSTGRES = _costs(
    """
    ACCESS EXCLUSIVE|metadata: alter-table drop-table truncate drop-index create-or-replace-view create-policy drop-policy
    ACCESS EXCLUSIVE|metadata: alter-policy rename-policy create-rule create-or-replace-rule rename-rule rename-trigger rename-materialized-view
    ACCESS EXCLUSIVE|metadata: drop-foreign-table create-partition drop-view drop-materialized-view drop-type drop-trigger drop-rule rename-view
    ACCESS EXCLUSIVE|metadata: alter-view alter-materialized-view rename-sequence alter-sequence drop-sequence alter-index.attach-partition
    ACCESS EXCLUSIVE|metadata: alter-type.add-attribute alter-type.drop-attribute alter-type.alter-attribute alter-type.rename-attribute
    ACCESS EXCLUSIVE|scan: .attach-partition
    ACCESS EXCLUSIVE|scan: .set-not-null .add-check .add-unique .add-primary-key .add-exclusion .add-not-null reindex
    ACCESS EXCLUSIVE|rewrite: .alter-column-type .set-tablespace .set-logged .set-unlogged .set-access-method .set-expression vacuum-full cluster
    ACCESS EXCLUSIVE|rewrite: refresh-materialized-view alter-index.set-tablespace repack .merge-partitions .split-partition
    SHARE UPDATE EXCLUSIVE|rewrite: repack-concurrently
    ACCESS EXCLUSIVE|rewrite: alter-materialized-view.set-tablespace alter-materialized-view.set-access-method alter-sequence.set-logged
    EXCLUSIVE|scan: refresh-materialized-view-concurrently
    SHARE ROW EXCLUSIVE|scan: .add-foreign-key
    SHARE ROW EXCLUSIVE|metadata: alter-sequence.set-option alter-sequence.owned-by
    SHARE ROW EXCLUSIVE|metadata: .add-foreign-key-not-valid .set-trigger-state create-trigger create-or-replace-trigger
    SHARE|scan: create-index alter-domain.add-constraint alter-domain.set-not-null alter-domain.validate-constraint
    SHARE UPDATE EXCLUSIVE|scan: create-index-concurrently reindex-concurrently .validate-constraint vacuum analyze
    SHARE UPDATE EXCLUSIVE|metadata: drop-index-concurrently .detach-partition-concurrently .set-column-statistics .set-table-option
    SHARE UPDATE EXCLUSIVE|metadata: .reset-table-option .set-cluster-index .set-without-cluster set-comment create-statistics .set-column-option
    SHARE UPDATE EXCLUSIVE|metadata: drop-statistics rename-index alter-index .reset-column-option create-publication alter-publication.add-table
    SHARE UPDATE EXCLUSIVE|metadata: alter-publication.set-table alter-publication.drop-table alter-materialized-view.set-option
    SHARE UPDATE EXCLUSIVE|metadata: alter-materialized-view.set-column-statistics alter-materialized-view.set-cluster-index
    SHARE UPDATE EXCLUSIVE|metadata: alter-materialized-view.set-without-cluster
    ROW EXCLUSIVE|scan: update delete merge
    ROW EXCLUSIVE|none: insert copy
    ACCESS SHARE|none: select
    """
)
_REDSHIFT = {
    **{
        kind: Cost(cost.lock if cost.lock in ("ACCESS SHARE", AE) else SRE, cost.effect)  # it has these three modes
        for kind, cost in _POSTGRES.items()
        if "concurrently" not in kind
    },
    **_costs(
        """
        ACCESS EXCLUSIVE|rewrite: .alter-distribution .alter-sort-key .alter-encoding .alter-column-encoding vacuum vacuum-full
        ACCESS EXCLUSIVE|metadata: .alter-column-type .append-from .add-foreign-key .add-primary-key .add-unique
        SHARE ROW EXCLUSIVE|rewrite: refresh-materialized-view
        """
    ),
}
_MYSQL = _costs(
    """
    METADATA|metadata: alter-table rename-table create-or-replace-view drop-view create-trigger drop-trigger .drop-index drop-index
    METADATA|metadata: create-or-replace-trigger
    EXCLUSIVE|metadata: drop-table truncate .drop-partition .truncate-partition .exchange-partition create-or-replace-table
    EXCLUSIVE|metadata: .convert-partition .convert-table
    NONE|scan: create-index .add-index .add-unique
    NONE|rewrite: .add-primary-key .rebuild .set-engine .set-table-option optimize-table
    SHARED|scan: .add-fulltext-index .add-spatial-index .add-vector-index create-fulltext-index create-spatial-index create-vector-index
    SHARED|rewrite: .alter-column-type .drop-primary-key .convert-charset .add-foreign-key .add-check .repartition .remove-partitioning
    SHARED|rewrite: .add-period .order-by .coalesce-partition .reorganize-partition .rebuild-partition .add-system-versioning .drop-system-versioning
    METADATA|metadata: alter-view
    NONE|scan: analyze .analyze-partition
    SHARED|scan: check-table checksum-table .check-partition
    SHARED|rewrite: .optimize-partition
    EXCLUSIVE|rewrite: repair-table .repair-partition
    ROW|scan: update delete
    ROW|none: insert load-data
    """
)
_SQLITE = _costs(
    """
    EXCLUSIVE|metadata: alter-table create-table create-table-as create-virtual-table create-view create-trigger drop-table drop-view drop-trigger
    EXCLUSIVE|metadata: drop-index
    EXCLUSIVE|rewrite: .drop-column vacuum
    EXCLUSIVE|scan: .set-not-null .add-check
    EXCLUSIVE|scan: create-index reindex analyze update delete
    RESERVED|none: insert
    """
)
_SQLSERVER = _costs(
    """
    Sch-M|metadata: alter-table drop-table truncate rename-table rename-column rename-index drop-index create-or-replace-view drop-view
    Sch-M|metadata: rename-constraint alter-view alter-procedure alter-function alter-trigger create-or-replace-procedure drop-procedure
    Sch-M|metadata: create-or-replace-function drop-function create-or-replace-trigger
    Sch-M|metadata: create-trigger drop-trigger alter-index.disable .add-foreign-key-nocheck .add-check-nocheck
    Sch-M|scan: .add-foreign-key .add-check .validate-constraint .add-unique .add-primary-key
    Sch-M|rewrite: .alter-column-type .rebuild .rebuild-index alter-index.rebuild .add-persisted alter-partition-function
    Sch-S|rewrite: alter-index.resume
    Sch-S|scan: create-statistics
    S|scan: create-vector-index create-json-index create-index .add-index create-xml-index create-spatial-index create-fulltext-index
    IX|scan: update delete merge alter-index.reorganize analyze
    IX|none: insert bulk-insert copy
    """
)
_CLICKHOUSE = _costs(
    """
    |metadata: alter-table drop-table truncate rename-table exchange-tables detach-table attach-table
    |rewrite: .alter-column-type .update .delete .materialize-column .materialize-index .materialize-projection .materialize-ttl
    |rewrite: .materialize-statistics .clear-column .clear-index .clear-projection .apply-deleted-mask optimize-table .modify-ttl
    |rewrite: .apply-patches .rewrite-parts
    |scan: delete update check-table
    |none: insert
    """
)
_SNOWFLAKE = _costs(
    """
    TABLE|metadata: alter-table drop-table truncate create-or-replace-table create-or-alter-table
    |rewrite: .alter-clustering-key
    |metadata: create-or-replace-view
    TABLE|scan: update delete merge
    PARTITIONS|none: insert insert-overwrite copy
    """
)
# What kinds that change the schema, or rights on it, begin with.
_SCHEMA = (
    "create-", "drop-", "alter-", "rename-", "undrop-", "set-comment", "grant", "revoke", "deny", "reassign-", "import-", "security-label",
    "attach-", "detach-", "exchange-", "add-", "truncate-",
)  # fmt: skip
COSTS: dict[str, dict[str, Cost]] = {
    "postgres": _POSTGRES, "redshift": _REDSHIFT, "mysql": _MYSQL, "mariadb": _MYSQL, "sqlite": _SQLITE, "sqlserver": _SQLSERVER,
    "clickhouse": _CLICKHOUSE, "snowflake": _SNOWFLAKE,
}  # fmt: skip


def known(dialect: str, kind: str) -> Cost:
    """The cost of a kind: its own, that of ALTER TABLE (or VIEW, SEQUENCE …) in general, or none."""
    costs = COSTS[dialect]
    found = costs.get(kind) or costs.get(kind.partition(".")[0])
    return found or Cost("", "metadata" if kind.startswith(_SCHEMA) else "none")
