"""A catalog as JSON bytes and back, for the cache: fast to read, and wrong bytes are a miss, never an error."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from msgspec import DecodeError, Meta, Raw, Struct
from msgspec.json import Decoder, encode

from ci_runner.model.operations import Column, Name
from ci_runner.model.schema import Catalog, Program, Table
from ci_runner.sql import catalog_map
from ci_runner.sql.catalog_map import Layered

VERSION = 7  # part of the cache key and of the bytes: catalogs of another make are not read
_LARGEST = 10_000_000  # bytes of a catalog worth parsing


class _Stored(Struct):
    """The catalog on disk: mappings by names are lists of rows; tables stay bytes until somebody looks at them."""

    format: Annotated[int, Meta(ge=VERSION, le=VERSION)]
    tables: list[tuple[Name, Raw]]
    index_tables: list[tuple[Name, Name]]
    referrers: list[tuple[Name, tuple[Name, ...]]]
    enums: list[tuple[Name, tuple[str, ...]]]
    domains: list[tuple[Name, Column]]
    functions: list[tuple[Name, str]]
    views: list[tuple[Name, tuple[Name, ...]]]
    programs: list[tuple[str, Name, Program]]
    schemas: frozenset[str]
    settings: dict[str, str]
    search_path: tuple[str, ...]
    born: list[tuple[str, Name]]
    creates: tuple[int, int]
    clustered: list[Name]
    dropped: list[tuple[Name, Table]]
    replicated: frozenset[str]


def dumps(catalog: Catalog) -> bytes:
    """The catalog as compact JSON; fields at their defaults are left out."""
    return encode(
        _Stored(
            VERSION,
            [(key, Raw(encode(table))) for key, table in catalog.tables.items()],
            list(catalog.index_tables.items()),
            list(catalog.referrers.items()),
            list(catalog.enums.items()),
            list(catalog.domains.items()),
            list(catalog.functions.items()),
            list(catalog.views.items()),
            [(kind, key, program) for (kind, key), program in catalog.programs.items()],
            catalog.schemas,
            dict(catalog.settings),
            catalog.search_path,
            list(catalog.born),
            catalog.creates,
            list(catalog.clustered),
            list(catalog.dropped.items()),
            catalog.replicated,
        ),
        order="deterministic",
    )


def loads(data: bytes) -> Catalog | None:
    """The catalog those bytes hold; None for anything else. Tables are decoded when first looked at."""
    if len(data) > _LARGEST:
        return None
    try:
        stored = Decoder(_Stored).decode(data)
    except (DecodeError, UnicodeDecodeError, RecursionError):
        return None
    read = Decoder(Table)
    return Catalog(
        tables=Layered({key: catalog_map.Raw(row, partial(_table, read, key)) for key, row in stored.tables}),
        index_tables=Layered(dict(stored.index_tables)),
        referrers=Layered(dict(stored.referrers)),
        enums=Layered(dict(stored.enums)),
        domains=Layered(dict(stored.domains)),
        functions=Layered(dict(stored.functions)),
        views=Layered(dict(stored.views)),
        programs=Layered({(kind, key): program for kind, key, program in stored.programs}),
        schemas=stored.schemas,
        settings=stored.settings,
        search_path=stored.search_path,
        born=Layered(dict.fromkeys(stored.born, True)),
        creates=stored.creates,
        clustered=Layered(dict.fromkeys(stored.clustered, True)),
        dropped=Layered(dict(stored.dropped)),
        replicated=stored.replicated,
    )


def _table(read: Decoder[Table], key: Name, row: Raw) -> Table:
    """The table of one row; a row that is none is a table of which only the name is known."""
    try:
        return read.decode(row)
    except (DecodeError, UnicodeDecodeError, RecursionError):
        return Table(key, {}, partial=True)
