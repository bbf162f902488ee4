"""Runs commands in turn as whole processes, and says what they took beside one another."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WORK = ROOT / ".bench"
PROGRAM = str(Path(sys.executable).with_name("pilotage"))


@dataclass
class Subject:
    """A command to be measured. ``before`` is done before each run and not counted; ``codes`` are the exits that are no failure."""

    command: Sequence[str]
    folder: Path = WORK
    before: Callable[[], object] | None = None
    codes: tuple[int, ...] = (0, 1)
    seconds: list[float] = field(default_factory=list)
    megabytes: list[float] = field(default_factory=list)

    def run(self) -> None:
        """Once. An exit that is a failure ends the benchmark: there is no figure of a command that does not work."""
        if self.before is not None:
            self.before()
        WORK.mkdir(exist_ok=True)
        started = time.perf_counter()
        with (WORK / "output").open("wb") as output:
            child = subprocess.Popen(self.command, cwd=self.folder, stdout=output, stderr=subprocess.STDOUT)
            _, status, usage = os.wait4(child.pid, 0)
        self.seconds.append(time.perf_counter() - started)
        self.megabytes.append(usage.ru_maxrss / (1024 if sys.platform == "linux" else 1024 * 1024))
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode not in self.codes:
            tail = (WORK / "output").read_text(errors="replace")[-2000:]
            raise SystemExit(f"{' '.join(self.command)} ended with {child.returncode}:\n{tail}")

    def warm(self) -> Subject:
        """Itself, after one run that is not counted."""
        self.run()
        self.seconds.clear()
        self.megabytes.clear()
        return self

    @property
    def median(self) -> float:
        """Seconds."""
        return statistics.median(self.seconds)

    @property
    def peak(self) -> float:
        """Megabytes: the largest process of the command in the median run."""
        return statistics.median(self.megabytes)


def said(subject: Subject, words: bytes) -> float:
    """Seconds from the start of the command until a line with the ``words`` came, on either stream; it is run to its end all the same."""
    started = time.perf_counter()
    with subprocess.Popen(
        subject.command, cwd=subject.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as child:
        assert child.stdout
        seconds = next((time.perf_counter() - started for line in child.stdout if words in line), 0.0)
        child.stdout.read()
    if child.returncode not in subject.codes or not seconds:
        raise SystemExit(
            f"{' '.join(subject.command)} ended with {child.returncode}, and never said {words.decode()!r}"
        )
    return seconds


def in_turn(runs: int, *subjects: Subject) -> None:
    """Each subject once, then each again: what else the machine does meets all of them alike."""
    for _ in range(runs):
        for subject in subjects:
            subject.run()


@dataclass(frozen=True)
class Figure:
    """A line of the table. ``limit`` is what ``measured`` must not exceed: both seconds, megabytes, requests or a ratio."""

    what: str
    shown: str
    beside: str
    measured: float
    limit: float
    unit: str = "×"

    def cells(self) -> tuple[str, ...]:
        """The columns of its line."""
        target = f"≤ {_amount(self.limit, self.unit)}"
        ratio = _amount(self.measured, self.unit) if self.unit == "×" else ""
        return self.what, self.shown, self.beside, ratio, target, "met" if self.measured <= self.limit else "missed"


def against(what: str, subject: Subject, name: str, peer: Subject, limit: float) -> Figure:
    """A subject as a multiple of its peer's time."""
    ratio = subject.median / peer.median
    return Figure(what, clock(subject.median), f"{name} {clock(peer.median)}", ratio, limit)


def within(what: str, seconds: float, limit: float, beside: str = "") -> Figure:
    """A time with a limit of its own."""
    return Figure(what, clock(seconds), beside, seconds, limit, "s")


def added(what: str, more: float, peer: float, limit: float = 1) -> Figure:
    """What a larger input added to a time, beside what it added to a peer's."""
    return Figure(
        what, f"+ {clock(more)}", f"reading and hashing + {clock(peer)}", more / peer if peer > 0 else 0, limit
    )


def memory(what: str, subjects: Iterable[Subject], limit: float) -> Figure:
    """The largest of several peaks."""
    peak = max(subject.peak for subject in subjects)
    return Figure(what, _amount(peak, "MB"), "", peak, limit, "MB")


def table(figures: Sequence[Figure]) -> str:
    """The figures under one another."""
    rows = [("what", "figure", "beside", "ratio", "target", ""), *(figure.cells() for figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(6)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([lines[0], "-" * max(map(len, lines)), *lines[1:]])


def clock(seconds: float) -> str:
    """A time as people read it."""
    return f"{seconds:.2f} s" if abs(seconds) >= 1 else f"{seconds * 1000:.0f} ms"


def _amount(value: float, unit: str) -> str:
    if unit == "s":
        return clock(value)
    return f"{value:.2f} ×" if unit == "×" else f"{value:,.0f} {unit}"
