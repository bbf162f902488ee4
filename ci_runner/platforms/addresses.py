"""Reads addresses of repositories and pull requests: which SCM it is, where its API lies, which repository and which number is meant."""

from __future__ import annotations

import re
from collections.abc import Callable

from msgspec import Struct
from msgspec.structs import replace

from ci_runner.platforms import facts
from ci_runner.text.pattern import later

_WEB = later(r"(https?)://(?:[^@/\s]*@)?([A-Za-z0-9.-]+(?::\d{1,5})?)((?:/[^\s?#]*)?)(?:[?#]\S*)?\Z", re.IGNORECASE)
_SSH = later(r"(?:ssh://)?(?:[^@/\s]+@)?([A-Za-z0-9.-]+)(?::(\d{1,5})(?=/))?[:/]+([^\s:]+)\Z")
_PORT = "7999"  # on which Bitbucket Data Center speaks SSH unless told otherwise
# What stands in front of the part that tells an SCM: the path a server lives below.
_BELOW = r"(?P<below>(?:/[^/]+){0,3}?)"
_CENTER_PAGE = later(
    _BELOW
    + r"/(?P<kind>projects|users)/(?P<key>[^/]+)/repos/(?P<slug>[^/]+)(?:/pull-requests/(?P<number>\d+))?(?:/.*)?\Z"
)
_CENTER_CLONE = later(_BELOW + r"/scm/(?P<key>[^/]+)/(?P<slug>[^/]+)\Z")
_AZURE = later(r"(?P<below>(?:/[^/]+){0,3})/_git/(?P<slug>[^/]+)(?:/pullrequest/(?P<number>\d+))?/?\Z")
_GITLAB_PAGE = later(r"/(?P<path>[^/]+(?:/[^/]+)+?)(?:/-)?/merge_requests/(?P<number>\d+)(?:/.*)?\Z")
_GITHUB_PAGE = later(r"/(?P<path>[^/]+/[^/]+)/pull/(?P<number>\d+)(?:/.*)?\Z")
_CLOUD_PAGE = later(r"/(?P<path>[^/]+/[^/]+)/pull-requests/(?P<number>\d+)(?:/.*)?\Z")


class Place(Struct, frozen=True):
    """A repository on an SCM: ``server`` and ``api`` are addresses without a slash at their ends; what cannot be told is None."""

    scm: str | None
    server: str
    api: str | None
    repository: str
    number: int | None = None


def read(address: str | None, scm: str | None = None) -> Place | None:
    """The place an address of the web or of Git names, also ``git@host:path``; None where it is none.

    ``scm`` is what else is known of it; without that the form of the path tells, then the host's name.
    """
    said = (address or "").strip()
    web = _WEB.match(said)
    if web:
        server = f"{web[1].lower()}://{web[2].lower()}"
        from urllib.parse import unquote

        return _on_the_web(server, unquote(web[3]).rstrip("/").removesuffix(".git"), scm)
    found = _SSH.match(said) if "://" not in said or said.startswith("ssh://") else None
    if not found:
        return None
    host, port, path = found[1].lower(), found[2], found[3].strip("/").removesuffix(".git")
    if scm is None and port == _PORT and path.count("/") == 1:
        scm = "bitbucket"
    return _named(f"https://{host}", path, scm)


def _on_the_web(server: str, path: str, scm: str | None) -> Place | None:
    for pattern, make in _FORMS:
        match = pattern.match(path)
        if match and (place := make(server, match)) and scm in (None, place.scm):
            return place
    return _named(server, path.strip("/"), scm)


def _named(server: str, path: str, scm: str | None) -> Place | None:
    """A path that is nothing but the repository's name: the SCM is told by the host's, if at all."""
    if not path:
        return None
    host = _host(server)
    found = scm or facts.scm_of(host)
    return Place(found, server, facts.api_of(found, server), path)


def _host(server: str) -> str:
    return server.partition("://")[2].partition(":")[0]


def _center(server: str, match: re.Match[str]) -> Place | None:
    if facts.scm_of(_host(server)) not in (None, "bitbucket") or _host(server) == "bitbucket.org":
        return None
    said = match.groupdict()
    home = server + said["below"]
    key = f"~{said['key']}" if said.get("kind") == "users" else said["key"]
    return Place("bitbucket", home, f"{home}/rest/api/1.0", f"{key}/{said['slug']}", facts.number(said.get("number")))


def _azure(server: str, match: re.Match[str]) -> Place | None:
    """The project is left out of the address where the repository has its name."""
    parts = match["below"].strip("/").split("/")
    own = 0 if _host(server).endswith(".visualstudio.com") else 1 if _host(server).endswith("dev.azure.com") else None
    above = parts[:own] if own is not None else parts[:-1]
    project = parts[len(above)] if len(parts) > len(above) and parts[len(above)] else match["slug"]
    home = "/".join([server, *(part for part in above if part)])
    return Place("azure", home, home, f"{project}/{match['slug']}", facts.number(match["number"]))


def _page(scm: str) -> Callable[[str, re.Match[str]], Place | None]:
    def made(server: str, match: re.Match[str]) -> Place | None:
        place = _named(server, match["path"], scm)
        return replace(place, number=facts.number(match["number"])) if place else None

    return made


_FORMS: tuple[tuple[re.Pattern[str], Callable[[str, re.Match[str]], Place | None]], ...] = (
    (_CENTER_PAGE, _center),
    (_CENTER_CLONE, _center),
    (_AZURE, _azure),
    (_GITLAB_PAGE, _page("gitlab")),
    (_GITHUB_PAGE, _page("github")),
    (_CLOUD_PAGE, _page("bitbucket")),
)
