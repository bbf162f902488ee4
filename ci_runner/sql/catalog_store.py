"""A catalog as JSON bytes and back, for the cache: fast to read, and wrong bytes are a miss, never an error."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any

from msgspec import DecodeError, Meta, Raw, Struct
from msgspec.json import Decoder, encode

from ci_runner.model.operations import Column, Name
from ci_runner.model.schema import Catalog, Program, Table
from ci_runner.sql.catalog_map import Layered

VERSION = 10  # part of the cache key and of the bytes: catalogs of another make are not read
_LARGEST = 10_000_000  # bytes of a catalog worth parsing


class _Stored(Struct):
    """The catalog on disk: mappings by names are lists of rows, and what may be long stays bytes until somebody looks at it."""

    format: Annotated[int, Meta(ge=VERSION, le=VERSION)]
    tables: list[tuple[Name, Raw]]
    index_tables: Raw
    referrers: Raw
    enums: Raw
    domains: Raw
    functions: Raw
    views: Raw
    programs: Raw
    schemas: frozenset[str]
    databases: frozenset[str]
    settings: dict[str, str]
    search_path: tuple[str, ...]
    born: list[tuple[str, Name]]
    creates: tuple[int, int]
    clustered: list[Name]
    dropped: list[tuple[Name, Table]]
    replicated: frozenset[str]


_LONG: Mapping[str, Any] = {
    "index_tables": list[tuple[Name, Name]],
    "referrers": list[tuple[Name, tuple[Name, ...]]],
    "enums": list[tuple[Name, tuple[str, ...]]],
    "domains": list[tuple[Name, Column]],
    "functions": list[tuple[Name, str]],
    "views": list[tuple[Name, tuple[Name, ...]]],
    "programs": list[tuple[tuple[str, Name], Program]],
}


def dumps(catalog: Catalog) -> bytes:
    """The catalog as compact JSON; fields at their defaults are left out."""
    long: dict[str, Any] = {name: Raw(encode(list(getattr(catalog, name).items()))) for name in _LONG}
    return encode(
        _Stored(
            format=VERSION,
            tables=[(key, Raw(encode(table))) for key, table in catalog.tables.items()],
            schemas=catalog.schemas,
            databases=catalog.databases,
            settings=dict(catalog.settings),
            search_path=catalog.search_path,
            born=list(catalog.born),
            creates=catalog.creates,
            clustered=list(catalog.clustered),
            dropped=list(catalog.dropped.items()),
            replicated=catalog.replicated,
            **long,
        ),
        order="deterministic",
    )


def loads(data: bytes) -> Catalog | None:
    """The catalog those bytes hold; None for anything else. What may be long is decoded when first looked at."""
    if len(data) > _LARGEST:
        return None
    try:
        stored = Decoder(_Stored).decode(data)
    except (DecodeError, UnicodeDecodeError, RecursionError):
        return None
    read = Decoder(Table)
    long: dict[str, Any] = {
        name: Layered.later(partial(_rows, kind, getattr(stored, name))) for name, kind in _LONG.items()
    }
    return Catalog(
        tables=Layered(dict(stored.tables), None, partial(_table, read)),
        schemas=stored.schemas,
        databases=stored.databases,
        settings=stored.settings,
        search_path=stored.search_path,
        born=Layered(dict.fromkeys(stored.born, True)),
        creates=stored.creates,
        clustered=Layered(dict.fromkeys(stored.clustered, True)),
        dropped=Layered(dict(stored.dropped)),
        replicated=stored.replicated,
        **long,
    )


def _table(read: Decoder[Table], key: Name, row: Raw) -> Table:
    """The table of one row; a row that is none is a table of which only the name is known."""
    try:
        return read.decode(row)
    except (DecodeError, UnicodeDecodeError, RecursionError):
        return Table(key, {}, partial=True)


def _rows(kind: Any, rows: Raw) -> dict[Any, Any]:
    """The mapping in rows of that kind; rows that are none say nothing."""
    try:
        return dict(Decoder(kind).decode(rows))
    except (DecodeError, UnicodeDecodeError, RecursionError):
        return {}
