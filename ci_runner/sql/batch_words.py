"""The keywords that begin a T-SQL statement, end one, or go on with it: where nothing but they says so."""

from __future__ import annotations

STARTERS = frozenset(
    {
        "ALTER", "BACKUP", "BEGIN", "BREAK", "BULK", "CHECKPOINT", "CLOSE", "COMMIT", "CONTINUE", "CREATE", "DBCC", "DEALLOCATE", "DECLARE",
        "DELETE", "DENY", "DISABLE", "DROP", "ENABLE", "END CONVERSATION",
        "COPY INTO", "EXEC", "EXECUTE", "FETCH", "GOTO", "GRANT", "IF", "INSERT", "KILL", "MERGE", "OPEN",
        "PRINT", "RAISERROR", "RECONFIGURE", "RENAME DATABASE", "RENAME OBJECT", "RESTORE", "RETURN",
        "REVERT", "REVOKE", "ROLLBACK", "SAVE", "SELECT", "SET", "SHUTDOWN",
        "THROW", "TRUNCATE", "UPDATE", "USE", "WAITFOR", "WHILE",
    }
)  # fmt: skip
BOUNDS = STARTERS | {"END", "ELSE", ";"}
# Keywords that go on with the statement before them when this word follows: ALTER … DROP EVENT x, … MERGE RANGE (1).
GO_ON = {
    "DROP": ("(", "EVENT", "TARGET", "VALUE", "FILTER", "BLOCK", "STATISTICAL_SEMANTICS", "CONTRACT", "PRIVATE", "ENCRYPTION", "ATTESTED"),
    "ALTER": ("COLUMN", "FILTER", "BLOCK"), "MERGE": ("RANGE",), "UPDATE": ("POPULATION",), "CREATE": ("ANY",),
}  # fmt: skip
# Words that begin a statement only before this one: END CONVERSATION ends no block, and the others are no reserved words.
PAIRS = {"CONVERSATION": ("END",), "OBJECT": ("RENAME",), "DATABASE": ("RENAME",), "INTO": ("COPY",)}
PERIODS = ("ROW", "TRANSACTION_ID", "SEQUENCE_NUMBER", "SUSER_SNAME", "SUSER_SID")  # GENERATED ALWAYS AS ROW END
OBJECTS_OF = frozenset({"SESSION", "NOTIFICATION", "ENCRYPTION", "MASTER"})  # DROP EVENT SESSION is a statement
NOT_BLOCKS = frozenset({"TRAN", "TRANSACTION", "DISTRIBUTED", "DIALOG", "CONVERSATION"})
WHOLE = frozenset({"PROC", "PROCEDURE", "FUNCTION", "TRIGGER", "VIEW"})
EVENTS = frozenset({"INSERT", "UPDATE", "DELETE"})
PARTS_BEHIND = {
    "ON": EVENTS, "AFTER": EVENTS, "OF": EVENTS, "BEFORE": EVENTS, ",": EVENTS, "FOR": EVENTS | {"SELECT"}, "BULK": frozenset({"INSERT"}),
    "UNION": frozenset({"SELECT"}), "EXCEPT": frozenset({"SELECT"}), "INTERSECT": frozenset({"SELECT"}), "AS": frozenset({"SELECT"}),
    "ROWS": frozenset({"FETCH"}), "ROW": frozenset({"FETCH"}),
}  # fmt: skip
NEVER_PART = frozenset({"IF", "DECLARE", "PRINT", "BEGIN", "WHILE", "RETURN"})
ALTERED = frozenset(
    {
        "TABLE", "INDEX", "DATABASE", "SCHEMA", "USER", "LOGIN", "ROLE", "SEQUENCE", "SERVER", "AUTHORIZATION", "APPLICATION", "PARTITION",
        "FULLTEXT", "SECURITY", "ASSEMBLY", "CERTIFICATE", "EXTERNAL", "QUEUE", "SERVICE", "FUNCTION", "SCHEME", "POLICY", "CATALOG",
        "SCOPED", "CONFIGURATION", "CREDENTIAL", "DATA", "SOURCE", "MASTER", "KEY", "SYMMETRIC", "ASYMMETRIC", "AVAILABILITY", "GROUP",
        "RESOURCE", "WORKLOAD", "POOL", "XML", "COLLECTION", "EVENT", "SESSION", "AUDIT", "SPECIFICATION",
    }
)  # fmt: skip
