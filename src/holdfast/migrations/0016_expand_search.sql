-- Search of its own: an index beside the products, the words that titles are made of,
-- and synonyms.

-- Similarity of words, for typing errors. A server may lack it, and then words are
-- found as they are written and no otherwise; `/readyz` says so.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_available_extensions WHERE name = 'pg_trgm') THEN
        CREATE EXTENSION IF NOT EXISTS pg_trgm;
    END IF;
EXCEPTION WHEN insufficient_privilege THEN
    RAISE NOTICE 'pg_trgm may not be created here: search goes without it';
END $$;

-- A text as search compares it: words of lower-case letters and digits without
-- accents, one space between them. Queries and products go through the same function,
-- so that they agree on what a word is.
CREATE FUNCTION search_text(written text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN btrim(regexp_replace(
        regexp_replace(lower(without_accents(written)), '[''’`´ʼ]', '', 'g'),
        '[^[:alnum:]]+', ' ', 'g'));

-- How PostgreSQL stems a language; what it has no stems for is taken as it is.
CREATE FUNCTION search_language(tag text) RETURNS regconfig
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE split_part(lower(tag), '-', 1)
        WHEN 'ar' THEN 'arabic'::regconfig WHEN 'ca' THEN 'catalan'::regconfig
        WHEN 'da' THEN 'danish'::regconfig WHEN 'de' THEN 'german'::regconfig
        WHEN 'el' THEN 'greek'::regconfig WHEN 'en' THEN 'english'::regconfig
        WHEN 'es' THEN 'spanish'::regconfig WHEN 'fi' THEN 'finnish'::regconfig
        WHEN 'fr' THEN 'french'::regconfig WHEN 'hu' THEN 'hungarian'::regconfig
        WHEN 'it' THEN 'italian'::regconfig WHEN 'nb' THEN 'norwegian'::regconfig
        WHEN 'nl' THEN 'dutch'::regconfig WHEN 'no' THEN 'norwegian'::regconfig
        WHEN 'pt' THEN 'portuguese'::regconfig WHEN 'ro' THEN 'romanian'::regconfig
        WHEN 'ru' THEN 'russian'::regconfig WHEN 'sv' THEN 'swedish'::regconfig
        WHEN 'tr' THEN 'turkish'::regconfig ELSE 'simple'::regconfig END;

-- A question of words that the shop put together, or with operators as people write
-- them: "a phrase", -not, this or that. Words are looked for as they are and by stems.
-- After U+001F stands the word that somebody is still typing: where a language leaves
-- out words as too usual, as English does "t", such a word may yet become another.
CREATE FUNCTION search_query(asked text, language text, operators boolean)
    RETURNS tsquery LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN operators
        THEN websearch_to_tsquery(search_language(language), without_accents(asked))
            || websearch_to_tsquery('simple'::regconfig, without_accents(asked))
        ELSE (to_tsquery(search_language(language), split_part(asked, U&'\001F', 1))
              || to_tsquery('simple'::regconfig, split_part(asked, U&'\001F', 1)))
            && (to_tsquery(search_language(language), split_part(asked, U&'\001F', 2))
                || to_tsquery('simple'::regconfig, split_part(asked, U&'\001F', 2)))
        END;

-- The words of several texts as those of one.
CREATE AGGREGATE tsvector_join(tsvector)
    (SFUNC = tsvector_concat, STYPE = tsvector, INITCOND = '');

-- What is searched of each product, written in the transaction that writes the product.
CREATE TABLE product_index (
    product_id uuid PRIMARY KEY REFERENCES products ON DELETE CASCADE,
    status text NOT NULL,
    publish_at timestamptz,
    unpublish_at timestamptz,
    -- As search_text makes it: to sort by, and what typing begins with.
    title text COLLATE "C" NOT NULL,
    -- The words of title (A), vendor, type, tags, categories and codes (B), options and
    -- attributes (C) and description (D), as they are and as stems of their language.
    words tsvector NOT NULL,
    -- The words of the title alone: to tell better from worse where there are too many
    -- to weigh each.
    head tsvector NOT NULL,
    -- What can be chosen by, as name, U+001F, value: vendor, type, tag, option.Size,
    -- attribute.material.
    facets text[] NOT NULL,
    categories uuid[] NOT NULL,
    -- The least and the most it costs, in the currency of its first variant.
    currency text NOT NULL,
    price_low bigint NOT NULL,
    price_high bigint NOT NULL,
    -- Microseconds since 1970 at which it was made, negative: the newest sort first.
    age bigint NOT NULL
);
-- What was written lately stands in a list that each search reads through: a short one
-- (KiB), as it should not be felt.
CREATE INDEX product_index_words ON product_index USING gin (words)
    WITH (gin_pending_list_limit = 256);
CREATE INDEX product_index_facets ON product_index USING gin (facets)
    WITH (gin_pending_list_limit = 256);
CREATE INDEX product_index_categories ON product_index USING gin (categories)
    WITH (gin_pending_list_limit = 256);
CREATE INDEX product_index_title ON product_index (title, product_id);
CREATE INDEX product_index_age ON product_index (age, product_id);
CREATE INDEX product_index_cheap ON product_index (price_low, product_id);
CREATE INDEX product_index_dear ON product_index ((-price_high), product_id);

-- Every word of the titles, vendors, types and tags of what is or was on sale. Words
-- that were typed wrong are compared with these, and what is being typed goes on to one
-- of them; there are thousands where products are millions.
CREATE TABLE search_words (
    word text COLLATE "C" PRIMARY KEY,
    -- What its other forms have in common with it.
    stem text NOT NULL,
    -- In how many products it was at the last rebuild: which is offered first.
    products bigint NOT NULL DEFAULT 0
);
CREATE INDEX search_words_stem ON search_words (stem);
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_extension WHERE extname = 'pg_trgm') THEN
        CREATE INDEX search_words_similar ON search_words
            USING gist (word gist_trgm_ops);
    END IF;
