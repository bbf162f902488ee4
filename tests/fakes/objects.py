"""Object stores on loopback that speak S3, GCS's XML or Azure Blob: one lock round check and write, and faults on demand."""

from __future__ import annotations

import base64
import hashlib
import re
import socket
import threading
import time
from dataclasses import dataclass
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit
from xml.sax.saxutils import escape

Answer = tuple[int, dict[str, str], bytes]


@dataclass
class Fault:
    """What goes wrong with the next ``times`` requests whose "METHOD key" matches ``where`` (a regular expression).

    ``how``: ``status`` (refused with ``status`` and ``code``, nothing done), ``cut`` (done, then the line goes dead), ``drop`` (nothing
    done, the line goes dead), ``done-then-status``, ``slow`` (answered after ``seconds``), ``short`` (half of the body), ``html`` (a
    sign-in page, nothing done), ``empty`` (refused with ``status`` and no body), ``stale`` (a list from before the last write).
    """

    where: str
    how: str = "status"
    times: int = 1
    status: int = 500
    code: str = "InternalError"
    seconds: float = 0.0
    after: int = 0
    """Let so many of them pass first."""


@dataclass(frozen=True)
class Asked:
    """A request: ``key`` is "" for a list, ``guarded`` says whether it would refuse to overwrite."""

    method: str
    key: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def guarded(self) -> bool:
        return self.headers.get("if-none-match") == "*" or self.headers.get("x-goog-if-generation-match") == "0"


class Objects:
    """A bucket; subclasses speak a cloud's dialect. ``racy`` leaves the lock out: two writers can win then."""

    bucket = "acme"
    exists = (412, "PreconditionFailed")

    def __init__(self, *, racy: bool = False, overwrites: bool = False) -> None:
        self.objects: dict[str, bytes] = {}
        self.before: dict[str, bytes] = {}
        self.faults: list[Fault] = []
        self.requests: list[Asked] = []
        self.racy, self.overwrites = racy, overwrites
        self.lock = threading.Lock()
        self.server = _Server(("127.0.0.1", 0), _handler(self))
        self.origin = f"http://127.0.0.1:{self.server.server_port}"

    def __enter__(self) -> Objects:
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.server.shutdown()
        self.server.server_close()

    @property
    def address(self) -> str:
        raise AssertionError("each dialect has its own address")

    @property
    def environ(self) -> dict[str, str]:
        """The environment that lets a client in."""
        return {}

    def take_fault(self, asked: Asked) -> Fault | None:
        with self.lock:
            self.requests.append(asked)
            for fault in self.faults:
                if fault.times > 0 and re.search(fault.where, f"{asked.method} {asked.key}"):
                    if fault.after:
                        fault.after -= 1
                        continue
                    fault.times -= 1
                    return fault
        return None

    def answer(self, asked: Asked, *, stale: bool = False) -> Answer:
        """What a sound store answers."""
        if asked.method in {"GET", "HEAD"} and asked.key:
            content = self.objects.get(asked.key)
            return self.refusal(404, self.missing) if content is None else (200, _meta(content), content)
        if asked.method == "GET":
            return self.listing(asked, self.before if stale else dict(self.objects))
        if asked.method == "PUT":
            return self.put(asked)
        if asked.method == "DELETE":
            with self.lock:
                gone = self.objects.pop(asked.key, None)
            return self.deleted(gone is not None)
        return self.refusal(400, "NotUnderstood")

    missing = "NoSuchKey"

    def put(self, asked: Asked) -> Answer:
        claimed = asked.headers.get("x-amz-checksum-sha256")
        if claimed and claimed != base64.b64encode(hashlib.sha256(asked.body).digest()).decode():
            return self.refusal(400, "BadDigest")
        if self.racy:
            taken = asked.key in self.objects
            time.sleep(0.05)
            return self.write(asked, taken=taken)
        with self.lock:
            return self.write(asked, taken=asked.key in self.objects)

    def write(self, asked: Asked, *, taken: bool) -> Answer:
        if asked.guarded and taken and not self.overwrites:
            return self.refusal(*self.exists)
        self.before = dict(self.objects)
        self.objects[asked.key] = asked.body
        return self.written, {k: v for k, v in _meta(asked.body).items() if k != "Content-Type"}, b""

    written = 200

    def deleted(self, was_there: bool) -> Answer:
        return (204, {}, b"") if was_there else self.refusal(404, self.missing)

    def refusal(self, status: int, code: str) -> Answer:
        body = f'<?xml version="1.0"?><Error><Code>{code}</Code><Message>no</Message></Error>'
        return status, {"Content-Type": "application/xml"}, body.encode()

    def listing(self, asked: Asked, objects: dict[str, bytes]) -> Answer:
        raise AssertionError("each dialect lists in its own way")


