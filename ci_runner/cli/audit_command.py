"""``pilotage audit``: every push and deploy with who, what, when, for those who must answer for it."""

from __future__ import annotations

import json
from typing import Any

import click

from ci_runner.cli.options import among, manifest
from ci_runner.cli.world import World
from ci_runner.errors import UsageError
from ci_runner.text import inline, visible
from ci_runner.text.counting import counted

FORMATS = ("table", "json", "jsonl", "csv")
COLUMNS = (
    "time",
    "kind",
    "dir",
    "env",
    "outcome",
    "from",
    "to",
    "actor",
    "verified",
    "job",
    "commit",
    "files",
    "duration_ms",
    "error",
    "hash",
)


@click.command("audit")
@click.argument("action", metavar="[verify]", required=False)
@click.option("--since", default="30d", show_default=True, metavar="AGE", help="How far back: 12h, 30d, 2026-01-31.")
@click.option(
    "--format",
    "form",
    default="table",
    show_default=True,
    metavar="FORMAT",
    help=f"One of {', '.join(FORMATS)}.",
    shell_complete=among(FORMATS),
)
@click.option("--json", "form", flag_value="json", help="The same as --format json.")
@manifest("log")
@click.pass_obj
def command(world: World, /, action: str | None, since: str, form: str, **flags: object) -> int:
    """Print every push and deploy since a time, oldest first; or, with the word verify, check that the record is what it was.

    Verify recomputes every hash: of the pushes and of the deployments of each environment. Exit code 6 when one does not fit.

    \b
    pilotage audit --since 30d
    pilotage audit --since 2026-01-01 --format csv
    pilotage audit verify
    """
    from ci_runner.cli.setup import ground
    from ci_runner.journeys import auditing, hook_log

    if action not in {None, "verify"}:
        raise UsageError(f"pilotage audit takes nothing, or the word verify, not '{action}'")
    if form not in FORMATS:
        raise UsageError(f"unknown format '{form}' (one of {', '.join(FORMATS)})")
    base = ground(world, flags)
    if action:
        return _verified(world, auditing.verify(base), as_json=form in {"json", "jsonl"})
    found = auditing.audit(base, hook_log.start(since, base.now()))
    if form == "json":
        world.say(json.dumps(found, indent=2))
    elif form == "jsonl":
        for each in found:
            world.say(json.dumps(each, sort_keys=True))
    elif form == "csv":
        world.say(_csv(found), newline=False)
    else:
        table(world, found)
    return 0


def _verified(world: World, found: dict[str, Any], *, as_json: bool) -> int:
    if as_json:
        world.say(json.dumps(found, indent=2))
        return 0 if found["ok"] else 6
    for each in found["chains"]:
        mark = click.style("✗", fg="red") if each["damages"] else click.style("✓", fg="green")
        world.say(f"{mark} {visible(each['what'])}: {counted(each['entries'], 'entry', 'entries')}")
        for damage in each["damages"]:
            world.say(f"    {visible(damage['where'])}: {visible(damage['what'])}")
    return 0 if found["ok"] else 6


def table(world: World, found: list[dict[str, Any]]) -> None:
    """One line for each event."""
    for each in found:
        bad = each.get("outcome") != "ok"
        mark = click.style("✗", fg="red") if bad else click.style("✓", fg="green")
        place = each["dir"] + (f" → {each['env']}" if each["env"] else "")
        led = f"{each.get('from') or '–'} → {each.get('to') or '–'}" if each["env"] else each["to"][:19]
        who = f"{each['actor'].get('name') or '?'}{'' if each['actor'].get('verified') == 'yes' else ' (unverified)'}"
        world.say(
            f"{mark} {each['time']}  {each['kind']:8}  {inline(place)}  {inline(led)}  {inline(who)}{_more(each)}"
        )
    if not found:
        world.say("nothing is recorded for that time")


def _more(each: dict[str, Any]) -> str:
    message = each.get("error", {}).get("message", "") if isinstance(each.get("error"), dict) else ""
    count = len(each.get("files") or ())
    said = [
        counted(count, "file") if count else "",
        "written later" if each.get("back_filled") else "",
        message[:120],
    ]
    return "".join(f"  {inline(word)}" for word in said if word)


def _csv(found: list[dict[str, Any]]) -> str:
    """RFC 4180; a value that a spreadsheet would take for a formula begins with an apostrophe."""
    import csv
    import io

    stream = io.StringIO()
    writer = csv.writer(stream)
    writer.writerow(COLUMNS)
    for each in found:
        row = {
            **each,
            "actor": each["actor"].get("name", ""),
            "verified": each["actor"].get("verified", "no"),
            "job": each["actor"].get("job", ""),
            "commit": each.get("git", {}).get("sha", ""),
            "files": " ".join(str(file.get("name", "")) for file in each.get("files", [])),
            "error": each.get("error", {}).get("message", "") if isinstance(each.get("error"), dict) else "",
        }
        writer.writerow([_cell(row.get(column, "")) for column in COLUMNS])
    return stream.getvalue()


def _cell(value: object) -> str:
    text = inline(str(value))
    return f"'{text}" if text[:1] in set("=+-@\t") and text else text
