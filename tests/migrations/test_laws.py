"""Laws of reading: whatever the bytes, whatever the names."""

from __future__ import annotations

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ci_runner import migrations
from ci_runner.errors import ConfigError, DirectoryRefusedError, PilotageError
from ci_runner.migrations import checks
from ci_runner.model.directory import MigrationDir, Tree

FORMATS = tuple(migrations.FORMATS)
WORDS = st.sampled_from([
    "-- +goose Up\n", "-- +goose Down\n", "-- +goose StatementBegin\n", "-- +goose StatementEnd\n", "-- +goose NO TRANSACTION\n",
    "-- migrate:up\n", "-- migrate:down\n", "-- migrate:up transaction:false\n", "--liquibase formatted sql\n", "--changeset a:1\n",
    "--changeset", "--rollback x;\n", "/* liquibase rollback\n", "*/", "/*", "--> statement-breakpoint", "-- atlas:txmode none\n",
    "-- atlas:delimiter //\n", "-- pilotage:checkpoint\n", "-- atlas:sum ignore\n", "\n", "\r\n", "\ufeff", "SELECT 1;\n", "'", '"', "$$", "${x}",
    "<<<<<<< HEAD\n", "-- no-transaction\n", "é", "\x00",
])  # fmt: skip
TEXTS = st.lists(WORDS, max_size=12).map(lambda words: "".join(words).encode())
NAMES = st.sampled_from([
    "1_a.sql", "2_b.sql", "10_c.sql", "V1__a.sql", "V1.1__b.sql", "B1__c.sql", "R__v.sql", "U1__a.sql", "1_a.up.sql", "1_a.down.sql",
    "x/up.sql", "x/down.sql", "x/metadata.toml", "x/migration.sql", "migration_lock.toml", "meta/_journal.json", "atlas.sum",
    "0_a.sql", "schema.sql", "V1__a.sql.conf", "beforeMigrate.sql", "1_x.go", "changelog.xml",
])  # fmt: skip
FILES = st.dictionaries(NAMES, st.one_of(TEXTS, st.binary(max_size=40)), max_size=6)
ANY_NAME = st.text(st.characters(codec=None), min_size=1, max_size=12).map(lambda name: name + ".sql")


def _read(files: dict[str, bytes], form: str | None = None) -> MigrationDir | None:
    try:
        return migrations.read(Tree("m", files), format=form)
    except PilotageError:
        return None


@settings(max_examples=400, deadline=None)
@given(FILES, st.sampled_from((None, *FORMATS)))
def test_reading_answers_or_refuses_whatever_the_bytes(files: dict[str, bytes], form: str | None) -> None:
    read = _read(files, form)
    if read is None:
        return
    for migration in read.migrations:
        at = 0
        for part in migration.parts:
            assert at <= part.start <= part.end <= len(migration.text)
            at = part.end
    assert migrations.listing(read, lambda _: 0)["sum"].startswith("h1:")


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(ANY_NAME, st.binary(max_size=8), max_size=4), st.sampled_from((None, *FORMATS)))
def test_reading_answers_or_refuses_whatever_the_names(files: dict[str, bytes], form: str | None) -> None:
    read = _read(files, form)
    if read is not None:
        assert {migration.name for migration in read.migrations} <= set(files)
        assert all(name.encode("utf-8").decode("utf-8") == name for name in files)


@settings(max_examples=200, deadline=None)
@given(
    st.dictionaries(
        st.from_regex(r"[0-9]{1,3}_[a-z]{1,3}\.sql", fullmatch=True),
        st.text("ab;\n", max_size=6),
        min_size=1,
        max_size=4,
    ),
    st.dictionaries(
        st.from_regex(r"[0-9]{1,3}_[a-z]{1,3}\.sql", fullmatch=True),
        st.text("ab;\n", max_size=6),
        min_size=1,
        max_size=4,
    ),
)
def test_the_sum_changes_when_and_only_when_a_name_or_a_byte_does(one: dict[str, str], other: dict[str, str]) -> None:
    first, second = (_read({name: text.encode() for name, text in files.items()}) for files in (one, other))
    assert first is not None
    assert second is not None
    assert (migrations.sum_text(first) == migrations.sum_text(second)) == (one == other)


@settings(max_examples=100, deadline=None)
@given(FILES, st.sampled_from(FORMATS))
def test_a_sum_written_is_a_sum_that_checks(files: dict[str, bytes], form: str) -> None:
    read = _read(files, form)
    if read is None:
        return
    again = _read({**files, "atlas.sum": migrations.sum_text(read).encode()}, form)
    assert again is not None
    assert migrations.sum_text(again) == migrations.sum_text(read)
    assert again.sum_check.ok


@pytest.mark.parametrize(
    ("given", "asked"),
    [
        ({"format": "gose"}, "did you mean 'goose'"),
        ({"format": "golang_migrate"}, "did you mean 'golang-migrate'"),
        ({"dialect": "oracle"}, "postgres"),
        ({"tx_mode": "fil"}, "did you mean 'file'"),
        ({"sum_mode": "maybe"}, "required, optional, off"),
    ],
)
def test_a_setting_there_is_none_of_is_an_error_that_lists_those_there_are(given: dict[str, str], asked: str) -> None:
    with pytest.raises(ConfigError, match=asked):
        migrations.read(Tree("m", {}), **given)  # type: ignore[arg-type]


