-- Returns that are decided, received and paid back, and exchanges: what the buyer gets
-- instead is an order of its own, paid with what came back.

ALTER TABLE returns
    -- {"text": what the buyer says, "answer": what the shop said to it}
    ADD COLUMN sealed bytea,
    ADD COLUMN location_id uuid REFERENCES locations,
    -- In the currency of the order: what was received cost, what is given back of the
    -- shipping, what is kept for the trouble.
    ADD COLUMN goods_amount bigint NOT NULL DEFAULT 0,
    ADD COLUMN shipping_amount bigint NOT NULL DEFAULT 0,
    ADD COLUMN fee_amount bigint NOT NULL DEFAULT 0,
    -- What of that pays for other goods, and what goes back as money.
    ADD COLUMN credit_amount bigint NOT NULL DEFAULT 0,
    ADD COLUMN refund_amount bigint NOT NULL DEFAULT 0,
    -- The cart that became, or is to become, the order of the other goods.
    ADD COLUMN replacement_id uuid REFERENCES carts,
    ADD CONSTRAINT returns_amounts_add_up CHECK (
        goods_amount >= 0 AND shipping_amount >= 0 AND fee_amount >= 0
        AND credit_amount >= 0 AND refund_amount >= 0
        AND refund_amount <= goods_amount + shipping_amount - fee_amount);
CREATE INDEX returns_by_status ON returns (status, id DESC);

-- What a buyer wants instead, at the prices of the day on which they asked.
CREATE TABLE exchange_lines (
    return_id uuid NOT NULL REFERENCES returns ON DELETE CASCADE,
    position integer NOT NULL,
    variant_id uuid NOT NULL,
    sku text NOT NULL,
    title text NOT NULL,
    quantity bigint NOT NULL CONSTRAINT exchange_lines_quantity_positive
        CHECK (quantity > 0),
    unit_price_amount bigint NOT NULL CONSTRAINT exchange_lines_price_not_negative
        CHECK (unit_price_amount >= 0),
    PRIMARY KEY (return_id, position)
);

-- Refunds that a return waits for.
CREATE TABLE return_refunds (
    refund_id uuid PRIMARY KEY REFERENCES refunds,
    return_id uuid NOT NULL REFERENCES returns
);
CREATE INDEX return_refunds_by_return ON return_refunds (return_id);

ALTER TABLE carts
    -- What goods that came back pay of the order that a draft becomes.
    ADD COLUMN credit_amount bigint NOT NULL DEFAULT 0
        CONSTRAINT carts_credit_not_negative CHECK (credit_amount >= 0),
    -- The return that they came back with.
    ADD COLUMN return_id uuid;
