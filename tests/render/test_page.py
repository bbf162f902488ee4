"""The page to look at."""

from __future__ import annotations

import base64
import hashlib
import re

from ci_runner import render
from tests.report import examples


def test_the_page_shows_the_comment_and_asks_nothing_of_anybody() -> None:
    page = render.page(render.comment(examples.risky()))
    assert page.startswith("<!doctype html>")
    assert "<h2>❌ Migration check failed: 2 errors, 2 warnings, 1 notice</h2>" in page
    assert page.count("<details>") == 5
    assert "<table>" in page
    assert '<span class="k">CREATE</span>' in page
    assert not re.search(r"<(script|link|img|iframe)|\ssrc=|@import|url\(", page)


def test_a_line_above_says_what_the_page_is() -> None:
    assert "<header><b>pilotage</b> report</header>" in render.page("# x")
    assert "<header><b>pilotage</b> commented</header>" in render.page("# x", said="commented")


def test_its_policy_allows_its_own_style_and_nothing_else() -> None:
    page = render.page("# x")
    style = re.search(r"<style>(.*?)</style>", page, re.DOTALL)
    assert style
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert f"default-src 'none'; style-src 'sha256-{digest}'" in page


def test_hostile_text_runs_nothing_on_the_page() -> None:
    page = render.page(render.comment(examples.hostile(), limit=1_000_000), title="</title><script>")
    assert not re.search(r"<(script|img|iframe|style>.*<style)|<[^>]*\son\w+=", page)


def test_highlighted_source_keeps_every_character() -> None:
    source = "\n\n  SELECT '<a>' & 1; -- x"
    page = render.page(f"```sql\n{source}\n```")
    code = re.search(r'<code class="language-sql">(.*?)</code>', page, re.DOTALL)
    assert code
    plain = (
        re.sub("<[^>]*>", "", code[1])
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&#39;", "'")
        .replace("&amp;", "&")
    )
    assert plain.rstrip("\n") == source
