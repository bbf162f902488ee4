"""Takes single facts out of a CI environment: what is not there, or not what it should be, is None and never a guess."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ci_runner.text.pattern import later

_SHA = later(r"[0-9a-f]{7,64}\Z")
_ZEROS = later(r"0+\Z")
_MACRO = later(r"\$\([^()]*\)\Z")
# What git-check-ref-format(1) refuses, plus a leading dash, which no branch has and every option does.
_NO_REF = later(r"^[-/.]|[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|/\.|[/.]\Z|\.lock\Z")
# https://docs.github.com/repositories/configuring-branches-and-merges-in-your-repository/configuring-pull-request-merges/managing-a-merge-queue
_QUEUE = later(r"gh-readonly-queue/(.+)/pr-\d+-[0-9a-f]{7,64}\Z")
_SECRETS = {
    "github": ("GITHUB_TOKEN", "GH_TOKEN"),
    "gitlab": ("GITLAB_TOKEN",),
    "bitbucket": ("BITBUCKET_ACCESS_TOKEN", "BITBUCKET_TOKEN"),
    "azure": ("SYSTEM_ACCESSTOKEN",),
}
_HOSTS = {"github.com": "github", "gitlab.com": "gitlab", "bitbucket.org": "bitbucket"}
_NAMED = {
    "github": "github",
    "gitlab": "gitlab",
    "bitbucket": "bitbucket",
    "dev.azure": "azure",
    "visualstudio": "azure",
}


def text(env: Mapping[str, str], *names: str) -> str | None:
    """The first variable that is set; "", ``$(Name)`` (Azure's undefined macro) and ``<nil>`` (CircleCI's) are not."""
    for name in names:
        value = env.get(name, "").strip()
        if value and value != "<nil>" and not _MACRO.match(value):
            return value
    return None


def number(value: object) -> int | None:
    """A pull request number: a positive whole number or its digits."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,18}", value):
        value = int(value)
    return value if isinstance(value, int) and value > 0 else None


def sha(value: object) -> str | None:
    """A commit name; forty zeros name no commit."""
    if not isinstance(value, str):
        return None
    value = value.strip().lower()
    return value if _SHA.match(value) and not _ZEROS.match(value) else None


def branch(value: object) -> str | None:
    """A branch name: one ``refs/heads/`` goes, any other ``refs/`` is no branch, and no name that git itself refuses passes."""
    if not isinstance(value, str) or not value:
        return None
    name = value.removeprefix("refs/heads/")
    return None if name.startswith("refs/") or _NO_REF.search(name) else name


def truth(value: str | None) -> bool | None:
    """``true`` and ``false`` in any case; anything else is unknown."""
    return {"true": True, "false": False}.get((value or "").lower())


def token(env: Mapping[str, str], scm: str | None) -> str | None:
    """The token for the SCM: the tool's own variable, the variable whose name PILOTAGE_TOKEN_ENV gives, the wrapper's input, the SCM's own."""
    named = text(env, "PILOTAGE_TOKEN_ENV")
    names = ("PILOTAGE_TOKEN", *((named,) if named else ()), "INPUT_TOKEN", *_SECRETS.get(scm or "", ()))
    return text(env, *names)


def scm_of(host: str) -> str | None:
    """Which SCM lives on a host: the public ones, and self-managed ones that say so in their name."""
    if host in _HOSTS:
        return _HOSTS[host]
    return next((scm for name, scm in _NAMED.items() if name in host), None)


def api_of(scm: str | None, server: str | None) -> str | None:
    """The API root of an SCM on a server (``https://host``, its port and path included), by the vendors' fixed paths."""
    if scm is None or server is None:
        return None
    own = {
        "github": "https://api.github.com",
        "gitlab": "https://gitlab.com/api/v4",
        "bitbucket": "https://api.bitbucket.org/2.0",
    }
    host = server.partition("://")[2]
    if host in _HOSTS:
        return own[_HOSTS[host]]
    paths = {"github": "api/v3", "gitlab": "api/v4", "bitbucket": "rest/api/1.0"}
    return f"{server}/{paths[scm]}" if scm in paths else None


def queued(scm: str | None, name: str | None) -> str | None:
    """The base branch of GitHub's merge queue, whose branches other CI systems build as if somebody had pushed them."""
    found = _QUEUE.match(name or "") if scm == "github" else None
    return branch(found[1]) if found else None
