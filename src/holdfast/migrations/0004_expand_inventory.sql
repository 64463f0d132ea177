-- Stock by location: places with priorities, reservations that expire, a ledger that is
-- the only way to change a level, transfers, counts, and alerts when stock runs low.

CREATE TABLE locations (
    id uuid PRIMARY KEY,
    -- How people and files name it: main, berlin-2.
    code text NOT NULL CONSTRAINT locations_code_unique UNIQUE,
    name text NOT NULL,
    -- Orders take from the lowest first.
    priority integer NOT NULL DEFAULT 0,
    address jsonb,
    active boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);
INSERT INTO locations (id, code, name, created_at, updated_at) VALUES
    ('01943a00-0000-7000-8000-000000000101', 'main', 'Main location', now(), now());

-- stock by variant and location ------------------------------------------------

ALTER TABLE reservations
    DROP CONSTRAINT reservations_variant_id_fkey;
ALTER TABLE stock_movements
    DROP CONSTRAINT stock_movements_variant_id_fkey;
ALTER TABLE stock
    DROP CONSTRAINT stock_pkey,
    DROP CONSTRAINT stock_variant_id_fkey,
    DROP CONSTRAINT stock_never_oversold,
    ADD COLUMN location_id uuid NOT NULL
        DEFAULT '01943a00-0000-7000-8000-000000000101' REFERENCES locations,
    ADD COLUMN safety_stock bigint NOT NULL DEFAULT 0
        CONSTRAINT stock_safety_not_negative CHECK (safety_stock >= 0),
    ADD COLUMN backorder_limit bigint NOT NULL DEFAULT 0
        CONSTRAINT stock_backorder_not_negative CHECK (backorder_limit >= 0),
    ADD COLUMN low_stock_threshold bigint
        CONSTRAINT stock_threshold_not_negative CHECK (low_stock_threshold >= 0),
    -- The location's own, copied: whoever locks this row knows whether it is in use.
    ADD COLUMN active boolean NOT NULL DEFAULT true;
ALTER TABLE stock ALTER COLUMN location_id DROP DEFAULT;
ALTER TABLE stock
    -- What can still be sold from here.
    ADD COLUMN available bigint NOT NULL GENERATED ALWAYS AS (
        CASE WHEN active
        THEN greatest(on_hand + backorder_limit - safety_stock - reserved, 0)
        ELSE 0 END) VIRTUAL,
    ADD PRIMARY KEY (variant_id, location_id),
    ADD FOREIGN KEY (variant_id) REFERENCES variants,
    ADD CONSTRAINT stock_never_negative CHECK (on_hand >= 0),
    ADD CONSTRAINT stock_never_oversold
        CHECK (0 <= reserved AND reserved <= on_hand + backorder_limit);
CREATE INDEX stock_by_location ON stock (location_id, variant_id);

-- reservations -----------------------------------------------------------------

ALTER TABLE reservations DROP CONSTRAINT reservations_pkey;
ALTER TABLE reservations RENAME COLUMN order_id TO holder_id;
ALTER TABLE reservations RENAME CONSTRAINT reservations_order_id_not_null
    TO reservations_holder_id_not_null;
ALTER TABLE reservations
    ADD COLUMN location_id uuid NOT NULL
        DEFAULT '01943a00-0000-7000-8000-000000000101',
    -- When a hold ends by itself; NULL for an order's, which lasts until it is
    -- shipped or released.
    ADD COLUMN expires_at timestamptz;
ALTER TABLE reservations ALTER COLUMN location_id DROP DEFAULT;
ALTER TABLE reservations ADD PRIMARY KEY (holder_id, variant_id, location_id);
CREATE INDEX reservations_by_expiry ON reservations (expires_at)
    WHERE expires_at IS NOT NULL;
CREATE INDEX reservations_expiring_by_variant ON reservations (variant_id, expires_at)
    WHERE expires_at IS NOT NULL;

-- the ledger -------------------------------------------------------------------

