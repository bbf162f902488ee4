"""An issuer of OIDC tokens on loopback: it says what its keys are, and signs what it is told to."""

from __future__ import annotations

import base64
import json
import threading
import time
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa


@cache
def key() -> rsa.RSAPrivateKey:
    """One key for all tests: making it takes its time."""
    return rsa.generate_private_key(65537, 2048)


def b64(raw: bytes) -> str:
    """Base64 as tokens have it."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def number(value: int) -> str:
    """A number as a key has it."""
    return b64(value.to_bytes((value.bit_length() + 7) // 8, "big"))


def signed(head: dict[str, Any], claims: dict[str, Any], by: rsa.RSAPrivateKey) -> str:
    """A token."""
    text = f"{b64(json.dumps(head).encode())}.{b64(json.dumps(claims).encode())}"
    return f"{text}.{b64(by.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256()))}"


class Issuer:
    """``with Issuer() as issuer``: ``issuer.token(sub=…)`` is one that holds."""

    def __init__(self) -> None:
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                numbers = key().public_key().public_numbers()
                answers = {
                    "/.well-known/openid-configuration": {"issuer": issuer.url, "jwks_uri": f"{issuer.url}/keys"},
                    "/keys": {"keys": [{"kty": "RSA", "kid": "k1", "n": number(numbers.n), "e": number(numbers.e)}]},
                }
                body = json.dumps(answers.get(self.path, {})).encode()
                self.send_response(200 if self.path in answers else 404)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def __enter__(self) -> Issuer:
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()

    def token(self, **claims: Any) -> str:
        said = {"iss": self.url, "iat": time.time() - 10, "exp": time.time() + 300, "aud": "pilotage", **claims}
        return signed({"alg": "RS256", "kid": "k1"}, said, key())
