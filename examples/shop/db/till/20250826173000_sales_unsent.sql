-- The nightly upload asks for what has not been sent.
CREATE INDEX sales_unsent_idx ON sales (id) WHERE sent = 0;
