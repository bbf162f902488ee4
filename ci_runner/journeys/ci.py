"""CI: decide by the trigger what this run is for, then do that."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from ci_runner import platforms, publish, scm
from ci_runner.errors import PilotageError, RefusedError, UsageError
from ci_runner.http import Patience
from ci_runner.journeys import lint as linting
from ci_runner.journeys import lookup, merging, publication
from ci_runner.journeys import push as pushing
from ci_runner.journeys.ground import Ground
from ci_runner.model.ci import Posted, Trigger
from ci_runner.model.registry import Pushed
from ci_runner.model.report import Run


class Choice(Struct, frozen=True):
    """What this run is for, and the reason in a few words."""

    journey: Literal["lint", "push", "nothing"]
    reason: str


class Linted(Struct, frozen=True):
    """A lint run and what became of publishing it."""

    run: Run
    posted: Posted


def settle(ground: Ground) -> tuple[Ground, Choice, str]:
    """The ground with what the environment could not know asked for, the journey it leads to, and a warning or "".

    First a pure decision of what is missing, then Git, then the SCM; what cannot be asked for stays unknown.
    """
    found = lookup.complete(ground.trigger, _default_branch(ground), lambda: _open(ground, Patience()))
    trigger = found.trigger
    if _asked_elsewhere(ground.trigger) and trigger.pull_request and trigger.head_sha and trigger.base_branch:
        ground = replace(ground, commit=trigger.head_sha)
        trigger = replace(trigger, kind="pull_request")
    choice = choose(replace(ground, trigger=trigger))
    if choice.journey == "lint" and trigger.kind in {"push", "manual"}:
        trigger = replace(trigger, base_branch=trigger.default_branch)
    ground = replace(ground, trigger=trigger)
    if found.how:
        choice = Choice(choice.journey, f"{choice.reason} ({found.how})")
    return ground, choice, found.warning


def _asked_elsewhere(trigger: Trigger) -> bool:
    """Whether the run is about a pull request's head while the default branch is checked out.

    That one is trusted and stays: the head's migrations are read from Git, and nothing of it is put where it could run.
    """
    return trigger.kind == "workflow_run" or (trigger.kind == "comment" and trigger.request == "lint")


def _default_branch(ground: Ground) -> str | None:
    """The CI system's word, else Git's where it has one of the remote's."""
    if ground.trigger.default_branch or ground.trigger.kind not in {"push", "manual"}:
        return ground.trigger.default_branch
    try:
        name = ground.git.default_branch() if ground.git else None
    except PilotageError:
        return None
    return name.removeprefix("origin/") if name else None


def choose(ground: Ground) -> Choice:
    """The journey of this trigger. Pure."""
    trigger = ground.trigger
    if trigger.kind == "pull_request":
        return Choice("lint", f"pull request #{trigger.pull_request}" if trigger.pull_request else "a pull request")
    if trigger.kind == "merge_queue":
        return Choice("lint", "a merge queue: checked, nothing is commented")
    if trigger.kind == "local":
        return Choice("lint", "no CI system was found: linting what this checkout changes")
    if trigger.kind == "comment":
        return Choice("nothing", _unasked(trigger))
    if trigger.kind not in {"push", "manual"}:
        hint = " (to tag a version: pilotage push NAME:TAG)" if trigger.kind == "tag" else ""
        return Choice("nothing", f"a run of kind '{trigger.kind}' neither proposes nor merges migrations{hint}")
    return _pushed(ground)


def _unasked(trigger: Trigger) -> str:
    if trigger.request not in (None, "lint"):
        own = "has a job of its own (docs/merging.md)" if trigger.request == "rebase" else "no comment can"
        return f"a comment that asks for '{trigger.request}', which {own}: this one answers '/pilotage lint'"
    return "a comment that asks for nothing: '/pilotage lint' on a pull request lints it again"


