-- Stock per warehouse; what is reserved belongs to orders that are placed but not shipped.
CREATE TABLE warehouses (
  id smallint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  code varchar(8) NOT NULL UNIQUE,
  city text NOT NULL
);

CREATE TABLE stock (
  product_id int NOT NULL REFERENCES products (id),
  warehouse_id smallint NOT NULL REFERENCES warehouses (id),
  on_hand int NOT NULL DEFAULT 0 CHECK (on_hand >= 0),
  reserved int NOT NULL DEFAULT 0 CHECK (reserved BETWEEN 0 AND on_hand),
  PRIMARY KEY (product_id, warehouse_id)
);
