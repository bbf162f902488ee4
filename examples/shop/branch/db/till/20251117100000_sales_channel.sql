-- The till tells the shop which counter sold.
ALTER TABLE sales ADD COLUMN counter TEXT;
