"""The history that the frozen registries hold: every kind of entry, file and tag that the format has.

``python -m tests.registry.history FOLDER`` writes it as today's program does. A folder of a released format is never written again.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from ci_runner import registry, stores
from ci_runner.model.registry import GitFacts, Pushed, Selector, Snapshot, SnapshotFile
from ci_runner.stores import Store
from tests.registry.world import Job

STRANGE = "sub folder/ünïcode – 3.sql"


def write(store: Store) -> list[Pushed]:
    """Push it all: two directories, all kinds of files, tags with a push, by themselves, moved, on an older state; a rewrite; no Git."""
    job = Job(store)
    up = {"0001_users.sql": b"create table users (id int);\n", "0002_orders.sql": b"create table orders (id int);\r\n"}
    more = up | {STRANGE: b"alter table users add name text; -- \xc3\xa9\n"}
    first = mixed({"0001_users.sql": up["0001_users.sql"]}, {})
    aux = {
        "atlas.sum": b"h1:\n",
        "0002_orders.down.sql": b"drop table orders;\n",
        "R__views.sql": b"create view v as select 1;\n",
        "empty": b"",
    }
    return [
        job.push(first, "1", tags=["v1.0", "stable"]),
        job.push(mixed(up, aux), "2"),
        job.push(mixed(more, aux), "3", tags=["v1.1"]),
        job.push(mixed(up, aux), "2", tags=["late"]),
        job.push(mixed(more, aux), "3", tags=["stable"], move_tag=True),
        job.push(mixed(up | {"0002_orders.sql": b"edited"}, {}), "4", allow_rewrite=True),
        job.push(Snapshot("mysql", "goose", "", ()), "", name="web-2_X"),
        job.push(Snapshot("mysql", "goose", "", (SnapshotFile("1.sql", "up", b"x"),)), "", name="web-2_X"),
    ]


def mixed(up: dict[str, bytes], other: dict[str, bytes]) -> Snapshot:
    lines = [SnapshotFile(name, "up", content) for name, content in up.items()]
    for name, content in other.items():
        lines.append(
            SnapshotFile(
                name, "down" if ".down." in name else "repeatable" if name.startswith("R__") else "aux", content
            )
        )
    return Snapshot("postgres", "atlas", "h1:abc=", tuple(sorted(lines, key=lambda file: file.name)))


def told(store: Store) -> dict[str, Any]:
    """Everything that a reader gets out of the registry."""
    names = registry.list_names(store)
    return {
        "heads": dict(registry.verify(store).heads),
        "logs": {name: registry.log_document(store, name) for name in names},
        "tags": {
            tag: registry.pull(store, "app", Selector("tag", tag))[1].seq for tag in ("v1.0", "v1.1", "late", "stable")
        },
        "latest": {name: registry.pull(store, name, Selector())[1].seq for name in names},
    }


def push_another(store: Store) -> Pushed:
    """One more push by today's program onto an old registry."""
    return registry.push(
        store,
        "web-2_X",
        Snapshot("mysql", "goose", "", (SnapshotFile("1.sql", "up", b"x"), SnapshotFile("2.sql", "up", b"y"))),
        git=GitFacts(),
        ancestry=lambda _first, _second: None,
        actor={},
        clock=Job(store).clock,
        nonce=lambda: "f" * 32,
        pause=lambda _repetition: None,
    )


if __name__ == "__main__":
    target = Path(sys.argv[1])
    new = stores.open(f"file://{target.absolute()}")
    write(new)
    (target.parent / f"{target.name}.json").write_text(
        json.dumps(told(new), indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    )
