-- The whole schema as the migrations add it up, for reading: a test proves that
-- running the numbered files and running this one make the same database.

-- identity ------------------------------------------------------------------

CREATE TABLE api_keys (
    id uuid PRIMARY KEY,
    name text NOT NULL,
    -- SHA-256 of the whole key: 256 random bits need no salt and no slow hash.
    key_hash bytea NOT NULL CONSTRAINT api_keys_hash_unique UNIQUE,
    -- The first characters, so that an operator can tell keys apart.
    prefix text NOT NULL,
    scopes text[] NOT NULL,
    created_at timestamptz NOT NULL,
    revoked_at timestamptz
);

-- catalog -------------------------------------------------------------------

CREATE TABLE categories (
    id uuid PRIMARY KEY,
    handle text NOT NULL CONSTRAINT categories_handle_unique UNIQUE,
    name text NOT NULL,
    position integer NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);

CREATE TABLE products (
    id uuid PRIMARY KEY,
    handle text NOT NULL CONSTRAINT products_handle_unique UNIQUE,
    title text NOT NULL,
    description_html text NOT NULL DEFAULT '',
    vendor text NOT NULL DEFAULT '',
    product_type text NOT NULL DEFAULT '',
    status text NOT NULL CONSTRAINT products_status_known
        CHECK (status IN ('draft', 'active', 'archived')),
    tags text[] NOT NULL DEFAULT '{}',
    -- [{"name": "Size", "values": ["S", "M"]}], in the order they are offered.
    options jsonb NOT NULL DEFAULT '[]',
    -- What the product was last imported from, so that the same import again
    -- can be told from a change. NULL for products made by hand.
    source_hash bytea,
    -- Two projections of this row and its variants, images and categories, made by
    -- one statement (catalog's `project`) in the transaction of every write: what a
    -- search matches, and the JSON a client reads. The stock of each variant is not
    -- in it: U+001F, which JSON cannot contain, stands where each number goes.
    search tsvector NOT NULL,
    document text NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);
CREATE INDEX products_search ON products USING gin (search);
CREATE INDEX products_active ON products (id) WHERE status = 'active';

-- What a search compares: letters of the Latin, Greek and Cyrillic scripts without
-- their accents, as catalog's `without_accents` does in Python.
CREATE FUNCTION without_accents(written text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN normalize(regexp_replace(normalize(written, NFKD), '[\u0300-\u036f]', '', 'g'),
                     NFC);

CREATE TABLE product_categories (
    product_id uuid NOT NULL REFERENCES products ON DELETE CASCADE,
    category_id uuid NOT NULL REFERENCES categories ON DELETE CASCADE,
    PRIMARY KEY (product_id, category_id)
);
CREATE INDEX product_categories_by_category
    ON product_categories (category_id, product_id);

CREATE TABLE variants (
    id uuid PRIMARY KEY,
    product_id uuid NOT NULL REFERENCES products ON DELETE CASCADE,
    sku text NOT NULL CONSTRAINT variants_sku_unique UNIQUE,
    title text NOT NULL DEFAULT '',
    -- {"Size": "M"}: one value for each option of the product.
    options jsonb NOT NULL DEFAULT '{}',
    price_amount bigint NOT NULL CONSTRAINT variants_price_not_negative
        CHECK (price_amount >= 0),
    compare_at_amount bigint CONSTRAINT variants_compare_at_not_negative
        CHECK (compare_at_amount >= 0),
    currency text NOT NULL CONSTRAINT variants_currency_shape
        CHECK (currency ~ '^[A-Z]{3}$'),
    weight_grams bigint NOT NULL DEFAULT 0 CONSTRAINT variants_weight_not_negative
        CHECK (weight_grams >= 0),
    barcode text,
    position integer NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);
CREATE INDEX variants_by_product ON variants (product_id, position);

CREATE TABLE product_images (
    id uuid PRIMARY KEY,
    product_id uuid NOT NULL REFERENCES products ON DELETE CASCADE,
    url text NOT NULL,
    alt text NOT NULL DEFAULT '',
    width integer,
    height integer,
    position integer NOT NULL
);
CREATE INDEX product_images_by_product ON product_images (product_id, position);

-- inventory -----------------------------------------------------------------

CREATE TABLE stock (
    variant_id uuid PRIMARY KEY REFERENCES variants ON DELETE CASCADE,
    on_hand bigint NOT NULL,
    reserved bigint NOT NULL DEFAULT 0,
    updated_at timestamptz NOT NULL,
    -- The one promise that no code path can break: what is promised to buyers
    -- never exceeds what is there.
    CONSTRAINT stock_never_oversold CHECK (0 <= reserved AND reserved <= on_hand)
) WITH (fillfactor = 50); -- room for HOT updates: a hot row changes on every sale

-- What stock.reserved is made of: one row for each order and variant that waits
-- for its payment.
CREATE TABLE reservations (
    order_id uuid NOT NULL,
    variant_id uuid NOT NULL REFERENCES stock,
    quantity bigint NOT NULL CONSTRAINT reservations_quantity_positive
        CHECK (quantity > 0),
    reserved_at timestamptz NOT NULL,
    PRIMARY KEY (order_id, variant_id)
);

-- The ledger: append-only; on_hand of a variant is the sum of its deltas.
CREATE TABLE stock_movements (
    id uuid PRIMARY KEY DEFAULT uuidv7(),
    variant_id uuid NOT NULL REFERENCES stock ON DELETE CASCADE,
    delta bigint NOT NULL CONSTRAINT stock_movements_move CHECK (delta <> 0),
    kind text NOT NULL CONSTRAINT stock_movements_kind_known
        CHECK (kind IN ('sale', 'adjustment')),
    reason text NOT NULL DEFAULT '',
    -- The order of a sale; NULL for an adjustment.
    order_id uuid,
    actor text NOT NULL,
    moved_at timestamptz NOT NULL
);
CREATE INDEX stock_movements_by_variant ON stock_movements (variant_id, id DESC);

-- ordering ------------------------------------------------------------------

CREATE TABLE carts (
    id uuid PRIMARY KEY,
    -- SHA-256 of the token that the cart's maker got once.
    token_hash bytea NOT NULL,
    status text NOT NULL CONSTRAINT carts_status_known
        CHECK (status IN ('open', 'ordered')),
    -- Every change of the cart or of its lines adds one.
    version bigint NOT NULL DEFAULT 1,
    currency text NOT NULL,
    email text,
    shipping_address jsonb,
    shipping_method text,
    shipping_amount bigint CONSTRAINT carts_shipping_not_negative
        CHECK (shipping_amount >= 0),
    -- carrier, last_quote or flat_rate: how the shipping price came about.
    shipping_source text,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);

CREATE TABLE cart_lines (
    cart_id uuid NOT NULL REFERENCES carts ON DELETE CASCADE,
    id uuid NOT NULL,
    variant_id uuid NOT NULL REFERENCES variants ON DELETE CASCADE,
    quantity bigint NOT NULL CONSTRAINT cart_lines_quantity_positive
        CHECK (quantity > 0),
    -- A price an operator set for this line; NULL means the catalogue's.
    unit_price_override bigint CONSTRAINT cart_lines_price_not_negative
        CHECK (unit_price_override >= 0),
    PRIMARY KEY (cart_id, id)
);
CREATE INDEX cart_lines_by_variant ON cart_lines (variant_id);

CREATE SEQUENCE order_numbers START 1001;

CREATE TABLE orders (
    id uuid PRIMARY KEY,
    number bigint NOT NULL DEFAULT nextval('order_numbers')
        CONSTRAINT orders_number_unique UNIQUE,
    cart_id uuid NOT NULL REFERENCES carts,
    token_hash bytea NOT NULL,
    status text NOT NULL CONSTRAINT orders_status_known
        CHECK (status IN ('pending', 'paid', 'payment_failed')),
    currency text NOT NULL,
    email text NOT NULL,
    shipping_address jsonb NOT NULL,
    shipping_method text NOT NULL,
    shipping_amount bigint NOT NULL,
    shipping_source text NOT NULL,
    subtotal_amount bigint NOT NULL,
    total_amount bigint NOT NULL,
    payment_reference text,
    failure_reason text,
    placed_at timestamptz NOT NULL,
    settled_at timestamptz,
    CONSTRAINT orders_total_adds_up
        CHECK (total_amount = subtotal_amount + shipping_amount AND subtotal_amount >= 0
               AND shipping_amount >= 0),
    CONSTRAINT orders_settled_when_not_pending
        CHECK ((status = 'pending') = (settled_at IS NULL)),
    CONSTRAINT orders_paid_has_reference
        CHECK (status <> 'paid' OR payment_reference IS NOT NULL)
);
-- One cart, one order. An attempt whose payment failed is kept as a record and
-- does not stand in the way of the next attempt.
CREATE UNIQUE INDEX orders_one_per_cart ON orders (cart_id)
    WHERE status <> 'payment_failed';
CREATE INDEX orders_by_cart ON orders (cart_id);
CREATE INDEX orders_pending ON orders (placed_at) WHERE status = 'pending';

CREATE TABLE order_lines (
    order_id uuid NOT NULL REFERENCES orders ON DELETE CASCADE,
    position integer NOT NULL,
    -- No foreign key: an order outlives the products it names.
    variant_id uuid NOT NULL,
    sku text NOT NULL,
    title text NOT NULL,
    quantity bigint NOT NULL CONSTRAINT order_lines_quantity_positive
        CHECK (quantity > 0),
    unit_price_amount bigint NOT NULL CONSTRAINT order_lines_price_not_negative
        CHECK (unit_price_amount >= 0),
    PRIMARY KEY (order_id, position)
);

-- notifications -------------------------------------------------------------

CREATE TABLE emails (
    id uuid PRIMARY KEY,
    -- The event that caused it: a job that runs twice sends once.
    event_id uuid NOT NULL CONSTRAINT emails_one_per_event UNIQUE,
    recipient text NOT NULL,
    subject text NOT NULL,
    body text NOT NULL,
    created_at timestamptz NOT NULL,
    -- When SMTP took it; NULL while it waits or when the mailbox is embedded.
    sent_at timestamptz
);

-- platform ------------------------------------------------------------------

-- Events, written in the commit that makes them true; the worker hands them on.
CREATE TABLE outbox (
    id uuid PRIMARY KEY,
    type text NOT NULL,
    payload jsonb NOT NULL,
    created_at timestamptz NOT NULL,
    relayed_at timestamptz
);
CREATE INDEX outbox_waiting ON outbox (id) WHERE relayed_at IS NULL;

-- One row for each keyed request, claimed in the commit of its effect.
CREATE TABLE idempotency_keys (
    caller text NOT NULL,
    route text NOT NULL,
    key text NOT NULL,
    -- SHA-256 of method, path and body: the same key must mean the same request.
    fingerprint bytea NOT NULL,
    -- The id of what the request makes, so that another can finish it.
    subject uuid NOT NULL,
    claimed_at timestamptz NOT NULL,
    -- Until then the claimer is presumed alive; afterwards another may take over.
    lease_until timestamptz NOT NULL,
    status smallint,
    headers jsonb,
    body bytea,
    answered_at timestamptz,
    PRIMARY KEY (caller, route, key),
    CONSTRAINT idempotency_keys_answer_whole
        CHECK ((status IS NULL) = (answered_at IS NULL))
);
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (claimed_at);

-- When each timer of the workers is due next; whoever moves the time on runs it.
CREATE TABLE timers (
    name text PRIMARY KEY,
    due_at timestamptz NOT NULL
);

-- job queue (pgqueuer) --------------------------------------------------------

-- Tables of pgqueuer 1.6.0, the job queue, as `pgq sql install` prints them.

CREATE TYPE pgqueuer_status AS ENUM ('queued', 'picked', 'successful', 'exception', 'canceled', 'deleted', 'failed');

CREATE TABLE pgqueuer (
    id bigserial NOT NULL PRIMARY KEY,
    priority integer NOT NULL,
    queue_manager_id uuid,
    created timestamp with time zone NOT NULL DEFAULT now(),
    updated timestamp with time zone NOT NULL DEFAULT now(),
    heartbeat timestamp with time zone NOT NULL DEFAULT now(),
    execute_after timestamp with time zone NOT NULL DEFAULT now(),
    status pgqueuer_status NOT NULL,
    entrypoint text NOT NULL,
    dedupe_key text,
    payload bytea,
    headers jsonb,
    attempts integer NOT NULL DEFAULT 0,
    slot bigint
);

CREATE TABLE pgqueuer_log (
    id bigint GENERATED BY DEFAULT AS IDENTITY NOT NULL PRIMARY KEY,
    created timestamp with time zone NOT NULL DEFAULT now(),
    job_id bigint NOT NULL,
    status pgqueuer_status NOT NULL,
    priority integer NOT NULL,
    entrypoint text NOT NULL,
    traceback jsonb,
    aggregated boolean DEFAULT false
);

CREATE TABLE pgqueuer_schedules (
    id bigserial NOT NULL PRIMARY KEY,
    expression text NOT NULL,
    entrypoint text NOT NULL,
    heartbeat timestamp with time zone NOT NULL DEFAULT now(),
    created timestamp with time zone NOT NULL DEFAULT now(),
    updated timestamp with time zone NOT NULL DEFAULT now(),
    next_run timestamp with time zone NOT NULL DEFAULT now(),
    last_run timestamp with time zone,
    status pgqueuer_status DEFAULT 'queued'::pgqueuer_status,
    UNIQUE (expression, entrypoint)
);

CREATE TABLE pgqueuer_statistics (
    id bigserial NOT NULL PRIMARY KEY,
    created timestamp with time zone NOT NULL DEFAULT date_trunc('sec'::text, now()),
    count bigint NOT NULL,
    priority integer NOT NULL,
    status pgqueuer_status NOT NULL,
    entrypoint text NOT NULL
);

CREATE INDEX pgqueuer_ep_ea_idx ON pgqueuer USING btree (entrypoint, execute_after) WHERE (status = 'queued'::pgqueuer_status);

CREATE INDEX pgqueuer_ep_prio_id_idx ON pgqueuer USING btree (entrypoint, priority DESC, id) WHERE (status = 'queued'::pgqueuer_status);

CREATE INDEX pgqueuer_log_created ON pgqueuer_log USING btree (created);

CREATE INDEX pgqueuer_log_job_id_status ON pgqueuer_log USING btree (job_id, created DESC);

CREATE INDEX pgqueuer_log_not_aggregated ON pgqueuer_log USING btree ((1)) WHERE (NOT aggregated);

CREATE INDEX pgqueuer_log_status ON pgqueuer_log USING btree (status);

CREATE INDEX pgqueuer_picked_heartbeat_idx ON pgqueuer USING btree (heartbeat) WHERE (status = 'picked'::pgqueuer_status);

CREATE UNIQUE INDEX pgqueuer_picked_slot_idx ON pgqueuer USING btree (entrypoint, slot) WHERE ((status = 'picked'::pgqueuer_status) AND (slot IS NOT NULL));

CREATE INDEX pgqueuer_priority_id_id1_idx ON pgqueuer USING btree (priority, id DESC) INCLUDE (id) WHERE (status = 'queued'::pgqueuer_status);

CREATE INDEX pgqueuer_queue_manager_id_idx ON pgqueuer USING btree (queue_manager_id) WHERE (queue_manager_id IS NOT NULL);

CREATE UNIQUE INDEX pgqueuer_statistics_unique_count ON pgqueuer_statistics USING btree (priority, date_trunc('sec'::text, timezone('UTC'::text, created)), status, entrypoint);

CREATE UNIQUE INDEX pgqueuer_unique_dedupe_key ON pgqueuer USING btree (dedupe_key) WHERE ((status = ANY (ARRAY['queued'::pgqueuer_status, 'picked'::pgqueuer_status])) AND (dedupe_key IS NOT NULL));

CREATE INDEX pgqueuer_updated_id_id1_idx ON pgqueuer USING btree (updated, id DESC) INCLUDE (id) WHERE (status = 'picked'::pgqueuer_status);

CREATE FUNCTION fn_pgqueuer_changed() RETURNS TRIGGER AS $$
DECLARE
    to_emit BOOLEAN := false;  -- Flag to decide whether to emit a notification
BEGIN
    -- Check operation type and set the emit flag accordingly
    IF TG_OP = 'UPDATE' AND OLD IS DISTINCT FROM NEW THEN
        to_emit := true;
    ELSIF TG_OP = 'DELETE' THEN
        to_emit := true;
    ELSIF TG_OP = 'INSERT' THEN
        to_emit := true;
    ELSIF TG_OP = 'TRUNCATE' THEN
        to_emit := true;
    END IF;

    -- Perform notification if the emit flag is set
    IF to_emit THEN
        PERFORM pg_notify(
            'ch_pgqueuer',
            json_build_object(
                'channel', 'ch_pgqueuer',
                'operation', lower(TG_OP),
                'sent_at', NOW(),
                'table', TG_TABLE_NAME,
                'type', 'table_changed_event'
            )::text
        );
    END IF;

    -- Return appropriate value based on the operation
    IF TG_OP IN ('INSERT', 'UPDATE') THEN
        RETURN NEW;
    ELSIF TG_OP = 'DELETE' THEN
        RETURN OLD;
    ELSE
        RETURN NULL; -- For TRUNCATE and other non-row-specific contexts
    END IF;

END;
$$ LANGUAGE plpgsql;

CREATE TRIGGER tg_pgqueuer_changed
AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON pgqueuer
EXECUTE FUNCTION fn_pgqueuer_changed();
