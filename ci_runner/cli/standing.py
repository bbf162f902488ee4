"""Prints where databases stand, without click: that takes a tenth of what there is to do."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ci_runner.text import visible

if TYPE_CHECKING:
    from ci_runner.cli.world import World
    from ci_runner.model.deploy import Standing


def show(world: World, name: str | None, given: dict[str, Any], *, as_json: bool) -> int:
    """Print the standing of each database that the flags mean; 0, 3 when something needs a decision, 4 when a statement is in doubt."""
    from ci_runner.cli.deploying import standings

    found = standings(world, name, given)
    if as_json:
        shown = [({"name": database} if database else {}) | document(each) for database, each in found]
        world.say(json.dumps(shown[0] if len(shown) == 1 else shown, indent=2, ensure_ascii=False))
    else:
        for _, each in found:
            tell(world, each)
    return max(4 if each.in_doubt else 0 if each.settled else 3 for _, each in found)


def yellow(text: str) -> str:
    """The text as a terminal shows it in yellow."""
    return f"\x1b[33m{text}\x1b[0m"


def document(found: Standing) -> dict[str, Any]:
    """The JSON of a standing."""
    origin = found.origin
    return {
        "dir": found.dir,
        "database": found.facts.name,
        "engine": found.facts.engine,
        "version": found.current,
        "applied": found.applied,
        "pending": list(found.pending),
        "partial": [
            {"version": v, "done": done, "total": total, "error": why} for v, done, total, why in found.partial
        ],
        "in_doubt": list(found.in_doubt),
        "out_of_order": list(found.out_of_order),
        "edited": list(found.edited),
        "missing": list(found.missing),
        "drift": list(found.drift),
        "adopted_from": found.adopted_from or None,
        "foreign_table": found.foreign or None,
        "last_deploy": found.last_at or None,
        "source": {
            "kind": origin.kind,
            "address": origin.address,
            "digest": origin.digest or None,
            "seq": origin.seq or None,
        },
        "warnings": list(found.warnings),
    }


def tell(world: World, found: Standing) -> None:
    """The standing for a person."""
    last = f", last deployed to {found.last_at[:19]}Z" if found.last_at else ""
    world.say(
        f"{visible(found.facts.name)} ({found.facts.engine}): {visible(found.dir)} is at {visible(found.current or 'no version')}{last}"
    )
    world.say(f"  applied: {found.applied}   pending: {len(found.pending)}")
    for version in found.pending[:10]:
        world.say(f"    {visible(version)}")
    if len(found.pending) > 10:
        world.say(f"    … and {len(found.pending) - 10} more")
    for version, done, total, why in found.partial:
        reason = visible(why.splitlines()[0]) if why else "the run was stopped"
        world.say(yellow("  partial: ") + f"{visible(version)}, {done} of {total} statements: {reason}")
    lines = (
        ("in doubt", found.in_doubt), ("out of order", found.out_of_order), ("edited since", found.edited), ("missing here", found.missing),
        ("drift", found.drift),
    )  # fmt: skip
    for label, values in lines:
        if values:
            from ci_runner.cli.deploy_output import listed

            world.say(yellow(f"  {label}: ") + listed(values))
    if found.foreign:
        world.say(
            f"  the table {visible(found.foreign)} of another tool is there: 'pilotage adopt' takes its history over"
        )
    for warning in found.warnings:
        world.warn(warning)
