"""GitHub's ways of saying no, told apart: a missing permission, a rate limit, a rule, a body too long, an outage, doubt."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from ci_runner.http import HttpError
from ci_runner.scm.failure import Kind, ScmError, lost
from ci_runner.text import line as one_line

T = TypeVar("T")


def call(what: str, permission: str, ask: Callable[[], T], *, writes: bool = False) -> T:
    """The answer to ``ask``; everything that can go wrong becomes a ScmError that says ``what`` was wanted.

    ``writes`` marks a request that must not be repeated unseen: after it a server error means doubt.
    """
    from github.GithubException import BadAttributeException, GithubException

    try:
        return ask()
    except GithubException as error:
        raise _refused(what, permission, error, writes=writes) from None
    except HttpError as error:
        raise ScmError(f"GitHub was asked for {what}: {error}", lost(error.trouble, writes=writes)) from None
    except (
        BadAttributeException,
        AssertionError,
        AttributeError,
        KeyError,
        RuntimeError,
        TypeError,
        ValueError,
    ) as error:
        # what PyGithub raises for bodies of another shape, addresses of another host and redirects it will not follow
        reason = one_line(str(error) or type(error).__name__)[:200]
        kind: Kind = "doubt" if writes else "garbled"
        raise ScmError(f"GitHub was asked for {what} and gave an answer of the wrong shape ({reason})", kind) from None


def _refused(what: str, permission: str, error: Any, *, writes: bool) -> ScmError:
    said = _said(error.data)
    headers = {str(name).lower(): str(value) for name, value in (error.headers or {}).items()}
    kind = _kind(error.status, said, headers, writes=writes)
    hint = {
        "unauthorised": "the token is wrong or has expired",
        "policy": "the organisation restricts this token: authorise it for single sign-on or the address list",
        "limited": "the rate limit is used up, and waiting longer would hold up the job",
        "down": "try again later",
        "doubt": "it may have been done all the same",
    }.get(kind, "")
    lacking = ""
    if kind in {"forbidden", "missing"} and permission:
        lacking = _accepted(headers, permission)
        hidden = "either it does not exist or the token may not see it; " if kind == "missing" else ""
        hint = f"{hidden}the token needs {lacking}"
    tail = f"; {hint}" if hint else ""
    return ScmError(f"GitHub answered {error.status} to {what}: {said or 'no reason given'}{tail}", kind, lacking)


def _kind(status: int, said: str, headers: Mapping[str, str], *, writes: bool) -> Kind:
    low = said.lower()
    if status == 401:
        return "unauthorised"
    if status in {403, 429}:
        if (
            status == 429
            or "rate limit" in low
            or "retry-after" in headers
            or headers.get("x-ratelimit-remaining") == "0"
        ):
            return "limited"
        if "x-github-sso" in headers or "saml" in low or "ip allow list" in low or "access restrictions" in low:
            return "policy"
        return "invalid" if "locked" in low else "forbidden"
    if status in {404, 410}:
        return "missing"
    if status >= 500:
        return "doubt" if writes else "down"
    return "too_long" if "too long" in low else "invalid"


def _said(data: object) -> str:
    """What an error body says: its message and those of its errors, which are objects or plain texts."""
    if not isinstance(data, dict):
        return ""
    parts = [data.get("message")]
    errors = data.get("errors")
    for each in errors if isinstance(errors, list) else [errors]:
        parts += [each.get("message") or each.get("code")] if isinstance(each, dict) else [each]
    return one_line(" – ".join(part for part in parts if isinstance(part, str) and part))[:300]


def _accepted(headers: Mapping[str, str], permission: str) -> str:
    """The permission we know of, if GitHub's list of what would do holds it or is silent; else the list as a workflow writes it."""
    said = headers.get("x-accepted-github-permissions", "")
    known = [each.strip().replace("_", "-").replace("=", ": ") for each in re.split("[;,]", said) if each.strip()]
    return permission if not known or permission in known else one_line(" or ".join(known))[:120]
