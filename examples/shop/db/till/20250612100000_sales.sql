-- The till in the store sells while the line is down; this file travels to the shop's database at night.
CREATE TABLE sales (
  id INTEGER PRIMARY KEY,
  sold_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP,
  cashier TEXT NOT NULL,
  sent INTEGER NOT NULL DEFAULT 0 CHECK (sent IN (0, 1))
);

CREATE TABLE sale_lines (
  sale_id INTEGER NOT NULL REFERENCES sales (id) ON DELETE CASCADE,
  sku TEXT NOT NULL,
  quantity INTEGER NOT NULL CHECK (quantity > 0),
  price_cents INTEGER NOT NULL CHECK (price_cents >= 0),
  PRIMARY KEY (sale_id, sku)
) WITHOUT ROWID;
