"""The least rights of each role, in each cloud's own words."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from ci_runner.errors import UsageError


@dataclass(frozen=True, slots=True)
class Grant:
    """What a role may do besides reading everything; patterns are keys below the registry's prefix, in which a star stands for anything."""

    create: tuple[str, ...] = ()
    overwrite: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    never: tuple[str, ...] = ()


_DEPLOYS = "dirs/*/deploys/*"
_PUSH = ("format.json", "blobs/*", "dirs/*/log/*", "dirs/*/inbox/*", "checks/*", "hooks/*")
ROLES = {
    "reader": Grant(),
    "pusher": Grant(create=_PUSH, overwrite=("hints/*",), never=(_DEPLOYS,)),
    "deployer": Grant(create=("dirs/*/deploys/*/log/*", "hooks/*")),
    "syncer": Grant(create=_PUSH, overwrite=("hints/*",), remove=("dirs/*/inbox/*",), never=(_DEPLOYS,)),
    "operator": Grant(remove=("blobs/*",)),
}
"""Who does what: readers lint and pull, pushers push from CI, deployers write the deployment log, syncers level backups, operators clean up."""
CLOUDS = {"s3": "s3", "gs": "gcs", "azureblob": "azure"}
"""Scheme of an address → name of its cloud."""


def policy(cloud: str, role: str, bucket: str, prefix: str) -> str:
    """The policy of ``role`` for a registry at ``prefix`` of ``bucket``, as JSON text; UsageError for an unknown role or cloud."""
    if role not in ROLES:
        raise UsageError(f"no role is called {role[:40]!r}: there are {', '.join(ROLES)}")
    writers = {"s3": _s3, "gcs": _gcs, "azure": _azure}
    if cloud not in writers:
        raise UsageError(f"no cloud is called {cloud[:40]!r}: there are {', '.join(writers)}")
    below = f"{prefix}/" if prefix else ""
    return json.dumps(writers[cloud](ROLES[role], role, bucket, below), indent=2)


def _s3(grant: Grant, _role: str, bucket: str, below: str) -> dict[str, Any]:
    """An IAM policy. Creating is tied to the condition that the key is free: key s3:if-none-match of Amazon's list of condition keys."""

    def at(patterns: tuple[str, ...]) -> list[str]:
        return [f"arn:aws:s3:::{bucket}/{below}{pattern}" for pattern in patterns]

    statements: list[dict[str, Any]] = [
        {
            "Effect": "Allow",
            "Action": "s3:ListBucket",
            "Resource": f"arn:aws:s3:::{bucket}",
            "Condition": {"StringLike": {"s3:prefix": [f"{below}*"]}},
        },
        {"Effect": "Allow", "Action": "s3:GetObject", "Resource": at(("*",))},
    ]
    if grant.create:
        guard = {"Null": {"s3:if-none-match": "false"}}
        statements.append(
            {"Effect": "Allow", "Action": "s3:PutObject", "Condition": guard, "Resource": at(grant.create)}
        )
    if grant.overwrite:
        statements.append({"Effect": "Allow", "Action": "s3:PutObject", "Resource": at(grant.overwrite)})
    if grant.remove:
        statements.append({"Effect": "Allow", "Action": "s3:DeleteObject", "Resource": at(grant.remove)})
    if grant.never:
        statements.append(
            {"Effect": "Deny", "Action": ["s3:PutObject", "s3:DeleteObject"], "Resource": at(grant.never)}
        )
    return {"Version": "2012-10-17", "Statement": statements}


def _gcs(grant: Grant, role: str, bucket: str, below: str) -> list[dict[str, Any]]:
    """Custom roles, each with the condition to bind it with. Overwriting is creating and deleting in Google's terms."""
    start = f"projects/_/buckets/{bucket}/objects/{below}"
    wanted: list[tuple[str, list[str], tuple[str, ...], tuple[str, ...]]] = [
        ("read", ["storage.objects.get", "storage.objects.list"], ("",), ())
    ]
    if grant.create:
        wanted.append(("create", ["storage.objects.create"], grant.create, grant.never))
    if grant.overwrite:
        wanted.append(("overwrite", ["storage.objects.create", "storage.objects.delete"], grant.overwrite, ()))
    if grant.remove:
        wanted.append(("remove", ["storage.objects.delete"], grant.remove, ()))
    return [
        {
            "role": {"title": f"Pilotage {role}: {title}", "includedPermissions": permissions},
            "condition": {
                "title": f"pilotage-{role}-{title}",
                "expression": _bucket_wide(bucket, start) if title == "read" else _cel(start, patterns, never),
            },
        }
        for title, permissions, patterns, never in wanted
    ]


def _bucket_wide(bucket: str, start: str) -> str:
    """Listing is a right on the bucket itself, which has no path to compare."""
    return f'resource.name == "projects/_/buckets/{bucket}" || resource.name.startsWith("{start}")'


def _cel(start: str, patterns: tuple[str, ...], never: tuple[str, ...]) -> str:
    """Conditions know no stars, so the part that a star stands for is cut out and must not be empty."""
    allowed = " || ".join(_cel_one(start, pattern) for pattern in patterns)
    refused = "".join(f" && !{_cel_one(start, pattern)}" for pattern in never)
    return f"({allowed}){refused}" if refused else allowed


def _cel_one(start: str, pattern: str) -> str:
    stem = pattern.removesuffix("*")
    if stem.count("*") == 2:
        return _deep(start, stem)
    if "*" not in stem:
        return f'resource.name.startsWith("{start}{stem}")'
    return f'(resource.name.extract("{start}{stem.replace("*", "{part}")}") != "")'


def _deep(start: str, stem: str) -> str:
    """With two stars the first part and the middle are asked for separately, because one cut gives one part."""
    first, middle, last = stem.split("*")
    return (
        f'(resource.name.extract("{start}{first}{{part1}}{middle}") != "" && '
        f'resource.name.extract("{middle}{{part2}}{last}") != "")'
    )


_BLOBS = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs"
_PATH = f"@Resource[{_BLOBS}:path]"


def _azure(grant: Grant, role: str, bucket: str, below: str) -> dict[str, Any]:
    """A custom role and the condition to assign it with. ``add/action`` makes new blobs only; ``write`` would overwrite, too."""
    actions: list[tuple[str, tuple[str, ...], tuple[str, ...]]] = [(f"{_BLOBS}/read", ("*",), ())]
    if grant.create:
        actions.append((f"{_BLOBS}/add/action", grant.create, grant.never))
    if grant.overwrite:
        actions.append((f"{_BLOBS}/write", grant.overwrite, ()))
    if grant.remove:
        actions.append((f"{_BLOBS}/delete", grant.remove, ()))
    return {
        "Name": f"Pilotage {role}",
        "Description": f"Container {bucket}, below {below or 'its root'}",
        "DataActions": [action for action, _patterns, _never in actions],
        "Condition": " AND ".join(_abac(action, patterns, never, below) for action, patterns, never in actions),
    }


def _abac(action: str, patterns: tuple[str, ...], never: tuple[str, ...], below: str) -> str:
    allowed = " OR ".join(f"{_PATH} StringLike '{below}{pattern}'" for pattern in patterns)
    refused = "".join(f" AND {_PATH} StringNotLike '{below}{pattern}'" for pattern in never)
    return f"(!(ActionMatches{{'{action}'}}) OR (({allowed}){refused}))"
