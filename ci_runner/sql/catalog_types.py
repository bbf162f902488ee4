"""Domains and what they stand for, the columns that go when their type does, and what ALTER FUNCTION says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec.structs import replace

from ci_runner.model.operations import Column, CreateDomain, DropObjects, Name, Other, RenameObject, Type
from ci_runner.model.schema import Catalog, Table
from ci_runner.sql.catalog_map import Layered
from ci_runner.sql.catalog_names import created, locate

_DEEPEST = 16  # domains over domains followed
# What extensions bring that is used as a column's type.
_BROUGHT = {
    "citext": ("citext",), "hstore": ("hstore",), "ltree": ("ltree", "lquery", "ltxtquery"), "cube": ("cube",), "seg": ("seg",),
    "postgis": ("geometry", "geography", "box2d", "box3d"), "postgis_raster": ("raster",), "vector": ("vector", "halfvec", "sparsevec"),
    "isn": ("ean13", "isbn", "isbn13", "ismn", "ismn13", "issn", "issn13", "upc"), "semver": ("semver",), "roaringbitmap": ("roaringbitmap",),
}  # fmt: skip


def _name(type_: Type) -> Name:
    schema, _, name = type_.base.replace('"', "").rpartition(".")
    return Name(schema, name)


def _domain(catalog: Catalog, type_: Type) -> Column | None:
    if type_.suffix.endswith("]"):
        return None  # an array of it is a type of its own
    return catalog.domains.get(locate(catalog, _name(type_), "postgres", catalog.domains))


def settled(catalog: Catalog, type_: Type) -> Type:
    """What values of the type are made of: the type itself, or what its domain stands for."""
    for _ in range(_DEEPEST if catalog.domains else 0):
        domain = _domain(catalog, type_)
        if domain is None or domain.type is None:
            break
        type_ = domain.type
    return type_


def chain(catalog: Catalog, type_: Type | None) -> Iterator[Column]:
    """The domains a type is made of, the outermost first; none where it is no domain."""
    for _ in range(_DEEPEST if catalog.domains else 0):
        domain = _domain(catalog, type_) if type_ is not None else None
        if domain is None:
            return
        yield domain
        type_ = domain.type


def constrained(catalog: Catalog, type_: Type | None) -> bool:
    """Whether values must pass a constraint of the type's domain: PostgreSQL then writes every row anew."""
    return any(domain.options or domain.nullable is False for domain in chain(catalog, type_))


def users(catalog: Catalog, name: Name) -> Iterator[tuple[Name, Table, list[Column]]]:
    """The tables with columns of a domain, or of a domain made of it."""
    key = locate(catalog, name, "postgres", catalog.domains)
    domain = catalog.domains.get(key)
    for table_key, table in catalog.tables.items() if domain is not None else ():
        found = [c for c in table.columns.values() if any(each is domain for each in chain(catalog, c.type))]
        if found:
            yield table_key, table, found


def carried(catalog: Catalog, op: DropObjects) -> Iterator[tuple[Name, Table, list[Column]]]:
    """The tables that lose columns to DROP TYPE, DOMAIN or EXTENSION … CASCADE, with those columns."""
    if op.kind not in ("drop-type", "drop-domain", "drop-extension") or "cascade" not in op.options:
        return
    gone = op.names
    if op.kind == "drop-extension":
        gone = tuple(Name("", each) for name in op.names for each in _BROUGHT.get(name.name, ()))
    for key, table in catalog.tables.items() if gone else ():
        found = [c for c in table.columns.values() if c.type is not None and any(_same(_name(c.type), n) for n in gone)]
        if found:
            yield key, table, found


def _same(one: Name, two: Name) -> bool:
    one, two = (Name("" if name.schema == "public" else name.schema, name.name) for name in (one, two))
    return one.name == two.name and (one.schema == two.schema or "" in (one.schema, two.schema))


def create_domain(catalog: Catalog, op: CreateDomain, dialect: str) -> Catalog:
    """CREATE DOMAIN."""
    key = created(catalog, op.domain, dialect)
    if op.conditional and key in catalog.domains:
        return catalog
    born = Layered.of(catalog.born).put(("type", key), True)
    return replace(catalog, domains=Layered.of(catalog.domains).put(key, op.definition), born=born)


def drop_domain(catalog: Catalog, name: Name, dialect: str) -> Catalog:
    """The catalog without that domain."""
    key = locate(catalog, name, dialect, catalog.domains)
    return replace(catalog, domains=Layered.of(catalog.domains).without(key)) if key in catalog.domains else catalog


def rename_domain(catalog: Catalog, op: RenameObject, dialect: str) -> Catalog:
    """A domain under its new name."""
    key = locate(catalog, op.name, dialect, catalog.domains)
    if key not in catalog.domains:
        return catalog
    new = Name(op.new.schema or key.schema, op.new.name)
    return replace(catalog, domains=Layered.of(catalog.domains).without(key).put(new, catalog.domains[key]))


def alter_domain(catalog: Catalog, op: Other, dialect: str) -> Catalog:
    """ALTER DOMAIN: what it says of NULL and of constraints."""
    key = locate(catalog, op.object, dialect, catalog.domains) if op.object else None
    domain = catalog.domains.get(key) if key else None
    if domain is None or key is None:
        return catalog
    names = [option.partition(" ")[2] for option in op.options if option.startswith("constraint ")]
    changed: dict[str, Any] = {}
    action = op.kind.rpartition(".")[2]
    if action in ("set-not-null", "drop-not-null"):
        changed["nullable"] = action == "drop-not-null"
    elif action == "add-constraint":
        changed["options"] = (*domain.options, *(names or [""]))
    elif action == "drop-constraint":
        gone = next((each for each in (*names, "") if each in domain.options), None)
        at = domain.options.index(gone) if gone is not None else len(domain.options)
        changed["options"] = (*domain.options[:at], *domain.options[at + 1 :])
    return replace(catalog, domains=Layered.of(catalog.domains).put(key, replace(domain, **changed)))


def alter_function(catalog: Catalog, op: Other, dialect: str) -> Catalog:
    """ALTER FUNCTION … IMMUTABLE and its kin."""
    key = locate(catalog, op.object, dialect, catalog.functions) if op.object else None
    said = next((option for option in op.options if option in ("immutable", "stable", "volatile")), "")
    if key is None or not said:
        return catalog
    return replace(catalog, functions=Layered.of(catalog.functions).put(key, said))
