"""Leaves out what a comment asks to leave out, counts it, and says which comments did nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date

from msgspec import Struct
from msgspec.structs import replace

from ci_runner.lint.context import File, Step
from ci_runner.lint.policy import Policy
from ci_runner.lint.rule import Hit, Rule
from ci_runner.lint.suppress import NOT_ANALYSED, Ignore, Lines
from ci_runner.model.report import Finding, NotAnalysed, Severity
from ci_runner.text.pattern import later


class Found(Struct, frozen=True):
    """A hit with its rule, its place, and whether a database was seen to do it."""

    rule: Rule
    hit: Hit
    step: Step | None
    observed: bool

    @property
    def start(self) -> int:
        """The offset it points to."""
        operation = self.hit.at or (self.step.operation if self.step else None)
        return operation.start if operation else 0


class Notice(Struct, frozen=True):
    """Something to say about an ignore comment itself."""

    file: str
    ignore: Ignore
    slug: str
    severity: Severity
    message: str
    remedy: str

    def finding(self, lines: Lines) -> Finding:
        """The notice at the comment's place."""
        (line, column), (end_line, end_column) = lines.place(self.ignore.start), lines.place(self.ignore.end)
        return Finding(
            self.slug, self.severity, self.message, self.file, line, column, end_line, end_column,
            title="Ignore comment", remedy=self.remedy, page=False,
        )  # fmt: skip


_DATE = later(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
Silenced = tuple[list[Found], list[NotAnalysed], int, list[Notice]]


def silenced(
    hits: list[Found],
    unread: list[tuple[int, NotAnalysed]],
    comments: tuple[Ignore, ...],
    file: File,
    policy: Policy,
    active: set[str],
) -> Silenced:
    """What is left of hits and unread statements, how many went, and what is to be said of the comments."""
    used: set[Ignore] = set()
    over = {ignore: said for ignore in comments if (said := _over(ignore, policy.today))}
    placed = _placed([ignore for ignore in comments if ignore not in over])

    def asked(slug: str, statement: int | None, operation: int | None) -> bool:
        places = {(None, None), (statement, None), (statement, _ANY if operation is None else operation)}
        near = (ignore for place in places for ignore in placed.get(place, ()))
        covering = [ignore for ignore in near if ignore.covers(slug, statement, operation)]
        used.update(covering)
        return bool(covering)

    if not comments:
        return hits, [missed for _, missed in unread], 0, []
    kept = [f for f in hits if not asked(f.rule.slug, f.step.statement if f.step else None, f.start)]
    missed = [entry for number, entry in unread if not asked(NOT_ANALYSED, number, None)]
    gone = len(hits) - len(kept) + len(unread) - len(missed)
    expired = (_expired(file, ignore, said) for ignore, said in over.items())
    notices = (*expired, *_notices(file, comments, used | set(over), policy, active))
    return kept, missed, gone, list(_leveled(notices, policy))


_ANY = -1  # any operation of a statement


def _placed(ignores: list[Ignore]) -> dict[tuple[int | None, int | None], list[Ignore]]:
    """The comments by statement and operation, so that a finding asks only those that can be meant for it."""
    found: dict[tuple[int | None, int | None], list[Ignore]] = {}
    for ignore in ignores:
        operations = (None,) if ignore.operations is None else (*ignore.operations, _ANY)
        for operation in operations:
            found.setdefault((ignore.statement, operation), []).append(ignore)
    return found


def _leveled(notices: Iterable[Notice], policy: Policy) -> Iterator[Notice]:
    """The notices at the severity the configuration gives them, without those it turns off."""
    for notice in notices:
        level = policy.remark(notice.slug, notice.severity)
        if level is not None:
            yield replace(notice, severity=level)


def _over(ignore: Ignore, today: str) -> str:
    """Why an ignore comment does not hold any more, "" when it does."""
    if not ignore.until:
        return ""
    if not _day(ignore.until):
        return f"'until={ignore.until.strip('?')}' names no day, so this ignore comment does not hold"
    return f"This ignore comment held until {ignore.until}" if today and ignore.until < today else ""


def _day(text: str) -> bool:
    try:
        return bool(_DATE.fullmatch(text) and date.fromisoformat(text))
    except ValueError:
        return False


def _expired(file: File, ignore: Ignore, said: str) -> Notice:
    remedy = "Mend what it was for and remove it, or give it a new day: until=YYYY-MM-DD."
    return Notice(file.changed.name, ignore, "ignore-expired", "warning", f"{said}.", remedy)


def _nearest(word: str, active: set[str]) -> str:
    from difflib import get_close_matches

    close = get_close_matches(word[:100], list(active), 1)
    return f" — did you mean '{close[0]}'?" if close else "."


def _notices(
    file: File, comments: Iterable[Ignore], used: set[Ignore], policy: Policy, active: set[str]
) -> Iterator[Notice]:
    name = file.changed.name
    for ignore in comments:
        for word in ignore.unknown:
            yield Notice(
                name,
                ignore,
                "ignore-unknown",
                "notice",
                f"There is no rule '{word}'{_nearest(word, active)}",
                "See 'pilotage rules' for the names, or remove it.",
            )
        if policy.require_reason and not ignore.reason and not ignore.foreign:
            yield Notice(
                name, ignore, "ignore-without-reason", "warning", "This ignore comment gives no reason, and the configuration asks for one.",
                "Add it after a colon: -- pilotage:ignore RULE: why",
            )  # fmt: skip
        idle = ignore not in used and (ignore.slugs is None or bool(ignore.slugs & (active | {NOT_ANALYSED})))
        if idle:
            adrift = "It stands apart from any statement. " if ignore.adrift else ""
            yield Notice(
                name, ignore, "ignore-unused", "notice", f"This ignore comment ignored nothing. {adrift}".strip(),
                "Remove it, or put it on the line directly above the statement it is meant for.",
            )  # fmt: skip
