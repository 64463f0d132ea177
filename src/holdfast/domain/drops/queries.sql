-- name: add_drop
-- Announce a drop. $1 id, $2 name, $3 opens at, $4 closes at or NULL, $5 guests, $6 most
-- units, $7 most tickets, $8 how many a minute or NULL, $9 seconds of a pass,
-- $10 variants, $11 commitment, $12 by whom, $13 now.
WITH made AS (
    INSERT INTO drops (id, name, opens_at, closes_at, guests, most_units, most_tickets,
                       per_minute, pass_seconds, variant_ids, commitment, created_by,
                       created_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10::uuid[], $11, $12, $13)
    RETURNING id, variant_ids
)
INSERT INTO drop_variants (variant_id, drop_id)
SELECT v.id, made.id FROM made, unnest(made.variant_ids) AS v (id);

-- name: drops
-- Drops, newest first. $1 the only one or NULL, $2 before this id or NULL, $3 how many.
SELECT d.id, d.name, d.opens_at, d.closes_at, d.guests, d.most_units, d.most_tickets,
       d.per_minute, d.pass_seconds, d.variant_ids,
       ARRAY(SELECT v.sku FROM unnest(d.variant_ids) WITH ORDINALITY AS n (id, place)
             JOIN variants v ON v.id = n.id ORDER BY n.place) AS skus,
       d.commitment, d.issued, d.drawn, d.admitted, d.drawn_at, d.paced_at, d.ended_at,
       d.created_at
FROM drops d
WHERE ($1::uuid IS NULL OR d.id = $1) AND ($2::uuid IS NULL OR d.id < $2)
ORDER BY d.id DESC
LIMIT $3;

-- name: drops_on
-- Drops that have not ended and open before a moment, whatever they sell. $1 that
-- moment. For every process, again and again.
SELECT d.id, d.name, d.opens_at, d.closes_at, d.guests, d.most_units, d.most_tickets,
       d.per_minute, d.pass_seconds, d.variant_ids, '{}'::text[] AS skus,
       d.commitment, d.issued, d.drawn, d.admitted, d.drawn_at, d.paced_at, d.ended_at,
       d.created_at
FROM drops d
WHERE d.ended_at IS NULL AND d.opens_at <= $1;

-- name: change_drop
-- Change what may be changed while people wait. $1 id, $2 closes at, $3 how many a
-- minute. Returns a row, or none if it has ended or is not there.
UPDATE drops SET closes_at = $2, per_minute = $3
WHERE id = $1 AND ended_at IS NULL
RETURNING id;

-- name: end_drop
-- End a drop: its variants are sold to anybody. $1 id, $2 now. Returns a row, or none
-- if it had ended or is not there.
WITH ended AS (
    UPDATE drops SET ended_at = $2 WHERE id = $1 AND ended_at IS NULL RETURNING id
), free AS (
    DELETE FROM drop_variants WHERE drop_id IN (SELECT id FROM ended)
)
SELECT id FROM ended;

-- name: issue_tickets
-- Give out tickets. $1 drop, $2 ids, $3 holders, $4 how many each holder may have, $5
-- now; in the order in which they asked. Locks the drop. Returns the tickets that were
-- made, with their places once the lots are drawn: none for a holder who has as many
-- as they may. When another process gave one of them a ticket at the same moment it
-- breaks drop_tickets_once, and is to be tried again.
WITH door AS MATERIALIZED (
    SELECT id, issued, drawn_at FROM drops WHERE id = $1 AND ended_at IS NULL FOR UPDATE
), had AS (
    SELECT holder, count(*) AS number FROM drop_tickets
    WHERE drop_id = $1 AND holder = ANY($3::bytea[])
    GROUP BY holder
), asked AS (
    SELECT n.id, n.holder, n.most, n.place,
           row_number() OVER (PARTITION BY n.holder ORDER BY n.place) AS nth
    FROM unnest($2::uuid[], $3::bytea[], $4::integer[])
        WITH ORDINALITY AS n (id, holder, most, place)
), wanted AS (
    SELECT a.id, a.holder, a.nth + coalesce(h.number, 0) AS number,
           row_number() OVER (ORDER BY a.place) AS place
    FROM asked a LEFT JOIN had h ON h.holder = a.holder
    WHERE a.nth + coalesce(h.number, 0) <= a.most
), made AS (
    INSERT INTO drop_tickets (id, drop_id, holder, number, position, issued_at)
    SELECT w.id, door.id, w.holder, w.number,
           CASE WHEN door.drawn_at IS NOT NULL THEN door.issued + w.place END, $5
    FROM door CROSS JOIN wanted w
    RETURNING id, position
), counted AS (
    UPDATE drops SET issued = issued + (SELECT count(*) FROM made)
    WHERE id = $1 AND EXISTS (SELECT FROM made)
)
SELECT id, position FROM made;

-- name: tickets_of
-- The tickets of one holder. $1 drop, $2 holder.
SELECT id, position FROM drop_tickets WHERE drop_id = $1 AND holder = $2 ORDER BY number;

-- name: places
-- The places of tickets. $1 ids. Those that exist.
SELECT id, position FROM drop_tickets WHERE id = ANY($1::uuid[]);

