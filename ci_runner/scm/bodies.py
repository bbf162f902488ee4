"""What bodies have in common on every SCM: comparing, shortening, and the fence of a suggestion."""

from __future__ import annotations

import re

from msgspec.structs import replace

from ci_runner.model.ci import Comment, Note

_TICKS = re.compile("`+")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
# Bitbucket shows HTML comments to the reader; a link definition that nothing refers to is shown nowhere.
_MARKER = re.compile(r"\A<!-- (pilotage:v1 [^\s()]+(?: [^\s()]+)?) -->\n?")
_HIDDEN = re.compile(r"\A\[//\]: # \((pilotage:v1 [^()\n]+)\)\s*")
_DETAILS = re.compile(r"<details><summary>(.*?)</summary>\Z")


def suggestion(note: Note, info: str) -> str:
    """The note's body with its suggestion in a fence longer than any run of backticks in it; ``info`` is the SCM's word for one."""
    if note.suggestion is None:
        return note.body
    text = note.suggestion.text
    rows = text.removesuffix("\n") + "\n" if text else ""
    fence = "`" * max([3, *(len(run) + 1 for run in _TICKS.findall(text))])
    return f"{note.body}\n\n{fence}{info}\n{rows}{fence}"


def same_text(one: str, other: str) -> bool:
    """Whether two bodies are the same to a reader: hosts change line ends and blanks at the end."""
    return one.replace("\r\n", "\n").strip() == other.replace("\r\n", "\n").strip()


def shorten(text: str, limit: int) -> str:
    """At most ``limit`` characters, with an ellipsis where something was cut."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def plain(body: str) -> str:
    """The body for hosts that show HTML as text: what folds away elsewhere stands under a bold line; code blocks stay as they are."""
    rows: list[str] = []
    fence = ""
    for row in body.split("\n"):
        mark = _FENCE.match(row)
        if mark and not fence:
            fence = mark[1]
        elif mark and mark[1].startswith(fence) and not row.strip(fence[0] + " "):
            fence = ""
        rows.append(row if fence or mark else _without_html(row))
    return "\n".join(rows)


def _without_html(row: str) -> str:
    row = _DETAILS.sub(r"**\1**", row)
    for tag, instead in (("</details>", ""), ("<sub>", ""), ("</sub>", ""), ("<br>", " · "), ("&nbsp;", "\u00a0")):
        row = row.replace(tag, instead)
    return row


def veiled(body: str) -> str:
    """A body as Bitbucket takes it: without HTML, the marker line in the form that is not shown there (two characters longer)."""
    return _MARKER.sub(lambda found: f"[//]: # ({found[1]})\n\n", plain(body))


def unveiled(body: str) -> str:
    """What Bitbucket gives back, with the marker line as it stands on the other hosts."""
    return _HIDDEN.sub(lambda found: f"<!-- {found[1]} -->\n", body)


def fitted(note: Note, stands: Comment) -> Note:
    """The note as it may be said where its comment stands: with its suggestion only on the last line which that replaces."""
    fits = note.suggestion is not None and stands.line == note.suggestion.end_line
    return note if fits else replace(note, suggestion=None)
