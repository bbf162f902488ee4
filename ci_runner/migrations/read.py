"""From a tree of bytes to migrations: format, names, bytes, directives, sections and sum, in that order."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import cast

from msgspec import Struct
from msgspec.structs import replace

from ci_runner.errors import ConfigError, DirectoryRefusedError
from ci_runner.migrations import checks, sumfile
from ci_runner.migrations.detect import detect
from ci_runner.migrations.format import Directed, Entry, Format, Sections, Selection, Source, is_blank, problem
from ci_runner.migrations.table import FORMATS, load
from ci_runner.model.directory import Migration, MigrationDir, Part, Problem, SumCheck, Tree, TxMode
from ci_runner.sql import normalize_dialect
from ci_runner.wanted import CHECKS

_SUM_REASONS = {
    "edited": "was edited after atlas.sum was written",
    "added": "is not what atlas.sum lists at this place: it was added",
    "removed": "is listed in atlas.sum and is not here",
}
_SUM_ERRORS = {
    "sum-file-invalid": "atlas.sum has a line that is none of its format",
    "sum-file-mismatch": "the first line of atlas.sum does not fit the others, as after a careless merge",
    "sum-file-missing": "there is no atlas.sum",
}
_HASH = "run 'pilotage hash' and commit the file, or set 'sum: optional' in pilotage.yml to do without"
_REHASH = "look at the change, then run 'pilotage hash'"

_UNDIRECTED, _WHOLE = Directed(), Sections()


class _Settings(Struct, frozen=True):
    form: Format
    dialect: str
    tx_mode: TxMode
    lenient: bool
    known: Mapping[str, Migration]
    judged: bool


def read(
    tree: Tree,
    *,
    format: str | None = None,  # noqa: A002 - the published word
    dialect: str = "postgres",
    tx_mode: str = "file",
    sum_mode: str | None = None,
    directives_lenient: bool = False,
    like: MigrationDir | None = None,
    judged: bool = True,
) -> MigrationDir:
    """The directory as its format's own tool would run it.

    ``format`` None = detect. ``tx_mode`` (file, all, none) holds where no file says otherwise. ``sum_mode``: ``required`` reports a
    missing atlas.sum, ``optional`` only one that differs, ``off`` neither; None = required for Atlas, optional elsewhere. Raises
    DirectoryRefusedError for a directory that must not be used, ConfigError for a format, dialect or mode there is none of.
    Statements are not split here. ``like`` is the directory in another state, read with the same settings: files that are the same
    object there are not read again, and what was wrong with them is not said again. With ``judged`` off neither sum nor problems are
    worked out: for a directory that another is only compared with.
    """
    dialect = normalize_dialect(dialect)
    _known("format", format, FORMATS)
    _known("transaction mode", tx_mode, ("file", "all", "none"))
    _known("sum mode", sum_mode, ("required", "optional", "off"))
    try:
        form = load(format or detect(tree))
    except DirectoryRefusedError:
        checks.irregular(tree)
        raise
    try:
        checks.irregular(tree)
        like = like if like and like.format == form.name else None
        if like and form.apart and not judged and _is_part(tree, like):
            return _part(tree, like)
        mode = cast("TxMode", tx_mode)
        settings = _Settings(form, dialect, mode, directives_lenient, _same(tree, like) if like else {}, judged)
        return _read(tree, settings, sum_mode or ("required" if form.name == "atlas" else "optional"))
    except DirectoryRefusedError as error:
        error.format = form.name
        raise


def _known(what: str, given: str | None, known: Iterable[str]) -> None:
    if given is None or given in known:
        return
    from difflib import get_close_matches

    near = get_close_matches(given, list(known), 1)
    hint = f" — did you mean {near[0]!r}?" if near else ""
    raise ConfigError(f"there is no {what} {given!r}{hint} (known are {', '.join(known)})")


def _same(tree: Tree, like: MigrationDir) -> dict[str, Migration]:
    """The migrations of another state whose bytes the tree has, too."""
    here, there = tree.files.get, like.files.get
    return {each.name: each for each in like.migrations if here(each.name) is there(each.name)}


def _is_part(tree: Tree, whole: MigrationDir) -> bool:
    """Whether all that the tree has is in the whole, too, but for what a base has another of: the sum."""
    there = whole.files.get
    return {path for path, data in tree.files.items() if data is not there(path)} <= {sumfile.NAME}


def _part(tree: Tree, whole: MigrationDir) -> MigrationDir:
    """The directory with those migrations of the ``whole`` that the tree has, and no other."""
    migrations = tuple([each for each in whole.migrations if each.name in tree.files])
    return MigrationDir(
        tree.path,
        whole.format,
        whole.dialect,
        migrations,
        SumCheck(ok=True),
        first_run=_first_run(migrations),
        files=tree.files,
        down=tuple([path for path in whole.down if path in tree.files]),
    )


def _read(tree: Tree, settings: _Settings, sum_mode: str) -> MigrationDir:
    form = settings.form
    plain = checks.plain(tree.files.keys() - settings.known.keys())
    for path in () if plain else tree.files:
        if len(path) > 255 or not checks.unicode(path):  # before any of it is taken for a number or hashed
            checks.name(path)
    selection = form.select(tree, settings.dialect)
    paths = [entry.path for entry in selection.entries]
    for path in () if plain else (*paths, *selection.down):
        if path not in settings.known:
            checks.name(path)
    said: list[Problem] = []
    known = settings.known.get
    migrations = tuple([known(entry.path) or _migration(entry, tree, settings, said) for entry in selection.entries])
    all_run = len(paths) == len(tree.files)
    others = set() if all_run else tree.files.keys() - {*paths, *selection.down}
    skipped = tuple(sorted(path for path in others if path.endswith(".sql")))
    beside = [path + CHECKS for path in paths] if any(path.endswith(CHECKS) for path in others) else ()
    kept = (*paths, *selection.down, *selection.aux, *beside, sumfile.NAME)
    files = tree.files if all_run else {path: tree.files[path] for path in kept if path in tree.files}
    found = MigrationDir(
        tree.path,
        form.name,
        settings.dialect,
        migrations,
        SumCheck(ok=True),
        skipped=skipped,
        first_run=_first_run(migrations),
        files=files,
        down=selection.down,
        summed=None if selection.sum_order is None else {path: tree.files[path] for path in selection.sum_order},
        blobs=tree.blobs if all_run else {path: tree.blobs[path] for path in files if path in tree.blobs},
    )
    return _judged(found, tree, selection, form, sum_mode, said) if settings.judged else found


def _judged(
    found: MigrationDir, tree: Tree, selection: Selection, form: Format, sum_mode: str, said: Iterable[Problem]
) -> MigrationDir:
    """The directory with what is wrong with it; of its files that is ``said`` already."""
    written = tree.files.get(sumfile.NAME)
    check = sumfile.check(written, _summed(found)) if written is not None else _unsummed(found)
    problems = (
        *_directory(tree, found.migrations),
        *selection.problems,
        *checks.order(selection.entries, form),
        *checks.duplicates(selection.entries, form),
        *checks.nested(tree, form, found.skipped),
        *(() if sum_mode == "off" else _sum(check, written, sum_mode)),
        *said,
    )
    return replace(found, sum_check=check, problems=problems)


def _migration(entry: Entry, tree: Tree, settings: _Settings, said: list[Problem]) -> Migration:
    """The migration; what is wrong with it goes to what is ``said``."""
    path = entry.path
    data = tree.files[path]
    digest = tree.simple.get(path) or checks.simple(data) if settings.form.sections is None else ""
    if not digest:
        return _odd(entry, data, tree, settings, said)
    whole = (Part(0, len(data)),)
    return Migration(
        path, entry.version, entry.description, data.decode("ascii"), digest, entry.kind, settings.tx_mode, whole
    )


def _odd(entry: Entry, data: bytes, tree: Tree, settings: _Settings, said: list[Problem]) -> Migration:
    """A file with sections, directives or anything to remark on."""
    path = entry.path
    text = checks.decode(path, data, tree.path)
    directed, sections, problems = _UNDIRECTED, _WHOLE, checks.content(path, data)
    if checks.directed(data):
        from ci_runner.migrations import directives

        mark = data.startswith(b"\xef\xbb\xbf")
        directed = directives.read(path, text, mark=mark, tx_mode=settings.tx_mode, lenient=settings.lenient)
    if settings.form.sections:
        sections = settings.form.sections(Source(path, text, settings.dialect, tree.files))
    if directed is not _UNDIRECTED or sections is not _WHOLE:
        problems = (*problems, *directed.problems, *sections.problems, *_clash(path, directed, sections))
    parts = sections.parts if sections.parts is not None else (Part(directed.start, len(text)),)
    parts = parts or (Part(0, 0),)  # nothing runs, which no parts at all would not say
    if is_blank(text, parts[0].start, parts[0].end) and all(is_blank(text, part.start, part.end) for part in parts[1:]):
        problems = (*problems, _empty(path))
    said.extend(problems)
    return Migration(
        path,
        entry.version,
        entry.description,
        text,
        hashlib.sha256(data).hexdigest(),
        "checkpoint" if directed.checkpoint else "repeatable" if sections.repeatable else entry.kind,
        _transaction(directed, sections, settings.tx_mode),
        parts,
        directed.delimiter,
        directed.effective,
    )


def _empty(path: str) -> Problem:
    return problem("empty-file", "notice", f"{path} holds no statement", path)


def _transaction(directed: Directed, sections: Sections, default: TxMode) -> TxMode:
    if sections.transaction == "changeset":
        return "changeset"
    return cast("TxMode | None", directed.transaction) or sections.transaction or default


def _clash(path: str, directed: Directed, sections: Sections) -> Iterator[Problem]:
    if directed.transaction == "file" and sections.transaction == "none":
        line = next((line for name, _, line in directed.effective if name == "txmode"), None)
        why = "'txmode file' stands against the format's own mark, which takes the file out of the transaction"
        yield problem("directive-conflict", "error", why, path, line, "keep one of them")


def _directory(tree: Tree, migrations: tuple[Migration, ...]) -> Iterator[Problem]:
    if not migrations:
        yield problem("empty-directory", "notice", f"{tree.path} holds no migration")
    for path in tree.linked:
        yield problem("hard-link", "notice", f"{path} has other names elsewhere, through which it can change", path)


def _sum(check: SumCheck, written: bytes | None, mode: str) -> Iterator[Problem]:
    if check.ok or (check.error == "sum-file-missing" and mode != "required"):
        return
    if check.error:
        missing = check.error == "sum-file-missing"
        line = sumfile.bad_line(written) if written is not None else None
        remedy = _HASH if missing else _REHASH
        yield problem(
            check.error, "warning" if missing else "error", _SUM_ERRORS[check.error], sumfile.NAME, line, remedy
        )
        return
    message = f"{check.file} {_SUM_REASONS[check.reason or 'edited']} (atlas.sum:{check.line})"
    remedy = _REHASH
    if check.cause:
        message += "; only line endings differ"
        remedy = "write '*.sql text eol=lf' into .gitattributes and check the files out anew"
    yield problem("sum-mismatch", "error", message, check.file, remedy=remedy)


def _first_run(migrations: tuple[Migration, ...]) -> tuple[str, ...] | None:
    kinds = [migration.kind for migration in migrations]
    if "checkpoint" not in kinds[1:]:
        return None
    last = max(index for index, kind in enumerate(kinds) if kind == "checkpoint")
    return tuple(migration.version for migration in migrations[last:])


def sum_text(mdir: MigrationDir) -> str:
    """The whole text that atlas.sum must have for these files; worked out anew whenever it is asked for."""
    return sumfile.text(sum_lines(mdir))


def sum_lines(mdir: MigrationDir) -> list[sumfile.Line]:
    """The name and hash in each of its lines."""
    return sumfile.lines(_summed(mdir))


def _unsummed(mdir: MigrationDir) -> SumCheck:
    covered = bool(mdir.migrations if mdir.summed is None else mdir.summed)
    return SumCheck(ok=not covered, error="sum-file-missing" if covered else None)


def _summed(mdir: MigrationDir) -> Mapping[str, bytes]:
    return {each.name: mdir.files[each.name] for each in mdir.migrations} if mdir.summed is None else mdir.summed
