"""What ``pilotage lint`` does once its flags are known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from ci_runner.cli.world import World

if TYPE_CHECKING:
    from ci_runner.journeys.fixing import Fixes
    from ci_runner.journeys.ground import Ground
    from ci_runner.model.events import Event
    from ci_runner.model.report import Run


def lint(
    world: World,
    flags: Mapping[str, object],
    form: str,
    output: str | None,
    *,
    fix: Literal["preview", "write"] | None = None,
) -> int:
    """Lint by those flags of the manifest and show the report in ``form``; the exit code."""
    from ci_runner.journeys import lint

    begun = world.now()
    lint.stand_by(flags)
    from ci_runner.cli.output import check_format, show, write_reports
    from ci_runner.cli.remembering import remembered
    from ci_runner.cli.setup import ground

    check_format(form)
    base, memory = remembered(world, ground(world, flags))
    run = lint.run(base)
    from ci_runner.cli.telling import conclude

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
        memory.keep(text, code)
    return code


def _events(base: Ground, run: Run) -> list[Event]:
    from ci_runner.journeys import happening

    return happening.linted(base, run)


def keep(world: World, flags: Mapping[str, object], file: str) -> None:
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
