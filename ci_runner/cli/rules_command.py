"""``pilotage rules``: lists the catalogue, or explains one rule."""

from __future__ import annotations

import json

import click

from ci_runner.cli.world import World

_COLOURS = {"error": "red", "warning": "yellow", "notice": "cyan", "off": "white"}


def _complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:  # noqa: ARG001  # click's signature
    from ci_runner import lint

    return [rule.slug for rule in lint.catalogue() if rule.slug.startswith(incomplete)]


@click.command("rules")
@click.argument("rule", required=False, shell_complete=_complete)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--dialect", help="Only the rules that concern this dialect.")
@click.pass_obj
def command(world: World, rule: str | None, as_json: bool, dialect: str | None) -> None:
    """List the rules, or explain RULE: what it finds, why that hurts, what to do instead.

    RULE may be one of Pilotage's names, an Atlas code (DS102) or a squawk rule name.
    """
    from ci_runner import lint
    from ci_runner.sql import normalize_dialect

    if rule:
        found = [lint.describe(one) for one in lint.explain(rule)]
        if as_json:
            world.say(json.dumps(found, indent=2, ensure_ascii=False))
            return
        for one in found:
            _print(world, one)
        return
    wanted = normalize_dialect(dialect) if dialect else None
    rules = [one for one in lint.catalogue() if wanted is None or wanted in one.databases]
    if as_json:
        world.say(json.dumps([lint.describe(one) for one in rules], indent=2, ensure_ascii=False))
        return
    width = max(len(one.slug) for one in rules)
    for one in rules:
        severity = click.style(f"{one.severity:8}", fg=_COLOURS[one.severity])
        world.say(f"{one.slug:{width}}  {severity}  {one.title}")
    world.note(f"{len(rules)} rules; pilotage rules NAME explains one")


def _print(world: World, one: dict[str, object]) -> None:
    world.say(
        f"{click.style(str(one['rule']), bold=True)}  {click.style(str(one['severity']), fg=_COLOURS[str(one['severity'])])}"
    )
    for key in ("title", "why", "remedy"):
        world.say(f"\n{click.style({'title': 'What', 'why': 'Why', 'remedy': 'Do instead'}[key], bold=True)}")
        world.say(click.wrap_text(str(one[key]), min(world.width, 100), "  ", "  "))
    for key in ("databases", "aliases"):
        if value := one[key]:
            world.say(
                f"\n{click.style(key.title(), bold=True)}  {', '.join(map(str, value)) if isinstance(value, list) else value}"
            )
    for example in one["examples"] if isinstance(one["examples"], list) else []:
        colour = {"bad": "red", "good": "green"}[example["kind"]]
        world.say(f"\n{click.style(example['kind'].title(), fg=colour)} ({example['dialect']})")
        for line in example["sql"].splitlines():
            world.say(f"  {line}")