def test_more_than_a_hundred_thousand_statements_are_refused() -> None:
    read = migrations.read(Tree("m", {"1_a.sql": b"SELECT 1;\n"}))
    assert migrations.listing(read, lambda _: 100_000)["files"][0]["statements"] == 100_000
    with pytest.raises(DirectoryRefusedError) as refused:
        migrations.listing(read, lambda _: 100_001)
    assert migrations.refusal(refused.value)["refused"]["code"] == "too-many-statements"
    assert migrations.refusal(refused.value)["refused"]["file"] == "1_a.sql"
    assert migrations.refusal(refused.value)["format"] == "atlas"


def test_what_a_registry_keeps_is_what_the_format_reads() -> None:
    files = {
        "2026-01-01-000000_a/up.sql": b"SELECT 1;\n",
        "2026-01-01-000000_a/down.sql": b"SELECT 2;\n",
        "2026-01-01-000000_a/metadata.toml": b"run_in_transaction = false\n",
        "2026-01-01-000000_a/seed.sql": b"SELECT 3;\n",
        "atlas.sum": b"",
    }
    read = migrations.read(Tree("m", files), format="diesel")
    assert set(read.files) == set(files) - {"2026-01-01-000000_a/seed.sql"}
    assert read.down == ("2026-01-01-000000_a/down.sql",)


def test_a_hard_link_is_accepted_with_a_notice() -> None:
    read = migrations.read(Tree("m", {"1_a.sql": b"SELECT 1;\n"}, linked=("1_a.sql",)), sum_mode="off")
    assert [(p.code, p.level, p.file) for p in read.problems] == [("hard-link", "notice", "1_a.sql")]


@pytest.mark.parametrize("form", FORMATS)
def test_a_version_of_thousands_of_digits_is_refused_by_its_name(form: str) -> None:
    for name in ("{}_a.up.sql", "{}_a.sql", "V{}__a.sql", "{}/up.sql", "{}/migration.sql"):
        with pytest.raises(DirectoryRefusedError, match="255 bytes"):
            migrations.read(Tree("m", {name.format("1" * 5000): b"SELECT 1;\n"}), format=form)


@settings(max_examples=200, deadline=None)
@given(FILES, st.sampled_from((None, *FORMATS)))
def test_a_directory_that_is_only_compared_with_has_the_same_migrations_and_no_judgement(
    files: dict[str, bytes], form: str | None
) -> None:
    judged = _read(files, form)
    if judged is None:
        return
    plain = migrations.read(Tree("m", files), format=form, judged=False)
    assert plain.migrations == judged.migrations
    assert (plain.files, plain.skipped, plain.first_run) == (judged.files, judged.skipped, judged.first_run)
    assert plain.problems == ()


@settings(max_examples=300, deadline=None)
@given(FILES, st.sampled_from((None, *FORMATS)), st.randoms(use_true_random=False))
def test_a_part_of_a_directory_has_the_migrations_it_has_alone(
    files: dict[str, bytes], form: str | None, chance: random.Random
) -> None:
    whole = _read(files, form)
    if whole is None:
        return
    part = Tree("m", {path: data for path, data in files.items() if chance.random() < 0.7})
    try:
        alone = migrations.read(part, format=whole.format, judged=False)
    except DirectoryRefusedError:
        return
    beside = migrations.read(part, format=whole.format, judged=False, like=whole)
    assert [(each.name, each.version, each.sha256) for each in beside.migrations] == [
        (each.name, each.version, each.sha256) for each in alone.migrations
    ]
    assert (beside.files, beside.skipped, beside.first_run) == (alone.files, alone.skipped, alone.first_run)
    assert (beside.format, beside.down, beside.problems) == (alone.format, alone.down, ())


PIECES = st.sampled_from(
    ["a", "Z_9", ".", "-", "/", "..", "con", "NUL.sql", "com1", "x.sql", " ", "é", "\n", "", "a" * 200]
)
PATHS = st.lists(PIECES, max_size=6).map("".join)


@settings(max_examples=600, deadline=None)
@given(st.lists(st.one_of(PATHS, ANY_NAME), max_size=4))
def test_names_found_plain_together_are_each_accepted(paths: list[str]) -> None:
    if checks.plain(paths):
        for path in paths:
            checks.name(path)
            assert all(part and part == part.strip(". ") for part in path.split("/"))


def test_the_usual_names_are_found_plain_together() -> None:
    assert checks.plain([f"2024010100{number:04}_add-column.v2.sql" for number in range(1000)] + ["b/up.sql", "_c"])


@settings(max_examples=600, deadline=None)
@given(st.lists(st.one_of(WORDS.map(str.encode), st.binary(max_size=3)), max_size=5).map(b"".join))
def test_bytes_that_a_short_look_finds_quiet_have_nothing_in_them_for_a_long_one(data: bytes) -> None:
    text = data.decode("ascii", "replace")
    if checks.quiet(data):
        assert checks.decode("1_a.sql", data, "d") == text
        assert list(checks._content("1_a.sql", data)) == []
    elif not set(text) & set("\0\r<>\ufffd"):
        pytest.fail("quiet bytes take the long way")


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(FILES, st.sampled_from(FORMATS), st.sampled_from(("file", "none")))
def test_a_file_with_nothing_odd_in_it_is_read_as_it_would_be_the_long_way(
    monkeypatch: pytest.MonkeyPatch, files: dict[str, bytes], form: str, tx_mode: str
) -> None:
    def read() -> MigrationDir | str:
        try:
            return migrations.read(Tree("m", files), format=form, tx_mode=tx_mode)
        except PilotageError as error:
            return str(error)

    short = read()
    with monkeypatch.context() as patch:
        patch.setattr(checks, "quiet", lambda _: False)
        assert read() == short
