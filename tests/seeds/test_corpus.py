"""What coverage-guided fuzzing found worth keeping is read in time and to the letter of the law."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from scripts import fuzz_targets

CORPUS = Path(__file__).resolve().parents[1] / "corpus"


@pytest.mark.parametrize("target", sorted(fuzz_targets.TARGETS))
def test_every_kept_input_is_read_within_a_second(target: str) -> None:
    check = fuzz_targets.TARGETS[target]
    inputs = sorted((CORPUS / target).iterdir())
    assert len(inputs) > 20
    for path in inputs:
        started = time.process_time()
        check(path.read_bytes())
        assert time.process_time() - started < 1.0, path.name


def broken(target: str, data: bytes) -> str:
    """The law that an input breaks, in the fuzzers' words."""
    try:
        fuzz_targets.TARGETS[target](data)
    except AssertionError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("target", sorted(fuzz_targets.TARGETS))
def test_nothing_and_odd_bytes_are_read_as_well(target: str) -> None:
    for data in (b"", b"\x00", bytes(range(256)), b"\xff" * 500, b"\x00\x00" + "é\U0001f600\ud7ff".encode()):
        assert broken(target, data) == "", data


def test_the_corpus_stays_small() -> None:
    assert sum(path.stat().st_size for path in CORPUS.rglob("*") if path.is_file()) < 200_000
