-- name: reserve
-- Promise stock to a holder: every line, or none. $1 holder, $2 variants, $3 quantities
-- (one entry a variant), $4 now, $5 when it expires or NULL, $6 holders whose
-- reservations are released by it, $7 how long it may last in all, renewed or not, or
-- NULL. Variants of which these hold just what is wanted change hands without a look at
-- their stock. Otherwise: if the wanted fits as seen, stock rows are locked in (variant,
-- location) order, so that two orders which share two variants cannot deadlock, and
-- counted again; if it does not, none is locked, so that a sold-out row is refused
-- without standing in line. The first location that has the whole line gives it, else
-- each gives what it has, both by priority. Returns one row for each variant that is
-- short: what there is, and whether that is unsure, because holds of it are overdue or
-- what the holders had changed while it waited for them; then nothing was changed.
-- Else one row without a variant: when it ends, for a hold whether there was none
-- before and whether it is as it was, and how many seconds passed until all was locked,
-- NULL where no stock row had to be.
WITH wanted AS MATERIALIZED (
    SELECT variant_id, quantity
    FROM unnest($2::uuid[], $3::bigint[]) AS w (variant_id, quantity)
), held AS MATERIALIZED (
    SELECT holder_id, variant_id, location_id, quantity, reserved_at, expires_at
    FROM reservations
    WHERE holder_id = ANY($6::uuid[])
    ORDER BY holder_id, variant_id, location_id
    FOR UPDATE
), term AS MATERIALIZED (
    -- A hold that is renewed is as old as it was.
    SELECT since, least($5::timestamptz, since + $7::interval) AS until
    FROM (SELECT coalesce(min(reserved_at) FILTER (
              WHERE holder_id = $1 AND expires_at > $4 AND reserved_at + $7 > $4), $4)
          AS since FROM held) AS began
), promised AS MATERIALIZED (
    SELECT variant_id, location_id, sum(quantity) AS quantity,
           sum(sum(quantity)) OVER (PARTITION BY variant_id) AS in_all
    FROM held GROUP BY variant_id, location_id
), asked AS MATERIALIZED (
    SELECT variant_id, coalesce(w.quantity, 0) AS quantity
    FROM wanted w
    FULL JOIN (SELECT DISTINCT variant_id, in_all FROM promised) AS p USING (variant_id)
    WHERE w.quantity IS DISTINCT FROM p.in_all
), seen AS MATERIALIZED (
    SELECT variant_id, quantity, room, bool_and(room >= quantity) OVER () AS fits
    FROM (
        SELECT a.variant_id, a.quantity, coalesce(sum(CASE WHEN s.active THEN greatest(
                   s.on_hand + s.backorder_limit - s.safety_stock - s.reserved
                   + coalesce(p.quantity, 0), 0) END), 0) AS room
        FROM asked a
        LEFT JOIN stock s ON s.variant_id = a.variant_id
        LEFT JOIN promised p
            ON p.variant_id = s.variant_id AND p.location_id = s.location_id
        GROUP BY a.variant_id, a.quantity
    ) AS rooms
), locked AS MATERIALIZED (
    SELECT s.variant_id, s.location_id, l.priority, a.quantity AS wanted,
           coalesce(p.quantity, 0) AS held,
           CASE WHEN s.active THEN greatest(
               s.on_hand + s.backorder_limit - s.safety_stock - s.reserved
               + coalesce(p.quantity, 0), 0) ELSE 0 END AS room
    FROM seen a
    JOIN stock s ON s.variant_id = a.variant_id
    JOIN locations l ON l.id = s.location_id
    LEFT JOIN promised p
        ON p.variant_id = s.variant_id AND p.location_id = s.location_id
    WHERE a.fits
    ORDER BY s.variant_id, s.location_id
    FOR NO KEY UPDATE OF s
), placed AS MATERIALIZED (
    SELECT variant_id, location_id, held,
           least(room, greatest(wanted - before, 0)) AS share
    FROM (
        SELECT variant_id, location_id, held, wanted, room, sum(room) OVER (
                   PARTITION BY variant_id
                   ORDER BY room >= wanted DESC, priority, location_id) - room AS before
        FROM locked
    ) AS shelves
), found AS MATERIALIZED (
    SELECT a.variant_id, a.quantity,
           CASE WHEN a.fits THEN coalesce(sum(k.room), 0) ELSE a.room END AS room
    FROM seen a LEFT JOIN locked k ON k.variant_id = a.variant_id
    GROUP BY a.variant_id, a.quantity, a.fits, a.room
), verdict AS MATERIALIZED (
    SELECT coalesce(bool_and(room >= quantity), true) AS fits FROM found
), moved AS (
    UPDATE stock s
    SET reserved = s.reserved - p.held + p.share, updated_at = $4
    FROM placed p CROSS JOIN verdict v
    WHERE v.fits AND p.share <> p.held
      AND s.variant_id = p.variant_id AND s.location_id = p.location_id
), ended AS (
    DELETE FROM reservations r
    USING held h CROSS JOIN verdict v
    WHERE v.fits AND r.holder_id = h.holder_id
      AND r.variant_id = h.variant_id AND r.location_id = h.location_id
    RETURNING r.quantity
), made AS (
    INSERT INTO reservations
        (holder_id, variant_id, location_id, quantity, reserved_at, expires_at)
    SELECT $1, n.variant_id, n.location_id, n.quantity, t.since, t.until
    FROM (
        SELECT variant_id, location_id, share AS quantity FROM placed WHERE share > 0
        UNION ALL
        SELECT p.variant_id, p.location_id, p.quantity
        FROM promised p JOIN wanted w
            ON w.variant_id = p.variant_id AND w.quantity = p.in_all
    ) AS n
    CROSS JOIN verdict v
    CROSS JOIN term t
    -- What a holder renews is gone before it is there again.
    CROSS JOIN (SELECT count(*) FROM ended) AS first
    WHERE v.fits
)
SELECT f.variant_id, f.room::bigint AS available, EXISTS (
           SELECT FROM reservations r
           WHERE r.variant_id = f.variant_id AND r.expires_at <= $4)
       OR (SELECT sum(quantity) FROM reservations WHERE holder_id = ANY($6::uuid[]))
          IS DISTINCT FROM (SELECT sum(quantity) FROM held) AS unsure,
       NULL::timestamptz AS until, NULL AS is_new, NULL AS is_same,
       NULL::float8 AS waited
FROM found f
WHERE f.room < f.quantity
UNION ALL
SELECT NULL, NULL, NULL, t.until,
       NOT EXISTS (SELECT FROM held WHERE holder_id = $1 AND expires_at > $4),
       NOT EXISTS (SELECT FROM asked),
       CASE WHEN EXISTS (SELECT FROM locked)
            THEN extract(epoch FROM clock_timestamp() - statement_timestamp())::float8 END
FROM term t CROSS JOIN verdict v
WHERE v.fits;

