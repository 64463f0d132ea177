-- name: offers
-- What checkout needs to know of variants. $1 skus. One row for each that exists.
-- $2 the moment, NULL for now.
SELECT v.id AS variant_id, v.sku, p.title, v.title AS variant_title, v.price_amount,
       v.currency, v.weight_grams,
       status_at(p.status, p.publish_at, p.unpublish_at, coalesce($2::timestamptz, now())) = 'active' AS active
FROM variants v JOIN products p ON p.id = v.product_id
WHERE v.sku = ANY($1::text[]);

-- name: read_by_id
-- Products as a client reads them. $1 ids. `available` has what goes into the places
-- of the document: the status of the moment, and one number a variant in their order.
-- $2 the moment, NULL for now. `has_offers`: whether a variant has prices beside its own,
-- or one that its own is compared with.
-- `spoken` is what is translated, where somebody asks for that (see `spoken`).
SELECT p.id, shown.status, p.version, p.document,
       NULL::jsonb /* spoken */ AS spoken, EXISTS (
    SELECT FROM variants v
    WHERE v.product_id = p.id AND (v.compare_at_amount > v.price_amount OR EXISTS (
        SELECT FROM prices r WHERE r.variant_id = v.id AND r.removed_at IS NULL))
) AS has_offers, (
    SELECT concat_ws(' ', shown.status, string_agg(coalesce((
        SELECT sum(s.available) FROM stock s WHERE s.variant_id = v.id), 0)::text,
        ' ' ORDER BY v.position))
    FROM variants v
    WHERE v.product_id = p.id) AS available
FROM products p
CROSS JOIN LATERAL (
    SELECT status_at(p.status, p.publish_at, p.unpublish_at, coalesce($2::timestamptz, now())) AS status) AS shown
WHERE p.id = ANY($1::uuid[]);

-- name: read_by_handle
-- The same by handle. $1 handles.
-- $2 the moment, NULL for now.
SELECT p.id, p.handle, shown.status, p.version, p.document,
       NULL::jsonb /* spoken */ AS spoken, EXISTS (
    SELECT FROM variants v
    WHERE v.product_id = p.id AND (v.compare_at_amount > v.price_amount OR EXISTS (
        SELECT FROM prices r WHERE r.variant_id = v.id AND r.removed_at IS NULL))
) AS has_offers, (
    SELECT concat_ws(' ', shown.status, string_agg(coalesce((
        SELECT sum(s.available) FROM stock s WHERE s.variant_id = v.id), 0)::text,
        ' ' ORDER BY v.position))
    FROM variants v
    WHERE v.product_id = p.id) AS available
FROM products p
CROSS JOIN LATERAL (
    SELECT status_at(p.status, p.publish_at, p.unpublish_at, coalesce($2::timestamptz, now())) AS status) AS shown
WHERE p.handle = ANY($1::text[]);

-- name: page_on_sale
-- Active products in the order they were made. $1 the last id seen or the nil id,
-- $2 how many, at most 100. Returns one row for all: their documents and numbers
-- joined, which costs the driver half of what a row each does.
-- The row number stops the scan, so no more rows are read than returned; the LIMIT
-- does nothing but give the planner a number. Without one it would guess from the
-- size of the table and plan anew each time (150 us), for fear of its guess.
-- $3 the moment, NULL for now.
SELECT count(*) > $2 AS more,
       (array_agg(id ORDER BY id))[$2] AS last_id,
       string_agg(document, ',' ORDER BY id) FILTER (WHERE place <= $2) AS documents,
       string_agg(available, ' ' ORDER BY id) FILTER (WHERE place <= $2) AS available,
       NULL::jsonb /* spoken */ AS spoken
FROM (
    SELECT p.id, p.document, p.place, (
        SELECT concat_ws(' ', p.status, string_agg(coalesce((
            SELECT sum(s.available) FROM stock s WHERE s.variant_id = v.id), 0)::text,
            ' ' ORDER BY v.position))
        FROM variants v
        WHERE v.product_id = p.id) AS available
    FROM (
        SELECT id, document, 'active' AS status, row_number() OVER (ORDER BY id) AS place
        FROM products
        WHERE id > $1 AND status IN ('active', 'scheduled')
          AND status_at(status, publish_at, unpublish_at, coalesce($3::timestamptz, now())) = 'active'
    ) AS p
    WHERE place <= $2 + 1
    ORDER BY id LIMIT 101
) AS page;

-- name: page
-- As page_on_sale with its $1 and $2, for products of any status, or of status $3.
-- $4 the moment, NULL for now.
SELECT count(*) > $2 AS more,
       (array_agg(id ORDER BY id))[$2] AS last_id,
       string_agg(document, ',' ORDER BY id) FILTER (WHERE place <= $2) AS documents,
       string_agg(available, ' ' ORDER BY id) FILTER (WHERE place <= $2) AS available,
       NULL::jsonb /* spoken */ AS spoken
FROM (
    SELECT p.id, p.document, p.place, (
        SELECT concat_ws(' ', p.status, string_agg(coalesce((
            SELECT sum(s.available) FROM stock s WHERE s.variant_id = v.id), 0)::text,
            ' ' ORDER BY v.position))
        FROM variants v
        WHERE v.product_id = p.id) AS available
    FROM (
        SELECT id, document, row_number() OVER (ORDER BY id) AS place,
               status_at(status, publish_at, unpublish_at, coalesce($4::timestamptz, now())) AS status
        FROM products
        WHERE id > $1 AND ($3::text IS NULL OR
                           status_at(status, publish_at, unpublish_at, coalesce($4::timestamptz, now())) = $3)
    ) AS p
    WHERE place <= $2 + 1
    ORDER BY id LIMIT 101
) AS page;

-- name: page_in_category
-- As page_on_sale with its $1 and $2, for products of category $4, of any status
-- or of $3.
-- $5 the moment, NULL for now.
SELECT count(*) > $2 AS more,
       (array_agg(id ORDER BY id))[$2] AS last_id,
       string_agg(document, ',' ORDER BY id) FILTER (WHERE place <= $2) AS documents,
       string_agg(available, ' ' ORDER BY id) FILTER (WHERE place <= $2) AS available,
       NULL::jsonb /* spoken */ AS spoken
FROM (
    SELECT p.id, p.document, p.place, (
        SELECT concat_ws(' ', p.status, string_agg(coalesce((
            SELECT sum(s.available) FROM stock s WHERE s.variant_id = v.id), 0)::text,
            ' ' ORDER BY v.position))
        FROM variants v
        WHERE v.product_id = p.id) AS available
    FROM (
        SELECT p.id, p.document, row_number() OVER (ORDER BY c.product_id) AS place,
               status_at(p.status, p.publish_at, p.unpublish_at, coalesce($5::timestamptz, now())) AS status
        FROM product_categories c JOIN products p ON p.id = c.product_id
        WHERE c.category_id = $4 AND c.product_id > $1
          AND ($3::text IS NULL OR
               status_at(p.status, p.publish_at, p.unpublish_at, coalesce($5::timestamptz, now())) = $3)
    ) AS p
    WHERE place <= $2 + 1
    ORDER BY id LIMIT 101
) AS page;

