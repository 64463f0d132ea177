-- The whole catalogue: versions, schedules, attributes, trees, history.

ALTER TABLE products
    -- Counts the writes of the product, its variants, categories and images.
    ADD COLUMN version bigint NOT NULL DEFAULT 0,
    ADD COLUMN seo_title text NOT NULL DEFAULT '',
    ADD COLUMN seo_description text NOT NULL DEFAULT '',
    -- When a scheduled product goes on sale, and when one goes off it.
    ADD COLUMN publish_at timestamptz,
    ADD COLUMN unpublish_at timestamptz,
    -- {"material": "oak", "depth": 40}: by the codes of attribute_definitions.
    ADD COLUMN attributes jsonb NOT NULL DEFAULT '{}',
    DROP CONSTRAINT products_status_known,
    ADD CONSTRAINT products_status_known
        CHECK (status IN ('draft', 'active', 'archived', 'scheduled')),
    ADD CONSTRAINT products_scheduled_when
        CHECK (status <> 'scheduled' OR publish_at IS NOT NULL);
CREATE INDEX products_due ON products (least(publish_at, unpublish_at))
    WHERE status IN ('active', 'scheduled')
      AND (publish_at IS NOT NULL OR unpublish_at IS NOT NULL);
CREATE INDEX products_on_sale ON products (id) WHERE status IN ('active', 'scheduled');

-- What the status of a product is at a moment, whether or not somebody has come by to
-- write it down.
CREATE FUNCTION status_at(
    status text, publish_at timestamptz, unpublish_at timestamptz, moment timestamptz
) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE
        WHEN status IN ('active', 'scheduled') AND unpublish_at <= moment THEN 'archived'
        WHEN status = 'scheduled' AND publish_at <= moment THEN 'active'
        ELSE status
    END;

-- What is in the shop's own store of pictures; NULL for one that is kept elsewhere.
ALTER TABLE product_images ADD COLUMN asset_id uuid;
CREATE INDEX product_images_by_asset ON product_images (asset_id)
    WHERE asset_id IS NOT NULL;

-- Which of the product's images shows the variant.
ALTER TABLE variants ADD COLUMN image_id uuid;
CREATE INDEX variants_by_barcode ON variants (barcode) WHERE barcode IS NOT NULL;

ALTER TABLE categories
    ADD COLUMN parent_id uuid
        CONSTRAINT categories_parent_exists REFERENCES categories,
    ADD COLUMN description_html text NOT NULL DEFAULT '',
    ADD COLUMN seo_title text NOT NULL DEFAULT '',
    ADD COLUMN seo_description text NOT NULL DEFAULT '',
    ADD COLUMN version bigint NOT NULL DEFAULT 1,
    ADD CONSTRAINT categories_parent_is_another CHECK (parent_id <> id);
CREATE INDEX categories_by_parent ON categories (parent_id, position, id);

-- What can be said of a product besides, and of what type it is.
CREATE TABLE attribute_definitions (
    code text PRIMARY KEY,
    name text NOT NULL,
    type text NOT NULL CONSTRAINT attribute_definitions_type_known
        CHECK (type IN ('text', 'number', 'boolean', 'date', 'choice', 'reference')),
    -- What a choice chooses from, in order; empty for other types.
    choices text[] NOT NULL DEFAULT '{}',
    filterable boolean NOT NULL DEFAULT false,
    position integer NOT NULL DEFAULT 0,
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);
CREATE INDEX products_by_attributes ON products USING gin (attributes jsonb_path_ops);

-- The texts of a product in other languages than the shop's own.
CREATE TABLE product_translations (
    product_id uuid NOT NULL REFERENCES products ON DELETE CASCADE,
    -- A language tag: de, pt-BR.
    language text NOT NULL,
    -- {"title": "Tasse"}: the fields that are translated; the others are as they are.
    fields jsonb NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (product_id, language)
);

-- What else somebody may want who looks at a product, in order.
CREATE TABLE related_products (
    product_id uuid NOT NULL REFERENCES products ON DELETE CASCADE,
    related_id uuid NOT NULL REFERENCES products ON DELETE CASCADE,
    position integer NOT NULL,
    PRIMARY KEY (product_id, related_id),
    CONSTRAINT related_products_another CHECK (product_id <> related_id)
);
CREATE INDEX related_products_by_related ON related_products (related_id);

-- Who changed what of a product. It outlives the product.
CREATE TABLE product_changes (
    id uuid PRIMARY KEY,
    product_id uuid NOT NULL,
    -- The version that the change made; the last there was for a deletion.
    version bigint NOT NULL,
    action text NOT NULL CONSTRAINT product_changes_action_known CHECK (action IN
        ('created', 'changed', 'published', 'unpublished', 'deleted')),
    actor text NOT NULL,
    -- [{"field": "title", "old": "Cup", "new": "Mug"}]
    changes jsonb NOT NULL,
    at timestamptz NOT NULL
);
CREATE INDEX product_changes_by_product ON product_changes (product_id, id DESC);

-- Products that were there have their first version, and say so. U+001F stands where
-- their status goes from now on, as it depends on the moment.
UPDATE products
SET version = 1,
    document = concat(
        left(regexp_replace(document, '"status":"[a-z]+"', U&'"status":"\001F"'), -1),
        ',"version":1,"seo_title":"","seo_description":"","publish_at":null,',
        '"unpublish_at":null,"attributes":{}}');
