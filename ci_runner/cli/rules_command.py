"""``pilotage rules``: lists the catalogue, or explains one rule."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from ci_runner.cli.options import choice
from ci_runner.cli.world import World
from ci_runner.text.counting import counted

if TYPE_CHECKING:
    from ci_runner.lint import Rule

_COLOURS = {"error": "red", "warning": "yellow", "notice": "cyan", "off": "white"}


def _complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:  # noqa: ARG001  # click's signature
    from ci_runner import lint

    return [rule.slug for rule in lint.catalogue() if rule.slug.startswith(incomplete)]


@click.command("rules")
@click.argument("rule", required=False, shell_complete=_complete)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@choice("dialect", "Only the rules that concern this dialect")
@click.pass_obj
def command(world: World, /, rule: str | None, as_json: bool, dialect: str | None) -> None:
    """List the rules, or explain RULE: what it finds, why that hurts, what to do instead.

    RULE may be one of Pilotage's names, an Atlas code (DS102) or a squawk rule name; those may stand for several rules.
    """
    from ci_runner import lint
    from ci_runner.sql import normalize_dialect

    if rule:
        found = [_described(one) for one in lint.explain(rule)]
        if as_json:
            world.say(json.dumps(found if len(found) > 1 else found[0], indent=2, ensure_ascii=False))
        else:
            _print(world, found)
        return
    rules = lint.catalogue(normalize_dialect(dialect) if dialect else "")
    if as_json:
        world.say(json.dumps([_described(one) for one in rules], indent=2, ensure_ascii=False))
        return
    width = max(len(one.slug) for one in rules)
    for one in rules:
        level = one.severity if one.default else "off"
        title = lint.document(one.docstring).title
        world.say(f"{one.slug:{width}}  {click.style(f'{level:8}', fg=_COLOURS[level])}  {title}")
    world.note(f"{counted(len(rules), 'rule')}; pilotage rules NAME explains one")


def _described(rule: Rule) -> dict[str, Any]:
    """A rule and its documentation as JSON values."""
    from ci_runner import lint

    page = lint.document(rule.docstring)
    examples = [
        {"kind": "good" if e.good else "bad", "dialect": e.dialect, "before": e.before, "sql": e.sql, "given": e.traits}
        for e in page.examples
    ]
    return {
        "rule": rule.slug,
        "severity": rule.severity,
        "default": rule.default,
        "title": page.title,
        "why": page.why,
        "remedy": page.remedy,
        "databases": list(rule.databases),
        "aliases": list(rule.aliases),
        "examples": examples,
    }


def _print(world: World, rules: list[dict[str, Any]]) -> None:
    """Each rule as a page of its own, a line between two."""
    for number, one in enumerate(rules):
        if number:
            world.say(f"\n{'─' * min(world.width, 100)}\n")
        _page(world, one)


def _page(world: World, one: dict[str, Any]) -> None:
    severity = click.style(one["severity"], fg=_COLOURS[one["severity"]])
    world.say(f"{click.style(one['rule'], bold=True)}  {severity}{'' if one['default'] else ', off unless asked for'}")
    for key, heading in (("title", "What"), ("why", "Why"), ("remedy", "Do instead")):
        world.say(f"\n{click.style(heading, bold=True)}")
        world.say(click.wrap_text(one[key], min(world.width, 100), "  ", "  ", preserve_paragraphs=True))
    for key in ("databases", "aliases"):
        if one[key]:
            world.say(f"\n{click.style(key.title(), bold=True)}  {', '.join(one[key])}")
    for example in one["examples"]:
        colour = {"bad": "red", "good": "green"}[example["kind"]]
        world.say(
            f"\n{click.style(example['kind'].title(), fg=colour)} ({', '.join([example['dialect'], *example['given']])})"
        )
        for row in example["sql"].splitlines():
            world.say(f"  {row}")