-- name: release
-- Give back what a holder has reserved. $1 holder, $2 now. Deletes its reservations and
-- lowers what is reserved (rows locked in (variant, location) order). Returns one row a
-- variant and location; none when it was done before.
WITH freed AS (
    DELETE FROM reservations WHERE holder_id = $1
    RETURNING variant_id, location_id, quantity
), locked AS (
    SELECT s.variant_id, s.location_id
    FROM stock s JOIN freed USING (variant_id, location_id)
    ORDER BY s.variant_id, s.location_id FOR NO KEY UPDATE OF s
)
UPDATE stock s
SET reserved = s.reserved - f.quantity, updated_at = $2
FROM freed f JOIN locked USING (variant_id, location_id)
WHERE s.variant_id = f.variant_id AND s.location_id = f.location_id
RETURNING s.variant_id;

-- name: release_part
-- Give back some of what a holder has reserved. $1 holder, $2 variants, $3 quantities
-- (one entry a variant), $4 now. Gives back at the last location by priority first.
-- Returns a row with the number held for each variant of which less is held than to be
-- given back; then nothing was changed. Locks reservations, then stock, both in order.
WITH wanted AS MATERIALIZED (
    SELECT variant_id, quantity
    FROM unnest($2::uuid[], $3::bigint[]) AS w (variant_id, quantity)
), held AS MATERIALIZED (
    SELECT r.variant_id, r.location_id, r.quantity, l.priority, w.quantity AS wanted
    FROM wanted w
    JOIN reservations r ON r.holder_id = $1 AND r.variant_id = w.variant_id
    JOIN locations l ON l.id = r.location_id
    ORDER BY r.variant_id, r.location_id
    FOR UPDATE OF r
), missing AS MATERIALIZED (
    SELECT w.variant_id, coalesce(sum(h.quantity), 0)::bigint AS held
    FROM wanted w LEFT JOIN held h USING (variant_id)
    GROUP BY w.variant_id, w.quantity
    HAVING coalesce(sum(h.quantity), 0) < w.quantity
), shares AS MATERIALIZED (
    SELECT variant_id, location_id, quantity,
           least(quantity, greatest(wanted - before, 0)) AS share
    FROM (
        SELECT variant_id, location_id, quantity, wanted, sum(quantity) OVER (
                   PARTITION BY variant_id
                   ORDER BY priority DESC, location_id DESC) - quantity AS before
        FROM held
    ) AS shelves
    WHERE NOT EXISTS (SELECT FROM missing)
), lessened AS (
    UPDATE reservations r SET quantity = r.quantity - n.share
    FROM shares n
    WHERE n.share BETWEEN 1 AND n.quantity - 1 AND r.holder_id = $1
      AND r.variant_id = n.variant_id AND r.location_id = n.location_id
), ended AS (
    DELETE FROM reservations r USING shares n
    WHERE n.share = n.quantity AND r.holder_id = $1
      AND r.variant_id = n.variant_id AND r.location_id = n.location_id
), locked AS MATERIALIZED (
    SELECT s.variant_id, s.location_id, n.share
    FROM stock s JOIN shares n USING (variant_id, location_id)
    WHERE n.share > 0
    ORDER BY s.variant_id, s.location_id FOR NO KEY UPDATE OF s
), freed AS (
    UPDATE stock s SET reserved = s.reserved - k.share, updated_at = $4
    FROM locked k
    WHERE s.variant_id = k.variant_id AND s.location_id = k.location_id
)
SELECT variant_id, held FROM missing;

-- name: ship
-- Turn what is reserved for an order into sales at one location. $1 order, $2 variants,
-- $3 quantities (one entry a variant), $4 location, $5 actor, $6 reference, $7 now.
-- Takes what is reserved there first, then what is reserved elsewhere, by priority.
-- Returns a row for each variant of which less is reserved for the order, or less is
-- there for it; then nothing was changed. Locks reservations, then stock, both in
-- order; the ledger's trigger lowers the level.
WITH wanted AS MATERIALIZED (
    SELECT variant_id, quantity
    FROM unnest($2::uuid[], $3::bigint[]) AS w (variant_id, quantity)
), held AS MATERIALIZED (
    SELECT r.variant_id, r.location_id, r.quantity, l.priority, w.quantity AS wanted
    FROM wanted w
    JOIN reservations r ON r.holder_id = $1 AND r.variant_id = w.variant_id
    JOIN locations l ON l.id = r.location_id
    ORDER BY r.variant_id, r.location_id
    FOR UPDATE OF r
), shares AS MATERIALIZED (
    SELECT variant_id, location_id, quantity,
           least(quantity, greatest(wanted - before, 0)) AS share
    FROM (
        SELECT variant_id, location_id, quantity, wanted, sum(quantity) OVER (
                   PARTITION BY variant_id
                   ORDER BY location_id = $4 DESC, priority, location_id)
                   - quantity AS before
        FROM held
    ) AS shelves
), locked AS MATERIALIZED (
    SELECT s.variant_id, s.location_id, coalesce(n.share, 0) AS share, w.quantity,
           -- What may go without what others are promised here.
           least(s.on_hand, s.on_hand + s.backorder_limit - s.reserved
                 + coalesce(n.share, 0)) AS there
    FROM wanted w
    JOIN stock s ON s.variant_id = w.variant_id
    LEFT JOIN shares n ON n.variant_id = s.variant_id AND n.location_id = s.location_id
    WHERE s.location_id = $4 OR n.share > 0
    ORDER BY s.variant_id, s.location_id
    FOR NO KEY UPDATE OF s
), found AS MATERIALIZED (
    SELECT w.variant_id, w.quantity,
           coalesce((SELECT sum(h.quantity) FROM held h
                     WHERE h.variant_id = w.variant_id), 0) AS reserved,
           coalesce((SELECT greatest(k.there, 0) FROM locked k
                     WHERE k.variant_id = w.variant_id AND k.location_id = $4), 0)
               AS there
    FROM wanted w
), verdict AS MATERIALIZED (
    SELECT bool_and(reserved >= quantity AND there >= quantity) AS fits FROM found
), lessened AS (
    UPDATE reservations r SET quantity = r.quantity - n.share
    FROM shares n CROSS JOIN verdict v
    WHERE v.fits AND n.share BETWEEN 1 AND n.quantity - 1 AND r.holder_id = $1
      AND r.variant_id = n.variant_id AND r.location_id = n.location_id
), ended AS (
    DELETE FROM reservations r USING shares n CROSS JOIN verdict v
    WHERE v.fits AND n.share = n.quantity AND r.holder_id = $1
      AND r.variant_id = n.variant_id AND r.location_id = n.location_id
), freed AS (
    UPDATE stock s SET reserved = s.reserved - k.share, updated_at = $7
    FROM locked k CROSS JOIN verdict v
    WHERE v.fits AND k.share > 0
      AND s.variant_id = k.variant_id AND s.location_id = k.location_id
    RETURNING s.variant_id
), sold AS (
    INSERT INTO stock_movements
        (variant_id, location_id, delta, kind, order_id, actor, reference, moved_at)
    SELECT w.variant_id, $4, -w.quantity, 'sale', $1, $5, $6, $7
    FROM wanted w CROSS JOIN verdict v CROSS JOIN (SELECT count(*) FROM freed) AS first
    WHERE v.fits
)
SELECT variant_id, reserved::bigint, there::bigint
FROM found
WHERE reserved < quantity OR there < quantity;

