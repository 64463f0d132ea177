-- name: add_refund
-- Note that money is to go back. $1 id, $2 order, $3 amount, $4 currency, $5 reason,
-- $6 who asks, $7 now, $8 the failed refund that this tries again (or NULL), $9 whether
-- it is stray, $10 when the timer takes it up. Returns one row, or none where it stands
-- already. A second try of one refund breaks refunds_retried_once, a second stray one
-- of an order refunds_stray_once.
INSERT INTO refunds (id, order_id, amount, currency, status, reason, requested_by,
                     requested_at, retry_of, stray, try_at)
VALUES ($1, $2, $3, $4, 'pending', $5, $6, $7, $8, $9, $10)
ON CONFLICT (id) DO NOTHING
RETURNING id;

-- name: refund
-- A refund. $1 id. One row or none.
SELECT id, order_id, amount, currency, status, reason, reference, failure_reason,
       requested_by, requested_at, settled_at, retry_of, stray, tries
FROM refunds WHERE id = $1;

-- name: refunds_of_order
-- The refunds of an order, oldest first. $1 order, $2 how many at most.
SELECT id, order_id, amount, currency, status, reason, reference, failure_reason,
       requested_by, requested_at, settled_at, retry_of, stray, tries
FROM refunds WHERE order_id = $1 ORDER BY id LIMIT $2;

-- name: refunds_by_key
-- Refunds by their keys. $1 ids. Those that exist.
SELECT id, order_id, amount, currency, status, reason, reference, failure_reason,
       requested_by, requested_at, settled_at, retry_of, stray, tries
FROM refunds WHERE id = ANY($1);

-- name: refunds_since
-- Refunds that the provider made, in the order of their ids; not those of orders that
-- were paid to the shop itself. $1 requested at or after, $2 after this id (NULL for the
-- start), $3 how many.
SELECT id, order_id, amount, currency, status, reason, reference, failure_reason,
       requested_by, requested_at, settled_at, retry_of, stray, tries
FROM refunds
WHERE status = 'succeeded' AND requested_at >= $1 AND ($2::uuid IS NULL OR id > $2)
  AND NOT EXISTS (SELECT FROM orders o WHERE o.id = refunds.order_id AND o.paid_outside)
ORDER BY id LIMIT $3;

-- name: failed_since
-- Orders of which a refund failed, in the order of their ids. $1 failed at or after, $2
-- after this order (NULL for the start), $3 how many.
SELECT DISTINCT order_id AS id FROM refunds
WHERE status = 'failed' AND settled_at >= $1 AND ($2::uuid IS NULL OR order_id > $2)
ORDER BY order_id LIMIT $3;

-- name: end_refund
-- End a pending refund. $1 id, $2 status, $3 the provider's reference (NULL keeps what is
-- known), $4 why it failed (or NULL), $5 now. Returns one row to the one who ends it,
-- none if it had ended before.
UPDATE refunds
SET status = $2, reference = coalesce($3, reference), failure_reason = $4,
    settled_at = $5
WHERE id = $1 AND status = 'pending'
RETURNING id;

-- name: put_off_refund
-- The provider has not ended a pending refund yet. $1 id, $2 its reference if it is known,
-- $3 when to ask next.
UPDATE refunds
SET tries = tries + 1, reference = coalesce($2, reference), try_at = $3
WHERE id = $1 AND status = 'pending';

-- name: due_refunds
-- Pending refunds whose next try has come, longest due first. $1 now, $2 how many, $3 and
-- $4 time and id of the last one seen (NULL for the start).
SELECT id, try_at FROM refunds
WHERE status = 'pending' AND try_at <= $1
  AND ($3::timestamptz IS NULL OR (try_at, id) > ($3, $4::uuid))
ORDER BY try_at, id LIMIT $2;

-- name: begin_closing
-- Note that an authorised charge is to be captured or voided. $1 order, $2 kind, $3
-- amount, $4 currency, $5 who asks, $6 now, $7 when the timer takes it up. Returns one
-- row to the one who begins it, none where another was begun that has not failed.
INSERT INTO charge_closings (order_id, kind, amount, currency, status, requested_by,
                             requested_at, try_at)
