-- Drops: what goes on sale at a moment, behind a waiting room.

CREATE TABLE drops (
    id uuid PRIMARY KEY,
    name text NOT NULL,
    opens_at timestamptz NOT NULL,
    -- When the door closes by itself; NULL while somebody has to close it.
    closes_at timestamptz,
    -- Whether people may wait who have not signed in.
    guests boolean NOT NULL,
    -- Units that one ticket may buy, all orders together.
    most_units integer NOT NULL CONSTRAINT drops_most_units_positive
        CHECK (most_units > 0),
    -- Tickets that one address may take without signing in.
    most_tickets integer NOT NULL CONSTRAINT drops_most_tickets_positive
        CHECK (most_tickets > 0),
    -- How many are let in a minute; NULL for a share of what can be served.
    per_minute integer CONSTRAINT drops_per_minute_positive CHECK (per_minute > 0),
    -- How long somebody who was let in may take.
    pass_seconds integer NOT NULL CONSTRAINT drops_pass_seconds_positive
        CHECK (pass_seconds > 0),
    -- What is sold; while the drop is on, also in drop_variants.
    variant_ids uuid[] NOT NULL,
    -- SHA-256 of the seed that the lots are drawn with.
    commitment bytea NOT NULL,
    -- Tickets, those whose lots were drawn, and how far the line has come.
    issued bigint NOT NULL DEFAULT 0,
    drawn bigint,
    admitted bigint NOT NULL DEFAULT 0,
    drawn_at timestamptz,
    paced_at timestamptz,
    ended_at timestamptz,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT drops_line_in_order CHECK (0 <= admitted AND admitted <= issued),
    CONSTRAINT drops_close_after_opening CHECK (closes_at > opens_at)
);
CREATE INDEX drops_on ON drops (opens_at) WHERE ended_at IS NULL;

-- What is behind a door now: a variant is behind one at most.
CREATE TABLE drop_variants (
    variant_id uuid CONSTRAINT drop_variants_pkey PRIMARY KEY,
    drop_id uuid NOT NULL REFERENCES drops
);

CREATE TABLE drop_tickets (
    id uuid PRIMARY KEY,
    drop_id uuid NOT NULL REFERENCES drops,
    -- A keyed hash of the account or of the address, and which of its tickets this is.
    holder bytea NOT NULL,
    number integer NOT NULL,
    -- The place in line; NULL until the lots are drawn.
    position bigint,
    issued_at timestamptz NOT NULL,
    -- When its holder was first told that it is their turn.
    admitted_at timestamptz,
    CONSTRAINT drop_tickets_once UNIQUE (drop_id, holder, number),
    CONSTRAINT drop_tickets_places UNIQUE (drop_id, position)
        DEFERRABLE INITIALLY DEFERRED
);

-- How far the line had come when, so that a turn can be missed.
CREATE TABLE drop_admissions (
    drop_id uuid NOT NULL REFERENCES drops,
    admitted bigint NOT NULL,
    at timestamptz NOT NULL,
    PRIMARY KEY (drop_id, admitted)
);

-- What was bought with a ticket.
CREATE TABLE drop_purchases (
    order_id uuid NOT NULL REFERENCES orders,
    ticket_id uuid NOT NULL REFERENCES drop_tickets ON DELETE CASCADE,
    units bigint NOT NULL CONSTRAINT drop_purchases_units_positive CHECK (units > 0),
    PRIMARY KEY (order_id, ticket_id)
);
CREATE INDEX drop_purchases_by_ticket ON drop_purchases (ticket_id);

-- What each process of the API can serve, as it measured while a drop was on.
CREATE TABLE drop_capacity (
    process_id uuid PRIMARY KEY,
    per_second double precision NOT NULL,
    measured_at timestamptz NOT NULL
);
