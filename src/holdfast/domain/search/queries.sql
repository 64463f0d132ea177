-- name: index
-- Write down what is searched of products, in the transaction that wrote them. $1
-- products. The words of what is on sale that no product had before join the others:
-- in their order, so that two writers of the same new words do not deadlock, and those
-- that are there are not touched, so that writers of "red" do not wait for one another.
-- Texts are cut so that no vector comes near PostgreSQL's 1 MB. The shop's own are in
-- the language of the connection (`holdfast.language`), English if it has none.
WITH texts AS MATERIALIZED (
    SELECT w.id, w.status, w.publish_at, w.unpublish_at, w.created_at, w.tags, w.vendor,
           w.product_type, w.currency, w.low, w.high, w.chosen, w.categories,
           w.said_facets, w.measures, search_text(w.title) AS title, search_text(w.names) AS names,
           search_text(w.codes) AS codes, search_text(w.choices) AS choices,
           search_text(w.description) AS description
    FROM (
        SELECT p.id, p.status, p.publish_at, p.unpublish_at, p.created_at, p.tags,
               p.vendor, p.product_type, p.title, sold.currency, sold.low, sold.high,
               sold.chosen, filed.categories, said.facets AS said_facets,
               said.measures,
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
                       AS texts,
                   jsonb_object_agg(d.code, p.attributes -> d.code)
                       FILTER (WHERE d.filterable AND d.type IN ('number', 'date'))
                       AS measures
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
         categories, currency, price_low, price_high, age, measures)
    SELECT t.id, t.status, t.publish_at, t.unpublish_at, left(t.title, 255),
           head.words
           || setweight(to_tsvector(own.stems, t.names), 'B')
           || setweight(to_tsvector('simple', concat_ws(' ', t.names, t.codes)), 'B')
           || setweight(to_tsvector(own.stems, t.choices), 'C')
           || setweight(to_tsvector('simple', t.choices), 'C')
           || setweight(to_tsvector(own.stems, t.description), 'D')
           || coalesce(other.words, '') || search_lots(t.id),
           head.words,
           array_remove(ARRAY[
               U&'vendor\001F' || nullif(t.vendor, ''),
               U&'product_type\001F' || nullif(t.product_type, '')]
               || ARRAY(SELECT U&'tag\001F' || tag FROM unnest(t.tags) AS tag)
               || t.chosen || t.said_facets, NULL),
           t.categories, t.currency, t.low, t.high,
           -(extract(epoch FROM t.created_at) * 1000000)::bigint,
           coalesce(t.measures, '{}')
    FROM texts t
    CROSS JOIN (
        SELECT search_language(coalesce(
            nullif(current_setting('holdfast.language', true), ''), 'en')) AS stems
    ) AS own
    CROSS JOIN LATERAL (
        SELECT setweight(to_tsvector(own.stems, t.title), 'A')
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
        age = excluded.age, measures = excluded.measures
), found AS MATERIALIZED (
    SELECT each.word, k.products
    FROM (
        SELECT DISTINCT each.word
        FROM texts t LEFT JOIN translated other ON other.product_id = t.id
        CROSS JOIN LATERAL string_to_table(
            concat_ws(' ', t.title, t.names, t.choices, other.titles), ' ')
            AS each (word)
        WHERE t.status = 'active'
    ) AS each
    LEFT JOIN search_words k ON k.word = each.word
    WHERE length(each.word) BETWEEN 2 AND 40 AND each.word !~ '[0-9]'
), again AS (
    -- No product had them when they were counted last.
    UPDATE search_words k SET products = 1
    FROM (SELECT w.word FROM search_words w JOIN found f ON f.word = w.word
          WHERE f.products = 0 ORDER BY w.word FOR UPDATE OF w) AS gone
    WHERE k.word = gone.word
)
INSERT INTO search_words (word, stem)
SELECT word, coalesce((ts_lexize('english_stem', word))[1], word)
FROM found WHERE products IS NULL
ORDER BY word
ON CONFLICT (word) DO NOTHING;

-- name: look_up
-- What is known of the words somebody typed. $1 what was typed, $2 how many words are
-- looked at, $3 how many are told that go on. A row for each, in order: `known`, whether
-- a product on sale has it or another form of it; `products`, how many have it as it was
-- typed, when they were counted; `goes_on`, of the last word and of those that are not
-- known, the words that begin so, in most products first, each with their number. (The
-- index finds beginnings as well, but reads all there is of them: where codes have digits,
-- a digit is the beginning of every code, 140 ms where there are 1,000,000.) `synonyms`, the
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
SELECT t.word, t.known, t.products,
       CASE WHEN t.begins AND (t.is_last OR NOT t.known) THEN (
           SELECT jsonb_agg(jsonb_build_array(word, products)) FROM (
               SELECT k.word, k.products FROM search_words k
               WHERE k.word > t.word AND k.word < t.word || U&'\+10FFFF'
                 AND k.products > 0
               ORDER BY k.products DESC, k.word LIMIT $3) AS longer) END AS goes_on,
       CASE WHEN NOT (t.known OR t.begins) AND length(t.word) BETWEEN 4 AND 40
                 AND t.word !~ '[0-9]'
            THEN NULL::jsonb /* near */ END AS near,
       (SELECT jsonb_agg(jsonb_build_array(term, s.found))
        FROM terms, search_synonyms s, unnest(s.typed) AS term
        WHERE s.typed && terms.every AND term = ANY(terms.every)) AS synonyms
FROM (
    -- One row at the most of each: left to itself, PostgreSQL expects a hundred words to
    -- be typed, and reads every word that there is.
    SELECT typed.word, typed.place, coalesce(same.products, 0) AS products,
           typed.place = (SELECT max(place) FROM typed) AS is_last,
           coalesce(same.products > 0, false) OR coalesce((
               SELECT true FROM search_words k
               -- (In the order its index has, or that could not be used.)
               WHERE k.stem = coalesce((ts_lexize('english_stem', typed.word))[1],
                                       typed.word) COLLATE "default"
                 AND k.products > 0
               LIMIT 1), false) AS known,
           coalesce((
               SELECT true FROM search_words k
               WHERE k.word >= typed.word
                 AND k.word < typed.word || U&'\+10FFFF'
                 AND k.products > 0
               LIMIT 1), false) AS begins
    FROM typed
    LEFT JOIN LATERAL (
        -- (Equal to it, as an order says it: the index of similar words is dearer.)
        SELECT k.products FROM search_words k
        WHERE k.word >= typed.word AND k.word <= typed.word
        LIMIT 1
    ) AS same ON true
    OFFSET 0
) AS t
ORDER BY t.place;

-- name: near
-- Words like $1 that products have, the 40 most alike, each with the number of products
-- that have it: of two as near, the more usual one was meant. Stands in `look_up` where
-- that says `near`, if the server can tell what is alike.
SELECT jsonb_agg(jsonb_build_array(word, products)) FROM (
    SELECT word, products FROM search_words WHERE products > 0
    ORDER BY word <-> $1 LIMIT 40) AS alike;

-- name: find
-- A page of products that match, best first, and what the matches can be told apart by.
-- $1 the question, and $2 others, less strict, of which the first is asked that anything
-- fits, if nothing fits $1; NULL for none. $3 their language; $4 whether $1 is written
-- with operators. $5 status or NULL, $6 now; $7 id and $8 handle of a category, with all
-- below it, or NULL; $9 a path expression on numbers and days, or NULL; $10, $11, $12,
-- $13, $14 and $15 sets of facets, of each of which a product has one, or NULL; $16 least
-- and $17 most price and $18 its currency, or NULL; $19 true for what can be bought, false
-- for the rest, NULL for both. $20 how many; $21 id and $22 key of the last one seen, or
-- NULL; $23 whether few match, as the first page said, NULL on that. $24 what was typed,
-- as search_text makes it; $25 the same as a code may be written. $26 the names of the
-- facets of the sets, in their order. $27 attributes that must be measures.
-- One row: `ids` and `keys` of up to $20 + 1 products, whether they are `few`, `relaxed`,
-- whether one of $2 was asked, `shelf`, whether there is such a category, `measured`,
-- whether $27 are, `defined`, whether attributes among $26 can be filtered by, `facets`,
-- and the first $20 as `documents`, if somebody says how those are read. What is not asked
-- for is left out, and what is the same is written once: see statement.py.
-- What it costs hardly grows with what matches. One product of 256, a sample that the
-- index itself has, says how many fit. Of 4 or fewer, which stand for some 1,000, all are
-- fetched, weighed by all their words and counted, at 8 us each. Of more, those come first whose title
-- is what was typed, begins with it, or has the words, and the order is walked until the
-- page is full; as they are not rare, that is soon. They are counted in a sample of 350 to
-- 700, and told as estimates. A set of chosen values takes nothing from the counts of its
-- own facet: a product that misses one choice alone counts there, which is what `missed`
-- says, a bit for each set, 64 for the price and 128 for whether it can be bought. The 50
-- most frequent values of a facet are told, and all that are chosen.
WITH RECURSIVE shelves AS (
    SELECT id FROM categories WHERE id = $7 OR handle = $8
    UNION SELECT k.id FROM categories k JOIN shelves s ON k.parent_id = s.id
), question AS MATERIALIZED (
    SELECT CASE WHEN $2::text[] IS NULL OR EXISTS (
        SELECT FROM product_index i
        WHERE i.words @@ search_query($1::text, $3, $4)
          AND CASE WHEN /* as base: */ ($5::text IS NULL
           OR status_at(i.status, i.publish_at, i.unpublish_at, $6) = $5)
      AND ($7::uuid IS NULL AND $8::text IS NULL
           OR i.categories && ARRAY(SELECT id FROM shelves))
      AND ($9::text IS NULL OR i.measures @@ $9::text::jsonpath)
      AND true /* among */ /* end base */ THEN 1 END > 0
    ) THEN search_query($1, $3, $4) ELSE coalesce((
        -- Each is made once, and the first one that anything fits is the last one tried.
        SELECT less.strict FROM (
            SELECT search_query(other, $3, false) AS strict FROM unnest($2) AS other
            OFFSET 0) AS less
        WHERE (SELECT true FROM product_index i
               WHERE i.words @@ less.strict
                 AND CASE WHEN true /* same base */ THEN 1 END > 0
               LIMIT 1)
        LIMIT 1), search_query($1, $3, $4)) END AS asked
), probe AS MATERIALIZED (
    SELECT count(*) AS every, count(*) FILTER (WHERE missed = 0) AS hits,
           count(*) FILTER (WHERE missed = 0 AND titled) AS titled,
           count(*) FILTER (WHERE missed IN (1, 2, 4, 8, 16, 32, 64, 128)) AS misses
    FROM (
        SELECT i.head @@ (SELECT asked FROM question) AS titled,
               /* as missed: */ CASE WHEN $10::text[] IS NULL OR i.facets && $10 THEN 0 ELSE 1 END
               + CASE WHEN $11::text[] IS NULL OR i.facets && $11 THEN 0 ELSE 2 END
               + CASE WHEN $12::text[] IS NULL OR i.facets && $12 THEN 0 ELSE 4 END
               + CASE WHEN $13::text[] IS NULL OR i.facets && $13 THEN 0 ELSE 8 END
               + CASE WHEN $14::text[] IS NULL OR i.facets && $14 THEN 0 ELSE 16 END
               + CASE WHEN $15::text[] IS NULL OR i.facets && $15 THEN 0 ELSE 32 END
               + CASE WHEN $18::text IS NULL
                        OR i.currency = $18 AND i.price_high >= $16::bigint
                           AND i.price_low <= $17::bigint THEN 0 ELSE 64 END
               + CASE WHEN $19::boolean IS NULL OR $19 = true /* same bought */
                      THEN 0 ELSE 128 END /* end missed */ AS missed
        FROM product_index i
        WHERE i.words @@ (SELECT search_sample(asked, 8) FROM question)
          AND CASE WHEN true /* same base */ THEN 1 END > 0
    ) AS looked_at
), size AS MATERIALIZED (
    SELECT coalesce($23::boolean, (SELECT hits <= 4 FROM probe)) AS few
), few AS MATERIALIZED (
    SELECT i.product_id AS id, i.age, i.price_low, -i.price_high AS price_down, i.title,
           i.facets, i.currency, i.price_high /* when weighed: */,
           -(8 * (i.title = $24)::int + 4 * starts_with(i.title, $24)::int
             + 2 * (i.head @@ (SELECT asked FROM question))::int)::float8
           - ts_rank('{0.05, 0.2, 0.4, 1.0}', i.words,
                     (SELECT asked FROM question), 1) AS weight /* end weighed */
    FROM product_index i
    WHERE (SELECT few FROM size)
      AND /* as asked: */ ($1::text IS NULL
           OR i.words @@ (SELECT asked FROM question)) /* end asked */
      -- With words, those alone are looked for in an index: what everything has, as the
      -- colour blue, is fetched in 17 ms of a million variants and says little.
      AND ($1::text IS NOT NULL OR true /* same base */
           AND /* as chosen: */ /* as picked: */ ($10::text[] IS NULL OR i.facets && $10)
      AND ($11::text[] IS NULL OR i.facets && $11)
      AND ($12::text[] IS NULL OR i.facets && $12)
      AND ($13::text[] IS NULL OR i.facets && $13)
      AND ($14::text[] IS NULL OR i.facets && $14)
      AND ($15::text[] IS NULL OR i.facets && $15)
      AND ($18::text IS NULL OR i.currency = $18 AND i.price_high >= $16::bigint
           AND i.price_low <= $17::bigint) /* end picked */
      AND /* as buyable: */ ($19::boolean IS NULL OR $19 = /* as bought: */ coalesce((
          SELECT true FROM variants v
          WHERE v.product_id = i.product_id AND (
              SELECT sum(t.available) FROM stock t WHERE t.variant_id = v.id) > 0
          LIMIT 1), false) /* end bought */) /* end buyable */ /* end chosen */)
      AND ($1::text IS NULL
           OR CASE WHEN true /* same base */ AND true /* same chosen */ THEN 1 END > 0)
), /* as found: */ coded AS MATERIALIZED (
    -- What has just this code comes first, whatever else it says.
    SELECT i.product_id AS id FROM product_index i
    WHERE i.product_id = ANY(ARRAY(
            SELECT v.product_id FROM variants v WHERE v.sku = ANY($25::text[])
            UNION SELECT v.product_id FROM variants v WHERE v.barcode = ANY($25)))
      AND CASE WHEN true /* same base */ AND true /* same chosen */ THEN 1 END > 0
    ORDER BY i.product_id LIMIT 20
), begun AS MATERIALIZED (
    -- Titles that begin with what was typed stand before others, unless they are so
    -- many that this says little; then those that are just that, unless those are many.
    SELECT CASE WHEN (SELECT few FROM size) OR $24::text = '' THEN ''
                WHEN (SELECT count(*) FROM (
                          SELECT FROM product_index i
                          WHERE i.title >= $24 AND i.title < $24 || U&'\+10FFFF'
                          LIMIT 501) AS n) <= 500 THEN $24 || U&'\+10FFFF'
                WHEN (SELECT count(*) FROM (
                          SELECT FROM product_index i
                          WHERE i.title = $24 LIMIT 501) AS n) <= 500 THEN $24 || ' '
                ELSE '' END COLLATE "C" AS upto
), begin AS MATERIALIZED (
    SELECT i.product_id AS id, CASE WHEN i.title = $24 THEN -3 ELSE -2 END::float8 AS key
    FROM product_index i
    WHERE i.title >= $24 AND i.title < (SELECT upto FROM begun)
      AND CASE WHEN true /* same asked */ AND true /* same base */
                    AND true /* same chosen */ THEN 1 END > 0
), titled AS MATERIALIZED (
    -- The words are in the title: fetched where that is rare, else walked to. Of those that
    -- were fetched, as few as will do are looked at in stock: 11 us each.
    (SELECT i.product_id AS id FROM (
     SELECT i.product_id FROM product_index i
     WHERE (SELECT titled <= 16 FROM probe) AND NOT (SELECT few FROM size)
       AND coalesce($22::text::float8 <= -1, true)
       AND i.product_id > /* as after: */ CASE WHEN $22::text::float8 = -1 THEN $21::uuid
           ELSE '00000000-0000-0000-0000-000000000000' END /* end after */
       AND i.head @@ (SELECT asked FROM question)
       AND CASE WHEN /* as titled: */ NOT (i.title >= $24 AND i.title < (SELECT upto FROM begun))
       AND (NOT $4::boolean OR i.words @@ (SELECT asked FROM question))
       AND true /* same base */ AND true /* same picked */ /* end titled */ THEN 1 END > 0
     ORDER BY i.product_id OFFSET 0) AS i
     WHERE true /* same buyable */
     ORDER BY i.product_id LIMIT $20::integer + 21)
    UNION ALL
    (SELECT i.product_id AS id FROM product_index i
     WHERE (SELECT titled > 16 FROM probe) AND NOT (SELECT few FROM size)
       AND coalesce($22::text::float8 <= -1, true)
       AND i.product_id > CASE WHEN $22::text::float8 = -1 THEN $21::uuid ELSE '00000000-0000-0000-0000-000000000000' END
       AND CASE WHEN i.head @@ (SELECT asked FROM question) AND true /* same titled */
                     AND true /* same buyable */ THEN 1 END > 0
     ORDER BY i.product_id LIMIT $20::integer + 21)
), others AS MATERIALIZED (
    SELECT i.product_id AS id FROM product_index i
    WHERE NOT (SELECT few FROM size)
      AND (SELECT count(*) FROM titled) <= $20::integer + 20
      AND i.product_id > CASE WHEN $22::text::float8 = 0 THEN $21::uuid ELSE '00000000-0000-0000-0000-000000000000' END
      AND CASE WHEN NOT i.head @@ (SELECT asked FROM question)
                    AND NOT (i.title >= $24 AND i.title < (SELECT upto FROM begun))
                    AND true /* same asked */ AND true /* same base */
                    AND true /* same chosen */ THEN 1 END > 0
    ORDER BY i.product_id LIMIT $20::integer + 21
), found AS MATERIALIZED (
    SELECT c.id, -99::float8 AS key FROM coded c
    UNION ALL
    SELECT r.id, r.key
    FROM (
        SELECT f.id, f.weight AS key FROM few f
        UNION ALL SELECT b.id, b.key FROM begin b
        UNION ALL SELECT t.id, -1::float8 FROM titled t
        UNION ALL SELECT o.id, 0::float8 FROM others o
    ) AS r
    WHERE r.id <> ALL(ARRAY(SELECT c.id FROM coded c))
), page AS (
    SELECT f.id, f.key FROM found f
    WHERE $22::text IS NULL OR (f.key, f.id) > ($22::text::float8, $21::uuid)
    ORDER BY f.key, f.id LIMIT $20::integer + 1 /* end found */
)/* when facets: */, lots AS MATERIALIZED (
    -- Which part is looked at: 1 of so many, by powers of two, for some 350 to 700, or half
    -- as many where each is looked at in stock; of all that might miss one choice, of twice
    -- as many at the most.
    SELECT CASE WHEN s.few THEN 0 ELSE least(8, greatest(1, 8 - floor(
               log(2, w.wanted / greatest(p.hits, 1)))::integer)) END AS hits,
           least(8, greatest(
               CASE WHEN p.misses <= w.wanted / 256 THEN 0
                    ELSE 8 - floor(log(2, w.wanted / p.misses))::integer END,
               CASE WHEN p.every <= w.wanted / 128 THEN 0
                    ELSE ceil(log(2, p.every * 128 / w.wanted))::integer END)) AS misses
    FROM probe p, size s,
         (SELECT CASE WHEN $19::boolean IS NULL THEN 700.0 ELSE 350.0 END AS wanted) AS w
), hits AS MATERIALIZED (
    SELECT f.id, f.facets, f.currency, f.price_low, f.price_high FROM few f
    UNION ALL
    SELECT i.product_id, i.facets, i.currency, i.price_low, i.price_high
    FROM product_index i
    WHERE NOT (SELECT few FROM size)
      AND i.words @@ (SELECT search_sample(asked, l.hits) FROM question, lots l)
      AND CASE WHEN true /* same base */ AND true /* same chosen */ THEN 1 END > 0
)/* when narrowed: */, misses AS MATERIALIZED (
    -- What would match but for one choice: that is what another choice would show.
    SELECT m.facets, m.currency, m.price_low, m.price_high, m.missed
    FROM (
        SELECT i.facets, i.currency, i.price_low, i.price_high, NULL::integer /* same missed */
               AS missed
        FROM product_index i
        WHERE ($1 IS NULL AND (SELECT l.misses = 0 FROM lots l) OR i.words @@ (
                  SELECT search_sample(asked, l.misses) FROM question, lots l))
          -- Of two sets, a match that counts has one at least.
          AND ($11::text[] IS NULL OR $18::text IS NOT NULL OR $19::boolean IS NOT NULL
               OR i.facets && ($10 || $11))
          AND CASE WHEN true /* same base */ THEN 1 END > 0
    ) AS m
    WHERE m.missed IN (1, 2, 4, 8, 16, 32, 64, 128)
)/* end narrowed */, counted AS (
    SELECT split_part(n.facet, U&'\001F', 1) AS name,
           split_part(n.facet, U&'\001F', 2) AS value, n.facet, sum(n.products) AS products,
           bool_and(n.exact) AS exact
    FROM (
        SELECT facet, count(*) << l.hits AS products, l.hits = 0 AS exact
        FROM hits h, lots l, unnest(h.facets) AS facet GROUP BY facet, l.hits
        /* when narrowed: */ UNION ALL
        SELECT facet, count(*) << l.misses, l.misses = 0
        FROM misses m, lots l, unnest(m.facets) AS facet
        WHERE m.missed = 1 << (array_position(
            $26::text[], split_part(facet, U&'\001F', 1)) - 1)
        GROUP BY facet, l.misses /* end narrowed */
    ) AS n
    GROUP BY n.facet
), told AS (
    SELECT name, value, /* as about: */ CASE WHEN exact THEN products::numeric
               ELSE round(products, least(0, 1 - floor(log(products))::integer)) END
               /* end about */ AS products, chosen,
           row_number() OVER (PARTITION BY name ORDER BY products DESC, value) AS place
    FROM (
        SELECT name, value, products, exact, facet = ANY(
                   coalesce($10, '{}') || coalesce($11, '{}') || coalesce($12, '{}')
                   || coalesce($13, '{}') || coalesce($14, '{}')
                   || coalesce($15, '{}')) AS chosen
        FROM counted
    ) AS each
), bought AS (
    SELECT bought, sum(n.products) AS products, bool_and(n.exact) AS exact
    FROM (
        SELECT $19::boolean AS bought, count(*) << l.hits AS products, l.hits = 0 AS exact
        FROM hits h, lots l WHERE $19 IS NOT NULL GROUP BY l.hits
        /* when narrowed: */ UNION ALL
        SELECT NOT $19::boolean, count(*) << l.misses, l.misses = 0
        FROM misses m, lots l WHERE m.missed = 128 GROUP BY l.misses /* end narrowed */
        UNION ALL
        -- Each takes 4 us: 100 of them stand for all.
        SELECT each.bought, (count(*) << each.lot) * greatest(1, each.every / 100.0),
               each.lot = 0 AND each.every <= 100
        FROM (
            SELECT true /* same bought */ AS bought, l.hits AS lot,
                   (SELECT count(*) FROM hits) AS every
            FROM (SELECT h.id AS product_id FROM hits h
                  ORDER BY hashtext(h.id::text) LIMIT 100) AS i, lots l
            WHERE $19 IS NULL
        ) AS each
        GROUP BY each.bought, each.lot, each.every
    ) AS n
    GROUP BY bought
)/* end facets */
SELECT array_agg(id ORDER BY key, id) AS ids, array_agg(key ORDER BY key, id) AS keys,
       (SELECT few FROM size) AS few,
       $2::text[] IS NOT NULL
           AND (SELECT asked FROM question) <> search_query($1, $3, $4) AS relaxed,
       $7::uuid IS NULL AND $8::text IS NULL OR EXISTS (SELECT FROM shelves) AS shelf,
       NOT EXISTS (
           SELECT FROM unnest($27::text[]) AS code
           WHERE NOT EXISTS (
               SELECT FROM attribute_definitions d
               WHERE d.code = code AND d.filterable AND d.type IN ('number', 'date'))
       ) AS measured,
       NOT EXISTS (
           SELECT FROM unnest($26::text[]) AS facet
           WHERE starts_with(facet, 'attribute.') AND NOT EXISTS (
               SELECT FROM attribute_definitions d
               WHERE d.code = substr(facet, 11) AND d.filterable)
       ) AS defined, /* when facets: */
       jsonb_build_object(
           'count', (SELECT CASE WHEN l.hits = 0 OR n = 0 THEN n
                                 ELSE round(n << l.hits, least(0, 1 - floor(log(n << l.hits))::integer)) END
                     FROM lots l, (SELECT count(*) AS n FROM hits) AS every),
           'exact', (SELECT l.hits = 0 /* when narrowed: */
                         AND (l.misses = 0 OR NOT EXISTS (SELECT FROM misses)) /* end narrowed */
                     FROM lots l),
           'values', (SELECT coalesce(jsonb_agg(
                          jsonb_build_array(name, value, products, chosen)
                          ORDER BY name, place), '[]')
                      FROM told WHERE place <= 50 OR chosen),
           'prices', (SELECT coalesce(jsonb_agg(jsonb_build_array(currency, low, high)
                          ORDER BY products DESC, currency), '[]')
                      FROM (SELECT currency, min(price_low) AS low,
                                   max(price_high) AS high, count(*) AS products
                            FROM (SELECT currency, price_low, price_high FROM hits
                                  /* when narrowed: */ UNION ALL
                                  SELECT currency, price_low, price_high FROM misses
                                  WHERE missed = 64 /* end narrowed */) AS priced
                            GROUP BY currency) AS each),
           'bought', (SELECT coalesce(jsonb_agg(jsonb_build_array(
                          bought, round(NULL::numeric /* same about */), exact)), '[]')
                      FROM bought)) AS facets, /* end facets */
       NULL::text /* documents */ AS documents
FROM page;

-- name: in_order
-- A page in the order of a key of the index, which stands in `find` where that says
-- `found`: few matches are sorted, of many the index is walked. $1 how many, $2 id and $3
-- key of the last one seen, or NULL.
WITH few AS (
    SELECT i.product_id AS id, i.age FROM product_index i WHERE false
), size AS (
    SELECT false AS few
), /* as found: */ page AS (
    SELECT each.id, each.key
    FROM (
        SELECT f.id, f.age /* key */ AS key FROM few f
        UNION ALL
        (SELECT i.product_id, i.age /* walked */ FROM product_index i
         WHERE NOT (SELECT few FROM size)
           AND ($3::text IS NULL
                OR (i.age /* walked */, i.product_id) > ($3::text::bigint, $2::uuid))
           AND CASE WHEN true /* same asked */ AND true /* same base */
                         AND true /* same chosen */ THEN 1 END > 0
         ORDER BY i.age /* walked */, i.product_id LIMIT $1::integer + 1)
    ) AS each
    WHERE $3::text IS NULL OR (each.key, each.id) > ($3::text::bigint, $2::uuid)
    ORDER BY each.key, each.id LIMIT $1::integer + 1 /* end found */
)
SELECT id, key FROM page;

-- name: shown
-- The products of a page in one text, which is read again by whoever knows what is in
-- it: stands in a page where that says `documents`, with a statement that reads them.
SELECT json_agg(shown)::text FROM (SELECT 1 /* reading */) AS shown;

-- name: suggest
-- Products on sale for what somebody is typing: what has just this code, then those whose
-- titles begin with it, then those that have its words. $1 what was typed, as search_text makes it; $2 the same as
-- a question; $3 its language; $4 now; $5 how many; $6 the same as a
-- code may be written; $7 in which sample of all products to look for words: where many
-- have them, some will do. A part is not run when those before it have enough.
SELECT p.id, p.handle, p.title, NULL::jsonb /* called */ AS called
FROM (
    (SELECT i.product_id, 0::bigint AS place FROM product_index i
     WHERE i.product_id = ANY(ARRAY(
             SELECT v.product_id FROM variants v WHERE v.sku = ANY($6::text[])
             UNION SELECT v.product_id FROM variants v WHERE v.barcode = ANY($6)))
       AND status_at(i.status, i.publish_at, i.unpublish_at, $4) = 'active'
     LIMIT $5)
    UNION ALL
    (SELECT i.product_id, row_number() OVER (ORDER BY i.title, i.product_id) AS place
     FROM product_index i
     WHERE i.title >= $1 AND i.title < $1 || U&'\+10FFFF'
       AND status_at(i.status, i.publish_at, i.unpublish_at, $4) = 'active'
     ORDER BY i.title, i.product_id LIMIT $5)
    UNION ALL
    (SELECT i.product_id, $5 + 1 FROM product_index i
     WHERE i.words @@ search_sample(search_query($2, $3, false), $7)
       AND NOT (i.title >= $1 AND i.title < $1 || U&'\+10FFFF')
       AND status_at(i.status, i.publish_at, i.unpublish_at, $4) = 'active'
     LIMIT $5)
    LIMIT $5
) AS best JOIN products p ON p.id = best.product_id
GROUP BY p.id
ORDER BY min(best.place), p.id;

-- name: called
-- What a product is called in some languages, NULL where it is translated but for its
-- title. $1 product, $2 languages. Stands in `suggest` where that says `called`, with the
-- languages as its eighth parameter.
SELECT jsonb_object_agg(t.language, t.fields ->> 'title')
FROM product_translations t
WHERE t.product_id = $1::uuid AND t.language = ANY($2::text[]);

-- name: lock_next
-- Products after $1 in the order of their ids, up to $2 of them: a rebuild's next step.
-- They are locked, so that no writer's newer words are written over with older ones.
SELECT id FROM products WHERE id > $1 ORDER BY id LIMIT $2 FOR SHARE;

-- name: count_words
-- Count anew in how many products on sale words are, of those that were counted before
-- $1 or never, longest ago first. $2 how many words, $3 now. Locks them. Returns those
-- words. A word that more than 2,000 products have is counted in a sixteenth of them: the
-- numbers only say which of several words is meant or offered first.
WITH due AS MATERIALIZED (
    SELECT word FROM search_words
    WHERE counted_at IS NULL OR counted_at < $1
    ORDER BY counted_at NULLS FIRST, word LIMIT $2
    FOR UPDATE SKIP LOCKED
), counted AS (
    SELECT d.word, CASE WHEN few.products <= 2000 THEN few.products ELSE 16 * (
               SELECT count(*) FROM product_index i
               WHERE i.words @@ search_sample(asked.word, 4) AND i.status = 'active')
           END AS products
    FROM due d
    CROSS JOIN LATERAL (SELECT ('''' || d.word || '''')::tsquery AS word) AS asked
    CROSS JOIN LATERAL (
        SELECT count(*) AS products FROM (
            SELECT FROM product_index i
            WHERE i.words @@ asked.word AND i.status = 'active' LIMIT 2001) AS found
    ) AS few
)
UPDATE search_words k SET products = c.products, counted_at = $3
FROM counted c WHERE c.word = k.word
RETURNING k.word;

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
