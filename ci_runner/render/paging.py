"""The comment as a page of its own, to look at in a browser: no scripts, no requests, light and dark."""

from __future__ import annotations

import hashlib
from binascii import b2a_base64

from ci_runner import text
from ci_runner.render.environment import folder

LANGUAGES = {"sql", "diff"}


def page(markdown: str, *, title: str = "Pilotage", said: str = "report") -> str:
    """A standalone HTML page that shows the Markdown the way GitHub does, below a line that says what it is (``said``).

    The Markdown must come from this package: its HTML is kept.
    """
    from markdown_it import MarkdownIt

    reader = MarkdownIt("commonmark", {"html": True, "highlight": _highlight}).enable(["table", "strikethrough"])
    style = "".join((folder() / name).read_text(encoding="utf-8") for name in ("page.css", "diagram.css"))
    digest = b2a_base64(hashlib.sha256(style.encode()).digest(), newline=False).decode()
    frame = (folder() / "page.html").read_text(encoding="utf-8")
    head, body, tail = frame.partition("@BODY@")
    for mark, value in (
        ("@HASH@", digest),
        ("@TITLE@", text.html(title)),
        ("@SAID@", text.html(said)),
        ("@STYLE@", style),
    ):
        head = head.replace(mark, value)
    return head + (reader.render(markdown) if body else "") + tail


def _highlight(source: str, language: str, _: str) -> str:
    """Source as HTML with classes for colours; "" leaves the escaping to the Markdown reader."""
    if language not in LANGUAGES:
        return ""
    from pygments import highlight
    from pygments.formatters.html import HtmlFormatter
    from pygments.lexers import get_lexer_by_name

    lexer = get_lexer_by_name(language, stripnl=False, ensurenl=False)
    made: str = highlight(source, lexer, HtmlFormatter(nowrap=True))
    return made
