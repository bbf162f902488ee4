"""A repetition gives nothing back, in either spelling."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ci_runner.text.pattern import SOUND, later, many

QUOTED = r"[^';]+|'[^']*'"
SPELLINGS = [False, *([True] if SOUND else [])]


@settings(deadline=None, max_examples=300)
@given(st.text("a';x ", max_size=30))
def test_quoted_semicolons_are_led_over(text: str) -> None:
    match = re.match(many(QUOTED) + "(;|'|$)", text)
    expected = next((i for i, char in enumerate(text) if char == ";" and text[:i].count("'") % 2 == 0), None)
    open_quote = text.rindex("'") if text.count("'") % 2 else len(text)
    assert match is not None
    assert match.start(1) == (open_quote if expected is None else expected)


@pytest.mark.parametrize("sound", SPELLINGS)
@pytest.mark.parametrize(("least", "matches"), [(0, True), (1, False)])
def test_the_least_number_is_kept_and_nothing_is_given_back(sound: bool, least: int, matches: bool) -> None:
    assert bool(re.match(many("ab|c", least, sound=sound) + "x", "x")) is matches
    assert re.match(many("ab|c", least, sound=sound) + "cx", "abcx") is None
    assert re.match(many("ab|c", least, sound=sound) + "x", "abcx")


def test_a_pattern_compiled_later_answers_like_one_compiled_now() -> None:
    found = later("(a)(b)?", re.IGNORECASE)
    assert found.sub("x", "cAB") == "cx"
    assert found.fullmatch("ab").groups() == ("a", "b")  # type: ignore[union-attr]
    assert found.groups == 2


def test_a_pattern_that_is_none_fails_when_it_is_used() -> None:
    broken = later("(")
    with pytest.raises(re.error):
        broken.match("")
