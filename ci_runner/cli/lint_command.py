"""``pilotage lint``: checks the changed migrations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import click

from ci_runner.cli.options import manifest
from ci_runner.cli.world import World
from ci_runner.config.options import REPORTS
from ci_runner.errors import UsageError

if TYPE_CHECKING:
    from ci_runner.journeys.fixing import Fixes
    from ci_runner.journeys.ground import Ground
    from ci_runner.model.directory import Tree
    from ci_runner.model.events import Event
    from ci_runner.model.report import Run


@click.command("lint")
@click.option(
    "--format", "form", default="text", help=f"What to print: {', '.join(REPORTS)}.  [text]", metavar="FORMAT"
)
@click.option("--output", metavar="FILE", help="Write that to FILE instead of printing it.")
@click.option(
    "--fix", is_flag=True, help="Make the suggested changes that keep the meaning, in files not released yet."
)
@click.option("--dry-run", is_flag=True, help="With --fix: print the changes as a diff and make none.")
@click.option(
    "--write-baseline", metavar="FILE", help="Write what is found in all files to FILE, as known from now on."
)
@manifest("lint")
@click.pass_obj
def command(
    world: World,
    /,
    form: str,
    output: str | None,
    fix: bool,
    dry_run: bool,
    write_baseline: str | None,
    **flags: object,
) -> int:
    """Check the changed migrations and replay them on a dev database.

    What changed is found in Git: against the merge base with the default branch, unless --base, --latest or --all says
    otherwise. Outside Git every file is analysed. Exit code 1 only when the verdict is "fail".

    \b
    pilotage lint --dir migrations --dialect postgres
    pilotage lint --dev-url embedded://postgres/18 --report sarif=pilotage.sarif
    pilotage lint --latest 1 --format json
    pilotage lint --fix --dry-run
    """
    from ci_runner.cli.output import check_format

    check_format(form)
    if dry_run and not fix:
        raise UsageError("--dry-run goes with --fix: it shows what --fix would change")
    if write_baseline:
        _keep(world, flags, write_baseline)
        return 0
    return _lint(world, flags, form, output, fix="preview" if dry_run else "write" if fix else None)


def _lint(
    world: World, flags: dict[str, object], form: str, output: str | None, *, fix: Literal["preview", "write"] | None
) -> int:
    from msgspec.structs import replace

    from ci_runner.cli import remembering
    from ci_runner.cli.output import show, write_reports
    from ci_runner.cli.setup import ground
    from ci_runner.cli.telling import conclude
    from ci_runner.journeys import lint

    begun = world.now()
    trees: list[Tree] = []
    base = replace(ground(world, flags), seen=trees.append)
    run = lint.run(base)
    if fix:
        from ci_runner.journeys import fixing

        fixes = fixing.find(base, run)
        if fix == "preview":
            _preview(world, fixes)
            return 1 if run.verdict == "fail" else 0
        fixing.write(base, fixes)
        _tell(world, fixes)
        run = lint.run(base) if fixes.files else run
    text = show(world, base, run, form, output)
    write_reports(world, base, run)
    code = 1 if run.verdict == "fail" else 0
    conclude(world, base, "lint", begun, [lambda: _events(base, run)], hooks=False)
    if not fix and not output:
        remembering.keep(world, base, trees, text, code)
    return code


def _events(base: Ground, run: Run) -> list[Event]:
    from ci_runner.journeys import happening

    return happening.linted(base, run)


def _keep(world: World, flags: dict[str, object], file: str) -> None:
    """Write the findings to the baseline ``file``: those of every file, unless a flag says which."""
    from ci_runner.cli.output import write
    from ci_runner.cli.setup import ground
    from ci_runner.journeys import knowing

    chosen = {**flags, "all": not (flags.get("base") or flags.get("latest")) or None}
    text, count = knowing.text(ground(world, chosen))
    write(world.cwd / file, text)
    world.note(
        f"{count} finding{'' if count == 1 else 's'} written to {file}; name it in pilotage.yml (baseline: {file}), and they do not count"
    )


def _preview(world: World, fixes: Fixes) -> None:
    """What would change, as a diff for people to read."""
    from difflib import unified_diff

    from ci_runner.text import visible

    for file in fixes.files:
        before, after = (text.decode("utf-8").removesuffix("\n").split("\n") for text in (file.before, file.after))
        for line in unified_diff(before, after, f"a/{file.path}", f"b/{file.path}", lineterm=""):
            world.say(visible(line.removesuffix("\r")))
    _leave(world, fixes)


def _tell(world: World, fixes: Fixes) -> None:
    for file in fixes.files:
        for finding in file.findings:
            summary = finding.suggestion.summary if finding.suggestion else ""
            world.note(f"fixed {file.path}:{finding.line}: {finding.rule}: {summary}")
        if not file.findings:
            world.note(f"{file.path} was {'written anew' if file.before else 'added'}")
    _leave(world, fixes)


def _leave(world: World, fixes: Fixes) -> None:
    for line in fixes.left:
        world.note(f"not fixed: {line}")
    if not fixes.files and not fixes.left:
        world.note("nothing to fix: no finding has a suggestion that keeps the meaning")
