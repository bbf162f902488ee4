"""Words of SQL that can name nothing unless they are quoted."""

from __future__ import annotations

RESERVED = frozenset(
    {
        "all", "alter", "and", "any", "as", "asc", "between", "both", "by", "case", "cast", "check", "collate", "column",
        "constraint", "create", "cross", "current_date", "current_time", "current_timestamp",
        "current_user", "default", "delete", "desc", "distinct", "drop", "else", "end", "except", "exists", "false",
        "fetch", "for", "foreign", "from", "full", "grant", "group", "having", "in", "index", "inner", "insert",
        "intersect", "into", "is", "join", "key", "leading", "left", "like", "limit", "natural", "not", "null", "offset",
        "on", "or", "order", "outer", "primary", "references", "right", "select", "session_user", "set", "some",
        "table", "then", "to", "trailing", "trigger", "true", "union", "unique", "update", "user", "using", "values",
        "when", "where", "with",
    }
)  # fmt: skip
