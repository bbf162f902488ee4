-- One row a payment attempt; the provider's reference finds it again when a webhook calls.
CREATE TABLE payments (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  order_id int NOT NULL REFERENCES orders (id),
  provider varchar(32) NOT NULL,
  reference text NOT NULL,
  amount_cents int NOT NULL CHECK (amount_cents > 0),
  captured_at timestamptz,
  failed_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (provider, reference),
  CHECK (captured_at IS NULL OR failed_at IS NULL)
);

CREATE INDEX payments_order_id_idx ON payments (order_id);
