"""Drizzle Kit: ``<tag>.sql`` files in the order of ``meta/_journal.json``, cut at ``--> statement-breakpoint``."""

from __future__ import annotations

import json
import re

from ci_runner.migrations.atlas import entry as by_folder
from ci_runner.migrations.format import Entry, Format, Sections, Selection, Source, is_blank, problem, root_sql
from ci_runner.migrations.prisma import folders
from ci_runner.model.directory import Part, Problem, Tree

JOURNAL = "meta/_journal.json"
_BREAK = "--> statement-breakpoint"
_TAG = re.compile(r"([0-9]*)_?(.*)", re.DOTALL)


def tags(journal: bytes) -> list[str] | None:
    """The tags of the journal's entries in order; None when it is no journal."""
    try:
        read = json.loads(journal)
        return [str(entry["tag"]) for entry in read["entries"]]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def select(tree: Tree, dialect: str) -> Selection:  # noqa: ARG001 - the signature of every format
    """The journal's files that are there; a tag without file and a file without tag are errors. Without a journal, folders."""
    if JOURNAL not in tree.files:
        visible = [folder for folder in folders(tree) if f"{folder}/migration.sql" in tree.files]
        if visible and not root_sql(tree):
            return Selection(tuple(by_folder(f"{folder}/migration.sql", folder) for folder in visible))
    listed = tags(tree.files.get(JOURNAL, b""))
    if listed is None:
        return Selection(
            (), aux=(JOURNAL,), problems=(_unreadable(tree),) if root_sql(tree) or JOURNAL in tree.files else ()
        )
    names = [f"{tag}.sql" for tag in dict.fromkeys(listed)]
    known = set(names)
    return Selection(
        tuple(_entry(name) for name in names if name in tree.files),
        aux=(JOURNAL,),
        problems=(
            *(
                _mismatch(name, f"{JOURNAL} lists {name}, which is not here")
                for name in names
                if name not in tree.files
            ),
            *(
                _mismatch(name, f"{name} is not listed in {JOURNAL}, so it would never run")
                for name in root_sql(tree)
                if name not in known
            ),
        ),
    )


def _entry(name: str) -> Entry:
    found = _TAG.fullmatch(name.removesuffix(".sql"))
    version, description = found.groups() if found else ("", name)
    return Entry(name, version, description)


def _mismatch(name: str, message: str) -> Problem:
    return problem(
        "journal-mismatch", "error", message, name, remedy="generate the migration anew, so that file and journal agree"
    )


def _unreadable(tree: Tree) -> Problem:
    what = "is not a journal with entries" if JOURNAL in tree.files else "is not here"
    return problem(
        "journal-mismatch", "error", f"{JOURNAL} {what}, so no order is known", JOURNAL, remedy="restore it from Git"
    )


def sections(source: Source) -> Sections:
    """Cut at breakpoints, each piece one statement; a file without any is split like every other."""
    text = source.text
    if _BREAK not in text:
        return Sections()
    parts, start = [], 0
    while start <= len(text):
        found = text.find(_BREAK, start)
        end = len(text) if found < 0 else found
        if not is_blank(text, start, end):
            parts.append(Part(start, end, whole=True))
        start = end + len(_BREAK)
    return Sections(tuple(parts))


FORMAT = Format("drizzle", select, sections, order="own")