def page(objects: dict[str, bytes], query: dict[str, str], marker: str, size: int) -> tuple[list[str], list[str], str]:
    """One page of keys and of folders below the query's prefix, and where the next page begins ("" = nowhere)."""
    prefix, cut = query.get("prefix", ""), query.get("delimiter", "")
    found: dict[str, bool] = {}
    for key in sorted(objects):
        if key.startswith(prefix):
            rest = key[len(prefix) :]
            is_folder = bool(cut) and cut in rest
            found[prefix + rest.partition(cut)[0] + cut if is_folder else key] = is_folder
    names = [name for name in sorted(found) if name > marker]
    here = names[:size]
    more = here[-1] if len(names) > size else ""
    return [name for name in here if not found[name]], [name for name in here if found[name]], more


class S3(Objects):
    """S3; lists in pages of three so that paging is met. GCS's XML differs only in how a create is guarded."""

    @property
    def address(self) -> str:
        return f"s3://{self.bucket}/prod?region=eu-central-1&endpoint={self.origin}&insecure=true"

    @property
    def environ(self) -> dict[str, str]:
        return {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "s3cr3t-of-the-store"}

    def deleted(self, was_there: bool) -> Answer:
        return 204, {}, b""

    def listing(self, asked: Asked, objects: dict[str, bytes]) -> Answer:
        token = asked.query.get("continuation-token", "")
        keys, folders, more = page(objects, asked.query, token, 3)
        items = "".join(
            f"<Contents><Key>{escape(key)}</Key><Size>{len(objects[key])}</Size><ETag>&quot;{_etag(objects[key])}&quot;</ETag>"
            "<LastModified>2026-01-05T09:00:00.000Z</LastModified></Contents>"
            for key in keys
        )
        items += "".join(f"<CommonPrefixes><Prefix>{escape(name)}</Prefix></CommonPrefixes>" for name in folders)
        token = f"<NextContinuationToken>{escape(more)}</NextContinuationToken>" if more else ""
        truncated = "true" if more else "false"
        body = f'<?xml version="1.0"?><ListBucketResult><IsTruncated>{truncated}</IsTruncated>{token}{items}</ListBucketResult>'
        return 200, {"Content-Type": "application/xml"}, body.encode()


class Gcs(S3):
    """Google Cloud Storage by its XML interface."""

    def deleted(self, was_there: bool) -> Answer:
        return (204, {}, b"") if was_there else self.refusal(404, self.missing)

    @property
    def address(self) -> str:
        return f"gs://{self.bucket}/prod?endpoint={self.origin}&insecure=true&credentials=anonymous"

    @property
    def environ(self) -> dict[str, str]:
        return {}


