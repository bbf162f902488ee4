-- Orders and their lines. The price of a line is a copy: it must not move when the product's does.
CREATE TYPE order_status AS ENUM ('cart', 'placed', 'paid', 'shipped', 'cancelled');

CREATE TABLE orders (
  id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  customer_id bigint NOT NULL REFERENCES customers (id),
  status order_status NOT NULL DEFAULT 'cart',
  note text,
  placed_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX orders_customer_id_idx ON orders (customer_id);

CREATE TABLE order_lines (
  order_id int NOT NULL REFERENCES orders (id) ON DELETE CASCADE,
  line smallint NOT NULL,
  product_id int NOT NULL REFERENCES products (id),
  quantity int NOT NULL CHECK (quantity > 0),
  price_cents int NOT NULL CHECK (price_cents >= 0),
  PRIMARY KEY (order_id, line)
);
