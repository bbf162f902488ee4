-- A voucher takes off cents or per cent, never both.
CREATE TABLE vouchers (
  code varchar(24) PRIMARY KEY,
  off_cents int CHECK (off_cents > 0),
  off_percent smallint CHECK (off_percent BETWEEN 1 AND 100),
  valid_from date NOT NULL DEFAULT current_date,
  valid_to date,
  CHECK (num_nonnulls(off_cents, off_percent) = 1),
  CHECK (valid_to IS NULL OR valid_to >= valid_from)
);

ALTER TABLE orders ADD COLUMN voucher_code varchar(24);
