"""Addresses of stores: taken apart, and refused with a hint when they cannot be meant."""

from __future__ import annotations

import difflib
import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from ci_runner.errors import ConfigError

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):(.*)", re.DOTALL)
_STEP = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._=-]{0,199}")
_SWITCH = {"true": True, "1": True, "on": True, "yes": True, "false": False, "0": False, "off": False, "no": False}
_INSIDE = (".local", ".internal", ".localhost", ".svc", ".lan", ".home.arpa")
_LONGEST_PREFIX = 300


@dataclass(frozen=True, slots=True)
class Address:
    """An address taken apart; ``environ`` is where credentials and regions may come from."""

    scheme: str
    place: str
    parameters: dict[str, str] = field(repr=False)
    environ: Mapping[str, str] = field(repr=False, default_factory=dict)


@dataclass(frozen=True, slots=True)
class Settings:
    """What the clouds' addresses have in common; ``shown`` is the address as people know it."""

    bucket: str
    prefix: str
    endpoint: str | None
    insecure: bool
    hints: bool
    credentials: str
    timeout: int
    shown: str


SOURCES = ("auto", "environment", "profile", "instance", "anonymous")


def parse(address: str, environ: Mapping[str, str]) -> Address:
    """Scheme, place and parameters of ``address``; ConfigError, without repeating what may be secret, when it has none."""
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
    return Address(scheme, place, _parameters(scheme, query), environ)


def check_parameters(address: Address, known: tuple[str, ...]) -> None:
    """ConfigError for a parameter that this kind of address does not take."""
    for name in address.parameters:
        if name not in known:
            raise ConfigError(_unknown_parameter(address.scheme, name, known))


def settings(address: Address, bucket: re.Pattern[str], what: str) -> Settings:
    """The common part of a cloud's address; ``what`` is how that cloud calls a bucket."""
    name, _, prefix = address.place.partition("/")
    prefix = prefix.strip("/")
    if not bucket.fullmatch(name):
        raise ConfigError(f"{name[:80]!r} in the {address.scheme} address of the registry is no name of a {what}")
    if len(prefix) > _LONGEST_PREFIX or not all(_STEP.fullmatch(step) for step in prefix.split("/") if prefix):
        raise ConfigError(
            f"the path after the {what} in the {address.scheme} address of the registry takes letters, digits, dots, dashes, "
            "underscores and equals signs between slashes"
        )
    source = address.parameters.get("credentials", "auto")
    if source not in SOURCES:
        raise ConfigError(f"credentials={source[:40]} is none of {', '.join(SOURCES)}")
    insecure = switch(address, "insecure", default=False)
    shown = f"{address.scheme}://{name}" + (f"/{prefix}" if prefix else "")
    query = urlencode(address.parameters, quote_via=quote, safe=":/")
    return Settings(
        bucket=name,
        prefix=prefix,
        endpoint=_endpoint(address, insecure=insecure),
        insecure=insecure,
        hints=switch(address, "hints", default=True),
        credentials=source,
        timeout=_seconds(address),
        shown=f"{shown}?{query}" if query else shown,
    )


def switch(address: Address, name: str, *, default: bool) -> bool:
    """A parameter that is true or false."""
    text = address.parameters.get(name)
    if text is None:
        return default
    if text.lower() not in _SWITCH:
        raise ConfigError(
            f"{name}={text[:40]} in the {address.scheme} address of the registry is neither true nor false"
        )
    return _SWITCH[text.lower()]


def _seconds(address: Address) -> int:
    text = address.parameters.get("timeout", "60")
    if not re.fullmatch(r"[0-9]{1,4}", text) or not 0 < int(text) <= 3600:
        raise ConfigError(f"timeout={text[:40]} in the {address.scheme} address is no number of seconds from 1 to 3600")
    return int(text)


def _endpoint(address: Address, *, insecure: bool) -> str | None:
    text = address.parameters.get("endpoint")
    if text is None:
        return None
    try:
        url = urlsplit(text)
        host, _port = url.hostname, url.port
    except ValueError:
        host = None
    if not host or url.scheme not in {"http", "https"} or "@" in url.netloc or url.query or url.fragment:
        raise ConfigError(
            "endpoint= takes an address like https://storage.example.org, without user, query or fragment"
        )
    if _is_metadata(host):
        raise ConfigError(f"endpoint= must not be the link-local address {host}: no store lives there")
    if url.scheme == "http" and not (insecure and _is_private(host)):
        raise ConfigError(
            f"the endpoint {url.scheme}://{host} is not encrypted: use https://, or add insecure=true for a host of your own network "
            "(loopback, private address, or a name like store.internal)"
        )
    return text.rstrip("/")


def _is_metadata(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_link_local
    except ValueError:
        return False


def _is_private(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return "." not in host or host.endswith(_INSIDE)


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


def _unknown_parameter(scheme: str, name: str, known: tuple[str, ...]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    meant = f" — did you mean {near[0]!r}?" if near else ""
    takes = ", ".join(known) if known else "none"
    return f"unknown parameter {name[:60]!r} in the {scheme} address of the registry{meant} (it takes: {takes})"
