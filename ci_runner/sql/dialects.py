"""What tells the eight SQL dialects apart before any grammar: quotes, comments, and how names fold."""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from ci_runner.errors import ConfigError


class Dialect(Struct, frozen=True):
    """The lexical traits of a dialect, from the vendors' manuals (chapter "lexical structure" or "identifiers" of each).

    ``fold`` and ``fold_columns`` are lower, upper or keep; ``fold_quoted`` says that quoting protects nothing from it,
    ``caseless_columns`` the same of names of columns alone.
    ``text_quotes`` delimit strings, ``name_quotes`` names. ``backslash``: an escape inside strings. ``dollar``: no dollar quotes
    (""), bare ``$$`` only ("bare") or tagged ones ("tagged"). ``dash_blank``: ``--`` needs a blank behind it to be a comment.
    ``templates``: files are rendered by Jinja first.
    """

    name: str
    fold: str = "keep"
    fold_columns: str = "keep"
    fold_quoted: bool = False
    caseless_columns: bool = False
    text_quotes: str = "'"
    name_quotes: str = '"'
    backslash: bool = False
    dollar: str = ""
    nested_comments: bool = False
    hash_comments: bool = False
    slash_comments: bool = False
    dash_blank: bool = False
    executable_comments: bool = False
    psql: bool = False
    templates: bool = False
    delimiter_command: bool = False
    batches: bool = False


_MYSQL = Dialect(
    "mysql", fold_columns="lower", caseless_columns=True, text_quotes="'\"", name_quotes="`", backslash=True, hash_comments=True,
    dash_blank=True, executable_comments=True, delimiter_command=True,
)  # fmt: skip

DIALECTS: dict[str, Dialect] = {
    d.name: d
    for d in (
        Dialect(
            "postgres", fold="lower", fold_columns="lower", dollar="tagged", nested_comments=True, psql=True,
        ),
        _MYSQL,
        replace(_MYSQL, name="mariadb"),
        Dialect("sqlite", fold_columns="lower", caseless_columns=True, name_quotes='"`['),
        Dialect(
            "sqlserver", fold_columns="lower", caseless_columns=True, name_quotes='"[', nested_comments=True, batches=True,
        ),
        Dialect(
            "clickhouse", name_quotes='"`', backslash=True, dollar="tagged", nested_comments=True, hash_comments=True,
        ),
        Dialect(
            "redshift", fold="lower", fold_columns="lower", fold_quoted=True, backslash=True, dollar="tagged",
            nested_comments=True, psql=True,
        ),
        Dialect("snowflake", fold="upper", fold_columns="upper", backslash=True, dollar="bare", slash_comments=True, templates=True),
    )
}  # fmt: skip

_ALIASES = {"tsql": "sqlserver", "mssql": "sqlserver", "postgresql": "postgres", "pg": "postgres"}


def normalize_dialect(name: str) -> str:
    """The printed name of the dialect that ``name`` (any case, ``tsql`` for one) means.

    Raises ConfigError for a name that means none, listing those that exist.
    """
    lowered = name.strip().lower()
    found = _ALIASES.get(lowered, lowered)
    if found not in DIALECTS:
        raise ConfigError(f"unknown SQL dialect {name!r} — choose one of {', '.join(DIALECTS)}")
    return found


def dialect(name: str) -> Dialect:
    """The traits of the dialect called ``name``."""
    return DIALECTS[normalize_dialect(name)]