ALTER TABLE stock_movements
    DROP CONSTRAINT stock_movements_kind_known,
    ADD CONSTRAINT stock_movements_kind_known CHECK (kind IN
        ('receipt', 'sale', 'return', 'adjustment', 'transfer', 'count')),
    ADD COLUMN location_id uuid NOT NULL
        DEFAULT '01943a00-0000-7000-8000-000000000101',
    -- What it belongs to elsewhere: a delivery note, a shipment, a transfer.
    ADD COLUMN reference text NOT NULL DEFAULT '';
ALTER TABLE stock_movements ALTER COLUMN location_id DROP DEFAULT;
ALTER TABLE stock_movements
    ADD FOREIGN KEY (variant_id, location_id) REFERENCES stock;
CREATE INDEX stock_movements_by_order ON stock_movements (order_id, id DESC)
    WHERE order_id IS NOT NULL;

CREATE FUNCTION apply_stock_movements() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE stock s
    SET on_hand = s.on_hand + m.delta, updated_at = m.moved_at
    FROM (SELECT variant_id, location_id, sum(delta) AS delta, max(moved_at) AS moved_at
          FROM added GROUP BY 1, 2) AS m
    WHERE s.variant_id = m.variant_id AND s.location_id = m.location_id
      AND m.delta <> 0;
    RETURN NULL;
END;
$$;
CREATE TRIGGER stock_movements_change_levels AFTER INSERT ON stock_movements
    REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION apply_stock_movements();

CREATE FUNCTION keep_stock_movements() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'stock movements are kept as they are'
        USING ERRCODE = 'integrity_constraint_violation',
              CONSTRAINT = 'stock_movements_are_kept';
END;
$$;
CREATE TRIGGER stock_movements_are_kept BEFORE UPDATE OR DELETE ON stock_movements
    FOR EACH ROW EXECUTE FUNCTION keep_stock_movements();
CREATE TRIGGER stock_movements_are_not_emptied BEFORE TRUNCATE ON stock_movements
    FOR EACH STATEMENT EXECUTE FUNCTION keep_stock_movements();

-- A level may be set to what its ledger says, which is how drift is repaired.
CREATE FUNCTION refuse_stock_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND NEW.on_hand = (
        SELECT coalesce(sum(m.delta), 0) FROM stock_movements m
        WHERE m.variant_id = NEW.variant_id AND m.location_id = NEW.location_id) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'a level changes by a movement only'
        USING ERRCODE = 'integrity_constraint_violation',
              CONSTRAINT = 'stock_follows_ledger';
END;
$$;
CREATE TRIGGER stock_follows_ledger BEFORE UPDATE OF on_hand ON stock
    FOR EACH ROW WHEN (OLD.on_hand <> NEW.on_hand AND pg_trigger_depth() = 0)
    EXECUTE FUNCTION refuse_stock_change();
CREATE TRIGGER stock_begins_empty BEFORE INSERT ON stock
    FOR EACH ROW WHEN (NEW.on_hand <> 0) EXECUTE FUNCTION refuse_stock_change();

-- Waits for whoever opens or closes the location at the moment.
CREATE FUNCTION copy_location_state() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    SELECT l.active INTO STRICT NEW.active
    FROM locations l WHERE l.id = NEW.location_id FOR SHARE;
    RETURN NEW;
END;
$$;
CREATE TRIGGER stock_knows_its_location BEFORE INSERT ON stock
    FOR EACH ROW EXECUTE FUNCTION copy_location_state();

-- low stock --------------------------------------------------------------------

-- Each time the units on the shelf that nobody is promised fell to the threshold.
CREATE TABLE stock_alerts (
    id uuid PRIMARY KEY DEFAULT uuidv7(),
    variant_id uuid NOT NULL,
    location_id uuid NOT NULL,
    -- Units that were left, and what was said to be few.
    remaining bigint NOT NULL,
    threshold bigint NOT NULL,
    raised_at timestamptz NOT NULL,
    -- When it was told; NULL until the worker did.
    published_at timestamptz
);
CREATE INDEX stock_alerts_untold ON stock_alerts (id) WHERE published_at IS NULL;

