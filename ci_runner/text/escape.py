r"""Escapes foreign text for each medium it may land in: logs, workflow commands, Markdown, HTML, Slack, XML.

Every function takes any string, also one with control characters, ANSI sequences, bidirectional controls or lone
surrogates, and returns text that says the same and can do nothing. What cannot be shown is spelt out (``\x07``, ``\u202e``).
"""

from __future__ import annotations

import re

from ci_runner.text.pattern import later

# CSI, OSC (ended by BEL or ST, or cut by the end of line) and two-character escape sequences, ECMA-48.
_ANSI = later("\x1b(?:\\[[0-?]*[ -/]*[@-~]|\\][^\x07\x1b\n]*(?:\x07|\x1b\\\\)?|[ -/]*[0-~])")
# C0 but tab and newline, DEL, C1, line separators, bidirectional controls and marks, lone surrogates, tag characters.
_HIDDEN = later(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff\U000e0000-\U000e007f]"
)
# Compiled when first used: it takes 12 ms, and only one format asks for it.
_XML_ILLEGAL = "[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
_COMMAND = later(r"##(?=\[|vso\[|teamcity\[)", re.IGNORECASE)
# Where a line's first characters, white space aside, begin a command of GitHub's runner; in every printed document.
_BEGINNING = later(r"^(?=[^\S\n]*::)", re.MULTILINE)
_ZERO_WIDTH = "\u200b"
_TICKS = later("`+")

_HTML = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"})
# "|" and "$" go as entities: a backslash before "|" means something else inside a table, one before "$" does not stop GitHub's formulas.
_MARKDOWN = str.maketrans(
    {
        **{mark: "\\" + mark for mark in "\\`*_[]~"},
        "&": "&amp;",
        "<": "&lt;",
        ">": "&gt;",
        "|": "&#124;",
        "$": "&#36;",
        "@": "@" + _ZERO_WIDTH,
        "#": "#" + _ZERO_WIDTH,
    }
)
# What platforms turn into links or pictures by themselves: bare addresses, GH-12, GitLab's !12 and %12, :shortcodes:.
_AUTOLINK = later(r"(?i)(://|www(?=\.)|mailto:|xmpp:|GH-(?=\d)|[!%](?=\d)|:(?=[\w+-]+:))")
# What makes a block of the line it begins: list, rule, setext underline, ordered list.
_BLOCK = later(r"^(\s*)([-+=]|\d+(?=[.)]))")


def _spell(match: re.Match[str]) -> str:
    number = ord(match[0])
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def visible(text: str) -> str:
    """Text of any number of lines with nothing hidden in it: line ends become newlines, ANSI sequences go, the rest is spelt out."""
    return _HIDDEN.sub(_spell, _ANSI.sub("", text.replace("\r\n", "\n")))


def azure_safe(text: str) -> str:
    """Breaks what Azure Pipelines, TeamCity and GitHub's old syntax take for a command anywhere in a line (``##vso[``)."""
    return _COMMAND.sub("##" + _ZERO_WIDTH, text)


def inline(text: str) -> str:
    """Foreign text for the middle of a line in a terminal or a CI log; line breaks become blanks."""
    return azure_safe(visible(" ".join(_ANSI.sub("", text).splitlines())))


def line(text: str) -> str:
    """One line for a terminal or a CI log that no CI system takes for a command; line breaks become blanks."""
    one = inline(text)
    return f"  | {one}" if one.lstrip().startswith(("::", "##")) else one


def guard(row: str) -> str:
    """What has to stand before a finished row of a log: a bar where a CI system would take its beginning for a command, else nothing."""
    return "  | " if row.lstrip().startswith("::") else ""


def printable_markdown(document: str) -> str:
    """Markdown that may be printed in any CI system: no line begins with ``::``, code blocks included, and no ``##vso[`` stands anywhere."""
    return azure_safe(_BEGINNING.sub(_ZERO_WIDTH, document))


def printable_markup(document: str) -> str:
    """XML or HTML without CDATA that may be printed as above; to its readers it says the same, for character references stand in."""
    return _COMMAND.sub("&#35;#", re.sub(r"(?m)^([^\S\n]*)::", r"\1&#58;:", document))


