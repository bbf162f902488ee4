-- Mails go out in the customer's language. A constant default touches no row.
ALTER TABLE customers ADD COLUMN locale varchar(5) NOT NULL DEFAULT 'en';