VALUES ($1, $2, $3, $4, 'pending', $5, $6, $7)
ON CONFLICT (order_id) DO UPDATE
SET kind = excluded.kind, amount = excluded.amount, currency = excluded.currency,
    status = 'pending', failure_reason = NULL, requested_by = excluded.requested_by,
    requested_at = excluded.requested_at, settled_at = NULL, tries = 0,
    try_at = excluded.try_at
WHERE charge_closings.status = 'failed'
RETURNING order_id;

-- name: closing
-- How the charge of an order ends. $1 order. One row or none.
SELECT order_id, kind, amount, currency, status, failure_reason, requested_by,
       requested_at, settled_at, tries
FROM charge_closings WHERE order_id = $1;

-- name: end_closing
-- End a pending closing. $1 order, $2 kind, $3 status, $4 why it failed (or NULL), $5
-- now. Returns one row to the one who ends it, none if it had ended before.
UPDATE charge_closings
SET status = $3, failure_reason = $4, settled_at = $5
WHERE order_id = $1 AND kind = $2 AND status = 'pending'
RETURNING order_id;

-- name: put_off_closing
-- The provider did not say what became of a pending closing. $1 order, $2 when to ask
-- next.
UPDATE charge_closings SET tries = tries + 1, try_at = $2
WHERE order_id = $1 AND status = 'pending';

-- name: due_closings
-- Orders whose pending closing is to be tried, longest due first. $1 now, $2 how many, $3
-- and $4 time and order of the last one seen (NULL for the start).
SELECT order_id AS id, try_at FROM charge_closings
WHERE status = 'pending' AND try_at <= $1
  AND ($3::timestamptz IS NULL OR (try_at, order_id) > ($3, $4::uuid))
ORDER BY try_at, order_id LIMIT $2;

-- name: left_open
-- Orders with money set aside that should not be any more: something was shipped, or the
-- order was canceled, and nobody has noted what is to be done. $1 how many.
SELECT o.id FROM orders o
WHERE o.payment_status = 'authorized'
  AND (o.status = 'canceled' OR o.fulfilment_status <> 'unfulfilled')
  AND NOT EXISTS (SELECT FROM charge_closings c WHERE c.order_id = o.id)
ORDER BY o.id LIMIT $1;

-- name: note_action
-- Note what a buyer has to do, or that it is still to be done. $1 order, $2 reference,
-- $3 address, $4 now, $5 when to look again.
INSERT INTO payment_actions (order_id, reference, url, asked_at, look_at)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (order_id) DO UPDATE
SET reference = excluded.reference, url = excluded.url, look_at = excluded.look_at;

-- name: action
-- What the buyer of an order has to do. $1 order. One row or none.
SELECT order_id, reference, url, asked_at FROM payment_actions WHERE order_id = $1;

-- name: resting_actions
-- Of these orders, those whose buyer was looked after just now. $1 orders, $2 now.
SELECT order_id FROM payment_actions WHERE order_id = ANY($1) AND look_at > $2;

-- name: forget_actions
-- Forget what buyers had to do for orders that have been settled. $1 asked before, $2
-- how many. Returns one row each.
DELETE FROM payment_actions
WHERE order_id IN (
    SELECT a.order_id FROM payment_actions a
    JOIN orders o ON o.id = a.order_id AND o.status <> 'pending'
    WHERE a.asked_at < $1 ORDER BY a.asked_at LIMIT $2)
RETURNING 1 AS forgotten;

-- name: note_event
-- Take a webhook, once. $1 provider, $2 id of the event, $3 its type, $4 now. Returns
-- one row to the first; waits for a copy that is being acted on, and then returns none.
INSERT INTO provider_events (provider, event_id, type, received_at)
VALUES ($1, $2, $3, $4)
ON CONFLICT (provider, event_id) DO NOTHING
RETURNING event_id;

