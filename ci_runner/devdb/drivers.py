"""Says which database driver is missing, before anything is started that only a driver could talk to."""

from __future__ import annotations

from importlib.util import find_spec

# engine: (module, extra that brings it); those that are not here need nothing beside the standard library
DRIVERS = {
    "postgres": ("psycopg", "postgres"),
    "mysql": ("pymysql", "mysql"),
    "sqlserver": ("pytds", "sqlserver"),
    "snowflake": ("snowflake", "snowflake"),
}


def no_driver(engine: str) -> str:
    """What is missing to talk to an engine of that kind, "" when nothing is."""
    module, extra = DRIVERS.get(engine, ("", ""))
    if not module or find_spec(module):
        return ""
    return f"the driver {module} is missing: pip install 'pilotage[{extra}]'"
