"""Fix: put the suggestions that change no meaning into the files they are for, as long as those are not released."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import replace

from ci_runner import migrations, sources
from ci_runner.config import Directory
from ci_runner.errors import ConflictError
from ci_runner.journeys import judging, lint, suggestions
from ci_runner.journeys.base import compare
from ci_runner.journeys.ground import Ground
from ci_runner.model.directory import MigrationDir
from ci_runner.model.report import ChangeSet, Finding, Report, Run
from ci_runner.sql import history


class Fixed(Struct, frozen=True):
    """A file (relative to the repository's root) before and after, and the findings whose suggestion is in it."""

    path: str
    before: bytes
    after: bytes
    findings: tuple[Finding, ...] = ()


class Fixes(Struct, frozen=True):
    """What can be written, and in a line each what was left alone."""

    files: tuple[Fixed, ...] = ()
    left: tuple[str, ...] = ()


def find(ground: Ground, run: Run) -> Fixes:
    """The fixes of a run's findings. Nothing is written yet."""
    found = [_directory(ground, *pair) for pair in zip(ground.config.directories, run.reports, strict=True)]
    return Fixes(tuple(f for each in found for f in each.files), tuple(line for each in found for line in each.left))


def write(ground: Ground, fixes: Fixes) -> None:
    """Write each file whole; ConflictError when one changed since it was read."""
    for file in fixes.files:
        path = ground.root / file.path
        if (path.read_bytes() if path.is_file() else b"") != file.before:
            raise ConflictError(f"{file.path} changed while it was judged: run the command again")
        path.parent.mkdir(parents=True, exist_ok=True)
        sources.write(path, file.after)


def _directory(ground: Ground, wanted: Directory, report: Report) -> Fixes:
    findings = [f for file in report.files for f in file.findings if f.suggestion and f.suggestion.safe]
    if not findings:
        return Fixes()
    changes, said = _unreleased(ground, wanted, report)
    new = {file.name for file in changes.files if file.change == "added"}
    files, taken = suggestions.rewritten(changes.head, [finding for finding in findings if finding.file in new])
    left = tuple(f"{wanted.dir}/{name} {said}" for name in dict.fromkeys(f.file for f in findings if f.file not in new))
    after = suggestions.applied(changes, taken, wanted)
    if not files or not _holds(ground, wanted, (changes, after), taken):
        return Fixes(left=left)
    return Fixes(tuple(_fixed(wanted, changes.head, after.head, taken)), left)


def _unreleased(ground: Ground, wanted: Directory, report: Report) -> tuple[ChangeSet, str]:
    """The change against what is released, whatever the run looked at; and why a file that is not new there is left alone."""
    head = lint.folder(ground, wanted)
    config = replace(ground.config, all=False, latest=None)
    changes = compare(replace(ground, config=config), wanted, head).changeset
    if changes.base.kind != "all":
        return changes, "is released: it is left as it is, and the finding is for a new migration to mend"
    if report.base.kind == "latest":  # nothing says otherwise, so the number given does
        names = {file.name for file in report.files}
        changes = replace(changes, files=tuple(file for file in changes.files if file.name in names))
        return changes, ""
    unknown = "may be released, which nothing here says: give --base REF, or --latest N for the newest N files"
    return replace(changes, files=()), unknown


def _holds(ground: Ground, wanted: Directory, pair: tuple[ChangeSet, ChangeSet], taken: tuple[Finding, ...]) -> bool:
    """Whether all of them together are as good as each was by itself, as far as the text says."""
    before = history.before(pair[0].released, pair[0].head.dialect, ground.cache)
    judge = judging.judge(ground, wanted, before, judging.own_rules(ground, wanted)[0])
    old, new = (judge(changes, lint.analyse(changes), ()) for changes in pair)
    return suggestions.better(old, new, taken)


def _fixed(wanted: Directory, old: MigrationDir, new: MigrationDir, taken: tuple[Finding, ...]) -> Iterator[Fixed]:
    for name, content in new.files.items():
        if content != old.files.get(name):
            own = tuple(finding for finding in taken if finding.file == name)
            yield Fixed(f"{wanted.dir}/{name}", old.files.get(name, b""), content, own)
    name = migrations.SUM_FILE
    if name in old.files and old.sum_check.ok:  # it held, so it is to hold again
        yield Fixed(f"{wanted.dir}/{name}", old.files[name], migrations.sum_text(new).encode())
