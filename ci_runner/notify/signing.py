"""Signs messages as Standard Webhooks 1.0 says, and checks such signatures (https://github.com/standard-webhooks/standard-webhooks)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterable, Mapping

from ci_runner.errors import ConfigError, RefusedError

PREFIX = "whsec_"
TOLERANCE = 300
"""Seconds a timestamp may differ from a receiver's clock."""


def new_secret(random: bytes) -> str:
    """A secret as a receiver and a sender write it; ``random`` are 24 to 64 unguessable bytes."""
    return PREFIX + base64.b64encode(random).decode()


def key(secret: str) -> bytes:
    """The bytes of ``whsec_<base64>``, 24 to 64 of them; ConfigError, without the value, for anything else."""
    try:
        raw = base64.b64decode(secret.strip().removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if not secret.strip().startswith(PREFIX) or not 24 <= len(raw) <= 64:
        raise ConfigError("a signing secret is whsec_ followed by 24 to 64 bytes in Base64: pilotage hooks secret")
    return raw


def sign(message_id: str, timestamp: int, body: bytes, secrets: Iterable[str]) -> dict[str, str]:
    """The three headers; one signature a secret, so that a receiver may know the old or the new one while they are exchanged."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    marks = [f"v1,{_mark(key(secret), signed)}" for secret in secrets]
    return {"webhook-id": message_id, "webhook-timestamp": str(timestamp), "webhook-signature": " ".join(marks)}


def verify(headers: Mapping[str, str], body: bytes, secret: str, now: float) -> None:
    """RefusedError unless ``body`` was signed with ``secret`` within five minutes of ``now`` (Unix time); header names in lower case."""
    stamp = headers.get("webhook-timestamp", "")
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) < 20) or abs(now - int(stamp)) > TOLERANCE:
        raise RefusedError("the message has no timestamp within five minutes of now: it may be an old one sent again")
    signed = f"{headers.get('webhook-id', '')}.{stamp}.".encode() + body
    wanted = f"v1,{_mark(key(secret), signed)}"
    given = headers.get("webhook-signature", "").split(" ")[:16]
    if not any(hmac.compare_digest(wanted.encode(), each.encode()) for each in given):
        raise RefusedError("the signature does not fit: another secret, or another body")


def _mark(secret: bytes, signed: bytes) -> str:
    return base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode()