-- name: expire
-- Free holds that are overdue. $1 now, $2 how many at most. Stock rows are locked first,
-- in (variant, location) order: whoever has those finds nobody who waits for them at the
-- holds. Skips holds that somebody is at all the same. Returns how many it freed.
WITH oldest AS MATERIALIZED (
    SELECT holder_id, variant_id, location_id
    FROM reservations
    WHERE expires_at <= $1
    ORDER BY expires_at LIMIT $2
), locked AS MATERIALIZED (
    SELECT s.variant_id, s.location_id
    FROM stock s
    JOIN (SELECT DISTINCT variant_id, location_id FROM oldest) AS o
        USING (variant_id, location_id)
    ORDER BY s.variant_id, s.location_id FOR NO KEY UPDATE OF s
), due AS MATERIALIZED (
    SELECT r.holder_id, r.variant_id, r.location_id
    FROM reservations r JOIN oldest o USING (holder_id, variant_id, location_id)
    WHERE r.expires_at <= $1 AND (SELECT count(*) FROM locked) > 0
    FOR UPDATE OF r SKIP LOCKED
), ended AS (
    DELETE FROM reservations r USING due d
    WHERE r.holder_id = d.holder_id AND r.variant_id = d.variant_id
      AND r.location_id = d.location_id
    RETURNING r.variant_id, r.location_id, r.quantity
), freed AS MATERIALIZED (
    SELECT variant_id, location_id, sum(quantity) AS quantity
    FROM ended GROUP BY variant_id, location_id
), lowered AS (
    UPDATE stock s SET reserved = s.reserved - f.quantity, updated_at = $1
    FROM freed f
    WHERE s.variant_id = f.variant_id AND s.location_id = f.location_id
)
SELECT count(*) FROM due;

-- name: expire_for
-- Free overdue holds that stand in the way of an order. $1 now, $2 how many at most,
-- $3 the variants it wants, $4 holders whose reservations it takes over. Locks the stock
-- rows of all that the order may touch, in (variant, location) order, before it frees
-- any: those of what falls short alone would be locked before others that come earlier,
-- and two orders could wait for each other. Skips holds that somebody is at. Returns how
-- many it freed: none also where somebody else did so while it waited for the stock.
WITH locked AS MATERIALIZED (
    SELECT s.variant_id, s.location_id
    FROM stock s
    WHERE s.variant_id = ANY($3::uuid[]) OR s.variant_id IN (
        SELECT variant_id FROM reservations WHERE holder_id = ANY($4::uuid[]))
    ORDER BY s.variant_id, s.location_id FOR NO KEY UPDATE
), due AS MATERIALIZED (
    SELECT r.holder_id, r.variant_id, r.location_id
    FROM reservations r
    WHERE r.expires_at <= $1 AND r.variant_id = ANY($3)
      AND (SELECT count(*) FROM locked) > 0
    ORDER BY r.expires_at LIMIT $2
    FOR UPDATE SKIP LOCKED
), ended AS (
    DELETE FROM reservations r USING due d
    WHERE r.holder_id = d.holder_id AND r.variant_id = d.variant_id
      AND r.location_id = d.location_id
    RETURNING r.variant_id, r.location_id, r.quantity
), freed AS MATERIALIZED (
    SELECT variant_id, location_id, sum(quantity) AS quantity
    FROM ended GROUP BY variant_id, location_id
), lowered AS (
    UPDATE stock s SET reserved = s.reserved - f.quantity, updated_at = $1
    FROM freed f
    WHERE s.variant_id = f.variant_id AND s.location_id = f.location_id
)
-- The stock is waited for even if there is nothing to free: whoever has it may have
-- freed all there was.
SELECT d.freed
FROM (SELECT count(*) AS freed FROM due) AS d
CROSS JOIN (SELECT count(*) FROM locked) AS waited;

-- name: holders_among
-- Which of these hold anything. $1 holders. Returns their ids.
SELECT DISTINCT holder_id FROM reservations WHERE holder_id = ANY($1::uuid[]);

-- name: reserved_for
-- What a holder has reserved, and where. $1 holder.
SELECT r.variant_id, v.sku, r.location_id, r.quantity, r.reserved_at, r.expires_at
FROM reservations r JOIN variants v ON v.id = r.variant_id
WHERE r.holder_id = $1
ORDER BY r.variant_id, r.location_id;

-- name: open_levels
-- Start keeping stock of variants at a location, at zero. $1 variants, $2 location,
-- $3 now. Levels that exist are left alone.
INSERT INTO stock (variant_id, location_id, on_hand, updated_at)
SELECT variant_id, $2, 0, $3
FROM unnest($1::uuid[]) AS v (variant_id)
ORDER BY variant_id
ON CONFLICT (variant_id, location_id) DO NOTHING;

-- name: close_levels
-- Stop keeping stock of variants of which there never was any. $1 variants. Locks
-- their stock rows in variant order. Returns the variants whose levels must stay: of
-- something promised or in the ledger.
WITH held AS (
    SELECT s.variant_id, s.location_id, s.reserved <> 0 OR EXISTS (
        SELECT FROM stock_movements m
        WHERE m.variant_id = s.variant_id AND m.location_id = s.location_id) AS used
    FROM stock s WHERE s.variant_id = ANY($1::uuid[])
    ORDER BY s.variant_id, s.location_id FOR UPDATE
), gone AS (
    DELETE FROM stock s USING held h
    WHERE s.variant_id = h.variant_id AND s.location_id = h.location_id
      AND NOT EXISTS (SELECT FROM held u WHERE u.variant_id = h.variant_id AND u.used)
)
SELECT DISTINCT variant_id FROM held WHERE used;

-- name: lock_levels
-- Lock the levels of some SKUs at a location for a change. $1 SKUs, $2 location. Locks
-- stock rows in variant order; returns one row a SKU that has a level there.
SELECT v.sku, s.variant_id, s.location_id, l.code, s.on_hand, s.reserved, s.available,
       s.safety_stock, s.backorder_limit, s.low_stock_threshold, s.updated_at
FROM stock s
JOIN variants v ON v.id = s.variant_id
JOIN locations l ON l.id = s.location_id
WHERE v.sku = ANY($1::text[]) AND s.location_id = $2
ORDER BY s.variant_id
FOR NO KEY UPDATE OF s;

