"""What is written down before a statement that no transaction can undo, and what it tells when nobody saw the statement end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from ci_runner.databases import Target
from ci_runner.deploy.effects import Effect, Expect
from ci_runner.deploy.hashes import statement_hash
from ci_runner.deploy.run import directives
from ci_runner.model.operations import Statement

Verdict = Literal["applied", "again", "unknown"]
_ABSENT = "-"
UNSEEN = "unseen"  # the fingerprint of a statement whose effect no catalogue shows


def fingerprint(target: Target, effect: Effect) -> str:
    """A hash of the definition of each object the statement names, ``-`` for one that is not there; "unseen" where it names none."""
    return " ".join(_one(target, expect) for expect in effect.expects) if effect.kind == "schema" else UNSEEN


def _one(target: Target, expect: Expect) -> str:
    found = target.definition(expect.kind, expect.name.schema, expect.name.name)
    return _ABSENT if found is None else statement_hash(found)


def verdict(target: Target, statement: Statement, effect: Effect, before: str) -> Verdict:
    """Whether a statement whose intent was written with ``before`` took effect.

    Its own ``pilotage:assume applied-if QUERY`` decides where it carries one: true = applied, false = not.
    """
    said = assumed(statement)
    if said is not None:
        return "applied" if truth(target, said) else "again"
    if effect.kind != "schema" or before == UNSEEN:
        return "unknown"
    return judge(effect.expects, before.split(" "), fingerprint(target, effect).split(" "))


def judge(expects: Sequence[Expect], before: Sequence[str], now: Sequence[str]) -> Verdict:
    """Nothing changed: run again. Every object changed as the statement would have it: applied. Anything else is not known. Pure."""
    if len(before) != len(expects) or len(now) != len(expects):
        return "unknown"
    if list(before) == list(now):
        return "again"
    return "applied" if all(map(_as_expected, expects, before, now)) else "unknown"


def _as_expected(expect: Expect, before: str, now: str) -> bool:
    match expect.how:
        case "there":  # IF NOT EXISTS leaves what is there
            return now != _ABSENT and (before in {_ABSENT, now})
        case "gone":
            return now == _ABSENT
        case "set":
            return now != _ABSENT
        case "changed":
            return _ABSENT not in {before, now} and before != now


def assumed(statement: Statement) -> str | None:
    """The query of ``-- pilotage:assume applied-if QUERY`` above a statement."""
    for name, argument in directives(statement):
        if name == "assume" and argument.startswith("applied-if "):
            return argument.removeprefix("applied-if ").strip().rstrip(";")
    return None


def truth(target: Target, query: str) -> bool:
    """Whether the first value of the first row is true: not 0, not empty, not f or false; no row is false."""
    rows = target.query(query)
    value = rows[0][0] if rows and rows[0] else None
    return value is not None and str(value).strip().lower() not in {"", "0", "f", "false", "b'\\x00'"}