class Azure(Objects):
    """Azure Blob Storage."""

    exists = (409, "BlobAlreadyExists")
    missing = "BlobNotFound"
    written = 201

    @property
    def address(self) -> str:
        return f"azureblob://{self.bucket}/prod?storage_account=shop&endpoint={self.origin}&insecure=true"

    @property
    def environ(self) -> dict[str, str]:
        return {"AZURE_STORAGE_KEY": base64.b64encode(b"s3cr3t-of-the-store").decode()}

    def refusal(self, status: int, code: str) -> Answer:
        answered, headers, body = super().refusal(status, code)
        return answered, {**headers, "x-ms-error-code": code}, body

    def deleted(self, was_there: bool) -> Answer:
        return (202, {}, b"") if was_there else self.refusal(404, self.missing)

    def answer(self, asked: Asked, *, stale: bool = False) -> Answer:
        """Azure's client deletes in batches: each part of the body is a request of its own, each part of the answer its outcome."""
        if asked.query.get("comp") != "batch":
            return super().answer(asked, stale=stale)
        parts = []
        for number, path in enumerate(re.findall(rb"DELETE (\S+) HTTP/1\.1", asked.body)):
            key = unquote(path.decode()).removeprefix(f"/{self.bucket}/")
            status, headers, body = super().answer(Asked("DELETE", key, {}, {}, b""))
            lines = "".join(
                f"{name}: {value}\r\n" for name, value in {**headers, "Content-Length": str(len(body))}.items()
            )
            parts.append(
                f"--answer\r\nContent-Type: application/http\r\nContent-ID: {number}\r\n\r\n"
                f"HTTP/1.1 {status} Done\r\n{lines}\r\n{body.decode()}\r\n"
            )
        text = "".join(parts) + "--answer--\r\n"
        return 202, {"Content-Type": "multipart/mixed; boundary=answer"}, text.encode()

    def listing(self, asked: Asked, objects: dict[str, bytes]) -> Answer:
        keys, folders, more = page(objects, asked.query, asked.query.get("marker", ""), 3)
        items = "".join(
            f"<Blob><Name>{escape(key)}</Name><Properties><Last-Modified>{formatdate(0, usegmt=True)}</Last-Modified>"
            f"<Etag>{_etag(objects[key])}</Etag><Content-Length>{len(objects[key])}</Content-Length>"
            "<Content-Type>application/octet-stream</Content-Type></Properties></Blob>"
            for key in keys
        )
        items += "".join(f"<BlobPrefix><Name>{escape(name)}</Name></BlobPrefix>" for name in folders)
        body = f'<?xml version="1.0"?><EnumerationResults><Blobs>{items}</Blobs><NextMarker>{escape(more)}</NextMarker></EnumerationResults>'
        return 200, {"Content-Type": "application/xml"}, body.encode()


def _etag(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def _meta(content: bytes) -> dict[str, str]:
    return {
        "ETag": f'"{_etag(content)}"',
        "Last-Modified": formatdate(0, usegmt=True),
        "Content-Type": "application/octet-stream",
        "x-goog-generation": "1",
    }


def _handler(store: Objects) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def log_message(self, *args: Any) -> None:
            """Quiet."""

        def serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            where = urlsplit(self.path)
            path = unquote(where.path).lstrip("/").removeprefix(store.bucket).lstrip("/")
            names = {name.lower(): value for name, value in self.headers.items()}
            asked = Asked(self.command, path, dict(parse_qsl(where.query)), names, body)
            fault = store.take_fault(asked)
            how = fault.how if fault else ""
            if fault and how in {"status", "empty", "html", "drop"}:
                self.refuse(fault)
                return
            status, headers, content = store.answer(asked, stale=how == "stale")
            if fault and how == "cut":
                self.hang_up()
            elif fault and how == "done-then-status":
                self.send(*store.refusal(fault.status, fault.code))
            elif how == "short":
                self.send(status, {**headers, "Content-Length": str(len(content))}, content[: len(content) // 2])
                self.close_connection = True
            else:
                time.sleep(fault.seconds if fault and how == "slow" else 0)
                self.send(status, headers, content)

        def refuse(self, fault: Fault) -> None:
            if fault.how == "drop":
                self.hang_up()
            elif fault.how == "html":
                self.send(200, {"Content-Type": "text/html"}, b"<html><title>Sign in</title></html>")
            elif fault.how == "empty":
                self.send(fault.status, {}, b"")
            else:
                self.send(*store.refusal(fault.status, fault.code))

        def hang_up(self) -> None:
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True

        def send(self, status: int, headers: dict[str, str], content: bytes) -> None:
            self.send_response(status)
            length = {} if status == 204 else {"Content-Length": str(len(content))}
            for name, value in {**length, **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD" and status != 304:
                self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = serve  # noqa: N815

    return Handler


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up in the middle is part of the play."""


CLOUDS: dict[str, type[Objects]] = {"s3": S3, "gcs": Gcs, "azure": Azure}