-- name: move
-- Write the ledger, which changes the levels. $1 variants, $2 locations, $3 changes,
-- $4 kinds, $5 reasons, $6 order or NULL, $7 actor, $8 reference, $9 now. Levels that
-- do not exist are opened; stock rows are locked in (variant, location) order.
WITH lines AS MATERIALIZED (
    SELECT variant_id, location_id, delta, kind, reason, place
    FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::text[], $5::text[])
         WITH ORDINALITY AS n (variant_id, location_id, delta, kind, reason, place)
), opened AS (
    INSERT INTO stock (variant_id, location_id, on_hand, updated_at)
    SELECT DISTINCT n.variant_id, n.location_id, 0, $9::timestamptz
    FROM lines n
    WHERE NOT EXISTS (
        SELECT FROM stock s
        WHERE s.variant_id = n.variant_id AND s.location_id = n.location_id)
    ORDER BY n.variant_id, n.location_id
    ON CONFLICT (variant_id, location_id) DO NOTHING
    RETURNING variant_id
), locked AS MATERIALIZED (
    SELECT s.variant_id, s.location_id
    FROM stock s JOIN (SELECT DISTINCT variant_id, location_id FROM lines) AS n
        USING (variant_id, location_id)
    ORDER BY s.variant_id, s.location_id FOR NO KEY UPDATE OF s
)
INSERT INTO stock_movements (variant_id, location_id, delta, kind, reason, order_id,
                             actor, reference, moved_at)
SELECT n.variant_id, n.location_id, n.delta, n.kind, n.reason, $6, $7, $8, $9
FROM lines n
CROSS JOIN (SELECT count(*) FROM opened) AS first
CROSS JOIN (SELECT count(*) FROM locked) AS second
WHERE n.delta <> 0
ORDER BY n.place;

-- name: find
-- The level of one SKU at a location. $1 SKU, $2 location. One row or none.
SELECT v.sku, s.variant_id, s.location_id, l.code, s.on_hand, s.reserved, s.available,
       s.safety_stock, s.backorder_limit, s.low_stock_threshold, s.updated_at
FROM stock s
JOIN variants v ON v.id = s.variant_id
JOIN locations l ON l.id = s.location_id
WHERE v.sku = $1 AND s.location_id = $2;

-- name: find_location
-- A location by id or by code. $1 id or NULL, $2 code or NULL.
SELECT id, code, name, priority, address, active, created_at, updated_at
FROM locations WHERE id = $1 OR code = $2;

-- name: drift
-- Every level that does not agree with its ledger or with its reservations.
-- Reads the whole stock; for checks, not for requests. No rows means the books
-- balance.
SELECT variant_id, location_id, v.sku, l.code AS location, s.on_hand, s.reserved,
       coalesce(m.moved, 0)::bigint AS ledger, coalesce(r.held, 0)::bigint AS held
FROM stock s
JOIN variants v ON v.id = s.variant_id
JOIN locations l ON l.id = s.location_id
LEFT JOIN (
    SELECT variant_id, location_id, sum(delta) AS moved
    FROM stock_movements GROUP BY 1, 2) AS m USING (variant_id, location_id)
FULL JOIN (
    SELECT variant_id, location_id, sum(quantity) AS held
    FROM reservations GROUP BY 1, 2) AS r USING (variant_id, location_id)
WHERE s.on_hand IS DISTINCT FROM coalesce(m.moved, 0)
   OR s.reserved IS DISTINCT FROM coalesce(r.held, 0)
ORDER BY v.sku, l.code;

-- name: promise_back
-- Promise an order what just came back to a location, without a look at what is free:
-- it was the order's before. $1 order, $2 variants, $3 quantities (one entry a variant),
-- $4 location, $5 now. The order is held by the caller, and the stock rows locked by
-- the movements that brought the units back.
WITH back AS (
    SELECT variant_id, quantity
    FROM unnest($2::uuid[], $3::bigint[]) AS b (variant_id, quantity)
), promised AS (
    INSERT INTO reservations (holder_id, variant_id, location_id, quantity, reserved_at)
    SELECT $1, b.variant_id, $4, b.quantity, $5 FROM back b
    ON CONFLICT (holder_id, variant_id, location_id) DO UPDATE
    SET quantity = reservations.quantity + excluded.quantity
)
UPDATE stock s SET reserved = s.reserved + b.quantity, updated_at = $5
FROM back b
WHERE s.variant_id = b.variant_id AND s.location_id = $4;

-- name: lock_for_holds
-- Lock all that a batch of requests for holds is decided by. $1 holders, $2 variants
-- they want, $3 now, $4 how many overdue ones at most. Locks what the holders have, in
-- (holder, variant, location) order, then the stock of all these variants in (variant,
-- location) order, then what of them is overdue (skipping what somebody is at). Returns
-- a row for each reservation with its holder, and for each stock row with how much is
-- free there, below zero where more is promised than may be; NULL where the location is
-- not in use.
WITH had AS MATERIALIZED (
    SELECT holder_id, variant_id, location_id, quantity, reserved_at, expires_at
    FROM reservations
    WHERE holder_id = ANY($1::uuid[])
    ORDER BY holder_id, variant_id, location_id
    FOR UPDATE
), touched AS MATERIALIZED (
    SELECT variant_id FROM unnest($2::uuid[]) AS w (variant_id)
    UNION SELECT variant_id FROM had
), levels AS MATERIALIZED (
    SELECT s.variant_id, s.location_id, l.priority,
           CASE WHEN s.active
           THEN s.on_hand + s.backorder_limit - s.safety_stock - s.reserved END AS free
    FROM touched t
    JOIN stock s ON s.variant_id = t.variant_id
    JOIN locations l ON l.id = s.location_id
    ORDER BY s.variant_id, s.location_id
    FOR NO KEY UPDATE OF s
), overdue AS MATERIALIZED (
    SELECT holder_id, variant_id, location_id, quantity, reserved_at, expires_at
    FROM reservations
    WHERE variant_id = ANY($2::uuid[]) AND expires_at <= $3
      AND holder_id <> ALL($1::uuid[]) AND (SELECT count(*) FROM levels) > 0
    LIMIT $4
    FOR UPDATE SKIP LOCKED
)
SELECT holder_id, variant_id, location_id, quantity, reserved_at, expires_at
FROM had
UNION ALL
SELECT holder_id, variant_id, location_id, quantity, reserved_at, expires_at
FROM overdue
UNION ALL
SELECT NULL, variant_id, location_id, free, NULL, NULL
FROM (SELECT variant_id, location_id, free FROM levels
      ORDER BY variant_id, priority, location_id) AS by_priority;

-- name: overdue_among
-- Of which variants holds are overdue, as whoever asks sees them. $1 variants, $2 now.
SELECT DISTINCT variant_id FROM reservations
WHERE variant_id = ANY($1::uuid[]) AND expires_at <= $2;

