-- Order numbers run out of int next year; products leave the free-text description to the content service.
ALTER TABLE orders ALTER COLUMN id TYPE bigint;

ALTER TABLE products DROP COLUMN description;

ALTER TABLE orders
  ADD CONSTRAINT orders_voucher_code_fkey FOREIGN KEY (voucher_code) REFERENCES vouchers (code);
