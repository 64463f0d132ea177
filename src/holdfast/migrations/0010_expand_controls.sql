-- What operators change while the shop runs, and who may.

CREATE TABLE controls (
    name text PRIMARY KEY,
    value jsonb NOT NULL,
    updated_by text NOT NULL,
    updated_at timestamptz NOT NULL
);

UPDATE roles
SET scopes = ARRAY(SELECT unnest(scopes || '{protection:read,protection:write}') ORDER BY 1)
WHERE name = 'admin' AND built_in;
