"""Real servers for the wire: SeaweedFS and moto for S3, Azurite for Azure; started once per test process, on free ports."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.stores.gcs import Translated

SERVERS = ("seaweedfs", "moto", "azurite", "fakegcs")
KEYS = {"AWS_ACCESS_KEY_ID": "pilotage", "AWS_SECRET_ACCESS_KEY": "only-for-this-test"}
# Azurite's account, the same in every installation; its documentation prints it.
AZURITE_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="


@dataclass
class Server:
    """A running server: how to reach it, and a new corner of it for every test."""

    address: str
    environ: dict[str, str]
    made: list[int] = field(default_factory=list)

    def fresh(self) -> str:
        self.made.append(1)
        return self.address.replace("PREFIX", f"test-{len(self.made)}")


def binary(name: str) -> str | None:
    """A program beside this interpreter or on the path."""
    beside = Path(sys.executable).parent / name
    return str(beside) if beside.exists() else shutil.which(name)


@contextmanager
def seaweedfs(program: str, folder: Path) -> Iterator[Server]:
    """A real object store: master, volume, filer and S3 gateway in one process."""
    identity = {"name": "test", "credentials": [], "actions": ["Admin", "Read", "Write", "List", "Tagging"]}
    identity["credentials"] = [{"accessKey": KEYS["AWS_ACCESS_KEY_ID"], "secretKey": KEYS["AWS_SECRET_ACCESS_KEY"]}]
    (folder / "s3.json").write_text(json.dumps({"identities": [identity]}))
    ports = {name: _port() for name in ("s3.port", "master.port", "volume.port", "filer.port")}
    # Each gRPC port would be 10,000 above, which may be past the last one.
    ports |= {f"{name}.grpc": _port() for name in ports}
    options = [f"-{name}={port}" for name, port in ports.items()]
    command = [program, "server", "-s3", f"-s3.config={folder}/s3.json", f"-dir={folder}", "-ip=127.0.0.1", *options]
    command += [
        "-master.telemetry=false",
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
        "-master.volumeSizeLimitMB=64",
        "-volume.max=20",
    ]
    with _running(command, folder):
        origin = f"http://127.0.0.1:{ports['s3.port']}"
        _bucket(origin)
        yield _s3(origin)


@contextmanager
def moto(program: str, folder: Path) -> Iterator[Server]:
    """A fake of AWS by others; single-threaded use only, because of two creators at once two may win."""
    port = _port()
    with _running([program, "-H", "127.0.0.1", "-p", str(port)], folder):
        origin = f"http://127.0.0.1:{port}"
        _bucket(origin)
        yield _s3(origin)


@contextmanager
def azurite(program: str, folder: Path) -> Iterator[Server]:
    """Microsoft's emulator of Azure Blob Storage."""
    port = _port()
    command = [program, "--blobPort", str(port), "--inMemoryPersistence", "--disableTelemetry", "--silent"]
    with _running([*command, "--skipApiVersionCheck"], folder):
        environ = {"AZURE_STORAGE_KEY": AZURITE_KEY}
        endpoint = f"http://127.0.0.1:{port}/devstoreaccount1"
        _until(lambda: _answers(f"http://127.0.0.1:{port}"))
        _create_container(endpoint)
        query = f"storage_account=devstoreaccount1&endpoint={endpoint}&insecure=true"
        yield Server(f"azureblob://acme/PREFIX?{query}", environ)


@contextmanager
def fakegcs(program: str, folder: Path) -> Iterator[Server]:
    """A server of Google's JSON interface by others, with the XML interface in front of it."""
    port = _port()
    command = [
        program,
        "-scheme",
        "http",
        "-host",
        "127.0.0.1",
        "-port",
        str(port),
        "-backend",
        "memory",
        "-log-level",
        "error",
    ]
    with _running([*command, "-public-host", f"127.0.0.1:{port}"], folder):
        origin = f"http://127.0.0.1:{port}"
        _until(lambda: _answers(f"{origin}/storage/v1/b"))
        made = urllib.request.Request(
            f"{origin}/storage/v1/b?project=acme",
            b'{"name": "acme"}',
            {"Content-Type": "application/json"},
            method="POST",
        )
        urllib.request.urlopen(made, timeout=10).close()
        with Translated(origin) as front:
            yield Server(front.address.replace("/prod?", "/PREFIX?"), {})


def _create_container(endpoint: str) -> None:
    """Signed by hand, because the client at hand makes no containers."""
    import base64
    import hashlib
    import hmac
    from email.utils import formatdate

    date = formatdate(usegmt=True)
    resource = "/devstoreaccount1/devstoreaccount1/acme\nrestype:container"
    text = "PUT\n" + "\n" * 11 + f"x-ms-date:{date}\nx-ms-version:2021-12-02\n{resource}"
    signed = hmac.new(base64.b64decode(AZURITE_KEY), text.encode(), hashlib.sha256).digest()
    headers = {
        "x-ms-date": date,
        "x-ms-version": "2021-12-02",
        "Authorization": f"SharedKey devstoreaccount1:{base64.b64encode(signed).decode()}",
        "Content-Length": "0",
    }
    request = urllib.request.Request(f"{endpoint}/acme?restype=container", method="PUT", headers=headers)
    with urllib.request.urlopen(request, timeout=10):
        pass


def _s3(origin: str) -> Server:
    return Server(f"s3://acme/PREFIX?region=us-east-1&endpoint={origin}&insecure=true", KEYS)


def _bucket(origin: str) -> None:
    """Make the bucket, as soon as the server takes it."""
    import boto3
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError

    client = boto3.client(
        "s3",
        endpoint_url=origin,
        region_name="us-east-1",
        aws_access_key_id=KEYS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=KEYS["AWS_SECRET_ACCESS_KEY"],
        config=Config(retries={"max_attempts": 1}, connect_timeout=2, read_timeout=5),
    )

    def made() -> bool:
        try:
            client.create_bucket(Bucket="acme")
            client.put_object(Bucket="acme", Key="ready", Body=b"")
        except (BotoCoreError, ClientError):
            return False
        return True

    _until(made)


@contextmanager
def _running(command: Sequence[str], folder: Path) -> Iterator[None]:
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
        try:
            yield
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _until(ready: Callable[[], bool]) -> None:
    """Wait, at most a minute, until the server is ready."""
    end = time.monotonic() + 60
    while not ready():
        if time.monotonic() > end:
            raise AssertionError("the server did not start within a minute")
        time.sleep(0.1)


def _answers(url: str) -> bool:
    try:
        urllib.request.urlopen(url, timeout=2).close()
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


def _port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