-- name: write_holds
-- Write what was decided about a batch. Reservations that end: $1 holders, $2 variants,
-- $3 locations. Those that change: $4 holders, $5 variants, $6 locations,
-- $7 quantities, $8 when they began, $9 when they expire. New ones: $10 holders,
-- $11 variants, $12 locations, $13 quantities, $14 when they begin, $15 when they
-- expire. Stock rows: $16 variants, $17 locations, $18 by how much what is reserved
-- changes. $19 now. All of them must be locked by the caller's transaction; one that is
-- not new after all breaks reservations_pkey. Returns a row for each stock row.
WITH ended AS (
    DELETE FROM reservations r
    USING unnest($1::uuid[], $2::uuid[], $3::uuid[])
        AS n (holder_id, variant_id, location_id)
    WHERE r.holder_id = n.holder_id AND r.variant_id = n.variant_id
      AND r.location_id = n.location_id
), changed AS (
    UPDATE reservations r
    SET quantity = n.quantity, reserved_at = n.reserved_at, expires_at = n.expires_at
    FROM unnest($4::uuid[], $5::uuid[], $6::uuid[], $7::bigint[], $8::timestamptz[],
                $9::timestamptz[])
        AS n (holder_id, variant_id, location_id, quantity, reserved_at, expires_at)
    WHERE r.holder_id = n.holder_id AND r.variant_id = n.variant_id
      AND r.location_id = n.location_id
), made AS (
    INSERT INTO reservations
        (holder_id, variant_id, location_id, quantity, reserved_at, expires_at)
    SELECT holder_id, variant_id, location_id, quantity, reserved_at, expires_at
    FROM unnest($10::uuid[], $11::uuid[], $12::uuid[], $13::bigint[],
                $14::timestamptz[], $15::timestamptz[])
        AS n (holder_id, variant_id, location_id, quantity, reserved_at, expires_at)
)
UPDATE stock s SET reserved = s.reserved + n.change, updated_at = $19
FROM unnest($16::uuid[], $17::uuid[], $18::bigint[])
    AS n (variant_id, location_id, change)
WHERE s.variant_id = n.variant_id AND s.location_id = n.location_id
RETURNING s.variant_id;

-- name: left_of
-- How much of some variants is left, and who holds the rest. $1 variants. One row a
-- variant that has stock: what can still be had, and the first eight bytes of the id of
-- each holder whose hold is not yet an order, one after the other; NULL if they are
-- more than can be remembered. Locks nothing.
SELECT s.variant_id, sum(s.available)::bigint AS available, (
    SELECT CASE WHEN count(*) <= 16384 THEN
               coalesce(string_agg(substr(uuid_send(r.holder_id), 1, 8), ''), '') END
    FROM reservations r
    WHERE r.variant_id = s.variant_id AND r.expires_at IS NOT NULL) AS holders
FROM stock s
WHERE s.variant_id = ANY($1::uuid[])
GROUP BY s.variant_id;

-- name: locations
-- Every location, those first that orders take from first.
SELECT id, code, name, priority, address, active, created_at, updated_at
FROM locations ORDER BY priority, code;

-- name: add_location
-- Add a location. $1 id, $2 code, $3 name, $4 priority, $5 address or NULL, $6 now.
-- Raises locations_code_unique.
INSERT INTO locations (id, code, name, priority, address, created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $6)
RETURNING id, code, name, priority, address, active, created_at, updated_at;

-- name: change_location
-- Change what a location is called, where it is and when its turn comes. $1 id, $2 code,
-- $3 name, $4 priority, $5 address or NULL, $6 now. Raises locations_code_unique.
UPDATE locations
SET code = $2, name = $3, priority = $4, address = $5, updated_at = $6
WHERE id = $1
RETURNING id, code, name, priority, address, active, created_at, updated_at;

-- name: lock_location
-- Lock a location, so that nobody opens a level there. $1 id. One row or none.
SELECT id, code, name, priority, address, active, created_at, updated_at
FROM locations WHERE id = $1 FOR UPDATE;

-- name: use_location
-- Open or close a location for orders. $1 id, $2 whether it is in use, $3 now. Its
-- levels say the same; their rows are locked in variant order. Returns one row: how
-- much is reserved there. One that has something reserved is not closed.
WITH levels AS MATERIALIZED (
    SELECT variant_id, reserved FROM stock
    WHERE location_id = $1
    ORDER BY variant_id FOR NO KEY UPDATE
), verdict AS MATERIALIZED (
    SELECT coalesce(sum(reserved), 0)::bigint AS reserved FROM levels
), marked AS (
    UPDATE stock s SET active = $2, updated_at = $3
    FROM levels n CROSS JOIN verdict v
    WHERE ($2 OR v.reserved = 0) AND s.active <> $2
      AND s.location_id = $1 AND s.variant_id = n.variant_id
), place AS (
    UPDATE locations SET active = $2, updated_at = $3
    FROM verdict v
    WHERE ($2 OR v.reserved = 0) AND id = $1 AND active <> $2
)
SELECT reserved FROM verdict;

-- name: levels
-- Levels in the order of SKUs. $1 SKU or NULL, $2 location or NULL, $3 whether only
-- those that run low, $4 and $5 SKU and location of the last one seen or NULL, $6 how
-- many.
SELECT v.sku, s.variant_id, s.location_id, l.code, s.on_hand, s.reserved, s.available,
       s.safety_stock, s.backorder_limit, s.low_stock_threshold, s.updated_at
FROM stock s
JOIN variants v ON v.id = s.variant_id
JOIN locations l ON l.id = s.location_id
WHERE ($1::text IS NULL OR v.sku = $1)
  AND ($2::uuid IS NULL OR s.location_id = $2)
  AND (NOT $3::boolean OR s.on_hand - s.reserved <= s.low_stock_threshold)
  AND ($4::text IS NULL OR (v.sku, s.location_id) > ($4, $5::uuid))
ORDER BY v.sku, s.location_id
LIMIT $6;

-- name: levels_of
-- The levels of one SKU, those first that orders take from first. $1 SKU.
SELECT v.sku, s.variant_id, s.location_id, l.code, s.on_hand, s.reserved, s.available,
       s.safety_stock, s.backorder_limit, s.low_stock_threshold, s.updated_at
FROM stock s
JOIN variants v ON v.id = s.variant_id
JOIN locations l ON l.id = s.location_id
WHERE v.sku = $1
ORDER BY l.priority, l.code;

-- name: variants_of
-- Which variants have these SKUs. $1 SKUs. One row for each that there is.
SELECT sku, id FROM variants WHERE sku = ANY($1::text[]);

-- name: open_shelves
-- Open levels that do not exist yet. $1 variants, $2 locations, pairwise, $3 now.
INSERT INTO stock (variant_id, location_id, on_hand, updated_at)
SELECT n.variant_id, n.location_id, 0, $3
FROM unnest($1::uuid[], $2::uuid[]) AS n (variant_id, location_id)
WHERE NOT EXISTS (
    SELECT FROM stock s
    WHERE s.variant_id = n.variant_id AND s.location_id = n.location_id)
ORDER BY n.variant_id, n.location_id
ON CONFLICT (variant_id, location_id) DO NOTHING;

