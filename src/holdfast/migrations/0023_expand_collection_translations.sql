-- The texts of collections in other languages than the shop's own, beside those of
-- products and categories.
CREATE TABLE collection_translations (
    collection_id uuid NOT NULL REFERENCES collections ON DELETE CASCADE,
    -- A language tag: de, pt-BR.
    language text NOT NULL,
    -- {"title": "Geschenke"}: the fields that are translated; the others are as they are.
    fields jsonb NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (collection_id, language)
);
