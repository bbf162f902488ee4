"""A secret leaves in no spelling, and text without secrets leaves unchanged."""

from __future__ import annotations

import base64
import json
import string
import time
from typing import NamedTuple
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from msgspec import Struct

from ci_runner import text
from ci_runner.text import MASK, Redactor, redact, redactor

SECRET = st.text(string.ascii_letters + string.digits + "+/=@:%&!$#*-_ \\\"'<>|é", min_size=8, max_size=24).filter(
    lambda secret: secret == secret.strip() and len(set(secret)) > 4 and not secret.isalpha()
)
SETTINGS = settings(deadline=None, max_examples=200)


@SETTINGS
@given(SECRET, st.text(max_size=10), st.text(max_size=10))
def test_a_known_secret_leaves_in_no_spelling(secret: str, before: str, after: str) -> None:
    redact = redactor([secret])
    user = f"user:{secret}".encode()
    spellings = [
        secret,
        quote(secret),
        quote(secret, safe=""),
        quote_plus(secret),
        quote(secret, safe="").lower() if secret.islower() else quote(secret, safe=""),
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        text.markdown(secret),
        text.html(secret),
        text.github_data(secret),
    ]
    for spelling in spellings:
        assume(secret not in MASK)
        left = redact(f"{before} {spelling} {after}")
        assert spelling not in left.replace(f"{before} ", "", 1).removesuffix(f" {after}")
    for encoded in (base64.b64encode(secret.encode()), base64.b64encode(user), base64.urlsafe_b64encode(b"x" + user)):
        left = redact(f"Basic-like {encoded.decode()} .")
        assert encoded.decode().strip("=")[2:-2] not in left


@SETTINGS
@given(SECRET)
def test_redacting_twice_changes_nothing(secret: str) -> None:
    once = redactor([secret])(f"postgres://u:{quote(secret, safe='')}@h/db?password={quote(secret)} token={secret!r}")
    assert redactor([secret])(once) == once


@pytest.mark.parametrize(
    ("given_", "left"),
    [
        ("postgres://app:hunter2@db:5432/x", "postgres://app:***@db:5432/x"),
        ("postgres://app:p@ss/w?rd@db/x", "postgres://app:***@db/x"),
        ("mysql://root:a:b@h/d and mysql://root:c@h/d", "mysql://root:***@h/d and mysql://root:***@h/d"),
        ("https://ghp_0123456789012345678901234567890123ab@github.com/o/r.git", "https://***@github.com/o/r.git"),
        ("https://x-access-token:abc@github.com/o/r", "https://x-access-token:***@github.com/o/r"),
        ("host=db password=hunter2 dbname=x", "host=db password=*** dbname=x"),
        (r"host=db password='it''s \'quoted\' ' dbname=x", "host=db password='***' dbname=x"),
        (
            "Driver={ODBC Driver 18};UID=sa;PWD={a;b}}c};Encrypt=yes",
            "Driver={ODBC Driver 18};UID=sa;PWD={***};Encrypt=yes",
        ),
        ("PGPASSWORD=hunter2 psql", "PGPASSWORD=*** psql"),
        ("https://h/x?user=a&token=b%20c&y=1", "https://h/x?user=a&token=***&y=1"),
        ("https://h/x?X-Amz-Signature=abc&y=1", "https://h/x?X-Amz-Signature=***&y=1"),
        ('{"password": "hunter2", "user": "a"}', '{"password": "***", "user": "a"}'),
        ("Authorization: Bearer abc.def.ghi", "Authorization: Bearer ***"),
        ("PRIVATE-TOKEN: glpat-x", "PRIVATE-TOKEN: ***"),
        ("AccessKey=abc;ACCOUNT_KEY=def;api-key=ghi", "AccessKey=***;ACCOUNT_KEY=***;api-key=***"),
        ("ApiKey=abc AP\u0130KEY=def ap\u0131key=ghi", "ApiKey=*** AP\u0130KEY=*** ap\u0131key=***"),
        ("saw glpat-0123456789abcdefghij here", "saw *** here"),
        ("https://hooks.slack.com/services/T000/B000/abcdef", "https://hooks.slack.com/services/***"),
    ],
)
def test_secrets_are_known_by_where_they_stand(given_: str, left: str) -> None:
    assert Redactor()(given_) == left


