"""Gets every file of a registry by obstore alone, one after the other, as nothing but the client would."""

from __future__ import annotations

import os
import sys
from urllib.parse import parse_qs, urlsplit

from obstore import get, list  # noqa: A004  # the client's words
from obstore.store import S3Store

address = urlsplit(sys.argv[1])
store = S3Store(
    address.netloc,
    prefix=address.path.strip("/"),
    endpoint=parse_qs(address.query)["endpoint"][0],
    region="us-east-1",
    access_key_id=os.environ["AWS_ACCESS_KEY_ID"],
    secret_access_key=os.environ["AWS_SECRET_ACCESS_KEY"],
    client_options={"allow_http": True},
)
for page in list(store, prefix="blobs/"):
    for found in page:
        get(store, found["path"]).bytes()
