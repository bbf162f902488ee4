"""Draws docs/images/slack.png: Slack's message as Slack shows it, from the same JSON that is sent. Needs Chromium."""

from __future__ import annotations

import re
import sys
from html import escape
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from msgspec.structs import replace  # noqa: E402

from ci_runner import notify, render  # noqa: E402
from scripts.picture import IMAGES, screenshot  # noqa: E402

STYLE = """
body { margin: 0; padding: 22px 20px; background: #fff; color: #1d1c1d; font: 15px/1.46668 Lato, "Noto Sans", "DejaVu Sans", sans-serif; }
.row { display: flex; gap: 10px; margin-bottom: 22px; }
.face { width: 36px; height: 36px; border-radius: 4px; background: #1f6f8b; color: #fff; font-weight: 900; text-align: center; line-height: 36px; }
.who { font-weight: 900; } .app { font-size: 10px; background: #dddddd; border-radius: 2px; padding: 1px 3px; color: #616061; margin: 0 4px; }
.when { color: #616061; font-size: 12px; }
h3 { font-size: 18px; line-height: 1.33; margin: 4px 0 8px; }
p { margin: 0 0 8px; } .fields { display: grid; grid-template-columns: 1fr 1fr; gap: 8px 16px; margin-bottom: 8px; max-width: 600px; }
code { font: 12px/1.5 "DejaVu Sans Mono", monospace; color: #c01343; background: #f8f8f8;
  border: 1px solid #dddddd; border-radius: 3px; padding: 2px 3px 1px; }
pre { font: 12px/1.5 "DejaVu Sans Mono", monospace; background: #f8f8f8; border: 1px solid #dddddd; border-radius: 4px; padding: 8px;
  margin: 4px 0 8px; white-space: pre-wrap; max-width: 600px; }
.context { color: #616061; font-size: 13px; } .context code { font-size: 11px; } a { color: #1264a3; text-decoration: none; }
"""


def page(messages: list[dict[str, Any]]) -> str:
    """Messages of an incoming webhook as a page."""
    rows = "".join(
        '<div class="row"><div class="face">P</div><div><span class="who">Pilotage</span><span class="app">APP</span>'
        f'<span class="when">9:0{number}</span>{"".join(map(block, message["blocks"]))}</div></div>'
        for number, message in enumerate(messages)
    )
    return f'<!doctype html><meta charset="utf-8"><style>{STYLE}</style>{rows}'


def block(one: dict[str, Any]) -> str:
    """One block of Block Kit as HTML."""
    if one["type"] == "header":
        return f"<h3>{escape(one['text']['text'])}</h3>"
    if one["type"] == "context":
        return f'<div class="context">{"".join(mrkdwn(each["text"]) for each in one["elements"])}</div>'
    if "fields" in one:
        fields = "".join(f"<div>{mrkdwn(each['text'])}</div>" for each in one["fields"])
        return f'<div class="fields">{fields}</div>'
    return f"<p>{mrkdwn(one['text']['text'])}</p>"


def mrkdwn(text: str) -> str:
    """Slack's mark-up as HTML; what Slack wants escaped, HTML wants escaped the same way."""
    parts = re.split(r"```\n?(.*?)\n?```", text, flags=re.DOTALL)
    return "".join(f"<pre>{part}</pre>" if index % 2 else _inline(part) for index, part in enumerate(parts))


def _inline(text: str) -> str:
    text = re.sub(r"<(https?://[^|>]*)\|([^>]*)>", r'<a href="\1">\2</a>', text.strip("\n"))
    text = re.sub(r"`([^`\n]+)`", r"<code>\1</code>", text)
    return re.sub(r"(?<![\w*])\*([^*\n]+)\*(?![\w*])", r"<b>\1</b>", text).replace("\n", "<br>")


def examples() -> list[dict[str, Any]]:
    """A failed deploy and one that went well."""
    run = "https://ci.example/acme/shop/runs/4711"
    told = [
        notify.sample(kind, "2026-01-07T12:03:09Z", "3f2a9c1d5b7e" + "0" * 20)
        for kind in ("deploy.failed", "deploy.succeeded")
    ]
    return [render.slack(replace(each, run_url=run)) for each in told]


if __name__ == "__main__":
    screenshot(page(examples()), IMAGES / "slack.png", 720, 680)