-- name: add_products
-- Add products. $1 a JSON array of them, $2 their documents in the same order, $3 now.
-- Returns the id of each that is in; one whose handle is taken is left out. `project`
-- must follow for those whose document is empty.
INSERT INTO products (id, handle, title, description_html, vendor, product_type,
                      status, tags, options, seo_title, seo_description, publish_at,
                      unpublish_at, attributes, source_hash, document, version,
                      document_version, created_at, updated_at)
SELECT p.id, p.handle, p.title, p.description_html, p.vendor, p.product_type,
       p.status, p.tags, p.options, p.seo_title, p.seo_description, p.publish_at,
       p.unpublish_at, p.attributes, decode(p.source_hash, 'hex'), p.document,
       CASE WHEN p.document = '' THEN 0 ELSE 1 END, 1, $3, $3
FROM ROWS FROM (
    jsonb_to_recordset($1::jsonb) AS (
        id uuid, handle text, title text, description_html text, vendor text,
        product_type text, status text, tags text[], options jsonb, seo_title text,
        seo_description text, publish_at timestamptz, unpublish_at timestamptz,
        attributes jsonb, source_hash text),
    unnest($2::text[])
) AS p (id, handle, title, description_html, vendor, product_type, status, tags, options,
        seo_title, seo_description, publish_at, unpublish_at, attributes, source_hash,
        document)
ORDER BY p.handle
ON CONFLICT (handle) DO NOTHING
RETURNING id;

-- name: change_products
-- Give products new texts. $1 a JSON array of them, $2 now. The rows are locked by
-- then. Returns the id of each; raises products_handle_unique. `project` must follow.
UPDATE products p
SET handle = n.handle, title = n.title, description_html = n.description_html,
    vendor = n.vendor, product_type = n.product_type, status = n.status, tags = n.tags,
    options = n.options, seo_title = n.seo_title, seo_description = n.seo_description,
    publish_at = n.publish_at, unpublish_at = n.unpublish_at, attributes = n.attributes,
    updated_at = $2,
    -- A change by hand leaves the hash, so that importing the same file again is
    -- still no reason to undo it.
    source_hash = coalesce(decode(n.source_hash, 'hex'), p.source_hash)
FROM jsonb_to_recordset($1::jsonb) AS n (
    id uuid, handle text, title text, description_html text, vendor text,
    product_type text, status text, tags text[], options jsonb, seo_title text,
    seo_description text, publish_at timestamptz, unpublish_at timestamptz,
    attributes jsonb, source_hash text)
WHERE p.id = n.id
RETURNING p.id;

-- name: put_variants
-- Add variants, or change those of the same product and SKU. $1 a JSON array of them,
-- $2 now. Locks in SKU order, so that two writers of the same SKUs do not deadlock.
-- Returns a row for each that is in; a SKU of another product is left out.
INSERT INTO variants AS v (id, product_id, sku, title, options, price_amount,
                           compare_at_amount, currency, weight_grams, barcode,
                           image_id, position, created_at, updated_at)
SELECT id, product_id, sku, title, options, price_amount, compare_at_amount, currency,
       weight_grams, barcode, image_id, position, $2, $2
FROM jsonb_to_recordset($1::jsonb) AS n (
    id uuid, product_id uuid, sku text, title text, options jsonb, price_amount bigint,
    compare_at_amount bigint, currency text, weight_grams bigint, barcode text,
    image_id uuid, position integer)
ORDER BY sku
ON CONFLICT (sku) DO UPDATE
SET title = excluded.title, options = excluded.options,
    price_amount = excluded.price_amount,
    compare_at_amount = excluded.compare_at_amount, currency = excluded.currency,
    weight_grams = excluded.weight_grams, barcode = excluded.barcode,
    image_id = excluded.image_id, position = excluded.position, updated_at = excluded.updated_at
WHERE v.product_id = excluded.product_id
RETURNING new.id, new.sku, old.id IS NULL AS is_new;

-- name: put_images
-- Add images to products, or change those with the same id. $1 a JSON array of them.
-- What the shop keeps itself is known by its address, and locked: a picture cannot be
-- removed while somebody is about to show it. Returns the products and positions of new
-- images that must be here and are not, or no more; the caller undoes them all.
WITH wanted AS MATERIALIZED (
    SELECT n.id, n.product_id, n.url, n.alt, n.width, n.height, n.position,
           coalesce(kept.id, n.asset_id) AS asset_id,
           n.here AND kept.id IS NULL AND n.url ~ '^/images/[0-9a-f]{64}/'
           AND NOT EXISTS (SELECT FROM product_images o WHERE o.id = n.id) AS lost
    FROM jsonb_to_recordset($1::jsonb) AS n (
        id uuid, product_id uuid, url text, alt text, width integer, height integer,
        position integer, asset_id uuid, here boolean)
    LEFT JOIN LATERAL (
        SELECT m.id FROM media_assets m
        WHERE m.address = substring(n.url FROM '^/images/([0-9a-f]{64})/')
          AND m.status IN ('processing', 'ready', 'failed')
        FOR SHARE
    ) AS kept ON true
), put AS (
    INSERT INTO product_images AS i (id, product_id, url, alt, width, height, position,
                                     asset_id)
    SELECT id, product_id, url, alt, width, height, position, asset_id FROM wanted
    ON CONFLICT (id) DO UPDATE
    SET url = excluded.url, alt = excluded.alt, width = excluded.width,
        height = excluded.height, position = excluded.position,
        asset_id = excluded.asset_id
    WHERE i.product_id = excluded.product_id
)
SELECT product_id, position FROM wanted WHERE lost ORDER BY product_id, position;

-- name: lock_showing
-- Lock the products that show a picture of the shop's own, where nobody said how large it
-- is. $1 picture. Locks in id order; others may still refer to them. Returns their ids.
SELECT p.id FROM products p
WHERE p.id IN (
    SELECT i.product_id FROM product_images i
    WHERE i.asset_id = $1 AND i.width IS NULL AND i.height IS NULL)
ORDER BY p.id FOR NO KEY UPDATE OF p;

-- name: clear_images
-- Take images off products but for some. $1 products, $2 the images that stay.
DELETE FROM product_images
WHERE product_id = ANY($1::uuid[]) AND id <> ALL($2::uuid[]);

-- name: clear_categories
-- Take products off every shelf, before they are put on others. $1 products.
DELETE FROM product_categories WHERE product_id = ANY($1::uuid[]);

-- name: known_categories
-- Categories by their handles. $1 handles. They stay until the transaction ends.
SELECT position, id, handle, name FROM categories
WHERE handle = ANY($1::text[])
ORDER BY id FOR KEY SHARE;

