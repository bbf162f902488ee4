"""A project's own directory deployed from zero and in two halves; both schemas must be the one its files make in order, by the engine's own client.

``python -m tests.deploy.real --dir DIR --format diesel --engine mariadb`` prints one line; ``--first FILE`` is run in each database before.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ci_runner import databases
from tests.images import servers

FORWARD = {"diesel": "*/up.sql", "prisma": "*/migration.sql"}


def by_client(engine: str, url: str, server: Any, files: list[Path]) -> None:
    """Each file by ``psql``, ``mariadb`` or ``sqlite3``, stopping at the first error."""
    name = url.rpartition("/")[2].partition("?")[0]
    for file in files:
        login = ["-h127.0.0.1", f"-u{server.admin}", f"-p{servers.PASSWORD}"] if engine == "mariadb" else []
        command = {
            "sqlite": ["sqlite3", "-bail", url.removeprefix("sqlite://")],
            "postgres": ["psql", "-q", "-v", "ON_ERROR_STOP=1", "-1", url],
            "mariadb": [
                "mariadb",
                *login,
                f"-P{server and server.port}",
                "--init-command=SET foreign_key_checks=0",
                name,
            ],
        }[engine]
        done = subprocess.run(command, stdin=file.open(), capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"{file}: {done.stderr}")


def deployed(url: str, folder: Path, form: str, *flags: str) -> int:
    """How many files ``pilotage deploy`` carried out."""
    command = ["pilotage", "deploy", "--dir", folder.name, "--dir-format", form, "--to", url, "--json", *flags]
    done = subprocess.run(command, cwd=folder.parent, capture_output=True, text=True, check=False)
    found = json.loads(done.stdout)
    if found["status"] != "ok":
        raise SystemExit(f"{url.rpartition('@')[2]}: {found['error']}")
    return len(found["applied"])


def schema(url: str) -> dict[str, str]:
    """Object → hash, without the tables deployments are remembered in; a view's text holds its database's name."""
    target = databases.open_target(url, "pilotage/real")
    try:
        return {name: "" if name.startswith("view") else text for name, text in target.fingerprint().items()}
    finally:
        target.close()


@contextmanager
def three(engine: str) -> Iterator[tuple[Any, list[str]]]:
    """The server, if there is one, and the URLs of three empty databases."""
    if engine == "sqlite":
        with tempfile.TemporaryDirectory() as folder:
            yield None, [f"sqlite://{folder}/{name}.db" for name in ("own", "zero", "halves")]
        return
    with {"postgres": servers.postgres_process, "mariadb": servers.mariadb_process}[engine]() as server:
        for name in ("own", "zero", "halves"):
            server.run(f"CREATE DATABASE {name}", database="postgres" if engine == "postgres" else "")
        # As the projects migrate themselves: without checks of foreign keys.
        tail = "?foreign_key_checks=0" if engine == "mariadb" else ""
        yield server, [server.url(name) + tail for name in ("own", "zero", "halves")]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dir", type=Path, required=True)
    parser.add_argument("--format", default="atlas")
    parser.add_argument("--engine", choices=["sqlite", "postgres", "mariadb"], required=True)
    parser.add_argument("--first", type=Path)
    given = parser.parse_args()
    files = sorted(given.dir.glob(FORWARD.get(given.format, "*.sql")))
    with three(given.engine) as (server, (own, zero, halves)), tempfile.TemporaryDirectory() as scratch:
        if given.first:
            for url in (own, zero, halves):
                by_client(given.engine, url, server, [given.first])
        by_client(given.engine, own, server, files)
        entries = sorted(each for each in given.dir.iterdir() if each.is_dir() or each.suffix == ".sql")
        folder = Path(scratch) / given.dir.name
        counts = [deployed(zero, given.dir, given.format, "--allow-dirty")]
        for part in (entries[: len(entries) // 2], entries[len(entries) // 2 :]):
            folder.mkdir(exist_ok=True)
            for each in part:
                (shutil.copytree if each.is_dir() else shutil.copy)(each, folder / each.name)
            counts.append(deployed(halves, folder, given.format, "--allow-dirty"))
        schemas = [schema(url) for url in (own, zero, halves)]
    words = "equal" if schemas[0] == schemas[1] == schemas[2] else "DIFFERENT"
    print(
        f"{given.engine}: {len(files)} files, from zero {counts[0]}, halves {counts[1]} + {counts[2]}, {len(schemas[0])} objects: {words}"
    )
    for other in schemas[1:]:
        for name in sorted({*schemas[0], *other}):
            if schemas[0].get(name) != other.get(name):
                print("  differs:", name)
    sys.exit(words != "equal")


if __name__ == "__main__":
    main()
