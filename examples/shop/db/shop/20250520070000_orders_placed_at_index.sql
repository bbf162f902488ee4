-- atlas:txmode none

-- The back office lists the newest orders first. Built concurrently: people are buying meanwhile.
CREATE INDEX CONCURRENTLY orders_placed_at_idx ON orders (placed_at DESC) WHERE placed_at IS NOT NULL;
