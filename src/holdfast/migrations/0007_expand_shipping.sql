-- Shipments: which units of an order left from where, and where they are by all that
-- the carrier has told.

CREATE TABLE shipments (
    -- The key under which the carrier knows it, too.
    id uuid PRIMARY KEY,
    order_id uuid NOT NULL REFERENCES orders,
    -- What was asked for at once, from several locations, has this in common.
    request_id uuid NOT NULL,
    location_id uuid NOT NULL REFERENCES locations,
    status text NOT NULL CONSTRAINT shipments_status_known CHECK (
        status IN ('pending', 'created', 'in_transit', 'out_for_delivery', 'exception',
                   'lost', 'returned', 'delivered', 'canceled')),
    -- Whether the carrier was asked, or somebody sees to it without the shop.
    carried_by text NOT NULL CONSTRAINT shipments_carried_by_known
        CHECK (carried_by IN ('carrier', 'hand')),
    service text,
    tracking_number text,
    -- What the carrier calls it: its label is found by that.
    carrier_reference text,
    -- Why nothing came of it.
    failure_reason text,
    actor text NOT NULL,
    created_at timestamptz NOT NULL,
    -- When it was certain that it goes; the stock left in the same transaction.
    shipped_at timestamptz,
    delivered_at timestamptz,
    -- Somebody wants it canceled, and the carrier has not agreed yet.
    cancel_requested_at timestamptz,
    cancel_actor text,
    -- It was lost or came back, and its units were put up for shipping again.
    reshipped_at timestamptz,
    -- When the carrier last said something of it, or was last asked.
    heard_at timestamptz NOT NULL,
    CONSTRAINT shipments_taken_whole CHECK (
        carried_by = 'hand' OR status IN ('pending', 'canceled')
        OR (tracking_number IS NOT NULL AND carrier_reference IS NOT NULL)),
    CONSTRAINT shipments_shipped_says_when CHECK (
        status IN ('pending', 'canceled') OR shipped_at IS NOT NULL),
    CONSTRAINT shipments_cancel_says_who CHECK (
        (cancel_requested_at IS NULL) = (cancel_actor IS NULL))
);
CREATE UNIQUE INDEX shipments_by_tracking_number ON shipments (tracking_number)
    WHERE carried_by = 'carrier' AND tracking_number IS NOT NULL;
CREATE INDEX shipments_by_order ON shipments (order_id, id);
CREATE INDEX shipments_by_status ON shipments (status, id DESC);
CREATE INDEX shipments_by_location ON shipments (location_id, id DESC);
-- Those that somebody has to finish.
CREATE INDEX shipments_unsettled ON shipments (created_at, id)
    WHERE status = 'pending' OR cancel_requested_at IS NOT NULL;
-- Those that the carrier may be asked about.
CREATE INDEX shipments_under_way ON shipments (heard_at)
    WHERE carried_by = 'carrier'
      AND status IN ('created', 'in_transit', 'out_for_delivery', 'exception');

CREATE TABLE shipment_lines (
    shipment_id uuid NOT NULL REFERENCES shipments,
    -- Of the line of the order.
    position integer NOT NULL,
    quantity bigint NOT NULL CONSTRAINT shipment_lines_quantity_positive
        CHECK (quantity > 0),
    PRIMARY KEY (shipment_id, position)
);

-- What happened to a parcel, each once however often it is told. Not in the carrier's
-- words, which may name people.
CREATE TABLE shipment_events (
    shipment_id uuid NOT NULL REFERENCES shipments,
    event_id text NOT NULL,
    status text NOT NULL,
    happened_at timestamptz NOT NULL,
    PRIMARY KEY (shipment_id, event_id)
);
