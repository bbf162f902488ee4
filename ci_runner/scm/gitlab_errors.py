"""GitLab's ways of saying no, told apart."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from ci_runner.http import HttpError
from ci_runner.scm.failure import Kind, ScmError, answered, lost, sentence
from ci_runner.text import line as one_line

PERMISSION = "scope api and role Developer"
T = TypeVar("T")


def call(what: str, ask: Callable[[], T], *, writes: bool = False) -> T:
    """The answer to ``ask``; everything that can go wrong becomes a ScmError that says ``what`` was wanted.

    ``writes`` marks a request that must not be repeated unseen: after it a server error means doubt.
    """
    from gitlab.exceptions import GitlabError

    try:
        return ask()
    except GitlabError as error:
        raise _refused(what, error, writes=writes) from None
    except HttpError as error:
        raise ScmError(f"GitLab was asked for {what}: {error}", lost(error.trouble, writes=writes)) from None
    except (AttributeError, KeyError, RuntimeError, TypeError, ValueError) as error:
        reason = one_line(str(error) or type(error).__name__)[:200]
        kind: Kind = "doubt" if writes else "garbled"
        raise ScmError(f"GitLab was asked for {what} and gave an answer of the wrong shape ({reason})", kind) from None


def _refused(what: str, error: Any, *, writes: bool) -> ScmError:
    status = error.response_code
    if status is None:
        return ScmError(
            f"GitLab was asked for {what} and gave an answer nobody can read", "doubt" if writes else "garbled"
        )
    said = _said(error.response_body)
    kind = _kind(status, said, writes=writes)
    lacking = PERMISSION if kind in {"forbidden", "missing"} else ""
    hint = {
        "unauthorised": "; the token is wrong or has expired; a job token (CI_JOB_TOKEN) may not comment",
        "forbidden": f"; the token needs {PERMISSION}",
        "missing": f"; either it does not exist or the token may not see it; the token needs {PERMISSION}",
        "limited": "; the rate limit is used up, and waiting longer would hold up the job",
        "down": "; try again later",
        "doubt": "; it may have been done all the same",
    }.get(kind, "")
    return ScmError(f"GitLab answered {status} to {what}: {said or 'no reason given'}{hint}", kind, lacking)


def _kind(status: int, said: str, *, writes: bool) -> Kind:
    by_status: dict[int, Kind] = {401: "unauthorised", 403: "forbidden", 404: "missing", 410: "missing", 429: "limited"}
    if status in by_status:
        return by_status[status]
    if status >= 500:
        return "doubt" if writes else "down"
    return "too_long" if "too long" in said.lower() else "invalid"


def _said(body: bytes | str | None) -> str:
    """What an error body says: ``message`` (a text, or lists of texts by field), or ``error`` with its description."""
    data = answered(body)
    message = data.get("message")
    if isinstance(message, dict):
        message = ", ".join(
            f"{name} {each}" for name, said in message.items() for each in (said if isinstance(said, list) else [said])
        )
    return sentence([message, data.get("error"), data.get("error_description")])
