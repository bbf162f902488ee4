"""Names as SQL writes them: bare where that means the same, else in the dialect's quotes."""

from __future__ import annotations

from ci_runner.model.operations import Name
from ci_runner.model.words import RESERVED
from ci_runner.text.pattern import later

_OPEN = {"mysql": "`", "mariadb": "`", "clickhouse": "`", "sqlserver": "["}
_CLOSE = {"[": "]"}
_BARE = {"snowflake": later(r"[A-Z_][A-Z0-9_$]*"), "postgres": later(r"[a-z_][a-z0-9_$]*")}
_KEEPING = later(r"[A-Za-z_][A-Za-z0-9_]*")


def quoted(name: str, dialect: str) -> str:
    """One name."""
    bare = _BARE.get("postgres" if dialect == "redshift" else dialect, _KEEPING)
    if bare.fullmatch(name) and name.lower() not in RESERVED:
        return name
    mark = _OPEN.get(dialect, '"')
    end = _CLOSE.get(mark, mark)
    return f"{mark}{name.replace(end, end * 2)}{end}"


def qualified(name: Name, dialect: str) -> str:
    """A name with its schema, where it has one."""
    own = quoted(name.name, dialect)
    return f"{quoted(name.schema, dialect)}.{own}" if name.schema else own
