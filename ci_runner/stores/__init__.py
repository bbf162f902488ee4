"""Stores: bytes by key, opened by address; the only thing a registry asks of the world."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote

from ci_runner.errors import ConfigError, SetupError
from ci_runner.stores.store import HINTS, AmbiguousError, Created, Store, check_key

__all__ = ["HINTS", "AmbiguousError", "Created", "Store", "check_key", "open"]

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):(.*)", re.DOTALL)
_ELSEWHERE = {"s3": "S3", "gs": "Google Cloud Storage", "azureblob": "Azure Blob Storage", "oci": "OCI registry"}


@dataclass(frozen=True, slots=True)
class _Address:
    scheme: str
    place: str
    parameters: dict[str, str] = field(repr=False)


def _open_file(address: _Address) -> Store:
    from ci_runner.stores.file import FileStore

    return FileStore(_path(address))


def _open_memory(address: _Address) -> Store:
    from ci_runner.stores.memory import MemoryStore

    if address.place.strip("/"):
        raise ConfigError("a store in memory has no name: its address is memory:")
    return MemoryStore()


_TABLE: dict[str, tuple[Callable[[_Address], Store], tuple[str, ...]]] = {
    "file": (_open_file, ()),
    "memory": (_open_memory, ()),
}
"""Scheme → how it is opened, and the parameters its addresses take. A new store is one file and one line here."""


def open(address: str) -> Store:  # noqa: A001 — stores.open reads as what it is
    """The store at ``address`` (file:///srv/registry, file://folder, memory:); nothing is read or written yet.

    ConfigError for an address that cannot be meant, SetupError for a kind of store that this installation does not have.
    """
    parsed = _parse(address)
    if parsed.scheme not in _TABLE:
        raise _unknown_scheme(parsed.scheme)
    opener, known = _TABLE[parsed.scheme]
    for name in parsed.parameters:
        if name not in known:
            raise ConfigError(_unknown_parameter(parsed.scheme, name, known))
    return opener(parsed)


def _parse(address: str) -> _Address:
    if not address.strip() or not address.isprintable() or len(address) > 4096:
        raise ConfigError(
            "a registry's address is empty, over 4,096 characters or holds control characters: give one like file:///srv/registry"
        )
    match = _SCHEME.fullmatch(address)
    if not match:
        raise ConfigError(f'the registry address {address!r} has no scheme — did you mean "file://{address}"?')
    scheme, rest = match[1].lower(), match[2]
    rest, _, query = rest.partition("?")
    if "#" in rest or "#" in query:
        raise ConfigError(
            f"the {scheme} address of the registry has a fragment (#…): write %23 for a # that belongs to the name"
        )
    authority = rest[2:].partition("/")[0] if rest.startswith("//") else ""
    if "@" in authority:
        raise ConfigError(
            f"the {scheme} address of the registry holds user information (…@): credentials never stand in an address"
        )
    place = _decoded(scheme, rest.removeprefix("//"))
    return _Address(scheme, place, _parameters(scheme, query))


def _decoded(scheme: str, text: str) -> str:
    try:
        place = unquote(text, errors="strict")
    except UnicodeDecodeError:
        place = "\0"
    if not place.isprintable():
        raise ConfigError(f"the {scheme} address of the registry holds bytes that are no text: check its percent signs")
    return place


def _parameters(scheme: str, query: str) -> dict[str, str]:
    pairs = parse_qsl(query, keep_blank_values=True)
    names = [name for name, _ in pairs]
    if len(set(names)) != len(names):
        raise ConfigError(f"the {scheme} address of the registry gives a parameter twice: keep one")
    return dict(pairs)


def _path(address: _Address) -> str:
    place = address.place.removeprefix("localhost") if address.place.startswith("localhost/") else address.place
    if not place:
        raise ConfigError(
            "the address file:// names no folder: write file:///srv/registry, or file://folder for one below the current folder"
        )
    return place


def _unknown_scheme(scheme: str) -> Exception:
    have = ", ".join(f"{name}:" if name == "memory" else f"{name}://" for name in _TABLE)
    if scheme in _ELSEWHERE:
        return SetupError(
            f"this version of Pilotage has no {_ELSEWHERE[scheme]} store ({scheme}://): it stores in {have}"
        )
    near = difflib.get_close_matches(scheme, [*_TABLE, *_ELSEWHERE], n=1)
    meant = f' — did you mean "{near[0]}"?' if near else ""
    return ConfigError(f"no store is called {scheme!r}{meant} (stores: {have})")


def _unknown_parameter(scheme: str, name: str, known: tuple[str, ...]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    meant = f" — did you mean {near[0]!r}?" if near else ""
    takes = ", ".join(known) if known else "none"
    return f"unknown parameter {name[:60]!r} in the {scheme} address of the registry{meant} (it takes: {takes})"
