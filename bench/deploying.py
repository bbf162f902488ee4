"""A deployment of 1,000 small files beside psycopg alone and other tools, and the status of a database with 10,000 applied."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from corpus import small
from measure import PROGRAM, WORK, Figure, Subject, against, in_turn, memory, within

PLAIN = (sys.executable, str(Path(__file__).with_name("plain.py")))
FILES, APPLIED = 1000, 10_000
TABLES = 10_000


def figures(runs: int) -> list[Figure]:
    """Every line of the section."""
    from tests.images.servers import postgres_process

    with postgres_process() as server:

        def empty() -> None:
            server.run("DROP DATABASE IF EXISTS bench WITH (FORCE)", "CREATE DATABASE bench", database="postgres")

        url = server.url("bench")
        few, many = small(WORK / "small", FILES, FILES), small(WORK / "many", APPLIED, 100)
        deploy = Subject(_deploy(few, url), WORK, empty, (0,))
        plain = Subject((*PLAIN, str(few), url), WORK, empty, (0,))
        others = {name: Subject(command, WORK, empty, (0,)) for name, command in _others(few, url).items()}
        in_turn(min(runs, 3), deploy, plain, *others.values())
        empty()
        Subject((*_deploy(many, url), "--tx-mode", "all"), WORK, None, (0,)).run()
        status = Subject((PROGRAM, "--quiet", "status", "--dir", str(many), "--to", url), WORK, None, (0,)).warm()
        in_turn(runs, status)
    return [
        against(f"deploy {FILES:,} small files, PostgreSQL", deploy, "psycopg alone", plain, 1.5),
        *(against("  the same", deploy, name, other, 1) for name, other in others.items()),
        within(f"status with {APPLIED:,} applied", status.median, 0.3),
        memory("peak memory of both", [deploy, status], 100),
        *fingerprints(),
    ]


def fingerprints() -> list[Figure]:
    """How long it takes to know the state of a schema of many tables, as each deployment does before and after it."""
    from tests.images.servers import mariadb_process, postgres_process

    found = []
    for name, process, limit in (("PostgreSQL", postgres_process, 5), ("MariaDB", mariadb_process, 15)):
        with process() as server:
            server.run("CREATE DATABASE tables")
            server.run(
                *(f"CREATE TABLE t{n} (id int PRIMARY KEY, v varchar(8))" for n in range(TABLES)), database="tables"
            )
            found.append(within(f"fingerprint of {TABLES:,} tables, {name}", _fingerprint(server.url("tables")), limit))
    return found


def _fingerprint(url: str) -> float:
    from ci_runner import databases

    target = databases.open_target(url, "bench", look=True)
    try:
        began = time.perf_counter()
        objects = target.fingerprint()
        taken = time.perf_counter() - began
    finally:
        target.close()
    assert len(objects) >= TABLES
    return taken


def _deploy(directory: Path, url: str) -> tuple[str, ...]:
    return (PROGRAM, "--quiet", "deploy", "--dir", str(directory), "--dialect", "postgres", "--to", url)


def _others(directory: Path, url: str) -> dict[str, Sequence[str]]:
    """The commands of those tools that are here, each with the directory in its own form."""
    found: dict[str, Sequence[str]] = {}
    address = f"{url}?sslmode=disable"
    if migrate := shutil.which("migrate"):
        folder = _as(directory, "golang-migrate", ".up.sql", "")
        found["golang-migrate"] = (migrate, "-path", str(folder), "-database", address, "up")
    if dbmate := shutil.which("dbmate"):
        folder = _as(directory, "dbmate", ".sql", "-- migrate:up\n", "\n-- migrate:down\n")
        options = ("--no-dump-schema", "--migrations-dir", str(folder))
        found["dbmate"] = (dbmate, "--url", address, *options, "up")
    if not found:
        print("no figures beside other tools: neither migrate nor dbmate is on the PATH")
    return found


def _as(directory: Path, name: str, suffix: str, head: str, tail: str = "") -> Path:
    folder = WORK / name
    folder.mkdir(parents=True, exist_ok=True)
    for file in directory.iterdir():
        (folder / f"{file.stem}{suffix}").write_text(head + file.read_text() + tail)
    return folder
