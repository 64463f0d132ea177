-- Files of products say what leads to others, attributes are called something in other
-- languages, and moments that no calendar here has are taken for the nearest that it has.

-- What leads from products of a running job to others that were not there yet. They may
-- be further down in the file, so it waits for the end of that.
CREATE TABLE import_links (
    job_id uuid NOT NULL REFERENCES import_jobs ON DELETE CASCADE,
    handle text NOT NULL,
    line bigint NOT NULL,
    -- Handles of what the product is related to; NULL if that is settled.
    related text[],
    -- {"goes_with": "cup"}: by the codes of attributes, handles of what they refer to.
    "references" jsonb NOT NULL,
    PRIMARY KEY (job_id, handle)
);

-- What attributes and their choices are called in other languages than the shop's own.
CREATE TABLE attribute_translations (
    code text NOT NULL REFERENCES attribute_definitions ON DELETE CASCADE,
    -- A language tag: de, pt-BR.
    language text NOT NULL,
    -- {"name": "Holz", "choices": {"oak": "Eiche"}}: the others are as they are.
    fields jsonb NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (code, language)
);

-- An older release kept moments that nobody can read again, such as
-- 9999-12-31T23:59:59-05:00, which is a day of the year 10000. The nearest moment that the
-- shop knows takes the place of each. Documents say so from now on; the worker writes them
-- anew besides.
UPDATE products SET
    publish_at = CASE
        WHEN publish_at > '8999-12-31T23:59:58Z' THEN '8999-12-31T23:59:58Z'
        WHEN publish_at < '2001-01-01T00:00:00Z' THEN '2001-01-01T00:00:00Z'
        ELSE publish_at END,
    unpublish_at = CASE
        WHEN unpublish_at > '8999-12-31T23:59:59Z' THEN '8999-12-31T23:59:59Z'
        WHEN unpublish_at < '2001-01-01T00:00:01Z' THEN '2001-01-01T00:00:01Z'
        ELSE unpublish_at END,
    document = regexp_replace(
        document, '"((?:un)?publish_at)":"[1-9][0-9]{4,}-[^"]*"',
        '"\1":"8999-12-31T23:59:59.000000Z"', 'g'),
    document_version = 0
WHERE publish_at NOT BETWEEN '2001-01-01T00:00:00Z' AND '8999-12-31T23:59:59Z'
   OR unpublish_at NOT BETWEEN '2001-01-01T00:00:00Z' AND '8999-12-31T23:59:59Z';
UPDATE collections SET
    publish_at = CASE
        WHEN publish_at > '8999-12-31T23:59:58Z' THEN '8999-12-31T23:59:58Z'
        WHEN publish_at < '2001-01-01T00:00:00Z' THEN '2001-01-01T00:00:00Z'
        ELSE publish_at END,
    unpublish_at = CASE
        WHEN unpublish_at > '8999-12-31T23:59:59Z' THEN '8999-12-31T23:59:59Z'
        WHEN unpublish_at < '2001-01-01T00:00:01Z' THEN '2001-01-01T00:00:01Z'
        ELSE unpublish_at END
WHERE publish_at NOT BETWEEN '2001-01-01T00:00:00Z' AND '8999-12-31T23:59:59Z'
   OR unpublish_at NOT BETWEEN '2001-01-01T00:00:00Z' AND '8999-12-31T23:59:59Z';
-- No two prices of a variant are for the same time: each has a moment of its own.
WITH beyond AS (
    SELECT id, row_number() OVER (ORDER BY id) * interval '1 microsecond' AS apart
    FROM prices
    WHERE starts_at NOT BETWEEN '2001-01-01T00:00:00Z' AND '8999-12-31T23:59:59Z'
       OR ends_at NOT BETWEEN '2001-01-01T00:00:00Z' AND '8999-12-31T23:59:59Z'
)
UPDATE prices p SET
    starts_at = CASE
        WHEN p.starts_at > '8999-12-30T00:00:00Z'
            THEN '8999-12-30T00:00:00Z'::timestamptz + b.apart
        WHEN p.starts_at < '2001-01-01T00:00:00Z'
            THEN '2001-01-01T00:00:00Z'::timestamptz + b.apart
        ELSE p.starts_at END,
    ends_at = CASE
        WHEN p.ends_at > '8999-12-31T00:00:00Z'
            THEN '8999-12-31T00:00:00Z'::timestamptz + b.apart
        WHEN p.ends_at < '2001-01-02T00:00:00Z'
            THEN '2001-01-02T00:00:00Z'::timestamptz + b.apart
        ELSE p.ends_at END
FROM beyond b WHERE b.id = p.id;
