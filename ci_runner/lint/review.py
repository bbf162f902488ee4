"""The linter's run: file by file, each operation before the rules that asked for its kind."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from types import FunctionType
from typing import Protocol

from msgspec import Struct, field
from msgspec.structs import replace

from ci_runner.errors import ConfigError, PilotageError, UsageError
from ci_runner.lint.context import Context, File, Step
from ci_runner.lint.document import document
from ci_runner.lint.evidence import weighed
from ci_runner.lint.fixes import MOST, WORK, Candidate, Parse, Place, candidate, together
from ci_runner.lint.own import PACKAGE, where, words
from ci_runner.lint.policy import Policy, names
from ci_runner.lint.rebuild import rebuilds
from ci_runner.lint.rule import Rule, discover
from ci_runner.lint.silence import Found, silenced
from ci_runner.lint.sizes import Sizes, sized
from ci_runner.lint.suppress import Lines, ignores
from ci_runner.lint.transactions import Tx, transactions
from ci_runner.migrations import transaction
from ci_runner.model.directory import Migration, MigrationDir
from ci_runner.model.operations import Operation, Statement
from ci_runner.model.report import FILE, ChangedFile, Finding, Linted, NotAnalysed, Observation, Severity, Suggestion
from ci_runner.model.schema import Catalog
from ci_runner.sql import catalog as schema

NO_SIZES: Sizes = {}
MOST_NEW = 1_000  # things a change made that are carried from file to file: above what anybody reviews, and a bound on the work
LATEST = 25  # newest files that suggestions are tried for: each try reads a file again


class Linting(Protocol):
    """A changed file with its statements, which are asked for once, when its turn comes."""

    @property
    def changed(self) -> ChangedFile:
        """The file."""
        ...

    @property
    def statements(self) -> tuple[Statement, ...]:
        """None where it was removed."""
        ...


class LintFile(Struct, frozen=True):
    """A changed file with its statements; a removed one has none."""

    changed: ChangedFile
    statements: tuple[Statement, ...] = ()


class _Run(Struct, frozen=True):
    """What does not change from file to file."""

    dialect: str
    policy: Policy
    format: str
    server_version: str | None
    server_edition: str | None
    observations: dict[tuple[str, int], tuple[Observation, ...]]
    rules: tuple[Rule, ...]
    whole: tuple[Rule, ...]  # those of them that are asked once a file
    known: dict[str, frozenset[str]]
    parse: Parse | None
    directory: MigrationDir | None = None
    sizes: Sizes = NO_SIZES
    together: bool = False
    taken: list[str] = field(default_factory=list)  # names of migrations that suggestions put behind the newest
    wanted: dict[type[Operation], list[Rule]] = field(
        default_factory=dict
    )  # rules by class of operation, filled as they are met


@cache
def catalogue(dialect: str = "") -> tuple[Rule, ...]:
    """Every rule, in order of slug; with a dialect those that concern it."""
    return tuple(discover(dialect))


def explain(slug: str) -> tuple[Rule, ...]:
    """The rule of that name, or those that an Atlas or squawk name stands for, in order of slug; see ``document`` for their words.

    Raises UsageError for a name that is none, with the nearest one.
    """
    from difflib import get_close_matches

    rules = {rule.slug: rule for rule in catalogue()}
    known = names(rules.values())
    covered = {slug} if slug in rules else known.get(slug, frozenset())
    if covered:
        return tuple(rules[each] for each in sorted(covered))
    close = get_close_matches(slug, list(known), 1)
    raise UsageError(
        f"there is no rule '{slug}'{f' — did you mean {close[0]!r}?' if close else ''}; 'pilotage rules' lists them"
    )


def lint(
    files: Sequence[Linting],
    before: Catalog,
    *,
    dialect: str,
    policy: Policy | None = None,
    format: str = "atlas",  # noqa: A002 — the word of the configuration
    server_version: str | None = None,
    server_edition: str | None = None,
    observations: Iterable[Observation] = (),
    parse: Parse | None = None,
    directory: MigrationDir | None = None,
    rules: Sequence[Rule] = (),
    sizes: Sizes = NO_SIZES,
    together: bool = False,
) -> Linted:
    """The findings of changed files, in execution order, on top of the schema ``before`` that the released ones made.

    ``parse`` reads a rewritten file: with it, suggestions are tried and shown for the newest files; without it there are none. With the ``directory``
    a suggestion may write further files. ``rules`` are a team's own, beside the catalogue; ``sizes`` are those of production's tables, by their key.
    ``together``: the files are one change: what an added one makes is new to those behind it; otherwise each is released before the next.
    """
    active = policy or Policy()
    everything = (*catalogue(dialect), *(rule for rule in rules if dialect in rule.databases))
    asked = tuple(rule for rule in everything if active.level(rule) is not None)
    run = _Run(
        dialect, active, format, server_version, server_edition, _seen(observations), asked, tuple(rule for rule in asked if not rule.on),
        names((*catalogue(), *rules)) if _asks(files) else {}, parse, directory, sizes, together,
    )  # fmt: skip
    quiet = replace(run, parse=None)
    judged = []
    state, added = before, False
    for number, file in enumerate(files, 1):
        each = run if number > len(files) - LATEST else quiet
        keep = together and added and len(state.born) < MOST_NEW
        view, state = _viewed(file, schema.release(state, keep=keep), each)
        added = file.changed.change == "added"
        judged.append(_judged(view, each))
    findings = tuple(finding for found, _, _ in judged for finding in found)
    return Linted(findings, tuple(missed for _, unread, _ in judged for missed in unread), sum(s for _, _, s in judged))


def _seen(observations: Iterable[Observation]) -> dict[tuple[str, int], tuple[Observation, ...]]:
    """The observations by file and statement."""
    seen: dict[tuple[str, int], tuple[Observation, ...]] = {}
    for observation in observations:
        key = (observation.file, observation.statement)
        seen[key] = (*seen.get(key, ()), observation)
    return seen


def _asks(files: Sequence[Linting]) -> bool:
    """Whether some file holds an ignore comment: only then the names of all rules matter."""
    return any(
        word in f.changed.migration.text
        for f in files
        if f.changed.migration
        for word in (":ignore", ":nolint", "squawk-ignore")
    )


def _viewed(file: Linting, before: Catalog, run: _Run) -> tuple[File, Catalog]:
    """The file with its operations, the schema before each, and the schema after all."""
    migration, statements = file.changed.migration, file.statements
    steps: list[Step] = []
    state = before
    rows: list[list[Tx]] = []
    mode: str = "file"
    if migration:
        mode = transaction(migration, statements, run.format)
        as_run = migration if mode == migration.transaction else replace(migration, transaction=mode)
        rows = transactions(statements, as_run, run.dialect)
    positions: dict[type[Operation], list[int]] = {}
    for number, statement in enumerate(statements):
        for operation, tx in zip(statement.operations, rows[number], strict=True):
            positions.setdefault(operation.__class__, []).append(len(steps))
            steps.append(Step(len(steps), number, operation, state, tx))
            state = schema.apply(state, operation, run.dialect)
    name, seen = file.changed.name, run.observations
    watched = {n: seen[name, n] for n in range(FILE, len(statements)) if (name, n) in seen} if seen else {}
    view = File(
        file.changed, statements, tuple(steps), before, run.dialect, run.format, run.server_version, run.server_edition, watched,
        positions, naming=run.policy.naming, transaction=mode, suggests=run.parse is not None,
    )  # fmt: skip
    found = rebuilds(view)
    return replace(view, rebuilds=found) if found else view, state


def _judged(file: File, run: _Run) -> tuple[list[Finding], list[NotAnalysed], int]:
    """Findings in order of position, statements not understood, and how many findings were asked to be left out."""
    comments = ignores(file.text, file.statements, run.known) if run.known else ()
    hits = sorted(_hits(file, run), key=lambda found: (found.start, found.rule.slug))
    unread = [
        (number, NotAnalysed(file.changed.name, statement.line, statement.not_analysed))
        for number, statement in enumerate(file.statements)
        if statement.not_analysed is not None
    ]
    if not hits and not unread and not comments:
        return [], [], 0
    lines = Lines(file.text)
    kept, missed, silent, notices = silenced(
        hits, unread, comments, file, run.policy, {rule.slug for rule in run.rules}
    )
    findings = _suggested([(_finding(found, file, lines, run), found) for found in kept], file, run)
    findings += [notice.finding(lines) for notice in notices]
    return sorted(findings, key=lambda f: (f.line, f.column, f.rule)), missed, silent


def _hits(file: File, run: _Run) -> Iterator[Found]:
    old = file.changed.before.text if file.changed.change == "edited" and file.changed.before else None
    for step in file.steps if file.changed.change != "renamed" else ():
        kind = step.operation.__class__
        asked = run.wanted.get(kind)
        if asked is None:
            asked = run.wanted[kind] = [rule for rule in run.rules if kind in rule.on or Operation in rule.on]
        if not asked or (old is not None and file.statements[step.statement].text in old):
            continue  # what a released file always said was reviewed when it was new
        context = Context(file, step)
        for rule in asked:
            try:
                for hit in rule.check(context):
                    place = step if hit.at is None else _step(file, hit.at) or step
                    observed = weighed(rule, context if place is step else Context(file, place), hit)
                    if observed is not None:
                        yield Found(rule, hit, place, observed)
            except Exception as error:
                raise _crashed(rule, error, file, context.statement.line) from error
    for rule in run.whole:
        if rule.seen and not file.observations:
            continue
        try:
            for hit in rule.check(file):
                yield Found(rule, hit, _step(file, hit.at) if hit.at else None, hit.observed)
        except Exception as error:
            raise _crashed(rule, error, file, 1) from error


def _crashed(rule: Rule, error: Exception, file: File, line: int) -> PilotageError:
    """What to say when a rule falls over: whose it is decides whether the configuration or Pilotage is to be mended."""
    place = f"{file.changed.name}:{line}"
    path = rule.check.__code__.co_filename if isinstance(rule.check, FunctionType) else rule.module
    if rule.module.startswith(PACKAGE):
        return ConfigError(f"the rule '{rule.slug}' crashed at {where(error, path)}, judging {place}: {words(error)}")
    return PilotageError(
        f"a bug in Pilotage: its rule '{rule.slug}' crashed judging {place} ({words(error)}); please report it, and turn the rule off meanwhile "
        f"(rules: {{{rule.slug}: off}})"
    )


def _step(file: File, operation: Operation) -> Step | None:
    positions = file.positions.get(operation.__class__, ())
    at = bisect_left(positions, operation.start, key=lambda position: file.steps[position].operation.start)
    return next(
        (file.steps[position] for position in positions[at:] if file.steps[position].operation is operation), None
    )


def _finding(found: Found, file: File, lines: Lines, run: _Run) -> Finding:
    words = document(found.rule.docstring)
    operation = found.hit.at or (found.step.operation if found.step else None)
    start, end = (operation.start, operation.end) if operation else (0, 0)
    line, column = lines.place(start)
    end_line, end_column = lines.place(end)
    severity: Severity = run.policy.level(found.rule) or found.rule.severity
    message, table, size = _as_written(found, file), "", None
    if run.sizes and found.step and operation:
        message, table, size = sized(message, found.step, operation, run.sizes, run.dialect)
    return Finding(
        rule=found.rule.slug, severity=severity, message=message, file=file.changed.name, line=line, column=column,
        end_line=end_line, end_column=end_column, title=words.title, why=words.why, remedy=found.hit.remedy or words.remedy,
        aliases=found.rule.aliases, evidence="observed" if found.observed else "inferred",
        statement=file.statements[found.step.statement].text if found.step else "",
        page=not found.rule.module.startswith(PACKAGE), table=table, size=size,
    )  # fmt: skip


_QUOTED = re.compile(r'"([^"]+)"')
_CASELESS = ("mysql", "mariadb", "sqlite", "sqlserver")


def _as_written(found: Found, file: File) -> str:
    """The message with names in the case the statement has them in, where the database does not care."""
    if file.dialect not in _CASELESS or found.step is None:
        return found.hit.message
    source = file.statements[found.step.statement].text

    def written(match: re.Match[str]) -> str:
        if match[1] in source:
            return match[0]
        there = re.search(rf"(?<!\w){re.escape(match[1])}(?!\w)", source, re.IGNORECASE)
        return f'"{there[0]}"' if there else match[0]

    return _QUOTED.sub(written, found.hit.message)


def _suggested(pairs: list[tuple[Finding, Found]], file: File, run: _Run) -> list[Finding]:
    """The findings, those with a rewrite that holds what it promises with that rewrite."""
    if run.parse is None or file.changed.migration is None:
        return [finding for finding, _ in pairs]
    before = Counter(finding.rule for finding, _ in pairs if finding.severity != "notice")
    found = _candidates(pairs, file, file.changed.migration, run)
    held = _holding(found, before, file, run)
    run.taken.extend(each.name for candidate_ in held.values() for each in candidate_.following)
    return [
        replace(finding, suggestion=held[number].suggestion) if number in held else finding
        for number, (finding, _) in enumerate(pairs)
    ]


def _candidates(
    pairs: list[tuple[Finding, Found]], file: File, migration: Migration, run: _Run
) -> dict[int, Candidate]:
    """The rewrites of the first findings that have one, by the number of the finding; not tried yet."""
    made: dict[int, Candidate] = {}
    taken = [*run.taken]
    wanted = [(number, finding, hit) for number, (finding, hit) in enumerate(pairs) if hit.hit.fix and hit.step]
    for number, finding, hit in wanted[
        : min(MOST, 1 + WORK // (1 + len(file.steps)))
    ]:  # each try reads all of the file again
        if hit.hit.fix is None or hit.step is None:
            continue
        statement = file.statements[hit.step.statement]
        place = Place(migration, file.statements, statement, run.format, run.directory, taken)
        found = candidate(finding, hit.hit.fix, place)
        if found:
            made[number] = found
            taken.extend(each.name for each in found.following)
    return made


def _holding(found: dict[int, Candidate], before: Counter[str], file: File, run: _Run) -> dict[int, Candidate]:
    """Those of the rewrites that hold: tried all at once, and one by one where that fails."""
    every = [*found.values()]
    migration = file.changed.migration
    whole = together(every, migration, run.directory) if migration and len(every) > 1 else None
    behind = [each for candidate_ in every for each in candidate_.following]
    if whole and _holds((whole, *behind), Counter(each.finding.rule for each in every), before, file, run):
        return found
    held: dict[int, Candidate] = {}
    tried: dict[Suggestion, bool] = {}  # one rewrite may serve several findings
    for number, each in found.items():
        if each.suggestion not in tried:
            one = Counter((each.finding.rule,))
            tried[each.suggestion] = _holds((each.migration, *each.following), one, before, file, run)
        if tried[each.suggestion]:
            held[number] = each
    return held


def _holds(migrations: Sequence[Migration], gone: Counter[str], before: Counter[str], file: File, run: _Run) -> bool:
    """Whether the rewritten file and what follows it are understood, have those hazards less, and no new one."""
    if run.parse is None:
        return False
    trial = replace(run, observations={}, parse=None)
    state, after = file.released, Counter[str]()
    for migration in migrations:
        statements = run.parse(migration)
        if any(statement.not_analysed is not None for statement in statements):
            return False
        changed = replace(file.changed, name=migration.name, migration=migration)
        view, state = _viewed(LintFile(changed, statements), schema.release(state, keep=run.together), trial)
        findings, _, _ = _judged(view, trial)
        after.update(each.rule for each in findings if each.severity != "notice" or each.rule in gone)
    return all(after[rule] <= max(before[rule] - gone[rule], 0) for rule in {*after, *gone})
