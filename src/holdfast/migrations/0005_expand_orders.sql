-- Orders in three states kept apart (the order, its payment, its fulfilment), each
-- change of them recorded, lines that are canceled, shipped and returned in parts, and
-- the tables of returns.

ALTER TABLE orders
    DROP CONSTRAINT orders_status_known,
    DROP CONSTRAINT orders_total_adds_up,
    DROP CONSTRAINT orders_paid_has_reference,
    ADD COLUMN payment_status text NOT NULL DEFAULT 'pending',
    ADD COLUMN fulfilment_status text NOT NULL DEFAULT 'unfulfilled',
    ADD COLUMN captured_amount bigint NOT NULL DEFAULT 0,
    ADD COLUMN refunded_amount bigint NOT NULL DEFAULT 0,
    -- Refunds that were asked for and have not come to an end.
    ADD COLUMN refunding_amount bigint NOT NULL DEFAULT 0,
    -- What goods that came back pay of it: of an exchange's replacement.
    ADD COLUMN credit_amount bigint NOT NULL DEFAULT 0,
    ADD COLUMN placed_by text NOT NULL DEFAULT 'checkout',
    -- The return that a replacement belongs to.
    ADD COLUMN return_id uuid,
    ADD COLUMN cancel_reason text,
    ADD COLUMN canceled_at timestamptz,
    ADD COLUMN completed_at timestamptz;

ALTER TABLE order_lines
    ADD COLUMN canceled_quantity bigint NOT NULL DEFAULT 0,
    ADD COLUMN fulfilled_quantity bigint NOT NULL DEFAULT 0,
    ADD COLUMN returned_quantity bigint NOT NULL DEFAULT 0,
    ADD CONSTRAINT order_lines_parts_within_quantity CHECK (
        canceled_quantity >= 0 AND fulfilled_quantity >= 0
        AND canceled_quantity + fulfilled_quantity <= quantity),
    ADD CONSTRAINT order_lines_returned_after_shipped
        CHECK (returned_quantity BETWEEN 0 AND fulfilled_quantity);

-- The goods of orders paid until now left the stock with the payment.
UPDATE order_lines SET fulfilled_quantity = quantity
FROM orders WHERE orders.id = order_lines.order_id AND orders.status = 'paid';
UPDATE orders
SET status = 'completed', payment_status = 'captured', fulfilment_status = 'fulfilled',
    captured_amount = total_amount, completed_at = settled_at
WHERE status = 'paid';
-- The index of before knows the failed ones by their old name.
DROP INDEX orders_one_per_cart;
UPDATE orders SET status = 'failed', payment_status = 'failed'
WHERE status = 'payment_failed';
CREATE UNIQUE INDEX orders_one_per_cart ON orders (cart_id) WHERE status <> 'failed';

ALTER TABLE orders
    ADD CONSTRAINT orders_status_known CHECK (
        status IN ('pending', 'confirmed', 'completed', 'canceled', 'failed')),
    ADD CONSTRAINT orders_payment_status_known CHECK (
        payment_status IN ('pending', 'authorized', 'captured', 'partially_refunded',
                           'refunded', 'voided', 'failed')),
    ADD CONSTRAINT orders_fulfilment_status_known CHECK (
        fulfilment_status IN ('unfulfilled', 'partially_fulfilled', 'fulfilled')),
    -- An order is pending, or failed, exactly as long as its payment is.
    ADD CONSTRAINT orders_settled_with_payment CHECK (
        (status = 'pending') = (payment_status = 'pending')
        AND (status = 'failed') = (payment_status = 'failed')),
    ADD CONSTRAINT orders_total_adds_up CHECK (
        total_amount = subtotal_amount + shipping_amount - credit_amount
        AND subtotal_amount >= 0 AND shipping_amount >= 0 AND credit_amount >= 0
        AND total_amount >= 0),
    ADD CONSTRAINT orders_confirmed_has_reference CHECK (
        status IN ('pending', 'failed') OR payment_reference IS NOT NULL),
    ADD CONSTRAINT orders_captured_within_total
        CHECK (captured_amount BETWEEN 0 AND total_amount),
    ADD CONSTRAINT orders_refunded_within_captured CHECK (
        refunded_amount >= 0 AND refunding_amount >= 0
        AND refunded_amount + refunding_amount <= captured_amount),
    ADD CONSTRAINT orders_completed_says_when
        CHECK ((status = 'completed') = (completed_at IS NOT NULL)),
    ADD CONSTRAINT orders_canceled_says_when
        CHECK ((status = 'canceled') = (canceled_at IS NOT NULL));

