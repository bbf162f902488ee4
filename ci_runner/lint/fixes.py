"""Safe rewrites: candidates as edits and further files, tried by linting the text they give, and shown as whole lines."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from msgspec import Struct
from msgspec.structs import replace

from ci_runner.lint import placing
from ci_runner.lint.clauses import lines_of
from ci_runner.lint.rule import Edit, Fix
from ci_runner.lint.suppress import Lines
from ci_runner.migrations import transaction
from ci_runner.model.directory import Migration, MigrationDir, Part, TxMode
from ci_runner.model.operations import Name, Statement
from ci_runner.model.report import Finding, SuggestedFile, Suggestion

MOST = 25  # suggestions tried in one file
WORK = 5000  # operations read for them, at most about
Parse = Callable[[Migration], tuple[Statement, ...]]


class Candidate(Struct, frozen=True):
    """A finding with a rewrite of its file that should rid it of the hazard, and the migrations that come behind it."""

    finding: Finding
    migration: Migration
    suggestion: Suggestion
    following: tuple[Migration, ...] = ()


class Place(Struct, frozen=True):
    """Where a rewrite is to go: a statement of a file, in a directory (None: no other file can be written).

    ``taken`` are the names of the migrations that earlier suggestions put behind the newest.
    """

    migration: Migration
    statements: tuple[Statement, ...]
    statement: Statement
    format: str
    directory: MigrationDir | None
    taken: list[str]

    @property
    def mode(self) -> str:
        """The transaction the runner puts the statement in."""
        return self.statement.transaction or transaction(self.migration, self.statements, self.format)

    @property
    def single(self) -> bool:
        """Whether the statement is all that runs in its file or changeset."""
        parts = [part for part in self.migration.parts if part.start <= self.statement.start < part.end]
        if self.format == "liquibase" and parts:
            return sum(parts[0].start <= other.start < parts[0].end for other in self.statements) == 1
        return len(self.statements) == 1

    @property
    def newest(self) -> bool:
        """Whether nothing runs behind the file yet."""
        return self.directory is not None and self.directory.migrations[-1].name == self.migration.name


class _Plan(Struct, frozen=True):
    edits: list[Edit]
    files: tuple[SuggestedFile, ...] = ()
    following: tuple[Migration, ...] = ()
    mode: TxMode | None = None
    alone: bool = True
    unfinished: bool = False


def candidate(finding: Finding, fix: Fix, place: Place) -> Candidate | None:
    """The rewrite a rule proposes; None where this format has no way to say what it needs."""
    plan = _plan(fix, place)
    if plan is None or not (plan.edits or plan.files):
        return None
    migration = place.migration
    edits = sorted(plan.edits)
    text = apply(migration.text, edits)
    lines = Lines(migration.text)
    first, last = _lines(edits, lines, place.statement)
    grown = text.count("\n") - migration.text.count("\n")
    fixed = Lines(text)
    shown = "\n".join(fixed.content(number) for number in range(first, last + grown + 1))
    given = replace(migration, transaction=plan.mode or migration.transaction)
    changed = _changed(given, text, place.directory, plan.files)
    summary = f"{fix.summary}; then, in the next migration: {fix.after[0][0]}" if plan.unfinished else fix.summary
    suggestion = Suggestion(first, last, shown, summary, fix.safe and not plan.unfinished, plan.files, plan.alone)
    return Candidate(finding, changed, suggestion, plan.following)


def _changed(
    migration: Migration, text: str, directory: MigrationDir | None, files: Iterable[SuggestedFile]
) -> Migration:
    """The migration with the new text, and what wraps it then."""
    if directory is None:
        return replace(
            migration, text=text, parts=(Part(0, len(text)),) if len(migration.parts) == 1 else migration.parts
        )
    from ci_runner.migrations.rewritten import rewritten

    return rewritten(migration, text, directory, {file.name: file.text.encode() for file in files})


def together(candidates: Sequence[Candidate], migration: Migration, directory: MigrationDir | None) -> Migration | None:
    """The file with all these rewrites in it; None where they do not go together."""
    if any(each.migration.transaction != migration.transaction for each in candidates):
        return None
    findings = [replace(each.finding, suggestion=each.suggestion) for each in candidates]
    text, taken = combined(migration.text, findings)
    files = [file for each in candidates for file in each.suggestion.files]
    return _changed(migration, text, directory, files) if len(taken) == len(candidates) else None


def _lines(edits: list[Edit], lines: Lines, statement: Statement) -> tuple[int, int]:
    """The first and last line to show: those of the edits, of the statement when only other files change."""
    if not edits:
        return lines.line(statement.start), lines.line(max(statement.end - 1, statement.start))
    return lines.line(edits[0].start), lines.line(max(edit.end for edit in edits))


def _plan(fix: Fix, place: Place) -> _Plan | None:
    """Where edits and further steps go: into the file, into one that is taken out of its transaction, or into the next migration."""
    edits = list(fix.edits)
    if not fix.no_transaction and not fix.after:
        return _Plan(edits)
    unwrapped = place.mode == "none"
    if unwrapped and (not fix.after or place.format not in placing.ALONE):
        return _Plan([*edits, *_behind(fix, place)])
    if (place.single or fix.whole) and not unwrapped:
        apart = placing.outside(place.migration, place.format, place.directory, place.statement.start)
        if place.format == "liquibase" and fix.after and not fix.no_transaction:
            return _Plan([*edits, *_behind(fix, place)])  # a changeset is a transaction of its own
        if apart is not None:
            return _Plan([*edits, *apart.edits, *_behind(fix, place)], apart.files, (), "none", not apart.files)
    if fix.no_transaction and not unwrapped:
        return None if fix.whole else _moved(fix, place)
    return _continued(fix, place) if not fix.last or place.newest else None


def _behind(fix: Fix, place: Place) -> list[Edit]:
    """The further steps, directly behind the statement."""
    if not fix.after:
        return []
    text, end = place.migration.text, place.statement.end
    closed = re.compile(r"[ \t]*;").match(text, end)
    at = closed.end() if closed else end
    mark = "" if closed or text[end - 1 : end] == ";" else ";"
    if place.format == "liquibase":
        steps = (placing.changeset(f"{fix.name}-{number}", "\n".join(step)) for number, step in enumerate(fix.after, 1))
        return [Edit(at, at, mark + "".join(steps))]
    return [Edit(at, at, mark + "".join(f"\n{line}" for step in fix.after for line in step))]


def _continued(fix: Fix, place: Place) -> _Plan | None:
    """The statement in its place, the steps behind it in the next migration."""
    if _gone(place):
        return None
    made = _files(fix.name, fix.after, place, needed=False)
    if made is None:
        return _Plan(list(fix.edits), unfinished=True) if fix.partial else None
    files, following = made
    return _Plan(list(fix.edits), files, following, alone=fix.partial)


def _moved(fix: Fix, place: Place) -> _Plan | None:
    """The statement out of its file into the next migration, which runs outside a transaction."""
    start, end = lines_of(place.migration.text, place.statement.start, place.statement.end)
    if place.single or not place.newest or _needed(place):
        return None
    inner = [
        Edit(edit.start - start, edit.end - start, edit.text)
        for edit in fix.edits
        if start <= edit.start <= edit.end <= end
    ]
    if len(inner) < len(fix.edits):
        return None
    own = apply(place.migration.text[start:end], sorted(inner)).strip().rstrip(";").rstrip()
    name = fix.name or place.statement.operations[0].kind
    made = _files(name, ((f"{own};",), *fix.after), place, needed=True)
    if made is None:
        return None
    files, following = made
    return _Plan([Edit(start, end, "")], files, following, alone=False)


def _needed(place: Place) -> bool:
    """Whether something behind the statement speaks of its table or index: then it must not come later than that."""
    quick = ("create-index", "drop-index")
    others = [each for each in _behind_it(place) if any(not op.kind.startswith(quick) for op in each.operations)]
    return bool(others) and _spoken_of(place, others)


def _gone(place: Place) -> bool:
    """Whether something behind the statement drops or renames what further steps would be about."""
    words = ("rename", "drop-table", "drop-foreign-table", "drop-column", "drop-constraint", "set-schema")
    others = [each for each in _behind_it(place) if any(word in op.kind for op in each.operations for word in words)]
    return bool(others) and _spoken_of(place, others)


def _behind_it(place: Place) -> list[Statement]:
    return [other for other in place.statements if other.start > place.statement.start]


def _spoken_of(place: Place, others: Iterable[Statement]) -> bool:
    """Whether the others name the table or index of the statement; where it names none, they may."""
    operation = place.statement.operations[0] if place.statement.operations else None
    names = [*getattr(operation, "indexes", ()), *(getattr(operation, each, None) for each in ("table", "object"))]
    bare = [re.escape(name.name) for name in names if isinstance(name, Name)]
    word = re.compile(rf"(?<!\w)(?:{'|'.join(bare)})(?!\w)", re.IGNORECASE)
    return not bare or any(word.search(other.text) for other in others)


def _files(
    name: str, steps: tuple[tuple[str, ...], ...], place: Place, *, needed: bool
) -> tuple[tuple[SuggestedFile, ...], tuple[Migration, ...]] | None:
    """One migration for all steps, outside a transaction, where the format can say that; else one for each.

    ``needed``: they cannot be run inside one at all.
    """
    if place.directory is None:
        return None
    apart = ["\n".join(step) for step in steps]
    together = ["\n".join(apart)]
    if place.format in placing.ALONE or (len(steps) == 1 and not needed):
        return _next(name, apart, place, place.directory, alone=False)
    made = _next(name, together, place, place.directory, alone=True)
    return made if made or needed else _next(name, apart, place, place.directory, alone=False)


def _next(
    name: str, texts: list[str], place: Place, directory: MigrationDir, *, alone: bool
) -> tuple[tuple[SuggestedFile, ...], tuple[Migration, ...]] | None:
    made: list[placing.Following] = []
    for number, text in enumerate(texts, 1):
        called = name if len(texts) == 1 else f"{name}_{number}"
        before = [*place.taken, *(one.migration.name for one in made)]
        one = placing.following(directory, before, called, text, alone=alone)
        if one is None:
            return None
        made.append(one)
    return tuple(file for one in made for file in one.files), tuple(one.migration for one in made)


def apply(text: str, edits: list[Edit]) -> str:
    """``text`` with the edits made; they must be sorted and not overlap."""
    done, at = [], 0
    for edit in edits:
        done += [text[at : edit.start], edit.text]
        at = edit.end
    return "".join([*done, text[at:]])


def combined(text: str, findings: Iterable[Finding]) -> tuple[str, tuple[Finding, ...]]:
    """``text`` with the suggestions of these findings, the first to come for a line; and the findings whose suggestion is in it.

    New lines end as the file's first line does.
    """
    taken: list[tuple[Suggestion, Finding]] = []
    for finding in findings:
        wanted = finding.suggestion
        if wanted and not any(wanted.line <= other.end_line and other.line <= wanted.end_line for other, _ in taken):
            taken.append((wanted, finding))
    lines = text.split("\n")
    end = "\r" if lines[0].endswith("\r") else ""
    for wanted, _ in sorted(taken, key=lambda pair: pair[0].line, reverse=True):
        new = [f"{line}{end}" for line in wanted.text.split("\n")]
        if not lines[wanted.end_line - 1].endswith("\r"):
            new[-1] = new[-1].removesuffix(end)
        lines[wanted.line - 1 : wanted.end_line] = new
    return "\n".join(lines), tuple(finding for _, finding in taken)