-- name: lock_shelves
-- Lock levels for a change. $1 variants, $2 locations, pairwise. Locks stock rows in
-- (variant, location) order; returns those that exist.
SELECT v.sku, s.variant_id, s.location_id, l.code, s.on_hand, s.reserved, s.available,
       s.safety_stock, s.backorder_limit, s.low_stock_threshold, s.updated_at
FROM unnest($1::uuid[], $2::uuid[]) AS n (variant_id, location_id)
JOIN stock s ON s.variant_id = n.variant_id AND s.location_id = n.location_id
JOIN variants v ON v.id = s.variant_id
JOIN locations l ON l.id = s.location_id
ORDER BY s.variant_id, s.location_id
FOR NO KEY UPDATE OF s;

-- name: change_levels
-- Say what is kept back, promised beyond what is there, and few. $1 variants,
-- $2 locations, $3 safety stocks, $4 backorder limits, $5 low-stock thresholds (NULL for
-- none), pairwise, $6 now. The rows are locked by the caller. Raises
-- stock_never_oversold.
UPDATE stock s
SET safety_stock = n.safety_stock, backorder_limit = n.backorder_limit,
    low_stock_threshold = n.low_stock_threshold, updated_at = $6
FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[], $5::bigint[])
     AS n (variant_id, location_id, safety_stock, backorder_limit, low_stock_threshold)
WHERE s.variant_id = n.variant_id AND s.location_id = n.location_id;

-- name: ledger
-- The ledger, newest first. $1 variant or NULL, $2 location or NULL, $3 kind or NULL,
-- $4 not before this time or NULL, $5 before this time or NULL, $6 actor or NULL,
-- $7 before this movement or NULL, $8 how many.
SELECT m.id, m.kind, m.delta, m.reason, m.order_id, m.actor, m.moved_at,
       m.location_id, m.reference, v.sku, l.code AS location
FROM stock_movements m
JOIN variants v ON v.id = m.variant_id
JOIN locations l ON l.id = m.location_id
WHERE ($1::uuid IS NULL OR m.variant_id = $1)
  AND ($2::uuid IS NULL OR m.location_id = $2)
  AND ($3::text IS NULL OR m.kind = $3)
  AND ($4::timestamptz IS NULL OR m.moved_at >= $4)
  AND ($5::timestamptz IS NULL OR m.moved_at < $5)
  AND ($6::text IS NULL OR m.actor = $6)
  AND ($7::uuid IS NULL OR m.id < $7)
ORDER BY m.id DESC
LIMIT $8;

-- name: ledger_of_variant
-- The same with its parameters, for one variant, by its own index: $1 variant,
-- $2 location, $3 kind, $4 not before, $5 before, $6 actor, $7 before this movement,
-- $8 how many.
SELECT m.id, m.kind, m.delta, m.reason, m.order_id, m.actor, m.moved_at,
       m.location_id, m.reference, v.sku, l.code AS location
FROM stock_movements m
JOIN variants v ON v.id = m.variant_id
JOIN locations l ON l.id = m.location_id
WHERE m.variant_id = $1
  AND ($2::uuid IS NULL OR m.location_id = $2)
  AND ($3::text IS NULL OR m.kind = $3)
  AND ($4::timestamptz IS NULL OR m.moved_at >= $4)
  AND ($5::timestamptz IS NULL OR m.moved_at < $5)
  AND ($6::text IS NULL OR m.actor = $6)
  AND ($7::uuid IS NULL OR m.id < $7)
ORDER BY m.id DESC
LIMIT $8;

-- name: ledger_of_order
-- The same for one order: $1 order, $2 variant, $3 location, $4 kind, $5 not before,
-- $6 before, $7 actor, $8 before this movement, $9 how many.
SELECT m.id, m.kind, m.delta, m.reason, m.order_id, m.actor, m.moved_at,
       m.location_id, m.reference, v.sku, l.code AS location
FROM stock_movements m
JOIN variants v ON v.id = m.variant_id
JOIN locations l ON l.id = m.location_id
WHERE m.order_id = $1
  AND ($2::uuid IS NULL OR m.variant_id = $2)
  AND ($3::uuid IS NULL OR m.location_id = $3)
  AND ($4::text IS NULL OR m.kind = $4)
  AND ($5::timestamptz IS NULL OR m.moved_at >= $5)
  AND ($6::timestamptz IS NULL OR m.moved_at < $6)
  AND ($7::text IS NULL OR m.actor = $7)
  AND ($8::uuid IS NULL OR m.id < $8)
ORDER BY m.id DESC
LIMIT $9;

-- name: add_transfer
-- Write a transfer down with its lines. $1 id, $2 from and $3 to location,
-- $4 reference, $5 actor, $6 now, $7 variants, $8 quantities.
WITH added AS (
    INSERT INTO transfers (id, from_location_id, to_location_id, status, reference,
                           actor, created_at)
    VALUES ($1, $2, $3, 'pending', $4, $5, $6)
)
INSERT INTO transfer_lines (transfer_id, variant_id, quantity)
SELECT $1, variant_id, quantity
FROM unnest($7::uuid[], $8::bigint[]) AS n (variant_id, quantity);

-- name: lock_transfer
-- Lock a transfer for its next step. $1 id. Returns its id, or nothing.
SELECT id FROM transfers WHERE id = $1 FOR UPDATE;

-- name: transfers
-- Transfers with their lines, newest first. $1 id or NULL, $2 status or NULL, $3 location
-- at either end or NULL, $4 before this transfer or NULL, $5 how many.
SELECT t.id, a.code AS source, b.code AS destination, t.from_location_id,
       t.to_location_id, t.status, t.reference, t.actor, t.created_at,
       t.dispatched_at, t.closed_at, n.lines
FROM transfers t
JOIN locations a ON a.id = t.from_location_id
JOIN locations b ON b.id = t.to_location_id
CROSS JOIN LATERAL (
    SELECT jsonb_agg(jsonb_build_array(x.variant_id, v.sku, x.quantity,
                                       x.received_quantity) ORDER BY v.sku) AS lines
    FROM transfer_lines x JOIN variants v ON v.id = x.variant_id
    WHERE x.transfer_id = t.id
) AS n
WHERE ($1::uuid IS NULL OR t.id = $1)
  AND ($2::text IS NULL OR t.status = $2)
  AND ($3::uuid IS NULL OR $3 IN (t.from_location_id, t.to_location_id))
  AND ($4::uuid IS NULL OR t.id < $4)
ORDER BY t.id DESC
LIMIT $5;

-- name: step_transfer
-- Move a transfer on. $1 id, $2 status, $3 when it left or NULL to keep that, $4 when it
-- was closed or NULL, $5 variants, $6 how many of them were received now. It is locked
-- by the caller. Raises transfer_lines_received_once.
WITH moved AS (
    UPDATE transfers
    SET status = $2, dispatched_at = coalesce($3, dispatched_at), closed_at = $4
    WHERE id = $1
)
UPDATE transfer_lines x SET received_quantity = x.received_quantity + n.quantity
FROM unnest($5::uuid[], $6::bigint[]) AS n (variant_id, quantity)
WHERE x.transfer_id = $1 AND x.variant_id = n.variant_id;

