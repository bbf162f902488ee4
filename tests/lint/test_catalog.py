"""The schema before a change: names, births, constraints, settings; and the bytes it is kept as."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ci_runner import sql
from ci_runner.model.operations import Column, Constraint, Index, Name, Reference, Type
from ci_runner.model.schema import Catalog, Program, Table
from ci_runner.sql import catalog
from ci_runner.sql.catalog_map import Layered
from ci_runner.sql.catalog_names import shortened
from tests.lint.harness import before, migration


def folded(*texts: str, dialect: str = "postgres", state: Catalog | None = None) -> Catalog:
    """The catalog with the last text as the file under review."""
    result = state or Catalog()
    for text in texts:
        result = catalog.fold(catalog.release(result), sql.statements(migration(text), dialect), dialect)
    return result


def table(state: Catalog, name: str, schema: str = "public") -> Table:
    return state.tables[Name(schema, name)]


@pytest.mark.parametrize(
    ("dialect", "create", "key"),
    [
        ("postgres", "CREATE TABLE Users (id int)", Name("public", "users")),
        ("postgres", 'CREATE TABLE "Users" (id int)', Name("public", "Users")),
        ("postgres", "CREATE TEMP TABLE users (id int)", Name("pg_temp", "users")),
        ("postgres", "SET search_path TO app, public; CREATE TABLE users (id int)", Name("app", "users")),
        ("mysql", "CREATE TABLE `Users` (id INT)", Name("", "users")),
        ("mysql", "USE shop; CREATE TABLE users (id INT)", Name("shop", "users")),
        ("sqlite", "CREATE TABLE main.Users (id INTEGER)", Name("", "users")),
        ("sqlserver", "CREATE TABLE [Users] (id INT)", Name("dbo", "users")),
        ("snowflake", "CREATE TABLE users (id NUMBER)", Name("PUBLIC", "USERS")),
        ("clickhouse", "CREATE TABLE users (id UInt8) ENGINE = Memory", Name("default", "users")),
        ("redshift", 'CREATE TABLE "Users" (id INT)', Name("public", "users")),
    ],
)
def test_a_name_is_kept_as_its_dialect_resolves_it(dialect: str, create: str, key: Name) -> None:
    assert list(folded(create, dialect=dialect).tables) == [key]


def test_what_a_file_makes_is_new_until_the_next_file() -> None:
    state = folded("CREATE TABLE a (id int); CREATE TABLE b (id int); ALTER TABLE b RENAME TO c;")
    assert table(state, "a").born
    assert table(state, "c").born
    later = catalog.release(state)
    assert not table(later, "a").born
    assert not table(later, "c").born
    assert not later.born
    assert catalog.release(later) == later


def test_a_guarded_create_of_a_known_table_makes_nothing() -> None:
    state = folded("CREATE TABLE a (id int, n int)", "CREATE TABLE IF NOT EXISTS a (id bigint)")
    assert list(table(state, "a").columns) == ["id", "n"]
    assert not table(state, "a").born


def test_a_table_only_ever_altered_is_known_in_part() -> None:
    known = table(folded("ALTER TABLE a ADD COLUMN n int NOT NULL"), "a")
    assert known.partial
    assert not known.born
    assert known.columns["n"].nullable is False


@pytest.mark.parametrize(
    ("clause", "name"),
    [
        ("id int PRIMARY KEY", "a_pkey"),
        ("id int UNIQUE", "a_id_key"),
        ("id int REFERENCES b (id)", "a_id_fkey"),
        ("id int CHECK (id > 0)", "a_id_check"),
        ("id int, n int, UNIQUE (id, n)", "a_id_n_key"),
        ("id int, n int, CHECK (id > n)", "a_check"),
        ("id int, n int, CHECK (n > 0)", "a_n_check"),
        ("id int, d tstzrange, EXCLUDE USING gist (d WITH &&)", "a_d_excl"),
    ],
)
def test_unnamed_constraints_get_the_names_postgres_gives(clause: str, name: str) -> None:
    state = folded(f"CREATE TABLE b (id int PRIMARY KEY); CREATE TABLE a ({clause});")
    assert name in {c.name for c in table(state, "a").constraints}


def test_second_of_a_name_is_numbered() -> None:
    state = folded(
        "CREATE TABLE a (n int CHECK (n > 0)); ALTER TABLE a ADD CHECK (n > 1); CREATE INDEX ON a (n); CREATE INDEX ON a (n);"
    )
    assert {c.name for c in table(state, "a").constraints} == {"a_n_check", "a_n_check1"}
    assert set(table(state, "a").indexes) == {"a_n_idx", "a_n_idx1"}


def test_mysql_numbers_foreign_keys_and_names_keys_after_their_column() -> None:
    text = "CREATE TABLE p (id INT PRIMARY KEY); CREATE TABLE c (p INT, q INT, UNIQUE (p), "
    text += "FOREIGN KEY (p) REFERENCES p (id), FOREIGN KEY (q) REFERENCES p (id));"
    state = folded(text, dialect="mysql")
    assert {c.name for c in table(state, "c", "").constraints} == {"p", "c_ibfk_1", "c_ibfk_2"}


@given(st.text("ab_é", min_size=1, max_size=80), st.text("ab_é", max_size=80))
def test_long_names_are_cut_to_what_postgres_keeps(one: str, two: str) -> None:
    assert len(shortened(one, two, "idx").encode()) <= 63


def test_dropping_a_column_takes_its_keys_along() -> None:
    state = folded(
        "CREATE TABLE a (id int PRIMARY KEY, n int UNIQUE, m int); CREATE INDEX i ON a (n, m); ALTER TABLE a DROP COLUMN n;"
    )
    known = table(state, "a")
    assert list(known.columns) == ["id", "m"]
    assert {c.kind for c in known.constraints} == {"primary-key"}
    assert set(known.indexes) == {"a_pkey"}


def test_renaming_follows_into_keys_indexes_and_the_tables_that_refer() -> None:
    state = folded(
        "CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (p_id int REFERENCES p (id)); CREATE INDEX i ON p (id);"
        "ALTER TABLE p RENAME COLUMN id TO nr; ALTER TABLE p RENAME TO q;"
    )
    assert table(state, "q").indexes["i"].columns == ("nr",)
    reference = table(state, "c").constraints[0].references
    assert reference == Reference(Name("public", "q"), ("nr",))
    assert state.index_tables[Name("public", "i")] == Name("public", "q")


def test_a_constraint_is_not_valid_until_it_is_validated() -> None:
    state = folded("CREATE TABLE a (n int); ALTER TABLE a ADD CONSTRAINT k CHECK (n > 0) NOT VALID;")
    assert table(state, "a").constraints[0].not_valid
    assert not table(folded("ALTER TABLE a VALIDATE CONSTRAINT k", state=state), "a").constraints[0].not_valid


def test_using_index_turns_the_index_into_the_keys_own() -> None:
    state = folded(
        "CREATE TABLE a (n int); CREATE UNIQUE INDEX i ON a (n); ALTER TABLE a ADD CONSTRAINT k PRIMARY KEY USING INDEX i;"
    )
    known = table(state, "a")
    assert set(known.indexes) == {"k"}
    assert known.constraints[0].columns == ("n",)
    assert known.columns["n"].nullable is False


def test_settings_end_with_their_transaction_session_and_file() -> None:
    state = folded("SET lock_timeout = '1s'; BEGIN; SET LOCAL timezone = 'UTC'; COMMIT;")
    assert dict(state.settings) == {"lock_timeout": "1s"}
    assert dict(catalog.release(state).settings) == {}


def test_mysql_redefines_a_column_whole_and_places_it() -> None:
    state = folded(
        "CREATE TABLE t (a INT NOT NULL DEFAULT 5, b INT, c INT)",
        "ALTER TABLE t MODIFY a BIGINT AFTER b",
        dialect="mysql",
    )
    known = table(state, "t", "")
    assert list(known.columns) == ["b", "a", "c"]
    assert (known.columns["a"].default, known.columns["a"].nullable) == (None, None)


def test_a_dropped_schema_takes_its_tables() -> None:
    state = folded("CREATE SCHEMA s; CREATE TABLE s.a (id int); CREATE TABLE b (id int);", "DROP SCHEMA s CASCADE;")
    assert list(state.tables) == [Name("public", "b")]


def test_a_swap_changes_names_and_nothing_else() -> None:
    state = folded(
        "CREATE TABLE a (x NUMBER); CREATE TABLE b (y NUMBER); ALTER TABLE a SWAP WITH b;", dialect="snowflake"
    )
    assert list(table(state, "A", "PUBLIC").columns) == ["Y"]


def test_enum_values_functions_and_views_are_known() -> None:
    state = folded(
        "CREATE TABLE a (id int); CREATE TYPE m AS ENUM ('x'); ALTER TYPE m ADD VALUE 'y'; ALTER TYPE m RENAME VALUE 'x' TO 'z';"
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql STABLE AS 'SELECT 1'; CREATE VIEW v AS SELECT id FROM a;"
    )
    assert state.enums[Name("public", "m")] == ("z", "y")
    assert state.functions[Name("public", "f")] == "stable"
    assert state.views[Name("public", "v")] == (Name("public", "a"),)


def test_copy_data_and_queries_change_nothing() -> None:
    state = folded("CREATE TABLE a (id int);")
    assert folded(
        "COPY a FROM stdin;\n1\n\\.\nSELECT 1; INSERT INTO a VALUES (1);", state=catalog.release(state)
    ) == catalog.release(state)


# ── bytes ──

words = st.text("abcXYZ_é'\"", max_size=8)
some = st.lists(words, max_size=2).map(tuple)
names = st.builds(Name, words, words)
several = st.lists(names, max_size=2).map(tuple)
types = st.builds(Type, words, some, words, words)
references = st.builds(Reference, names, some, words, words)
columns = st.builds(
    Column, words, st.none() | types, st.none() | st.booleans(), st.none() | words, words, st.booleans(), st.booleans(), st.booleans(),
    st.none() | references, st.none() | words, words, words, words, some, words,
)  # fmt: skip
constraints = st.builds(
    Constraint, words, words, some, st.none() | references, words, st.booleans(), words, st.booleans(),
    some,
)  # fmt: skip
indexes = st.builds(Index, words, some, st.booleans(), words, words)
tables = st.builds(
    Table, names, st.dictionaries(words, columns, max_size=3), st.lists(constraints, max_size=2).map(tuple),
    st.dictionaries(words, indexes, max_size=2), words, st.none() | names, several, st.booleans(), words, some, words,
    some, st.booleans(), st.booleans(),
)  # fmt: skip
programs = st.builds(Program, several, some, st.none() | names)
catalogs = st.builds(
    Catalog, st.dictionaries(names, tables, max_size=4), st.dictionaries(names, names, max_size=2),
    st.dictionaries(names, several, max_size=2), st.dictionaries(names, some, max_size=2),
    st.dictionaries(names, columns, max_size=2),
    st.dictionaries(names, words, max_size=2), st.dictionaries(names, several, max_size=2),
    st.dictionaries(st.tuples(words, names), programs, max_size=2), st.frozensets(words, max_size=3),
    st.dictionaries(words, words, max_size=3), some, st.dictionaries(st.tuples(words, names), st.just(True), max_size=2),
    st.tuples(st.integers(0, 9), st.integers(0, 9)), st.dictionaries(names, st.just(True), max_size=2), st.frozensets(words, max_size=2),
    st.dictionaries(names, tables, max_size=1), st.frozensets(words, max_size=2),
)  # fmt: skip


@settings(deadline=None, max_examples=100)
@given(catalogs)
def test_bytes_hold_the_whole_catalog(state: Catalog) -> None:
    loaded = catalog.loads(catalog.dumps(state))
    assert loaded is not None
    assert dict(loaded.tables) == dict(state.tables)
    assert loaded == state
    assert catalog.dumps(loaded) == catalog.dumps(state)


@settings(deadline=None, max_examples=200)
@given(st.binary(max_size=200) | st.text(max_size=100).map(str.encode))
def test_bytes_of_anything_else_are_a_miss(data: bytes) -> None:
    assert catalog.loads(data) is None


json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | words,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(words, inner, max_size=3),
    max_leaves=12,
)


@settings(deadline=None, max_examples=200)
@given(st.data())
def test_a_catalog_that_was_tampered_with_is_a_miss_or_a_catalog(data: st.DataObject) -> None:
    document = json.loads(
        catalog.dumps(
            folded("CREATE TABLE a (id int PRIMARY KEY, n text DEFAULT 'x'); CREATE VIEW v AS SELECT id FROM a;")
        )
    )
    field = data.draw(st.sampled_from(sorted(document)))
    document[field] = data.draw(json_values)
    loaded = catalog.loads(json.dumps(document).encode())
    if loaded is not None:
        for value in loaded.tables.values():
            assert isinstance(value, Table)
            assert all(isinstance(column, Column) for column in value.columns.values())


@settings(deadline=None, max_examples=200)
@given(json_values)
def test_a_table_that_was_tampered_with_is_one_of_which_only_the_name_is_known(value: Any) -> None:
    document = json.loads(catalog.dumps(folded("CREATE TABLE a (id int)")))
    document["tables"][0][1] = value
    loaded = catalog.loads(json.dumps(document).encode())
    assert loaded is None or isinstance(next(iter(loaded.tables.values())), Table)


def test_bytes_of_another_version_are_a_miss() -> None:
    document = json.loads(catalog.dumps(Catalog()))
    document["format"] = catalog.VERSION + 1
    assert catalog.loads(json.dumps(document).encode()) is None


# ── the mapping ──


@settings(deadline=None, max_examples=100)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 300), st.integers())))
def test_a_layered_mapping_is_a_mapping_that_leaves_its_past_alone(steps: list[tuple[bool, int, int]]) -> None:
    model: dict[int, int] = {}
    layered: Layered[int, int] = Layered()
    past = []
    for put, key, value in steps:
        past.append((layered, dict(model)))
        if put:
            layered, model = layered.put(key, value), {**model, key: value}
        else:
            layered = layered.without(key)
            model = {k: v for k, v in model.items() if k != key}
    for mapping, expected in [*past, (layered, model)]:
        assert dict(mapping) == expected
        assert len(mapping) == len(expected)
        assert bool(mapping) == bool(expected)


def test_a_thousand_files_fold_in_little_more_than_linear_time() -> None:
    texts = [
        f"CREATE TABLE t{i} (id int PRIMARY KEY, n text); CREATE INDEX ON t{i} (n); ALTER TABLE t{i // 2} ADD COLUMN c{i} int;"
        for i in range(300)
    ]
    assert len(before(texts, "postgres").tables) == 300


def test_columns_follow_the_renaming_of_their_type() -> None:
    state = folded("CREATE TYPE m AS ENUM ('x'); CREATE TABLE a (m m); ALTER TYPE m RENAME TO n;")
    kind = table(state, "a").columns["m"].type
    assert kind is not None
    assert kind.base == "n"
