-- Versions of what operators change beside products, so that of two editors the second
-- is told. Members of a group are part of it, and raise its version. Prices have none of
-- their own: that of a variant's prices is counted from its prices, which are never
-- changed nor dropped.

ALTER TABLE customer_groups ADD COLUMN version bigint NOT NULL DEFAULT 1;
ALTER TABLE price_lists ADD COLUMN version bigint NOT NULL DEFAULT 1;
ALTER TABLE media_assets ADD COLUMN version bigint NOT NULL DEFAULT 1;
ALTER TABLE search_synonyms ADD COLUMN version bigint NOT NULL DEFAULT 1;
