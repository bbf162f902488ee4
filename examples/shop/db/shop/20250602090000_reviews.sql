-- Stars and words, one a customer and product.
CREATE TABLE reviews (
  product_id int NOT NULL REFERENCES products (id) ON DELETE CASCADE,
  customer_id bigint NOT NULL REFERENCES customers (id) ON DELETE CASCADE,
  stars smallint NOT NULL CHECK (stars BETWEEN 1 AND 5),
  body text NOT NULL DEFAULT '',
  written_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (product_id, customer_id)
);
