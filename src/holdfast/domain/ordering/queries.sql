-- name: open_cart
-- Create a cart with its lines. $1 id, $2 token hash, $3 currency, $4 the person,
-- sealed, $5 account, $6 shipping method, $7 shipping amount, $8 shipping source,
-- $9 now, $10 line ids, $11 variants, $12 quantities, $13 unit prices set by an
-- operator (NULL for the catalogue's), $14 cart or draft, $15 who prepared a draft, $16
-- what goods that came back pay of it, $17 with which return, $18 index of the e-mail,
-- $19 when the shipping price was asked for.
-- One statement: the cart and all lines, or nothing.
WITH opened AS (
    INSERT INTO carts (id, token_hash, status, currency, sealed, account_id,
                       shipping_method, shipping_amount, shipping_source,
                       created_at, updated_at, kind, prepared_by, credit_amount,
                       return_id, email_index, shipping_quoted_at)
    VALUES ($1, $2, 'open', $3, $4, $5, $6, $7, $8, $9, $9, $14, $15, $16, $17, $18,
            $19)
)
INSERT INTO cart_lines (cart_id, id, variant_id, quantity, unit_price_override)
SELECT $1, line.id, line.variant_id, line.quantity, line.unit_price
FROM unnest($10::uuid[], $11::uuid[], $12::bigint[], $13::bigint[])
    AS line (id, variant_id, quantity, unit_price);

-- name: cart
-- A cart with its lines and all that can decide their prices for whose it is. $1 id. One
-- row or none.
SELECT c.id, c.token_hash, c.status, c.version, c.currency, c.account_id, c.sealed,
       c.email, c.shipping_address, c.shipping_method, c.shipping_amount,
       c.shipping_source, c.created_at, c.updated_at, c.kind, c.merged_into,
       c.prepared_by, c.credit_amount, c.return_id, c.shipping_quoted_at, l.lines
FROM carts c
CROSS JOIN LATERAL (
    SELECT coalesce(jsonb_agg(jsonb_build_array(
               l.id, l.variant_id, v.sku, p.title, v.title, l.quantity,
               l.unit_price_override, v.currency, v.price_amount, v.weight_grams,
               status_at(p.status, p.publish_at, p.unpublish_at, now()) = 'active', (
                   SELECT jsonb_agg(r.entry) FROM prices_on_record r
                   WHERE l.unit_price_override IS NULL
                     AND r.variant_id = v.id AND r.currency = c.currency
                     AND (r.group_id IS NULL OR EXISTS (
                         SELECT FROM customer_group_members m
                         WHERE m.account_id = c.account_id
                           AND m.group_id = r.group_id)))
               ) ORDER BY l.id), '[]') AS lines
    FROM cart_lines l
    JOIN variants v ON v.id = l.variant_id
    JOIN products p ON p.id = v.product_id
    WHERE l.cart_id = c.id
) l
WHERE c.id = $1;

-- name: lock_cart
-- Lock an open cart for a change of it or of its lines, and count the change.
-- $1 id, $2 now. Returns one row, or none if the cart is not open.
UPDATE carts SET version = version + 1, updated_at = $2
WHERE id = $1 AND status = 'open'
RETURNING 1 AS locked;

-- name: change_cart
-- Write what an operator or buyer changed. $1 id, $2 the person, sealed, $3 method,
-- $4 shipping amount, $5 shipping source, $6 index of the e-mail, $7 when the shipping
-- price was asked for. The cart is locked by the caller.
UPDATE carts
SET sealed = $2, email = NULL, shipping_address = NULL, shipping_method = $3,
    shipping_amount = $4, shipping_source = $5, email_index = $6,
    shipping_quoted_at = $7
WHERE id = $1;

-- name: renew_shipping
-- Write what sending an open cart costs by now, which is no change of what is in it. $1
-- id, $2 the version that was asked about, $3 shipping amount, $4 shipping source, $5 now.
-- Locks the cart. Returns one row, or none if it was changed or ordered meanwhile.
UPDATE carts
SET shipping_amount = $3, shipping_source = $4, shipping_quoted_at = $5
WHERE id = $1 AND version = $2 AND status = 'open'
RETURNING 1 AS renewed;

-- name: add_line
-- Put a line into a locked cart. $1 cart, $2 line, $3 variant, $4 quantity, $5 unit
-- price or NULL.
INSERT INTO cart_lines (cart_id, id, variant_id, quantity, unit_price_override)
VALUES ($1, $2, $3, $4, $5);

-- name: change_line
-- Change the quantity of a line of a locked cart. $1 cart, $2 line, $3 quantity.
-- Returns one row, or none if the cart has no such line.
UPDATE cart_lines SET quantity = $3 WHERE cart_id = $1 AND id = $2 RETURNING id;

-- name: remove_line
-- Take a line out of a locked cart. $1 cart, $2 line. Returns one row, or none if the
-- cart has no such line.
DELETE FROM cart_lines WHERE cart_id = $1 AND id = $2 RETURNING id;

-- name: take_cart
-- Close an open cart for its order and read it in the same statement. $1 id, $2 now.
-- Locks the cart. Returns one row, or none if the cart is not open (any more).
-- version_read is the version that the lines belong to: it is older than
-- version when a change was committed while this statement waited for the lock, and
-- then the lines must be read again.
WITH taken AS (
    UPDATE carts SET status = 'ordered', updated_at = $2
    WHERE id = $1 AND status = 'open'
    RETURNING id, token_hash, status, version, currency, account_id, sealed, email,
              shipping_address, shipping_method, shipping_amount, shipping_source,
              created_at, updated_at, kind, merged_into, prepared_by,
              credit_amount, return_id, shipping_quoted_at
)
SELECT t.id, t.token_hash, t.status, t.version, t.currency, t.account_id, t.sealed,
       t.email, t.shipping_address, t.shipping_method, t.shipping_amount,
       t.shipping_source, t.created_at, t.updated_at, t.kind, t.merged_into,
       t.prepared_by, t.credit_amount, t.return_id, t.shipping_quoted_at, l.lines,
       (SELECT c.version FROM carts c WHERE c.id = $1) AS version_read
FROM taken t
CROSS JOIN LATERAL (
    SELECT coalesce(jsonb_agg(jsonb_build_array(
               l.id, l.variant_id, v.sku, p.title, v.title, l.quantity,
               l.unit_price_override, v.currency, v.price_amount, v.weight_grams,
               status_at(p.status, p.publish_at, p.unpublish_at, $2) = 'active', (
                   SELECT jsonb_agg(r.entry) FROM prices_on_record r
                   WHERE l.unit_price_override IS NULL
                     AND r.variant_id = v.id AND r.currency = t.currency
                     AND (r.group_id IS NULL OR EXISTS (
                         SELECT FROM customer_group_members m
                         WHERE m.account_id = t.account_id
                           AND m.group_id = r.group_id)))
               ) ORDER BY l.id), '[]') AS lines
    FROM cart_lines l
    JOIN variants v ON v.id = l.variant_id
    JOIN products p ON p.id = v.product_id
    WHERE l.cart_id = t.id
) l;

-- name: account_turn
-- Wait until nobody else merges carts of an account, and keep others waiting until the
-- transaction ends. $1 account.
SELECT pg_advisory_xact_lock(hashtextextended($1::uuid::text, 0));

-- name: newest_open_cart
-- The open cart of an account that was opened last; draft orders are not carts of
-- theirs. $1 account, $2 currency (NULL for any), $3 a cart to leave out or NULL.
-- Returns its id, or none.
SELECT id FROM carts
WHERE account_id = $1 AND status = 'open' AND kind = 'cart'
  AND ($2::text IS NULL OR currency = $2) AND id IS DISTINCT FROM $3
ORDER BY id DESC
LIMIT 1;

-- name: lock_carts
-- Lock carts and count a change of each that is open. $1 ids, $2 now. Takes the locks in
-- the order of the ids, so that two who want the same pair do not wait for each other.
-- Returns the ids of those that are open.
WITH locked AS (
    SELECT id FROM carts WHERE id = ANY($1::uuid[]) ORDER BY id FOR NO KEY UPDATE
)
UPDATE carts SET version = version + 1, updated_at = $2
FROM locked
WHERE carts.id = locked.id AND carts.status = 'open'
RETURNING carts.id;

-- name: merge_lines
-- Add the lines of one locked cart to another. $1 from, $2 to, $3 the most that a line may
-- have. Units of a variant at the catalogue's price go into one line, up to $3; lines
-- with an operator's price stay lines of their own. Returns how many lines the other
-- has then.
WITH brought AS (
    SELECT variant_id, least(sum(quantity), $3::bigint)::bigint AS quantity,
           (array_agg(id ORDER BY id))[1] AS id
    FROM cart_lines WHERE cart_id = $1 AND unit_price_override IS NULL
    GROUP BY variant_id
), there AS (
    SELECT DISTINCT ON (variant_id) variant_id, id
    FROM cart_lines WHERE cart_id = $2 AND unit_price_override IS NULL
    ORDER BY variant_id, id
), summed AS (
    UPDATE cart_lines line SET quantity = least(line.quantity + b.quantity, $3)
    FROM brought b JOIN there t USING (variant_id)
    WHERE line.cart_id = $2 AND line.id = t.id
), added AS (
    INSERT INTO cart_lines (cart_id, id, variant_id, quantity, unit_price_override)
    SELECT $2, b.id, b.variant_id, b.quantity, NULL
    FROM brought b
    WHERE NOT EXISTS (SELECT FROM there t WHERE t.variant_id = b.variant_id)
    UNION ALL
    SELECT $2, id, variant_id, quantity, unit_price_override
    FROM cart_lines WHERE cart_id = $1 AND unit_price_override IS NOT NULL
    RETURNING 1
)
SELECT (SELECT count(*) FROM cart_lines WHERE cart_id = $2)
     + (SELECT count(*) FROM added) AS lines;

-- name: close_merged
-- Close a locked cart whose lines another has taken, and forget who filled it. $1 id,
-- $2 the other, $3 account.
UPDATE carts
SET status = 'merged', merged_into = $2, account_id = $3, sealed = NULL, email = NULL,
    shipping_address = NULL, email_index = NULL
WHERE id = $1;

-- name: give_cart
-- Give a locked cart to an account, and to nobody else who held its token. $1 id,
-- $2 account, $3 hash of a token that nobody has.
UPDATE carts SET account_id = $2, token_hash = $3 WHERE id = $1;

-- name: expire_carts
-- Close open carts that were not changed for long, and forget who filled them; draft
-- orders stay. $1 not changed since, $2 ids below this (they begin with the time the cart
-- was opened), $3 after this id (NULL for the start), $4 how many. Carts that somebody
-- is changing are passed over. Returns id, token hash and account of each.
UPDATE carts
SET status = 'expired', sealed = NULL, email = NULL, shipping_address = NULL,
    email_index = NULL
WHERE id IN (
    SELECT id FROM carts
    WHERE status = 'open' AND kind = 'cart' AND id < $2
      AND ($3::uuid IS NULL OR id > $3) AND updated_at < $1
    ORDER BY id LIMIT $4
    FOR NO KEY UPDATE SKIP LOCKED)
RETURNING id, token_hash, account_id;

-- name: drafts
-- Draft orders, newest first, with their lines at today's prices and the order that each
-- became. $1 before this id (NULL for the start), $2 how many, $3 status (NULL for any),
-- $4 account (NULL for any), $5 who prepared it (NULL for anybody), $6 this one alone
-- (NULL for all).
SELECT c.id, c.token_hash, c.status, c.version, c.currency, c.account_id, c.sealed,
       c.email, c.shipping_address, c.shipping_method, c.shipping_amount,
       c.shipping_source, c.created_at, c.updated_at, c.kind, c.merged_into,
       c.prepared_by, c.credit_amount, c.return_id, c.shipping_quoted_at, l.lines,
       (SELECT o.id FROM orders o
        WHERE o.cart_id = c.id AND o.status <> 'failed') AS order_id
FROM carts c
CROSS JOIN LATERAL (
    SELECT coalesce(jsonb_agg(jsonb_build_array(
               l.id, l.variant_id, v.sku, p.title, v.title, l.quantity,
               l.unit_price_override, v.currency, v.price_amount, v.weight_grams,
               status_at(p.status, p.publish_at, p.unpublish_at, now()) = 'active', (
                   SELECT jsonb_agg(r.entry) FROM prices_on_record r
                   WHERE l.unit_price_override IS NULL
                     AND r.variant_id = v.id AND r.currency = c.currency
                     AND (r.group_id IS NULL OR EXISTS (
                         SELECT FROM customer_group_members m
                         WHERE m.account_id = c.account_id
                           AND m.group_id = r.group_id)))
               ) ORDER BY l.id), '[]') AS lines
    FROM cart_lines l
    JOIN variants v ON v.id = l.variant_id
    JOIN products p ON p.id = v.product_id
    WHERE l.cart_id = c.id
) l
WHERE c.kind = 'draft' AND ($1::uuid IS NULL OR c.id < $1)
  AND ($3::text IS NULL OR c.status = $3)
  AND ($4::uuid IS NULL OR c.account_id = $4)
  AND ($5::text IS NULL OR c.prepared_by = $5)
  AND ($6::uuid IS NULL OR c.id = $6)
ORDER BY c.id DESC
LIMIT $2;

-- name: replace_lines
-- Put other lines into a locked cart in place of those it has. $1 cart, $2 line ids,
-- $3 variants, $4 quantities, $5 unit prices set by an operator (NULL for the
-- catalogue's).
WITH gone AS (
    DELETE FROM cart_lines WHERE cart_id = $1
)
INSERT INTO cart_lines (cart_id, id, variant_id, quantity, unit_price_override)
SELECT $1, line.id, line.variant_id, line.quantity, line.unit_price
FROM unnest($2::uuid[], $3::uuid[], $4::bigint[], $5::bigint[])
    AS line (id, variant_id, quantity, unit_price);

-- name: hand_over_draft
-- Say whom a locked draft order is for. $1 id, $2 account or NULL.
UPDATE carts SET account_id = $2 WHERE id = $1;

-- name: discard_draft
-- Withdraw an open draft order, and forget whom it was for. $1 id, $2 now. Returns one
-- row, or none if it is not open.
UPDATE carts
SET status = 'discarded', sealed = NULL, email = NULL, shipping_address = NULL,
    email_index = NULL, updated_at = $2
WHERE id = $1 AND kind = 'draft' AND status = 'open'
RETURNING 1 AS discarded;

-- name: replace_token
-- Let another token open an open draft order, and the one before no more. $1 id, $2 hash
-- of the token. Returns one row, or none if it is not open.
UPDATE carts SET token_hash = $2
WHERE id = $1 AND kind = 'draft' AND status = 'open'
RETURNING 1 AS replaced;

-- name: order_of_cart
-- The order that a cart became, failed attempts aside. $1 cart. One row or none.
SELECT id FROM orders WHERE cart_id = $1 AND status <> 'failed';

-- name: add_order
-- Store a pending order with its lines. $1 id, $2 cart, $3 token hash, $4 currency,
-- $5 the person, sealed, $6 index of the e-mail, $7 shipping method, $8 shipping
-- amount, $9 shipping source, $10 subtotal, $11 total, $12 now, $13 variants,
-- $14 SKUs, $15 titles, $16 quantities, $17 unit prices, $18 account, $19 who placed it,
-- $20 what goods that came back pay of it, $21 the return that it belongs to. Returns
-- its number. A second order of one cart breaks orders_one_per_cart.
WITH placed AS (
    INSERT INTO orders (id, cart_id, token_hash, status, currency, sealed, email_index,
                        shipping_method, shipping_amount, shipping_source,
                        subtotal_amount, total_amount, placed_at, account_id,
                        placed_by, credit_amount, return_id)
    VALUES ($1, $2, $3, 'pending', $4, $5, $6, $7, $8, $9, $10, $11, $12, $18,
            $19, $20, $21)
    RETURNING number
), told AS (
    INSERT INTO order_events (order_id, kind, to_state, actor, happened_at)
    VALUES ($1, 'order', 'pending', $19, $12)
), written AS (
    INSERT INTO order_lines (order_id, position, variant_id, sku, title, quantity,
                             unit_price_amount)
    SELECT $1, line.position, line.variant_id, line.sku, line.title, line.quantity,
           line.unit_price
    FROM unnest($13::uuid[], $14::text[], $15::text[], $16::bigint[], $17::bigint[])
        WITH ORDINALITY AS line (variant_id, sku, title, quantity, unit_price, position)
)
SELECT number FROM placed;

-- name: mark_confirmed
-- Settle a pending order: its money is there, or promised. $1 id, $2 payment reference,
-- $3 whether it was captured, $4 who says so, $5 now. Returns one row to the one who
-- settles it, none if it was settled before.
WITH confirmed AS (
    UPDATE orders
    SET status = 'confirmed', payment_reference = $2, settled_at = $5,
        payment_status = CASE WHEN $3 THEN 'captured' ELSE 'authorized' END,
        captured_amount = CASE WHEN $3 THEN total_amount ELSE 0 END
    WHERE id = $1 AND status = 'pending' AND payment_status = 'pending'
    RETURNING id, payment_status
), told AS (
    INSERT INTO order_events (order_id, kind, from_state, to_state, actor, happened_at)
    SELECT c.id, change.kind, 'pending', change.to_state, $4, $5
    FROM confirmed c, LATERAL (
        VALUES ('order', 'confirmed'), ('payment', c.payment_status)
    ) AS change (kind, to_state)
)
SELECT id FROM confirmed;

-- name: mark_paid_outside
-- Settle a pending order that was paid elsewhere, to the shop itself. $1 id, $2 what the
-- operator knows the payment by, $3 who says so, $4 now. Returns one row to the one who
-- settles it, none if it was settled before.
WITH confirmed AS (
    UPDATE orders
    SET status = 'confirmed', payment_status = 'captured', paid_outside = true,
        captured_amount = total_amount, payment_reference = $2, settled_at = $4
    WHERE id = $1 AND status = 'pending' AND payment_status = 'pending'
    RETURNING id
), told AS (
    INSERT INTO order_events (order_id, kind, from_state, to_state, actor, happened_at)
    SELECT c.id, change.kind, 'pending', change.to_state, $3, $4
    FROM confirmed c, LATERAL (
        VALUES ('order', 'confirmed'), ('payment', 'captured')
    ) AS change (kind, to_state)
)
SELECT id FROM confirmed;

-- name: mark_failed
-- Settle a pending order as failed and open its cart again, so that the buyer can try
-- another payment. $1 id, $2 reason, $3 who says so, $4 now. Returns one row to the
-- one who settles it, none if it was settled before.
WITH failed AS (
    UPDATE orders
    SET status = 'failed', payment_status = 'failed', failure_reason = $2,
        settled_at = $4
    WHERE id = $1 AND status = 'pending' AND payment_status = 'pending'
    RETURNING id, cart_id
), reopened AS (
    UPDATE carts SET status = 'open', updated_at = $4
    FROM failed WHERE carts.id = failed.cart_id
), told AS (
    INSERT INTO order_events (order_id, kind, from_state, to_state, actor, happened_at)
    SELECT f.id, change.kind, 'pending', 'failed', $3, $4
    FROM failed f, (VALUES ('order'), ('payment')) AS change (kind)
)
SELECT id FROM failed;

-- name: order
-- An order with its lines. $1 id. One row or none.
SELECT o.id, o.number, o.cart_id, o.token_hash, o.status, o.currency, o.account_id,
       o.sealed, o.email, o.shipping_address, o.shipping_method, o.shipping_amount,
       o.shipping_source, o.subtotal_amount, o.total_amount, o.placed_at,
       o.payment_reference, o.paid_outside, o.failure_reason, o.settled_at,
       o.payment_status,
       o.fulfilment_status, o.captured_amount, o.refunded_amount, o.refunding_amount,
       o.credit_amount, o.placed_by, o.return_id, o.cancel_reason, o.canceled_at,
       o.completed_at, l.lines
FROM orders o
CROSS JOIN LATERAL (
    SELECT coalesce(jsonb_agg(jsonb_build_array(
               l.variant_id, l.sku, l.title, l.quantity, l.unit_price_amount,
               l.position, l.canceled_quantity, l.fulfilled_quantity,
               l.returned_quantity) ORDER BY l.position), '[]') AS lines
    FROM order_lines l WHERE l.order_id = o.id
) l
WHERE o.id = $1;

-- name: orders
-- Orders, newest first, with their lines. $1 before this id (NULL for the start),
-- $2 how many, $3 status (NULL for any).
SELECT o.id, o.number, o.cart_id, o.token_hash, o.status, o.currency, o.account_id,
       o.sealed, o.email, o.shipping_address, o.shipping_method, o.shipping_amount,
       o.shipping_source, o.subtotal_amount, o.total_amount, o.placed_at,
       o.payment_reference, o.paid_outside, o.failure_reason, o.settled_at,
       o.payment_status,
       o.fulfilment_status, o.captured_amount, o.refunded_amount, o.refunding_amount,
       o.credit_amount, o.placed_by, o.return_id, o.cancel_reason, o.canceled_at,
       o.completed_at, l.lines
FROM orders o
CROSS JOIN LATERAL (
    SELECT coalesce(jsonb_agg(jsonb_build_array(
               l.variant_id, l.sku, l.title, l.quantity, l.unit_price_amount,
               l.position, l.canceled_quantity, l.fulfilled_quantity,
               l.returned_quantity) ORDER BY l.position), '[]') AS lines
    FROM order_lines l WHERE l.order_id = o.id
) l
WHERE ($1::uuid IS NULL OR o.id < $1) AND ($3::text IS NULL OR o.status = $3)
ORDER BY o.id DESC
LIMIT $2;

-- name: overdue
-- Pending orders placed before $1, oldest first, at most $2: their payment has had
-- its time and somebody has to ask the provider. $3 and $4 are time and id of the
-- last one seen, NULL for the start.
SELECT id, placed_at FROM orders
WHERE status = 'pending' AND placed_at < $1
  AND ($3::timestamptz IS NULL OR (placed_at, id) > ($3, $4::uuid))
ORDER BY placed_at, id
LIMIT $2;

-- name: orders_by_email
-- Orders of one e-mail address, newest first, with their lines. $1 before this id
-- (NULL for the start), $2 how many, $3 status (NULL for any), $4 its index.
SELECT o.id, o.number, o.cart_id, o.token_hash, o.status, o.currency, o.account_id,
       o.sealed, o.email, o.shipping_address, o.shipping_method, o.shipping_amount,
       o.shipping_source, o.subtotal_amount, o.total_amount, o.placed_at,
       o.payment_reference, o.paid_outside, o.failure_reason, o.settled_at,
       o.payment_status,
       o.fulfilment_status, o.captured_amount, o.refunded_amount, o.refunding_amount,
       o.credit_amount, o.placed_by, o.return_id, o.cancel_reason, o.canceled_at,
       o.completed_at, l.lines
FROM orders o
CROSS JOIN LATERAL (
    SELECT coalesce(jsonb_agg(jsonb_build_array(
               l.variant_id, l.sku, l.title, l.quantity, l.unit_price_amount,
               l.position, l.canceled_quantity, l.fulfilled_quantity,
               l.returned_quantity) ORDER BY l.position), '[]') AS lines
    FROM order_lines l WHERE l.order_id = o.id
) l
WHERE o.email_index = $4 AND ($1::uuid IS NULL OR o.id < $1)
  AND ($3::text IS NULL OR o.status = $3)
ORDER BY o.id DESC
LIMIT $2;

-- name: orders_of_account
-- Orders of one account, newest first, with their lines. $1 before this id (NULL for
-- the start), $2 how many, $3 status (NULL for any), $4 account.
SELECT o.id, o.number, o.cart_id, o.token_hash, o.status, o.currency, o.account_id,
       o.sealed, o.email, o.shipping_address, o.shipping_method, o.shipping_amount,
       o.shipping_source, o.subtotal_amount, o.total_amount, o.placed_at,
       o.payment_reference, o.paid_outside, o.failure_reason, o.settled_at,
       o.payment_status,
       o.fulfilment_status, o.captured_amount, o.refunded_amount, o.refunding_amount,
       o.credit_amount, o.placed_by, o.return_id, o.cancel_reason, o.canceled_at,
       o.completed_at, l.lines
FROM orders o
CROSS JOIN LATERAL (
    SELECT coalesce(jsonb_agg(jsonb_build_array(
               l.variant_id, l.sku, l.title, l.quantity, l.unit_price_amount,
               l.position, l.canceled_quantity, l.fulfilled_quantity,
               l.returned_quantity) ORDER BY l.position), '[]') AS lines
    FROM order_lines l WHERE l.order_id = o.id
) l
WHERE o.account_id = $4 AND ($1::uuid IS NULL OR o.id < $1)
  AND ($3::text IS NULL OR o.status = $3)
ORDER BY o.id DESC
LIMIT $2;

-- name: attach_orders
-- Give the orders that guests made with an e-mail address to its account. $1 index of
-- the address, $2 account. Returns one row each.
UPDATE orders SET account_id = $2
WHERE email_index = $1 AND account_id IS NULL
RETURNING 1 AS attached;

-- name: forget_carts
-- Forget who filled the carts of an account, also those that it ordered as a guest, and
-- whom the carts of guests and draft orders with its addresses are for. $1 account, $2
-- indexes of the addresses. Returns one row each.
UPDATE carts
SET sealed = NULL, email = NULL, shipping_address = NULL, email_index = NULL
WHERE id IN (SELECT c.id FROM carts c WHERE c.account_id = $1
             UNION ALL
             SELECT o.cart_id FROM orders o WHERE o.account_id = $1
             UNION ALL
             SELECT c.id FROM carts c
             WHERE c.email_index = ANY($2::bytea[]) AND c.email_index <> ''::bytea
               AND c.account_id IS NULL)
  AND (sealed IS NOT NULL OR email IS NOT NULL OR shipping_address IS NOT NULL)
RETURNING 1 AS forgotten;

-- name: forget_orders
-- Forget who ordered; what was ordered stays. $1 account. Returns one row each.
UPDATE orders
SET sealed = NULL, email = NULL, shipping_address = NULL, email_index = NULL
WHERE account_id = $1
  AND (sealed IS NOT NULL OR email IS NOT NULL OR shipping_address IS NOT NULL
       OR email_index IS NOT NULL)
RETURNING 1 AS forgotten;

-- name: carts_to_reseal
-- Carts not yet sealed under the newest key, or not yet found by their e-mail address, in
-- order of their ids; those that somebody else holds are passed over. $1 its prefix, $2 after this id (NULL for the start),
-- $3 how many. Locks them.
SELECT id::text AS key, sealed,
       jsonb_build_object('email', email, 'shipping_address', shipping_address) AS clear
FROM carts
WHERE ($2::text IS NULL OR id > $2::text::uuid)
  AND (substring(sealed FOR 5) <> $1
       OR email IS NOT NULL OR shipping_address IS NOT NULL
       OR sealed IS NOT NULL AND email_index IS NULL)
ORDER BY carts.id LIMIT $3
FOR UPDATE SKIP LOCKED;

-- name: reseal_carts
-- Write carts sealed anew. $1 ids, $2 sealed, $3 indexes of e-mails, NULL where there is
-- none. They are locked by the caller.
UPDATE carts
SET sealed = fresh.sealed, email = NULL, shipping_address = NULL,
    email_index = coalesce(fresh.email_index, ''::bytea)
FROM unnest($1::text[], $2::bytea[], $3::bytea[]) AS fresh (key, sealed, email_index)
WHERE carts.id = fresh.key::uuid;

-- name: orders_to_reseal
-- Orders not yet sealed under the newest key, in order of their ids; those that somebody
-- else holds are passed over. $1 its prefix, $2 after this id (NULL for the start),
-- $3 how many. Locks them.
SELECT id::text AS key, sealed,
       jsonb_build_object('email', email, 'shipping_address', shipping_address) AS clear
FROM orders
WHERE ($2::text IS NULL OR id > $2::text::uuid)
  AND (substring(sealed FOR 5) <> $1
       OR email IS NOT NULL OR shipping_address IS NOT NULL)
ORDER BY orders.id LIMIT $3
FOR UPDATE SKIP LOCKED;

-- name: reseal_orders
-- Write orders sealed anew. $1 ids, $2 sealed, $3 indexes of e-mails, for rows that have
-- none yet. They are locked by the caller.
UPDATE orders
SET sealed = fresh.sealed, email = NULL, shipping_address = NULL,
    email_index = coalesce(orders.email_index, fresh.email_index)
FROM unnest($1::text[], $2::bytea[], $3::bytea[]) AS fresh (key, sealed, email_index)
WHERE orders.id = fresh.key::uuid;

-- name: trail
-- The orders of an account, as far as erasing needs to know them. $1 account. Returns
-- id, status, and the index of the e-mail address unless another account has it.
SELECT o.id, o.status, CASE WHEN NOT EXISTS (
           SELECT FROM accounts a WHERE a.email_index = o.email_index AND a.id <> $1
       ) THEN o.email_index END AS email_index
FROM orders o WHERE o.account_id = $1;

-- name: carts_of
-- The carts of an account whatever became of them, those that it ordered as a guest, and
-- those of guests and draft orders with an e-mail address; oldest first. $1 account, $2
-- index of the address or NULL. Returns their ids.
SELECT id FROM carts WHERE account_id = $1
UNION
SELECT cart_id FROM orders WHERE account_id = $1
UNION
SELECT id FROM carts
WHERE email_index = $2 AND email_index <> ''::bytea AND account_id IS NULL
ORDER BY id;

-- name: notes_to_reseal
-- Notes not yet sealed under the newest key, in order of their ids; those that somebody
-- else holds are passed over. $1 its prefix, $2 after this id (NULL for the start),
-- $3 how many. Locks them.
SELECT id::text AS key, sealed FROM order_notes
WHERE ($2::text IS NULL OR id > $2::text::uuid) AND substring(sealed FOR 5) <> $1
ORDER BY order_notes.id LIMIT $3
FOR UPDATE SKIP LOCKED;

-- name: reseal_notes
-- Write notes sealed anew. $1 ids, $2 sealed. They are locked by the caller.
UPDATE order_notes SET sealed = fresh.sealed
FROM unnest($1::text[], $2::bytea[]) AS fresh (key, sealed)
WHERE order_notes.id = fresh.key::uuid;

-- name: add_note
-- Write a note about an order, and into its record that there is one. $1 id, $2 order,
-- $3 the text, sealed, $4 who wrote it, $5 now. Returns one row, or none if there is no
-- such order.
WITH written AS (
    INSERT INTO order_notes (id, order_id, sealed, actor, created_at)
    SELECT $1, o.id, $3, $4, $5 FROM orders o WHERE o.id = $2
    RETURNING order_id
), told AS (
    INSERT INTO order_events (order_id, kind, actor, detail, happened_at)
    SELECT order_id, 'note', $4, jsonb_build_object('note_id', $1::uuid), $5
    FROM written
)
SELECT order_id FROM written;

-- name: notes
-- The notes of an order, oldest first. $1 order.
SELECT id, order_id, sealed, actor, created_at FROM order_notes
WHERE order_id = $1 ORDER BY id;

-- name: notes_of_account
-- The notes of all orders of an account, oldest first. $1 account.
SELECT n.id, n.order_id, n.sealed, n.actor, n.created_at
FROM order_notes n JOIN orders o ON o.id = n.order_id
WHERE o.account_id = $1 ORDER BY n.id;

-- name: forget_notes
-- Delete the notes of all orders of an account. $1 account. Returns one row each.
DELETE FROM order_notes n USING orders o
WHERE o.id = n.order_id AND o.account_id = $1
RETURNING 1 AS forgotten;

-- name: lock_order
-- Hold an order to the end of the transaction. $1 id. One row or none.
SELECT id FROM orders WHERE id = $1 FOR NO KEY UPDATE;

-- name: standing
-- The states of an order and what became of its lines. $1 id. One row or none.
SELECT o.status, o.payment_status, o.fulfilment_status,
       (SELECT coalesce(jsonb_agg(jsonb_build_array(
                   l.position, l.quantity, l.canceled_quantity, l.fulfilled_quantity,
                   l.returned_quantity) ORDER BY l.position), '[]')
        FROM order_lines l WHERE l.order_id = o.id) AS lines
FROM orders o WHERE o.id = $1;

-- name: progress
-- Move an order, and units of its lines, from where they stand. $1 order, $2 who does
-- it, $3 now, $4, $5 and $6 the states it is in (order, payment, fulfilment), $7, $8 and
-- $9 those it will be in, $10 positions of lines that change, $11 how many more of each are
-- canceled, $12 fulfilled, $13 returned, $14 what is done, $15 and in detail, $16
-- machines that take a step, $17 from where, $18 to where. Returns one row, or none if
-- the order is in other states.
WITH moved AS (
    UPDATE orders
    SET status = $7, payment_status = $8, fulfilment_status = $9,
        completed_at = CASE WHEN $7 = 'completed' THEN coalesce(completed_at, $3) END,
        canceled_at = CASE WHEN $7 = 'canceled' THEN $3 END,
        cancel_reason = CASE WHEN $7 = 'canceled' THEN $15::jsonb ->> 'reason' END
    WHERE id = $1 AND status = $4 AND payment_status = $5 AND fulfilment_status = $6
    RETURNING id
), lines AS (
    UPDATE order_lines l
    SET canceled_quantity = canceled_quantity + line.canceled,
        fulfilled_quantity = fulfilled_quantity + line.fulfilled,
        returned_quantity = returned_quantity + line.returned
    FROM moved, unnest($10::integer[], $11::bigint[], $12::bigint[], $13::bigint[])
        AS line (position, canceled, fulfilled, returned)
    WHERE l.order_id = moved.id AND l.position = line.position
), told AS (
    INSERT INTO order_events (order_id, kind, from_state, to_state, actor, detail,
                              happened_at)
    SELECT moved.id, said.kind, said.from_state, said.to_state, $2, said.detail, $3
    FROM moved, (
        SELECT 0 AS place, $14 AS kind, NULL AS from_state, NULL AS to_state,
               $15::jsonb AS detail
        UNION ALL
        SELECT step.place, step.kind, step.from_state, step.to_state, '{}'
        FROM unnest($16::text[], $17::text[], $18::text[])
            WITH ORDINALITY AS step (kind, from_state, to_state, place)
    ) AS said
    ORDER BY said.place
)
SELECT id FROM moved;

-- name: line_drift
-- Lines that do not say what was shipped of them and came back, as shipments and returns
-- do. $1 order, NULL for all: then every line is read; for checks, not for requests. What
-- was canceled or put up to be shipped again is not shipped. Returns for each what the line
-- says, what shipments and returns say, and what the order's record adds up to. Orders
-- from before there were shipments, whose record has no beginning, are left out.
WITH drifting AS MATERIALIZED (
    SELECT l.order_id, l.position, l.sku, l.fulfilled_quantity, l.returned_quantity,
           coalesce(s.units, 0) AS shipped, coalesce(b.units, 0) AS came_back
    FROM order_lines l
    LEFT JOIN (
        SELECT s.order_id, n.position, sum(n.quantity)::bigint AS units
        FROM shipments s JOIN shipment_lines n ON n.shipment_id = s.id
        WHERE s.status <> 'canceled' AND s.reshipped_at IS NULL
        GROUP BY s.order_id, n.position
    ) s ON s.order_id = l.order_id AND s.position = l.position
    LEFT JOIN (
        SELECT r.order_id, n.position, sum(n.received_quantity)::bigint AS units
        FROM returns r JOIN return_lines n ON n.return_id = r.id
        GROUP BY r.order_id, n.position
    ) b ON b.order_id = l.order_id AND b.position = l.position
    WHERE ($1::uuid IS NULL OR l.order_id = $1)
      AND (l.fulfilled_quantity <> coalesce(s.units, 0)
           OR l.returned_quantity <> coalesce(b.units, 0))
)
SELECT d.order_id, o.number, d.position, d.sku, d.fulfilled_quantity,
       d.returned_quantity, d.shipped, d.came_back, e.shipped AS recorded_shipped,
       e.came_back AS recorded_back
FROM drifting d
JOIN orders o ON o.id = d.order_id
CROSS JOIN LATERAL (
    SELECT coalesce(sum(CASE e.kind WHEN 'lines_fulfilled' THEN n.quantity
                                    WHEN 'lines_unfulfilled' THEN -n.quantity END), 0
           )::bigint AS shipped,
           coalesce(sum(n.quantity) FILTER (WHERE e.kind = 'lines_returned'), 0
           )::bigint AS came_back
    FROM order_events e
    CROSS JOIN LATERAL jsonb_to_recordset(e.detail -> 'lines')
        AS n (position integer, quantity bigint)
    WHERE e.order_id = d.order_id AND n.position = d.position
      AND e.kind IN ('lines_fulfilled', 'lines_unfulfilled', 'lines_returned')
) e
WHERE EXISTS (SELECT FROM order_events b
              WHERE b.order_id = d.order_id AND b.kind = 'order'
                AND b.to_state = 'pending')
ORDER BY o.number, d.position;

-- name: mark_captured
-- An authorised payment was captured. $1 order, $2 how much (NULL for the total), $3 who
-- says so, $4 now. Completes an order that is shipped. Returns one row, or none if it is
-- not authorised.
WITH captured AS (
    UPDATE orders
    SET payment_status = 'captured', captured_amount = coalesce($2, total_amount),
        status = CASE WHEN status = 'confirmed' AND fulfilment_status = 'fulfilled'
                      THEN 'completed' ELSE status END,
        completed_at = CASE WHEN status = 'confirmed' AND fulfilment_status = 'fulfilled'
                            THEN $4::timestamptz END
    WHERE id = $1 AND payment_status = 'authorized'
    RETURNING id, old.status AS was, new.status AS status, new.captured_amount AS amount
), told AS (
    INSERT INTO order_events (order_id, kind, from_state, to_state, actor, detail,
                              happened_at)
    SELECT id, 'payment', 'authorized', 'captured', $3,
           jsonb_build_object('amount', amount), $4::timestamptz
    FROM captured
    UNION ALL
    SELECT id, 'order', was, status, $3, '{}', $4::timestamptz
    FROM captured WHERE was <> status
)
SELECT was, status FROM captured;

-- name: mark_voided
-- The authorisation of a canceled order was given back. $1 order, $2 who says so, $3
-- now. Returns one row, or none if there is none to give back.
WITH voided AS (
    UPDATE orders SET payment_status = 'voided'
    WHERE id = $1 AND payment_status = 'authorized' AND status = 'canceled'
    RETURNING id
), told AS (
    INSERT INTO order_events (order_id, kind, from_state, to_state, actor, happened_at)
    SELECT id, 'payment', 'authorized', 'voided', $2, $3 FROM voided
)
SELECT id FROM voided;

-- name: claim_refund
-- Set an amount aside for a refund, if it was captured and is there. $1 order, $2
-- amount. Returns one row or none.
UPDATE orders SET refunding_amount = refunding_amount + $2
WHERE id = $1 AND payment_status IN ('captured', 'partially_refunded') AND $2 > 0
  AND refunded_amount + refunding_amount + $2 <= captured_amount
RETURNING id;

-- name: mark_refunded
-- What was set aside has been given back. $1 order, $2 amount, $3 who says so, $4 now.
-- Returns one row, or none if it was not set aside.
WITH refunded AS (
    UPDATE orders
    SET refunding_amount = refunding_amount - $2,
        refunded_amount = refunded_amount + $2,
        payment_status = CASE WHEN refunded_amount + $2 = captured_amount
                              THEN 'refunded' ELSE 'partially_refunded' END
    WHERE id = $1 AND payment_status IN ('captured', 'partially_refunded')
      AND $2 > 0 AND refunding_amount >= $2
    RETURNING id, old.payment_status AS was, new.payment_status AS status
), told AS (
    INSERT INTO order_events (order_id, kind, from_state, to_state, actor, detail,
                              happened_at)
    SELECT id, 'refund', NULL, NULL, $3, jsonb_build_object('amount', $2::bigint),
           $4::timestamptz
    FROM refunded
    UNION ALL
    SELECT id, 'payment', was, status, $3, '{}', $4::timestamptz
    FROM refunded WHERE was <> status
)
SELECT id FROM refunded;

-- name: drop_refund
-- What was set aside will not be given back. $1 order, $2 amount, $3 who says so, $4
-- now. Returns one row, or none if it was not set aside.
WITH dropped AS (
    UPDATE orders SET refunding_amount = refunding_amount - $2
    WHERE id = $1 AND $2 > 0 AND refunding_amount >= $2
    RETURNING id
), told AS (
    INSERT INTO order_events (order_id, kind, actor, detail, happened_at)
    SELECT id, 'refund_failed', $3, jsonb_build_object('amount', $2::bigint), $4
    FROM dropped
)
SELECT id FROM dropped;

-- name: record
-- Write down what was done to an order. $1 order, $2 what, $3 who did it, $4 in detail,
-- $5 now.
INSERT INTO order_events (order_id, kind, actor, detail, happened_at)
VALUES ($1, $2, $3, $4, $5);

-- name: events
-- Everything that happened to an order, oldest first. $1 order.
SELECT id, kind, from_state, to_state, actor, detail, happened_at
FROM order_events WHERE order_id = $1 ORDER BY id;

-- name: plan_for_values
-- Plan the statements of this transaction for the values they are given: those below
-- look for very different things. No parameters.
SELECT set_config('plan_cache_mode', 'force_custom_plan', true);

-- name: search_newest
-- The ids of the orders that answer a search, newest first, with their totals. $1 a word
-- (a SKU or tracking number) and $2 the number it may be, $3 index of an e-mail,
-- $4 account, $5 SKU, $6 status, $7 of the payment, $8 of the fulfilment, $9 placed from,
-- $10 and before, $11 lowest total, $12 highest, $13 currency, $14 code of a location
-- where units wait for it; each NULL for any. $15 before this id, $16 how many.
SELECT o.id, o.total_amount FROM orders o
WHERE ($1::text IS NULL OR o.id = ANY (ARRAY(
           SELECT n.id FROM orders n WHERE n.number = $2
           UNION SELECT l.order_id FROM order_lines l WHERE l.sku = $1
           UNION SELECT s.order_id FROM shipments s WHERE s.tracking_number = $1)))
  AND ($3::bytea IS NULL OR o.email_index = $3)
  AND ($4::uuid IS NULL OR o.account_id = $4)
  AND ($5::text IS NULL OR o.id = ANY (ARRAY(
           SELECT l.order_id FROM order_lines l WHERE l.sku = $5)))
  AND ($6::text IS NULL OR o.status = $6)
  AND ($7::text IS NULL OR o.payment_status = $7)
  AND ($8::text IS NULL OR o.fulfilment_status = $8)
  AND ($9::timestamptz IS NULL OR o.placed_at >= $9)
  AND ($10::timestamptz IS NULL OR o.placed_at < $10)
  AND ($11::bigint IS NULL OR o.total_amount >= $11)
  AND ($12::bigint IS NULL OR o.total_amount <= $12)
  AND ($13::text IS NULL OR o.currency = $13)
  AND ($14::text IS NULL OR o.id = ANY (ARRAY(
           SELECT r.holder_id FROM reservations r
           JOIN locations w ON w.id = r.location_id WHERE w.code = $14)))
  AND ($15::uuid IS NULL OR o.id < $15)
ORDER BY o.id DESC
LIMIT $16;

-- name: search_oldest
-- The same, oldest first. $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13 and $14
-- as above; $15 after this id, $16 how many.
SELECT o.id, o.total_amount FROM orders o
WHERE ($1::text IS NULL OR o.id = ANY (ARRAY(
           SELECT n.id FROM orders n WHERE n.number = $2
           UNION SELECT l.order_id FROM order_lines l WHERE l.sku = $1
           UNION SELECT s.order_id FROM shipments s WHERE s.tracking_number = $1)))
  AND ($3::bytea IS NULL OR o.email_index = $3)
  AND ($4::uuid IS NULL OR o.account_id = $4)
  AND ($5::text IS NULL OR o.id = ANY (ARRAY(
           SELECT l.order_id FROM order_lines l WHERE l.sku = $5)))
  AND ($6::text IS NULL OR o.status = $6)
  AND ($7::text IS NULL OR o.payment_status = $7)
  AND ($8::text IS NULL OR o.fulfilment_status = $8)
  AND ($9::timestamptz IS NULL OR o.placed_at >= $9)
  AND ($10::timestamptz IS NULL OR o.placed_at < $10)
  AND ($11::bigint IS NULL OR o.total_amount >= $11)
  AND ($12::bigint IS NULL OR o.total_amount <= $12)
  AND ($13::text IS NULL OR o.currency = $13)
  AND ($14::text IS NULL OR o.id = ANY (ARRAY(
           SELECT r.holder_id FROM reservations r
           JOIN locations w ON w.id = r.location_id WHERE w.code = $14)))
  AND ($15::uuid IS NULL OR o.id > $15)
ORDER BY o.id
LIMIT $16;

-- name: search_largest
-- The same, the highest total first. $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12,
-- $13 and $14 as above; beyond the total $15 and the id $16, $17 how many.
SELECT o.id, o.total_amount FROM orders o
WHERE ($1::text IS NULL OR o.id = ANY (ARRAY(
           SELECT n.id FROM orders n WHERE n.number = $2
           UNION SELECT l.order_id FROM order_lines l WHERE l.sku = $1
           UNION SELECT s.order_id FROM shipments s WHERE s.tracking_number = $1)))
  AND ($3::bytea IS NULL OR o.email_index = $3)
  AND ($4::uuid IS NULL OR o.account_id = $4)
  AND ($5::text IS NULL OR o.id = ANY (ARRAY(
           SELECT l.order_id FROM order_lines l WHERE l.sku = $5)))
  AND ($6::text IS NULL OR o.status = $6)
  AND ($7::text IS NULL OR o.payment_status = $7)
  AND ($8::text IS NULL OR o.fulfilment_status = $8)
  AND ($9::timestamptz IS NULL OR o.placed_at >= $9)
  AND ($10::timestamptz IS NULL OR o.placed_at < $10)
  AND ($11::bigint IS NULL OR o.total_amount >= $11)
  AND ($12::bigint IS NULL OR o.total_amount <= $12)
  AND ($13::text IS NULL OR o.currency = $13)
  AND ($14::text IS NULL OR o.id = ANY (ARRAY(
           SELECT r.holder_id FROM reservations r
           JOIN locations w ON w.id = r.location_id WHERE w.code = $14)))
  AND ($15::bigint IS NULL OR (o.total_amount, o.id) < ($15, $16::uuid))
ORDER BY o.total_amount DESC, o.id DESC
LIMIT $17;

-- name: orders_of_ids
-- Orders with their lines, in any order. $1 ids.
SELECT o.id, o.number, o.cart_id, o.token_hash, o.status, o.currency, o.account_id,
       o.sealed, o.email, o.shipping_address, o.shipping_method, o.shipping_amount,
       o.shipping_source, o.subtotal_amount, o.total_amount, o.placed_at,
       o.payment_reference, o.paid_outside, o.failure_reason, o.settled_at,
       o.payment_status,
       o.fulfilment_status, o.captured_amount, o.refunded_amount, o.refunding_amount,
       o.credit_amount, o.placed_by, o.return_id, o.cancel_reason, o.canceled_at,
       o.completed_at, l.lines
FROM orders o
CROSS JOIN LATERAL (
    SELECT coalesce(jsonb_agg(jsonb_build_array(
               l.variant_id, l.sku, l.title, l.quantity, l.unit_price_amount,
               l.position, l.canceled_quantity, l.fulfilled_quantity,
               l.returned_quantity) ORDER BY l.position), '[]') AS lines
    FROM order_lines l WHERE l.order_id = o.id
) l
WHERE o.id = ANY ($1::uuid[]);

-- name: add_lines
-- Put lines behind those that an order has. $1 order, $2 variants, $3 SKUs, $4 titles,
-- $5 quantities, $6 unit prices, $7 who does it, $8 now. The order is locked by the
-- caller.
WITH added AS (
    INSERT INTO order_lines (order_id, position, variant_id, sku, title, quantity,
                             unit_price_amount)
    SELECT $1, last.position + line.place, line.variant_id, line.sku, line.title,
           line.quantity, line.unit_price
    FROM (SELECT coalesce(max(position), 0) AS position FROM order_lines
          WHERE order_id = $1) AS last,
         unnest($2::uuid[], $3::text[], $4::text[], $5::bigint[], $6::bigint[])
             WITH ORDINALITY AS line (variant_id, sku, title, quantity, unit_price, place)
    RETURNING position, sku, quantity, unit_price_amount
)
INSERT INTO order_events (order_id, kind, actor, detail, happened_at)
SELECT $1, 'lines_added', $7,
       jsonb_build_object('lines', jsonb_agg(jsonb_build_object(
           'position', position, 'sku', sku, 'quantity', quantity,
           'unit_price', unit_price_amount) ORDER BY position)), $8
FROM added;

-- name: change_person
-- Write who buys and where it goes. $1 order, $2 the person, sealed, $3 index of the
-- e-mail, $4 who does it, $5 what is changed, $6 now. The order is locked by the caller.
WITH changed AS (
    UPDATE orders
    SET sealed = $2, email = NULL, shipping_address = NULL, email_index = $3
    WHERE id = $1
    RETURNING id
)
INSERT INTO order_events (order_id, kind, actor, detail, happened_at)
SELECT id, 'edited', $4, $5, $6 FROM changed;

-- name: earned_by_return
-- What goods that came back were worth, shipping given back and the fee counted in. $1
-- return.
SELECT goods_amount + shipping_amount - fee_amount FROM returns WHERE id = $1;

-- name: shipping_given_back
-- How much of an order's shipping went back with its returns. $1 order.
SELECT coalesce(sum(shipping_amount), 0)::bigint FROM returns WHERE order_id = $1;

-- name: order_of_return
-- The order that goods came back from. $1 return. One row, or none as long as they have
-- not come back.
SELECT order_id FROM returns WHERE id = $1 AND status IN ('received', 'completed');

-- name: add_return
-- Write down that units are to come back, if they were shipped and neither came back nor
-- are about to. $1 id, $2 order, $3 kind, $4 reason, $5 what the buyer says, sealed,
-- $6 who asks, $7 now, $8 positions, $9 quantities, $10 variants, $11 SKUs, $12 titles,
-- $13 quantities and $14 prices of what is wanted instead. The order is locked by the
-- caller, so that of two at once the second sees the first. Returns the positions of
-- lines that have not so many units; then nothing is written.
WITH asked AS (
    SELECT position, quantity FROM unnest($8::integer[], $9::bigint[])
        AS line (position, quantity)
), wrong AS (
    SELECT a.position
    FROM asked a
    LEFT JOIN order_lines l ON l.order_id = $2 AND l.position = a.position
    WHERE l.position IS NULL OR a.quantity > l.fulfilled_quantity - l.returned_quantity
        - (SELECT coalesce(sum(u.quantity), 0)
           FROM returns r JOIN return_lines u ON u.return_id = r.id
           WHERE r.order_id = $2 AND u.position = a.position
             AND r.status IN ('requested', 'approved'))
), made AS (
    INSERT INTO returns (id, order_id, kind, status, reason, sealed, actor, requested_at)
    SELECT $1, $2, $3, 'requested', $4, $5, $6, $7 WHERE NOT EXISTS (SELECT FROM wrong)
    RETURNING id
), lines AS (
    INSERT INTO return_lines (return_id, position, quantity)
    SELECT m.id, a.position, a.quantity FROM made m, asked a
), others AS (
    INSERT INTO exchange_lines (return_id, position, variant_id, sku, title, quantity,
                                unit_price_amount)
    SELECT m.id, line.position, line.variant_id, line.sku, line.title, line.quantity,
           line.unit_price
    FROM made m, unnest($10::uuid[], $11::text[], $12::text[], $13::bigint[],
                        $14::bigint[])
        WITH ORDINALITY AS line (variant_id, sku, title, quantity, unit_price, position)
)
SELECT position FROM wrong ORDER BY position;

-- name: returns
-- Returns with their lines, newest first. $1 before this id (NULL for the start), $2 how
-- many, $3 of this order (NULL for any), $4 status (NULL for any), $5 kind (NULL for
-- any), $6 this one alone (NULL for all).
SELECT r.id, r.order_id, r.kind, r.status, r.reason, r.actor, r.requested_at,
       r.decided_at, r.received_at, r.completed_at, r.canceled_at, r.sealed,
       r.location_id, r.goods_amount, r.shipping_amount, r.fee_amount, r.credit_amount,
       r.refund_amount, r.replacement_id, o.currency, o.number,
       (SELECT n.id FROM orders n
        WHERE n.cart_id = r.replacement_id AND n.status <> 'failed') AS new_order_id,
       (SELECT coalesce(jsonb_agg(jsonb_build_array(
                   u.position, u.quantity, u.received_quantity, u.restocked_quantity,
                   l.sku, l.title) ORDER BY u.position), '[]')
        FROM return_lines u
        JOIN order_lines l ON l.order_id = r.order_id AND l.position = u.position
        WHERE u.return_id = r.id) AS lines,
       (SELECT coalesce(jsonb_agg(jsonb_build_array(
                   e.variant_id, e.sku, e.title, e.quantity, e.unit_price_amount)
                   ORDER BY e.position), '[]')
        FROM exchange_lines e WHERE e.return_id = r.id) AS others
FROM returns r
JOIN orders o ON o.id = r.order_id
WHERE ($1::uuid IS NULL OR r.id < $1)
  AND ($3::uuid IS NULL OR r.order_id = $3)
  AND ($4::text IS NULL OR r.status = $4)
  AND ($5::text IS NULL OR r.kind = $5)
  AND ($6::uuid IS NULL OR r.id = $6)
ORDER BY r.id DESC
LIMIT $2;

-- name: decide_return
-- Approve or reject a return. $1 id, $2 its new status, $3 those it may have before, $4
-- what both sides said, sealed, $5 now. Returns one row, or none if it is in another
-- state.
UPDATE returns SET status = $2, sealed = $4, decided_at = $5
WHERE id = $1 AND status = ANY ($3::text[])
RETURNING id;

-- name: cancel_return
-- Call off a return. $1 id, $2 states it may be in, $3 now. Returns one row, or none if
-- it is in another, or its other goods are ordered.
UPDATE returns SET status = 'canceled', canceled_at = $3
WHERE id = $1 AND status = ANY ($2::text[]) AND replacement_id IS NULL
RETURNING id;

-- name: receive_return
-- Goods have come back. $1 id, $2 states it may be in, $3 where, $4 now, $5 positions,
-- $6 how many of each were received, $7 and put on the shelf, $8 what they cost, $9
-- shipping given back, $10 fee kept, $11 what pays for other goods, $12 what goes back as
-- money. Returns one row, or none if it is in another state.
WITH received AS (
    UPDATE returns
    SET status = 'received', location_id = $3, received_at = $4, goods_amount = $8,
        shipping_amount = $9, fee_amount = $10, credit_amount = $11, refund_amount = $12
    WHERE id = $1 AND status = ANY ($2::text[])
    RETURNING id
), lines AS (
    UPDATE return_lines u
    SET received_quantity = line.received, restocked_quantity = line.restocked
    FROM received, unnest($5::integer[], $6::bigint[], $7::bigint[])
        AS line (position, received, restocked)
    WHERE u.return_id = received.id AND u.position = line.position
)
SELECT id FROM received;

-- name: note_replacement
-- Say which cart the other goods of a return are in. $1 return, $2 cart, $3 what of it
-- the goods that come back pay.
UPDATE returns SET replacement_id = $2, credit_amount = $3 WHERE id = $1;

-- name: add_return_refund
-- A return waits for a refund. $1 return, $2 refund.
INSERT INTO return_refunds (return_id, refund_id) VALUES ($1, $2);

-- name: complete_return
-- End a return that was received, if all its money went. $1 id, $2 states it may be in,
-- $3 now. A refund that failed counts once another try of it succeeded. Returns its
-- order, or none if it is in another state or money is still on its way.
WITH RECURSIVE tries AS (
    SELECT refund_id AS id FROM return_refunds WHERE return_id = $1
    UNION ALL
    SELECT f.id FROM refunds f JOIN tries t ON f.retry_of = t.id
)
UPDATE returns SET status = 'completed', completed_at = $3
WHERE id = $1 AND status = ANY ($2::text[])
  AND refund_amount = (SELECT coalesce(sum(f.amount), 0)
                       FROM refunds f JOIN tries t ON t.id = f.id
                       WHERE f.status = 'succeeded')
RETURNING order_id;

-- name: return_of_refund
-- The return that waits for a refund, or for the one of which it is another try. $1
-- refund. One row or none.
WITH RECURSIVE tries AS (
    SELECT id, retry_of FROM refunds WHERE id = $1
    UNION ALL
    SELECT f.id, f.retry_of FROM refunds f JOIN tries t ON f.id = t.retry_of
)
SELECT w.return_id FROM return_refunds w JOIN tries t ON t.id = w.refund_id;

-- name: refunds_of_return
-- The refunds that a return waits for, in their order. $1 return.
SELECT refund_id FROM return_refunds WHERE return_id = $1 ORDER BY refund_id;

-- name: returns_of_account
-- The returns of all orders of an account, oldest first. $1 account.
SELECT r.id FROM returns r JOIN orders o ON o.id = r.order_id
WHERE o.account_id = $1
ORDER BY r.id;

-- name: forget_said
-- Forget what was said about the returns of all orders of an account. $1 account.
-- Returns one row each.
UPDATE returns r SET sealed = NULL
FROM orders o
WHERE o.id = r.order_id AND o.account_id = $1 AND r.sealed IS NOT NULL
RETURNING 1 AS forgotten;

-- name: returns_to_reseal
-- Returns whose words are not yet sealed under the newest key, in order of their ids;
-- those that somebody else holds are passed over. $1 its prefix, $2 after this id (NULL
-- for the start), $3 how many. Locks them.
SELECT id::text AS key, sealed FROM returns
WHERE ($2::text IS NULL OR id > $2::text::uuid) AND substring(sealed FOR 5) <> $1
ORDER BY returns.id LIMIT $3
FOR UPDATE SKIP LOCKED;

-- name: reseal_returns
-- Write what was said about returns sealed anew. $1 ids, $2 sealed. They are locked by
-- the caller.
UPDATE returns SET sealed = fresh.sealed
FROM unnest($1::text[], $2::bytea[]) AS fresh (key, sealed)
WHERE returns.id = fresh.key::uuid;
