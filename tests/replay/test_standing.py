"""The schema a history leaves, written as CREATE statements by the server or by us, makes the same schema anew."""

from __future__ import annotations

import pytest

from ci_runner.databases import Database, Sql
from ci_runner.databases.creating import creating
from ci_runner.devdb import DevDatabase
from ci_runner.errors import CheckError
from ci_runner.model.inspected import Schema
from ci_runner.replay import Limit
from ci_runner.replay.standing import standing
from ci_runner.sql.writing import creates
from tests.replay.writing import file

COMMON = """
CREATE TABLE customer (id int PRIMARY KEY, email varchar(100) NOT NULL UNIQUE, name varchar(50) DEFAULT 'it''s');
CREATE TABLE purchase (id int PRIMARY KEY, customer_id int NOT NULL, total int CHECK (total > 0),
  FOREIGN KEY (customer_id) REFERENCES customer (id) ON DELETE CASCADE);
CREATE INDEX purchase_total ON purchase (total);
CREATE VIEW big AS SELECT id, total FROM purchase WHERE total > 1000;
"""
OWN = {
    "postgres": """
CREATE SCHEMA audit;
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE TABLE audit."Odd name" (id bigint GENERATED ALWAYS AS IDENTITY, m mood DEFAULT 'ok', n numeric(10, 2),
  twice numeric GENERATED ALWAYS AS (n * 2) STORED, "user" text, EXCLUDE USING btree ("user" WITH =)) WITH (fillfactor=70);
CREATE TABLE measured (at date NOT NULL, v int) PARTITION BY RANGE (at);
CREATE UNLOGGED TABLE scratch (id serial PRIMARY KEY, parent int REFERENCES scratch (id));
ALTER TABLE scratch ENABLE ROW LEVEL SECURITY;
CREATE FUNCTION total_of(int) RETURNS bigint LANGUAGE sql STABLE AS $$SELECT sum(total) FROM purchase WHERE customer_id = $1; $$;
CREATE MATERIALIZED VIEW totals AS SELECT customer_id, sum(big.total) AS total FROM big JOIN purchase USING (id) GROUP BY 1;
CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN NEW.email := lower(NEW.email); RETURN NEW; END$$;
CREATE TRIGGER lower_email BEFORE INSERT ON customer FOR EACH ROW EXECUTE FUNCTION stamp();
""",
    "mariadb": """
CREATE TABLE `odd ``name` (id int unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY, e enum('a', 'b') DEFAULT 'a',
  g int AS (id * 2) VIRTUAL) ENGINE = InnoDB;
CREATE TRIGGER lower_email BEFORE INSERT ON customer FOR EACH ROW SET NEW.email = lower(NEW.email);
CREATE FUNCTION twice(n int) RETURNS int DETERMINISTIC RETURN n * 2;
""",
    "sqlite": """
CREATE TABLE "odd ""name" (id INTEGER PRIMARY KEY AUTOINCREMENT, x TEXT) STRICT;
CREATE TRIGGER gone AFTER DELETE ON customer BEGIN DELETE FROM purchase WHERE customer_id = OLD.id; END;
""",
}


def look(database: Database) -> tuple[Schema, tuple[str, ...] | None]:
    return database.inspect(), creating(database)


def test_the_statements_make_the_schema_they_were_made_from(dev: DevDatabase) -> None:
    history = [file("1.sql", COMMON), file("2.sql", OWN[dev.dialect])]
    there, own = standing(history, dev, look, Limit(60))
    statements = own if own is not None else tuple(creates(there, dev.dialect))
    database = dev.fresh(statements)
    try:
        database.execute([Sql(statement) for statement in statements], transaction=False)
        again = database.inspect()
    finally:
        database.close()
    assert again == there
    assert len(there.tables) >= 3


def test_a_history_that_does_not_run_is_named_with_its_place(dev: DevDatabase) -> None:
    with pytest.raises(CheckError, match=r"2\.sql:2:\d+: .* says: "):
        standing([file("1.sql", COMMON), file("2.sql", "SELECT 1;\nSELEC 2;\n")], dev, look, Limit(60))


def test_clickhouse_writes_its_own_statements(clickhouse: DevDatabase) -> None:
    text = (
        "CREATE TABLE event (id UInt64, `odd name` Nullable(String), at DateTime DEFAULT now()) ENGINE = MergeTree ORDER BY id;\n"
        "CREATE VIEW recent AS SELECT id FROM event WHERE at > now() - 60;\n"
    )
    there, own = standing([file("1.sql", text)], clickhouse, look, Limit(60))
    assert own is not None
    assert [each.partition(" (")[0] for each in own] == ["CREATE TABLE event", "CREATE VIEW recent"]
    database = clickhouse.fresh(own)
    try:
        database.execute([Sql(statement) for statement in own], transaction=False)
        again = database.inspect()
    finally:
        database.close()
    assert again == there
