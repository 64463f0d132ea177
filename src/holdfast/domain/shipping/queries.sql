-- name: add_shipment
-- Write a shipment down before anybody is asked to carry it. $1 id, $2 order,
-- $3 location, $4 carried by, $5 service, $6 tracking number, $7 who, $8 now,
-- $9 positions, $10 quantities, $11 what was asked for with it. Begins as pending.
WITH added AS (
    INSERT INTO shipments (id, order_id, location_id, status, carried_by, service,
                           tracking_number, actor, created_at, heard_at, request_id)
    VALUES ($1, $2, $3, 'pending', $4, $5, $6, $7, $8, $8, $11)
)
INSERT INTO shipment_lines (shipment_id, position, quantity)
SELECT $1, line.position, line.quantity
FROM unnest($9::int[], $10::bigint[]) AS line (position, quantity);

-- name: mark_created
-- A pending shipment goes. $1 id, $2 tracking number, $3 what the carrier calls it,
-- $4 now. Returns one row to the one who settles it, none if it was settled before.
UPDATE shipments
SET status = 'created', tracking_number = coalesce($2, tracking_number),
    carrier_reference = $3, shipped_at = $4, heard_at = $4
WHERE id = $1 AND status = 'pending'
RETURNING id;

-- name: request_cancel
-- Write down that a shipment is to be canceled, before the carrier is asked. $1 id,
-- $2 who, $3 now. Returns one row, or none if it was picked up or came to an end.
UPDATE shipments
SET cancel_requested_at = coalesce(cancel_requested_at, $3),
    cancel_actor = coalesce(cancel_actor, $2)
WHERE id = $1 AND status IN ('pending', 'created')
RETURNING id;

-- name: withdraw_cancel
-- The carrier does not cancel it any more. $1 id.
UPDATE shipments SET cancel_requested_at = NULL, cancel_actor = NULL WHERE id = $1;

-- name: mark_canceled
-- End a shipment that nobody picked up. $1 id, $2 why, or NULL. Returns what it was to
-- the one who ends it, no row if it came to an end before or is under way.
UPDATE shipments
SET status = 'canceled', failure_reason = $2, shipped_at = NULL,
    cancel_requested_at = NULL, cancel_actor = NULL
WHERE id = $1 AND status IN ('pending', 'created')
RETURNING old.status AS was;

-- name: mark_reshipped
-- Note that the units of a lost shipment, or of one that came back, are open to be
-- shipped again. $1 id, $2 now. Returns what it was, once.
UPDATE shipments SET reshipped_at = $2
WHERE id = $1 AND status IN ('lost', 'returned') AND reshipped_at IS NULL
RETURNING status;

-- name: shipment
-- A shipment with its lines and events. $1 id. One row or none.
SELECT s.id, s.order_id, o.number, s.location_id, w.code AS location, s.status,
       s.carried_by, s.service, s.tracking_number, s.carrier_reference,
       s.failure_reason, s.actor, s.created_at, s.shipped_at, s.delivered_at,
       s.cancel_requested_at, s.cancel_actor, s.reshipped_at, l.lines, e.events
FROM shipments s
JOIN orders o ON o.id = s.order_id
JOIN locations w ON w.id = s.location_id
CROSS JOIN LATERAL (
    SELECT jsonb_agg(jsonb_build_array(
               l.position, n.variant_id, n.sku, n.title, l.quantity)
               ORDER BY l.position) AS lines
    FROM shipment_lines l
    JOIN order_lines n ON n.order_id = s.order_id AND n.position = l.position
    WHERE l.shipment_id = s.id
) l
CROSS JOIN LATERAL (
    SELECT coalesce(jsonb_agg(jsonb_build_array(
               e.event_id, e.status, e.happened_at)
               ORDER BY e.happened_at, e.event_id), '[]') AS events
    FROM shipment_events e WHERE e.shipment_id = s.id
) e
WHERE s.id = $1;

-- name: shipments
-- Shipments with their lines and events, newest first. $1 before this id (NULL for the
-- start), $2 how many, $3 status, $4 order, $5 location (each NULL for any).
SELECT s.id, s.order_id, o.number, s.location_id, w.code AS location, s.status,
       s.carried_by, s.service, s.tracking_number, s.carrier_reference,
       s.failure_reason, s.actor, s.created_at, s.shipped_at, s.delivered_at,
       s.cancel_requested_at, s.cancel_actor, s.reshipped_at, l.lines, e.events
FROM (
    SELECT id, order_id, location_id, status, carried_by, service, tracking_number,
           carrier_reference, failure_reason, actor, created_at, shipped_at,
           delivered_at, cancel_requested_at, cancel_actor, reshipped_at
    FROM shipments
    WHERE ($1::uuid IS NULL OR id < $1)
      AND ($3::text IS NULL OR status = $3)
      AND ($4::uuid IS NULL OR order_id = $4)
      AND ($5::uuid IS NULL OR location_id = $5)
    ORDER BY id DESC LIMIT $2
) s
JOIN orders o ON o.id = s.order_id
JOIN locations w ON w.id = s.location_id
CROSS JOIN LATERAL (
    SELECT jsonb_agg(jsonb_build_array(
               l.position, n.variant_id, n.sku, n.title, l.quantity)
               ORDER BY l.position) AS lines
    FROM shipment_lines l
    JOIN order_lines n ON n.order_id = s.order_id AND n.position = l.position
    WHERE l.shipment_id = s.id
) l
CROSS JOIN LATERAL (
    SELECT coalesce(jsonb_agg(jsonb_build_array(
               e.event_id, e.status, e.happened_at)
               ORDER BY e.happened_at, e.event_id), '[]') AS events
    FROM shipment_events e WHERE e.shipment_id = s.id
) e
ORDER BY s.id DESC;

