"""Laws that hold for every text: nothing raises, nothing is lost, layout and case say nothing."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from ci_runner import sql
from ci_runner.sql.dialects import DIALECTS
from ci_runner.sql.lexer import tokenize, without_controls
from ci_runner.sql.plain import plain
from ci_runner.sql.segments import cut
from tests.sql.reading import every_form, kinds, migration, read

FORMS = every_form()
WORDS = sorted({word for _, statement, _ in FORMS for word in re.findall(r"\w+|[^\w\s]", statement)})
CLIENT = ["'", '"', "`", "[", "]", "$$", "$a$", ";", "--", "/*", "*/", "#", "\\", "\n", "GO\n", "DELIMITER //\n", "//", "E'", "BEGIN", "END",
          "CASE", "/*!40101 ", "--> statement-breakpoint", "\\.\n", "COPY a FROM stdin;\n", "{{", "}}", "ä", "\r\n", "\x00"]  # fmt: skip
dialects = st.sampled_from(sorted(DIALECTS))
hostile = st.lists(st.sampled_from(WORDS + CLIENT * 8), max_size=30).map(" ".join)
hostile |= st.lists(st.sampled_from(CLIENT), max_size=12).map("".join) | st.text(max_size=40)


@settings(max_examples=600, deadline=None)
@given(hostile, dialects)
@example("DO $do$ BEGIN END $do$ LANGUAGE plpgsql", "sqlserver")
@example("DESC a DEFAULT MATERIALIZED writable_schema=1 SEARCH HYBRID g b.id foreign_keys=off", "sqlite")
@example("x {:}E:", "postgres")
@example("{:}E:$#ee=", "postgres")
def test_any_text_is_read_without_error_and_nothing_is_passed_over(text: str, dialect: str) -> None:
    found = read(text, dialect)
    end = 0
    for statement in found:
        assert end <= statement.start < statement.end <= len(text)
        assert statement.text == text[statement.start : statement.end]
        assert statement.operations or statement.not_analysed
        assert all(statement.start <= op.start <= op.end <= statement.end for op in statement.operations)
        end = statement.end


@settings(max_examples=300, deadline=None)
@given(hostile, dialects)
def test_pieces_and_gaps_join_to_the_file_and_cutting_again_changes_nothing(text: str, dialect: str) -> None:
    traits = DIALECTS[dialect]
    at = 0
    for segment in cut(text, traits).segments:
        assert at <= segment.start <= segment.end
        at = segment.end if segment.data is None else segment.data[1]
    assert at <= len(text)
    assert sql.split(text, dialect) == sql.split(text, dialect)


@settings(max_examples=300, deadline=None)
@given(hostile, dialects)
@example("/*!00000;", "mariadb")
@example(";'", "sqlserver")
@example("{{}}", "clickhouse")
@example("{{ end }} {{}}", "sqlserver")
@example("/* x */ {{ end }};SELECT 1", "postgres")
@example("DELIMITER 0\n;;", "mariadb")
def test_counting_and_outlining_see_the_statements_that_reading_sees(text: str, dialect: str) -> None:
    found = [(s.start, s.end) for s in read(text, dialect)]
    assert [(s.start, s.end) for s in sql.outline(migration(text), dialect)] == found
    assert sql.count(migration(text), dialect) == len(found)


@settings(max_examples=300, deadline=None)
@given(
    hostile | st.lists(st.sampled_from([statement for _, statement, _ in FORMS]), max_size=3).map("; ".join), dialects
)
@example("CREATE TABLE a (b text DEFAULT ';'); ; DROP TABLE a", "postgres")
@example("CREATE TRIGGER a AFTER INSERT ON b BEGIN DELETE FROM c; END", "sqlite")
def test_one_pass_reads_a_text_as_cutting_it_first_does(text: str, dialect: str) -> None:
    blank, remark = f"       {text}", f"/* x */{text}"  # the remark sends it the other way, and moves nothing
    if plain(blank, (0, len(blank)), DIALECTS[dialect]) is None:
        return
    assert plain(remark, (0, len(remark)), DIALECTS[dialect]) is None
    cut_first = [replace(statement, comments=()) for statement in read(remark, dialect)]
    assert [replace(statement, comments=()) for statement in read(blank, dialect)] == cut_first


def test_one_pass_takes_most_of_what_people_write_and_leaves_the_rest() -> None:
    for dialect in ("postgres", "redshift", "sqlite", "clickhouse"):
        assert plain("CREATE TABLE a (b text DEFAULT 'x;');\nDROP TABLE c", (0, 51), DIALECTS[dialect])
        for text in ("SELECT 'a", "DROP TABLE a -- b", "SELECT 1 /* a */", "SELECT $$a$$", "SELECT 1" + ", 1" * 5000):
            assert plain(text, (0, len(text)), DIALECTS[dialect]) is None
    assert plain("COPY a FROM stdin;\n1\n", (0, 21), DIALECTS["postgres"]) is None


@settings(max_examples=200, deadline=None)
@given(hostile, dialects)
@example("'{{}}0", "clickhouse")
@example("{{}}", "clickhouse")
@example("SELECT '{{end}}' {{ end }}", "postgres")
@example("a {{if x}}b{{else}}c{{end}} d", "clickhouse")
def test_tokens_cover_the_text_they_are_made_of(text: str, dialect: str) -> None:
    source = text.strip()
    tokens = tokenize(source, 7, DIALECTS[dialect])
    source = without_controls(source)  # which a template puts nothing for
    assert all(source.startswith(token, start - 7) for token, start in zip(tokens.text, tokens.start, strict=True))
    assert "".join(tokens.text).replace(" ", "") == "".join(source.split()) or re.search(r"\s", "".join(tokens.text))


def tokens_of(statement: str, dialect: str) -> list[str]:
    spans = (
        [(m.start(), m.end()) for m in re.finditer(r"(\$\w*\$)[\s\S]*?\1", statement)]
        if DIALECTS[dialect].dollar
        else []
    )
    return tokenize(statement, 0, DIALECTS[dialect], spans).text[:-1]


KEPT_TOGETHER = ("@", "$", ":", "/*", "#")  # user@host, @stage, $1, executable comments: blanks change what they are
SPREAD = [form for form in FORMS if not any(mark in form[1] for mark in KEPT_TOGETHER) and "\n" not in form[1]]


@pytest.mark.parametrize("blank", ["  ", "\n", " /* c */ ", " -- c\n"])
def test_comments_and_white_space_between_tokens_change_no_operation(blank: str) -> None:
    wrong = {}
    for dialect, statement, expected in SPREAD:
        text = blank.join(tokens_of(statement, dialect))
        if kinds(text, dialect) != expected:
            wrong[text] = kinds(text, dialect)
    assert wrong == {}


def test_the_case_of_keywords_changes_no_operation() -> None:
    wrong = {}
    for dialect, statement, expected in (form for form in FORMS if "/*M!" not in form[1]):
        for text in (statement.upper(), statement.lower()):
            if kinds(text, dialect) != expected:
                wrong[text] = kinds(text, dialect)
    assert wrong == {}
