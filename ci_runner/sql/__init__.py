"""SQL as Pilotage sees it: statements with exact places and what each does to a schema, for eight dialects.

Everything is imported when first used; asking for this package costs next to nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ci_runner.sql.dialects import DIALECTS, normalize_dialect
    from ci_runner.sql.explaining import effects
    from ci_runner.sql.pipeline import count, header_comments, outline, split, statements

_HOME = {
    "DIALECTS": "dialects", "normalize_dialect": "dialects", "effects": "explaining", "count": "pipeline", "header_comments": "pipeline",
    "outline": "pipeline", "split": "pipeline", "statements": "pipeline",
}  # fmt: skip

__all__ = ["DIALECTS", "count", "effects", "header_comments", "normalize_dialect", "outline", "split", "statements"]


def __getattr__(name: str) -> Any:
    """Imports the module that has ``name`` when it is first asked for."""
    home = _HOME.get(name)
    if home is None:
        raise AttributeError(f"module 'ci_runner.sql' has no attribute {name!r}")
    from importlib import import_module

    found = getattr(import_module(f"ci_runner.sql.{home}"), name)
    globals()[name] = found
    return found