CREATE FUNCTION raise_stock_alert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO stock_alerts (variant_id, location_id, remaining, threshold, raised_at)
    VALUES (NEW.variant_id, NEW.location_id, NEW.on_hand - NEW.reserved,
            NEW.low_stock_threshold, NEW.updated_at);
    RETURN NULL;
END;
$$;
CREATE TRIGGER stock_runs_low AFTER UPDATE ON stock
    FOR EACH ROW WHEN (
        NEW.low_stock_threshold IS NOT NULL
        AND NEW.on_hand - NEW.reserved <= NEW.low_stock_threshold
        AND (OLD.low_stock_threshold IS NULL
             OR OLD.on_hand - OLD.reserved > OLD.low_stock_threshold))
    EXECUTE FUNCTION raise_stock_alert();

-- transfers and counts ---------------------------------------------------------

-- Units on their way from one location to another. They leave when it is dispatched
-- and are on no shelf until they are received.
CREATE TABLE transfers (
    id uuid PRIMARY KEY,
    from_location_id uuid NOT NULL REFERENCES locations,
    to_location_id uuid NOT NULL REFERENCES locations,
    status text NOT NULL CONSTRAINT transfers_status_known CHECK (status IN
        ('pending', 'in_transit', 'partly_received', 'received', 'canceled')),
    reference text NOT NULL DEFAULT '',
    actor text NOT NULL,
    created_at timestamptz NOT NULL,
    dispatched_at timestamptz,
    closed_at timestamptz,
    CONSTRAINT transfers_go_elsewhere CHECK (from_location_id <> to_location_id)
);
CREATE INDEX transfers_open ON transfers (id DESC) WHERE closed_at IS NULL;

CREATE TABLE transfer_lines (
    transfer_id uuid NOT NULL REFERENCES transfers,
    variant_id uuid NOT NULL REFERENCES variants,
    quantity bigint NOT NULL CONSTRAINT transfer_lines_quantity_positive
        CHECK (quantity > 0),
    received_quantity bigint NOT NULL DEFAULT 0
        CONSTRAINT transfer_lines_received_once
        CHECK (0 <= received_quantity AND received_quantity <= quantity),
    PRIMARY KEY (transfer_id, variant_id)
);

-- A stock count: what was found on the shelves of a location.
CREATE TABLE stock_counts (
    id uuid PRIMARY KEY,
    location_id uuid NOT NULL REFERENCES locations,
    status text NOT NULL CONSTRAINT stock_counts_status_known
        CHECK (status IN ('open', 'applied', 'canceled')),
    reference text NOT NULL DEFAULT '',
    actor text NOT NULL,
    opened_at timestamptz NOT NULL,
    closed_at timestamptz
);

CREATE TABLE stock_count_lines (
    count_id uuid NOT NULL REFERENCES stock_counts,
    variant_id uuid NOT NULL REFERENCES variants,
    -- The level when it was counted: applying writes the difference to what was
    -- counted, so that sales in between are not undone.
    expected bigint NOT NULL,
    counted bigint NOT NULL CONSTRAINT stock_count_lines_not_negative
        CHECK (counted >= 0),
    actor text NOT NULL,
    counted_at timestamptz NOT NULL,
    PRIMARY KEY (count_id, variant_id)
);

-- Who wants to hear when a variant can be bought again. Told once.
CREATE TABLE stock_requests (
    id uuid PRIMARY KEY,
    variant_id uuid NOT NULL REFERENCES variants,
    -- Whose request it is; NULL for a guest's.
    account_id uuid,
    -- {"email": ...}
    sealed bytea NOT NULL,
    email_index bytea NOT NULL,
    created_at timestamptz NOT NULL,
    -- When the e-mail was asked for; NULL while there is nothing to tell.
    due_at timestamptz
);
CREATE UNIQUE INDEX stock_requests_once ON stock_requests (variant_id, email_index)
    WHERE due_at IS NULL;
CREATE INDEX stock_requests_by_email ON stock_requests (email_index);
CREATE INDEX stock_requests_by_account ON stock_requests (account_id)
    WHERE account_id IS NOT NULL;
