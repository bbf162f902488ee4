"""The prefix rule: forward history only grows; whether a new state may follow the registry's latest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from ci_runner.model.registry import GitFacts, Latest, Manifest

Relation = Literal["descendant", "ancestor", "apart", "unknown"]
"""Own commit as seen from the latest's: after it (or the same), before it, on another branch, or not to be known."""
Ancestry = Callable[[str, str], "bool | None"]
"""Whether the first commit is an ancestor of the second; None where the history at hand does not tell."""

_REWRITE = "If the registry shall take this state all the same, push once with --allow-rewrite."


@dataclass(frozen=True, slots=True)
class Judgement:
    """``outcome`` of comparing, the files it rests on, and a sentence for people when it is not ok."""

    outcome: Literal["ok", "noop", "stale", "diverged"]
    differences: tuple[str, ...] = ()
    reason: str = ""


def relate(latest: GitFacts, own: GitFacts, ancestry: Ancestry) -> Relation:
    """How the own commit lies to the commit of the latest state."""
    if not latest.sha or not own.sha:
        return "unknown"
    if latest.sha == own.sha:
        return "descendant"
    after, before = ancestry(latest.sha, own.sha), ancestry(own.sha, latest.sha)
    if after:
        return "descendant"
    if before:
        return "ancestor"
    return "unknown" if after is None or before is None else "apart"


def judge(latest: Manifest, new: Manifest, relation: Callable[[], Relation]) -> Judgement:
    """Compare a new state with the latest; ``relation`` is asked only where Git must decide."""
    if latest.digest == new.digest:
        return Judgement("noop")
    old_up, new_up = _up(latest), _up(new)
    if new_up.items() > old_up.items():
        return Judgement("ok")
    if new_up == old_up:
        return _same_up(latest, new, relation())
    if new_up.items() < old_up.items():
        return _fewer_up(_differences(old_up, new_up), relation())
    return Judgement(
        "diverged",
        _differences(old_up, new_up),
        f"Migrations that the registry already has are missing or different here. Restore them, or add a new migration instead. {_REWRITE}",
    )


def git_hint(latest: Latest, own: GitFacts) -> str:
    """Why Git could not decide, and what to do about it."""
    if not own.sha:
        return "This push knows no Git commit: push from a checkout of the repository."
    if not latest.git.sha:
        return f"Entry {latest.seq} was pushed without a Git commit."
    return "The Git history here does not reach the commit of the registry's latest state: fetch all of it (fetch-depth: 0)."


def _same_up(latest: Manifest, new: Manifest, relation: Relation) -> Judgement:
    differences = _differences(_all(latest), _all(new))
    if relation == "descendant":
        return Judgement("ok", differences)
    if relation == "ancestor":
        return Judgement(
            "stale", differences, "This commit is older than the one the registry's latest state came from."
        )
    reason = "Only files that are no forward migrations differ, and Git does not say which state is newer."
    return Judgement("diverged", differences, f"{reason} {_REWRITE}")


def _fewer_up(differences: tuple[str, ...], relation: Relation) -> Judgement:
    if relation == "descendant":
        reason = "Migrations that the registry already has were removed by a later commit. Undo them by a new migration instead."
        return Judgement("diverged", differences, f"{reason} {_REWRITE}")
    return Judgement("stale", differences, "The registry already has these migrations and newer ones.")


def _up(manifest: Manifest) -> dict[str, str]:
    return {file.name: file.sha256 for file in manifest.files if file.kind == "up"}


def _all(manifest: Manifest) -> dict[str, str]:
    facts = {"dialect": manifest.dialect, "format": manifest.format}
    return {f"({key})": value for key, value in facts.items()} | {
        file.name: f"{file.kind} {file.sha256}" for file in manifest.files
    }


def _differences(old: dict[str, str], new: dict[str, str]) -> tuple[str, ...]:
    """One line per name that is gone, changed or new, with both hashes."""
    names = sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))
    return tuple(
        f"{name}: {old[name]} in the registry, missing here"
        if name not in new
        else f"{name}: not in the registry, {new[name]} here"
        if name not in old
        else f"{name}: {old[name]} in the registry, {new[name]} here"
        for name in names
    )