def _pushed(ground: Ground) -> Choice:
    branch, default = ground.trigger.head_branch, ground.trigger.default_branch
    if ground.trigger.platform in lookup.PUSH_ONLY and branch != default:
        against = f"compared with '{default}'" if default else "compared with what Git knows"
        return Choice(
            "lint", f"branch '{branch}', because {ground.trigger.platform} runs nothing for pull requests; {against}"
        )
    if default is None:
        return Choice("nothing", "the default branch is not known here, so this push may not be a merge")
    if branch != default:
        return Choice("nothing", f"branch '{branch}' is not the default branch '{default}'; its pull request is linted")
    if ground.config.registry is None:
        return Choice(
            "nothing", "a merge, but no registry is configured ('registry:' in pilotage.yml or PILOTAGE_REGISTRY)"
        )
    return Choice("push", f"a merge to {default}")


def lint(ground: Ground, write: Callable[[str], None]) -> Linted:
    """Lint every directory and publish the result wherever this run may; ``write`` puts text on the CI log."""
    _inside(ground)
    platform = platforms.open(ground.trigger.platform, ground.environ, write, ground.nonce)
    patience = Patience()
    target, warnings = _target(ground, patience)
    run = linting.run(ground)
    try:
        run = _elsewhere(ground, run, target.scm)
        wanted = publication.of(ground, run, target.scm)
        posted = publish.publish(wanted, platform, target, patience)
        beside = platforms.of_scm(ground.trigger, ground.config.token or ground.trigger.token, write)
        unsaid = beside.annotate(wanted.annotations, wanted.status) if beside and not _lost(posted) else ()
    finally:
        if target.scm is not None:
            target.scm.close()
    return Linted(run, Posted(posted.done, (*warnings, *posted.warnings, *unsaid)))


def _lost(posted: Posted) -> bool:
    """Whether the SCM took nothing: asking it for more would only repeat the warning."""
    return not posted.done


def _elsewhere(ground: Ground, run: Run, source: scm.Scm | None) -> Run:
    """The run with remarks on other pull requests that take the same versions, where the SCM can be asked for them."""
    if source is None or ground.trigger.kind != "pull_request":
        return run
    try:
        return replace(run, notes=(*run.notes, *merging.elsewhere(ground.trigger, run, source)))
    except scm.ScmError as error:  # one warning on what cannot be had there is enough: publishing says it
        ground.detail(f"other pull requests were not looked through for the same versions: {error}")
        return run


def _target(ground: Ground, patience: Patience) -> tuple[publish.Target, tuple[str, ...]]:
    """Where to post, with what a person should know when there is nowhere."""
    trigger = ground.trigger
    number = trigger.pull_request if trigger.kind == "pull_request" else None
    if trigger.scm is None or trigger.kind == "local":
        return publish.Target(None), ()
    if trigger.scm not in scm.NAMES:
        return publish.Target(None), (
            f"comments on {trigger.scm} are not supported: log, reports and exit code carry the result",
        )
    try:
        source = _open(ground, patience)
    except UsageError as error:
        return publish.Target(None), (f"nothing is posted: {error}",)
    return publish.Target(source, number, trigger.head_sha, trigger.is_fork, scm.needs(trigger)), ()


def _open(ground: Ground, patience: Patience) -> scm.Scm | None:
    """The SCM of this run, None where it or a token for it is not known."""
    trigger = ground.trigger
    token = ground.config.token or trigger.token
    return scm.open(trigger, token, patience) if token and trigger.repository and trigger.scm in scm.NAMES else None


def push(
    ground: Ground, write: Callable[[str], None], ended: Callable[[str, Pushed | PilotageError], None]
) -> list[tuple[str, Pushed]]:
    """Push every directory and hand the outcome to later steps; ``ended`` hears what became of each."""
    _inside(ground)
    pushed = pushing.every(ground, ended)
    platforms.open(ground.trigger.platform, ground.environ, write, ground.nonce).output(publication.outputs(pushed))
    return pushed


def _inside(ground: Ground) -> None:
    """On a CI run paths come from the change itself: one outside the repository is refused."""
    root = ground.root.resolve()
    for wanted in ground.config.directories:
        path = (ground.root / wanted.dir).resolve()
        if path != root and root not in path.parents:
            raise RefusedError(f"directory '{wanted.dir}' lies outside the repository: give a path below its root")
