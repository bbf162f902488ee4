"""A catalog as JSON bytes and back, for the cache: fast to read, and wrong bytes are a miss, never an error."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeVar

from ci_runner.model.operations import Column, Constraint, Index, Name, Reference, Type
from ci_runner.model.schema import Catalog, Table
from ci_runner.sql.catalog_map import Layered, Raw

VERSION = 1  # part of the cache key and of the bytes: catalogs of another make are not read
_DEEPEST = 10_000_000  # bytes of a catalog worth parsing

T = TypeVar("T")


class _BadError(ValueError):
    """Bytes that are no catalog."""


def dumps(catalog: Catalog) -> bytes:
    """The catalog as compact JSON; fields at their defaults are left out."""
    document = {
        "format": VERSION,
        "tables": [[*key, _table(table)] for key, table in catalog.tables.items()],
        "index_tables": [[*key, *table] for key, table in catalog.index_tables.items()],
        "referrers": [[*key, list(names)] for key, names in catalog.referrers.items()],
        "enums": [[*key, list(values)] for key, values in catalog.enums.items()],
        "functions": [[*key, value] for key, value in catalog.functions.items()],
        "views": [[*key, list(names)] for key, names in catalog.views.items()],
        "schemas": sorted(catalog.schemas),
        "settings": dict(catalog.settings),
        "search_path": list(catalog.search_path),
        "born": [[kind, *name] for kind, name in catalog.born],
        "creates": list(catalog.creates),
        "clustered": [list(name) for name in catalog.clustered],
        "replicated": sorted(catalog.replicated),
    }
    return json.dumps(document, separators=(",", ":")).encode()


def _sparse(value: Any, encoders: Mapping[str, Callable[[Any], Any]]) -> dict[str, Any]:
    defaults = value._field_defaults
    pairs = zip(value._fields, value, strict=True)
    return {
        k: encoders[k](v) if k in encoders and v is not None else v
        for k, v in pairs
        if k not in defaults or v != defaults[k]
    }


def _type(value: Type) -> dict[str, Any]:
    return _sparse(value, {})


def _reference(value: Reference) -> dict[str, Any]:
    return _sparse(value, {})


def _column(value: Column) -> dict[str, Any]:
    return _sparse(value, {"type": _type, "references": _reference})


def _constraint(value: Constraint) -> dict[str, Any]:
    return _sparse(value, {"references": _reference})


def _table(value: Table) -> dict[str, Any]:
    return _sparse(
        value,
        {
            "columns": lambda columns: [[key, _column(column)] for key, column in columns.items()],
            "constraints": lambda constraints: [_constraint(c) for c in constraints],
            "indexes": lambda indexes: [[key, _sparse(index, {})] for key, index in indexes.items()],
        },
    )


def loads(data: bytes) -> Catalog | None:
    """The catalog those bytes hold; None for anything else. Tables are decoded when first looked at."""
    if len(data) > _DEEPEST:
        return None
    try:
        return _catalog(json.loads(data))
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError):
        return None


def _catalog(document: Any) -> Catalog:
    if document["format"] != VERSION or type(document["format"]) is not int:
        raise _BadError
    one, two = document["creates"]
    return Catalog(
        tables=Layered({_name(row[:2]): Raw(row, _lazy_table) for row in document["tables"]}),
        index_tables=Layered({_name(row[:2]): _name(row[2:]) for row in document["index_tables"]}),
        referrers=Layered({_name(row[:2]): tuple(map(_name, row[2])) for row in document["referrers"]}),
        enums=Layered({_name(row[:2]): _texts(row[2]) for row in document["enums"]}),
        functions=Layered({_name(row[:2]): _text(row[2]) for row in document["functions"]}),
        views=Layered({_name(row[:2]): tuple(map(_name, row[2])) for row in document["views"]}),
        schemas=frozenset(_texts(document["schemas"])),
        settings={_text(key): _text(value) for key, value in document["settings"].items()},
        search_path=_texts(document["search_path"]),
        born=Layered({(_text(row[0]), _name(row[1:])): True for row in document["born"]}),
        creates=(_number(one), _number(two)),
        clustered=Layered({_name(row): True for row in document["clustered"]}),
        replicated=frozenset(_texts(document["replicated"])),
    )


def _lazy_table(row: Any) -> Table:
    """The table of one row; a row that is none is a table of which only the name is known."""
    try:
        return _read_table(row[2])
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError):
        return Table(Name(row[0], row[1]), {}, partial=True)


def _text(value: Any) -> str:
    if value.__class__ is not str:
        raise _BadError
    text: str = value
    return text


def _number(value: Any) -> int:
    if value.__class__ is not int:
        raise _BadError
    number: int = value
    return number


def _flag(value: Any) -> bool:
    if value is not True and value is not False:
        raise _BadError
    return bool(value)


def _flag_or_none(value: Any) -> bool | None:
    return None if value is None else _flag(value)


def _text_or_none(value: Any) -> str | None:
    return None if value is None else _text(value)


def _texts(value: Any) -> tuple[str, ...]:
    if value.__class__ is not list:
        raise _BadError
    return tuple(map(_text, value))


def _name(value: Any) -> Name:
    schema, name = value
    return Name(_text(schema), _text(name))


def _read(cls: Callable[..., T], value: Any, fields: Mapping[str, Callable[[Any], Any]]) -> T:
    return cls(**{key: fields[key](part) for key, part in value.items()})


def _read_type(value: Any) -> Type | None:
    return None if value is None else _read(Type, value, _TYPE)


def _read_reference(value: Any) -> Reference | None:
    return None if value is None else _read(Reference, value, _REFERENCE)


def _read_column(value: Any) -> Column:
    return _read(Column, value, _COLUMN)


def _read_table(value: Any) -> Table:
    return _read(Table, value, _TABLE)


def _fields(cls: type[NamedTuple], **special: Callable[[Any], Any]) -> dict[str, Callable[[Any], Any]]:
    """A reader per field of ``cls`` by its annotation, unless ``special`` names another."""
    plain: dict[str, Callable[[Any], Any]] = {
        "str": _text, "bool": _flag, "bool | None": _flag_or_none, "str | None": _text_or_none, "tuple[str, ...]": _texts, "Name": _name,
    }  # fmt: skip
    return {
        name: special[name] if name in special else plain[_spelled(kind)] for name, kind in cls.__annotations__.items()
    }


def _spelled(annotation: Any) -> str:
    """The annotation's source: a string under postponed evaluation, or what typing wrapped it in."""
    return str(getattr(annotation, "__forward_arg__", annotation))


_TYPE = _fields(Type)
_REFERENCE = _fields(Reference)
_COLUMN = _fields(Column, type=_read_type, references=_read_reference)
_CONSTRAINT = _fields(Constraint, references=_read_reference)
_INDEX = _fields(Index)
_TABLE = _fields(
    Table,
    columns=lambda rows: {_text(key): _read_column(value) for key, value in rows},
    constraints=lambda rows: tuple(_read(Constraint, row, _CONSTRAINT) for row in rows),
    indexes=lambda rows: {_text(key): _read(Index, value, _INDEX) for key, value in rows},
    partition_of=lambda value: None if value is None else _name(value),
)
