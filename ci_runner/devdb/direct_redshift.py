"""A Redshift database of the user's as dev database; tried on PostgreSQL only."""

from __future__ import annotations

from ci_runner.databases import DatabaseFailure
from ci_runner.devdb.direct_plain import PlainKeeper, Spec
from ci_runner.devdb.postgres import quote

# Views that others read go with them; a schema goes when nothing is left in it.
_CONTENTS = """SELECT CASE c.relkind WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END AS kind, n.nspname, c.relname
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'v') AND n.nspname NOT LIKE 'pg\\_%'
UNION ALL SELECT 'SCHEMA', nspname, nspname FROM pg_namespace WHERE nspname NOT LIKE 'pg\\_%' AND nspname <> 'public'
ORDER BY 1 DESC, 2, 3"""


def _advice(failure: DatabaseFailure) -> str:
    if failure.code == "42501":
        return "on a database you name, migrations have the rights of the user you name"
    return ""


KEEPER = PlainKeeper(
    Spec(
        quote,
        _CONTENTS,
        may_not=frozenset({"42501"}),
        there=frozenset({"42P07"}),
        system=frozenset({"pg_catalog", "information_schema", "pg_internal", "pg_automv", "catalog_history"}),
    ),
    _advice,
)
