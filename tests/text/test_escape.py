"""Foreign text says what it says in every medium, and does nothing."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from xml.etree import ElementTree

import cmarkgfm
import pytest
from cmarkgfm.cmark import Options
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ci_runner import text

PIECES = (
    *"`*_{}[]<>()#+-.!|~@:/\\$&%^=\"'\n\r\t 1aA0",
    *(
        "::error::",
        "##vso[",
        "##[",
        "http://e.example",
        "www.e.example",
        "me@e.example",
        "@user",
        "#12",
        "o/r#1",
        "GH-1",
        "!1",
    ),
    *(
        "![i](u)",
        "[l](u)",
        "<img src=x>",
        "</details>",
        "<!-- c -->",
        "```",
        "~~~",
        "- [ ] ",
        ":smile:",
        "1. ",
        "> ",
        "| a |",
        "|---|",
    ),
    *(
        "\x1b[31m",
        "\x1b]8;;u\x07",
        "\x00",
        "\x7f",
        "\x9b",
        "\u2028",
        "\u202e",
        "\u2066",
        "\ud800",
        "\U000e0041",
        "é",
        "𝄞",
        "##teamcity[x]",
    ),
)
FOREIGN = st.lists(st.sampled_from(PIECES), max_size=14).map("".join) | st.text(max_size=40)
SETTINGS = settings(deadline=None, max_examples=300)
HIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff\U000e0000-\U000e007f]")
# What only text from data could have made, once the frame around it holds none of it.
MARK_UP = re.compile(r"<(?!/?(?:p|h3|li|ul|td|th|tr|tbody|thead|table|code|pre)\b)[^>]*>")


def gfm(markdown: str) -> str:
    """HTML of GitHub-flavoured Markdown with all its extensions and raw HTML let through."""
    html: str = cmarkgfm.github_flavored_markdown_to_html(markdown, Options.CMARK_OPT_UNSAFE)  # type: ignore[no-untyped-call]
    return html


def shown(html: str) -> str:
    """What a reader sees: no tags, no entities, no marks that only break links."""
    import html as library

    return library.unescape(re.sub("<[^>]*>", "", html)).replace("\u200b", "")


def quiet(foreign: str) -> str:
    """The text as it ought to be seen on one line."""
    return " ".join(text.visible(foreign).split()).replace("\u200b", "")


@SETTINGS
@given(FOREIGN)
def test_nothing_hidden_is_left_in_visible_text(foreign: str) -> None:
    assert not HIDDEN.search(text.visible(foreign))
    text.visible(foreign).encode("utf-8")


@SETTINGS
@given(FOREIGN)
@example("::set-output name=a::b")
@example("  \t::error::x")
@example("x ##vso[task.setvariable]y")
@example("##[command]rm")
@example("a\r\n::error::b")
def test_no_line_of_a_log_is_a_command_to_any_ci_system(foreign: str) -> None:
    for row in ("a " + text.inline(foreign), text.line(foreign), *text.foreign_lines(foreign)):
        assert "\n" not in row
        assert not HIDDEN.search(row)
        assert not row.lstrip().startswith("::")  # the runner's current syntax: a line's first characters
        assert not re.search(
            r"##(\[|vso\[|teamcity\[)", row, re.IGNORECASE
        )  # Azure, TeamCity, GitHub's old syntax: anywhere


@SETTINGS
@given(FOREIGN, FOREIGN)
def test_a_workflow_command_keeps_its_message_and_properties_apart(value: str, message: str) -> None:
    command = f"::error title={text.github_property(value)}::{text.github_data(message)}"
    assert len(command.splitlines()) == 1
    head, _, data = command.removeprefix("::error title=").partition("::")
    assert "," not in head
    assert ":" not in head
    back = {"%0A": "\n", "%0D": "\r", "%3A": ":", "%2C": ",", "%25": "%"}
    assert re.sub("%(0A|0D|3A|2C|25)", lambda match: back[match[0]], head) == text.visible(value)
    assert re.sub("%(0A|0D|25)", lambda match: back[match[0]], data) == text.visible(message)


@SETTINGS
@given(FOREIGN)
@example("https://e.example")
@example("www.e.example")
@example("me@e.example")
@example("![i](https://e.example/i.png)")
@example("<script>alert(1)</script>")
@example("1) one")
@example("+ x")
@example("===")
@example("a | b\\| c")
def test_markdown_text_is_only_text(foreign: str) -> None:
    for frame in ("{}", "### {}", "- {}", "word {} word"):
        html = gfm(frame.format(text.markdown(foreign)))
        assert not MARK_UP.search(html.replace("<li>", "<p>")), html
        assert shown(html).strip().removeprefix("word").removesuffix("word").strip() == quiet(foreign).strip()


@SETTINGS
@given(FOREIGN)
def test_mentions_and_references_are_broken(foreign: str) -> None:
    made = text.markdown(foreign)
    assert not re.search(r"@\w", made)
    assert not re.search(r"#\d", made.replace("&#", ""))
    assert not re.search(r"(?i)\bGH-\d", made)
    assert not re.search(r":[\w+-]+:", made)


@SETTINGS
@given(FOREIGN)
@example("a|b")
@example("a\\|b|")
@example("_www.e.example")
@example("`|`")
def test_a_table_row_keeps_its_cells_whatever_they_hold(foreign: str) -> None:
    for cell in (text.markdown(foreign), text.code_cell(foreign), text.prose(foreign)):
        html = gfm(f"| a | b |\n|---|---|\n| {cell} | end |\n")
        assert html.count("<td>") == 2, html
        assert "<td>end</td>" in html
        assert "<a " not in html
        assert "<img" not in html


@SETTINGS
@given(FOREIGN)
@example("`")
@example("``a`")
@example(" a ")
@example("")
def test_a_code_span_shows_its_text_and_nothing_else(foreign: str) -> None:
    html = gfm(f"x {text.code(foreign)} y")
    assert html.count("<code>") == 1
    assert not MARK_UP.search(html)
    assert shown(html).split() == f"x {text.visible(foreign)} y".replace("\u200b", "").split()


@SETTINGS
@given(FOREIGN)
@example("```\n</details>")
@example("~~~\n````")
def test_a_fenced_block_holds_all_of_its_text(foreign: str) -> None:
    html = gfm(f"before\n\n{text.fenced(foreign, 'sql')}\n\nafter\n")
    assert html.count("<pre") == 1
    assert html.rstrip().endswith("<p>after</p>")
    assert not MARK_UP.search(html.replace('<pre lang="sql">', "<pre>"))


@SETTINGS
@given(FOREIGN)
def test_prose_keeps_code_and_makes_nothing_else(foreign: str) -> None:
    assert not MARK_UP.search(gfm(f"- {text.prose(foreign)}").replace("<li>", "<p>"))


def test_prose_keeps_what_stands_between_single_backticks_as_code() -> None:
    assert gfm(text.prose("use `a_b` and _c_")) == "<p>use <code>a_b</code> and _c_</p>\n"


@SETTINGS
@given(FOREIGN)
def test_html_text_and_attributes_hold(foreign: str) -> None:
    made = text.html(foreign)
    assert not set("<>\"'") & set(made)
    assert ElementTree.fromstring(f'<a b="{made}">{made}</a>').tag == "a"


@SETTINGS
@given(FOREIGN)
def test_slack_sees_no_mention_or_link(foreign: str) -> None:
    made = text.slack(f"<!channel> <@U1> {foreign}")
    assert "<" not in made
    assert ">" not in made


@SETTINGS
@given(FOREIGN)
def test_xml_can_carry_it(foreign: str) -> None:
    element = ElementTree.Element("a")
    element.text = text.xml(foreign)
    assert ElementTree.fromstring(ElementTree.tostring(element)).text == (
        element.text.replace("\r\n", "\n").replace("\r", "\n") or None
    )  # as XML reads line ends


@pytest.mark.parametrize(
    "make", [text.visible, text.markdown, text.code, text.fenced, text.line, text.html, text.prose, text.github_data]
)
def test_a_megabyte_of_anything_takes_linear_time(make: Callable[[str], str]) -> None:
    started = time.process_time()
    for piece in ("`", "\x1b[", "\x1b]", "*_", "##[", "a\n", ":a", "<"):
        assert isinstance(make(piece * (1_000_000 // len(piece))), str)
        assert time.process_time() - started < 20, piece  # one of quadratic time takes hours


@SETTINGS
@given(FOREIGN)
def test_code_in_slack_is_one_span_or_block_that_nothing_in_it_ends(value: str) -> None:
    span, block = text.slack_code(value), text.slack_fenced(value)
    assert span == "" or (span[0] == span[-1] == "`" and "`" not in span[1:-1] and "\n" not in span)
    assert block.startswith("```\n")
    assert block.endswith("\n```")
    assert "`" not in block[3:-3]
    assert not {"<", ">"} & set(span + block)
