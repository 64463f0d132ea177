-- name: reserve
-- Promise stock to an order. $1 order, $2 variants, $3 quantities (one entry a
-- variant), $4 now. Rows are locked in variant order, so two orders that share two
-- variants cannot deadlock; a variant that is short is not locked at all, so a
-- sold-out row is refused without standing in line. The conditions are checked
-- again on the locked row. Returns one row for each variant that could be filled;
-- the caller rolls back when one is missing.
WITH wanted AS (
    SELECT variant_id, quantity
    FROM unnest($2::uuid[], $3::bigint[]) AS w (variant_id, quantity)
), locked AS (
    SELECT s.variant_id
    FROM stock s JOIN wanted w USING (variant_id)
    WHERE s.on_hand - s.reserved >= w.quantity
    ORDER BY s.variant_id
    FOR UPDATE OF s
), taken AS (
    UPDATE stock s
    SET reserved = s.reserved + w.quantity, updated_at = $4
    FROM wanted w JOIN locked USING (variant_id)
    WHERE s.variant_id = w.variant_id AND s.on_hand - s.reserved >= w.quantity
    RETURNING s.variant_id, w.quantity
)
INSERT INTO reservations (order_id, variant_id, quantity, reserved_at)
SELECT $1, variant_id, quantity, $4 FROM taken
RETURNING variant_id;

-- name: shortages
-- Which of the wanted variants are short as things stand. $1 variants,
-- $2 quantities. Locks nothing.
SELECT w.variant_id, coalesce(s.on_hand - s.reserved, 0) AS available
FROM unnest($1::uuid[], $2::bigint[]) AS w (variant_id, quantity)
LEFT JOIN stock s USING (variant_id)
WHERE coalesce(s.on_hand - s.reserved, 0) < w.quantity;

-- name: sell
-- Turn what is reserved for an order into a sale. $1 order, $2 actor, $3 now.
-- Deletes its reservations, lowers the levels (rows locked in variant order) and
-- writes the ledger. Returns one row a variant; none when it was done before.
WITH claimed AS (
    DELETE FROM reservations WHERE order_id = $1 RETURNING variant_id, quantity
), locked AS (
    SELECT s.variant_id FROM stock s JOIN claimed USING (variant_id)
    ORDER BY s.variant_id FOR UPDATE OF s
), sold AS (
    UPDATE stock s
    SET on_hand = s.on_hand - c.quantity, reserved = s.reserved - c.quantity,
        updated_at = $3
    FROM claimed c JOIN locked USING (variant_id)
    WHERE s.variant_id = c.variant_id
    RETURNING s.variant_id, c.quantity
)
INSERT INTO stock_movements (variant_id, delta, kind, order_id, actor, moved_at)
SELECT variant_id, -quantity, 'sale', $1, $2, $3 FROM sold
RETURNING variant_id;

-- name: release
-- Give back what is reserved for an order. $1 order, $2 now. Deletes its
-- reservations and lowers what is reserved (rows locked in variant order). Returns
-- one row a variant; none when it was done before.
WITH freed AS (
    DELETE FROM reservations WHERE order_id = $1 RETURNING variant_id, quantity
), locked AS (
    SELECT s.variant_id FROM stock s JOIN freed USING (variant_id)
    ORDER BY s.variant_id FOR UPDATE OF s
)
UPDATE stock s
SET reserved = s.reserved - f.quantity, updated_at = $2
FROM freed f JOIN locked USING (variant_id)
WHERE s.variant_id = f.variant_id
RETURNING s.variant_id;

-- name: open_levels
-- Start keeping stock of variants, at zero. $1 variants, $2 now. Levels that exist
-- are left alone.
INSERT INTO stock (variant_id, on_hand, updated_at)
SELECT variant_id, 0, $2 FROM unnest($1::uuid[]) AS v (variant_id)
ON CONFLICT (variant_id) DO NOTHING;

-- name: lock_levels
-- Lock the levels of some SKUs for a change. $1 SKUs. Locks stock rows in variant
-- order; returns one row a SKU that has a level.
SELECT v.sku, s.variant_id, s.on_hand, s.reserved, s.updated_at
FROM stock s JOIN variants v ON v.id = s.variant_id
WHERE v.sku = ANY($1::text[])
ORDER BY s.variant_id
FOR UPDATE OF s;

-- name: set_levels
-- Set levels and write the ledger. $1 variants, $2 new levels, $3 reason, $4 actor,
-- $5 now. The rows must be locked by the caller's transaction already. Returns
-- one row for each level that changed.
WITH wanted AS (
    SELECT variant_id, on_hand
    FROM unnest($1::uuid[], $2::bigint[]) AS w (variant_id, on_hand)
), before AS (
    SELECT s.variant_id, s.on_hand
    FROM stock s JOIN wanted w USING (variant_id)
    WHERE s.on_hand <> w.on_hand
), changed AS (
    UPDATE stock s SET on_hand = w.on_hand, updated_at = $5
    FROM wanted w JOIN before USING (variant_id)
    WHERE s.variant_id = w.variant_id
    RETURNING s.variant_id, w.on_hand - before.on_hand AS delta
)
INSERT INTO stock_movements (variant_id, delta, kind, reason, actor, moved_at)
SELECT variant_id, delta, 'adjustment', $3, $4, $5 FROM changed
RETURNING variant_id;

-- name: find
-- The level of one SKU. $1 SKU. One row or none.
SELECT v.sku, s.variant_id, s.on_hand, s.reserved, s.updated_at
FROM stock s JOIN variants v ON v.id = s.variant_id
WHERE v.sku = $1;

-- name: movements
-- The ledger of one variant, newest first. $1 variant, $2 before this movement (NULL
-- for the start), $3 how many.
SELECT id, kind, delta, reason, order_id, actor, moved_at
FROM stock_movements
WHERE variant_id = $1 AND ($2::uuid IS NULL OR id < $2)
ORDER BY id DESC
LIMIT $3;

-- name: drift
-- Every level that does not agree with its ledger or with its reservations.
-- Reads the whole stock; for checks, not for requests. No rows means the books
-- balance.
SELECT v.sku, s.on_hand, s.reserved,
       coalesce(m.moved, 0)::bigint AS ledger, coalesce(r.held, 0)::bigint AS held
FROM stock s
JOIN variants v ON v.id = s.variant_id
LEFT JOIN (SELECT variant_id, sum(delta) AS moved FROM stock_movements GROUP BY 1) m
    USING (variant_id)
LEFT JOIN (SELECT variant_id, sum(quantity) AS held FROM reservations GROUP BY 1) r
    USING (variant_id)
WHERE s.on_hand <> coalesce(m.moved, 0) OR s.reserved <> coalesce(r.held, 0)
ORDER BY v.sku;
