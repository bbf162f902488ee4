"""Signatures are those of Standard Webhooks 1.0, and the samples in the docs check them."""

from __future__ import annotations

import re
import subprocess
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ci_runner import notify
from ci_runner.errors import ConfigError, RefusedError
from tests.docs.pages import blocks
from tests.notify.world import OLD, SECRET

PAGE = "docs/webhooks.md"


def test_the_signature_is_the_one_of_the_standards_own_example() -> None:
    """From the specification's reference libraries: secret, id, time and body with their known signature."""
    secret, body = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", b'{"test": 2432232314}'
    headers = notify.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body, [secret])
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@given(st.binary(), st.integers(0, 2**40), st.text(st.characters(codec="ascii", exclude_characters=" ."), max_size=40))
def test_what_was_signed_is_accepted_and_nothing_else_is(body: bytes, now: int, identity: str) -> None:
    headers = notify.sign(identity, now, body, [SECRET])
    notify.verify(headers, body, SECRET, now)
    for changed in (body + b"x", b"\0" + body):
        with pytest.raises(RefusedError):
            notify.verify(headers, changed, SECRET, now)
    with pytest.raises(RefusedError):
        notify.verify(headers, body, OLD, now)
    with pytest.raises(RefusedError):
        notify.verify({**headers, "webhook-id": identity + "x"}, body, SECRET, now)


def test_either_secret_fits_while_they_are_exchanged() -> None:
    headers = notify.sign("msg_1", 1000, b"{}", [SECRET, OLD])
    assert headers["webhook-signature"].count("v1,") == 2
    notify.verify(headers, b"{}", SECRET, 1000)
    notify.verify(headers, b"{}", OLD, 1000)


@pytest.mark.parametrize("now", [1301, 699])
def test_an_old_message_and_one_from_the_future_are_refused(now: int) -> None:
    with pytest.raises(RefusedError, match="timestamp"):
        notify.verify(notify.sign("msg_1", 1000, b"{}", [SECRET]), b"{}", SECRET, now)


@pytest.mark.parametrize("stamp", ["", "soon", "\u00b9", "-5", "1e3", "9" * 5000])
def test_a_timestamp_that_is_none_is_refused(stamp: str) -> None:
    headers = notify.sign("msg_1", 1000, b"{}", [SECRET]) | {"webhook-timestamp": stamp}
    with pytest.raises(RefusedError):
        notify.verify(headers, b"{}", SECRET, 1000)


@pytest.mark.parametrize(
    "secret", ["", "hunter2hunter2", "whsec_", "whsec_c2hvcnQ=", "whsec_" + "A" * 100, "whsec_%%%%"]
)
def test_a_secret_that_is_none_is_refused_without_being_shown(secret: str) -> None:
    with pytest.raises(ConfigError) as refused:
        notify.sign("msg_1", 1, b"", [secret])
    assert "hunter2" not in str(refused.value)


def sample(language: str) -> str:
    return next(
        block.text
        for block in blocks(PAGE)
        if block.language == language and "webhook_signature" in block.text.lower().replace("-", "_")
    )


@pytest.mark.parametrize("tampered", [False, True])
def test_the_python_sample_of_the_docs_agrees_with_the_signer(tampered: bool) -> None:
    body = b'{"type":"deploy.failed"}'
    headers = notify.sign("msg_1", int(time.time()), body, [SECRET])
    space: dict[str, object] = {}
    exec(sample("python"), space)  # the page's own text
    assert space["is_genuine"](headers, body + b" " * tampered, SECRET) is not tampered  # type: ignore[operator]


@pytest.mark.parametrize("tampered", [False, True])
def test_the_shell_sample_of_the_docs_agrees_with_the_signer(tmp_path: Path, tampered: bool) -> None:
    body = b'{"type":"deploy.failed"}\n\n'
    headers = notify.sign("msg_1", int(time.time()), body, [OLD, SECRET])
    (tmp_path / "body.json").write_bytes(body + b" " * tampered)
    environ = {"PATH": "/usr/bin:/bin", "SECRET": SECRET, "BODY": "body.json"}
    environ |= {re.sub("-", "_", name).upper(): value for name, value in headers.items()}
    done = subprocess.run(
        ["sh", "-c", sample("sh")], check=False, cwd=tmp_path, env=environ, capture_output=True, text=True
    )
    assert (done.returncode == 0) is not tampered, done.stderr
