-- Prices in other currencies, for groups of customers, by quantity and for a time, and
-- what every price has been.

CREATE TABLE customer_groups (
    id uuid PRIMARY KEY,
    -- How people and files name it: wholesale, club-gold.
    code text NOT NULL CONSTRAINT customer_groups_code_unique UNIQUE,
    name text NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);

CREATE TABLE customer_group_members (
    account_id uuid NOT NULL REFERENCES accounts ON DELETE CASCADE,
    group_id uuid NOT NULL REFERENCES customer_groups ON DELETE CASCADE,
    added_by text NOT NULL,
    added_at timestamptz NOT NULL,
    PRIMARY KEY (account_id, group_id)
);
CREATE INDEX customer_group_members_by_group
    ON customer_group_members (group_id, account_id);

CREATE TABLE price_lists (
    id uuid PRIMARY KEY,
    code text NOT NULL CONSTRAINT price_lists_code_unique UNIQUE,
    name text NOT NULL,
    -- A sale lowers prices; a contract takes their place, higher ones too.
    kind text NOT NULL CONSTRAINT price_lists_kind_known
        CHECK (kind IN ('sale', 'contract')),
    -- Whether it is for everybody, or for the groups in price_list_groups alone.
    for_everybody boolean NOT NULL,
    starts_at timestamptz,
    ends_at timestamptz,
    -- Since when it has been as it is; what it was before is in price_list_changes.
    since timestamptz NOT NULL,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    -- When it was withdrawn; its prices stay on record.
    removed_at timestamptz,
    CONSTRAINT price_lists_end_after_start CHECK (starts_at < ends_at),
    CONSTRAINT price_lists_contracts_are_with_groups
        CHECK (NOT (kind = 'contract' AND for_everybody))
);

CREATE TABLE price_list_groups (
    price_list_id uuid NOT NULL REFERENCES price_lists,
    group_id uuid NOT NULL
        CONSTRAINT price_list_groups_group_known REFERENCES customer_groups,
    PRIMARY KEY (price_list_id, group_id)
);
CREATE INDEX price_list_groups_by_group ON price_list_groups (group_id);

-- For whom and when a list held, while it was something else than it is now.
CREATE TABLE price_list_changes (
    price_list_id uuid NOT NULL REFERENCES price_lists,
    since timestamptz NOT NULL,
    until timestamptz NOT NULL,
    for_everybody boolean NOT NULL,
    group_ids uuid[] NOT NULL,
    starts_at timestamptz,
    ends_at timestamptz,
    PRIMARY KEY (price_list_id, since)
);

-- Every price beside that of the variant itself. A price is never changed: it is
-- removed and another is put in its place, so that this is its own history.
CREATE TABLE prices (
    id uuid PRIMARY KEY,
    variant_id uuid NOT NULL REFERENCES variants ON DELETE CASCADE,
    -- NULL: the shop's own, for everybody.
    price_list_id uuid REFERENCES price_lists,
    currency text NOT NULL CONSTRAINT prices_currency_shape
        CHECK (currency ~ '^[A-Z]{3}$'),
    -- From how many of the variant on.
    min_quantity bigint NOT NULL CONSTRAINT prices_min_quantity_positive
        CHECK (min_quantity > 0),
    amount bigint NOT NULL CONSTRAINT prices_amount_in_range
        CHECK (amount BETWEEN 0 AND 1000000000000000),
    compare_at_amount bigint CONSTRAINT prices_compare_at_in_range
        CHECK (compare_at_amount BETWEEN 0 AND 1000000000000000),
    starts_at timestamptz,
    ends_at timestamptz,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL,
    removed_by text,
    removed_at timestamptz,
    CONSTRAINT prices_end_after_start CHECK (starts_at < ends_at)
);
CREATE UNIQUE INDEX prices_once ON prices (variant_id, currency, price_list_id,
                                           min_quantity, starts_at, ends_at)
    NULLS NOT DISTINCT WHERE removed_at IS NULL;
CREATE INDEX prices_by_list ON prices (price_list_id, id) WHERE removed_at IS NULL;
CREATE INDEX prices_ever ON prices (variant_id, currency);

-- What the price of a variant itself was before it was changed.
CREATE TABLE base_price_changes (
    variant_id uuid NOT NULL REFERENCES variants ON DELETE CASCADE,
    since timestamptz NOT NULL,
    until timestamptz NOT NULL,
    currency text NOT NULL,
    amount bigint NOT NULL,
    compare_at_amount bigint,
    PRIMARY KEY (variant_id, since)
);