def printable_json(document: str) -> str:
    """JSON that may be printed as above; strings keep their values (two hashes stand nowhere else in JSON)."""
    return _COMMAND.sub(r"\\u0023#", document) if "##" in document else document


def foreign_lines(text: str) -> list[str]:
    """Foreign text line by line for a CI log, each behind ``  | ``, so that none begins with a command."""
    return [f"  | {azure_safe(row)}" for row in visible(text).split("\n")]


def github_data(text: str) -> str:
    """The message of a GitHub workflow command; may hold several lines."""
    return visible(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def github_property(text: str) -> str:
    """A property value of a GitHub workflow command."""
    return github_data(text).replace(":", "%3A").replace(",", "%2C")


def html(text: str) -> str:
    """Text for an HTML element or a quoted attribute."""
    return visible(text).translate(_HTML)


def slack(text: str) -> str:
    """Text for Slack's mrkdwn: no ``<!channel>``, ``<@user>`` or link comes from it."""
    return visible(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def slack_code(text: str) -> str:
    """A code span on one line in Slack's mrkdwn; backticks, which cannot be escaped there, become look-alikes."""
    one = " ".join(slack(text).split()).replace("`", "ˋ")
    return f"`{one}`" if one else ""


def slack_fenced(text: str) -> str:
    """A code block in Slack's mrkdwn."""
    body = slack(text).strip("\n").replace("`", "ˋ")
    return f"```\n{body}\n```"


def xml(text: str) -> str:
    """Text that XML 1.0 can carry; illegal characters become U+FFFD. Escaping is the XML writer's."""
    return re.sub(_XML_ILLEGAL, "\ufffd", text)


def markdown(text: str) -> str:
    """One line of plain text in Markdown, also inside a table: no mark-up, link, mention, reference, emoji or HTML comes from it."""
    one = " ".join(visible(text).split())
    escaped = _AUTOLINK.sub(lambda match: _broken(match[0]), one).translate(_MARKDOWN)
    return _BLOCK.sub(r"\1\\\2", escaped) if not escaped[:1].isdigit() else _ordered(escaped)


def _broken(link: str) -> str:
    return f":{_ZERO_WIDTH}//" if link == "://" else link + _ZERO_WIDTH


def _ordered(escaped: str) -> str:
    """``1. x`` begins a list: the point behind the number is escaped, not the digit (a backslash before a digit is shown)."""
    return re.sub(r"^(\d{1,9})([.)])", r"\1\\\2", escaped)


def code(text: str) -> str:
    """A Markdown code span on one line, not for tables; its fence is longer than any run of backticks in it."""
    one = " ".join(visible(text).splitlines()) or " "
    fence = "`" * (max((len(run) for run in _TICKS.findall(one)), default=0) + 1)
    pad = " " if one[0] == "`" or one[-1] == "`" or (one[0] == one[-1] == " " and one.strip()) else ""
    return f"{fence}{pad}{one}{pad}{fence}"


def code_cell(text: str) -> str:
    """A Markdown code span for a table cell; text with a pipe goes into ``<code>``, where an entity can stand for it."""
    return f"<code>{markdown(text)}</code>" if "|" in text else code(text)


def prose(text: str) -> str:
    """Plain text in Markdown, also inside a table, in which ``code`` between single backticks stays code."""
    parts = text.split("`")
    if len(parts) % 2 == 0:
        return markdown(text)
    return "".join(
        (code_cell(part) if part.strip() else "") if index % 2 else _inner(part) for index, part in enumerate(parts)
    )


def _inner(part: str) -> str:
    """Escapes a piece of a line; the blanks at its ends, which separate it from code, stay."""
    body = markdown(part)
    if not body:
        return " " if part else ""
    return (" " if part[0].isspace() else "") + body + (" " if part[-1].isspace() else "")


def fenced(text: str, language: str = "") -> str:
    """A Markdown code block, without a newline at its end; its fence is longer than any run of backticks in it."""
    body = visible(text).strip("\n")
    fence = "`" * max(3, max((len(run) for run in _TICKS.findall(body)), default=0) + 1)
    return f"{fence}{language}\n{body}\n{fence}"