-- name: begin_draw
-- Open the door: from here on who comes stands behind. $1 drop, $2 now. Returns a row
-- to the one that is to draw the lots, none if it is too early or was done.
UPDATE drops SET drawn_at = $2, drawn = issued, paced_at = $2
WHERE id = $1 AND drawn_at IS NULL AND opens_at <= $2 AND ended_at IS NULL
RETURNING id, drawn;

-- name: draw_lots
-- Give everybody who has come a place, by lot. $1 drop, $2 seed. In the transaction of
-- begin_draw.
UPDATE drop_tickets t SET position = lots.place
FROM (
    SELECT id, row_number() OVER (ORDER BY sha256($2::bytea || uuid_send(id)), id)
        AS place
    FROM drop_tickets WHERE drop_id = $1
) AS lots
WHERE t.id = lots.id;

-- name: admit
-- Let in so many more. $1 drop, $2 how many, $3 now, $4 when that was done last. Returns
-- how far the line has come, or no row if another process was first.
WITH moved AS (
    UPDATE drops SET admitted = least(issued, admitted + $2), paced_at = $3
    WHERE id = $1 AND paced_at = $4 AND ended_at IS NULL
    RETURNING id, admitted
), noted AS (
    INSERT INTO drop_admissions (drop_id, admitted, at)
    SELECT id, admitted, $3 FROM moved
    ON CONFLICT DO NOTHING
)
SELECT admitted FROM moved;

-- name: enter
-- Somebody comes whose turn it is: their time begins with the first time they do. $1
-- ticket, $2 now, $3 how many seconds a turn waits for who does not come. Returns since
-- when they are in, NULL if it is not their turn, and whether they missed it; no row if
-- there is no such ticket.
WITH turn AS (
    SELECT t.id, t.admitted_at, (
        SELECT a.at FROM drop_admissions a
        WHERE a.drop_id = t.drop_id AND a.admitted >= t.position
        ORDER BY a.admitted LIMIT 1
    ) AS reached_at
    FROM drop_tickets t WHERE t.id = $1
), came AS (
    UPDATE drop_tickets t SET admitted_at = coalesce(t.admitted_at, $2)
    FROM turn
    WHERE t.id = turn.id AND turn.reached_at IS NOT NULL
      AND (t.admitted_at IS NOT NULL
           OR turn.reached_at + make_interval(secs => $3) >= $2)
    RETURNING t.admitted_at
)
SELECT came.admitted_at,
       turn.reached_at IS NOT NULL AND came.admitted_at IS NULL AS missed
FROM turn LEFT JOIN came ON true;

-- name: lock_ticket
-- Take a ticket, so that two orders with it come one after the other. $1 ticket.
SELECT drop_id FROM drop_tickets WHERE id = $1 FOR UPDATE;

-- name: bought
-- Units bought with a ticket, without what failed or was canceled. $1 ticket.
SELECT coalesce(sum(p.units), 0)::bigint AS units
FROM drop_purchases p JOIN orders o ON o.id = p.order_id
WHERE p.ticket_id = $1 AND o.status NOT IN ('failed', 'canceled');

-- name: note_purchase
-- Note what an order has bought with a ticket. $1 order, $2 ticket, $3 units.
INSERT INTO drop_purchases (order_id, ticket_id, units) VALUES ($1, $2, $3);

-- name: note_capacity
-- Note what a process can serve, and forget processes that have not said so for a
-- minute. $1 process, $2 how many a second, $3 now. Returns what all can serve together,
-- this one included.
WITH gone AS (
    DELETE FROM drop_capacity
    WHERE measured_at < $3::timestamptz - interval '1 minute' AND process_id <> $1
), noted AS (
    INSERT INTO drop_capacity (process_id, per_second, measured_at)
    VALUES ($1, $2::float8, $3::timestamptz)
    ON CONFLICT (process_id) DO UPDATE
    SET per_second = EXCLUDED.per_second, measured_at = EXCLUDED.measured_at
)
SELECT $2::float8 + coalesce(sum(per_second), 0) AS per_second
FROM drop_capacity
WHERE process_id <> $1 AND measured_at >= $3::timestamptz - interval '10 seconds';

-- name: forget_tickets
-- Drop the tickets of drops that ended before $1, at most $2 of them; their purchases go
-- with them. Returns one row each.
DELETE FROM drop_tickets
WHERE id IN (
    SELECT t.id FROM drop_tickets t JOIN drops d ON d.id = t.drop_id
    WHERE d.ended_at < $1 LIMIT $2
)
RETURNING 1 AS forgotten;

-- name: tickets_held
-- Every ticket of one holder, with what was bought with it. $1 holder.
SELECT t.drop_id, d.name, t.position, t.issued_at, t.admitted_at, (
           SELECT coalesce(jsonb_agg(jsonb_build_array(p.order_id, p.units)
                                     ORDER BY p.order_id), '[]')
           FROM drop_purchases p WHERE p.ticket_id = t.id
       ) AS purchases
FROM drop_tickets t JOIN drops d ON d.id = t.drop_id
WHERE t.holder = $1
ORDER BY t.id;

-- name: forget_holder
-- Let tickets say nothing of their holder; their places and what was bought with them
-- stay, so that the limits of the drop hold. $1 holder. Returns one row each.
UPDATE drop_tickets SET holder = uuid_send(id) WHERE holder = $1
RETURNING 1 AS forgotten;
