"""A team's policy: which rules count, and how much."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

from msgspec import Struct, field

from ci_runner.config.pattern import Pattern
from ci_runner.errors import ConfigError
from ci_runner.lint.rule import Rule
from ci_runner.model.directory import CODES
from ci_runner.model.report import Severity

Level = Literal["error", "warning", "notice", "off"]
REMARKS = ("ignore-expired", "ignore-unknown", "ignore-unused", "ignore-without-reason", "baseline-stale")


class Policy(Struct, frozen=True):
    """``levels`` per slug override the catalogue's; ``require_reason``: an ignore comment must say why.

    ``today`` (YYYY-MM-DD) is what ignore comments with a last day are held against; "" lets none expire. ``naming`` are the patterns that
    new names must match, by kind of object.
    """

    levels: Mapping[str, Level] = field(default_factory=dict)
    require_reason: bool = False
    today: str = ""
    naming: Mapping[str, Pattern] = field(default_factory=dict)

    def level(self, rule: Rule) -> Severity | None:
        """The severity of that rule's findings, None when it is off."""
        level = self.levels.get(rule.slug)
        if level is None:
            return rule.severity if rule.default else None
        return None if level == "off" else level

    def remark(self, slug: str, default: Severity) -> Severity | None:
        """The severity of what is no rule's finding: a remark on a comment or the baseline, a problem of the directory; None when it is off."""
        level = self.levels.get(slug, default)
        return None if level == "off" else level


def policy(
    levels: Mapping[str, str],
    rules: Iterable[Rule],
    *,
    require_reason: bool = False,
    today: str = "",
    naming: Mapping[str, Pattern] | None = None,
    source: str = "rules",
) -> Policy:
    """The policy a configuration asks for; names may be slugs, problems of a directory, or the Atlas and squawk names of the catalogue.

    A slug outranks a foreign name. Raises ConfigError for a name or level that is none, with the nearest one.
    """
    known = settable(rules)
    found: dict[str, Level] = {}
    for name, level in sorted(levels.items(), key=lambda item: item[0] in {rule.slug for rule in rules}):
        if level not in ("error", "warning", "notice", "off"):
            raise ConfigError(f"rule '{name}' in {source} has severity '{level}': use error, warning, notice or off")
        if name not in known:
            raise ConfigError(f"unknown rule '{name}' in {source}{_nearest(name, known)}; 'pilotage rules' lists them")
        found.update(dict.fromkeys(known[name], level))  # type: ignore[arg-type]  # checked two lines above
    return Policy(found, require_reason, today, naming or {})


def _nearest(name: str, known: Iterable[str]) -> str:
    from difflib import get_close_matches

    close = get_close_matches(name, list(known), 1)
    return f" — did you mean '{close[0]}'?" if close else ""


_ANALYZERS = {
    "destructive": "DS", "data_depend": "MF", "incompatible": "BC", "nestedtx": "TX", "naming": "NM", "condrop": "CD", "concurrent_index": "PG1",
}  # fmt: skip


def settable(rules: Iterable[Rule]) -> dict[str, frozenset[str]]:
    """Every name a configuration may give a severity, with the slugs it covers."""
    return names(rules) | {slug: frozenset({slug}) for slug in (*REMARKS, *CODES)}


def names(rules: Iterable[Rule]) -> dict[str, frozenset[str]]:
    """Every name an ignore comment or a configuration may use, with the slugs it covers."""
    found: dict[str, set[str]] = {}
    for rule in rules:
        for name in (rule.slug, *rule.aliases, *rule.accepts):
            found.setdefault(name, set()).add(rule.slug)
            for analyzer, prefix in _ANALYZERS.items():
                if name.startswith(prefix):
                    found.setdefault(analyzer, set()).add(rule.slug)
    return {name: frozenset(slugs) for name, slugs in found.items()}
