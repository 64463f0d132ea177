-- name: index
-- Write down what is searched of products, in the transaction that wrote them. $1
-- products. The words of what is on sale that no product had before join the others:
-- in their order, so that two writers of the same new words do not deadlock, and those
-- that are there are not touched, so that writers of "red" do not wait for one another.
-- Texts are cut so that no vector comes near PostgreSQL's 1 MB.
WITH texts AS MATERIALIZED (
    SELECT w.id, w.status, w.publish_at, w.unpublish_at, w.created_at, w.tags, w.vendor,
           w.product_type, w.currency, w.low, w.high, w.chosen, w.categories,
           w.said_facets, search_text(w.title) AS title, search_text(w.names) AS names,
           search_text(w.codes) AS codes, search_text(w.choices) AS choices,
           search_text(w.description) AS description
    FROM (
        SELECT p.id, p.status, p.publish_at, p.unpublish_at, p.created_at, p.tags,
               p.vendor, p.product_type, p.title, sold.currency, sold.low, sold.high,
               sold.chosen, filed.categories, said.facets AS said_facets,
               left(concat_ws(' ', p.vendor, p.product_type,
                   array_to_string(p.tags, ' '), filed.names), 40000) AS names,
               left(sold.codes, 40000) AS codes,
               left(concat_ws(' ', sold.titles, said.texts), 40000) AS choices,
               left(regexp_replace(p.description_html, '<[^>]*>', ' ', 'g'), 40000)
                   AS description
        FROM products p
        CROSS JOIN LATERAL (
            SELECT (array_agg(v.currency ORDER BY v.position))[1] AS currency,
                   min(v.price_amount) AS low, max(v.price_amount) AS high,
                   string_agg(concat_ws(' ', v.sku, v.barcode), ' ') AS codes,
                   string_agg(DISTINCT v.title, ' ') AS titles,
                   (SELECT array_agg(DISTINCT concat(
                        'option.', o.key, U&'\001F', o.value))
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
        WHERE p.id = ANY($1::uuid[])
        -- Each text is put together once, however often search_text looks at it.
        OFFSET 0
    ) AS w
), translated AS MATERIALIZED (
    SELECT s.product_id, string_agg(concat_ws(' ', words.title, words.names), ' ')
               AS titles,
           tsvector_join(
               setweight(to_tsvector(search_language(s.language), words.title), 'A')
               || setweight(to_tsvector('simple', words.title), 'A')
               || setweight(to_tsvector(search_language(s.language), words.names), 'B')
               || setweight(to_tsvector('simple', words.names), 'B')
               || setweight(to_tsvector(search_language(s.language), words.choices), 'C')
               || setweight(to_tsvector('simple', words.choices), 'C')
               || setweight(to_tsvector(search_language(s.language), words.rest), 'D')
           ) AS words
    FROM (
        -- The more languages there are, the less there is room for of each.
        SELECT t.product_id, t.language, t.fields ->> 'title' AS title, NULL AS names,
               left((SELECT string_agg(said #>> '{}', ' ')
                     FROM jsonb_path_query(
                         jsonb_build_array(t.fields -> 'options', t.fields -> 'attributes'),
                         'strict $.** ? (@.type() == "string")') AS said),
                    (15000 / count(*) OVER every)::integer) AS choices,
               left(regexp_replace(t.fields ->> 'description_html', '<[^>]*>', ' ', 'g'),
                    (40000 / count(*) OVER every)::integer) AS rest
        FROM product_translations t
        WHERE t.product_id = ANY($1::uuid[])
        WINDOW every AS (PARTITION BY t.product_id)
        UNION ALL
        SELECT c.product_id, k.language, NULL,
               left(string_agg(k.fields ->> 'name', ' '),
                    (15000 / count(*) OVER (PARTITION BY c.product_id))::integer),
               NULL, NULL
        FROM product_categories c
        JOIN category_translations k ON k.category_id = c.category_id
        WHERE c.product_id = ANY($1::uuid[]) AND k.fields ? 'name'
        GROUP BY c.product_id, k.language
    ) AS s
    CROSS JOIN LATERAL (
        SELECT coalesce(search_text(s.title), '') AS title,
               coalesce(search_text(s.names), '') AS names,
               coalesce(search_text(s.choices), '') AS choices,
               coalesce(search_text(s.rest), '') AS rest
        OFFSET 0
    ) AS words
    GROUP BY s.product_id
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
        -- Made once, as it is written twice.
        OFFSET 0
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
    CROSS JOIN LATERAL string_to_table(
        concat_ws(' ', t.title, t.names, t.choices, other.titles), ' ') AS found (word)
    WHERE t.status = 'active'
) AS every
WHERE length(word) BETWEEN 2 AND 40 AND word !~ '[0-9]'
  AND NOT EXISTS (SELECT FROM search_words k WHERE k.word = every.word)
ORDER BY word
ON CONFLICT (word) DO NOTHING;

-- name: look_up
-- What is known of the words somebody typed. $1 what was typed, $2 how many words are
-- looked at. A row for each, in order: `known`, whether a product on sale has it or
-- another form of it; `begins`, whether one has a word that begins so. `synonyms`, the
-- same in each row, has pairs of a term that was typed, of up to three words, and a
-- list of what it means besides; NULL where it means nothing else.
WITH typed AS MATERIALIZED (
    SELECT word COLLATE "C" AS word, place
    FROM regexp_split_to_table(search_text($1), ' ') WITH ORDINALITY AS t (word, place)
    WHERE word <> '' ORDER BY place LIMIT $2
), terms AS (
    SELECT array_agg(term) AS every FROM (
        SELECT word FROM typed
        UNION SELECT concat_ws(' ', a.word, b.word)
        FROM typed a JOIN typed b ON b.place = a.place + 1
        UNION SELECT concat_ws(' ', a.word, b.word, c.word)
        FROM typed a JOIN typed b ON b.place = a.place + 1
        JOIN typed c ON c.place = a.place + 2
    ) AS t (term)
)
SELECT t.word, t.known, t.begins,
       CASE WHEN NOT (t.known OR t.begins) AND length(t.word) BETWEEN 4 AND 40
                 AND t.word !~ '[0-9]'
            THEN NULL::jsonb /* near */ END AS near,
       (SELECT jsonb_agg(jsonb_build_array(term, s.found))
        FROM terms, search_synonyms s, unnest(s.typed) AS term
        WHERE s.typed && terms.every AND term = ANY(terms.every)) AS synonyms
FROM (
    SELECT word, place,
           EXISTS (SELECT FROM search_words k WHERE k.word = typed.word)
           OR EXISTS (
               SELECT FROM search_words k
               WHERE k.stem = coalesce((ts_lexize('english_stem', typed.word))[1],
                                       typed.word)) AS known,
           EXISTS (SELECT FROM search_words k
                   WHERE k.word >= typed.word
                     AND k.word < typed.word || U&'\+10FFFF') AS begins
    FROM typed
) AS t
ORDER BY t.place;

-- name: near
-- Words like $1 that products have, the 40 most alike, each with the number of products
-- that have it: of two as near, the more usual one was meant. Stands in `look_up` where
-- that says `near`, if the server can tell what is alike.
SELECT jsonb_agg(jsonb_build_array(word, products)) FROM (
    SELECT word, products FROM search_words ORDER BY word <-> $1 LIMIT 40) AS alike;

-- name: by_relevance
-- Products that match a question, best first. $1 the question and $2 another, less
-- strict one or NULL, asked if nothing on sale matches the first; $3 its language; $4
-- whether $1 is written with operators. $5 status or NULL, $6 now; $7 id and $8 handle
-- of a category, with all below it, or NULL; $9 least and $10 most price and $11 its
-- currency, or NULL; $12 true for what can be bought, false for the rest, NULL for both;
-- $13, $14, $15, $16, $17 and $18 sets of facets, of each of which a product has one, or
-- NULL. $19 how many, $20 key and $21 id of the last one seen or NULL. $22 what was
-- typed, as search_text makes it; $23 whether all are weighed, as the first page said,
-- NULL on that. One row: `ids` and `keys` of up to $19 + 1 products, whether they were
-- `weighed`, `relaxed`, whether $2 was asked, `shelf`, whether there is such a category,
-- `facets`, and the first $19 as `documents`, if somebody says how those are read.
-- Each of up to 2,000 is weighed by all its words, which takes 3 us; of more than
-- that, only whether its title is, begins with or has what was typed. The title's words
-- are in the row, the others may not be.
WITH RECURSIVE shelves AS (
    SELECT id FROM categories WHERE id = $7 OR handle = $8
    UNION SELECT k.id FROM categories k JOIN shelves s ON k.parent_id = s.id
), question AS MATERIALIZED (
    SELECT CASE WHEN $2::text IS NULL OR EXISTS (
               SELECT FROM product_index i
               WHERE i.words @@ search_query($1, $3, $4)
                 AND ($5::text IS NULL
                      OR status_at(i.status, i.publish_at, i.unpublish_at, $6) = $5))
           THEN search_query($1, $3, $4) ELSE search_query($2, $3, false) END AS asked
), hits AS MATERIALIZED (
    SELECT i.product_id AS id,
           -(8 * (i.title = $22)::int + 4 * starts_with(i.title, $22)::int
             + 2 * (i.head @@ (SELECT asked FROM question))::int)::float8 AS tier
    FROM product_index i
    WHERE i.words @@ (SELECT asked FROM question)
      AND ($5::text IS NULL
           OR status_at(i.status, i.publish_at, i.unpublish_at, $6) = $5)
      AND ($7::uuid IS NULL AND $8::text IS NULL
           OR i.categories && ARRAY(SELECT id FROM shelves))
      AND ($11::text IS NULL OR i.currency = $11 AND i.price_high >= $9::bigint
           AND i.price_low <= $10::bigint)
      AND ($13::text[] IS NULL OR i.facets && $13)
      AND ($14::text[] IS NULL OR i.facets && $14)
      AND ($15::text[] IS NULL OR i.facets && $15)
      AND ($16::text[] IS NULL OR i.facets && $16)
      AND ($17::text[] IS NULL OR i.facets && $17)
      AND ($18::text[] IS NULL OR i.facets && $18)
      AND true /* among */
), few AS MATERIALIZED (
    SELECT coalesce($23::boolean, count(*) <= 2000) AS weighed FROM hits
), scored AS (
    SELECT h.id, h.tier - ts_rank('{0.05, 0.2, 0.4, 1.0}', i.words,
                                  (SELECT asked FROM question), 1) AS key
    FROM hits h JOIN product_index i ON i.product_id = h.id
    WHERE (SELECT weighed FROM few)
    UNION ALL
    SELECT h.id, h.tier FROM hits h WHERE NOT (SELECT weighed FROM few)
), page AS (
    SELECT best.id, best.key
    FROM (
        SELECT s.id, s.key FROM scored s
        WHERE $20::float8 IS NULL OR s.key > $20 OR (s.key = $20 AND s.id > $21::uuid)
        ORDER BY s.key, s.id OFFSET 0
    ) AS best
    WHERE $12::boolean IS NULL OR $12 = coalesce((
        SELECT true FROM variants v
        WHERE v.product_id = best.id AND (
            SELECT sum(t.available) FROM stock t WHERE t.variant_id = v.id) > 0
        LIMIT 1), false)
    LIMIT $19::integer + 1
)
SELECT array_agg(id ORDER BY key, id) AS ids, array_agg(key ORDER BY key, id) AS keys,
       (SELECT weighed FROM few) AS weighed,
       $2::text IS NOT NULL
           AND (SELECT asked FROM question) = search_query($2, $3, false) AS relaxed,
       $7::uuid IS NULL AND $8::text IS NULL OR EXISTS (SELECT FROM shelves) AS shelf,
       NULL::jsonb /* facets */ AS facets, NULL::text /* documents */ AS documents
FROM page;

-- name: by_age
-- As by_relevance with its $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14,
-- $15, $16, $17, $18, $19, $20 and $21, the newest first; also without a
-- question: $1 is then NULL.
-- Each order is a statement and an index of its own, which is walked where much matches;
-- where little does, that is fetched and sorted.
WITH RECURSIVE shelves AS (
    SELECT id FROM categories WHERE id = $7 OR handle = $8
    UNION SELECT k.id FROM categories k JOIN shelves s ON k.parent_id = s.id
), question AS MATERIALIZED (
    SELECT CASE WHEN $2::text IS NULL OR EXISTS (
               SELECT FROM product_index i
               WHERE i.words @@ search_query($1, $3, $4)
                 AND ($5::text IS NULL
                      OR status_at(i.status, i.publish_at, i.unpublish_at, $6) = $5))
           THEN search_query($1, $3, $4) ELSE search_query($2, $3, false) END AS asked
), page AS (
    SELECT i.product_id AS id, i.age AS key
    FROM product_index i
    WHERE ($1::text IS NULL OR i.words @@ (SELECT asked FROM question))
      AND ($5::text IS NULL
           OR status_at(i.status, i.publish_at, i.unpublish_at, $6) = $5)
      AND ($7::uuid IS NULL AND $8::text IS NULL
           OR i.categories && ARRAY(SELECT id FROM shelves))
      AND ($11::text IS NULL OR i.currency = $11 AND i.price_high >= $9::bigint
           AND i.price_low <= $10::bigint)
      AND ($13::text[] IS NULL OR i.facets && $13)
      AND ($14::text[] IS NULL OR i.facets && $14)
      AND ($15::text[] IS NULL OR i.facets && $15)
      AND ($16::text[] IS NULL OR i.facets && $16)
      AND ($17::text[] IS NULL OR i.facets && $17)
      AND ($18::text[] IS NULL OR i.facets && $18)
      AND true /* among */
      AND ($20::bigint IS NULL OR (i.age, i.product_id) > ($20, $21::uuid))
      AND ($12::boolean IS NULL OR $12 = coalesce((
          SELECT true FROM variants v
          WHERE v.product_id = i.product_id AND (
              SELECT sum(t.available) FROM stock t WHERE t.variant_id = v.id) > 0
          LIMIT 1), false))
    ORDER BY i.age, i.product_id
    LIMIT $19::integer + 1
)
SELECT array_agg(id ORDER BY key, id) AS ids, array_agg(key ORDER BY key, id) AS keys,
       NULL::boolean AS weighed,
       $2::text IS NOT NULL
           AND (SELECT asked FROM question) = search_query($2, $3, false) AS relaxed,
       $7::uuid IS NULL AND $8::text IS NULL OR EXISTS (SELECT FROM shelves) AS shelf,
       NULL::jsonb /* facets */ AS facets, NULL::text /* documents */ AS documents
FROM page;

-- name: by_price
-- As by_relevance with its $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14,
-- $15, $16, $17, $18, $19, $20 and $21, what costs least first; also without a
-- question: $1 is then NULL.
WITH RECURSIVE shelves AS (
    SELECT id FROM categories WHERE id = $7 OR handle = $8
    UNION SELECT k.id FROM categories k JOIN shelves s ON k.parent_id = s.id
), question AS MATERIALIZED (
    SELECT CASE WHEN $2::text IS NULL OR EXISTS (
               SELECT FROM product_index i
               WHERE i.words @@ search_query($1, $3, $4)
                 AND ($5::text IS NULL
                      OR status_at(i.status, i.publish_at, i.unpublish_at, $6) = $5))
           THEN search_query($1, $3, $4) ELSE search_query($2, $3, false) END AS asked
), page AS (
    SELECT i.product_id AS id, i.price_low AS key
    FROM product_index i
    WHERE ($1::text IS NULL OR i.words @@ (SELECT asked FROM question))
      AND ($5::text IS NULL
           OR status_at(i.status, i.publish_at, i.unpublish_at, $6) = $5)
      AND ($7::uuid IS NULL AND $8::text IS NULL
           OR i.categories && ARRAY(SELECT id FROM shelves))
      AND ($11::text IS NULL OR i.currency = $11 AND i.price_high >= $9::bigint
           AND i.price_low <= $10::bigint)
      AND ($13::text[] IS NULL OR i.facets && $13)
      AND ($14::text[] IS NULL OR i.facets && $14)
      AND ($15::text[] IS NULL OR i.facets && $15)
      AND ($16::text[] IS NULL OR i.facets && $16)
      AND ($17::text[] IS NULL OR i.facets && $17)
      AND ($18::text[] IS NULL OR i.facets && $18)
      AND true /* among */
      AND ($20::bigint IS NULL OR (i.price_low, i.product_id) > ($20, $21::uuid))
      AND ($12::boolean IS NULL OR $12 = coalesce((
          SELECT true FROM variants v
          WHERE v.product_id = i.product_id AND (
              SELECT sum(t.available) FROM stock t WHERE t.variant_id = v.id) > 0
          LIMIT 1), false))
    ORDER BY i.price_low, i.product_id
    LIMIT $19::integer + 1
)
SELECT array_agg(id ORDER BY key, id) AS ids, array_agg(key ORDER BY key, id) AS keys,
       NULL::boolean AS weighed,
       $2::text IS NOT NULL
           AND (SELECT asked FROM question) = search_query($2, $3, false) AS relaxed,
       $7::uuid IS NULL AND $8::text IS NULL OR EXISTS (SELECT FROM shelves) AS shelf,
       NULL::jsonb /* facets */ AS facets, NULL::text /* documents */ AS documents
FROM page;

-- name: by_price_down
-- As by_relevance with its $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14,
-- $15, $16, $17, $18, $19, $20 and $21, what costs most first; also without a
-- question: $1 is then NULL.
WITH RECURSIVE shelves AS (
    SELECT id FROM categories WHERE id = $7 OR handle = $8
    UNION SELECT k.id FROM categories k JOIN shelves s ON k.parent_id = s.id
), question AS MATERIALIZED (
    SELECT CASE WHEN $2::text IS NULL OR EXISTS (
               SELECT FROM product_index i
               WHERE i.words @@ search_query($1, $3, $4)
                 AND ($5::text IS NULL
                      OR status_at(i.status, i.publish_at, i.unpublish_at, $6) = $5))
           THEN search_query($1, $3, $4) ELSE search_query($2, $3, false) END AS asked
), page AS (
    SELECT i.product_id AS id, (-i.price_high) AS key
    FROM product_index i
    WHERE ($1::text IS NULL OR i.words @@ (SELECT asked FROM question))
      AND ($5::text IS NULL
           OR status_at(i.status, i.publish_at, i.unpublish_at, $6) = $5)
      AND ($7::uuid IS NULL AND $8::text IS NULL
           OR i.categories && ARRAY(SELECT id FROM shelves))
      AND ($11::text IS NULL OR i.currency = $11 AND i.price_high >= $9::bigint
           AND i.price_low <= $10::bigint)
      AND ($13::text[] IS NULL OR i.facets && $13)
      AND ($14::text[] IS NULL OR i.facets && $14)
      AND ($15::text[] IS NULL OR i.facets && $15)
      AND ($16::text[] IS NULL OR i.facets && $16)
      AND ($17::text[] IS NULL OR i.facets && $17)
      AND ($18::text[] IS NULL OR i.facets && $18)
      AND true /* among */
      AND ($20::bigint IS NULL OR ((-i.price_high), i.product_id) > ($20, $21::uuid))
      AND ($12::boolean IS NULL OR $12 = coalesce((
          SELECT true FROM variants v
          WHERE v.product_id = i.product_id AND (
              SELECT sum(t.available) FROM stock t WHERE t.variant_id = v.id) > 0
          LIMIT 1), false))
    ORDER BY (-i.price_high), i.product_id
    LIMIT $19::integer + 1
)
SELECT array_agg(id ORDER BY key, id) AS ids, array_agg(key ORDER BY key, id) AS keys,
       NULL::boolean AS weighed,
       $2::text IS NOT NULL
           AND (SELECT asked FROM question) = search_query($2, $3, false) AS relaxed,
       $7::uuid IS NULL AND $8::text IS NULL OR EXISTS (SELECT FROM shelves) AS shelf,
       NULL::jsonb /* facets */ AS facets, NULL::text /* documents */ AS documents
FROM page;

-- name: by_title
-- As by_relevance with its $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14,
-- $15, $16, $17, $18, $19, $20 and $21, in the order of titles; also without a
-- question: $1 is then NULL.
WITH RECURSIVE shelves AS (
    SELECT id FROM categories WHERE id = $7 OR handle = $8
    UNION SELECT k.id FROM categories k JOIN shelves s ON k.parent_id = s.id
), question AS MATERIALIZED (
    SELECT CASE WHEN $2::text IS NULL OR EXISTS (
               SELECT FROM product_index i
               WHERE i.words @@ search_query($1, $3, $4)
                 AND ($5::text IS NULL
                      OR status_at(i.status, i.publish_at, i.unpublish_at, $6) = $5))
           THEN search_query($1, $3, $4) ELSE search_query($2, $3, false) END AS asked
), page AS (
    SELECT i.product_id AS id, i.title AS key
    FROM product_index i
    WHERE ($1::text IS NULL OR i.words @@ (SELECT asked FROM question))
      AND ($5::text IS NULL
           OR status_at(i.status, i.publish_at, i.unpublish_at, $6) = $5)
      AND ($7::uuid IS NULL AND $8::text IS NULL
           OR i.categories && ARRAY(SELECT id FROM shelves))
      AND ($11::text IS NULL OR i.currency = $11 AND i.price_high >= $9::bigint
           AND i.price_low <= $10::bigint)
      AND ($13::text[] IS NULL OR i.facets && $13)
      AND ($14::text[] IS NULL OR i.facets && $14)
      AND ($15::text[] IS NULL OR i.facets && $15)
      AND ($16::text[] IS NULL OR i.facets && $16)
      AND ($17::text[] IS NULL OR i.facets && $17)
      AND ($18::text[] IS NULL OR i.facets && $18)
      AND true /* among */
      AND ($20::text IS NULL OR (i.title, i.product_id) > ($20, $21::uuid))
      AND ($12::boolean IS NULL OR $12 = coalesce((
          SELECT true FROM variants v
          WHERE v.product_id = i.product_id AND (
              SELECT sum(t.available) FROM stock t WHERE t.variant_id = v.id) > 0
          LIMIT 1), false))
    ORDER BY i.title, i.product_id
    LIMIT $19::integer + 1
)
SELECT array_agg(id ORDER BY key, id) AS ids, array_agg(key ORDER BY key, id) AS keys,
       NULL::boolean AS weighed,
       $2::text IS NOT NULL
           AND (SELECT asked FROM question) = search_query($2, $3, false) AS relaxed,
       $7::uuid IS NULL AND $8::text IS NULL OR EXISTS (SELECT FROM shelves) AS shelf,
       NULL::jsonb /* facets */ AS facets, NULL::text /* documents */ AS documents
FROM page;

-- name: facets
-- What the matches of a search can be told apart by: how many there are, and for each
-- facet how many have each value. With the $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11,
-- $12, $13, $14, $15, $16, $17 and $18 of by_relevance, and $19, the names of the facets
-- of the sets, in their order. A set of chosen values takes nothing from the counts of
-- its own facet: they say what choosing another of its values would show. A match that
-- misses one set alone is therefore counted for that facet, which is what `missed` says,
-- a bit for each set and 64 for the price. Up to 2,000 matches are counted, and `exact`
-- says whether that is all of them. The 50 most frequent values of a facet are told, and
-- all that are chosen. Stands in the statements above where those say `facets`.
WITH RECURSIVE shelves AS (
    SELECT id FROM categories WHERE id = $7 OR handle = $8
    UNION SELECT k.id FROM categories k JOIN shelves s ON k.parent_id = s.id
), question AS MATERIALIZED (
    SELECT CASE WHEN $2::text IS NULL OR EXISTS (
               SELECT FROM product_index i
               WHERE i.words @@ search_query($1, $3, $4)
                 AND ($5::text IS NULL
                      OR status_at(i.status, i.publish_at, i.unpublish_at, $6) = $5))
           THEN search_query($1, $3, $4) ELSE search_query($2, $3, false) END AS asked
), base AS MATERIALIZED (
    SELECT matching.facets, matching.currency, matching.price_low, matching.price_high,
           matching.missed
    FROM (
        SELECT i.product_id, i.facets, i.currency, i.price_low, i.price_high,
               CASE WHEN $13::text[] IS NULL OR i.facets && $13 THEN 0 ELSE 1 END
                + CASE WHEN $14::text[] IS NULL OR i.facets && $14 THEN 0 ELSE 2 END
                + CASE WHEN $15::text[] IS NULL OR i.facets && $15 THEN 0 ELSE 4 END
                + CASE WHEN $16::text[] IS NULL OR i.facets && $16 THEN 0 ELSE 8 END
                + CASE WHEN $17::text[] IS NULL OR i.facets && $17 THEN 0 ELSE 16 END
                + CASE WHEN $18::text[] IS NULL OR i.facets && $18 THEN 0 ELSE 32 END
                + CASE WHEN $11::text IS NULL
                         OR i.currency = $11 AND i.price_high >= $9::bigint
                            AND i.price_low <= $10::bigint THEN 0 ELSE 64 END AS missed
        FROM product_index i
        WHERE ($1::text IS NULL OR i.words @@ (SELECT asked FROM question))
          AND ($5::text IS NULL
               OR status_at(i.status, i.publish_at, i.unpublish_at, $6) = $5)
          AND ($7::uuid IS NULL AND $8::text IS NULL
               OR i.categories && ARRAY(SELECT id FROM shelves))
          AND true /* among */
          -- Of two sets, a match that counts has one at least.
          AND ($14::text[] IS NULL OR $11::text IS NOT NULL OR i.facets && ($13 || $14))
    ) AS matching
    WHERE missed IN (0, 1, 2, 4, 8, 16, 32, 64)
      AND ($12::boolean IS NULL OR $12 = coalesce((
          SELECT true FROM variants v
          WHERE v.product_id = matching.product_id AND (
              SELECT sum(t.available) FROM stock t WHERE t.variant_id = v.id) > 0
          LIMIT 1), false))
    LIMIT 2001
), counted AS (
    SELECT split_part(facet, U&'\001F', 1) AS name,
           split_part(facet, U&'\001F', 2) AS value, facet,
           sum(products) FILTER (
               WHERE missed = 0
                  OR missed = 1 << (array_position(
                      $19::text[], split_part(facet, U&'\001F', 1)) - 1)) AS products
    FROM (
        SELECT facet, missed, count(*) AS products
        FROM base, unnest(base.facets) AS facet GROUP BY facet, missed
    ) AS each
    GROUP BY facet
), told AS (
    SELECT name, value, products, chosen,
           row_number() OVER (PARTITION BY name ORDER BY products DESC, value) AS place
    FROM (
        SELECT name, value, products, facet = ANY(coalesce($13, '{}') || coalesce($14, '{}') || coalesce($15, '{}') || coalesce($16, '{}') || coalesce($17, '{}') || coalesce($18, '{}')) AS chosen
        FROM counted
    ) AS each
    WHERE products > 0
)
SELECT jsonb_build_object(
    'count', (SELECT least(count(*), 2000) FROM base WHERE missed = 0),
    'exact', (SELECT count(*) <= 2000 FROM base),
    'values', (SELECT coalesce(jsonb_agg(
                   jsonb_build_array(name, value, products, chosen)
                   ORDER BY name, place), '[]')
               FROM told WHERE place <= 50 OR chosen),
    'prices', (SELECT coalesce(jsonb_agg(jsonb_build_array(currency, low, high)
                   ORDER BY products DESC, currency), '[]')
               FROM (SELECT currency, min(price_low) AS low, max(price_high) AS high,
                            count(*) AS products
                     FROM base WHERE missed IN (0, 64) GROUP BY currency) AS each));

-- name: shown
-- The products of a page in one text, which is read again by whoever knows what is in
-- it: stands in a page where that says `documents`, with a statement that reads them.
SELECT json_agg(shown)::text FROM (SELECT 1 /* reading */) AS shown;

-- name: complete
-- Words that go on as $1, with the most products first, at most $2.
SELECT word FROM search_words
WHERE word >= $1 AND word < $1 || U&'\+10FFFF'
ORDER BY products DESC, word LIMIT $2;

-- name: suggest
-- Products on sale for what somebody is typing: those whose titles begin with it, then
-- those that have its words. $1 what was typed, as search_text makes it; $2 the same as
-- a question; $3 its language; $4 now; $5 how many. The second part is not run when the
-- first has enough.
SELECT p.id, p.handle, p.title, NULL::jsonb /* called */ AS called
FROM (
    (SELECT i.product_id, row_number() OVER (ORDER BY i.title, i.product_id) AS place
     FROM product_index i
     WHERE i.title >= $1 AND i.title < $1 || U&'\+10FFFF'
       AND status_at(i.status, i.publish_at, i.unpublish_at, $4) = 'active'
     ORDER BY i.title, i.product_id LIMIT $5)
    UNION ALL
    (SELECT i.product_id, $5 + 1 FROM product_index i
     WHERE i.words @@ search_query($2, $3, false)
       AND NOT (i.title >= $1 AND i.title < $1 || U&'\+10FFFF')
       AND status_at(i.status, i.publish_at, i.unpublish_at, $4) = 'active'
     LIMIT $5)
    LIMIT $5
) AS best JOIN products p ON p.id = best.product_id
ORDER BY best.place, p.id;

-- name: called
-- What a product is called in some languages, NULL where it is translated but for its
-- title. $1 product, $2 languages. Stands in `suggest` where that says `called`, with the
-- languages as its sixth parameter.
SELECT jsonb_object_agg(t.language, t.fields ->> 'title')
FROM product_translations t
WHERE t.product_id = $1::uuid AND t.language = ANY($2::text[]);

-- name: lock_next
-- Products after $1 in the order of their ids, up to $2 of them: a rebuild's next step.
-- They are locked, so that no writer's newer words are written over with older ones.
SELECT id FROM products WHERE id > $1 ORDER BY id LIMIT $2 FOR SHARE;

-- name: count_words
-- Count anew in how many products on sale each word is, and forget the words that are
-- in none: the last step of a rebuild. Takes a second for 100,000 products, and locks
-- words for that long.
WITH counted AS MATERIALIZED (
    SELECT word, ndoc FROM ts_stat(
        'SELECT words FROM product_index WHERE status = ''active''')
), kept AS (
    UPDATE search_words k SET products = c.ndoc
    FROM counted c WHERE c.word = k.word AND k.products <> c.ndoc
)
DELETE FROM search_words k
WHERE NOT EXISTS (SELECT FROM counted c WHERE c.word = k.word);

-- name: synonyms
-- Synonyms in the order they were made. $1 the last id seen or the nil id, $2 how many.
SELECT id, typed, found, mutual, created_at, version FROM search_synonyms
WHERE id > $1 ORDER BY id LIMIT $2;

-- name: add_synonyms
-- Add a set of synonyms. $1 id, $2 terms that are typed, $3 terms that are then found,
-- each as it was written; $4 whether they mean each other; $5 now. Returns it as it is
-- kept; `typed` or `found` is empty of terms that have no letter and no digit.
INSERT INTO search_synonyms (id, typed, found, mutual, created_at)
SELECT $1, ARRAY(SELECT DISTINCT search_text(term) FROM unnest($2::text[]) AS term
                 WHERE search_text(term) <> ''),
       ARRAY(SELECT DISTINCT search_text(term) FROM unnest($3::text[]) AS term
             WHERE search_text(term) <> ''), $4, $5
RETURNING id, typed, found, mutual, created_at, version;

-- name: find_synonyms
-- A set of synonyms. $1 id.
SELECT id, typed, found, mutual, created_at, version FROM search_synonyms WHERE id = $1;

-- name: lock_synonyms
-- Lock a set of synonyms for a change. $1 id. Returns its version, or nothing.
SELECT version FROM search_synonyms WHERE id = $1 FOR UPDATE;

-- name: change_synonyms
-- Make a locked set of synonyms what is wanted. $1 id, $2, $3 and $4 as in add_synonyms.
-- Returns it as it is kept; its version is raised if it is another than it was.
UPDATE search_synonyms s
SET typed = n.typed, found = n.found, mutual = $4,
    version = s.version
        + ((s.typed, s.found, s.mutual) <> (n.typed, n.found, $4))::integer
FROM (SELECT ARRAY(SELECT DISTINCT search_text(term) FROM unnest($2::text[]) AS term
                   WHERE search_text(term) <> '') AS typed,
             ARRAY(SELECT DISTINCT search_text(term) FROM unnest($3::text[]) AS term
                   WHERE search_text(term) <> '') AS found) AS n
WHERE s.id = $1
RETURNING s.id, s.typed, s.found, s.mutual, s.created_at, s.version;

-- name: remove_synonyms
-- Remove a locked set of synonyms. $1 id.
DELETE FROM search_synonyms WHERE id = $1;

-- name: can_tell_alike
-- Whether the server has pg_trgm, without which `near` cannot be asked.
SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'pg_trgm');

-- What follows are conditions of rules: what stands after their WHERE takes the place of
-- `among` in the searches above.

-- name: has_facet
-- Products with any of some values of a facet. $1 values as the index has them.
SELECT i.product_id FROM product_index i
WHERE i.facets && $1::text[];

-- name: on_shelf
-- Products in any of some categories or below them. $1 ids.
SELECT i.product_id FROM product_index i
WHERE i.categories && ARRAY(
    WITH RECURSIVE below AS (
        SELECT id FROM categories WHERE id = ANY($1::uuid[])
        UNION SELECT k.id FROM categories k JOIN below b ON k.parent_id = b.id
    ) SELECT id FROM below);

-- name: titled
-- Products whose title has some words next to one another. $1 words. The index finds all
-- of them and some more, as it has stems and other texts as well.
SELECT i.product_id FROM product_index i
WHERE (numnode(phraseto_tsquery('simple'::regconfig, search_text($1::text))) = 0
       OR i.words @@ phraseto_tsquery('simple'::regconfig, search_text($1)))
  AND strpos(concat(' ', i.title, ' '), concat(' ', search_text($1), ' ')) > 0;

-- name: says
-- Products of which attributes say something. $1 a path expression on all of them.
SELECT i.product_id FROM product_index i
WHERE EXISTS (SELECT FROM products p
              WHERE p.id = i.product_id AND p.attributes @@ $1::jsonpath);

-- name: costs
-- Products of which a variant costs from the one to the other. $1 currency, $2 least and
-- $3 most. Most are told apart by the least and the most of a product.
SELECT i.product_id FROM product_index i
WHERE i.currency = $1::text AND i.price_high >= $2::bigint AND i.price_low <= $3::bigint
  AND EXISTS (SELECT FROM variants v
              WHERE v.product_id = i.product_id AND v.price_amount BETWEEN $2 AND $3);

-- name: is_reduced
-- Products with a variant that costs less than it is compared with, which an index knows.
SELECT i.product_id FROM product_index i
WHERE EXISTS (SELECT FROM variants v
              WHERE v.product_id = i.product_id AND v.compare_at_amount > v.price_amount);

-- name: can_be_bought
-- Products of which a variant can be bought, or none can. $1 which.
SELECT i.product_id FROM product_index i
WHERE $1::boolean = coalesce((
    SELECT true FROM variants v
    WHERE v.product_id = i.product_id AND (
        SELECT sum(t.available) FROM stock t WHERE t.variant_id = v.id) > 0
    LIMIT 1), false);

-- name: made_since
-- Products that were made then or later. $1 when, in negative microseconds since 1970.
SELECT i.product_id FROM product_index i
WHERE i.age <= $1::bigint;

-- name: put_in
-- Products that were put into a collection by hand. $1 collection.
SELECT i.product_id FROM product_index i
WHERE i.product_id IN (
    SELECT c.product_id FROM collection_products c WHERE c.collection_id = $1::uuid);
