"""Makes the text people read: the comment, the job summary, notes on lines, the terminal's lines, a page.

Each is imported when first used: a terminal report never pays for a comment.
"""

from typing import TYPE_CHECKING

from ci_runner import lazily

if TYPE_CHECKING:
    from ci_runner.render.blockkit import slack
    from ci_runner.render.commenting import GITHUB_LIMIT, brief, comment, summary
    from ci_runner.render.lines import annotations, note, notes
    from ci_runner.render.paging import page
    from ci_runner.render.terminal import text

__getattr__ = lazily(__name__, {
    "GITHUB_LIMIT": "commenting", "brief": "commenting", "comment": "commenting", "summary": "commenting",
    "annotations": "lines", "note": "lines", "notes": "lines", "page": "paging", "slack": "blockkit", "text": "terminal",
})  # fmt: skip

__all__ = ["GITHUB_LIMIT", "annotations", "brief", "comment", "note", "notes", "page", "slack", "summary", "text"]