-- name: forget_provider_events
-- Forget webhooks that are too old to come again. $1 received before, $2 how many.
-- Returns one row each.
DELETE FROM provider_events
WHERE (provider, event_id) IN (
    SELECT e.provider, e.event_id FROM provider_events e
    WHERE e.received_at < $1 ORDER BY e.received_at LIMIT $2)
RETURNING 1 AS forgotten;

-- name: note_discrepancy
-- Write a difference down, or that it is still there. $1 id, $2 kind, $3 subject, $4
-- order, $5 detail, $6 now. Returns whether it is new.
INSERT INTO discrepancies (id, kind, subject, order_id, detail, found_at, seen_at)
VALUES ($1, $2, $3, $4, $5, $6, $6)
ON CONFLICT (kind, subject) WHERE resolved_at IS NULL DO UPDATE
SET detail = excluded.detail, seen_at = excluded.seen_at
RETURNING id = $1 AS is_new;

-- name: resolve_discrepancies
-- Close the differences of one subject that are not there any more. $1 subject, $2 kinds
-- that are still there, $3 now. Returns one row each.
UPDATE discrepancies SET resolved_at = $3
WHERE subject = $1 AND resolved_at IS NULL AND NOT kind = ANY($2)
RETURNING id;

-- name: discrepancies
-- Differences, newest first. $1 before this id (NULL for the start), $2 how many, $3
-- whether only those that are open.
SELECT id, kind, subject, order_id, detail, found_at, seen_at, resolved_at
FROM discrepancies
WHERE ($1::uuid IS NULL OR id < $1) AND (NOT $3 OR resolved_at IS NULL)
ORDER BY id DESC LIMIT $2;

-- name: count_discrepancies
-- How many differences are open.
SELECT count(*) FROM discrepancies WHERE resolved_at IS NULL;

-- name: owed
-- What orders owe and have paid, by their ids. $1 ids. Those that exist. `worth` is what
-- is to be paid in money for what was not canceled, `unpaid` what goods that came back
-- should have brought: of their refunds those that failed and were not tried again.
SELECT o.id, o.currency, o.status, o.payment_status, o.fulfilment_status,
       o.total_amount, o.captured_amount, o.refunded_amount, o.refunding_amount,
       o.placed_at, o.payment_reference, greatest(0, l.kept - o.credit_amount
           + CASE WHEN l.units > 0 THEN o.shipping_amount ELSE 0 END) AS worth,
       c.kind AS closing, c.status AS closing_status, o.paid_outside, (
           SELECT coalesce(sum(f.amount), 0)::bigint FROM refunds f
           WHERE f.order_id = o.id AND f.status = 'failed'
             AND NOT EXISTS (SELECT FROM refunds again WHERE again.retry_of = f.id)
             AND EXISTS (
                 WITH RECURSIVE tries AS (
                     SELECT f.id, f.retry_of
                     UNION ALL
                     SELECT b.id, b.retry_of
                     FROM refunds b JOIN tries t ON b.id = t.retry_of
                 )
                 SELECT FROM return_refunds w JOIN tries t ON t.id = w.refund_id)
       ) AS unpaid
FROM orders o
LEFT JOIN charge_closings c ON c.order_id = o.id
CROSS JOIN LATERAL (
    SELECT coalesce(sum(n.quantity - n.canceled_quantity), 0)::bigint AS units,
           coalesce(sum((n.quantity - n.canceled_quantity) * n.unit_price_amount), 0
           )::bigint AS kept
    FROM order_lines n WHERE n.order_id = o.id
) l
WHERE o.id = ANY($1);

-- name: paid_since
-- Orders whose money was captured or set aside by a charge, in the order of their ids. $1
-- placed at or after, $2 after this id (NULL for the start), $3 how many.
SELECT id FROM orders
WHERE placed_at >= $1 AND ($2::uuid IS NULL OR id > $2) AND total_amount > 0
  AND NOT paid_outside
  AND payment_status IN ('authorized', 'captured', 'partially_refunded', 'refunded')
ORDER BY id LIMIT $3;

-- name: lock_money
-- Hold an order while something is decided about its money. $1 id. Locks the order; one
-- row or none.
SELECT id FROM orders WHERE id = $1 FOR NO KEY UPDATE;