-- What operators look for.
CREATE INDEX orders_by_status ON orders (status, id DESC);
-- A date leads to a few blocks: orders lie in the order in which they were placed.
CREATE INDEX orders_by_time ON orders USING brin (placed_at) WITH (pages_per_range = 16);
CREATE INDEX order_lines_by_sku ON order_lines (sku, order_id);

-- Each change of an order, its payment or its fulfilment, and what else happened to it.
-- No foreign key: a row is written in the statement that changes its order, and a
-- look-up for each would be three more a checkout.
CREATE TABLE order_events (
    order_id uuid NOT NULL,
    id uuid NOT NULL DEFAULT uuidv7(),
    -- order, payment, fulfilment for a change of state; or what else it was.
    kind text NOT NULL,
    from_state text,
    to_state text,
    -- Who did it: account:<id>, key:<id>, client:<id>, guest, checkout, timer,
    -- provider, carrier, command_line.
    actor text NOT NULL,
    -- Ids, quantities and amounts; nothing personal.
    detail jsonb NOT NULL DEFAULT '{}',
    happened_at timestamptz NOT NULL,
    PRIMARY KEY (order_id, id)
);

CREATE FUNCTION keep_order_events() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'order events are kept as they are';
END;
$$;
CREATE TRIGGER order_events_are_kept
    BEFORE UPDATE OR DELETE OR TRUNCATE ON order_events
    FOR EACH STATEMENT EXECUTE FUNCTION keep_order_events();

-- What operators tell each other about an order.
CREATE TABLE order_notes (
    id uuid PRIMARY KEY,
    order_id uuid NOT NULL REFERENCES orders,
    -- {"text": ...}
    sealed bytea NOT NULL,
    actor text NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE INDEX order_notes_by_order ON order_notes (order_id, id);

-- Goods that come back: for money, or for other goods.
CREATE TABLE returns (
    id uuid PRIMARY KEY,
    order_id uuid NOT NULL REFERENCES orders,
    kind text NOT NULL CONSTRAINT returns_kind_known
        CHECK (kind IN ('return', 'exchange')),
    status text NOT NULL CONSTRAINT returns_status_known
        CHECK (status IN ('requested', 'approved', 'rejected', 'received', 'completed',
                          'canceled')),
    reason text,
    -- Who asked for it.
    actor text NOT NULL,
    requested_at timestamptz NOT NULL,
    -- When it was approved or rejected.
    decided_at timestamptz,
    received_at timestamptz,
    completed_at timestamptz,
    canceled_at timestamptz
);
CREATE INDEX returns_by_order ON returns (order_id, id);

CREATE TABLE return_lines (
    return_id uuid NOT NULL REFERENCES returns ON DELETE CASCADE,
    -- Of the line of the order.
    position integer NOT NULL,
    quantity bigint NOT NULL CONSTRAINT return_lines_quantity_positive
        CHECK (quantity > 0),
    received_quantity bigint NOT NULL DEFAULT 0,
    -- The rest of what was received was written off.
    restocked_quantity bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (return_id, position),
    CONSTRAINT return_lines_parts_within_quantity
        CHECK (received_quantity BETWEEN 0 AND quantity
               AND restocked_quantity BETWEEN 0 AND received_quantity)
);

-- New scopes, for the roles that need them.
UPDATE roles SET scopes = ARRAY(SELECT unnest(scopes || '{orders:write}') ORDER BY 1)
WHERE name = 'support' AND built_in;
UPDATE roles SET scopes = ARRAY(SELECT unnest(scopes || '{orders:fulfil}') ORDER BY 1)
WHERE name IN ('fulfilment', 'admin') AND built_in;
UPDATE roles SET scopes = ARRAY(SELECT unnest(scopes || '{orders:refund}') ORDER BY 1)
WHERE name IN ('finance', 'admin') AND built_in;
UPDATE roles
SET description = 'Reads orders, customers and the security record; gives money back.'
WHERE name = 'finance' AND built_in;
UPDATE roles SET description = 'Packs and ships orders, and counts stock.'
WHERE name = 'fulfilment' AND built_in;
UPDATE roles
SET description =
    'Answers customers: finds, changes and cancels their orders, mends their data.'
WHERE name = 'support' AND built_in;
