"""Speed and memory of Pilotage as a user meets them, whole processes beside squawk's in one run; nothing here can fail by time.

``python bench/run.py [--runs N]`` makes its corpora in .bench/, runs every command N times in turn and prints medians.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from corpus import write

ROOT = Path(__file__).resolve().parent.parent
WORK = ROOT / ".bench"
PILOTAGE = (str(Path(sys.executable).with_name("pilotage")), "--quiet")
LINT = (*PILOTAGE, "lint", "--dir", "migrations", "--dialect", "postgres")


@dataclass
class Subject:
    """A command to be measured. ``cold``: a folder emptied before each run. ``codes``: exits that are no failure."""

    command: Sequence[str]
    folder: Path
    cold: Path | None = None
    seconds: list[float] = field(default_factory=list)
    megabytes: list[float] = field(default_factory=list)

    def run(self) -> None:
        """Once; findings (exit 1) are an answer, anything else that is not 0 ends the benchmark."""
        if self.cold is not None:
            shutil.rmtree(self.cold, ignore_errors=True)
        started = time.perf_counter()
        with (WORK / "output").open("wb") as output:
            child = subprocess.Popen(self.command, cwd=self.folder, stdout=output, stderr=subprocess.STDOUT)
            _, status, usage = os.wait4(child.pid, 0)
        self.seconds.append(time.perf_counter() - started)
        self.megabytes.append(usage.ru_maxrss / (1024 if sys.platform == "linux" else 1024 * 1024))
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode not in (0, 1):
            tail = (WORK / "output").read_text(errors="replace")[-2000:]
            raise SystemExit(f"{' '.join(self.command)} ended with {child.returncode}:\n{tail}")

    @property
    def median(self) -> float:
        """Seconds."""
        return statistics.median(self.seconds)

    @property
    def peak(self) -> float:
        """Megabytes: the largest process of the command in the median run."""
        return statistics.median(self.megabytes)


def in_turn(runs: int, *subjects: Subject) -> None:
    """Each subject once, then each again: what else the machine does meets all of them alike."""
    for _ in range(runs):
        for subject in subjects:
            subject.run()


def subjects() -> dict[str, Subject]:
    """What is measured, by name."""
    shutil.rmtree(WORK, ignore_errors=True)
    thousand, hundred = write(WORK / "thousand", 1000), write(WORK / "hundred", 100)
    caches = {name: WORK / f"cache-{name}" for name in ("thousand", "hundred", "cold", "replay")}
    files = sorted(str(path.relative_to(thousand)) for path in (thousand / "migrations").iterdir())
    squawk = str(Path(sys.executable).with_name("squawk"))

    def cached(name: str) -> tuple[str, ...]:
        return ("--cache-dir", str(caches[name]))

    replay = ("--dev-url", "embedded://postgres/18", "--all", "--format", "json")
    return {
        "version": Subject([PILOTAGE[0], "--version"], WORK),
        "python": Subject([sys.executable, "-c", "pass"], WORK),
        "one of 1,000": Subject([*LINT, "--base", "main", *cached("thousand")], thousand),
        "one of 100": Subject([*LINT, "--base", "main", *cached("hundred")], hundred),
        "1,000 cold": Subject([*LINT, "--all", "--format", "json", *cached("cold")], thousand, caches["cold"]),
        "squawk": Subject([squawk, "--reporter", "json", *files], thousand),
        "replay": Subject([*LINT, *replay, *cached("replay")], thousand, caches["replay"]),
    }


def table(measured: dict[str, Subject]) -> str:
    """Figure, peer, ratio and target of each promise."""
    one, few = measured["one of 1,000"], measured["one of 100"]
    cold, peer = measured["1,000 cold"], measured["squawk"]
    version, bare, replay = measured["version"], measured["python"], measured["replay"]
    most = max(measured.values(), key=lambda subject: subject.peak if subject is not peer else 0)
    rows = [
        ("what", "figure", "beside", "ratio", "target"),
        _row("one changed file of 1,000, warm cache", one, "of 100 files", few, "≤ 250 ms, ≤ 1.3 ×"),
        _row("1,000 files cold, JSON", cold, "squawk, JSON", peer, "≤ 4 ×"),
        _row("1,000 files replayed, embedded PostgreSQL", replay, "text alone", cold, "≤ 4 s"),
        _row("pilotage --version", version, "python -c pass", bare, "≤ 80 ms"),
        (
            "peak memory of any of these",
            f"{most.peak:.0f} MB",
            f"squawk {peer.peak:.0f} MB",
            f"{most.peak / peer.peak:.1f} ×",
            "≤ 150 MB",
        ),
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:]])


def _row(what: str, subject: Subject, beside: str, other: Subject, target: str) -> tuple[str, str, str, str, str]:
    ratio = f"{subject.median / other.median:.2f} ×"
    return what, _time(subject.median), f"{beside} {_time(other.median)}", ratio, target


def _time(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds >= 1 else f"{seconds * 1000:.0f} ms"


def run(arguments: Sequence[str]) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=5, help="how often each command runs (default 5)")
    runs = parser.parse_args(arguments).runs
    measured = subjects()
    for name in ("one of 1,000", "one of 100"):
        measured[name].run()  # fills the cache; not counted
        measured[name].seconds.clear()
        measured[name].megabytes.clear()
    in_turn(runs * 3, measured["version"], measured["python"])
    in_turn(runs, measured["one of 1,000"], measured["one of 100"])
    in_turn(runs, measured["1,000 cold"], measured["squawk"])
    in_turn(min(runs, 3), measured["replay"])
    machine = f"{platform.machine()}, {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}, Python {platform.python_version()}"
    print(f"{machine}; medians of {runs} runs of whole processes\n")
    print(table(measured))


if __name__ == "__main__":
    run(sys.argv[1:])
