"""No input stops a reader in any other way than by a sentence; what once did stays here."""

from __future__ import annotations

import pytest

from scripts import fuzz


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_mutated_input_is_read_or_refused_in_time(seed: int) -> None:
    said: list[str] = []
    found = fuzz.fuzz(60, seed, said.append, most=150)
    assert [(target, wrong, data[:200]) for target, data, wrong in found] == [], said


def test_what_once_broke_a_reader_breaks_none_now() -> None:
    assert all(fuzz.corpus().values())
    for target, inputs in fuzz.corpus().items():
        assert [(target, fuzz.check(target, data), data[:80]) for data in inputs if fuzz.check(target, data)] == []


def test_the_fuzzer_notices_a_reader_that_falls_over(monkeypatch: pytest.MonkeyPatch) -> None:
    def falls(data: bytes) -> None:
        raise IndexError(len(data))

    monkeypatch.setattr(fuzz, "TARGETS", {"directory": falls, "configuration": falls})
    assert fuzz.fuzz(10, 1, lambda _: None, most=3)[0][2].startswith("IndexError")
