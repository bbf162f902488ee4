"""SQL as Pilotage sees it: statements with exact places and what each does to a schema, for eight dialects.

Everything is imported when first used; asking for this package costs next to nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ci_runner import lazily

if TYPE_CHECKING:
    from ci_runner.sql.dialects import DIALECTS, normalize_dialect
    from ci_runner.sql.explaining import effects
    from ci_runner.sql.pipeline import count, header_comments, outline, split, statements

__getattr__ = lazily(__name__, {
    "DIALECTS": "dialects", "normalize_dialect": "dialects", "effects": "explaining", "count": "pipeline", "header_comments": "pipeline",
    "outline": "pipeline", "split": "pipeline", "statements": "pipeline",
})  # fmt: skip

__all__ = ["DIALECTS", "count", "effects", "header_comments", "normalize_dialect", "outline", "split", "statements"]
