"""sqlx: ``<digits>_<name>.sql``, or pairs of ``.up.sql`` and ``.down.sql``, run by number."""

from __future__ import annotations

import re

from ci_runner.migrations.format import Entry, Format, Sections, Selection, Source, as_number, format_error, root_sql
from ci_runner.model.directory import Problem, Tree

_NAME = re.compile(r"([0-9]+)_(.*?)(\.up|\.down|)\.sql", re.DOTALL)
NO_TRANSACTION = "-- no-transaction"


def select(tree: Tree, dialect: str) -> Selection:  # noqa: ARG001 - the signature of every format
    """Forward files by number; simple and reversible files in one directory are an error, as in sqlx itself."""
    found = [(name, match) for name in root_sql(tree) if (match := _NAME.fullmatch(name))]
    forward = [(Entry(name, match[1], match[2]), match[3]) for name, match in found if match[3] != ".down"]
    kinds = [kind for _, kind in forward]
    problems: tuple[Problem, ...] = ()
    if len(set(kinds)) > 1:
        odd = next(entry.path for entry, kind in forward if kind != kinds[0])
        problems = (
            format_error(
                odd,
                None,
                f"{odd} and {forward[0][0].path} are of two kinds: sqlx runs either simple files (.sql) or reversible ones (.up.sql), not both",
                "rename the files of one kind",
            ),
        )
    entries = tuple(sorted((entry for entry, _ in forward), key=lambda entry: (int(entry.version), entry.path)))
    return Selection(
        entries,
        sum_order=tuple(sorted(entry.path for entry in entries)),
        down=tuple(name for name, match in found if match[3] == ".down"),
        problems=problems,
    )


def sections(source: Source) -> Sections:
    """The first line ``-- no-transaction`` takes the file out of the transaction."""
    outside = source.text.startswith(NO_TRANSACTION)
    return Sections(transaction="none" if outside else None)


FORMAT = Format("sqlx", select, sections, order="number", key=as_number, apart=True)
