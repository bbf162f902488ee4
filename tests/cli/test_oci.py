"""Versions copied to a real OCI registry: with a login and without, whole or refused, and never in the way of a push."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Repository
from tests.conftest import missing

USER, PASSWORD = "pusher", "a-Passw0rd"
HTPASSWD = "pusher:$2y$04$kfXHZUgxWnd7DuJ2vy2jeekeY/xViVrth66mxzexL3Wp/OyPnMgNe\n"  # htpasswd -B, the one form the server takes
POSTGRES = {"PILOTAGE_DIALECT": "postgres", "PILOTAGE_DIR_FORMAT": "atlas"}


@contextmanager
def running(folder: Path, settings: str = "") -> Iterator[str]:
    """docker-registry on this machine; its host and port."""
    program = shutil.which("docker-registry") or missing("docker-registry", "apt-get install docker-registry")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{probe.getsockname()[1]}"
    folder.mkdir(exist_ok=True)
    (folder / "config.yml").write_text(
        f"version: 0.1\nstorage: {{inmemory: {{}}}}\nhttp: {{addr: '{host}'}}\n{settings}"
    )
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen([str(program), "serve", str(folder / "config.yml")], stdout=log, stderr=log)
        try:
            _wait(f"http://{host}/v2/")
            yield host
        finally:
            server.terminate()
            server.wait(10)


def _wait(url: str) -> None:
    for _ in range(200):
        try:
            urllib.request.urlopen(url, timeout=2).close()
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.05)
            continue
        return
    raise AssertionError("docker-registry did not start")


@pytest.fixture(scope="module")
def open_host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running(tmp_path_factory.mktemp("oci")) as host:
        yield host


@pytest.fixture
def shop(repository: Repository, tmp_path: Path) -> Repository:
    """A repository whose registry is a folder; each test publishes to a repository of its own."""
    (tmp_path / "registry").mkdir()
    return repository


def settings(shop: Repository, host: str, name: str, tmp_path: Path) -> str:
    where = f"oci://{host}/acme/{name}"
    shop.write({"pilotage.yml": f"registry:\n  url: file://{tmp_path}/registry\n  publish: ['{where}']\n"})
    return f"{where}/shop"


def asked(url: str, **headers: str) -> Any:
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=5) as answer:
        return json.loads(answer.read())


def test_a_version_is_copied_after_the_push_and_pulled_by_number_tag_latest_and_digest(
    shop: Repository, open_host: str, tmp_path: Path
) -> None:
    place = settings(shop, open_host, "copied", tmp_path)
    assert shop.run("push", "shop:v1", **POSTGRES).code == 0
    shop.commit({"migrations/2_more.sql": "CREATE TABLE more (id bigint PRIMARY KEY);\n"})
    done = shop.run("push", "shop", "--json", **POSTGRES)
    assert done.json["stores"][place] == "copied"
    tags = asked(f"http://{open_host}/v2/acme/copied/shop/tags/list")["tags"]
    assert set(tags) == {"seq-1", "seq-2", "v1", "latest"}
    kind = {"Accept": "application/vnd.oci.image.manifest.v1+json"}
    raw = urllib.request.urlopen(
        urllib.request.Request(f"http://{open_host}/v2/acme/copied/shop/manifests/seq-1", headers=kind), timeout=5
    ).read()
    digest = f"sha256:{hashlib.sha256(raw).hexdigest()}"
    for number, (mark, files) in enumerate({":v1": 1, ":seq-2": 2, "": 2, ":latest": 2, f"@{digest}": 1}.items()):
        pulled = shop.run("pull", f"{place}{mark}", "--output", f"out{number}", "--json", **POSTGRES)
        assert pulled.code == 0, pulled.err
        assert len(pulled.json["files"]) == files
        assert (shop.path / f"out{number}/1_init.sql").read_bytes() == (
            shop.path / "migrations/1_init.sql"
        ).read_bytes()


def test_a_copy_that_is_missing_is_made_by_the_next_push_even_when_nothing_is_new(
    shop: Repository, open_host: str, tmp_path: Path
) -> None:
    shop.run("push", "shop", "--registry", f"file://{tmp_path}/registry", **POSTGRES)
    place = settings(shop, open_host, "later", tmp_path)
    assert shop.run("push", "shop", "--json", **POSTGRES).json["stores"][place] == "copied"
    again = shop.run("push", "shop", "--json", **POSTGRES).json
    assert (again["outcome"], again["stores"][place]) == ("noop", "there already")


def test_a_registry_that_is_down_is_a_warning_and_the_push_stands(shop: Repository, tmp_path: Path) -> None:
    settings(shop, "127.0.0.1:9", "down", tmp_path)
    done = shop.run("push", "shop", **POSTGRES)
    assert done.code == 0
    assert "version 1 is committed, but not copied to oci://127.0.0.1:9/acme/down" in done.err
    assert shop.run("log", "shop", **POSTGRES).code == 0


def test_with_a_login_the_copy_is_made_and_without_one_the_way_to_log_in_is_named(
    shop: Repository, tmp_path: Path
) -> None:
    (tmp_path / "oci").mkdir()
    (tmp_path / "oci/htpasswd").write_text(HTPASSWD)
    auth = f"auth: {{htpasswd: {{realm: test, path: '{tmp_path}/oci/htpasswd'}}}}\n"
    with running(tmp_path / "oci", auth) as host:
        place = settings(shop, host, "closed", tmp_path)
        refused = shop.run("push", "shop", **POSTGRES)
        assert refused.code == 0
        assert "docker login" in refused.err
        said = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        login = json.dumps({"auths": {host: {"auth": said}}})
        done = shop.run("push", "shop", "--json", DOCKER_AUTH_CONFIG=login, **POSTGRES)
        assert done.json["stores"][place] == "copied"
        assert PASSWORD not in done.out + done.err
        assert said not in done.out + done.err


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("oci://host", "an OCI address is oci://HOST/REPOSITORY"),
        ("oci://host/Upper", "repositories are lower case"),
        ("oci://host/a/../b", "an OCI address is"),
        ("oci://host/a@sha256:12", "an OCI address is"),
        ("oci://user:secret@host/a", "an OCI address is"),
    ],
)
def test_an_address_that_cannot_be_meant_is_refused(repository: Repository, address: str, said: str) -> None:
    done = repository.run("pull", address, "--output", "out", **POSTGRES)
    assert (done.code, said in done.err) == (2, True)
    assert "secret" not in done.err


def test_an_image_that_is_no_directory_or_was_changed_is_an_integrity_error(
    shop: Repository, open_host: str, tmp_path: Path
) -> None:
    place = settings(shop, open_host, "changed", tmp_path)
    shop.run("push", "shop", **POSTGRES)
    url = f"http://{open_host}/v2/acme/changed/shop/manifests"
    kind = "application/vnd.oci.image.manifest.v1+json"
    image = asked(f"{url}/latest", Accept=kind)
    put(f"{url}/foreign", {**image, "artifactType": "application/vnd.acme.thing"}, kind)
    foreign = shop.run("pull", f"{place}:foreign", "--output", "out", **POSTGRES)
    assert (foreign.code, "was not published by Pilotage" in foreign.err) == (6, True)
    swapped = {**image, "config": {**image["config"], "digest": image["layers"][0]["digest"]}}
    put(f"{url}/swapped", swapped, kind)
    changed = shop.run("pull", f"{place}:swapped", "--output", "out", **POSTGRES)
    assert changed.code == 6
    assert not (shop.path / "out").exists()
    absent = shop.run("pull", f"{place}:nothing", "--output", "out", **POSTGRES)
    assert (absent.code, "there is no image nothing" in absent.err) == (2, True)


def put(url: str, image: dict[str, Any], kind: str) -> None:
    request = urllib.request.Request(url, json.dumps(image).encode(), {"Content-Type": kind}, method="PUT")
    urllib.request.urlopen(request, timeout=5).close()
