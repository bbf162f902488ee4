"""Diesel: one folder per migration, ``<timestamp>_<name>/up.sql`` and ``down.sql``, with an optional ``metadata.toml``."""

from __future__ import annotations

from operator import attrgetter

from ci_runner.migrations.format import Entry, Format, Sections, Selection, Source, format_error, problem
from ci_runner.migrations.prisma import folders
from ci_runner.model.directory import Tree


def select(tree: Tree, dialect: str) -> Selection:  # noqa: ARG001 - the signature of every format
    """``up.sql`` of every folder, by their versions; a folder with only a ``down.sql`` is an error."""
    visible = folders(tree)
    up = [folder for folder in visible if f"{folder}/up.sql" in tree.files]
    missing = [folder for folder in visible if folder not in set(up) and f"{folder}/down.sql" in tree.files]
    return Selection(
        tuple(sorted(map(_entry, up), key=attrgetter("version"))),
        sum_order=tuple(f"{folder}/up.sql" for folder in up),
        down=tuple(f"{folder}/down.sql" for folder in visible if f"{folder}/down.sql" in tree.files),
        aux=tuple(f"{folder}/metadata.toml" for folder in up),
        problems=tuple(
            problem(
                "file-missing",
                "error",
                f"the folder {folder} has no up.sql",
                f"{folder}/up.sql",
                remedy="restore the file, or delete the folder",
            )
            for folder in missing
        ),
    )


def _entry(folder: str) -> Entry:
    version, _, description = folder.partition("_")
    return Entry(f"{folder}/up.sql", version.replace("-", ""), description)


def sections(source: Source) -> Sections:
    """``run_in_transaction = false`` in the folder's metadata.toml takes the file out of the transaction."""
    path = source.name.removesuffix("up.sql") + "metadata.toml"
    metadata = source.files.get(path)
    if metadata is None:
        return Sections()
    import tomllib

    try:
        given = tomllib.loads(metadata.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        return Sections(problems=(format_error(path, None, f"{path} is not TOML: {error}", "correct the file"),))
    return Sections(transaction="none" if given.get("run_in_transaction") is False else None)


# Diesel compares versions, which it takes without dashes: 2015-12-31-000000_b runs behind 20150102000000_a (diesel_migrations, FileBasedMigrations).
FORMAT = Format("diesel", select, sections, order="number", root_only=False)
