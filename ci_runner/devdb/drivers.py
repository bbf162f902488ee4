"""Says which database driver is missing, before anything is started that only a driver could talk to."""

from __future__ import annotations

from importlib.util import find_spec


def no_driver(engine: str) -> str:
    """What is missing to talk to an engine of that kind, "" when nothing is."""
    module, extra = ("pymysql", "mysql") if engine == "mysql" else ("psycopg", "postgres")
    return "" if find_spec(module) else f"the driver {module} is missing: pip install 'pilotage[{extra}]'"
