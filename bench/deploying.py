"""A deployment of 1,000 small files beside psycopg alone and other tools, and the status of a database with 10,000 applied."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from corpus import small
from measure import PROGRAM, WORK, Figure, Subject, against, in_turn, memory, within

PLAIN = (sys.executable, str(Path(__file__).with_name("plain.py")))
FILES, APPLIED = 1000, 10_000


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
    ]


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
        folder = _as(directory, "dbmate", ".sql", "-- migrate:up\n")
        options = ("--no-dump-schema", "--migrations-dir", str(folder))
        found["dbmate"] = (dbmate, "--url", address, *options, "up")
    if not found:
        print("no figures beside other tools: neither migrate nor dbmate is on the PATH")
    return found


def _as(directory: Path, name: str, suffix: str, head: str) -> Path:
    folder = WORK / name
    folder.mkdir(parents=True, exist_ok=True)
    for file in directory.iterdir():
        (folder / f"{file.stem}{suffix}").write_text(head + file.read_text())
    return folder
