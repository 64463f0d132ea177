-- What a checkout and the reconciliation have to know of money.

-- When the shipping price of a cart was asked for: whether it may still be charged. Carts
-- of an older release have none; theirs are asked for again.
ALTER TABLE carts ADD COLUMN shipping_quoted_at timestamptz;

-- Few ever fail; what failed and for which order is looked for often.
CREATE INDEX refunds_failed ON refunds (order_id, settled_at) WHERE status = 'failed';
