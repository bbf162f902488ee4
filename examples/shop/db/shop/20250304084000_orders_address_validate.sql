-- The scan, in a transaction of its own, under a lock that lets writers through.
ALTER TABLE orders VALIDATE CONSTRAINT orders_address_id_fkey;
