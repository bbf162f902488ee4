"""Who a CI job is, by the OIDC token its platform signed: fetched, held against the issuer's published keys, never kept.

A claim counts as verified when the token's signature fits a key that the issuer named in the token publishes, the issuer is one the platform
is known to use, and the token is valid now (RFC 7519, RFC 7517, OpenID Connect Discovery 1.0).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote, urlsplit

from msgspec import Struct

from ci_runner.errors import PilotageError, RefusedError
from ci_runner.platforms import facts

AUDIENCE = "pilotage"
LEEWAY = 60
"""Seconds that clocks may differ."""
LIMIT = 64 * 1024

Fetch = Callable[[str, str, Mapping[str, str]], bytes]
"""(method, address, headers) → the body of a successful answer; PilotageError otherwise."""

# What is kept of a token, in the words of each platform; nothing else of it is.
CLAIMS = (
    "iss", "sub", "aud", "repository", "repository_id", "run_id", "actor", "actor_id", "environment", "ref", "workflow_ref",
    "project_path", "project_id", "pipeline_id", "job_id", "user_login", "user_id", "environment_protected",
    "oidc.circleci.com/project-id", "oidc.circleci.com/context-ids", "oidc.circleci.com/vcs-ref",
    "repositoryUuid", "pipelineUuid", "stepUuid", "deploymentEnvironmentUuid", "workspaceUuid",
)  # fmt: skip
_HASHES = {"RS256": "sha256", "RS384": "sha384", "RS512": "sha512"}
# DigestInfo of EMSA-PKCS1-v1_5 (RFC 8017, 9.2, note 1), before the digest itself
_PREFIXES = {
    "sha256": bytes.fromhex("3031300d060960864801650304020105000420"),
    "sha384": bytes.fromhex("3041300d060960864801650304020205000430"),
    "sha512": bytes.fromhex("3051300d060960864801650304020305000440"),
}
_AZURE = re.compile(r"https://(vstoken\.dev\.azure\.com/[0-9a-f-]{36}|login\.microsoftonline\.com/[0-9a-f-]{36}/v2\.0)")
_CIRCLECI = re.compile(r"https://oidc\.circleci\.com/org/[0-9a-f-]{36}")
_BITBUCKET = re.compile(r"https://api\.bitbucket\.org/2\.0/workspaces/[\w.-]{1,80}/pipelines-config/identity/oidc")


class Identity(Struct, frozen=True):
    """Claims of a token; ``verified`` says whether they hold, ``why`` in a few words why not."""

    claims: Mapping[str, Any]
    verified: bool
    why: str = ""


def ask(platform: str, env: Mapping[str, str], fetch: Fetch, now: float) -> Identity | None:
    """The identity of this job; None where its platform offers it no token. ``now`` is Unix time. Never raises for what a token holds."""
    try:
        token = _token(platform, env, fetch)
    except PilotageError as error:
        return Identity({}, verified=False, why=f"no token could be had: {error}")
    return verify(token, platform, env, fetch, now) if token else None


def verify(token: str, platform: str, env: Mapping[str, str], fetch: Fetch, now: float) -> Identity:
    """What ``token`` says, and whether that holds."""
    try:
        header, claims, signed, signature = _split(token)
    except RefusedError as error:
        return Identity({}, verified=False, why=str(error))
    kept = {name: claims[name] for name in CLAIMS if _plain(claims.get(name))}
    try:
        issuer = _issuer(claims, platform, env)
        _in_time(claims, now)
        key = _key(issuer, header, fetch)
        if not _fits(header, key, signed, signature):
            raise RefusedError("its signature does not fit")
    except PilotageError as error:
        return Identity(kept, verified=False, why=str(error))
    return Identity(kept, verified=True)


def _token(platform: str, env: Mapping[str, str], fetch: Fetch) -> str | None:
    """The job's token: asked for (GitHub, Azure) or in a variable."""
    if platform == "github":
        url, bearer = facts.text(env, "ACTIONS_ID_TOKEN_REQUEST_URL"), facts.text(env, "ACTIONS_ID_TOKEN_REQUEST_TOKEN")
        if not url or not bearer:
            return None
        joint = "&" if "?" in url else "?"
        return _field(fetch("GET", f"{url}{joint}audience={AUDIENCE}", {"authorization": f"bearer {bearer}"}), "value")
    if platform == "azure":
        url, bearer = facts.text(env, "SYSTEM_OIDCREQUESTURI"), facts.text(env, "SYSTEM_ACCESSTOKEN")
        connection = facts.text(env, "PILOTAGE_SERVICE_CONNECTION_ID")
        if not url or not bearer or not connection:
            return None
        url = f"{url}?api-version=7.1&serviceConnectionId={quote(connection, safe='')}"
        return _field(fetch("POST", url, {"authorization": f"Bearer {bearer}"}), "oidcToken")
    names = {
        "gitlab": ("PILOTAGE_ID_TOKEN",),
        "circleci": ("CIRCLE_OIDC_TOKEN_V2", "CIRCLE_OIDC_TOKEN"),
        "bitbucket": ("BITBUCKET_STEP_OIDC_TOKEN",),
    }
    return facts.text(env, *names[platform]) if platform in names else None


