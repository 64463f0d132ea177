-- Carts that merge when their guest signs in, that expire, and that operators prepare
-- as draft orders.

ALTER TABLE carts
    DROP CONSTRAINT carts_status_known,
    ADD CONSTRAINT carts_status_known
        CHECK (status IN ('open', 'ordered', 'merged', 'expired', 'discarded')),
    -- A buyer's cart, or a draft order: an operator's offer to a buyer.
    ADD COLUMN kind text NOT NULL DEFAULT 'cart'
        CONSTRAINT carts_kind_known CHECK (kind IN ('cart', 'draft')),
    -- The cart of the account that took this one's lines.
    ADD COLUMN merged_into uuid REFERENCES carts,
    -- The operator who prepared a draft order: key:<id>, account:<id>, client:<id>.
    ADD COLUMN prepared_by text,
    ADD CONSTRAINT carts_merged_somewhere
        CHECK ((status = 'merged') = (merged_into IS NOT NULL)),
    ADD CONSTRAINT carts_draft_prepared
        CHECK ((kind = 'draft') = (prepared_by IS NOT NULL));

-- What may expire one day. By id, which begins with the time a cart was opened: an
-- index by the time of its last change would make each change dearer.
CREATE INDEX carts_open ON carts (id) WHERE status = 'open' AND kind = 'cart';
CREATE INDEX carts_drafts ON carts (id DESC) WHERE kind = 'draft';

-- Paid to the shop itself, by transfer or in cash: no provider knows of it.
ALTER TABLE orders ADD COLUMN paid_outside boolean NOT NULL DEFAULT false;
