"""Copies on OCI registries: written after a version is committed, read like the registry itself."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from ci_runner import registry
from ci_runner.errors import PilotageError, UsageError
from ci_runner.journeys.facts import facts
from ci_runner.journeys.ground import Ground
from ci_runner.model.registry import Pushed, Snapshot
from ci_runner.stores import oci


def copied(ground: Ground, name: str, snapshot: Snapshot, pushed: Pushed, tags: tuple[str, ...]) -> Pushed:
    """The push with what became of its copies; one that fails is a warning, for the version is committed all the same.

    Nothing is copied before the registry has given the version its number: neither while only a backup holds it nor for a push that
    was not the newest.
    """
    if pushed.outcome not in ("ok", "noop") or not pushed.seq:
        return pushed
    time = ground.now().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    copy = registry.Copy(name, pushed.seq, pushed.head, facts(ground), time)
    done, warnings = dict(pushed.stores), list(pushed.warnings)
    for address in ground.config.publish:
        try:
            place = f"{address.rstrip('/')}/{name.lower()}"
            fresh = registry.mirror(oci.open_image(place, ground.environ), copy, snapshot, tags)
            done[place] = "copied" if fresh else "there already"
        except PilotageError as error:
            done[address] = f"failed: {error}"
            warnings.append(f"version {pushed.seq} is committed, but not copied to {address}: {error}")
    return replace(pushed, stores=done, warnings=tuple(warnings))


def pulled(ground: Ground, address: str, folder: Path, flags: Mapping[str, object]) -> dict[str, Any]:
    """Write the version of a copy to ``folder``; what was written, as JSON values. Its tag or digest is part of the address."""
    if any(value is not None for value in flags.values()):
        raise UsageError("an OCI address names its version itself: oci://HOST/REPOSITORY:TAG or …@sha256:DIGEST")
    source = oci.open_image(address, ground.environ)
    snapshot, copy, listed = registry.copied(source, source.image.reference)
    registry.write(snapshot, folder)
    files = [file.name for file in snapshot.files]
    return {"name": copy.name, "seq": copy.seq, "digest": f"sha256:{listed.digest}", "tags": [], "files": files}