def _field(body: bytes, name: str) -> str:
    value = _object(body, "the answer with the token").get(name)
    if not isinstance(value, str):
        raise RefusedError(f"the answer holds no {name!r}")
    return value


def _split(token: str) -> tuple[dict[str, Any], dict[str, Any], bytes, bytes]:
    parts = token.strip().split(".")
    if len(parts) != 3 or len(token) > LIMIT:
        raise RefusedError("it is no signed token")
    header, claims, signature = (_decoded(part) for part in parts)
    return (
        _object(header, "its header"),
        _object(claims, "its claims"),
        token.strip().rpartition(".")[0].encode(),
        signature,
    )


def _decoded(part: str) -> bytes:
    try:
        return base64.b64decode(part.encode() + b"=" * (-len(part) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise RefusedError("it is no signed token") from None


def _object(raw: bytes, what: str) -> dict[str, Any]:
    try:
        value = json.loads(raw[:LIMIT])
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise RefusedError(f"{what} is no JSON object")
    return value


def _plain(value: object) -> bool:
    if isinstance(value, list):
        return len(value) <= 20 and all(isinstance(each, str) and len(each) <= 300 for each in value)
    return isinstance(value, int) or (isinstance(value, str) and 0 < len(value) <= 300)


def _issuer(claims: Mapping[str, Any], platform: str, env: Mapping[str, str]) -> str:
    """The issuer, which must be one of the platform's own."""
    issuer = claims.get("iss")
    if not isinstance(issuer, str) or (issuer not in _own(platform, env) and not _pattern(platform, issuer)):
        raise RefusedError(f"its issuer is none that {platform} uses")
    return issuer


def _own(platform: str, env: Mapping[str, str]) -> tuple[str, ...]:
    server = (facts.text(env, "GITHUB_SERVER_URL" if platform == "github" else "CI_SERVER_URL") or "").rstrip("/")
    if platform == "github":
        own = (f"{server}/_services/token",) if server and server != "https://github.com" else ()
        return ("https://token.actions.githubusercontent.com", *own)
    return (server, "https://gitlab.com") if platform == "gitlab" and server else ()


def _pattern(platform: str, issuer: str) -> bool:
    patterns = {"azure": _AZURE, "circleci": _CIRCLECI, "bitbucket": _BITBUCKET}
    return platform in patterns and bool(patterns[platform].fullmatch(issuer))


def _in_time(claims: Mapping[str, Any], now: float) -> None:
    until, since = claims.get("exp"), claims.get("nbf", claims.get("iat", 0))
    if not isinstance(until, int | float) or not isinstance(since, int | float):
        raise RefusedError("it does not say how long it is valid")
    if not since - LEEWAY <= now <= until + LEEWAY:
        raise RefusedError("it is not valid at this time")


def _key(issuer: str, header: Mapping[str, Any], fetch: Fetch) -> tuple[int, int]:
    """Modulus and exponent of the key the token names, as the issuer publishes it on its own host."""
    about = _object(fetch("GET", f"{issuer}/.well-known/openid-configuration", {}), "what the issuer says of itself")
    where = about.get("jwks_uri")
    if about.get("issuer") != issuer or not isinstance(where, str) or _origin(where) != _origin(issuer):
        raise RefusedError("its issuer does not say where its own keys are")
    keys = _object(fetch("GET", where, {}), "the issuer's keys").get("keys")
    for key in keys[:50] if isinstance(keys, list) else []:
        if isinstance(key, dict) and key.get("kty") == "RSA" and key.get("kid") == header.get("kid") and key.get("kid"):
            return _number(key.get("n")), _number(key.get("e"))
    raise RefusedError("its issuer publishes no RSA key of that name")


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc


def _number(value: object) -> int:
    return int.from_bytes(_decoded(value), "big") if isinstance(value, str) else 0


def _fits(header: Mapping[str, Any], key: tuple[int, int], signed: bytes, signature: bytes) -> bool:
    """RSASSA-PKCS1-v1_5 (RFC 8017, 8.2.2): only public values are computed with, so no timing tells anything."""
    modulus, exponent = key
    name = _HASHES.get(str(header.get("alg")))
    size = (modulus.bit_length() + 7) // 8
    if name is None or not 2048 <= modulus.bit_length() <= 8192 or not 2 < exponent < 2**32 or len(signature) != size:
        return False
    tail = _PREFIXES[name] + hashlib.new(name, signed).digest()
    wanted = b"\x00\x01" + b"\xff" * (size - len(tail) - 3) + b"\x00" + tail
    found = pow(int.from_bytes(signature, "big"), exponent, modulus).to_bytes(size, "big")
    return hmac.compare_digest(found, wanted)