@pytest.mark.parametrize(
    "harmless",
    [
        "postgres://app@db/x",
        "https://localhost:8080/a@b",
        "see https://github.com/o/r@v1 and git@github.com:o/r",
        "Access denied for user 'root'@'localhost' (using password: YES)",
        "ALTER TABLE users ADD COLUMN password text NOT NULL DEFAULT '';",
        "UPDATE users SET token = gen_random_uuid() WHERE token = $1;",
        "CREATE TABLE secrets (token_hash text, bypass boolean DEFAULT false);",
        "docker://postgres/16/dev",
        "compass=north",
    ],
)
def test_what_is_no_secret_stays(harmless: str) -> None:
    assert Redactor()(harmless) == harmless


def test_a_password_everybody_knows_does_not_blot_out_the_report() -> None:
    redact = redactor(["postgres", "abc", "app1"])
    assert redact("PostgreSQL postgres abcdef myapp12 app1") == "PostgreSQL postgres abcdef myapp12 ***"
    assert redact("postgres://postgres:postgres@h/db") == "postgres://postgres:***@h/db"


def test_every_line_of_a_key_is_a_secret() -> None:
    assert redactor(["first-half\nsecond-half"])("a second-half b first-half") == "a *** b ***"


def test_a_redactor_never_prints_what_it_knows() -> None:
    redact = redactor(["correct horse"])
    assert "correct" not in repr(redact)
    assert redact.knowing("battery staple", None, "")("battery staple, correct horse") == "***, ***"


class Pair(NamedTuple):
    one: str
    two: int


class Box(Struct, frozen=True):
    pair: Pair
    more: tuple[str, ...]
    table: dict[str, list[str]]


def test_whole_values_are_redacted_and_keep_their_types() -> None:
    redact = redactor(["correct horse"])
    box = Box(Pair("correct horse", 1), ("a", "b correct horse"), {"k": ["correct horse"]})
    assert redact.value(box) == Box(Pair(MASK, 1), ("a", "b ***"), {"k": [MASK]})
    clean = Box(Pair("x", 1), (), {})
    assert redact.value(clean) is clean


def test_a_megabyte_takes_linear_time() -> None:
    redact = redactor(["correct horse battery staple"])
    started = time.process_time()
    for piece in (
        "://",
        "a://b:c",
        "password=",
        "password='",
        '"token":"',
        "aaaa_",
        "authorization:",
        "=",
        "@",
        "ghp_",
    ):
        redact(piece * (1_000_000 // len(piece)))
        assert time.process_time() - started < 20, piece  # one of quadratic time takes hours


PIECES = (
    *('"', '\\"', "'", "\n", "\r", " ", ":", "=", "{", "}", "\\", "/", "-", "_", "\x85", "\u2028", "a", "ß", "İ", "é"),
    *(
        "password",
        "PaſSword",
        "api_key",
        "api",
        "accesS",
        "accoun",
        "tKEY",
        "key",
        "aPİkey",
        "apıKEY",
        "toKen",
        "secret",
        "pass",
        "pwd",
        "sıgnature",
        "Authorization: ",
        "bearer ",
        "job-token",
    ),
    *(
        "x-api-key",
        "://",
        "user:pw@host",
        "ghp_" + "a1" * 12,
        "glpat-" + "b2" * 12,
        "AKIA" + "C3" * 8,
        "xoxb-" + "4d" * 8,
    ),
    *("hooks.slack.com/services/", "T0000/B1111/x2222"),
)


@SETTINGS
@given(st.lists(st.sampled_from(PIECES), max_size=40))
def test_looking_only_at_lines_that_may_hold_a_secret_finds_all_of_them(pieces: list[str]) -> None:
    text_ = "".join(pieces)
    assert redact.by_structure(text_) == redact._without(text_)


@SETTINGS
@given(st.lists(st.lists(st.sampled_from(PIECES), max_size=12).map("".join), max_size=4))
def test_a_value_is_redacted_text_by_text(texts: list[str]) -> None:
    known = redactor(["a1a1a1a1", "user:pw@host"])
    assert known.value(texts) == [known(text_) for text_ in texts]
