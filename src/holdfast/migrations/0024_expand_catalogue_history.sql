-- Histories with actors for what products are filed and described by.

-- Who changed what of a category, its translations too. It outlives the category.
CREATE TABLE category_changes (
    id uuid PRIMARY KEY,
    category_id uuid NOT NULL,
    -- The version that the change made; the last there was for a deletion.
    version bigint NOT NULL,
    action text NOT NULL CONSTRAINT category_changes_action_known
        CHECK (action IN ('created', 'changed', 'deleted')),
    actor text NOT NULL,
    changes jsonb NOT NULL,
    at timestamptz NOT NULL
);
CREATE INDEX category_changes_by_category ON category_changes (category_id, id DESC);

-- The same of the definition of an attribute. One that is defined again goes on with it.
CREATE TABLE attribute_changes (
    id uuid PRIMARY KEY,
    code text NOT NULL,
    version bigint NOT NULL,
    action text NOT NULL CONSTRAINT attribute_changes_action_known
        CHECK (action IN ('created', 'changed', 'deleted')),
    actor text NOT NULL,
    changes jsonb NOT NULL,
    at timestamptz NOT NULL
);
CREATE INDEX attribute_changes_by_code ON attribute_changes (code, id DESC);
