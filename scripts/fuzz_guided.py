"""Coverage-guided fuzzing of what reads hostile SQL: the segmenter, the extraction of operations, and comments that steer.

``python scripts/fuzz_guided.py operations --seconds 600`` starts from tests/corpus/operations and stops at the first input that breaks a
reader, kept beside them, where the suite runs it for ever. ``--grow FOLDER`` keeps the inputs that reached something new.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from tempfile import TemporaryDirectory
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

CORPUS = ROOT / "tests" / "corpus"
LONGEST = 4096  # bytes of an input: what is quadratic is seen by scripts/linear.py, on long ones
SLOWEST = 20  # seconds one input may take, measured while every branch is counted


def kept(target: str, check: Callable[[bytes], None]) -> Callable[[bytes], None]:
    """``check`` that keeps what breaks it before it falls over."""

    def run(data: bytes) -> None:
        try:
            check(data)
        except Exception:
            path = CORPUS / target / f"broke-{hashlib.sha256(data).hexdigest()[:12]}"
            path.write_bytes(data)
            print(f"kept as {path.relative_to(ROOT)}", file=sys.stderr)
            raise

    return run


def everything(*packages: str) -> None:
    """Import every module of these packages: what is imported later, when first used, would not be instrumented."""
    for package in packages:
        for module in iter_modules(import_module(package).__path__, f"{package}."):
            import_module(module.name)


def run(arguments: list[str]) -> None:
    """Fuzz one target; the process ends with libFuzzer's exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("target", choices=("comments", "operations", "segments"))
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0, help="repeat a run; 0 draws a new one")
    parser.add_argument("--grow", default="", help="a folder for inputs that reached something new")
    given = parser.parse_args(arguments)
    atheris: Any = import_module("atheris")
    with atheris.instrument_imports(include=["ci_runner"]):
        from scripts.fuzz_targets import TARGETS

        everything("ci_runner.sql", "ci_runner.lint", "ci_runner.lint.rules", "ci_runner.migrations")
    check = kept(given.target, TARGETS[given.target])
    with TemporaryDirectory() as scratch:
        folders = [given.grow or scratch, str(CORPUS / given.target)]
        options = [
            f"-max_total_time={given.seconds}",
            f"-max_len={LONGEST}",
            f"-timeout={SLOWEST}",
            f"-seed={given.seed}",
        ]
        options += [f"-artifact_prefix={scratch}/", f"-dict={CORPUS / 'words.dict'}", "-print_final_stats=1"]
        atheris.Setup([sys.argv[0], *options, *folders], check)
        atheris.Fuzz()


if __name__ == "__main__":
    run(sys.argv[1:])
