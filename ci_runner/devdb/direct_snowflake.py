"""A Snowflake database of the user's as dev database; tried on a stand-in only."""

from __future__ import annotations

from ci_runner.databases import DatabaseFailure
from ci_runner.devdb.direct_plain import PlainKeeper, Spec
from ci_runner.devdb.postgres import quote

_CONTENTS = """SELECT 'TABLE' AS kind, table_schema, table_name FROM information_schema.tables WHERE table_type <> 'VIEW'
UNION ALL SELECT 'VIEW', table_schema, table_name FROM information_schema.views
UNION ALL SELECT 'SCHEMA', schema_name, schema_name FROM information_schema.schemata WHERE schema_name <> 'PUBLIC'
ORDER BY 1 DESC, 2, 3"""


def _advice(failure: DatabaseFailure) -> str:
    if "Insufficient privileges" in failure.message:
        return "on a database you name, migrations have the rights of the role you name (?role=)"
    return ""


KEEPER = PlainKeeper(
    Spec(
        quote,
        _CONTENTS,
        may_not=frozenset({"3001", "003001"}),  # insufficient privileges
        there=frozenset({"2002", "002002"}),  # the object exists already
        system=frozenset({"information_schema", "_fs_information_schema", "main"}),
        upper=True,
    ),
    _advice,
)
