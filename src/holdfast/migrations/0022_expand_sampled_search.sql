-- Searches that cost the same however much matches, ranges of numbers and days, words
-- that are counted a few at a time, and documents that say how they were made.

-- In which samples of all products one is: of 2, of 4, ... of 256 one is in the sample of
-- that level, by chance and for ever. A sample is a word of the index like any other, so
-- that a question can be asked of it alone.
CREATE FUNCTION search_lots(product uuid) RETURNS tsvector
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE
        WHEN uuid_hash(product) & 1 <> 0 THEN ''::tsvector
        WHEN uuid_hash(product) & 2 <> 0 THEN U&'''\001F1'''::tsvector
        WHEN uuid_hash(product) & 4 <> 0 THEN U&'''\001F1'' ''\001F2'''::tsvector
        WHEN uuid_hash(product) & 8 <> 0
            THEN U&'''\001F1'' ''\001F2'' ''\001F3'''::tsvector
        WHEN uuid_hash(product) & 16 <> 0
            THEN U&'''\001F1'' ''\001F2'' ''\001F3'' ''\001F4'''::tsvector
        WHEN uuid_hash(product) & 32 <> 0
            THEN U&'''\001F1'' ''\001F2'' ''\001F3'' ''\001F4'' ''\001F5'''::tsvector
        WHEN uuid_hash(product) & 64 <> 0
            THEN U&'''\001F1'' ''\001F2'' ''\001F3'' ''\001F4'' ''\001F5'' ''\001F6'''
                ::tsvector
        WHEN uuid_hash(product) & 128 <> 0
            THEN U&'''\001F1'' ''\001F2'' ''\001F3'' ''\001F4'' ''\001F5'' ''\001F6'' ''\001F7'''
                ::tsvector
        ELSE U&'''\001F1'' ''\001F2'' ''\001F3'' ''\001F4'' ''\001F5'' ''\001F6'' ''\001F7'' ''\001F8'''
            ::tsvector END;

-- A question asked of a sample: of all products (level 0), of half of them (1), ... of one
-- in 256 (8). Without a question, the sample itself; nothing if it asks for nothing.
CREATE FUNCTION search_sample(asked tsquery, level integer) RETURNS tsquery
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE
        WHEN level = 0 OR numnode(asked) = 0 THEN asked
        WHEN asked IS NULL THEN (U&'''\001F' || level::text || '''')::tsquery
        ELSE asked && (U&'''\001F' || level::text || '''')::tsquery END;

-- The numbers and days of a product that can be filtered by: {"height": 12.5}.
ALTER TABLE product_index ADD COLUMN measures jsonb NOT NULL DEFAULT '{}';
-- What has the words in its title is looked for by itself.
CREATE INDEX product_index_head ON product_index USING gin (head)
    WITH (gin_pending_list_limit = 256);

-- Words are counted a few at a time, those first that were counted longest ago. A word
-- that is in no product stays, unknown until one has it again.
UPDATE search_words SET products = 1 WHERE products = 0;
ALTER TABLE search_words ALTER COLUMN products SET DEFAULT 1;
ALTER TABLE search_words ADD COLUMN counted_at timestamptz;
CREATE INDEX search_words_counted ON search_words (counted_at NULLS FIRST, word);

-- Which release's way of writing a product's document and index it was written in. The
-- worker writes anew, a few at a time, what is of an older one.
ALTER TABLE products ADD COLUMN document_version smallint NOT NULL DEFAULT 0;
CREATE INDEX products_by_document_version ON products (document_version, id);
