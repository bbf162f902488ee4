"""How the files of each format say that a runner must not wrap them, and what the next file of a directory is called."""

from __future__ import annotations

import re
from collections.abc import Callable

from msgspec import Struct

from ci_runner.lint.rule import Edit
from ci_runner.model.directory import Migration, MigrationDir
from ci_runner.model.report import SuggestedFile

ALONE = (
    "prisma",
    "golang-migrate",
)  # these tools wrap nothing: only several statements sent at once are one transaction


class Outside(Struct, frozen=True):
    """What takes a file out of the runner's transaction: edits of the file, and other files to be written whole."""

    edits: tuple[Edit, ...] = ()
    files: tuple[SuggestedFile, ...] = ()


def outside(migration: Migration, format_: str, directory: MigrationDir | None, at: int) -> Outside | None:
    """How that file, or the section that ``at`` lies in, is taken out of the transaction; None where it cannot be said."""
    if format_ == "dbmate":
        mark = re.compile(r"^--\s*migrate:up[ \t]*$", re.MULTILINE).search(migration.text)
        return Outside((Edit(mark.end(), mark.end(), " transaction:false"),)) if mark else None
    if format_ == "liquibase":
        return _changeset(migration, at)
    if format_ in _BESIDE:
        name, line = _BESIDE[format_]
        path = name(migration.name)
        there = directory.files.get(path, b"").decode("utf-8", "replace") if directory else ""
        if line.partition("=")[0].strip() in there:
            return None
        return Outside(files=(SuggestedFile(path, f"{there.rstrip()}\n{line}\n".lstrip()),))
    text = _TOP.get(format_)
    if text is None or (format_ == "atlas" and migration.text.count("\r\n", 0, 4096)):
        return None  # Atlas knows no blank line that ends in CRLF, and would not honour the directive
    return Outside((Edit(0, 0, text),))


_TOP = {"atlas": "-- atlas:txmode none\n\n", "sqlx": "-- no-transaction\n", "goose": "-- +goose NO TRANSACTION\n"}
_BESIDE: dict[str, tuple[Callable[[str], str], str]] = {
    "flyway": (lambda name: f"{name}.conf", "executeInTransaction=false"),
    "diesel": (lambda name: f"{name.rpartition('/')[0]}/metadata.toml", "run_in_transaction = false"),
}


def _changeset(migration: Migration, at: int) -> Outside | None:
    """A changeset says it on its first line."""
    part = next((part for part in migration.parts if part.start <= at < part.end), None)
    head = None
    for found in re.finditer(r"^[ \t]*--[ \t]*changeset[ \t][^\r\n]*", migration.text, re.MULTILINE | re.IGNORECASE):
        if found.end() <= at:
            head = found
    if part is None or head is None or "runintransaction" in head[0].lower():
        return None
    return Outside((Edit(head.end(), head.end(), " runInTransaction:false"),))


def changeset(name: str, statements: str) -> str:
    """Further statements of a Liquibase file, in a changeset of their own."""
    return f"\n\n-- changeset pilotage:{name}\n{statements}"


class Following(Struct, frozen=True):
    """A migration to come after all others: its text as a Migration, and the files it takes."""

    migration: Migration
    files: tuple[SuggestedFile, ...]


def following(
    directory: MigrationDir, taken: list[str], name: str, statements: str, *, alone: bool
) -> Following | None:
    """The next migration of the directory with those statements; None where this format gives no such name.

    ``taken`` are the names of migrations already proposed behind the newest. ``alone``: outside a transaction.
    """
    form = directory.format
    path = _next(form, [*(m.name for m in directory.migrations if m.kind == "versioned"), *taken], name)
    if path is None or path in directory.files:
        return None
    head, foot = {"goose": ("-- +goose Up\n", ""), "dbmate": ("-- migrate:up\n", "\n-- migrate:down\n")}.get(
        form, ("", "")
    )
    text = f"{head}{statements}\n{foot}"
    made = Migration(path, "", name, text, "")
    files: tuple[SuggestedFile, ...] = ()
    if alone and form not in ALONE:
        apart = outside(made, form, None, 0)
        if apart is None:
            return None
        for edit in apart.edits:
            text = text[: edit.start] + edit.text + text[edit.end :]
        files = apart.files
        made = Migration(path, "", name, text, "", transaction="none")
    return Following(made, (SuggestedFile(path, text), *files))


_NAMES = {
    "atlas": "{version}_{name}.sql", "goose": "{version}_{name}.sql", "dbmate": "{version}_{name}.sql", "supabase": "{version}_{name}.sql",
    "golang-migrate": "{version}_{name}.up.sql", "prisma": "{version}_{name}/migration.sql", "diesel": "{version}_{name}/up.sql",
    "flyway": "V{version}__{name}.sql",
}  # fmt: skip


_BY_NUMBER = ("goose", "flyway", "golang-migrate")


def _next(form: str, names: list[str], name: str) -> str | None:
    """The path of a migration that sorts behind the last of ``names``; None where their names do not tell how they go on."""
    pattern = _NAMES.get(form) or ("{version}_{name}" + _ending(names) if form == "sqlx" else None)
    mark = "__" if form == "flyway" else "_"
    found = re.match(rf"(V?)([0-9][0-9._-]*?){mark}[^/]", names[-1].rpartition("/")[2] or names[-1]) if names else None
    if form in ("prisma", "diesel") and names:
        found = re.match(r"()([0-9][0-9-]*?)_", names[-1])
    if pattern is None or found is None:
        return None
    version = _after(found[2])
    if version and len(version) > len(found[2]) and form not in _BY_NUMBER:
        return None  # by the bytes of its name it would run before the others
    return pattern.format(version=version, name=_plain(name)) if version else None


def _ending(names: list[str]) -> str:
    return ".up.sql" if names and names[-1].endswith(".up.sql") else ".sql"


def _after(version: str) -> str | None:
    """The version that comes next: a second later for a moment, else one more."""
    digits = version.replace("-", "")
    form = "%Y-%m-%d-%H%M%S" if "-" in version else "%Y%m%d%H%M%S"
    if len(digits) == 14:
        from datetime import datetime, timedelta

        try:
            return (datetime.strptime(version, form) + timedelta(seconds=1)).strftime(form)  # noqa: DTZ007 — a name, no moment
        except ValueError:
            pass
    head, last = re.fullmatch(r"(.*?)([0-9]+)", version, re.DOTALL).groups() if version[-1:].isdigit() else ("", "")  # type: ignore[union-attr]
    if not last or len(last) > 18:
        return None
    return f"{head}{int(last) + 1:0{len(last)}d}"


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")[:60] or "next"
