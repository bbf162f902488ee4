"""Laws: comments, white space, case of keywords, line ends and byte order marks change no finding."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from ci_runner.model.report import Linted
from tests.lint.harness import check

OWN: list[dict[str, Any]] = [
    case
    for name in ("cases.yaml", "hazards.yaml", "servers.yaml")
    for case in yaml.safe_load((Path(__file__).parent / name).read_text(encoding="utf-8"))
]
KEYWORDS = (
    "create alter table drop index add column constraint not null default unique primary key foreign references type set rename to "
    "check validate valid concurrently using if exists on only partition attach detach of for values from in begin commit cascade "
    "truncate update delete insert into select where as is and or modify change view generated always stored virtual identity "
    "algorithm lock with nocheck rebuild cluster materialized order by engine replace temporary schema database"
)
WORD = re.compile(rf"\b(?:{KEYWORDS.replace(' ', '|')})\b", re.IGNORECASE)
KEPT = re.compile(
    r"'(?:[^'\\]|''|\\.)*'|\"[^\"]*\"|`[^`]*`|\[[^\]\n]*\]|\$(\w*)\$.*?\$\1\$|--[^\n]*|#[^\n]*|/\*.*?\*/"
    r"|^\\[^\n]*|^(?:DELIMITER|GO)\b[^\n]*|\bstdin;.*?\n\\\.",
    re.DOTALL | re.MULTILINE | re.IGNORECASE,
)


def code(text: str) -> list[tuple[int, int]]:
    """The spans outside of strings, quoted names, bodies, comments and lines for the client."""
    ends = [0, *(at for kept in KEPT.finditer(text) for at in kept.span()), len(text)]
    return list(zip(ends[::2], ends[1::2], strict=True))


def found(linted: Linted) -> list[tuple[str, str, str]]:
    return sorted((f.rule, f.severity, f.message) for f in linted.findings)


def run(case: dict[str, Any], text: str) -> list[tuple[str, str, str]]:
    return found(
        check(text, case["dialect"], pre=case.get("pre", ""), tx=case.get("tx", "file"), **case.get("with", {}))
    )


@settings(deadline=None, max_examples=250)
@given(
    st.sampled_from(OWN),
    st.sampled_from(["/* x */", "/* DROP TABLE a; */", "\n", "\t", "  ", "/* it's */", "-- it's\n"]),
    st.integers(0, 40),
)
def test_a_comment_or_blank_between_words_changes_no_finding(case: dict[str, Any], filler: str, at: int) -> None:
    gaps = [
        m.start() for start, end in code(case["sql"]) for m in re.finditer(r"(?<=\w) (?=\w)", case["sql"][start:end])
    ]
    spans = [start for start, end in code(case["sql"]) for _ in re.finditer(r"(?<=\w) (?=\w)", case["sql"][start:end])]
    if not gaps:
        return
    place = gaps[at % len(gaps)] + spans[at % len(gaps)]
    text = case["sql"][:place] + f" {filler} " + case["sql"][place + 1 :]
    plain = [(rule, level) for rule, level, _ in run(case, case["sql"])]
    assert [(rule, level) for rule, level, _ in run(case, text)] == plain


def recased(text: str, change: Callable[[str], str]) -> str:
    """The text with its keywords in another case, names and values as they are."""
    done, at = "", 0
    for start, end in code(text):
        done += text[at:start] + WORD.sub(lambda m: change(m[0]), text[start:end])
        at = end
    return done + text[at:]


@pytest.mark.parametrize("case", OWN, ids=lambda case: case["id"])
def test_line_ends_and_case_of_keywords_change_no_finding(case: dict[str, Any]) -> None:
    plain = run(case, case["sql"])
    if "\r" not in case["sql"]:
        assert run(case, case["sql"].replace("\n", "\r\n")) == plain
    assert run(case, "-- about this file\n\n" + case["sql"] + "\n\n-- the end\n") == plain
    for change in (str.lower, str.upper):
        text = recased(case["sql"], change)
        assert [(r, s) for r, s, _ in run(case, text)] == [(r, s) for r, s, _ in plain], text


@settings(deadline=None, max_examples=100)
@given(st.sampled_from(OWN), st.integers(0, 400), st.integers(0, 400))
def test_a_file_cut_short_is_never_an_exception(case: dict[str, Any], start: int, length: int) -> None:
    text = case["sql"][start % len(case["sql"]) :][:length]
    linted = check(text, case["dialect"], pre=case.get("pre", ""), tx=case.get("tx", "file"), **case.get("with", {}))
    last = text.count("\n") + 1
    assert all(1 <= each.line <= each.end_line <= last for each in linted.findings)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.sampled_from([c for c in OWN if c["dialect"] == "postgres"]), min_size=2, max_size=4))
def test_files_on_top_of_one_another_are_never_an_exception(cases: list[dict[str, Any]]) -> None:
    linted = check(
        cases[-1]["sql"],
        "postgres",
        pre=[
            text
            for c in cases
            for text in ([c.get("pre", "")] if isinstance(c.get("pre", ""), str) else c["pre"]) + [c["sql"]]
        ],
    )
    assert {each.file for each in linted.findings} <= {"2.sql"}