-- Whoever changes the price of a variant, by whatever way, cannot forget to write down
-- what it was.
CREATE FUNCTION keep_base_price() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO base_price_changes (variant_id, since, until, currency, amount,
                                    compare_at_amount)
    SELECT OLD.id, held.since, NEW.updated_at, OLD.currency, OLD.price_amount,
           OLD.compare_at_amount
    FROM (SELECT coalesce(max(c.until), OLD.created_at) AS since
          FROM base_price_changes c WHERE c.variant_id = OLD.id) AS held
    -- Of two changes at one instant, nobody was sold the price in between.
    WHERE held.since < NEW.updated_at;
    RETURN NULL;
END
$$;
CREATE TRIGGER variants_keep_their_prices AFTER UPDATE ON variants
    FOR EACH ROW WHEN (
        (OLD.price_amount, OLD.currency) IS DISTINCT FROM
        (NEW.price_amount, NEW.currency)
        OR OLD.compare_at_amount IS DISTINCT FROM NEW.compare_at_amount)
    EXECUTE FUNCTION keep_base_price();

-- What may hold for whom now: of lists that are not withdrawn, with one row for
-- everybody or for each group. The entry is what pricing's `book_of` reads.
CREATE VIEW prices_on_record AS
SELECT p.variant_id, p.currency, p.price_list_id, audience.group_id,
       jsonb_build_array(
           p.id, p.min_quantity, p.amount, p.compare_at_amount, p.starts_at, p.ends_at,
           l.id, l.kind, l.starts_at, l.ends_at, audience.group_id) AS entry
FROM prices p
LEFT JOIN price_lists l ON l.id = p.price_list_id
LEFT JOIN price_list_groups audience
    ON audience.price_list_id = l.id AND NOT l.for_everybody
WHERE p.removed_at IS NULL AND l.removed_at IS NULL
  AND (l.id IS NULL OR l.for_everybody OR audience.group_id IS NOT NULL);

-- The same of any time: what an entry said, of whom, and for which time it was on record
-- just so. Of the prices of variants themselves too.
CREATE VIEW prices_known AS
SELECT p.variant_id, p.currency, audience.group_id,
       jsonb_build_array(
           p.id, p.min_quantity, p.amount, p.compare_at_amount, p.starts_at, p.ends_at,
           p.price_list_id, l.kind, l.starts_at, l.ends_at, audience.group_id,
           greatest(p.created_at, l.since), least(p.removed_at, l.until)) AS entry
FROM prices p
LEFT JOIN LATERAL (
    SELECT n.id, n.kind, n.for_everybody, ARRAY(
               SELECT g.group_id FROM price_list_groups g
               WHERE g.price_list_id = n.id) AS group_ids,
           n.starts_at, n.ends_at, n.since, n.removed_at AS until
    FROM price_lists n WHERE n.id = p.price_list_id
    UNION ALL
    SELECT n.id, n.kind, was.for_everybody, was.group_ids, was.starts_at, was.ends_at,
           was.since, was.until
    FROM price_list_changes was JOIN price_lists n ON n.id = was.price_list_id
    WHERE was.price_list_id = p.price_list_id
) AS l ON true
LEFT JOIN LATERAL unnest(l.group_ids) AS audience (group_id) ON NOT l.for_everybody
WHERE (l.id IS NULL OR l.for_everybody OR audience.group_id IS NOT NULL)
  AND (least(p.removed_at, l.until) IS NULL
       OR greatest(p.created_at, l.since) < least(p.removed_at, l.until))
UNION ALL
SELECT v.id, v.currency, NULL,
       jsonb_build_array(
           NULL, 1, v.price_amount, v.compare_at_amount, NULL, NULL, NULL, NULL, NULL,
           NULL, NULL, coalesce((
               SELECT max(c.until) FROM base_price_changes c
               WHERE c.variant_id = v.id), v.created_at), NULL)
FROM variants v
UNION ALL
SELECT c.variant_id, c.currency, NULL,
       jsonb_build_array(
           NULL, 1, c.amount, c.compare_at_amount, NULL, NULL, NULL, NULL, NULL, NULL,
           NULL, c.since, c.until)
FROM base_price_changes c;
