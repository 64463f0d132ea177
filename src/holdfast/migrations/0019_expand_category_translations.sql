-- The texts of categories in other languages than the shop's own, beside those of
-- products.
CREATE TABLE category_translations (
    category_id uuid NOT NULL REFERENCES categories ON DELETE CASCADE,
    -- A language tag: de, pt-BR.
    language text NOT NULL,
    -- {"name": "Tassen"}: the fields that are translated; the others are as they are.
    fields jsonb NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (category_id, language)
);
