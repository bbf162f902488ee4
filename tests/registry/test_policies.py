"""The rights each role is given, held against the requests its commands really make at the fakes of three clouds."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from ci_runner import registry, stores
from ci_runner.errors import UsageError
from ci_runner.model.registry import GitFacts, Selector
from ci_runner.registry.policies import CLOUDS as SCHEMES
from ci_runner.registry.policies import ROLES
from ci_runner.stores import Store
from ci_runner.stores.memory import MemoryStore
from tests.fakes.objects import CLOUDS, Asked, Fault, Objects
from tests.registry.world import NAME, Job, ancestry, files, snapshot

NOW = datetime(2026, 1, 5, tzinfo=UTC)
NONCE = "0" * 32


def matches(pattern: str, text: str) -> bool:
    return re.fullmatch(".*".join(re.escape(part) for part in pattern.split("*")), text) is not None


def s3_allows(policy: Any, asked: Asked) -> bool:
    """Amazon's evaluation, as far as these policies use it: a Deny wins, otherwise one Allow must fit."""
    action = {"GET": "s3:GetObject", "PUT": "s3:PutObject", "DELETE": "s3:DeleteObject"}[asked.method]
    resource = f"arn:aws:s3:::acme/{asked.key}"
    if asked.method == "GET" and not asked.key:
        action, resource = "s3:ListBucket", "arn:aws:s3:::acme"
    allowed = False
    for statement in policy["Statement"]:
        actions, resources = (
            [value] if isinstance(value, str) else value for value in (statement["Action"], statement["Resource"])
        )
        condition = statement.get("Condition", {})
        fits = action in actions and any(matches(pattern, resource) for pattern in resources)
        if "StringLike" in condition:
            fits &= any(matches(p, asked.query.get("prefix", "")) for p in condition["StringLike"]["s3:prefix"])
        if "Null" in condition:
            fits &= asked.headers.get("if-none-match") is not None
        if fits and statement["Effect"] == "Deny":
            return False
        allowed |= fits
    return allowed


def cel(expression: str, name: str) -> bool:
    """Google's condition language, as far as these policies use it, turned into Python."""

    def extract(template: str) -> str:
        before, after = re.split(r"\{\w+\}", template)
        found = name.partition(before)[2] if before in name else ""
        return found.partition(after)[0] if after in found else ""

    text = expression.replace("resource.name.", "name.").replace("name.startsWith", "name.startswith")
    text = text.replace("name.extract", "extract").replace("resource.name", "name")
    text = re.sub(r"!(?!=)", " not ", text).replace("||", " or ").replace("&&", " and ")
    return bool(eval(text, {"__builtins__": {}}, {"name": name, "extract": extract}))


def gcs_allows(policy: Any, asked: Asked) -> bool:
    needed = {"GET": {"storage.objects.get"}, "DELETE": {"storage.objects.delete"}}.get(asked.method)
    if asked.method == "PUT":
        # Without its condition a write may replace what is there, for which Google asks for the right to delete.
        needed = {"storage.objects.create"} | (set() if asked.guarded else {"storage.objects.delete"})
    name = f"projects/_/buckets/acme/objects/{asked.key}"
    if asked.method == "GET" and not asked.key:
        needed, name = {"storage.objects.list"}, "projects/_/buckets/acme"
    held: set[str] = set()
    for binding in policy:
        if cel(binding["condition"]["expression"], name):
            held |= set(binding["role"]["includedPermissions"])
    assert needed
    return needed <= held


def azure_allows(policy: Any, asked: Asked) -> bool:
    blobs = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs"
    key, method = asked.key, asked.method
    if method == "POST":
        method, key = "DELETE", re.findall(rb"DELETE /acme/(\S+) HTTP", asked.body)[0].decode()
    action = {"GET": "/read", "DELETE": "/delete", "PUT": "/add/action" if asked.guarded else "/write"}[method]
    if blobs + action not in policy["DataActions"]:
        return False
    parts = dict(re.findall(r"ActionMatches\{'([^']+)'\}\) OR \((.*?)\)\)(?= AND \(!|$)", policy["Condition"]))
    condition = parts[blobs + action]
    path = key or asked.query.get("prefix", "")
    likes = re.findall(r" StringLike '([^']+)'", condition)
    never = re.findall(r" StringNotLike '([^']+)'", condition)
    return any(matches(p, path) for p in likes) and not any(matches(p, path) for p in never)


ALLOWS: dict[str, Callable[[Any, Asked], bool]] = {"s3": s3_allows, "gcs": gcs_allows, "azure": azure_allows}


def policy(cloud: str, role: str, prefix: str = "prod") -> Any:
    return json.loads(registry.policy(cloud, role, "acme", prefix))


def read_all(store: Store) -> None:
    registry.log_document(store, NAME)
    registry.tags_document(store, NAME)
    registry.pull(store, NAME, Selector("tag", "v1"))
    registry.list_names(store)
    assert registry.verify(store).damages == ()


def push_all(store: Store) -> None:
    job = Job(registry.FirstUse(store, lambda: NOW, lambda: NONCE))
    job.push(snapshot(files(1)), tags=("v1",))
    job.push(snapshot(files(1)))
    job.push(snapshot(files(2)))
    registry.yank(
        store,
        NAME,
        Selector(),
        "oops",
        git=GitFacts(),
        actor={},
        now=NOW,
        nonce=NONCE,
        pause=lambda _repetition: None,
    )


