-- Money can go back. The value is used from the next release on, not in this file.
ALTER TYPE order_status ADD VALUE 'refunded' AFTER 'shipped';
