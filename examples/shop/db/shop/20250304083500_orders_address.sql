-- NOT VALID first: the table stays open for writes while the rule is added.
ALTER TABLE orders
  ADD CONSTRAINT orders_address_id_fkey FOREIGN KEY (address_id) REFERENCES addresses (id) NOT VALID;
