"""The linter beside squawk: cold, from its cache, one changed file of many; and the program's own start."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from corpus import write
from measure import PROGRAM, WORK, Figure, Subject, added, against, in_turn, memory, within

LINT = (PROGRAM, "--quiet", "lint", "--dir", "migrations", "--dialect", "postgres")
SQUAWK = str(Path(sys.executable).with_name("squawk"))
READ = (sys.executable, str(Path(__file__).with_name("reading.py")), "migrations")


def figures(runs: int) -> list[Figure]:
    """Every line of the section."""
    return [*_everything(runs), *_changed(runs), *_start(runs)]


def _everything(runs: int) -> list[Figure]:
    folder, cache = corpus(1000), WORK / "cache-all"
    files = sorted(str(path.relative_to(folder)) for path in (folder / "migrations").iterdir())
    command = (*LINT, "--all", "--format", "json", "--cache-dir", str(cache))
    cold = Subject(command, folder, lambda: shutil.rmtree(cache, ignore_errors=True))
    squawk = Subject((SQUAWK, "--reporter", "json", *files), folder)
    in_turn(runs, cold, squawk)
    again = Subject(command, folder).warm()
    in_turn(runs, again, squawk)
    return [
        against("lint 1,000 files cold, JSON", cold, "squawk, JSON", squawk, 2.5),
        against("the same with the content cache", again, "squawk, JSON", squawk, 1.2),
        memory("peak memory of both", (cold, again), 120),
    ]


def _changed(runs: int) -> list[Figure]:
    ones, reads = {}, {}
    for count in (100, 1000, 10_000):
        folder = corpus(count)
        command = (*LINT, "--base", "main", "--cache-dir", str(WORK / f"cache-{count}"))
        ones[count], reads[count] = Subject(command, folder).warm(), Subject(READ, folder)
    in_turn(runs, *ones.values(), *reads.values())
    more = ones[10_000].median - ones[1000].median
    return [
        within(
            "one changed file of 1,000, warm cache",
            ones[1000].median,
            0.2,
            f"of 100 files {ones[100].median * 1000:.0f} ms",
        ),
        added("one changed file of 10,000 instead of 1,000", more, reads[10_000].median - reads[1000].median),
        memory("peak memory of those", ones.values(), 120),
    ]


def _start(runs: int) -> list[Figure]:
    version, bare = Subject((PROGRAM, "--version")), Subject((sys.executable, "-c", "pass"))
    in_turn(runs * 3, version, bare)
    return [within("pilotage --version", version.median, 0.08, f"python -c pass {bare.median * 1000:.0f} ms")]


def corpus(count: int) -> Path:
    """The repository of ``count`` migrations, made when it is not there yet."""
    folder = WORK / f"corpus-{count}"
    if not (folder / ".git").is_dir():
        shutil.rmtree(folder, ignore_errors=True)
        write(folder, count)
    return folder
