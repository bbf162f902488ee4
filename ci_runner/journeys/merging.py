"""What merged to the base since a branch was cut: versions of the branch that collide with it are found before the merge."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from ci_runner import changes, migrations, sources
from ci_runner.config import Directory
from ci_runner.errors import DirectoryRefusedError, PilotageError
from ci_runner.journeys.base import Compared, target, unread
from ci_runner.journeys.ground import Ground
from ci_runner.journeys.reading import read
from ci_runner.model.ci import PullRequest, Trigger
from ci_runner.model.directory import MigrationDir, Problem, Tree
from ci_runner.model.report import Base, ChangedFile, ChangeSet, Report, Run
from ci_runner.sources import Git
from ci_runner.text.counting import counted

OTHERS = 20  # open pull requests looked into, one request each
_REMEDY = "run 'pilotage rebase'"


class Merge(Struct, frozen=True):
    """A branch put on top of its base branch: the base branch's directory, and the branch's change with what collides marked.

    A late file is marked ``out_of_order``, a version or name that both sides took is a problem of the change's head.
    """

    theirs: MigrationDir
    change: ChangeSet

    @property
    def colliding(self) -> frozenset[str]:
        """The branch's files that cannot stay where they are."""
        late = {file.name for file in self.change.files if file.out_of_order}
        taken = {problem.file for problem in self.change.head.problems if problem.code == "duplicate-version"}
        return frozenset(late | {name for name in taken if name is not None})


def guarded(ground: Ground, wanted: Directory, compared: Compared) -> Compared:
    """The change as compared, with its collisions. A base branch that cannot be read is a remark: nothing was judged against it."""
    change = compared.changeset
    if change.base.kind != "git" or ground.git is None or not any(file.change == "added" for file in change.files):
        return compared
    try:
        at = compared.tip or tip(ground, None)
        if at is None or at == change.base.ref:
            return compared
        merge = merged(ground.git, at, wanted, change)
    except PilotageError as error:
        unread = f"what merged to the base branch since could not be read: {error}"
        return replace(compared, notes=(*compared.notes, unread))
    notes = (_gained(merge),) if merge.change != change else ()
    return Compared(merge.change, (*compared.notes, *notes))


def tip(ground: Ground, onto: str | None) -> str | None:
    """The newest commit of the branch that the change is to be merged into; None where there is none to be known."""
    git = ground.git
    if git is None:
        return None
    name = onto or target(ground, git)
    return git.ensure_commit(name) if name else None


def merged(git: Git, at: str, wanted: Directory, change: ChangeSet) -> Merge:
    """The change put on top of the directory as the commit ``at`` has it."""
    head = change.head
    theirs = read(sources.at_commit(git, at, wanted.dir, like=unread(head)), wanted, head)
    there = {migration.name: migration.sha256 for migration in theirs.migrations}
    ours = [file for file in change.files if file.migration is None or there.get(file.name) != file.migration.sha256]
    files = dict(theirs.files)
    for file in ours:
        _put(files, file, head.files)
    both = read(Tree(head.path, files), wanted, head)
    taken = _taken(both, ours, there)
    late = {file.name for file in changes.between(both, theirs, Base("git", at)).files if file.out_of_order}
    late -= {problem.file for problem in taken}  # one remark a file: a version that is taken is late by nature
    marked = tuple(replace(file, out_of_order=file.out_of_order or file.name in late) for file in ours)
    problems = tuple(dict.fromkeys((*change.head.problems, *taken)))
    return Merge(theirs, replace(change, head=replace(head, problems=problems), files=marked))


def _put(files: dict[str, bytes], file: ChangedFile, ours: Mapping[str, bytes]) -> None:
    if file.before is not None and file.before.name != file.name:
        files.pop(file.before.name, None)
    if file.migration is None:
        files.pop(file.name, None)
    else:
        files[file.name] = ours[file.name]


def _taken(both: MigrationDir, ours: list[ChangedFile], there: Mapping[str, str]) -> list[Problem]:
    """Names and versions of the branch that the base branch has used since."""
    new = [file.name for file in ours if file.change == "added"]
    taken = []
    for name in new:
        if name in there:
            message = f"the base branch has gained a file {name} too, with other content"
            taken.append(Problem("duplicate-version", "error", message, name, remedy=_REMEDY))
    for problem in both.problems:
        # told of the later of the two files, whichever side that is; the branch's own is the one to change
        mine = next((name for name in new if problem.file == name or f"{name} " in problem.message), None)
        if problem.code == "duplicate-version" and mine is not None:
            taken.append(replace(problem, file=mine, message=f"after the merge {problem.message}", remedy=_REMEDY))
    return taken


def _gained(merge: Merge) -> str:
    here = merge.change.head.files
    gained = [migration.name for migration in merge.theirs.migrations if migration.name not in here]
    some = counted(len(gained), "migration")
    newest = f", the newest {gained[-1]}" if gained else ""
    return f"the base branch has {some} that this branch lacks{newest}: {_REMEDY} to move the branch's own behind"


class _Asked(Protocol):
    """The two questions to an SCM that a look at other pull requests needs."""

    def open_pull_requests(self, most: int) -> tuple[PullRequest, ...]:
        """Open pull requests."""

    def changed_files(self, number: int) -> tuple[str, ...]:
        """Paths that one of them brings."""


def elsewhere(trigger: Trigger, run: Run, scm: _Asked) -> tuple[str, ...]:
    """Remarks on other open pull requests for the same branch that take a version which a file added here takes.

    Raises ScmError where the SCM cannot be asked.
    """
    ours = [
        (report, {file.version: file.name for file in report.files if file.change == "added"}) for report in run.reports
    ]
    if trigger.pull_request is None or not any(versions for _, versions in ours):
        return ()
    remarks = []
    for other in _others(trigger, scm):
        paths = scm.changed_files(other.number)
        for report, versions in ours:
            for version, name in _brought(paths, report):
                if versions.get(version, name) != name:
                    remarks.append(_remark(other, name, versions[version]))
    return tuple(remarks)


def _others(trigger: Trigger, scm: _Asked) -> list[PullRequest]:
    there = scm.open_pull_requests(2 * OTHERS)
    same = (each for each in there if each.base_branch == trigger.base_branch and each.number != trigger.pull_request)
    return list(same)[:OTHERS]


def _brought(paths: tuple[str, ...], report: Report) -> list[tuple[str, str]]:
    """(version, name) of the migrations among the paths; only names are known, which is all that a version needs."""
    folder = "" if report.path == "." else f"{report.path}/"
    files = {path.removeprefix(folder): b"" for path in paths if path.startswith(folder)}
    try:
        found = migrations.read(Tree(report.path, files), format=report.format, dialect=report.dialect, sum_mode="off")
    except DirectoryRefusedError:  # names that are refused here will be refused there
        return []
    return [(each.version, each.name) for each in found.migrations if each.kind == "versioned"]


def _remark(other: PullRequest, theirs: str, ours: str) -> str:
    return (
        f"pull request #{other.number} brings {theirs}, which takes the version of {ours}: "
        f"the one that is merged second has to {_REMEDY}"
    )