-- name: put_in_categories
-- Put products into categories. $1 products, $2 categories, pairwise.
INSERT INTO product_categories (product_id, category_id)
SELECT product_id, category_id
FROM unnest($1::uuid[], $2::uuid[]) AS w (product_id, category_id)
ON CONFLICT (product_id, category_id) DO NOTHING;

-- name: project
-- Make the document of products anew from their rows, in the transaction that changed
-- them, which raises their version. $1 products, $2 by how much: by 0 where nothing but
-- the way of writing has changed, which `document_version` counts: here, in `add_products`
-- and in `of_older_release`. Written as text because compact JSON is
-- a fifth smaller than what json_build_object makes. U+001F marks where the status of the
-- moment goes and each number of available units. What is searched of them is written by
-- search's `index`.
UPDATE products p
SET version = q.version + $2::bigint, document_version = 1,
    document = concat(
        '{"id":"', p.id,
        '","handle":', to_json(p.handle),
        ',"title":', to_json(p.title),
        ',"description_html":', to_json(p.description_html),
        ',"vendor":', to_json(p.vendor),
        ',"product_type":', to_json(p.product_type),
        ',"status":"', U&'\001F', '","tags":', to_json(p.tags),
        ',"options":', offered.document,
        ',"categories":', filed.document,
        ',"images":', shown.document,
        ',"variants":', sold.document,
        ',"created_at":"',
        to_char(p.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        '","updated_at":"',
        to_char(p.updated_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        '","version":', q.version + $2::bigint,
        ',"seo_title":', to_json(p.seo_title),
        ',"seo_description":', to_json(p.seo_description),
        ',"publish_at":', coalesce(to_json(to_char(p.publish_at AT TIME ZONE 'UTC',
            'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))::text, 'null'),
        ',"unpublish_at":', coalesce(to_json(to_char(p.unpublish_at AT TIME ZONE 'UTC',
            'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))::text, 'null'),
        ',"attributes":', p.attributes, '}')
FROM products q
CROSS JOIN LATERAL (
    SELECT concat('[', string_agg(concat(
               '{"name":', to_json(o ->> 'name'), ',"values":', o -> 'values', '}'),
               ',' ORDER BY n), ']') AS document
    FROM jsonb_array_elements(q.options) WITH ORDINALITY AS options (o, n)
) AS offered
CROSS JOIN LATERAL (
    SELECT concat('[', string_agg(concat(
               '{"id":"', k.id, '","handle":', to_json(k.handle),
               ',"name":', to_json(k.name), '}'),
               ',' ORDER BY k.position, k.id), ']') AS document
    FROM product_categories c JOIN categories k ON k.id = c.category_id
    WHERE c.product_id = q.id
) AS filed
CROSS JOIN LATERAL (
    SELECT concat('[', string_agg(concat(
               '{"id":"', i.id, '","url":', to_json(i.url), ',"alt":', to_json(i.alt),
               ',"width":', coalesce(i.width::text, drawn.size ->> 'width', 'null'),
               ',"height":', coalesce(i.height::text, drawn.size ->> 'height', 'null'),
               ',"position":', i.position,
               ',"asset_id":', coalesce(to_json(i.asset_id)::text, 'null'), '}'),
               ',' ORDER BY i.position, i.id), ']') AS document
    FROM product_images i
    -- What the shop keeps itself has a size once it is drawn, unless somebody gave one.
    LEFT JOIN media_assets m
        ON m.id = i.asset_id AND i.width IS NULL AND i.height IS NULL
    LEFT JOIN LATERAL (
        SELECT r AS size FROM jsonb_array_elements(m.renditions) AS r
        WHERE r ->> 'name' = substring(i.url FROM '[^/]+$')) AS drawn ON true
    WHERE i.product_id = q.id
) AS shown
CROSS JOIN LATERAL (
    SELECT concat('[', string_agg(concat(
               '{"id":"', v.id, '","sku":', to_json(v.sku),
               ',"title":', to_json(v.title), ',"options":{', chosen.document,
               '},"price":{"amount":', v.price_amount, ',"currency":"', v.currency,
               '"},"compare_at_price":', CASE WHEN v.compare_at_amount IS NULL
                   THEN 'null' ELSE concat('{"amount":', v.compare_at_amount,
                                           ',"currency":"', v.currency, '"}') END,
               ',"weight_grams":', v.weight_grams,
               ',"barcode":', coalesce(to_json(v.barcode)::text, 'null'),
               ',"image_id":', coalesce(to_json(v.image_id)::text, 'null'),
               ',"available":', U&'\001F', '}'),
               ',' ORDER BY v.position), ']') AS document
    FROM variants v
    CROSS JOIN LATERAL (
        SELECT string_agg(concat(to_json(o ->> 'name'), ':',
                                 to_json(v.options ->> (o ->> 'name'))),
                          ',' ORDER BY n) AS document
        FROM jsonb_array_elements(q.options) WITH ORDINALITY AS options (o, n)
    ) AS chosen
    WHERE v.product_id = q.id
) AS sold
WHERE q.id = ANY($1::uuid[]) AND p.id = q.id;

-- name: lock
-- Lock products for a change and say what they are now: their status is that of the moment,
-- $2. $1 ids. Locks in id order; others may still refer to them. What is said is nothing
-- but columns of the locked rows: whatever else were read would be from before the wait.
SELECT p.id, status_at(p.status, p.publish_at, p.unpublish_at, $2) AS status, p.version,
       p.document
FROM products p
WHERE p.id = ANY($1::uuid[])
ORDER BY p.id FOR NO KEY UPDATE OF p;

-- name: lock_to_delete
-- Lock a product against everybody, those too who are about to refer to it. $1 product.
SELECT id FROM products WHERE id = $1 FOR UPDATE;

-- name: imported
-- What products with these handles were imported from. $1 handles.
SELECT handle, id, source_hash FROM products WHERE handle = ANY($1::text[]);

-- name: remember_sources
-- Note from what products were imported that stay as they are. $1 locked products, $2 what
-- they came from, pairwise. Readers and editors see no change.
UPDATE products p SET source_hash = n.source_hash
FROM unnest($1::uuid[], $2::bytea[]) AS n (id, source_hash)
WHERE p.id = n.id;

-- name: add_categories
-- Add categories. $1 a JSON array of them, $2 now. Returns a row for each that is new;
-- a handle that is taken is left as it is. Raises categories_parent_exists.
INSERT INTO categories (id, handle, name, position, parent_id, description_html,
                        seo_title, seo_description, created_at, updated_at)
SELECT id, handle, name, position, parent_id, description_html, seo_title,
       seo_description, $2, $2
FROM jsonb_to_recordset($1::jsonb) AS n (
    id uuid, handle text, name text, position integer, parent_id uuid,
    description_html text, seo_title text, seo_description text)
ORDER BY handle
ON CONFLICT (handle) DO NOTHING
RETURNING id, handle, name, position, created_at, updated_at, parent_id,
          description_html, seo_title, seo_description, version;

-- name: find_category
-- A category by id or by handle. $1 id or NULL, $2 handle or NULL.
SELECT id, handle, name, position, created_at, updated_at, parent_id,
       description_html, seo_title, seo_description, version
FROM categories WHERE id = $1 OR handle = $2;

-- name: categories
-- Categories in the order a shop shows them. $1 and $2 position and id of the last
-- one seen or NULL, $3 how many, $4 only those under this category or NULL, $5 whether
-- that means all below it, $6 whether only those that stand under none.
WITH RECURSIVE below AS (
    SELECT id FROM categories WHERE parent_id = $4
    UNION
    SELECT k.id FROM categories k JOIN below b ON k.parent_id = b.id WHERE $5::boolean
)
SELECT id, handle, name, position, created_at, updated_at, parent_id,
       description_html, seo_title, seo_description, version
FROM categories
WHERE ($1::integer IS NULL OR (position, id) > ($1, $2::uuid))
  AND ($4::uuid IS NULL OR id IN (SELECT id FROM below))
  AND (parent_id IS NULL OR NOT $6::boolean)
ORDER BY position, id LIMIT $3;

-- name: note_changes
-- Write down what happened to products. $1 a JSON array of notes, $2 who did it, $3 now.
INSERT INTO product_changes (id, product_id, version, action, actor, changes, at)
SELECT n.id, n.product_id, p.version, n.action, $2, n.changes, $3
FROM jsonb_to_recordset($1::jsonb) AS n (
    id uuid, product_id uuid, action text, changes jsonb)
JOIN products p ON p.id = n.product_id;

-- name: changes_of
-- What happened to a product, the latest first. $1 product, $2 the last id seen or the
-- largest there is, $3 how many.
SELECT id, version, action, actor, changes, at
FROM product_changes
WHERE product_id = $1 AND id < $2
ORDER BY id DESC LIMIT $3;

-- name: note_categories
-- Write down what happened to categories. $1 ids of the notes, $2 categories, $3 their
-- versions, one for each; $4 what was done, $5 by whom, $6 a JSON array of differences, $7
-- now.
INSERT INTO category_changes (id, category_id, version, action, actor, changes, at)
SELECT n.id, n.category_id, n.version, $4, $5, $6, $7
FROM unnest($1::uuid[], $2::uuid[], $3::bigint[]) AS n (id, category_id, version);

-- name: category_changes
-- What happened to a category, the latest first. $1 category, $2 the last id seen or the
-- largest there is, $3 how many.
SELECT id, version, action, actor, changes, at
FROM category_changes
WHERE category_id = $1 AND id < $2
ORDER BY id DESC LIMIT $3;

-- name: note_attribute
-- Write down what happened to the definition of an attribute. $1 id of the note, $2 code,
-- $3 its version, $4 what was done, $5 by whom, $6 a JSON array of differences, $7 now.
INSERT INTO attribute_changes (id, code, version, action, actor, changes, at)
VALUES ($1, $2, $3, $4, $5, $6, $7);

-- name: attribute_changes
-- What happened to a definition, the latest first. $1 code, $2 the last id seen or the
-- largest there is, $3 how many.
SELECT id, version, action, actor, changes, at
FROM attribute_changes
WHERE code = $1 AND id < $2
ORDER BY id DESC LIMIT $3;

-- name: delete_variants
-- Delete variants of which there is no stock. $1 variants. Raises a violation while
-- anything else refers to one.
DELETE FROM variants WHERE id = ANY($1::uuid[]);

-- name: delete_product
-- Delete a product with all that is its own. $1 product, which is locked.
DELETE FROM products WHERE id = $1;

-- name: change_variant
-- Make a variant of a locked product what a draft says. $1 a JSON object, $2 now.
-- Raises variants_sku_unique.
UPDATE variants v
SET sku = n.sku, title = n.title, options = n.options, price_amount = n.price_amount,
    compare_at_amount = n.compare_at_amount, currency = n.currency,
    weight_grams = n.weight_grams, barcode = n.barcode, image_id = n.image_id,
    updated_at = $2
FROM jsonb_to_record($1::jsonb) AS n (
    id uuid, sku text, title text, options jsonb, price_amount bigint,
    compare_at_amount bigint, currency text, weight_grams bigint, barcode text,
    image_id uuid)
WHERE v.id = n.id;

-- name: add_variant
-- Add a variant to a locked product, after those it has. $1 a JSON object, $2 now.
-- Raises variants_sku_unique.
INSERT INTO variants (id, product_id, sku, title, options, price_amount,
                      compare_at_amount, currency, weight_grams, barcode, image_id,
                      position, created_at, updated_at)
SELECT n.id, n.product_id, n.sku, n.title, n.options, n.price_amount,
       n.compare_at_amount, n.currency, n.weight_grams, n.barcode, n.image_id,
       (SELECT coalesce(max(v.position), 0) + 1
        FROM variants v WHERE v.product_id = n.product_id), $2, $2
FROM jsonb_to_record($1::jsonb) AS n (
    id uuid, product_id uuid, sku text, title text, options jsonb, price_amount bigint,
    compare_at_amount bigint, currency text, weight_grams bigint, barcode text,
    image_id uuid);

-- name: due
-- Locks and returns products that go on or off sale by now and are not written down as
-- such, the longest overdue first. $1 how many, $2 now. Skips what others have locked.
SELECT id, status_at(status, publish_at, unpublish_at, $2) AS status
FROM products
WHERE least(publish_at, unpublish_at) <= $2 AND status IN ('active', 'scheduled')
  AND (publish_at IS NOT NULL OR unpublish_at IS NOT NULL)
ORDER BY least(publish_at, unpublish_at) LIMIT $1
FOR NO KEY UPDATE SKIP LOCKED;

-- name: turn
-- Write down that products went on or off sale. $1 products, $2 the status each has now,
-- pairwise, $3 now. `project` must follow.
UPDATE products p
SET status = n.status, publish_at = NULL,
    unpublish_at = CASE WHEN n.status = 'active' THEN p.unpublish_at END,
    updated_at = $3
FROM unnest($1::uuid[], $2::text[]) AS n (id, status)
WHERE p.id = n.id;

-- name: touch
-- Say that products were changed now. $1 products, $2 now. `project` must follow.
UPDATE products SET updated_at = $2 WHERE id = ANY($1::uuid[]);

-- name: of_older_release
-- Lock products whose document and index were written in an older way, $1 of them. Skips
-- what others have locked: they write it anew. Returns their ids.
SELECT id FROM products WHERE document_version < 1
ORDER BY document_version, id LIMIT $1 FOR NO KEY UPDATE SKIP LOCKED;

-- name: with_sku
-- Variants with an SKU, in the order they were made. $1 SKU, $2 the last id seen or the
-- nil id, $3 how many.
SELECT id, product_id FROM variants WHERE sku = $1 AND id > $2 ORDER BY id LIMIT $3;

-- name: with_barcode
-- The same of a barcode. $1 barcode, $2 the last id seen or the nil id, $3 how many.
SELECT id, product_id FROM variants WHERE barcode = $1 AND id > $2 ORDER BY id LIMIT $3;

-- name: export_page
-- Products with what is on hand of their variants, in the order they were made. $1 the
-- last id seen or the nil id, $2 how many, $3 status or NULL, $4 location, $5 the moment.
-- `available` has the status of the moment, and one number a variant: all units that are
-- at the location, promised or not.
SELECT p.id, shown.status, p.version, p.document, (
    SELECT concat_ws(' ', shown.status, string_agg(coalesce((
        SELECT s.on_hand FROM stock s
        WHERE s.variant_id = v.id AND s.location_id = $4), 0)::text,
        ' ' ORDER BY v.position))
    FROM variants v
    WHERE v.product_id = p.id) AS available
FROM products p
CROSS JOIN LATERAL (
    SELECT status_at(p.status, p.publish_at, p.unpublish_at, $5) AS status) AS shown
WHERE p.id > $1 AND ($3::text IS NULL OR shown.status = $3)
ORDER BY p.id LIMIT $2;

-- name: paths
-- Where categories stand: handles and names of those above, from the top down. $1
-- categories. Those at the top have no row.
WITH RECURSIVE above AS (
    SELECT id, parent_id, 0 AS level FROM categories WHERE id = ANY($1::uuid[])
    UNION ALL
    SELECT a.id, k.parent_id, a.level + 1
    FROM above a JOIN categories k ON k.id = a.parent_id
)
SELECT a.id, array_agg(k.handle ORDER BY a.level DESC) AS handles,
       array_agg(k.name ORDER BY a.level DESC) AS names
FROM above a JOIN categories k ON k.id = a.parent_id
GROUP BY a.id;

-- name: other_prices
-- The shop's own prices beside those of variants that are not over, in the order they were
-- set. $1 variants, $2 the moment.
SELECT variant_id, currency, amount, compare_at_amount, min_quantity, starts_at, ends_at
FROM prices
WHERE variant_id = ANY($1::uuid[]) AND price_list_id IS NULL AND removed_at IS NULL
  AND (ends_at IS NULL OR ends_at > $2)
ORDER BY variant_id, id;

-- name: lock_tree
-- Lock categories against all writers but none of their readers.
LOCK TABLE categories IN SHARE ROW EXCLUSIVE MODE;

-- name: stand_under
-- What would be if a category stood under another. $1 the category, NULL for a new one;
-- $2 the other. Returns how many levels there are from the top to the other (none if it
-- does not exist), whether it is the category itself or below it, and how many levels
-- the category has with all below it.
WITH RECURSIVE above AS (
    SELECT id, parent_id FROM categories WHERE id = $2
    UNION
    SELECT k.id, k.parent_id FROM categories k JOIN above a ON k.id = a.parent_id
), below AS (
    SELECT id, 1 AS level FROM categories WHERE id = $1
    UNION ALL
    SELECT k.id, b.level + 1
    FROM categories k JOIN below b ON k.parent_id = b.id
)
SELECT count(*) AS parents, coalesce(bool_or(id = $1::uuid), false) AS cycle,
       coalesce((SELECT max(level) FROM below), 1) AS height
FROM above;

-- name: lock_category
-- Lock a category for a change and say what it is. $1 id.
SELECT id, handle, name, position, created_at, updated_at, parent_id,
       description_html, seo_title, seo_description, version
FROM categories WHERE id = $1 FOR UPDATE;

-- name: change_category
-- Make a locked category what is wanted. $1 id, $2 a JSON object, $3 now. Raises
-- categories_handle_unique.
UPDATE categories k
SET handle = n.handle, name = n.name, position = n.position, parent_id = n.parent_id,
    description_html = n.description_html, seo_title = n.seo_title,
    seo_description = n.seo_description, version = k.version + 1, updated_at = $3
FROM jsonb_to_record($2::jsonb) AS n (
    handle text, name text, position integer, parent_id uuid, description_html text,
    seo_title text, seo_description text)
WHERE k.id = $1
RETURNING k.id, k.handle, k.name, k.position, k.created_at, k.updated_at, k.parent_id,
          k.description_html, k.seo_title, k.seo_description, k.version;

-- name: delete_category
-- Delete a category in which nothing is. $1 id, which is locked. Returns how many
-- products and categories stand in it; it is deleted if none does.
WITH inside AS (
    SELECT (SELECT count(*) FROM product_categories WHERE category_id = $1) AS products,
           (SELECT count(*) FROM categories WHERE parent_id = $1) AS categories
), gone AS (
    DELETE FROM categories k USING inside i
    WHERE k.id = $1 AND i.products = 0 AND i.categories = 0
)
SELECT products, categories FROM inside;

-- name: products_in
-- Locks and returns products that stand in a category, in the order of their ids.
-- $1 category, $2 the last id seen or the nil id, $3 how many.
SELECT p.id
FROM product_categories c JOIN products p ON p.id = c.product_id
WHERE c.category_id = $1 AND c.product_id > $2
ORDER BY c.product_id LIMIT $3
FOR NO KEY UPDATE OF p;

-- name: definitions_of
-- The definitions of attributes. $1 codes. Nobody changes them until the end of the
-- transaction.
SELECT code, name, type, choices, filterable, position, version, created_at, updated_at
FROM attribute_definitions WHERE code = ANY($1::text[])
ORDER BY code FOR SHARE;

-- name: find_definition
-- The definition of an attribute. $1 code.
SELECT code, name, type, choices, filterable, position, version, created_at, updated_at
FROM attribute_definitions WHERE code = $1;

-- name: there
-- Which of some products exist. $1 ids. They stay until the transaction ends.
SELECT id FROM products WHERE id = ANY($1::uuid[]) ORDER BY id FOR KEY SHARE;

-- name: referring
-- Other products of which an attribute refers to one that is locked, and by which, ten at
-- the most. $1 product. All are found before they are put in order: else the planner walks
-- the products in their order, hoping for ten, and mostly there is none.
WITH found AS MATERIALIZED (
    SELECT p.id, d.code
    FROM attribute_definitions d
    JOIN products p ON p.attributes @> jsonb_build_object(d.code, $1::uuid::text)
    WHERE d.type = 'reference' AND p.id <> $1
)
SELECT id, code FROM found ORDER BY id, code LIMIT 10;

-- name: definitions
-- The definitions of attributes in their order. $1 and $2 position and code of the last
-- one seen or NULL, $3 how many.
SELECT code, name, type, choices, filterable, position, version, created_at, updated_at
FROM attribute_definitions
WHERE $1::integer IS NULL OR (position, code) > ($1, $2::text)
ORDER BY position, code LIMIT $3;

-- name: add_definition
-- Add a definition. $1 a JSON object, $2 now. Returns nothing if its code is taken.
INSERT INTO attribute_definitions (code, name, type, choices, filterable, position,
                                   created_at, updated_at)
SELECT code, name, type, choices, filterable, position, $2, $2
FROM jsonb_to_record($1::jsonb) AS n (
    code text, name text, type text, choices text[], filterable boolean,
    position integer)
ON CONFLICT (code) DO NOTHING
RETURNING code, name, type, choices, filterable, position, version, created_at, updated_at;

-- name: lock_definition
-- Lock a definition for a change, and wait for products that are being held to it.
-- $1 code.
SELECT code, name, type, choices, filterable, position, version, created_at, updated_at
FROM attribute_definitions WHERE code = $1 FOR UPDATE;

-- name: change_definition
-- Make a locked definition what is wanted, but for its type. $1 a JSON object, $2 now.
UPDATE attribute_definitions d
SET name = n.name, choices = n.choices, filterable = n.filterable,
    position = n.position, version = d.version + 1, updated_at = $2
FROM jsonb_to_record($1::jsonb) AS n (
    code text, name text, choices text[], filterable boolean, position integer)
WHERE d.code = n.code
RETURNING d.code, d.name, d.type, d.choices, d.filterable, d.position, d.version,
          d.created_at, d.updated_at;

-- name: delete_definition
-- Delete a locked definition that no product uses. $1 code.
DELETE FROM attribute_definitions WHERE code = $1;

-- name: touch_definition
-- Say that a locked definition was changed now. $1 code, $2 now. Returns its new version.
UPDATE attribute_definitions SET version = version + 1, updated_at = $2 WHERE code = $1
RETURNING version;

-- name: used_values
-- Which of some values of an attribute products have. $1 code, $2 values.
SELECT value
FROM unnest($2::text[]) WITH ORDINALITY AS v (value, place)
WHERE EXISTS (
    SELECT FROM products p
    WHERE p.attributes @> jsonb_build_object($1::text, value))
ORDER BY place;

-- name: products_with
-- Locks and returns products with any value of an attribute, in the order of their ids.
-- $1 code, $2 the last id seen or the nil id, $3 how many. Reads all products.
SELECT id FROM products
WHERE attributes ? $1 AND id > $2
ORDER BY id LIMIT $3 FOR NO KEY UPDATE;

-- name: is_said
-- Whether any product has a value of an attribute. $1 code. Locks nothing: who changes a
-- product waits for its definitions with the product locked. Reads all products.
SELECT EXISTS (SELECT FROM products WHERE attributes ? $1);

-- name: related
-- The products related to one, in their order, as read_by_id has them. $1 product,
-- $2 the moment, NULL for now.
SELECT p.id, shown.status, p.version, p.document,
       NULL::jsonb /* spoken */ AS spoken, (
    SELECT concat_ws(' ', shown.status, string_agg(coalesce((
        SELECT sum(s.available) FROM stock s WHERE s.variant_id = v.id), 0)::text,
        ' ' ORDER BY v.position))
    FROM variants v
    WHERE v.product_id = p.id) AS available
FROM related_products r JOIN products p ON p.id = r.related_id
CROSS JOIN LATERAL (
    SELECT status_at(p.status, p.publish_at, p.unpublish_at,
                     coalesce($2::timestamptz, now())) AS status) AS shown
WHERE r.product_id = $1
ORDER BY r.position;

-- name: related_ids
-- What a product is related to, in order. $1 product.
SELECT related_id FROM related_products WHERE product_id = $1 ORDER BY position;

-- name: named
-- Products by id or by handle. $1 ids, $2 handles. They stay until the transaction ends.
SELECT id, handle FROM products
WHERE id = ANY($1::uuid[]) OR handle = ANY($2::text[])
ORDER BY id FOR KEY SHARE;

-- name: clear_related
-- Relate a locked product to nothing. $1 product.
DELETE FROM related_products WHERE product_id = $1;

-- name: put_related
-- Relate a locked product to others. $1 product, $2 the others in order.
INSERT INTO related_products (product_id, related_id, position)
SELECT $1, id, place
FROM unnest($2::uuid[]) WITH ORDINALITY AS r (id, place);

-- name: related_to
-- What products are related to, in order. $1 products. A row for each that is to any.
SELECT r.product_id, array_agg(p.handle ORDER BY r.position) AS handles
FROM related_products r JOIN products p ON p.id = r.related_id
WHERE r.product_id = ANY($1::uuid[])
GROUP BY r.product_id;

-- name: related_ids_to
-- The same by ids. $1 products.
SELECT product_id, array_agg(related_id ORDER BY position) AS ids
FROM related_products
WHERE product_id = ANY($1::uuid[])
GROUP BY product_id;

-- name: unrelate
-- Relate locked products to nothing. $1 products.
DELETE FROM related_products WHERE product_id = ANY($1::uuid[]);

-- name: relate
-- Relate locked products to others. $1 products, $2 what each is related to, $3 positions.
INSERT INTO related_products (product_id, related_id, position)
SELECT product_id, related_id, position
FROM unnest($1::uuid[], $2::uuid[], $3::integer[]) AS r (product_id, related_id, position);

-- name: kinds_of
-- Of which types attributes are. $1 codes.
SELECT code, type FROM attribute_definitions WHERE code = ANY($1::text[]);

-- name: handles_of
-- Handles of products. $1 ids.
SELECT id, handle FROM products WHERE id = ANY($1::uuid[]);

-- name: add_collection
-- Add a collection. $1 id, $2 a JSON object, $3 now. Returns nothing if its handle is
-- taken.
INSERT INTO collections (id, handle, title, description_html, seo_title,
                         seo_description, image_id, image_alt, status, publish_at,
                         unpublish_at, sort, position, rule, created_at, updated_at)
SELECT $1, handle, title, description_html, seo_title, seo_description, image_id,
       image_alt, status, publish_at, unpublish_at, sort, position, rule, $3, $3
FROM jsonb_to_record($2::jsonb) AS n (
    handle text, title text, description_html text, seo_title text,
    seo_description text, image_id uuid, image_alt text, status text,
    publish_at timestamptz, unpublish_at timestamptz, sort text, position integer,
    rule jsonb)
ON CONFLICT (handle) DO NOTHING
RETURNING id;

-- name: change_collection
-- Make a locked collection what is wanted. $1 id, $2 a JSON object, $3 now. Raises
-- collections_handle_unique.
UPDATE collections c
SET handle = n.handle, title = n.title, description_html = n.description_html,
    seo_title = n.seo_title, seo_description = n.seo_description,
    image_id = n.image_id, image_alt = n.image_alt, status = n.status,
    publish_at = n.publish_at, unpublish_at = n.unpublish_at, sort = n.sort,
    position = n.position, rule = n.rule, version = c.version + 1, updated_at = $3
FROM jsonb_to_record($2::jsonb) AS n (
    handle text, title text, description_html text, seo_title text,
    seo_description text, image_id uuid, image_alt text, status text,
    publish_at timestamptz, unpublish_at timestamptz, sort text, position integer,
    rule jsonb)
WHERE c.id = $1;

-- name: touch_collection
-- Give a locked collection its next version. $1 id, $2 now.
UPDATE collections SET version = version + 1, updated_at = $2 WHERE id = $1;

-- name: delete_collection
-- Delete a locked collection, but none of its products. $1 id.
DELETE FROM collections WHERE id = $1;

-- name: hold_picture
-- Lock a picture of the shop's own, so that nobody removes it who has not seen that it
-- is shown. $1 id. One row, or none if there is no such picture.
SELECT id FROM media_assets
WHERE id = $1 AND status IN ('processing', 'ready', 'failed')
FOR SHARE;

-- name: find_collection
-- A collection by id or by handle. $1 id or NULL, $2 handle or NULL.
SELECT c.id, c.handle, c.title, c.description_html, c.seo_title, c.seo_description,
       CASE WHEN m.id IS NOT NULL THEN jsonb_build_object(
           'media_id', m.id, 'url', concat('/images/', m.address, '/large.webp'),
           'alt', c.image_alt, 'width', drawn.size -> 'width',
           'height', drawn.size -> 'height') END AS image,
       c.status, c.publish_at, c.unpublish_at, c.sort, c.position, c.version,
       c.created_at, c.updated_at, c.rule
FROM collections c
LEFT JOIN media_assets m ON m.id = c.image_id
LEFT JOIN LATERAL (
    SELECT r AS size FROM jsonb_array_elements(m.renditions) AS r
    WHERE r ->> 'name' = 'large.webp') AS drawn ON true
WHERE c.id = $1 OR c.handle = $2;

-- name: lock_collection
-- Lock a collection for a change and say what it is. $1 id.
SELECT c.id, c.handle, c.title, c.description_html, c.seo_title, c.seo_description,
       CASE WHEN m.id IS NOT NULL THEN jsonb_build_object(
           'media_id', m.id, 'url', concat('/images/', m.address, '/large.webp'),
           'alt', c.image_alt, 'width', drawn.size -> 'width',
           'height', drawn.size -> 'height') END AS image,
       c.status, c.publish_at, c.unpublish_at, c.sort, c.position, c.version,
       c.created_at, c.updated_at, c.rule
FROM collections c
LEFT JOIN media_assets m ON m.id = c.image_id
LEFT JOIN LATERAL (
    SELECT r AS size FROM jsonb_array_elements(m.renditions) AS r
    WHERE r ->> 'name' = 'large.webp') AS drawn ON true
WHERE c.id = $1 FOR UPDATE OF c;

-- name: collections
-- Collections in the order of the shop. $1 and $2 position and id of the last one seen
-- or NULL, $3 how many, $4 a moment at which buyers see them, NULL for all.
SELECT c.id, c.handle, c.title, c.description_html, c.seo_title, c.seo_description,
       CASE WHEN m.id IS NOT NULL THEN jsonb_build_object(
           'media_id', m.id, 'url', concat('/images/', m.address, '/large.webp'),
           'alt', c.image_alt, 'width', drawn.size -> 'width',
           'height', drawn.size -> 'height') END AS image,
       c.status, c.publish_at, c.unpublish_at, c.sort, c.position, c.version,
       c.created_at, c.updated_at, c.rule
FROM collections c
LEFT JOIN media_assets m ON m.id = c.image_id
LEFT JOIN LATERAL (
    SELECT r AS size FROM jsonb_array_elements(m.renditions) AS r
    WHERE r ->> 'name' = 'large.webp') AS drawn ON true
WHERE ($1::integer IS NULL OR (c.position, c.id) > ($1, $2::uuid))
  AND ($4::timestamptz IS NULL OR c.status = 'active'
       AND coalesce(c.publish_at <= $4, true) AND coalesce(c.unpublish_at > $4, true))
ORDER BY c.position, c.id LIMIT $3;

-- name: places
-- What was put into a collection by hand, in order. $1 collection.
SELECT product_id, place FROM collection_products
WHERE collection_id = $1 ORDER BY place, product_id;

-- name: put_places
-- Put products into a locked collection, or move those that are in it. $1 collection,
-- $2 products, $3 their places, pairwise.
INSERT INTO collection_products AS c (collection_id, product_id, place)
SELECT $1, n.product_id, n.place
FROM unnest($2::uuid[], $3::bigint[]) AS n (product_id, place)
ON CONFLICT (collection_id, product_id) DO UPDATE SET place = excluded.place
WHERE c.place <> excluded.place;

-- name: take_out
-- Take products out of a locked collection. $1 collection, $2 products.
DELETE FROM collection_products
WHERE collection_id = $1 AND product_id = ANY($2::uuid[]);

-- name: page_by_hand
-- Products of a collection in the order they were given, as read_by_id has them. $1
-- collection, $2 and $3 place and id of the last one seen or NULL, $4 how many, $5
-- status or NULL, $6 the moment.
SELECT p.id, shown.status, p.version, p.document, c.place,
       NULL::jsonb /* spoken */ AS spoken, (
    SELECT concat_ws(' ', shown.status, string_agg(coalesce((
        SELECT sum(s.available) FROM stock s WHERE s.variant_id = v.id), 0)::text,
        ' ' ORDER BY v.position))
    FROM variants v
    WHERE v.product_id = p.id) AS available
FROM collection_products c JOIN products p ON p.id = c.product_id
CROSS JOIN LATERAL (
    SELECT status_at(p.status, p.publish_at, p.unpublish_at, $6) AS status) AS shown
WHERE c.collection_id = $1
  AND ($2::bigint IS NULL OR (c.place, c.product_id) > ($2, $3::uuid))
  AND ($5::text IS NULL OR shown.status = $5)
ORDER BY c.place, c.product_id LIMIT $4;

-- name: note_collection
-- Write down what happened to a collection. $1 id of the note, $2 collection, $3 its
-- version, $4 what was done, $5 by whom, $6 a JSON array of differences, $7 now.
INSERT INTO collection_changes (id, collection_id, version, action, actor, changes, at)
VALUES ($1, $2, $3, $4, $5, $6, $7);

-- name: collection_changes
-- What happened to a collection, the latest first. $1 collection, $2 the last id seen
-- or the largest there is, $3 how many.
SELECT id, version, action, actor, changes, at
FROM collection_changes
WHERE collection_id = $1 AND id < $2
ORDER BY id DESC LIMIT $3;

-- name: shelves
-- Categories by id or by handle. $1 ids, $2 handles.
SELECT id, handle FROM categories WHERE id = ANY($1::uuid[]) OR handle = ANY($2::text[]);

-- name: spoken
-- What is translated of a product and of the names of its categories. $1 product, $2
-- languages. Stands in other statements where those say `spoken`. NULL if there is
-- nothing in these languages.
SELECT CASE WHEN said.fields IS NOT NULL OR filed.names IS NOT NULL
            THEN jsonb_build_object('product', said.fields, 'categories', filed.names) END
FROM (
    SELECT jsonb_object_agg(t.language, t.fields) AS fields
    FROM product_translations t
    WHERE t.product_id = $1::uuid AND t.language = ANY($2::text[])
) AS said CROSS JOIN (
    SELECT jsonb_object_agg(k.category_id, k.names) AS names
    FROM (
        SELECT t.category_id, jsonb_object_agg(t.language, t.fields ->> 'name') AS names
        FROM product_categories c
        JOIN category_translations t ON t.category_id = c.category_id
        WHERE c.product_id = $1::uuid AND t.language = ANY($2::text[])
          AND t.fields ? 'name'
        GROUP BY t.category_id
    ) AS k
) AS filed;

-- name: translations
-- The translations of a product by language. $1 product.
SELECT language, fields, updated_at FROM product_translations
WHERE product_id = $1 ORDER BY language;

-- name: translation
-- One translation of a product. $1 product, $2 language.
SELECT language, fields, updated_at FROM product_translations
WHERE product_id = $1 AND language = $2;

-- name: put_translation
-- Add or replace a translation of a locked product. $1 product, $2 language, $3 the
-- texts as a JSON object, $4 now, $5 how many languages there may be. Returns nothing
-- if there is no room for another one. `project` must follow.
INSERT INTO product_translations (product_id, language, fields, updated_at)
SELECT $1::uuid, $2::text, $3::jsonb, $4::timestamptz
WHERE (SELECT count(*) FROM product_translations
       WHERE product_id = $1 AND language <> $2) < $5::bigint
ON CONFLICT (product_id, language) DO UPDATE
SET fields = excluded.fields, updated_at = excluded.updated_at
RETURNING language;

-- name: texts_of
-- The translations of products. $1 products.
SELECT product_id, language, fields FROM product_translations
WHERE product_id = ANY($1::uuid[]) ORDER BY product_id, language;

-- name: put_texts
-- Add or replace translations of locked products. $1 a JSON array of them, $2 now. The
-- caller sees that there are not too many. `project` must follow.
INSERT INTO product_translations (product_id, language, fields, updated_at)
SELECT product_id, language, fields, $2
FROM jsonb_to_recordset($1::jsonb) AS n (product_id uuid, language text, fields jsonb)
ON CONFLICT (product_id, language) DO UPDATE
SET fields = excluded.fields, updated_at = excluded.updated_at;

-- name: drop_translation
-- Remove a translation of a locked product. $1 product, $2 language. `project` must
-- follow.
DELETE FROM product_translations WHERE product_id = $1 AND language = $2;

-- name: category_translations
-- The translations of a category by language. $1 category.
SELECT language, fields, updated_at FROM category_translations
WHERE category_id = $1 ORDER BY language;

-- name: category_translation
-- One translation of a category. $1 category, $2 language.
SELECT language, fields, updated_at FROM category_translations
WHERE category_id = $1 AND language = $2;

-- name: put_category_translation
-- Add or replace a translation of a locked category. $1 category, $2 language, $3 the
-- texts as a JSON object, $4 now, $5 how many languages there may be. Returns nothing
-- if there is no room for another one.
INSERT INTO category_translations (category_id, language, fields, updated_at)
SELECT $1::uuid, $2::text, $3::jsonb, $4::timestamptz
WHERE (SELECT count(*) FROM category_translations
       WHERE category_id = $1 AND language <> $2) < $5::bigint
ON CONFLICT (category_id, language) DO UPDATE
SET fields = excluded.fields, updated_at = excluded.updated_at
RETURNING language;

-- name: drop_category_translation
-- Remove a translation of a locked category. $1 category, $2 language.
DELETE FROM category_translations WHERE category_id = $1 AND language = $2;

-- name: touch_category
-- Say that a locked category was changed now, and raise its version. $1 id, $2 now.
-- Returns the version it then has.
UPDATE categories SET version = version + 1, updated_at = $2 WHERE id = $1
RETURNING version;

-- name: spoken_categories
-- What is translated of categories. $1 ids, $2 languages. A row for each that has any.
SELECT category_id, jsonb_object_agg(language, fields) AS spoken
FROM category_translations
WHERE category_id = ANY($1::uuid[]) AND language = ANY($2::text[])
GROUP BY category_id;

-- name: collection_translations
-- The translations of a collection by language. $1 collection.
SELECT language, fields, updated_at FROM collection_translations
WHERE collection_id = $1 ORDER BY language;

-- name: collection_translation
-- One translation of a collection. $1 collection, $2 language.
SELECT language, fields, updated_at FROM collection_translations
WHERE collection_id = $1 AND language = $2;

-- name: put_collection_translation
-- Add or replace a translation of a locked collection. $1 collection, $2 language, $3
-- the texts as a JSON object, $4 now, $5 how many languages there may be. Returns
-- nothing if there is no room for another one.
INSERT INTO collection_translations (collection_id, language, fields, updated_at)
SELECT $1::uuid, $2::text, $3::jsonb, $4::timestamptz
WHERE (SELECT count(*) FROM collection_translations
       WHERE collection_id = $1 AND language <> $2) < $5::bigint
ON CONFLICT (collection_id, language) DO UPDATE
SET fields = excluded.fields, updated_at = excluded.updated_at
RETURNING language;

-- name: drop_collection_translation
-- Remove a translation of a locked collection. $1 collection, $2 language.
DELETE FROM collection_translations WHERE collection_id = $1 AND language = $2;

-- name: spoken_collections
-- What is translated of collections. $1 ids, $2 languages. A row for each that has any.
SELECT collection_id, jsonb_object_agg(language, fields) AS spoken
FROM collection_translations
WHERE collection_id = ANY($1::uuid[]) AND language = ANY($2::text[])
GROUP BY collection_id;

-- name: attribute_translations
-- The translations of an attribute by language. $1 code.
SELECT language, fields, updated_at FROM attribute_translations
WHERE code = $1 ORDER BY language;

-- name: attribute_translation
-- One translation of an attribute. $1 code, $2 language.
SELECT language, fields, updated_at FROM attribute_translations
WHERE code = $1 AND language = $2;

-- name: put_attribute_translation
-- Add or replace a translation of a locked definition. $1 code, $2 language, $3 the texts
-- as a JSON object, $4 now, $5 how many languages there may be. Returns nothing if there
-- is no room for another one.
INSERT INTO attribute_translations (code, language, fields, updated_at)
SELECT $1::text, $2::text, $3::jsonb, $4::timestamptz
WHERE (SELECT count(*) FROM attribute_translations
       WHERE code = $1 AND language <> $2) < $5::bigint
ON CONFLICT (code, language) DO UPDATE
SET fields = excluded.fields, updated_at = excluded.updated_at
RETURNING language;

-- name: drop_attribute_translation
-- Remove a translation of a locked definition. $1 code, $2 language.
DELETE FROM attribute_translations WHERE code = $1 AND language = $2;

-- name: spoken_attributes
-- What is translated of attributes. $1 codes, $2 languages. A row for each that has any.
SELECT code, jsonb_object_agg(language, fields) AS spoken
FROM attribute_translations
WHERE code = ANY($1::text[]) AND language = ANY($2::text[])
GROUP BY code;
