"""Liquibase formatted SQL: changesets in file order, without their rollback text."""

from __future__ import annotations

import re
from itertools import islice
from typing import NamedTuple

from ci_runner.migrations.atlas import entry
from ci_runner.migrations.format import (
    Format,
    Sections,
    Selection,
    Source,
    format_error,
    is_blank,
    line_of,
    not_supported,
    root_sql,
)
from ci_runner.model.directory import Part, Problem, Tree

HEADER = re.compile(r"[ \t]*--[ \t]*liquibase[ \t]+formatted[ \t]+sql\b", re.IGNORECASE)
_CHANGESET = re.compile(r"^[ \t]*--[ \t]*changeset[ \t]+([^\n]*)", re.MULTILINE | re.IGNORECASE)
_NAMES = re.compile(r"(\"[^\"]*\"|[^:\"]+):(\"[^\"]*\"|\S+)(?:\s+(.*))?", re.DOTALL)
_ATTRIBUTE = re.compile(r"(\w+):(\"[^\"]*\"|'[^']*'|\S+)")
_ROLLBACK = re.compile(r"[ \t]*(?:--[ \t]*rollback\b|(/\*)\s*liquibase\s+rollback\b)", re.IGNORECASE)
_REFUSED = re.compile(
    r"^[ \t]*--[ \t]*(preconditions\b|precondition-[\w-]+|property[ \t]+\S+:|include[ \t]+\S+:)",
    re.MULTILINE | re.IGNORECASE,
)
MOST = 20  # problems of one file that are worth naming
_OTHER = (".xml", ".yaml", ".yml", ".json")
_DBMS = {"postgres": {"postgresql", "postgres"}, "sqlserver": {"mssql", "sqlserver"}}


class _Changeset(NamedTuple):
    start: int
    end: int
    identity: tuple[str, str] | None
    attributes: dict[str, str]
    line: int


def select(tree: Tree, dialect: str) -> Selection:  # noqa: ARG001 - the signature of every format
    """SQL files of the root; a changelog in another language is an error."""
    other = sorted(
        n for n in tree.files if "/" not in n and n.endswith(_OTHER) and b"databaseChangeLog" in tree.files[n][:65536]
    )
    return Selection(
        tuple(entry(name, name) for name in root_sql(tree)),
        problems=tuple(
            not_supported(
                name, None, f"{name} is a changelog that is not SQL and cannot be run", "write it as formatted SQL"
            )
            for name in other
        ),
    )


def sections(source: Source) -> Sections:
    """One part per changeset that this dialect runs; the transaction is the changeset's."""
    found = _changesets(source)
    problems = [*_heading(source, found), *_refused(source), *_identities(source, found)]
    chosen = [changeset for changeset in found if _meant(changeset.attributes.get("dbms", ""), source.dialect)]
    parts = [_part(source.text, changeset) for changeset in chosen]
    again = [c for c in found if "true" in {c.attributes.get("runalways"), c.attributes.get("runonchange")}]
    return Sections(
        tuple(part for part in parts if part is not None),
        "changeset",
        tuple(problems),
        repeatable=bool(found) and len(again) == len(found),
    )


def _changesets(source: Source) -> list[_Changeset]:
    text = source.text
    marks = list(_CHANGESET.finditer(text))
    ends = [*(mark.start() for mark in marks), len(text)][1:]
    changesets, line, seen = [], 1, 0
    for mark, end in zip(marks, ends, strict=True):
        line += text.count("\n", seen, mark.start())
        seen = mark.start()
        names = _NAMES.fullmatch(mark[1].strip())
        given = _ATTRIBUTE.findall(names[3] or "") if names else []
        identity = (names[1].strip().strip('"'), names[2].strip('"')) if names else None
        attributes = {key.lower(): value.strip("\"'") for key, value in given}
        changesets.append(_Changeset(mark.end(), end, identity, attributes, line))
    return changesets


def _part(text: str, changeset: _Changeset) -> Part | None:
    end = _without_rollback(text, changeset.start, changeset.end)
    if is_blank(text, changeset.start, end):
        return None
    given = changeset.attributes
    delimiter = given.get("enddelimiter", "").replace("\\n", "\n").replace("\\r", "\r").replace("\\t", "\t")
    return Part(
        changeset.start,
        end,
        "none" if given.get("runintransaction", "").lower() == "false" else "file",
        whole=given.get("splitstatements", "").lower() == "false",
        delimiter=delimiter,
    )


def _without_rollback(text: str, start: int, end: int) -> int:
    """Where the changeset's own SQL ends: rollback text closes it, except comments between statements, which run nothing."""
    last = start
    at = start
    while at < end:
        found = _ROLLBACK.match(text, at, end)
        closing = text.find("*/", found.end(), end) if found and found[1] else at
        stop = (text.find("\n", closing, end) + 1 if closing >= 0 else 0) or end
        if not found and text[at:stop].strip():
            last = stop
        at = stop
    return last


def _meant(dbms: str, dialect: str) -> bool:
    wanted = {word.strip().lower() for word in dbms.split(",") if word.strip()}
    own = _DBMS.get(dialect, {dialect})
    if any("!" + name in wanted for name in own) or "none" in wanted:
        return False
    named = {word for word in wanted if not word.startswith("!")}
    return not named or "all" in named or bool(named & own)


def _heading(source: Source, found: list[_Changeset]) -> list[Problem]:
    text = source.text
    start = len(text) - len(text.lstrip())
    if not HEADER.match(text, start):
        return [_error(source, 0, "the first line is not '--liquibase formatted sql'")]
    before = _CHANGESET.search(text)
    if not is_blank(text, 0, before.start() if before else len(text)):
        return [
            _error(source, start, "statements stand before the first '--changeset author:id', so they would not run")
        ]
    return [
        format_error(source.name, changeset.line, "'--changeset' needs author:id", "write --changeset author:id")
        for changeset in found
        if changeset.identity is None
    ]


def _error(source: Source, offset: int, message: str) -> Problem:
    return format_error(source.name, line_of(source.text, offset), message, "see the Liquibase page on formatted SQL")


def _refused(source: Source) -> list[Problem]:
    return [
        not_supported(
            source.name,
            line_of(source.text, found.start(1)),
            f"'--{found[1].split()[0]}' decides at run time what runs, which is not supported",
            "take it out of the changelog",
        )
        for found in islice(_REFUSED.finditer(source.text), MOST)
    ]


def _identities(source: Source, found: list[_Changeset]) -> list[Problem]:
    seen: set[tuple[str, str]] = set()
    problems: list[Problem] = []
    for changeset in found:
        if changeset.identity is None:
            continue
        if changeset.identity in seen and len(problems) < MOST:
            name = ":".join(changeset.identity)
            problems.append(
                format_error(
                    source.name,
                    changeset.line,
                    f"the changeset {name} stands here a second time",
                    "give it an id of its own",
                )
            )
        seen.add(changeset.identity)
    return problems


FORMAT = Format("liquibase", select, sections, apart=True)
