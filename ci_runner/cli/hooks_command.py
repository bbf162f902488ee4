"""``pilotage hooks …``: who is told of what, and what became of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from ci_runner.cli.options import Subcommands, manifest
from ci_runner.cli.world import World
from ci_runner.config.hooks import KINDS
from ci_runner.errors import UsageError
from ci_runner.text import visible

if TYPE_CHECKING:
    from ci_runner.model.events import Delivery

_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_SINCE = click.option(
    "--since", default="3d", show_default=True, metavar="AGE", help="How far back: 90m, 12h, 3d, 2026-01-31."
)


@click.group("hooks", cls=Subcommands)
def command() -> None:
    """Say who is told of which events, try a hook out, look at what was sent, send it again.

    \b
    pilotage hooks add team --kind slack --url-env TEAM_SLACK_URL --event "deploy.*"
    pilotage hooks test team
    pilotage hooks deliveries --failed
    """


@command.command("add")
@click.argument("name")
@click.option(
    "--kind",
    type=click.Choice(KINDS),
    default="generic",
    show_default=True,
    metavar="KIND",
    help=f"One of {', '.join(KINDS)}.",
)
@click.option("--url-env", metavar="NAME", help="Variable that holds the hook's address.")
@click.option("--url-file", metavar="FILE", help="File that holds the hook's address.")
@click.option("--secret-env", metavar="NAME", help="Variable that holds the signing secret of a generic hook.")
@click.option(
    "--event", "events", multiple=True, metavar="TYPE", help="Event or pattern such as deploy.*; may be given often."
)
@click.option("--for-dir", "dirs", multiple=True, metavar="NAME", help="Only for this directory; may be given often.")
@click.option("--for-env", "envs", multiple=True, metavar="NAME", help="Only for this environment; may be given often.")
@click.pass_obj
def add(world: World, /, name: str, **wanted: object) -> None:
    """Append the hook NAME to pilotage.yml. Its address is a secret and stays in a variable or a file.

    \b
    pilotage hooks add audit --url-env AUDIT_URL --secret-env AUDIT_SECRET --event push.succeeded
    """
    from ci_runner.cli.setup import find, repository
    from ci_runner.config.names import CONFIG_FILE
    from ci_runner.journeys import hook_file

    root, _ = repository(world)
    path = find(world, root) or world.cwd / CONFIG_FILE
    block = hook_file.add(path, name, wanted)
    world.say(f"added to {path.name}:\n{visible(block)}", newline=False)


@command.command("list")
@_JSON
@manifest("log")
@click.pass_obj
def list_(world: World, /, as_json: bool, **flags: object) -> None:
    """List the hooks, what they are told of, and how their last message ended."""
    from ci_runner.cli.setup import ground
    from ci_runner.journeys import hook_log

    found = hook_log.listed(ground(world, flags))
    if as_json:
        world.say(json.dumps(found, indent=2))
        return
    for each in found:
        mark = {"ready": click.style("✓", fg="green")}.get(each["state"], click.style("✗", fg="red"))
        limits = "".join(f", {key} {', '.join(each[key])}" for key in ("dirs", "envs") if each[key])
        world.say(f"{mark} {each['name']} ({each['kind']}): {', '.join(each['events'])}{limits}")
        if each["state"] != "ready":
            world.say(f"    {visible(each['state'])}")
        last = each["last"]
        world.say(
            f"    last: {last['time']} {last['type']} {last['state']} {last['status'] or ''}" if last else "    last: –"
        )
    if not found:
        world.say("no hooks: pilotage hooks add NAME --kind slack --url-env VARIABLE")


@command.command("test")
@click.argument("name")
@click.option(
    "--event", "event_type", default="hook.test", show_default=True, metavar="TYPE", help="Send a sample of this event."
)
@click.option("--dry-run", is_flag=True, help="Print the message and send nothing.")
@manifest("log")
@click.pass_obj
def test(world: World, /, name: str, event_type: str, dry_run: bool, **flags: object) -> int:
    """Send a test message to the hook NAME, once, and say what came back. Exit code 1 when it was not taken."""
    from ci_runner.cli.setup import ground
    from ci_runner.journeys import hook_log

    base = ground(world, flags)
    message = hook_log.sample(base, name, event_type)
    if dry_run:
        world.say(json.dumps(json.loads(message.body), indent=2, ensure_ascii=False))
        return 0
    return _sent(world, hook_log.send(base, [message]))


@command.command("deliveries")
@click.argument("name", required=False)
@click.option("--failed", is_flag=True, help="Only messages whose last attempt failed.")
@_SINCE
@_JSON
@manifest("log")
@click.pass_obj
def deliveries(world: World, /, name: str | None, failed: bool, since: str, as_json: bool, **flags: object) -> None:
    """List the attempts to hand messages to hooks, newest first."""
    from ci_runner.cli.setup import ground
    from ci_runner.journeys import hook_log

    base = ground(world, flags)
    found = hook_log.history(base, name, hook_log.start(since, base.now()), failed=failed)
    if as_json:
        world.say(json.dumps([hook_log.document(each, body=False) for each in found], indent=2))
        return
    for each in found:
        world.say(_line(each))
    if not found:
        world.say(f"nothing{' failed' if failed else ' was sent'} since {since}")


@command.command("show")
@click.argument("identity", metavar="ID")
@_JSON
@manifest("log")
@click.pass_obj
def show(world: World, /, identity: str, as_json: bool, **flags: object) -> None:
    """Show a message and every attempt to send it. The beginning of ID is enough."""
    from ci_runner.cli.setup import ground
    from ci_runner.journeys import hook_log

    found = hook_log.one(ground(world, flags), identity)
    if as_json:
        world.say(json.dumps([hook_log.document(each, body=True) for each in found], indent=2))
        return
    for each in found:
        world.say(_line(each))
        if each.answer:
            world.say(f"    answer: {visible(' '.join(each.answer.split()))}")
    world.say(f"body ({found[-1].body_hash[:12]}):\n{visible(found[-1].body)}")


@command.command("redeliver")
@click.argument("identity", metavar="ID", required=False)
@click.option("--failed", is_flag=True, help="Every message whose last attempt failed.")
@_SINCE
@manifest("log")
@click.pass_obj
def redeliver(world: World, /, identity: str | None, failed: bool, since: str, **flags: object) -> int:
    """Send a message again: the same bytes under the same id, signed anew. Exit code 1 when it was not taken.

    \b
    pilotage hooks redeliver msg_3f2a9c
    pilotage hooks redeliver --failed --since 3d
    """
    from ci_runner.cli.setup import ground
    from ci_runner.journeys import hook_log

    if bool(identity) == failed:
        raise UsageError("give the ID of a message, or --failed for all that failed")
    base = ground(world, flags)
    messages = hook_log.to_redeliver(base, identity, hook_log.start(since, base.now()))
    if not messages:
        world.say("nothing to send again")
        return 0
    return _sent(world, hook_log.send(base, messages))


@command.command("secret")
@click.pass_obj
def secret(world: World, /) -> None:
    """Make a signing secret for a generic hook; sender and receiver keep it where secrets are kept."""
    import os

    from ci_runner.notify import new_secret

    world.say(new_secret(os.urandom(32)))


def _sent(world: World, sent: tuple[list[Delivery], list[str]]) -> int:
    done, faults = sent
    for each in done:
        world.say(_line(each))
        if each.answer:
            world.say(f"    answer: {visible(' '.join(each.answer.split()))}")
    for fault in faults:
        world.warn(fault)
    return int(any(each.state != "delivered" for each in done))


def _line(each: Delivery) -> str:
    mark = click.style("✓", fg="green") if each.state == "delivered" else click.style("✗", fg="red")
    where = "".join(f" {part}" for part in (each.dir, each.env) if part)
    said = f"HTTP {each.status}" if each.status else "no answer"
    return (
        f"{mark} {each.time}  {each.id}  {each.hook}  {each.type}{visible(where)}  "
        f"attempt {each.attempt}: {each.state}, {said}, {each.milliseconds} ms"
    )
