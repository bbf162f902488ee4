-- Gift cards: a new table, so nobody can be waiting for it.
CREATE TABLE gift_cards (
  code varchar(24) PRIMARY KEY,
  balance_cents int NOT NULL CHECK (balance_cents >= 0),
  bought_by bigint REFERENCES customers (id),
  created_at timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX gift_cards_bought_by_idx ON gift_cards (bought_by);