-- name: of_request
-- The shipments that were asked for together. $1 order, $2 request. Returns their ids.
SELECT id FROM shipments WHERE order_id = $1 AND request_id = $2 ORDER BY id;

-- name: weight
-- What the goods of a shipment weigh together. $1 id. A product that is gone weighs
-- nothing.
SELECT coalesce(sum(l.quantity * coalesce(v.weight_grams, 0)), 0)::bigint AS grams
FROM shipments s
JOIN shipment_lines l ON l.shipment_id = s.id
JOIN order_lines n ON n.order_id = s.order_id AND n.position = l.position
LEFT JOIN variants v ON v.id = n.variant_id
WHERE s.id = $1;

-- name: shelves
-- Where units of an order's variants are, in the order in which locations are asked.
-- $1 order. Returns for each location and variant how many are reserved for the order
-- and in no shipment of it yet, and how many are on the shelf and in no shipment that
-- is pending. A look, which locks nothing.
WITH named AS MATERIALIZED (
    SELECT DISTINCT variant_id FROM order_lines WHERE order_id = $1
), pending AS MATERIALIZED (
    SELECT s.location_id, n.variant_id, sum(l.quantity) AS units,
           sum(l.quantity) FILTER (WHERE s.order_id = $1) AS own
    FROM shipments s
    JOIN shipment_lines l ON l.shipment_id = s.id
    JOIN order_lines n ON n.order_id = s.order_id AND n.position = l.position
    WHERE s.status = 'pending' AND n.variant_id IN (SELECT variant_id FROM named)
    GROUP BY s.location_id, n.variant_id
)
SELECT t.location_id, t.variant_id,
       greatest(coalesce(r.quantity, 0) - coalesce(p.own, 0), 0)::bigint AS reserved,
       greatest(t.on_hand - coalesce(p.units, 0), 0)::bigint AS there
FROM named
JOIN stock t USING (variant_id)
JOIN locations w ON w.id = t.location_id
LEFT JOIN reservations r ON r.holder_id = $1 AND r.variant_id = t.variant_id
    AND r.location_id = t.location_id
LEFT JOIN pending p ON p.variant_id = t.variant_id AND p.location_id = t.location_id
ORDER BY w.priority, w.id, t.variant_id;

-- name: unsettled
-- Shipments that somebody has to finish: pending since before $1, or to be canceled since
-- before then, oldest first, at most $2. $3 and $4 are time and id of the last one seen,
-- NULL for the start.
SELECT id, created_at FROM shipments
WHERE (status = 'pending' OR cancel_requested_at IS NOT NULL)
  AND created_at < $1 AND coalesce(cancel_requested_at, created_at) < $1
  AND ($3::timestamptz IS NULL OR (created_at, id) > ($3, $4::uuid))
ORDER BY created_at, id
LIMIT $2;

-- name: lock_by_tracking_number
-- Hold the shipment that a carrier speaks of. $1 tracking number. Returns id, order and
-- status, or none.
SELECT id, order_id, status FROM shipments
WHERE tracking_number = $1 AND carried_by = 'carrier'
FOR NO KEY UPDATE;

-- name: lock_shipment
-- Hold a shipment. $1 id. Returns id, order and status, or none.
SELECT id, order_id, status FROM shipments WHERE id = $1 FOR NO KEY UPDATE;

-- name: add_events
-- Write down what was told of a shipment, what is known already aside. $1 shipment,
-- $2 ids, $3 statuses, $4 when each happened.
INSERT INTO shipment_events (shipment_id, event_id, status, happened_at)
SELECT $1, told.id, told.status, told.happened_at
FROM unnest($2::text[], $3::text[], $4::timestamptz[]) AS told (id, status, happened_at)
ON CONFLICT DO NOTHING;

-- name: events
-- All that is known of a shipment. $1 shipment.
SELECT event_id, status, happened_at FROM shipment_events WHERE shipment_id = $1;

-- name: move
-- Write where a shipment is, and that it was heard of. $1 id, $2 status, $3 when it was
-- delivered (NULL for not yet), $4 now. It is locked by the caller, and neither pending
-- nor canceled.
UPDATE shipments SET status = $2, delivered_at = $3, heard_at = $4 WHERE id = $1;

-- name: take_quiet
-- Take shipments under way that nobody has heard of since before $1, longest first, at
-- most $2, and count it as asked for now, $3. Several workers get different ones.
UPDATE shipments SET heard_at = $3
WHERE id IN (
    SELECT id FROM shipments
    WHERE carried_by = 'carrier' AND heard_at < $1
      AND status IN ('created', 'in_transit', 'out_for_delivery', 'exception')
    ORDER BY heard_at LIMIT $2
    FOR NO KEY UPDATE SKIP LOCKED)
RETURNING id, tracking_number;

-- name: count_open
-- How many shipments have not come to a good end, by status. Those that were put up for
-- shipping again are no longer anybody's concern.
SELECT status, count(*) AS shipments FROM shipments
WHERE status IN ('pending', 'created', 'in_transit', 'out_for_delivery', 'exception',
                 'lost', 'returned')
  AND reshipped_at IS NULL
GROUP BY status;