def sync_all(cloud: Objects, backup: Store) -> None:
    """A push that only the backup takes, and the sync that brings it home and clears the inbox."""
    primary = MemoryStore()
    with CLOUDS["s3"]() as down:
        down.faults = [Fault("", "status", 10**6, 403, "AccessDenied")]
        Job(stores.open(down.address, down.environ)).push(snapshot(files(3)), backups=[backup])
    registry.sync(primary, [backup], ancestry, lambda _repetition: None)
    assert not [key for key in cloud.objects if "/inbox/" in key]


def recorded(cloud: Objects, role: str) -> list[Asked]:
    """The requests that a role's work makes at ``cloud``."""
    store = stores.open(cloud.address, cloud.environ)
    if role == "reader":
        push_all(store)
        cloud.requests.clear()
        read_all(store)
    elif role == "pusher":
        push_all(store)
    else:
        sync_all(cloud, store)
    return cloud.requests


def is_try(asked: Asked) -> bool:
    """What the check of a store tries without needing it: to remove an object of its own."""
    return "checks/" in asked.key + asked.body.decode("latin-1") and asked.method in {"DELETE", "POST"}


@pytest.mark.parametrize("role", ["reader", "pusher", "syncer"])
@pytest.mark.parametrize("cloud", CLOUDS)
def test_a_role_may_do_all_that_its_commands_ask_for(cloud: str, role: str) -> None:
    with CLOUDS[cloud]() as fake:
        requests = recorded(fake, role)
    assert len(requests) > 10
    held = policy(cloud, role)
    assert [
        f"{asked.method} {asked.key}" for asked in requests if not ALLOWS[cloud](held, asked) and not is_try(asked)
    ] == []


GUARD = {"if-none-match": "*", "x-goog-if-generation-match": "0"}


def ask(method: str, key: str, *, guarded: bool = False) -> Asked:
    return Asked(method, f"prod/{key}", {}, GUARD if guarded else {}, b"")


FORBIDDEN = {
    "reader": [
        ask("PUT", "blobs/sha256/aa/a", guarded=True),
        ask("DELETE", "dirs/app/inbox/a"),
        ask("PUT", "hints/app"),
    ],
    "pusher": [
        ask("PUT", "dirs/app/log/0000000001.json"),
        ask("PUT", "blobs/sha256/aa/a"),
        ask("DELETE", "dirs/app/log/0000000001.json"),
        ask("DELETE", "dirs/app/inbox/a.json"),
        ask("PUT", "dirs/app/deploys/prod/log/0000000001.json", guarded=True),
        ask("PUT", "elsewhere/x", guarded=True),
    ],
    "deployer": [
        ask("PUT", "dirs/app/log/0000000001.json", guarded=True),
        ask("PUT", "blobs/sha256/aa/a", guarded=True),
        ask("PUT", "dirs/app/deploys/prod/log/0000000001.json"),
        ask("PUT", "hints/app"),
        ask("DELETE", "dirs/app/deploys/prod/log/0000000001.json"),
    ],
    "syncer": [
        ask("DELETE", "dirs/app/log/0000000001.json"),
        ask("DELETE", "blobs/sha256/aa/a"),
        ask("PUT", "dirs/app/log/0000000001.json"),
        ask("PUT", "dirs/app/deploys/prod/log/0000000001.json", guarded=True),
    ],
    "operator": [ask("DELETE", "dirs/app/log/0000000001.json"), ask("PUT", "blobs/sha256/aa/a", guarded=True)],
}
PERMITTED = {
    "deployer": [ask("PUT", "dirs/app/deploys/prod/log/0000000001.json", guarded=True), ask("GET", "format.json")],
    "operator": [ask("DELETE", "blobs/sha256/aa/a"), ask("GET", "dirs/app/log/0000000001.json")],
}


@pytest.mark.parametrize("role", FORBIDDEN)
@pytest.mark.parametrize("cloud", CLOUDS)
def test_a_role_may_do_nothing_else(cloud: str, role: str) -> None:
    held = policy(cloud, role)
    assert [f"{a.method} {a.key}" for a in FORBIDDEN[role] if ALLOWS[cloud](held, a)] == []
    assert [f"{a.method} {a.key}" for a in PERMITTED.get(role, []) if not ALLOWS[cloud](held, a)] == []
    outside = Asked("GET", "other/format.json", {}, {}, b"")
    assert not ALLOWS[cloud](held, outside)


@pytest.mark.parametrize("cloud", CLOUDS)
def test_a_registry_at_the_root_of_its_bucket_has_policies_too(cloud: str) -> None:
    held = policy(cloud, "pusher", "")
    assert ALLOWS[cloud](held, Asked("PUT", "dirs/app/log/0000000001.json", {}, GUARD, b""))
    assert not ALLOWS[cloud](held, Asked("PUT", "dirs/app/log/0000000001.json", {}, {}, b""))


def test_every_role_is_held_against_something_and_unknown_ones_are_told() -> None:
    assert set(FORBIDDEN) == set(ROLES)
    assert set(SCHEMES.values()) == set(CLOUDS) == set(ALLOWS)
    with pytest.raises(UsageError, match="pusher"):
        registry.policy("s3", "admin", "acme", "prod")
    with pytest.raises(UsageError, match="azure"):
        registry.policy("oracle", "pusher", "acme", "prod")
