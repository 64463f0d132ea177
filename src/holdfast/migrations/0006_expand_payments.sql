-- Money that goes back, money that was set aside and is taken or released later, what
-- buyers still have to do, what the provider told, and where it and the shop differ.

CREATE TABLE refunds (
    -- Its key at the provider.
    id uuid PRIMARY KEY,
    order_id uuid NOT NULL REFERENCES orders,
    amount bigint NOT NULL CONSTRAINT refunds_amount_positive CHECK (amount > 0),
    currency text NOT NULL,
    status text NOT NULL CONSTRAINT refunds_status_known
        CHECK (status IN ('pending', 'succeeded', 'failed')),
    -- A word such as `damaged`; nothing personal.
    reason text NOT NULL,
    reference text,
    failure_reason text,
    requested_by text NOT NULL,
    requested_at timestamptz NOT NULL,
    settled_at timestamptz,
    -- The failed refund of which this is another try.
    retry_of uuid CONSTRAINT refunds_retried_once UNIQUE REFERENCES refunds,
    -- Gives back what was charged for an order that owes nothing: no money of the order.
    stray boolean NOT NULL DEFAULT false,
    -- How often the provider did not end it, and when it is asked next.
    tries integer NOT NULL DEFAULT 0,
    try_at timestamptz NOT NULL,
    CONSTRAINT refunds_settled_when_not_pending
        CHECK ((status = 'pending') = (settled_at IS NULL)),
    CONSTRAINT refunds_succeeded_has_reference
        CHECK (status <> 'succeeded' OR reference IS NOT NULL),
    CONSTRAINT refunds_failed_says_why
        CHECK ((status = 'failed') = (failure_reason IS NOT NULL))
);
CREATE INDEX refunds_by_order ON refunds (order_id, id);
CREATE INDEX refunds_pending ON refunds (try_at, id) WHERE status = 'pending';
CREATE UNIQUE INDEX refunds_stray_once ON refunds (order_id)
    WHERE stray AND status <> 'failed';

-- How a charge ends that was only authorised: captured or voided. One row an order, so
-- that it is never both.
CREATE TABLE charge_closings (
    order_id uuid PRIMARY KEY REFERENCES orders,
    kind text NOT NULL CONSTRAINT charge_closings_kind_known
        CHECK (kind IN ('capture', 'void')),
    -- What is taken; 0 for a void.
    amount bigint NOT NULL,
    currency text NOT NULL,
    status text NOT NULL CONSTRAINT charge_closings_status_known
        CHECK (status IN ('pending', 'succeeded', 'failed')),
    failure_reason text,
    requested_by text NOT NULL,
    requested_at timestamptz NOT NULL,
    settled_at timestamptz,
    tries integer NOT NULL DEFAULT 0,
    try_at timestamptz NOT NULL,
    CONSTRAINT charge_closings_amount_fits_kind
        CHECK ((kind = 'capture') = (amount > 0) AND amount >= 0),
    CONSTRAINT charge_closings_settled_when_not_pending
        CHECK ((status = 'pending') = (settled_at IS NULL)),
    CONSTRAINT charge_closings_failed_says_why
        CHECK ((status = 'failed') = (failure_reason IS NOT NULL))
);
CREATE INDEX charge_closings_pending ON charge_closings (try_at, order_id)
    WHERE status = 'pending';

-- Those that are open when they should not be.
CREATE INDEX orders_authorized ON orders (id) WHERE payment_status = 'authorized';

-- What a buyer has to do before their order is paid (3-D Secure).
CREATE TABLE payment_actions (
    order_id uuid PRIMARY KEY REFERENCES orders,
    reference text NOT NULL,
    url text NOT NULL,
    asked_at timestamptz NOT NULL,
    -- When the provider is asked again what became of it.
    look_at timestamptz NOT NULL
);
CREATE INDEX payment_actions_by_time ON payment_actions (asked_at);

-- Webhooks that were acted on, in the commit of what they did.
CREATE TABLE provider_events (
    provider text NOT NULL,
    event_id text NOT NULL,
    type text NOT NULL,
    received_at timestamptz NOT NULL,
    PRIMARY KEY (provider, event_id)
);
CREATE INDEX provider_events_by_time ON provider_events (received_at);

-- Where the provider and the shop differ.
CREATE TABLE discrepancies (
    id uuid PRIMARY KEY,
    kind text NOT NULL,
    -- The key of the charge or refund at the provider.
    subject text NOT NULL,
    order_id uuid,
    -- Amounts, states and references; nothing personal.
    detail jsonb NOT NULL,
    found_at timestamptz NOT NULL,
    seen_at timestamptz NOT NULL,
    resolved_at timestamptz
);
CREATE UNIQUE INDEX discrepancies_open_once ON discrepancies (kind, subject)
    WHERE resolved_at IS NULL;
