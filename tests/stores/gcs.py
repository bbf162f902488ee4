"""Google's XML interface before fake-gcs-server, which guards a create only in uploads by the JSON interface."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from email.utils import formatdate
from typing import Any
from urllib.parse import quote, urlencode

from tests.fakes.objects import Answer, Asked, Gcs

PART = "part-of-an-upload"


class Translated(Gcs):
    """Says each request again in the JSON interface of the server at ``behind``; whether a name is taken only that server decides."""

    def __init__(self, behind: str) -> None:
        super().__init__()
        self.behind = behind

    def answer(self, asked: Asked, *, stale: bool = False) -> Answer:
        if asked.method == "PUT":
            return self._upload(asked)
        if asked.method == "GET" and not asked.key:
            return self._list(asked)
        url = f"{self.behind}/storage/v1/b/{self.bucket}/o/{quote(asked.key, safe='')}"
        if asked.method == "DELETE":
            status, _ = _said("DELETE", url)
            return self.deleted(status < 300)
        status, content = _said("GET", f"{url}?alt=media")
        if status != 200:
            return self.refusal(404, self.missing)
        facts = {"ETag": '"1"', "Last-Modified": formatdate(0, usegmt=True), "Content-Type": "application/octet-stream"}
        return 200, facts, content

    def _upload(self, asked: Asked) -> Answer:
        guard = {"ifGenerationMatch": "0"} if asked.guarded else {}
        query = urlencode({"uploadType": "multipart", "name": asked.key, **guard})
        about = json.dumps({"name": asked.key}).encode()
        lines = (
            f"--{PART}",
            "Content-Type: application/json",
            "",
            about.decode(),
            f"--{PART}",
            "Content-Type: application/octet-stream",
        )
        body = "\r\n".join((*lines, "", "")).encode() + asked.body + f"\r\n--{PART}--\r\n".encode()
        url = f"{self.behind}/upload/storage/v1/b/{self.bucket}/o?{query}"
        status, _ = _said("POST", url, body, f"multipart/related; boundary={PART}")
        if status == 412:
            return self.refusal(*self.exists)
        return (
            (200, {"ETag": '"1"', "x-goog-generation": "1"}, b"") if status < 300 else self.refusal(status, "Refused")
        )

    def _list(self, asked: Asked) -> Answer:
        """Every page at once, then cut into pages as small as the other stores' here."""
        found: dict[str, bytes] = {}
        token = ""
        while True:
            query = urlencode({"prefix": asked.query.get("prefix", ""), **({"pageToken": token} if token else {})})
            _, raw = _said("GET", f"{self.behind}/storage/v1/b/{self.bucket}/o?{query}")
            page: dict[str, Any] = json.loads(raw)
            found |= {item["name"]: b"x" * int(item["size"]) for item in page.get("items") or ()}
            token = page.get("nextPageToken", "")
            if not token:
                return self.listing(asked, found)


def _said(method: str, url: str, body: bytes | None = None, kind: str = "") -> tuple[int, bytes]:
    request = urllib.request.Request(url, body, {"Content-Type": kind} if kind else {}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()