END $$;

-- What else somebody means who types a term.
CREATE TABLE search_synonyms (
    id uuid PRIMARY KEY,
    -- Terms as search_text makes them; whoever types one of `typed` finds `found` too.
    typed text[] NOT NULL,
    found text[] NOT NULL,
    -- Whether all of them mean each other; `typed` and `found` are then the same.
    mutual boolean NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE INDEX search_synonyms_typed ON search_synonyms USING gin (typed);

-- Products that were there are found from now on, as search's `index` writes them.
WITH texts AS MATERIALIZED (
    SELECT p.id, p.status, p.publish_at, p.unpublish_at, p.created_at, p.tags,
           p.vendor, p.product_type, sold.currency, sold.low, sold.high, sold.chosen,
           filed.categories, said.facets AS said_facets,
           search_text(p.title) AS title,
           search_text(left(concat_ws(' ', p.vendor, p.product_type,
               array_to_string(p.tags, ' '), filed.names), 40000)) AS names,
           search_text(left(sold.codes, 40000)) AS codes,
           search_text(left(concat_ws(' ', sold.titles, said.texts), 40000)) AS choices,
           search_text(left(regexp_replace(p.description_html, '<[^>]*>', ' ', 'g'),
                            40000)) AS description
    FROM products p
    CROSS JOIN LATERAL (
        SELECT (array_agg(v.currency ORDER BY v.position))[1] AS currency,
               min(v.price_amount) AS low, max(v.price_amount) AS high,
               string_agg(concat_ws(' ', v.sku, v.barcode), ' ') AS codes,
               string_agg(DISTINCT v.title, ' ') AS titles,
               (SELECT array_agg(DISTINCT concat('option.', o.key, U&'\001F', o.value))
                FROM variants w, jsonb_each_text(w.options) AS o
                WHERE w.product_id = p.id) AS chosen
        FROM variants v WHERE v.product_id = p.id
    ) AS sold
    CROSS JOIN LATERAL (
        SELECT coalesce(array_agg(k.id), '{}') AS categories,
               string_agg(k.name, ' ') AS names
        FROM product_categories c JOIN categories k ON k.id = c.category_id
        WHERE c.product_id = p.id
    ) AS filed
    CROSS JOIN LATERAL (
        SELECT array_agg(concat('attribute.', d.code, U&'\001F', a.value))
                   FILTER (WHERE d.filterable AND length(a.value) <= 255) AS facets,
               string_agg(a.value, ' ') FILTER (WHERE d.type IN ('text', 'choice'))
                   AS texts
        FROM jsonb_each_text(p.attributes) AS a
        JOIN attribute_definitions d ON d.code = a.key
    ) AS said
), translated AS MATERIALIZED (
    SELECT t.product_id, string_agg(search_text(t.fields ->> 'title'), ' ') AS titles,
           tsvector_join(
               setweight(to_tsvector(search_language(t.language), words.title), 'A')
               || setweight(to_tsvector('simple', words.title), 'A')
               || setweight(to_tsvector(search_language(t.language), words.rest), 'D')
           ) AS words
    FROM product_translations t
    CROSS JOIN LATERAL (
        SELECT coalesce(search_text(t.fields ->> 'title'), '') AS title,
               coalesce(search_text(left(regexp_replace(
                   t.fields ->> 'description_html', '<[^>]*>', ' ', 'g'), 20000)), '')
                   AS rest
    ) AS words
    GROUP BY t.product_id
), indexed AS (
    INSERT INTO product_index AS i
        (product_id, status, publish_at, unpublish_at, title, words, head, facets,
         categories, currency, price_low, price_high, age)
    SELECT t.id, t.status, t.publish_at, t.unpublish_at, left(t.title, 255),
           head.words
           || setweight(to_tsvector('english', t.names), 'B')
           || setweight(to_tsvector('simple', concat_ws(' ', t.names, t.codes)), 'B')
           || setweight(to_tsvector('english', t.choices), 'C')
           || setweight(to_tsvector('simple', t.choices), 'C')
           || setweight(to_tsvector('english', t.description), 'D')
           || coalesce(other.words, ''),
           head.words,
           array_remove(ARRAY[
               U&'vendor\001F' || nullif(t.vendor, ''),
               U&'product_type\001F' || nullif(t.product_type, '')]
               || ARRAY(SELECT U&'tag\001F' || tag FROM unnest(t.tags) AS tag)
               || t.chosen || t.said_facets, NULL),
           t.categories, t.currency, t.low, t.high,
           -(extract(epoch FROM t.created_at) * 1000000)::bigint
    FROM texts t
    CROSS JOIN LATERAL (
        SELECT setweight(to_tsvector('english', t.title), 'A')
               || setweight(to_tsvector('simple', t.title), 'A') AS words
    ) AS head
    LEFT JOIN translated other ON other.product_id = t.id
    ON CONFLICT (product_id) DO UPDATE
    SET status = excluded.status, publish_at = excluded.publish_at,
        unpublish_at = excluded.unpublish_at, title = excluded.title,
        words = excluded.words, head = excluded.head, facets = excluded.facets,
        categories = excluded.categories, currency = excluded.currency,
        price_low = excluded.price_low, price_high = excluded.price_high,
        age = excluded.age
)
INSERT INTO search_words (word, stem)
SELECT word, coalesce((ts_lexize('english_stem', word))[1], word)
FROM (
    SELECT DISTINCT found.word
    FROM texts t LEFT JOIN translated other ON other.product_id = t.id
    CROSS JOIN LATERAL regexp_split_to_table(
        concat_ws(' ', t.title, t.names, t.choices, other.titles), ' ') AS found (word)
    WHERE t.status = 'active'
) AS every
WHERE length(word) BETWEEN 2 AND 40 AND word !~ '[0-9]'
  AND NOT EXISTS (SELECT FROM search_words k WHERE k.word = every.word)
ORDER BY word
ON CONFLICT (word) DO NOTHING;
