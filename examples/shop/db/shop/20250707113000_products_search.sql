-- Words to search by, kept by the application when a product is saved.
ALTER TABLE products ADD COLUMN search tsvector;
