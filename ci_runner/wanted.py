"""Which files a source should read: the SQL, what the formats keep beside it, and marker files around the directory."""

from __future__ import annotations

from collections.abc import Iterator

CHECKS = ".checks"  # behind the name of a migration: queries that must be true before it is deployed
_ANYWHERE = (".sql", ".sql.conf", f".sql{CHECKS}", ".java", ".kt", ".groovy", ".class", "/metadata.toml")
_ROOT = (".go", ".xml", ".yaml", ".yml", ".json", "migration_lock.toml", "atlas.sum")


def wanted(path: str) -> bool:
    """Whether the file at this path below a migration directory is of interest to any format."""
    return path.endswith(_ANYWHERE) or path == "meta/_journal.json" or ("/" not in path and path.endswith(_ROOT))


def markers(depth: int) -> Iterator[str]:
    """Paths of marker files, relative to the directory, up to ``depth`` folders above; one that ends in ``/`` is a folder."""
    yield "../config.toml"
    for level in range(depth + 1):
        yield "../" * level + "Cargo.toml"
        yield "../" * level + ".sqlx/"