-- name: open_count
-- Begin a stock count. $1 id, $2 location, $3 reference, $4 actor, $5 now.
INSERT INTO stock_counts (id, location_id, status, reference, actor, opened_at)
VALUES ($1, $2, 'open', $3, $4, $5);

-- name: lock_count
-- Lock a stock count. $1 id. Returns its id, or nothing.
SELECT id FROM stock_counts WHERE id = $1 FOR UPDATE;

-- name: counts
-- Stock counts, newest first. $1 id or NULL, $2 status or NULL, $3 location or NULL,
-- $4 before this count or NULL, $5 how many.
SELECT c.id, l.code AS location, c.location_id, c.status, c.reference, c.actor,
       c.opened_at, c.closed_at, (SELECT count(*) FROM stock_count_lines n
                                  WHERE n.count_id = c.id) AS lines
FROM stock_counts c JOIN locations l ON l.id = c.location_id
WHERE ($1::uuid IS NULL OR c.id = $1)
  AND ($2::text IS NULL OR c.status = $2)
  AND ($3::uuid IS NULL OR c.location_id = $3)
  AND ($4::uuid IS NULL OR c.id < $4)
ORDER BY c.id DESC
LIMIT $5;

-- name: count_lines
-- What was counted, in the order of SKUs. $1 count.
SELECT v.sku, n.variant_id, n.expected, n.counted, n.actor, n.counted_at
FROM stock_count_lines n JOIN variants v ON v.id = n.variant_id
WHERE n.count_id = $1
ORDER BY v.sku;

-- name: put_count_lines
-- Write down what was counted, and what the books say at this moment. $1 count,
-- $2 location, $3 variants, $4 numbers found, $5 actor, $6 now. The count is locked by
-- the caller; counting again replaces what was counted before.
INSERT INTO stock_count_lines (count_id, variant_id, expected, counted, actor,
                               counted_at)
SELECT $1, n.variant_id, coalesce(s.on_hand, 0), n.counted, $5, $6
FROM unnest($3::uuid[], $4::bigint[]) AS n (variant_id, counted)
LEFT JOIN stock s ON s.variant_id = n.variant_id AND s.location_id = $2
ON CONFLICT (count_id, variant_id) DO UPDATE
SET expected = excluded.expected, counted = excluded.counted, actor = excluded.actor,
    counted_at = excluded.counted_at;

-- name: close_count
-- End a stock count. $1 id, $2 status, $3 now. It is locked by the caller.
UPDATE stock_counts SET status = $2, closed_at = $3 WHERE id = $1;

-- name: take_alerts
-- Take alerts that nobody was told of, oldest first. $1 now, $2 how many. Marks them as
-- told; skips those that somebody else is at.
UPDATE stock_alerts a SET published_at = $1
FROM (SELECT id FROM stock_alerts WHERE published_at IS NULL
      ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED) AS n,
     variants v, locations l
WHERE a.id = n.id AND v.id = a.variant_id AND l.id = a.location_id
RETURNING a.id, v.sku, l.code AS location, a.remaining, a.threshold, a.raised_at;

-- name: alerts
-- Alerts by their ids, oldest first. $1 ids.
SELECT a.id, v.sku, l.code AS location, a.remaining, a.threshold, a.raised_at
FROM stock_alerts a
JOIN variants v ON v.id = a.variant_id
JOIN locations l ON l.id = a.location_id
WHERE a.id = ANY($1::uuid[])
ORDER BY a.id;

-- name: forget_alerts
-- Forget alerts from before a time. $1 the time, $2 how many. Returns their ids.
DELETE FROM stock_alerts
WHERE id IN (SELECT id FROM stock_alerts WHERE published_at < $1 LIMIT $2)
RETURNING id;

-- name: add_request
-- Note that somebody wants a variant. $1 id, $2 variant, $3 account or NULL, $4 the
-- address, sealed, $5 its index, $6 now, $7 how many an address may have open, $8 whether
-- it is another's address than the account's. A second request for the same is none;
-- but the account of the address has it from whoever asked with that before.
INSERT INTO stock_requests (id, variant_id, account_id, sealed, email_index, created_at,
                            withheld)
SELECT $1, $2, $3, $4, $5, $6, $8
WHERE (SELECT count(*) FROM stock_requests WHERE email_index = $5) < $7
ON CONFLICT (variant_id, email_index) WHERE due_at IS NULL DO UPDATE
SET account_id = excluded.account_id, withheld = false
WHERE excluded.account_id IS NOT NULL AND NOT excluded.withheld;

-- name: due_requests
-- Requests for what can be bought again, oldest first. $1 now, $2 how many. Marks them
-- as due; skips those that somebody else is at. Returns their ids.
UPDATE stock_requests r SET due_at = $1
FROM (SELECT q.id FROM stock_requests q
      JOIN variants v ON v.id = q.variant_id
      JOIN products p ON p.id = v.product_id AND p.status = 'active'
      WHERE q.due_at IS NULL AND EXISTS (
          SELECT FROM stock s WHERE s.variant_id = q.variant_id AND s.available > 0)
      ORDER BY q.id LIMIT $2 FOR UPDATE OF q SKIP LOCKED) AS n
WHERE r.id = n.id
RETURNING r.id;

-- name: requests
-- Requests, newest first. $1 id or NULL, $2 account or NULL, $3 SKU or NULL, $4 index of
-- an address or NULL, $5 whether those that were told count, $6 before this request or
-- NULL, $7 how many. Of an account not what it asked for with another's address: that it
-- stands there tells that whose it is had not asked before.
SELECT r.id, v.sku, p.title, p.handle, r.account_id, r.sealed, r.created_at, r.due_at,
       r.withheld
FROM stock_requests r
JOIN variants v ON v.id = r.variant_id
JOIN products p ON p.id = v.product_id
WHERE ($1::uuid IS NULL OR r.id = $1)
  AND ($2::uuid IS NULL OR r.account_id = $2 AND NOT r.withheld)
  AND ($3::text IS NULL OR v.sku = $3)
  AND ($4::bytea IS NULL OR r.email_index = $4)
  AND ($5::boolean OR r.due_at IS NULL)
  AND ($6::uuid IS NULL OR r.id < $6)
ORDER BY r.id DESC
LIMIT $7;

-- name: remove_request
-- Forget a request. $1 id, $2 account whose it must be, or NULL for anybody's. Returns
-- its id.
DELETE FROM stock_requests
WHERE id = $1 AND ($2::uuid IS NULL OR account_id = $2)
RETURNING id;

-- name: forget_requests
-- Forget requests that were told before a time. $1 the time, $2 how many. Returns their
-- ids.
DELETE FROM stock_requests
WHERE id IN (SELECT id FROM stock_requests WHERE due_at < $1 LIMIT $2)
RETURNING id;

