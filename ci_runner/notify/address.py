"""Which addresses a hook may call: a name is looked up once, every answer is judged, and only what was judged is connected to."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

from msgspec import Struct

from ci_runner.errors import RefusedError

Lookup = Callable[[str, int], Sequence[str]]
"""Addresses of a host, as text; OSError when there is none."""

Address = IPv4Address | IPv6Address
PORTS = (443, 8443)
# Where clouds answer with credentials (AWS, Google, Azure, Oracle, Alibaba): never, whatever a configuration says.
_METADATA = tuple(
    map(ip_network, ("169.254.0.0/16", "fe80::/10", "fd00:ec2::254/128", "100.100.100.200/32", "192.0.0.192/32"))
)
_NEVER = (*_METADATA, *map(ip_network, ("0.0.0.0/8", "::/128", "224.0.0.0/4", "240.0.0.0/4", "ff00::/8")))
# Forms that carry an IPv4 address inside another one: mapped, compatible, NAT64, 6to4, Teredo, ISATAP's like are caught as private.
_WRAPPED = tuple(
    map(ip_network, ("::ffff:0:0/96", "::/96", "64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32"))
)
_PRIVATE = tuple(
    map(
        ip_network,
        (
            "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16",
            "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
            "::1/128", "100::/64", "2001:db8::/32", "fc00::/7", "fec0::/10", "3fff::/20", "5f00::/16",
        ),
    )
)  # fmt: skip
_NUMERIC = re.compile(r"(?i)[0-9.]+|0x[0-9a-f.x]*")


class Target(Struct, frozen=True):
    """Where to connect: the addresses that were judged, in the order the lookup gave them."""

    host: str
    port: int
    addresses: tuple[str, ...]


def check(url: str, lookup: Lookup, *, allow_private: bool = False, ports: Sequence[int] = ()) -> Target:
    """The place ``url`` leads to; RefusedError, naming no more of the address than its host, when a hook must not call it.

    ``allow_private`` lets a hook into one's own network, there also without TLS; places where a cloud hands out credentials stay
    closed. OSError when the host is not found.
    """
    try:
        parts = urlsplit(url.strip())
        port = parts.port or (443 if parts.scheme == "https" else 80)
        host = (parts.hostname or "").rstrip(".")
    except ValueError:
        raise RefusedError("the hook's address cannot be read: it must be https://host/path") from None
    if parts.scheme not in ({"https", "http"} if allow_private else {"https"}) or not host:
        raise RefusedError("the hook's address must begin with https:// and name a host")
    if parts.username is not None or parts.fragment or any(ord(character) < 33 for character in url.strip()):
        raise RefusedError("the hook's address must hold no user, fragment or blank")
    if not allow_private and port not in (*PORTS, *ports):
        raise RefusedError(f"the hook's port {port} is not allowed: list it under 'ports', or use 443 or 8443")
    found = tuple(dict.fromkeys(_literal(host) or lookup(host, port)))
    if not found:
        raise OSError(f"{host} has no address")
    for each in found:
        _judge(host, each, allow_private=allow_private, plain=parts.scheme == "http")
    return Target(host, port, found)


def _literal(host: str) -> tuple[str, ...]:
    """The address when the host is one; RefusedError for decimal, octal and hexadecimal spellings of it."""
    try:
        return (str(ip_address(host.partition("%")[0])),)
    except ValueError:
        pass
    if _NUMERIC.fullmatch(host):
        raise RefusedError(f"the hook's host {host[:60]!r} is an address in an odd spelling: write a name")
    return ()


def _judge(host: str, text: str, *, allow_private: bool, plain: bool) -> None:
    address: Address = ip_address(text.partition("%")[0])
    if _inside(address, _NEVER):
        raise RefusedError(f"the hook's host {host} leads to {address}, which no hook may call")
    inner = _inside(address, _PRIVATE)
    if _inside(address, _WRAPPED) and not inner:
        raise RefusedError(f"the hook's host {host} leads to {address}, which hides another address")
    if inner and not allow_private:
        raise RefusedError(
            f"the hook's host {host} leads to {address}, which lies in a private network: set allow_private: true for this hook "
            "if that is meant"
        )
    if plain and not inner:
        raise RefusedError(f"the hook's address must begin with https://: {host} lies outside your own network")


def _inside(address: Address, networks: Sequence[object]) -> bool:
    return any(address in network for network in networks)  # type: ignore[operator]
