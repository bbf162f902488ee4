"""Who acts: what the CI system's signed token proves, else what its variables say, marked as unverified."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ci_runner.errors import TemporaryError
from ci_runner.journeys.ground import Ground
from ci_runner.platforms import identity

_TOKENS = (
    "ACTIONS_ID_TOKEN_REQUEST_URL", "SYSTEM_OIDCREQUESTURI", "PILOTAGE_ID_TOKEN", "CIRCLE_OIDC_TOKEN_V2", "CIRCLE_OIDC_TOKEN",
    "BITBUCKET_STEP_OIDC_TOKEN",
)  # fmt: skip
_NAMES = ("actor", "user_login")
# One process asks once: the identity of a job does not change while it runs.
_known: dict[tuple[str, ...], identity.Identity | None] = {}


def actor(ground: Ground) -> dict[str, Any]:
    """Who runs this: name, platform, ``verified`` (yes or no), the job's address, and of a token its claims or why it does not count."""
    trigger = ground.trigger
    name = trigger.actor or ground.environ.get("USER") or ""
    found = _identity(ground)
    said: dict[str, Any] = {"name": name, "platform": trigger.platform, "verified": "no"}
    if found and found.verified:
        named = next((str(found.claims[key]) for key in _NAMES if key in found.claims), name)
        said |= {"name": named, "verified": "yes", "claims": dict(found.claims)}
    elif found:
        said["unverified"] = found.why[:300]
    return said | ({"job": trigger.run_url} if trigger.run_url else {})


def _identity(ground: Ground) -> identity.Identity | None:
    offered = tuple(ground.environ.get(name, "") for name in _TOKENS)
    if not any(offered):
        return None
    key = (ground.trigger.platform, *offered)
    if key not in _known:
        _known[key] = identity.ask(ground.trigger.platform, ground.environ, _fetch, ground.now().timestamp())
    return _known[key]


def _fetch(method: str, url: str, headers: Mapping[str, str]) -> bytes:
    from ci_runner.http import Limits, Patience, web

    door = web(Limits(connect=3.0, read=5.0, whole=8.0, attempts=2, max_bytes=1024 * 1024), Patience(2.0))
    try:
        answer = door.send(method, url, {"accept": "application/json", **headers})
    finally:
        door.client.close()
    if answer.status != 200:
        raise TemporaryError(f"HTTP {answer.status}")
    return answer.body
