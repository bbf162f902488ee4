-- Orders now also come from the stores: remember from where, and who sold.
ALTER TABLE orders ADD COLUMN channel text NOT NULL;
ALTER TABLE orders ADD COLUMN sold_by bigint;

CREATE INDEX orders_channel_idx ON orders (channel);
