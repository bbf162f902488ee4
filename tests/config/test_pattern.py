"""Patterns of names: what regular expressions mean, in linear time, and a sentence for what is not known."""

from __future__ import annotations

import re
import time
from contextlib import suppress

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ci_runner.config.pattern import pattern
from ci_runner.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "fits", "not_"),
    [
        ("[a-z]+(_[a-z]+)*", ["user", "user_name", "a_b_c"], ["User", "user_", "_user", "", "user__name"]),
        ("^idx_[a-z_]+$", ["idx_a"], ["idx_", "my_idx_a"]),
        ("(fk|fkey)_.+", ["fk_a", "fkey_é"], ["fk_", "pk_a"]),
        ("[A-Z][A-Za-z0-9]*", ["UserName"], ["userName", "User_Name"]),
        (r"t\d{2,3}", ["t12", "t123"], ["t1", "t1234"]),
        (r"\w{3}", ["a_1"], ["ab", "a-b"]),
        (r"[^\s-]+", ["ab"], ["a b", "a-b"]),
        ("a{2}", ["aa"], ["a", "aaa"]),
        ("a{2,}", ["aa", "aaaa"], ["a"]),
        ("a?b|", ["ab", "b", ""], ["a"]),
        (r"a\$", ["a$"], ["a"]),
        ("[]a-]+", ["]a-"], ["b"]),
        (r"[\]a]", ["]", "a"], ["\\"]),
        ("()", [""], ["a"]),
        ("(a*)*b", ["b", "aab"], ["aa"]),
    ],
)
def test_a_pattern_is_held_against_the_whole_name(text: str, fits: list[str], not_: list[str]) -> None:
    made = pattern(text, "here")
    assert [name for name in fits if not made.matches(name)] == []
    assert [name for name in not_ if made.matches(name)] == []


@pytest.mark.parametrize(
    "text",
    ["(", ")", "a)", "[a", "[", "*a", "a**", "a{3,2}", "a{999}", "\\", "\\q", "(?i)a", "(?=a)", "[z-a]", "a^b", "(" * 60 + ")" * 60,
     "a" * 256, "((a{200}){200})", "a{", "$a"],
)  # fmt: skip
def test_what_is_not_known_is_refused_with_the_place(text: str) -> None:
    with pytest.raises(ConfigError, match=r"pilotage\.yml:3"):
        pattern(text, "pilotage.yml:3")


@pytest.mark.parametrize("text", ["(a+)+", "(a|a)*", "(a|aa)+", "(a*)*" * 10, "a*" * 100, "((a?){100})", "(.*)*x"])
def test_no_pattern_makes_a_name_slow(text: str) -> None:
    made = pattern(text, "here")
    started = time.process_time()
    made.matches("a" * 254 + "!")
    assert time.process_time() - started < 1.0


@pytest.mark.parametrize("text", ["(" * 50 + "a" + ")" * 50, "(" * 40 + "){255}" * 40, "((a?){50}){50}"])
def test_no_pattern_is_slow_to_read(text: str) -> None:
    started = time.process_time()
    with suppress(ConfigError):
        pattern(text, "here")
    assert time.process_time() - started < 1.0


def test_a_name_too_long_for_any_database_fits_none() -> None:
    assert not pattern("a*", "here").matches("a" * 256)


pieces = st.recursive(
    st.sampled_from(["a", "b", "_", ".", "[ab]", "[^a]", r"\d", r"\w", "[a-c_]", r"\."]),
    lambda inner: st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map(lambda two: f"({two[0]}|{two[1]})"),
        inner.map(lambda one: f"({one})*"),
        inner.map(lambda one: f"(?:{one})?"),
        inner.map(lambda one: f"({one}){{1,2}}"),
        inner.map(lambda one: f"({one})+"),
    ),
    max_leaves=6,
)


@settings(deadline=None, max_examples=300)
@given(pieces, st.text("ab_.1é", max_size=7))
def test_a_pattern_means_what_python_s_means(text: str, name: str) -> None:
    assume(len(text) < 120)
    assert pattern(text, "here").matches(name) is bool(re.fullmatch(text, name, re.DOTALL))


@settings(deadline=None, max_examples=300)
@given(st.text("ab()[]{}*+?|\\^$-,12.d", max_size=20))
def test_any_text_is_a_pattern_or_refused(text: str) -> None:
    try:
        made = pattern(text, "here")
    except ConfigError:
        return
    assert made.matches("ab12") is bool(re.fullmatch(text, "ab12", re.DOTALL))
