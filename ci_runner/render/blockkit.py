"""Slack's message about an event: text from the template ``slack.j2``, put into Block Kit, within Slack's limits."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ci_runner import text
from ci_runner.errors import ConfigError
from ci_runner.model.events import Event
from ci_runner.render.environment import clip, environment, filled, safe

if TYPE_CHECKING:
    from jinja2.sandbox import SandboxedEnvironment
    from markupsafe import Markup

TEMPLATE = "slack.j2"
# Separates the template's parts: no text from data holds it, because every control character is spelt out.
MARK = "\x1e"
PARTS = ("headline", "summary", "fields", "error", "files", "footer")
# https://docs.slack.dev/reference/block-kit/blocks; all text together stays below what Slack was seen to refuse (about 13,000).
HEADLINE, SECTION, FIELD, FIELDS, WHOLE = 150, 3_000, 2_000, 10, 8_000
_ICONS = {
    "succeeded": "✅", "passed": "✅", "failed": "❌", "rejected": "❌", "in_doubt": "🟠", "degraded": "⚠️",
    "waiting_approval": "⏸️", "started": "🚀", "detected": "⚠️", "integrity_failed": "🚨", "backup_behind": "⚠️", "test": "🔔",
}  # fmt: skip
_WORDS = {
    "lint.passed": "Lint passed", "lint.failed": "Lint failed",
    "push.succeeded": "New version", "push.degraded": "Only a backup took the push", "push.rejected": "Push rejected",
    "deploy.started": "Deploy started", "deploy.succeeded": "Deployed", "deploy.failed": "Deploy failed",
    "deploy.in_doubt": "Deploy in doubt: a person must decide", "deploy.waiting_approval": "Deploy waits for approval",
    "drift.detected": "Schema drifted", "registry.integrity_failed": "Registry is damaged",
    "registry.backup_behind": "A backup is behind", "hook.test": "Test message",
}  # fmt: skip


def slack(event: Event, templates: Path | None = None) -> dict[str, Any]:
    """The JSON of an incoming webhook's message; ConfigError for a template of the user's that is wrong."""
    parts = _parts(event, templates)
    headline = _unescaped(" ".join(parts["headline"].split()))[:HEADLINE] or event.type
    room = WHOLE - len(headline)
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": headline, "emoji": False}}
    ]
    for name in PARTS[1:]:
        block, used = _block(name, parts[name], room)
        room -= used
        if block:
            blocks.append(block)
    return {"text": text.slack(headline), "blocks": blocks}


def _block(name: str, content: str, room: int) -> tuple[dict[str, Any] | None, int]:
    """The block of one part and the characters it takes; None for a part without text or without room."""
    if not content or room < 40:
        return None, 0
    if name == "fields":
        lines = [
            _cut(line.replace("\\n", "\n"), min(FIELD, room // FIELDS)) for line in content.splitlines() if line.strip()
        ]
        return {"type": "section", "fields": [_mrkdwn(line) for line in lines[:FIELDS]]}, sum(map(len, lines[:FIELDS]))
    content = _cut(content, min(SECTION, room))
    if name == "footer":
        return {"type": "context", "elements": [_mrkdwn(content)]}, len(content)
    return {"type": "section", "text": _mrkdwn(content)}, len(content)


def _mrkdwn(content: str) -> dict[str, Any]:
    # verbatim: Slack looks for no names, channels or addresses in it
    return {"type": "mrkdwn", "text": content, "verbatim": True}


def _cut(content: str, limit: int) -> str:
    """At most ``limit`` characters, cut at a line where there is one, with no half entity or open code block at the end."""
    if len(content) <= limit:
        return content
    short = content[: limit - 6]
    short = short[: short.rindex("\n")] if "\n" in short[limit // 2 :] else re.sub(r"&[a-z]{0,3}$", "", short)
    return f"{short}\n```" if short.count("```") % 2 else f"{short} …"


def _parts(event: Event, override: Path | None) -> dict[str, str]:
    values = {
        "event": event,
        "icon": _ICONS.get(event.type.partition(".")[2], ""),
        "words": _WORDS.get(event.type, event.type),
        "part": safe(MARK),
    }
    found = [part.strip() for part in filled(_environment(override), TEMPLATE, values, override).split(MARK)]
    if len(found) != len(PARTS):
        raise ConfigError(
            f"template {TEMPLATE} in {override} does not have the {len(PARTS)} parts of the original: begin it with "
            f'{{% extends "pilotage/{TEMPLATE}" %}} and override blocks'
        )
    return dict(zip(PARTS, found, strict=True))


@cache
def _environment(override: Path | None) -> SandboxedEnvironment:
    """The one environment, escaping for Slack instead of Markdown."""
    made = environment(override).overlay(finalize=_final)
    plain = {name: made.filters[name] for name in made.filters if name not in {"quote", "cell", "html", "address"}}
    made.filters = plain | {"code": _code, "fence": _fence, "join": _join, "link": _link}
    return made


def _final(value: object) -> Markup:
    return value if hasattr(value, "__html__") else safe(text.slack(_plain(value)))  # type: ignore[return-value]


def _plain(value: object) -> str:
    return "" if value is None else str(value)


def _code(value: object) -> Markup:
    return safe(text.slack_code(_plain(value)) if _plain(value).strip() else "")


def _fence(value: object, characters: int = 1500) -> Markup:
    return safe(text.slack_fenced(clip(_plain(value), 20, characters)))


def _join(values: Iterable[object], separator: str = ", ") -> Markup:
    return safe(text.slack(separator).join(str(_final(value)) for value in values))


def _link(address: object, label: str) -> Markup:
    """A link to an address the CI system gave; only the label where it is none."""
    good = re.fullmatch(r"https?://[A-Za-z0-9.:\[\]-]+(/[!#-;=?-{}~]*)?", _plain(address))
    return safe(f"<{_plain(address).replace('&', '&amp;')}|{text.slack(label)}>" if good else text.slack(label))


def _unescaped(content: str) -> str:
    """Plain text has no mark-up: what was escaped for mrkdwn is itself again."""
    return content.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
