"""A SQL Server database of the user's as dev database; written from documentation, no server was reached."""

from __future__ import annotations

from ci_runner.devdb.direct_plain import PlainKeeper, Spec
from ci_runner.devdb.sqlserver import advice, quote

# https://learn.microsoft.com/sql/relational-databases/system-stored-procedures/sp-getapplock-transact-sql: 0 and 1 are locks that were got
_LOCK = """DECLARE @got int;
EXEC @got = sp_getapplock @Resource = N'pilotage', @LockMode = N'Exclusive', @LockOwner = N'Session', @LockTimeout = 0;
SELECT CASE WHEN @got >= 0 THEN 1 ELSE 0 END"""
# What reads tables, then these, then what they use.
_CONTENTS = """SELECT kind, s, n FROM (
SELECT CASE o.type WHEN 'V' THEN 'VIEW' WHEN 'P' THEN 'PROCEDURE' WHEN 'U' THEN 'TABLE' WHEN 'SO' THEN 'SEQUENCE' ELSE 'FUNCTION' END AS kind,
 SCHEMA_NAME(o.schema_id) AS s, o.name AS n, CASE o.type WHEN 'U' THEN 2 WHEN 'SO' THEN 3 ELSE 1 END AS place
FROM sys.objects o WHERE o.is_ms_shipped = 0 AND o.type IN ('U', 'V', 'P', 'FN', 'IF', 'TF', 'SO')
UNION ALL SELECT 'TYPE', SCHEMA_NAME(t.schema_id), t.name, 4 FROM sys.types t WHERE t.is_user_defined = 1
UNION ALL SELECT 'SCHEMA', s.name, s.name, 5 FROM sys.schemas s WHERE s.schema_id BETWEEN 5 AND 16383) f
ORDER BY place, s, n"""

KEEPER = PlainKeeper(
    Spec(
        quote,
        _CONTENTS,
        may_not=frozenset({"262"}),
        there=frozenset({"2714"}),
        system=frozenset({"sys", "information_schema"}),
        remove=("ALTER DATABASE {name} SET SINGLE_USER WITH ROLLBACK IMMEDIATE", "DROP DATABASE {name}"),
        own_lock=_LOCK,
    ),
    advice,
)
