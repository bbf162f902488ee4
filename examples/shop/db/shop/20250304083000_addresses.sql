-- A customer may send to several places; an order remembers where it went.
CREATE TABLE addresses (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  customer_id bigint NOT NULL REFERENCES customers (id) ON DELETE CASCADE,
  recipient text NOT NULL,
  street text NOT NULL,
  postcode varchar(16) NOT NULL,
  city text NOT NULL,
  country char(2) NOT NULL
);

CREATE INDEX addresses_customer_id_idx ON addresses (customer_id);

ALTER TABLE orders ADD COLUMN address_id bigint;
