"""A claim is believed when the platform signed it, now, with a key it publishes; everything else is marked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from ci_runner.errors import TemporaryError
from ci_runner.platforms import identity
from tests.fakes.issuer import b64, key, number, signed

NOW = 1_800_000_000.0
KEY = key()
OTHER = rsa.generate_private_key(65537, 2048)
ISSUERS = {
    "github": "https://token.actions.githubusercontent.com",
    "gitlab": "https://gitlab.example",
    "circleci": "https://oidc.circleci.com/org/0c1a2b3c-0000-4000-8000-123456789abc",
    "bitbucket": "https://api.bitbucket.org/2.0/workspaces/acme/pipelines-config/identity/oidc",
    "azure": "https://vstoken.dev.azure.com/0c1a2b3c-0000-4000-8000-123456789abc",
}
ENVIRON = {
    "github": {
        "ACTIONS_ID_TOKEN_REQUEST_URL": "https://runner.example/token?x=1",
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "bearer-secret",
    },
    "gitlab": {"CI_SERVER_URL": "https://gitlab.example"},
    "circleci": {},
    "bitbucket": {},
    "azure": {
        "SYSTEM_OIDCREQUESTURI": "https://dev.azure.example/oidc",
        "SYSTEM_ACCESSTOKEN": "bearer-secret",
        "PILOTAGE_SERVICE_CONNECTION_ID": "9a8b7c6d",
    },
}
VARIABLE = {"gitlab": "PILOTAGE_ID_TOKEN", "circleci": "CIRCLE_OIDC_TOKEN_V2", "bitbucket": "BITBUCKET_STEP_OIDC_TOKEN"}


def token(
    platform: str, *, key: rsa.RSAPrivateKey = KEY, header: Mapping[str, Any] | None = None, **claims: Any
) -> str:
    head = {"alg": "RS256", "kid": "k1", "typ": "JWT", **(header or {})}
    said = {
        "iss": ISSUERS[platform],
        "sub": "repo:acme/shop",
        "aud": "pilotage",
        "iat": NOW - 10,
        "exp": NOW + 300,
        "run_id": "4711",
    }
    return signed(head, {**said, **claims}, key)


def issuer(platform: str, tok: str, asked: list[tuple[str, str]] | None = None, **about: Any) -> identity.Fetch:
    """What the platform's addresses answer."""
    iss = ISSUERS[platform]
    numbers = KEY.public_key().public_numbers()
    answers = {
        f"{iss}/.well-known/openid-configuration": {"issuer": iss, "jwks_uri": f"{iss}/keys", **about},
        f"{iss}/keys": {
            "keys": [
                {"kty": "EC", "kid": "k1"},
                {"kty": "RSA", "kid": "k1", "n": number(numbers.n), "e": number(numbers.e)},
            ]
        },
        "https://runner.example/token?x=1&audience=pilotage": {"value": tok},
        "https://dev.azure.example/oidc?api-version=7.1&serviceConnectionId=9a8b7c6d": {"oidcToken": tok},
    }

    def fetch(method: str, url: str, headers: Mapping[str, str]) -> bytes:
        if asked is not None:
            asked.append((method, url))
        if url not in answers:
            raise TemporaryError("HTTP 404")
        if url.startswith(("https://runner.", "https://dev.azure.example")):
            assert headers["authorization"].lower() == "bearer bearer-secret"
        return json.dumps(answers[url]).encode()

    return fetch


def environ(platform: str, tok: str) -> dict[str, str]:
    return {**ENVIRON[platform], **({VARIABLE[platform]: tok} if platform in VARIABLE else {})}


@pytest.mark.parametrize("platform", ISSUERS)
def test_the_token_of_every_platform_is_found_and_verified(platform: str) -> None:
    tok = token(platform)
    found = identity.ask(platform, environ(platform, tok), issuer(platform, tok), NOW)
    assert found is not None
    assert (found.verified, found.why) == (True, "")
    assert (found.claims["sub"], found.claims["run_id"], found.claims["iss"]) == (
        "repo:acme/shop",
        "4711",
        ISSUERS[platform],
    )


BAD = {
    "another key": {"key": OTHER},
    "no algorithm": {"header": {"alg": "none"}},
    "a secret's algorithm": {"header": {"alg": "HS256"}},
    "an unknown key": {"header": {"kid": "k2"}},
    "no key": {"header": {"kid": None}},
    "expired": {"exp": NOW - 61},
    "not yet": {"iat": NOW + 61},
    "for ever": {"exp": "never"},
    "another issuer": {"iss": "https://evil.example"},
    "an issuer alike": {"iss": "https://token.actions.githubusercontent.com.evil.example"},
}


@pytest.mark.parametrize("what", BAD)
def test_a_token_that_proves_nothing_is_marked_and_says_why(what: str) -> None:
    tok = token("github", **BAD[what])
    found = identity.verify(tok, "github", ENVIRON["github"], issuer("github", tok), NOW)
    assert not found.verified
    assert found.why


@pytest.mark.parametrize("cut", ["", "a.b", "a.b.c", "....", "é.é.é", "x" * 100_000, "W10.W10.W10"])
def test_what_is_no_token_is_no_crash(cut: str) -> None:
    assert not identity.verify(cut, "gitlab", ENVIRON["gitlab"], issuer("gitlab", cut), NOW).verified


def test_a_changed_claim_breaks_the_signature() -> None:
    head, _, mark = token("gitlab").split(".")
    said = {"iss": ISSUERS["gitlab"], "sub": "someone else", "iat": NOW, "exp": NOW + 9}
    forged = f"{head}.{b64(json.dumps(said).encode())}.{mark}"
    assert not identity.verify(forged, "gitlab", ENVIRON["gitlab"], issuer("gitlab", forged), NOW).verified


def test_keys_on_another_host_are_not_asked_for() -> None:
    asked: list[tuple[str, str]] = []
    tok = token("gitlab")
    fetch = issuer("gitlab", tok, asked, jwks_uri="https://evil.example/keys")
    assert not identity.verify(tok, "gitlab", ENVIRON["gitlab"], fetch, NOW).verified
    assert all("evil" not in url for _, url in asked)


def test_an_issuer_out_of_reach_leaves_the_claims_unverified() -> None:
    def fetch(*_: object) -> bytes:
        raise TemporaryError("cannot be reached")

    found = identity.verify(token("gitlab"), "gitlab", ENVIRON["gitlab"], fetch, NOW)
    assert (found.verified, found.claims["sub"]) == (False, "repo:acme/shop")


def test_a_job_without_a_token_has_no_identity_and_asks_nobody() -> None:
    for platform in (*ISSUERS, "local"):
        assert identity.ask(platform, {}, lambda *_: pytest.fail("asked"), NOW) is None  # type: ignore[arg-type, return-value]
