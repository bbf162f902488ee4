"""Stores: bytes by key, opened by address; the only thing a registry asks of the world."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from ci_runner.errors import ConfigError, SetupError
from ci_runner.stores.store import HINTS, AmbiguousError, Created, Store, check_key

if TYPE_CHECKING:
    from ci_runner.stores.address import Address

__all__ = ["HINTS", "AmbiguousError", "Created", "Store", "check_key", "open", "place"]

_CLOUD = ("endpoint", "insecure", "hints", "credentials", "timeout")


def _open_file(address: Address) -> Store:
    from ci_runner.stores.file import FileStore

    return FileStore(_path(address))


def _open_memory(address: Address) -> Store:
    from ci_runner.stores.memory import MemoryStore

    if address.place.strip("/"):
        raise ConfigError("a store in memory has no name: its address is memory:")
    return MemoryStore()


def _open_s3(address: Address) -> Store:
    from ci_runner.stores import s3

    return s3.open_store(address)


def _open_gs(address: Address) -> Store:
    from ci_runner.stores import gs

    return gs.open_store(address)


def _open_azureblob(address: Address) -> Store:
    from ci_runner.stores import azureblob

    return azureblob.open_store(address)


def _open_oci(_address: Address) -> Store:
    raise SetupError(
        "an OCI registry (oci://) cannot be the registry or a backup: writing a tag has no condition there, so of two pushes at once "
        "the last writer wins; use a bucket or a folder"
    )


_TABLE: dict[str, tuple[Callable[[Address], Store], tuple[str, ...]]] = {
    "file": (_open_file, ()),
    "memory": (_open_memory, ()),
    "s3": (_open_s3, ("region", "path_style", "profile", *_CLOUD)),
    "gs": (_open_gs, _CLOUD),
    "azureblob": (_open_azureblob, ("storage_account", "domain", *_CLOUD)),
    "oci": (_open_oci, ()),
}
"""Scheme → how it is opened, and the parameters its addresses take. A new store is one file and one line here."""


def open(address: str, environ: Mapping[str, str] | None = None) -> Store:  # noqa: A001 — stores.open reads as what it is
    """The store at ``address`` (file:///srv/registry, s3://bucket/prefix?region=…, memory:); nothing is read or written yet.

    ``environ`` is where a cloud's keys and region may stand. ConfigError for an address that cannot be meant, SetupError for what is
    missing here: the client of a cloud, credentials.
    """
    from ci_runner.stores.address import check_parameters, parse

    parsed = parse(address, environ or {})
    if parsed.scheme not in _TABLE:
        raise _unknown_scheme(parsed.scheme)
    opener, known = _TABLE[parsed.scheme]
    if parsed.scheme != "oci":
        check_parameters(parsed, known)
    return opener(parsed)


def place(address: str) -> tuple[str, str, str]:
    """Scheme, bucket and prefix of an address, without opening it; ConfigError for one that cannot be meant."""
    from ci_runner.stores.address import parse

    parsed = parse(address, {})
    bucket, _, prefix = parsed.place.partition("/")
    return parsed.scheme, bucket, prefix.strip("/")


def _path(address: Address) -> str:
    place = address.place.removeprefix("localhost") if address.place.startswith("localhost/") else address.place
    if not place:
        raise ConfigError(
            "the address file:// names no folder: write file:///srv/registry, or file://folder for one below the current folder"
        )
    return place


def _unknown_scheme(scheme: str) -> Exception:
    have = ", ".join(f"{name}:" if name == "memory" else f"{name}://" for name in _TABLE if name != "oci")
    near = difflib.get_close_matches(scheme, _TABLE, n=1)
    meant = f' — did you mean "{near[0]}"?' if near else ""
    return ConfigError(f"no store is called {scheme!r}{meant} (stores: {have})")
