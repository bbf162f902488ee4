"""An OCI registry as a place to publish to and to read from: blobs by digest and manifests by tag, by its HTTP API.

A tag is written without any condition there, so the last writer wins: a copy of what a registry holds can live here, the registry
itself cannot. https://github.com/opencontainers/distribution-spec/blob/main/spec.md
"""

from __future__ import annotations

import base64
import hashlib
import ipaddress
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode, urljoin, urlsplit

from ci_runner.errors import ConfigError, IntegrityError, SetupError, TemporaryError
from ci_runner.http import Answer, HttpError, Limits, Patience, Web, web

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
MANIFEST_LIMIT = 4 << 20  # the size every registry has to take, by the specification
_HOST = re.compile(r"[A-Za-z0-9.-]{1,253}(?::\d{1,5})?")
_REPOSITORY = re.compile(r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_CHALLENGE = re.compile(r'(\w+)="([^"]{0,2000})"')
_WAYS = "log in with 'docker login HOST', whose file is read, or set DOCKER_AUTH_CONFIG"


@dataclass(frozen=True, slots=True)
class Image:
    """What an address means: a repository on a host, and the tag or digest in it ("" where none is named)."""

    host: str
    repository: str
    reference: str = ""

    def __str__(self) -> str:
        mark = "@" if self.reference.startswith("sha256:") else ":"
        return f"oci://{self.host}/{self.repository}" + (f"{mark}{self.reference}" if self.reference else "")


def parse(address: str) -> Image:
    """``oci://HOST/REPOSITORY[:TAG|@sha256:…]``; ConfigError for one that cannot be meant."""
    host, _, rest = address.removeprefix("oci://").partition("/")
    repository, at, digest = rest.partition("@")
    repository, colon, tag = (repository, "", digest) if at else repository.partition(":")
    fit = _HOST.fullmatch(host) and _REPOSITORY.fullmatch(repository) and len(repository) <= 255
    named = not (at or colon) or (_DIGEST if at else _TAG).fullmatch(tag)
    if not (address.startswith("oci://") and fit and named):
        raise ConfigError(
            "an OCI address is oci://HOST/REPOSITORY, with :TAG or @sha256:… where one version is meant; repositories are lower case"
        )
    return Image(host, repository, tag)


@dataclass(slots=True)
class Oci:
    """One repository; ``login`` is user and password for the host, None to ask as nobody. Tokens are kept per right."""

    image: Image
    web: Web = field(repr=False)
    login: tuple[str, str] | None = field(repr=False, default=None)
    _tokens: dict[str, str] = field(repr=False, default_factory=dict)

    @property
    def _root(self) -> str:
        return f"{_scheme(self.image.host)}://{self.image.host}/v2/{self.image.repository}"

    def put_blob(self, content: bytes) -> str:
        """Store the bytes, unless they are there; their digest."""
        digest = _digest(content)
        if self._send("HEAD", f"{self._root}/blobs/{digest}", "push").status == 200:
            return digest
        begun = self._expect(self._send("POST", f"{self._root}/blobs/uploads/", "push"), (202,), "an upload")
        where = urljoin(f"{self._root}/blobs/uploads/", begun.headers.get("location", ""))
        if urlsplit(where).netloc.lower() != self.image.host.lower():
            raise TemporaryError(f"{self.image.host} wants files sent to another host, which is not done: {self.image}")
        place = f"{where}{'&' if '?' in where else '?'}{urlencode({'digest': digest})}"
        headers = {"Content-Type": "application/octet-stream"}
        self._expect(self._send("PUT", place, "push", headers, content), (201,), "a file")
        return digest

    def put_manifest(self, reference: str, content: bytes) -> None:
        """Store a manifest under a tag or its digest; of two writers of a tag the last wins."""
        answer = self._send("PUT", f"{self._root}/manifests/{reference}", "push", {"Content-Type": MANIFEST}, content)
        self._expect(answer, (201,), f"the manifest {reference}")

    def manifest(self, reference: str) -> bytes | None:
        """The bytes of a manifest, None when there is none; IntegrityError when they are not those of the digest asked for."""
        answer = self._send("GET", f"{self._root}/manifests/{reference}", "pull", {"Accept": MANIFEST})
        if answer.status == 404:
            return None
        body = self._expect(answer, (200,), f"the manifest {reference}").body
        if len(body) > MANIFEST_LIMIT or (reference.startswith("sha256:") and _digest(body) != reference):
            raise IntegrityError(f"{self.image.host} gave other bytes for {reference} than those of that hash")
        return body

    def blob(self, digest: str, limit: int) -> bytes:
        """The bytes of a digest; IntegrityError when they are others, or more than ``limit``."""
        answer = self._send("GET", f"{self._root}/blobs/{digest}", "pull")
        if answer.status in {301, 302, 303, 307, 308}:  # registries keep their blobs in a bucket; the token stays here
            place = urljoin(self._root, answer.headers.get("location", ""))
            if urlsplit(place).scheme != "https" and not _local(urlsplit(place).netloc):
                raise TemporaryError(f"{self.image.host} sends on to an address that is not https for {digest[:19]}")
            answer = self._asked(lambda: self.web.send("GET", place, {}))
        body = self._expect(answer, (200,), f"the file {digest[:19]}").body
        if len(body) > limit or _digest(body) != digest:
            raise IntegrityError(f"{self.image.host} gave other bytes for {digest[:19]} than those of that hash")
        return body

    def _send(
        self, method: str, url: str, right: str, headers: Mapping[str, str] | None = None, content: bytes | None = None
    ) -> Answer:
        """The answer, with a token for ``right`` (pull, push) once the host has asked for one."""
        known = self._tokens.get(right)
        said = {**(headers or {}), **({"Authorization": known} if known else {})}
        answer = self._asked(lambda: self.web.send(method, url, said, content))
        if answer.status != 401 or known:
            return answer
        self._tokens[right] = self._authorised(answer.headers.get("www-authenticate", ""), right)
        return self._send(method, url, right, headers, content)

    def _authorised(self, challenge: str, right: str) -> str:
        """What goes into Authorization. https://distribution.github.io/distribution/spec/auth/token/"""
        basic = base64.b64encode(":".join(self.login).encode()).decode() if self.login else ""
        kind, asked = challenge.partition(" ")[0].lower(), dict(_CHALLENGE.findall(challenge))
        if kind != "bearer" or "realm" not in asked:
            if not basic:
                raise SetupError(f"{self.image.host} wants a login: {_WAYS}")
            return f"Basic {basic}"
        realm = asked["realm"]
        if urlsplit(realm).scheme != "https" and not _local(urlsplit(realm).netloc):
            raise SetupError(f"{self.image.host} wants its password sent to an address that is not https")
        scope = f"repository:{self.image.repository}:{'pull,push' if right == 'push' else 'pull'}"
        query = urlencode({"service": asked.get("service", ""), "scope": scope})
        url = f"{realm}{'&' if '?' in realm else '?'}{query}"
        answer = self._asked(lambda: self.web.send("GET", url, {"Authorization": f"Basic {basic}"} if basic else {}))
        try:
            found = json.loads(self._expect(answer, (200,), "a token").body)
            return f"Bearer {found.get('token') or found['access_token']}"
        except (ValueError, KeyError, AttributeError, RecursionError):
            raise TemporaryError(f"{self.image.host} gave no token that can be read") from None

    def _asked(self, ask: Callable[[], Answer]) -> Answer:
        try:
            return ask()
        except HttpError as error:
            raise TemporaryError(f"{self.image}: {error}") from None

    def _expect(self, answer: Answer, fine: tuple[int, ...], what: str) -> Answer:
        if answer.status in fine:
            return answer
        if answer.status in {401, 403}:
            raise SetupError(f"{self.image.host} refused {what} in {self.image.repository}: {_WAYS}")
        if answer.status == 404:
            raise SetupError(f"{self.image.host} has no {what.removeprefix('the ')} in {self.image.repository}")
        raise TemporaryError(f"{self.image.host} answered {answer.status} to {what} in {self.image.repository}")


def open_image(address: str, environ: Mapping[str, str]) -> Oci:
    """The repository at an address; nothing is asked yet."""
    image = parse(address)
    return Oci(image, web(Limits(max_bytes=64 << 20), Patience(60)), _login(image.host, environ))


def _login(host: str, environ: Mapping[str, str]) -> tuple[str, str] | None:
    """User and password for a host, where Docker's own configuration holds them; helper programs are not run."""
    folder = environ.get("DOCKER_CONFIG") or (f"{environ['HOME']}/.docker" if environ.get("HOME") else "")
    text = environ.get("DOCKER_AUTH_CONFIG") or _read(Path(folder) / "config.json" if folder else None)
    try:
        auths = json.loads(text).get("auths", {}) if text else {}
        entry = auths.get(host) or auths.get(f"https://{host}") or {}
        user, _, password = base64.b64decode(entry.get("auth", "")).decode().partition(":")
    except (ValueError, AttributeError, TypeError, RecursionError):
        return None
    return (user, password) if user and password else None


def _read(path: Path | None) -> str:
    try:
        return path.read_text(encoding="utf-8") if path else ""
    except (OSError, UnicodeDecodeError):
        return ""


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _scheme(host: str) -> str:
    return "http" if _local(host) else "https"


def _local(netloc: str) -> bool:
    """Whether a host is this machine, the one place where a registry may speak http."""
    name = netloc.rpartition(":")[0] if re.search(r":\d+\Z", netloc) else netloc
    try:
        return name == "localhost" or ipaddress.ip_address(name.strip("[]")).is_loopback
    except ValueError:
        return False
