"""Copies of committed versions on an OCI registry: one image a version, its files as layers, checked like everything that is read."""

from __future__ import annotations

from typing import Any, Protocol

from msgspec import Struct

from ci_runner.errors import IntegrityError, RefusedError, SetupError
from ci_runner.model.registry import GitFacts, Manifest, Snapshot, SnapshotFile
from ci_runner.registry import canonical, keys, manifests

KIND = "application/vnd.pilotage.directory.v1"
LIST = "application/vnd.pilotage.manifest.v1+json"
FILE = "application/vnd.pilotage.file.v1"
_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_LARGEST = 4 << 20  # more no registry has to take


class Repository(Protocol):
    """What a copy is written to and read from."""

    def put_blob(self, content: bytes) -> str:
        """Store bytes; their digest."""

    def put_manifest(self, reference: str, content: bytes) -> None:
        """Store a manifest under a tag."""

    def manifest(self, reference: str) -> bytes | None:
        """A manifest's bytes."""

    def blob(self, digest: str, limit: int) -> bytes:
        """The bytes of a digest, checked against it."""


class Copy(Struct, frozen=True):
    """A version as its copy says: number and head in the registry's log, tags, and where it came from."""

    name: str
    seq: int
    head: str
    git: GitFacts
    time: str


def mirror(repository: Repository, copy: Copy, snapshot: Snapshot, tags: tuple[str, ...]) -> bool:
    """Write the copy of a version under ``seq-N``, its tags and, unless a later one stands there, ``latest``; False when it was there.

    RefusedError for a directory with more files than an image may have layers.
    """
    listed = manifests.of(snapshot)
    image = _image(copy, listed)
    if len(image) > _LARGEST:
        raise RefusedError(f"{len(listed.files)} files make an image's list of layers larger than registries take")
    numbered = f"seq-{copy.seq}"
    there = repository.manifest(numbered)
    fresh = there is None or _config(_parsed(there)) != listed.digest or _facts(there).head != copy.head
    if there is None or fresh:
        for content in {file.content for file in snapshot.files} | {listed.raw}:
            repository.put_blob(content)
        repository.put_manifest(numbered, image)
    else:
        image = there
    for tag in tags:
        repository.put_manifest(tag, image)
    newest = repository.manifest("latest")
    if newest is None or _facts(newest).seq < copy.seq:
        repository.put_manifest("latest", image)
    return fresh


def copied(repository: Repository, reference: str) -> tuple[Snapshot, Copy, Manifest]:
    """A version out of its copy: every byte is held against the hashes of the directory's own list of files.

    SetupError when there is no such image, IntegrityError for one that is none of ours or not whole.
    """
    raw = repository.manifest(reference or "latest")
    if raw is None:
        raise SetupError(f"there is no image {reference or 'latest'} there")
    image = _parsed(raw)
    listed = manifests.parse(repository.blob(f"sha256:{_config(image)}", keys.TEXT_LIMIT), _config(image))
    digests = {file.sha256 for file in listed.files}
    contents = {digest: repository.blob(f"sha256:{digest}", keys.FILE_LIMIT) for digest in digests}
    if any(len(contents[file.sha256]) != file.size for file in listed.files):
        raise IntegrityError("the image's files are not as long as its list says")
    files = tuple(SnapshotFile(file.name, file.kind, contents[file.sha256]) for file in listed.files)
    return Snapshot(listed.dialect, listed.format, listed.sum, files), _facts(raw), listed


def _image(copy: Copy, listed: Manifest) -> bytes:
    sizes = {file.sha256: file.size for file in listed.files}
    layers = [{"mediaType": FILE, "digest": f"sha256:{sha}", "size": size} for sha, size in sorted(sizes.items())]
    facts = {
        "org.opencontainers.image.created": copy.time,
        "org.opencontainers.image.revision": copy.git.sha,
        "org.opencontainers.image.source": copy.git.repo,
        "dev.pilotage.name": copy.name,
        "dev.pilotage.seq": str(copy.seq),
        "dev.pilotage.head": copy.head,
    }
    config = {"mediaType": LIST, "digest": f"sha256:{listed.digest}", "size": len(listed.raw)}
    document = {"schemaVersion": 2, "mediaType": _MANIFEST, "artifactType": KIND, "config": config}
    return canonical.dumps({**document, "layers": layers, "annotations": {k: v for k, v in facts.items() if v}})


def _parsed(raw: bytes) -> dict[str, Any]:
    image = canonical.loads(raw, "the image's manifest")
    if image.get("artifactType") != KIND:
        raise IntegrityError("the image is no migration directory: it was not published by Pilotage")
    return image


def _config(image: dict[str, Any]) -> str:
    config = image.get("config")
    digest = str(config.get("digest", "")) if isinstance(config, dict) else ""
    if not digest.startswith("sha256:") or len(digest) != 71:
        raise IntegrityError("the image does not say which list of files it holds")
    return digest.removeprefix("sha256:")


def _facts(raw: bytes) -> Copy:
    notes = _parsed(raw).get("annotations")
    said = {str(key): str(value)[:1000] for key, value in notes.items()} if isinstance(notes, dict) else {}
    seq = said.get("dev.pilotage.seq", "")
    git = GitFacts(said.get("org.opencontainers.image.source", ""), said.get("org.opencontainers.image.revision", ""))
    created = said.get("org.opencontainers.image.created", "")
    number = int(seq) if seq.isdigit() and len(seq) < 16 else 0
    return Copy(said.get("dev.pilotage.name", ""), number, said.get("dev.pilotage.head", ""), git, created)
