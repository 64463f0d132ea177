-- Collections: products put together by hand, or by a rule that says what belongs.

CREATE TABLE collections (
    id uuid PRIMARY KEY,
    handle text NOT NULL CONSTRAINT collections_handle_unique UNIQUE,
    title text NOT NULL,
    description_html text NOT NULL,
    seo_title text NOT NULL,
    seo_description text NOT NULL,
    -- A picture of the shop's own, which stays while it is shown here.
    image_id uuid,
    image_alt text NOT NULL,
    status text NOT NULL CONSTRAINT collections_status_known
        CHECK (status IN ('draft', 'active')),
    -- From when until when buyers see it, once it is active.
    publish_at timestamptz,
    unpublish_at timestamptz,
    sort text NOT NULL CONSTRAINT collections_sort_known
        CHECK (sort IN ('manual', 'newest', 'title', 'price', '-price')),
    -- {"match": "all", "conditions": [{"field": "tag", ...}]}; NULL where the products
    -- are put in by hand. Who belongs is asked at each read, so nothing goes stale.
    rule jsonb,
    position integer NOT NULL,
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT collections_rules_have_no_hand
        CHECK (rule IS NULL OR sort <> 'manual')
);
CREATE INDEX collections_in_order ON collections (position, id);
CREATE INDEX collections_by_image ON collections (image_id) WHERE image_id IS NOT NULL;

-- What was put in by hand. It stays while a rule decides instead.
CREATE TABLE collection_products (
    collection_id uuid NOT NULL REFERENCES collections ON DELETE CASCADE,
    product_id uuid NOT NULL REFERENCES products ON DELETE CASCADE,
    -- To sort by, with room between: moving one product writes one row, and shifts
    -- nothing for somebody who is reading page by page.
    place bigint NOT NULL,
    PRIMARY KEY (collection_id, product_id)
);
CREATE INDEX collection_products_in_order
    ON collection_products (collection_id, place, product_id);
CREATE INDEX collection_products_by_product ON collection_products (product_id);

-- Who changed what of a collection. It outlives the collection.
CREATE TABLE collection_changes (
    id uuid PRIMARY KEY,
    collection_id uuid NOT NULL,
    -- The version that the change made; the last there was for a deletion.
    version bigint NOT NULL,
    action text NOT NULL CONSTRAINT collection_changes_action_known
        CHECK (action IN ('created', 'changed', 'deleted')),
    actor text NOT NULL,
    changes jsonb NOT NULL,
    at timestamptz NOT NULL
);
CREATE INDEX collection_changes_by_collection
    ON collection_changes (collection_id, id DESC);

-- What is reduced is little of much, as a rule.
CREATE INDEX variants_reduced ON variants (product_id)
    WHERE compare_at_amount > price_amount;
