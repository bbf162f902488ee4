"""What a change touched, read by itself: the same difference and the same picture as reading all of both sides."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ci_runner import devdb
from ci_runner.databases import Database, DatabaseFailure, Sql
from ci_runner.databases.comparing import comparable, comparison
from ci_runner.databases.postgres.since import Since
from ci_runner.devdb import DevDatabase
from ci_runner.model.difference import difference
from ci_runner.model.drawing import changed

BASE = """
CREATE TYPE mood AS ENUM ('low', 'high');
CREATE TYPE pair AS (a int, b text);
CREATE DOMAIN short AS varchar(20) CHECK (VALUE <> '');
CREATE FUNCTION norm(text) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT lower($1) $$;
CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE SEQUENCE numbers;
CREATE TABLE users (id int PRIMARY KEY, name text NOT NULL, feeling mood DEFAULT 'low', nick short, p pair,
  number bigint DEFAULT nextval('numbers'), loud text GENERATED ALWAYS AS (upper(name)) STORED, CHECK (norm(name) <> ''));
CREATE INDEX users_norm ON users (norm(name));
CREATE TABLE posts (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, owner int REFERENCES users (id), body text, tags mood[]);
CREATE TABLE notes (id int PRIMARY KEY, post int REFERENCES posts (id) ON DELETE CASCADE);
CREATE TABLE loose (id int, at date);
CREATE VIEW happy AS SELECT id, name FROM users WHERE feeling = 'high';
CREATE VIEW happier AS SELECT happy.name, posts.body FROM happy JOIN posts ON posts.owner = happy.id;
CREATE MATERIALIZED VIEW counted AS SELECT owner, count(*) AS n FROM posts GROUP BY owner;
CREATE TRIGGER users_stamp BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION stamp();
ALTER TABLE users ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON users USING (norm(name) = current_user);
CREATE TABLE parts (id int, at date) PARTITION BY RANGE (at);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
CREATE TABLE child (more int) INHERITS (loose);
CREATE SCHEMA side;
CREATE TABLE side.logs (id int PRIMARY KEY, who int REFERENCES users (id), kind mood);
CREATE VIEW side.seen AS SELECT logs.id, users.name FROM side.logs JOIN users ON users.id = logs.who;
CREATE FUNCTION side.total(users) RETURNS bigint LANGUAGE sql AS $$ SELECT 1::bigint $$;
CREATE FUNCTION half(x int DEFAULT 4) RETURNS int LANGUAGE sql AS $$ SELECT x / 2 $$;
CREATE RULE keep AS ON DELETE TO loose DO INSTEAD NOTHING;
"""
CHANGES = """
ALTER TABLE users ADD COLUMN extra int NOT NULL DEFAULT 3
ALTER TABLE users RENAME COLUMN name TO called
ALTER TABLE users RENAME COLUMN id TO number_of
ALTER TABLE users RENAME TO people
ALTER TABLE users DROP COLUMN nick
ALTER TABLE users DROP COLUMN name CASCADE
ALTER TABLE users ALTER COLUMN name DROP NOT NULL
ALTER TABLE users ALTER COLUMN number SET DEFAULT 1
ALTER TABLE users ALTER COLUMN number DROP DEFAULT
ALTER TABLE users ALTER COLUMN number TYPE int
ALTER TABLE users DROP CONSTRAINT users_name_check
ALTER TABLE users DISABLE ROW LEVEL SECURITY
ALTER TABLE users SET (fillfactor = 70)
ALTER TABLE users SET SCHEMA side
ALTER TABLE users RENAME CONSTRAINT users_pkey TO pk
ALTER TABLE users REPLICA IDENTITY FULL
ALTER TABLE users DISABLE TRIGGER users_stamp
ALTER TABLE posts ALTER COLUMN body SET NOT NULL
ALTER TABLE posts DROP CONSTRAINT posts_owner_fkey
ALTER TABLE posts ALTER COLUMN id DROP IDENTITY
ALTER TABLE posts SET UNLOGGED
ALTER TABLE loose ADD CONSTRAINT known FOREIGN KEY (id) REFERENCES users (id)
ALTER TABLE loose ADD PRIMARY KEY (id)
ALTER TABLE loose ADD COLUMN at2 date
ALTER TABLE child NO INHERIT loose
ALTER TABLE parts DETACH PARTITION parts_1
ALTER TABLE parts_1 ADD CHECK (id > 0)
ALTER TABLE notes DROP COLUMN post
ALTER TABLE notes ALTER COLUMN post TYPE bigint
ALTER TYPE mood ADD VALUE 'middle' BEFORE 'high'
ALTER TYPE mood RENAME VALUE 'high' TO 'great'
ALTER TYPE mood RENAME TO feeling
ALTER TYPE mood SET SCHEMA side
ALTER TYPE pair RENAME ATTRIBUTE a TO first
ALTER TYPE pair ADD ATTRIBUTE c int
ALTER DOMAIN short RENAME TO brief
ALTER DOMAIN short ADD CONSTRAINT long_enough CHECK (length(VALUE) > 1)
ALTER FUNCTION norm(text) RENAME TO normal
ALTER FUNCTION norm(text) SET SCHEMA side
ALTER FUNCTION stamp() RENAME TO stamped
ALTER FUNCTION half(int) STABLE
ALTER SEQUENCE numbers RENAME TO counter
ALTER SEQUENCE numbers INCREMENT 5
ALTER SEQUENCE numbers OWNED BY users.number
ALTER SCHEMA side RENAME TO aside
ALTER INDEX users_norm RENAME TO by_norm
ALTER VIEW happy RENAME TO glad
ALTER VIEW happy RENAME COLUMN name TO word
ALTER VIEW happy SET (security_barrier = true)
ALTER VIEW side.seen SET SCHEMA public
ALTER TRIGGER users_stamp ON users RENAME TO stamped
ALTER POLICY own ON users USING (true)
ALTER DATABASE dev SET search_path = side, public
ALTER ROLE CURRENT_USER SET search_path = side, public
CREATE TABLE fresh (id int PRIMARY KEY, who int REFERENCES users (id), m mood)
CREATE TABLE side.users (id int)
CREATE TABLE side.fresh (id int)
CREATE TABLE logs (id int)
CREATE TABLE parts_2 PARTITION OF parts FOR VALUES FROM ('2021-01-01') TO ('2022-01-01')
CREATE TABLE copy AS SELECT * FROM users
CREATE TEMPORARY TABLE posts (id int)
CREATE UNIQUE INDEX posts_body ON posts (body, (id + 1)) WHERE body <> ''
CREATE INDEX ON users (name, feeling)
CREATE OR REPLACE VIEW happy AS SELECT id, name, feeling FROM users
CREATE VIEW fresh_view AS SELECT * FROM happier
CREATE VIEW fresh_seen AS SELECT side.total(users) FROM users
CREATE OR REPLACE FUNCTION norm(text) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT upper($1) $$
CREATE FUNCTION norm(varchar) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT 'v' $$
CREATE FUNCTION lower(mood) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT 'm' $$
CREATE FUNCTION fresh_function(m mood, u users) RETURNS SETOF posts LANGUAGE sql AS $$ SELECT * FROM posts $$
CREATE TYPE side.mood AS ENUM ('x')
CREATE TYPE colour AS ENUM ('red', 'blue')
CREATE SCHEMA fresh_schema
CREATE SCHEMA AUTHORIZATION CURRENT_USER
CREATE SEQUENCE fresh_numbers START 5
CREATE TRIGGER second AFTER INSERT ON posts FOR EACH ROW WHEN (NEW.body IS NULL) EXECUTE FUNCTION stamp()
CREATE POLICY more ON users FOR SELECT USING (feeling = 'high')
CREATE EXTENSION pg_trgm
CREATE EXTENSION citext
CREATE COLLATION side.plain (locale = 'C')
CREATE OPERATOR === (FUNCTION = texteq, LEFTARG = text, RIGHTARG = text)
CREATE CAST (mood AS pair) WITH INOUT
CREATE RULE keep AS ON DELETE TO posts DO INSTEAD NOTHING
CREATE AGGREGATE most(int) (SFUNC = int4larger, STYPE = int)
DROP TABLE users CASCADE
DROP TABLE notes
DROP TABLE posts CASCADE
DROP TABLE loose CASCADE
DROP TABLE parts
DROP TABLE side.logs CASCADE
DROP VIEW happier
DROP VIEW happy CASCADE
DROP MATERIALIZED VIEW counted
DROP INDEX users_norm
DROP INDEX CONCURRENTLY users_norm
DROP FUNCTION norm(text) CASCADE
DROP FUNCTION half(int)
DROP TRIGGER users_stamp ON users
DROP POLICY own ON users
DROP RULE keep ON loose
DROP TYPE mood CASCADE
DROP DOMAIN short CASCADE
DROP SEQUENCE numbers CASCADE
DROP SCHEMA side CASCADE
TRUNCATE users CASCADE
INSERT INTO users (id, name) VALUES (1, 'one')
VACUUM FULL users
REINDEX TABLE users
CLUSTER users USING users_pkey
ANALYZE
COMMENT ON TABLE users IS 'somebody'
GRANT SELECT ON users TO PUBLIC
REFRESH MATERIALIZED VIEW counted
SET search_path = side, public
SET quote_all_identifiers = on
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND usename = current_user
""".strip().splitlines()


@contextmanager
def _opened(url: str) -> Iterator[DevDatabase]:
    with devdb.open(url, environment=os.environ, run_id="since", report=lambda _line: None) as opened:
        base = opened.fresh()
        base.execute([Sql(each) for each in _statements(BASE)], transaction=True)
        opened.snapshot(base, "base").close()
        yield opened


@pytest.fixture(scope="module")
def dev() -> Iterator[DevDatabase]:
    with _opened("embedded://postgres") as opened:
        yield opened


@pytest.fixture(scope="module")
def uncounted() -> Iterator[DevDatabase]:
    with _opened("embedded://postgres?superuser=true") as opened:
        yield opened


def _version(dev: DevDatabase) -> tuple[int, ...]:
    return tuple(map(int, dev.engine.removeprefix("PostgreSQL ").split(".")))


def _statements(text: str) -> list[str]:
    return [each for each in text.split(";\n") if each.strip()]


def _state(dev: DevDatabase) -> Database:
    found = dev.restore("base")
    assert found is not None
    return found


def _made(database: Database, statements: list[str]) -> None:
    for each in statements:
        with suppress(DatabaseFailure):
            database.execute([Sql(each)], transaction=False)
        database.reset()


@pytest.mark.parametrize("statement", CHANGES)
def test_one_statement_shows_the_same_difference_either_way(statement: str, dev: DevDatabase) -> None:
    assert _compare(dev, [statement]) or _names_or_rare(statement)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(statements=st.lists(st.sampled_from(CHANGES), min_size=2, max_size=6))
def test_several_statements_show_the_same_difference_either_way(statements: list[str], dev: DevDatabase) -> None:
    _compare(dev, statements)


def test_a_name_that_hides_another_on_the_search_path_changes_how_that_is_shown() -> None:
    with _opened("embedded://postgres?search_path=public,side") as dev:
        for statement in (
            "CREATE TABLE logs (id int)",
            "CREATE TABLE side.users (id int)",
            "DROP TABLE side.logs CASCADE",
        ):
            _compare(dev, [statement])


def _names_or_rare(statement: str) -> bool:
    """Whether it makes a name that something else has, or changes what the text of any object may show: then all is read."""
    made = re.match(r"(?:CREATE|ALTER|DROP) (SCHEMA|EXTENSION|COLLATION|OPERATOR|CAST)\b", statement)
    return bool(made) or any(
        name in statement for name in ("TABLE side.users", "TABLE logs", "TABLE posts", "side.mood", "norm(", "lower(")
    )


def _compare(dev: DevDatabase, statements: list[str]) -> bool:
    """Both ways, and whether there was something to compare: the quick one may know that it cannot tell."""
    after, other = _state(dev), _state(dev)
    try:
        whole = after.inspect()
        begun = comparison(after, other)
        assert begun is not None
        _made(after, statements)
        try:
            found = begun.schemas()
        except DatabaseFailure as failure:
            assert failure.lost
            return True
        if found is not None:
            now = after.inspect()
            assert difference(*found) == difference(whole, now)
            assert changed(*found) == changed(whole, now)
        return found is not None
    finally:
        after.close()
        other.close()
        _unset(dev)


def _unset(dev: DevDatabase) -> None:
    """Settings of the role, which no database takes with it."""
    database = _state(dev)
    database.execute([Sql("ALTER ROLE CURRENT_USER RESET ALL")], transaction=False)
    database.close()


def test_what_is_told_is_little_of_what_there_is(dev: DevDatabase) -> None:
    after, other = _state(dev), _state(dev)
    begun = comparison(after, other)
    assert comparable(after)
    assert begun is not None
    _made(after, ["ALTER TABLE notes ADD COLUMN n int"])
    found = begun.schemas()
    assert found is not None
    assert [set(each.tables) for each in found] == [{"notes", "posts"}] * 2  # and what it refers to
    assert not any(each.views or each.functions for each in found)
    after.close()
    other.close()


@pytest.mark.parametrize("statement", CHANGES[::6])
def test_where_nothing_is_counted_all_that_is_newer_or_gone_is_found_as_well(
    statement: str, uncounted: DevDatabase
) -> None:
    assert _compare(uncounted, [statement]) or _names_or_rare(statement)


def test_what_is_counted_is_what_no_role_but_a_superuser_can_hide(dev: DevDatabase, uncounted: DevDatabase) -> None:
    for each, known in ((dev, _version(dev) >= (15,)), (uncounted, False)):
        after, other = _state(each), _state(each)
        begun = comparison(after, other)
        assert isinstance(begun, Since)
        assert bool(begun.counters) == known
        with pytest.raises(DatabaseFailure) if each is dev else nullcontext():
            after.execute([Sql("SET track_counts = off")], transaction=False)
        after.close()
        other.close()


def test_a_change_of_rows_and_one_taken_back_touch_nothing(dev: DevDatabase) -> None:
    after, other = _state(dev), _state(dev)
    begun = comparison(after, other)
    assert begun is not None
    _made(
        after,
        [
            "INSERT INTO users (id, name) VALUES (1, 'one')",
            "DO 'BEGIN CREATE TABLE vain (id int); RAISE EXCEPTION NULL; END'",
        ],
    )
    found = begun.schemas()
    assert found is not None
    assert not any(each.tables or each.views or each.enums or each.functions or each.sequences for each in found)
    after.close()
    other.close()


def test_settings_kept_in_the_database_are_no_case_for_it(dev: DevDatabase) -> None:
    after, other = _state(dev), _state(dev)
    _made(after, [f"ALTER DATABASE {after.query('SELECT current_database()')[0][0]} SET search_path = side"])
    assert comparison(after, other) is None
    after.close()
    other.close()
