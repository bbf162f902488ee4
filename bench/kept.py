"""One changed file on a history of 1,000, for engines that cannot copy databases: with a kept base, and with the history run each time."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from corpus import CLICKHOUSE, MYSQL, write
from measure import PROGRAM, WORK, Figure, Subject, clock, in_turn

COUNT = 1000
CASES = (
    (
        "MariaDB in a container",
        "mariadb",
        MYSQL,
        os.environ.get("PILOTAGE_BENCH_MARIADB", "docker://mariadb/10.11/dev"),
    ),
    ("MySQL in a container", "mysql", MYSQL, os.environ.get("PILOTAGE_BENCH_MYSQL", "docker://mysql/9/dev")),
    ("ClickHouse's engine", "clickhouse", CLICKHOUSE, "embedded://clickhouse"),
    (
        "ClickHouse in a container",
        "clickhouse",
        CLICKHOUSE,
        os.environ.get("PILOTAGE_BENCH_CLICKHOUSE", "docker://clickhouse/23.11/dev"),
    ),
)


def figures(runs: int) -> list[Figure]:
    """Two lines for each engine that is here: the base kept, and what keeping it costs the run that does."""
    return [figure for case in CASES for figure in _case(*case, runs)]


def _case(what: str, dialect: str, shapes: tuple[str, ...], url: str, runs: int) -> list[Figure]:
    folder = WORK / f"kept-{dialect}"
    if not folder.is_dir():
        write(folder, COUNT, shapes)
    subjects = {
        name: _subject(folder, dialect, url, WORK / f"cache-{dialect}-{name}") for name in ("kept", "cold", "never")
    }
    bases = {name: Path(subject.command[-1]) / "bases" for name, subject in subjects.items()}
    bases["never"].parent.mkdir(parents=True, exist_ok=True)
    bases["never"].touch()  # where a file is in the way nothing is kept
    subjects["cold"].before = lambda: shutil.rmtree(bases["cold"], ignore_errors=True)
    try:
        for subject in subjects.values():
            subject.warm()
    except SystemExit as missing:
        print(f"no figure for {url}: {str(missing).strip().splitlines()[-1]}")
        return []
    in_turn(runs, *subjects.values())
    kept, cold, never = (subject.median for subject in subjects.values())
    beside = f"history run {clock(never)}"
    return [
        Figure(f"one file on {COUNT:,}, {what}, base kept", clock(kept), beside, kept / never, 1),
        Figure("the same, the run that keeps it", clock(cold), beside, cold / never, 1.5),
    ]


def _subject(folder: Path, dialect: str, url: str, cache: Path) -> Subject:
    shutil.rmtree(cache, ignore_errors=True)
    lint = (PROGRAM, "--quiet", "lint", "--dir", "migrations", "--dialect", dialect, "--base", "main")
    return Subject((*lint, "--dev-url", url, "--cache-dir", str(cache)), folder)
