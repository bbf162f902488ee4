"""The dev database: what a change costs on a long history, and the oracle beside a plain replay of the same files."""

from __future__ import annotations

import os
import shutil
import statistics
import sys
from collections.abc import Mapping
from pathlib import Path

from linting import LINT, READ, corpus
from measure import WORK, Figure, Subject, added, clock, in_turn, memory, said, within

EMBEDDED = "embedded://postgres/18"
IMAGE = os.environ.get("PILOTAGE_BENCH_IMAGE", "docker://postgres/15/dev")
NOWHERE = "/dev/null/kept"  # a cache folder that cannot be
IN_CI, NOT_IN_CI = ("env", "CI=true"), ("env", "-u", "CI")
PLAIN = (sys.executable, str(Path(__file__).with_name("plain.py")))


def figures(runs: int) -> list[Figure]:
    """Every line of the section."""
    return [*_changed(runs), *_whole(runs), *_container(runs)]


def _changed(runs: int) -> list[Figure]:
    """One file behind many, on a base kept unpacked, as on a laptop, and on one kept as a file, as a CI system's cache has it."""
    ones, files, text, reads, colds = {}, {}, {}, {}, {}
    for count in (1000, 10_000):
        folder, cache = corpus(count), WORK / f"cache-oracle-{count}"
        plain = (*LINT, "--base", "main", "--cache-dir", str(cache))
        command = (*plain, "--dev-url", EMBEDDED)
        colds[count] = Subject((*IN_CI, *command), folder, lambda cache=cache: shutil.rmtree(cache, ignore_errors=True))  # type: ignore[misc]
        ones[count], files[count] = Subject((*NOT_IN_CI, *command), folder), Subject((*IN_CI, *command), folder)
        text[count], reads[count] = Subject(plain, folder), Subject(READ, folder)
    in_turn(min(runs, 3), colds[1000])
    colds[10_000].run()  # fills the cache
    for one in ones.values():
        one.warm()  # unpacks what is kept
    in_turn(runs, *ones.values(), *files.values(), *text.values(), *reads.values())
    peer = _more(reads)
    return [
        within("one file on 1,000, embedded PostgreSQL, base kept", ones[1000].median, 1.5),
        added("one file on 10,000 instead of 1,000", _more(ones), peer),
        added("the same less what linting without a database takes", _more(ones) - _more(text), peer),
        within("one file on 1,000, base kept as a file", files[1000].median, 1.5),
        added("one file on 10,000 instead of 1,000, base kept as a file", _more(files), peer),
        within("one file on 1,000, nothing kept", colds[1000].median, 3),
        memory("peak memory of those", ones.values(), 150),
    ]


def _more(subjects: Mapping[int, Subject]) -> float:
    """Seconds that 9,000 more files take."""
    return subjects[10_000].median - subjects[1000].median


def _whole(runs: int) -> list[Figure]:
    """1,000 files with the newest of them watched, less what their text takes, beside the same files run by psycopg unwatched.

    Both start a server of the same settings and end it; nothing is kept for another run.
    """
    folder = corpus(1000)
    plain = Subject((*PLAIN, "migrations"), folder, codes=(0,))
    text, watched = {}, {}
    for count in (1, 25):
        command = (*LINT, "--latest", str(count), "--cache-dir", NOWHERE)
        text[count] = Subject(command, folder)
        watched[count] = Subject((*command, "--dev-url", EMBEDDED), folder)
    in_turn(min(runs, 3), plain, *text.values(), *watched.values())
    found = []
    for count, what in ((1, "the newest watched"), (25, "the 25 newest watched")):
        oracle = watched[count].median - text[count].median
        shown = f"run by psycopg {clock(plain.median)}"
        found.append(Figure(f"1,000 files, {what}", clock(oracle), shown, oracle / plain.median, 2))
    return found


def _container(runs: int) -> list[Figure]:
    """One file on an empty history in a container: until its server answers, which is said then, and to the end of the report."""
    folder = corpus(1)
    command = tuple(word for word in LINT if word != "--quiet")
    subject = Subject((*command, "--all", "--dev-url", IMAGE), folder)
    try:
        subject.warm()
    except SystemExit as missing:
        print(f"no figure for {IMAGE}: {str(missing).strip().splitlines()[-1]}")
        return []
    answers = []
    for _ in range(runs):
        answers.append(said(subject, b"reached by"))
        subject.run()
    whole = f"to the end of the process {clock(subject.median)}"
    return [within(f"{IMAGE}, image present: the server answers", statistics.median(answers), 2, whole)]
