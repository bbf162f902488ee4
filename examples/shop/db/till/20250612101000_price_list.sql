-- A copy of the catalogue, replaced every morning.
CREATE TABLE price_list (
  sku TEXT PRIMARY KEY,
  title TEXT NOT NULL,
  price_cents INTEGER NOT NULL CHECK (price_cents >= 0),
  fetched_at TEXT NOT NULL
) WITHOUT ROWID;
