"""Speed, memory and cost of Pilotage as a user meets them, beside peers in one run; nothing here fails by time.

``python bench/run.py [--runs N] [SECTION …]`` makes its corpora in .bench/ and prints a table for each section. What a machine has not
(a container engine, an image, another tool) is left out and named.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import sys
import time
from collections.abc import Sequence
from compileall import compile_dir
from importlib import import_module

from measure import ROOT, WORK, table

sys.path.insert(0, str(ROOT))  # the sections use the servers of the tests

SECTIONS = {
    "linting": "The linter",
    "oracle": "The dev database",
    "kept": "Kept bases of engines that cannot copy databases",
    "registry": "The registry",
    "deploying": "Deployment",
    "image": "The image",
}


def run(arguments: Sequence[str]) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=5, help="how often each command runs (default 5)")
    parser.add_argument("sections", nargs="*", default=list(SECTIONS), metavar="SECTION", help=", ".join(SECTIONS))
    given = parser.parse_args(arguments)
    if unknown := set(given.sections) - set(SECTIONS):
        parser.error(f"no section {', '.join(sorted(unknown))}: there are {', '.join(SECTIONS)}")
    shutil.rmtree(WORK, ignore_errors=True)
    compile_dir(ROOT / "ci_runner", quiet=1)  # as pip does when it installs; of an editable installation nobody does it
    machine = f"{platform.machine()}, {os.cpu_count()} processors, Python {platform.python_version()}"
    print(f"{machine}; medians of {given.runs} runs of whole processes, in turn with their peers", flush=True)
    for name in given.sections:
        started = time.perf_counter()
        figures = import_module(name).figures(given.runs)
        load = os.getloadavg()[0]
        print(
            f"\n{SECTIONS[name]} ({time.perf_counter() - started:.0f} s, load {load:.1f})\n\n{table(figures)}",
            flush=True,
        )


if __name__ == "__main__":
    run(sys.argv[1:])
