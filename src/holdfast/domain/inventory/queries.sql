-- name: reserve
-- Promise stock to a holder: every line, or none. $1 holder, $2 variants, $3 quantities
-- (one entry a variant), $4 now, $5 when it expires or NULL, $6 holders whose
-- reservations are released by it. Variants of which these hold just what is wanted
-- change hands without a look at their stock. Otherwise: if the wanted fits as seen,
-- stock rows are locked in (variant, location) order, so that two orders which share
-- two variants cannot deadlock, and counted again; if it does not, none is locked, so
-- that a sold-out row is refused without standing in line. The first location that has
-- the whole line gives it, else each gives what it has, both by priority. Returns one
-- row for each variant that is short: what there is, and whether holds of it are
-- overdue; then nothing was changed. Else one row without a variant: when it ends, for
-- a hold whether there was none before and whether it is as it was, and how many
-- seconds passed until all was locked.
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
    -- A hold that is renewed is as old as it was, and ends an hour after it began.
    SELECT since, CASE WHEN $5::timestamptz IS NOT NULL
                  THEN least($5, since + interval '60 minutes') END AS until
    FROM (SELECT coalesce(min(reserved_at) FILTER (
              WHERE holder_id = $1 AND expires_at > $4), $4) AS since
          FROM held) AS began
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
           WHERE r.variant_id = f.variant_id AND r.expires_at <= $4) AS overdue,
       NULL::timestamptz AS until, NULL AS is_new, NULL AS is_same,
       NULL::float8 AS waited
FROM found f
WHERE f.room < f.quantity
UNION ALL
SELECT NULL, NULL, NULL, t.until,
       NOT EXISTS (SELECT FROM held WHERE holder_id = $1 AND expires_at > $4),
       NOT EXISTS (SELECT FROM asked),
       extract(epoch FROM clock_timestamp() - statement_timestamp())::float8
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
-- Free holds that are overdue. $1 now, $2 how many at most, $3 variants or NULL for
-- all. Skips holds that somebody is at; stock rows are locked in (variant, location)
-- order. Returns how many it freed.
WITH due AS MATERIALIZED (
    SELECT holder_id, variant_id, location_id
    FROM reservations
    WHERE expires_at <= $1 AND ($3::uuid[] IS NULL OR variant_id = ANY($3))
    ORDER BY expires_at LIMIT $2
    FOR UPDATE SKIP LOCKED
), ended AS (
    DELETE FROM reservations r USING due d
    WHERE r.holder_id = d.holder_id AND r.variant_id = d.variant_id
      AND r.location_id = d.location_id
    RETURNING r.variant_id, r.location_id, r.quantity
), freed AS MATERIALIZED (
    SELECT variant_id, location_id, sum(quantity) AS quantity
    FROM ended GROUP BY variant_id, location_id
), locked AS MATERIALIZED (
    SELECT s.variant_id, s.location_id, f.quantity
    FROM stock s JOIN freed f USING (variant_id, location_id)
    ORDER BY s.variant_id, s.location_id FOR NO KEY UPDATE OF s
), lowered AS (
    UPDATE stock s SET reserved = s.reserved - k.quantity, updated_at = $1
    FROM locked k
    WHERE s.variant_id = k.variant_id AND s.location_id = k.location_id
)
SELECT count(*) FROM due;

-- name: reserved_for
-- What a holder has reserved, and where. $1 holder.
SELECT r.variant_id, v.sku, r.location_id, r.quantity, r.reserved_at, r.expires_at
FROM reservations r JOIN variants v ON v.id = r.variant_id
WHERE r.holder_id = $1
ORDER BY r.variant_id, r.location_id;

-- name: open_levels
-- Start keeping stock of variants at a location, at zero. $1 variants, $2 location,
-- $3 now. Levels that exist are left alone.
INSERT INTO stock (variant_id, location_id, on_hand, active, updated_at)
SELECT variant_id, l.id, 0, l.active, $3
FROM unnest($1::uuid[]) AS v (variant_id) CROSS JOIN locations l
WHERE l.id = $2
ORDER BY variant_id
ON CONFLICT (variant_id, location_id) DO NOTHING;

-- name: lock_levels
-- Lock the levels of some SKUs at a location for a change. $1 SKUs, $2 location. Locks
-- stock rows in variant order; returns one row a SKU that has a level there.
SELECT v.sku, s.variant_id, s.location_id, s.on_hand, s.reserved, s.available,
       s.safety_stock, s.backorder_limit, s.low_stock_threshold, s.updated_at
FROM stock s JOIN variants v ON v.id = s.variant_id
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
    INSERT INTO stock (variant_id, location_id, on_hand, active, updated_at)
    SELECT DISTINCT n.variant_id, n.location_id, 0, l.active, $9::timestamptz
    FROM lines n JOIN locations l ON l.id = n.location_id
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
SELECT v.sku, s.variant_id, s.location_id, s.on_hand, s.reserved, s.available,
       s.safety_stock, s.backorder_limit, s.low_stock_threshold, s.updated_at
FROM stock s JOIN variants v ON v.id = s.variant_id
WHERE v.sku = $1 AND s.location_id = $2;

-- name: find_location
-- A location by id or by code. $1 id or NULL, $2 code or NULL.
SELECT id, code, name, priority, address, active, created_at, updated_at
FROM locations WHERE id = $1 OR code = $2;

-- name: movements
-- The ledger of one variant, newest first. $1 variant, $2 before this movement (NULL
-- for the start), $3 how many.
SELECT id, kind, delta, reason, order_id, actor, moved_at, location_id, reference
FROM stock_movements
WHERE variant_id = $1 AND ($2::uuid IS NULL OR id < $2)
ORDER BY id DESC
LIMIT $3;

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
-- they want, $3 now. Locks what the holders have and what of these variants is overdue
-- (skipping what somebody is at), in (holder, variant, location) order, then the stock
-- of all these variants in (variant, location) order. Returns a row for each
-- reservation with its holder, and for each stock row with how much is free there, below
-- zero where more is promised than may be; NULL where the location is not in use.
WITH had AS MATERIALIZED (
    SELECT holder_id, variant_id, location_id, quantity, reserved_at, expires_at
    FROM reservations
    WHERE holder_id = ANY($1::uuid[])
    ORDER BY holder_id, variant_id, location_id
    FOR UPDATE
), overdue AS MATERIALIZED (
    SELECT holder_id, variant_id, location_id, quantity, reserved_at, expires_at
    FROM reservations
    WHERE variant_id = ANY($2::uuid[]) AND expires_at <= $3
      AND holder_id <> ALL($1::uuid[])
    LIMIT 500
    FOR UPDATE SKIP LOCKED
), touched AS MATERIALIZED (
    SELECT variant_id FROM unnest($2::uuid[]) AS w (variant_id)
    UNION SELECT variant_id FROM had
), levels AS MATERIALIZED (
    SELECT s.variant_id, s.location_id, l.priority,
           CASE WHEN s.active
           THEN s.on_hand + s.backorder_limit - s.safety_stock - s.reserved END AS free
    FROM touched t
    CROSS JOIN (SELECT count(*) FROM overdue) AS first
    JOIN stock s ON s.variant_id = t.variant_id
    JOIN locations l ON l.id = s.location_id
    ORDER BY s.variant_id, s.location_id
    FOR NO KEY UPDATE OF s
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
