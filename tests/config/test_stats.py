"""stats.yml: what is read is what was written, and what is wrong is named with its line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ci_runner.config.stats import LIMIT, read, written
from ci_runner.errors import ConfigError
from ci_runner.model.stats import Size, Stats, amount, rows, volume

NUMBERS = st.none() | st.integers(0, 999)
NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)


@given(
    st.dictionaries(NAMES, st.builds(Size, NUMBERS, NUMBERS), max_size=5), st.sampled_from(["", "2026-11-23"]), NAMES
)
def test_what_is_written_is_read_again(tables: dict[str, Size], taken: str, engine: str) -> None:
    stats = Stats(tables, taken, engine)
    again = read(written(stats), "stats.yml")
    assert (dict(again.tables), again.taken, again.engine) == (tables, taken, engine)


def test_numbers_are_kept_to_three_digits_so_that_the_file_changes_seldom() -> None:
    made = written(
        Stats({"b": Size(84_123_456, 12_987_654_321), "a": Size(1_234, None)}, "2026-11-23", "PostgreSQL 18.6")
    )
    assert made.splitlines()[1:] == [
        "version: 1",
        'taken: "2026-11-23"',
        'engine: "PostgreSQL 18.6"',
        "tables:",
        '  "a": {rows: 1230}',
        '  "b": {rows: 84100000, bytes: 13000000000}',
    ]


def test_people_may_write_it_by_hand() -> None:
    found = read("tables:\n  orders: 84_000_000\n  audit.log: {bytes: 12}\n  empty: {}\n", "stats.yml")
    assert found.tables == {"orders": Size(84_000_000), "audit.log": Size(None, 12), "empty": Size()}
    assert read("", "stats.yml") == read("tables:\n", "stats.yml") == Stats()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("rows: 3\n", "s.yml:1: unknown key 'rows'"),
        ("version: 2\n", "s.yml:1: version 2 is not 1"),
        ("tables: 3\n", "s.yml:1: 'tables' must map"),
        ("tables:\n  a: many\n", "s.yml:2: table 'a' must have whole numbers from 0, not 'many'"),
        ("tables:\n  a: -1\n", "s.yml:2: table 'a' must have whole numbers"),
        ("tables:\n  a: {rows: 1.5}\n", "s.yml:2: table 'a' must have whole numbers"),
        ("tables:\n  a: 9999999999999999999\n", "s.yml:2: table 'a' must have whole numbers"),
        ("tables:\n  a: {row: 1}\n", "s.yml:2: table 'a' has 'row': known are rows and bytes"),
        ("tables:\n  a: [1]\n", "s.yml:2: table 'a' must have a number of rows"),
        ("tables:\n  a: {rows: {x: 1}}\n", "s.yml:2: table 'a' must have whole numbers"),
        ("tables:\n  a: 1\n  a: 2\n", "s.yml:3: table 'a' stands twice"),
        ("tables:\n  ? [a]\n  : 1\n", "s.yml:2: a table's name must be a plain word"),
        ("taken: x\ntaken: y\n", "s.yml:2: 'taken' stands twice"),
        ("- a\n", "s.yml:1 must hold"),
        ("tables: {\n", "s.yml:2 is not valid YAML"),
        ("#" * (LIMIT + 1), "s.yml is larger than 4096 KiB"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(text: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(text, "s.yml")
    assert str(caught.value).startswith(said)


@pytest.mark.parametrize(
    ("size", "count", "much", "both"),
    [
        (Size(84_123_456, 12_345_678_901), "~84 M rows", "12 GB", "~84 M rows (12 GB)"),
        (Size(0, 0), "~0 rows", "0 bytes", "~0 rows (0 bytes)"),
        (Size(1, 1_500), "~1 row", "1.5 kB", "~1 row (1.5 kB)"),
        (Size(999_999, 999_999), "~1 M rows", "1 MB", "~1 M rows (1 MB)"),
        (Size(1_250_000_000, 3 * 10**12), "~1.2 bn rows", "3 TB", "~1.2 bn rows (3 TB)"),
        (Size(12_300), "~12 k rows", "", "~12 k rows"),
        (Size(None, 5_000_000), "", "5 MB", "5 MB"),
        (Size(), "", "", ""),
    ],
)
def test_sizes_are_said_in_two_digits(size: Size, count: str, much: str, both: str) -> None:
    assert (rows(size), volume(size), amount(size)) == (count, much, both)