-- name: forget_requests_of
-- Forget the requests of a person. $1 account, $2 indexes of their addresses. Returns
-- their ids.
DELETE FROM stock_requests
WHERE account_id = $1 OR email_index = ANY($2::bytea[])
RETURNING id;

-- name: requests_to_reseal
-- Requests not yet sealed under the newest key, in order of their ids; those that
-- somebody else holds are passed over. $1 its prefix, $2 after this id (NULL for the
-- start), $3 how many. Locks them.
SELECT id::text AS key, sealed FROM stock_requests
WHERE ($2::text IS NULL OR id > $2::text::uuid) AND substring(sealed FOR 5) <> $1
ORDER BY stock_requests.id LIMIT $3
FOR UPDATE SKIP LOCKED;

-- name: reseal_requests
-- Write requests sealed anew. $1 ids, $2 sealed. They are locked by the caller.
UPDATE stock_requests SET sealed = fresh.sealed
FROM unnest($1::uuid[], $2::bytea[]) AS fresh (id, sealed)
WHERE stock_requests.id = fresh.id;

-- name: missing_guards
-- What of the database's own rules is not in force. $1 names of constraints, $2 names of
-- triggers. Returns the names that are not there, not valid or switched off.
SELECT name FROM unnest($1::text[]) AS n (name)
WHERE NOT EXISTS (
    SELECT FROM pg_constraint c
    WHERE c.conname = n.name AND c.convalidated AND c.conenforced)
UNION ALL
SELECT name FROM unnest($2::text[]) AS n (name)
WHERE NOT EXISTS (
    SELECT FROM pg_trigger t
    WHERE t.tgname = n.name AND NOT t.tgisinternal AND t.tgenabled <> 'D');

-- name: misled_levels
-- Levels that do not know whether their location is in use. Reads the whole stock.
SELECT v.sku, l.code AS location, s.variant_id, s.location_id
FROM stock s
JOIN locations l ON l.id = s.location_id
JOIN variants v ON v.id = s.variant_id
WHERE s.active <> l.active
ORDER BY v.sku, l.code;

-- name: order_drift
-- Orders that do not hold what they should, and reservations without an end that belong
-- to no order. Reads every reservation and every order that is not ended. An order that
-- is pending or confirmed holds what is neither shipped nor canceled; every other holds
-- nothing. What is in a pending shipment counts as shipped, and is held until it leaves.
WITH due AS (
    SELECT order_id, variant_id, sum(quantity) AS quantity
    FROM (
        SELECT l.order_id, l.variant_id,
               l.quantity - l.canceled_quantity - l.fulfilled_quantity
        FROM orders o JOIN order_lines l ON l.order_id = o.id
        WHERE o.status IN ('pending', 'confirmed')
        UNION ALL
        SELECT s.order_id, l.variant_id, n.quantity
        FROM shipments s
        JOIN shipment_lines n ON n.shipment_id = s.id
        JOIN order_lines l ON l.order_id = s.order_id AND l.position = n.position
        WHERE s.status = 'pending'
    ) AS units (order_id, variant_id, quantity)
    GROUP BY 1, 2
    HAVING sum(quantity) > 0
), held AS (
    SELECT r.holder_id, r.variant_id, sum(r.quantity) AS quantity
    FROM reservations r
    WHERE r.expires_at IS NULL OR EXISTS (SELECT FROM orders o WHERE o.id = r.holder_id)
    GROUP BY 1, 2
)
SELECT coalesce(d.order_id, h.holder_id) AS order_id,
       coalesce(d.variant_id, h.variant_id) AS variant_id, v.sku, o.number,
       coalesce(d.quantity, 0)::bigint AS due, coalesce(h.quantity, 0)::bigint AS held
FROM due d
FULL JOIN held h ON h.holder_id = d.order_id AND h.variant_id = d.variant_id
LEFT JOIN orders o ON o.id = coalesce(d.order_id, h.holder_id)
LEFT JOIN variants v ON v.id = coalesce(d.variant_id, h.variant_id)
WHERE coalesce(d.quantity, 0) <> coalesce(h.quantity, 0)
ORDER BY 1, 2;

-- name: due_of_order
-- What an order should hold, by line; 0 for one that needs nothing. $1 order. Locks the
-- order; what is said of its shipments may be of before the lock was had.
SELECT l.variant_id, v.sku,
       (CASE WHEN o.status IN ('pending', 'confirmed')
        THEN l.quantity - l.canceled_quantity - l.fulfilled_quantity ELSE 0 END
        + coalesce((
            SELECT sum(n.quantity) FROM shipments s
            JOIN shipment_lines n ON n.shipment_id = s.id
            WHERE s.order_id = o.id AND s.status = 'pending' AND n.position = l.position
        ), 0))::bigint AS quantity
FROM orders o
JOIN order_lines l ON l.order_id = o.id
JOIN variants v ON v.id = l.variant_id
WHERE o.id = $1
FOR UPDATE OF o;

-- name: recount
-- One level against its ledger and its reservations. $1 variant, $2 location. Locks the
-- level.
SELECT s.on_hand, s.reserved, s.backorder_limit, (
           SELECT coalesce(sum(m.delta), 0)::bigint FROM stock_movements m
           WHERE m.variant_id = s.variant_id AND m.location_id = s.location_id
       ) AS ledger, (
           SELECT coalesce(sum(r.quantity), 0)::bigint FROM reservations r
           WHERE r.variant_id = s.variant_id AND r.location_id = s.location_id
       ) AS held
FROM stock s
WHERE s.variant_id = $1 AND s.location_id = $2
FOR NO KEY UPDATE;

-- name: set_to_ledger
-- Let a level be what its ledger says. $1 variant, $2 location, $3 now. It is locked by
-- the caller.
UPDATE stock s
SET updated_at = $3, on_hand = (
    SELECT coalesce(sum(m.delta), 0) FROM stock_movements m
    WHERE m.variant_id = s.variant_id AND m.location_id = s.location_id)
WHERE s.variant_id = $1 AND s.location_id = $2;

-- name: set_to_held
-- Let what is reserved be what is held. $1 variant, $2 location, $3 how much, $4 now.
-- The level is locked by the caller. Raises stock_never_oversold.
UPDATE stock SET reserved = $3, updated_at = $4
WHERE variant_id = $1 AND location_id = $2;

-- name: set_to_location
-- Let levels say of their locations what those say. $1 variants, $2 locations, pairwise,
-- $3 now.
UPDATE stock s SET active = l.active, updated_at = $3
FROM unnest($1::uuid[], $2::uuid[]) AS n (variant_id, location_id)
JOIN locations l ON l.id = n.location_id
WHERE s.variant_id = n.variant_id AND s.location_id = n.location_id;

-- name: count_reserved
-- How many reservations there are, of orders and of holds, and how many holds are
-- overdue. $1 now. One row.
SELECT count(*) FILTER (WHERE expires_at IS NULL) AS orders,
       count(*) FILTER (WHERE expires_at IS NOT NULL) AS holds,
       count(*) FILTER (WHERE expires_at <= $1) AS overdue
FROM reservations;
