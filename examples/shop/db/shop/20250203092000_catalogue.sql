-- What is for sale. Prices are in cents; a product keeps its number for ever, so that old orders stay readable.
CREATE TABLE categories (
  id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  slug varchar(64) NOT NULL UNIQUE,
  title text NOT NULL
);

CREATE TABLE products (
  id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  sku varchar(32) NOT NULL UNIQUE,
  title text NOT NULL,
  description text NOT NULL DEFAULT '',
  price_cents int NOT NULL CHECK (price_cents >= 0),
  category_id int REFERENCES categories (id) ON DELETE SET NULL,
  discontinued boolean NOT NULL DEFAULT false,
  created_at timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX products_category_id_idx ON products (category_id);
