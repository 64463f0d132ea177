-- Of each product less is written, and what is written costs less: by files of products,
-- and by whoever else writes them.

-- What is searched is in product_index alone; the vector beside the product is no longer
-- made. (A release before this one still makes it for what it writes itself.)
ALTER TABLE products ALTER COLUMN search SET DEFAULT '';
DROP INDEX products_search;
-- Every reader of what is on sale asks for what is scheduled, too: products_on_sale.
DROP INDEX products_active;

-- Most texts have no letter that could have an accent, and are spared the looking for it,
-- which takes five times as long as the rest. Not STRICT, so that they are inlined.
CREATE OR REPLACE FUNCTION without_accents(written text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN octet_length(written) = length(written) THEN written
        ELSE normalize(regexp_replace(normalize(written, NFKD), '[\u0300-\u036f]', '', 'g'),
                       NFC) END;
CREATE OR REPLACE FUNCTION search_text(written text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN btrim(regexp_replace(
        translate(lower(without_accents(written)), '''’`´ʼ', ''),
        '[^[:alnum:]]+', ' ', 'g'));
