-- name: add_key
-- Store a new API key. $1 id, $2 name, $3 SHA-256 of the key, $4 its first
-- characters, $5 scopes, $6 now.
INSERT INTO api_keys (id, name, key_hash, prefix, scopes, created_at)
VALUES ($1, $2, $3, $4, $5, $6);

-- name: find_by_hash
-- Whose key this is. $1 SHA-256 of the key. Returns one row, or none if there is no
-- such key or it was revoked.
SELECT id, name, scopes FROM api_keys WHERE key_hash = $1 AND revoked_at IS NULL;

-- name: list_keys
-- A page of API keys, newest first. $1 only keys older than this id (NULL: from the
-- newest), $2 how many.
SELECT id, name, prefix, scopes, created_at, revoked_at
FROM api_keys
WHERE $1::uuid IS NULL OR id < $1
ORDER BY id DESC
LIMIT $2;

-- name: revoke_key
-- Revoke a key; one that is revoked already keeps its time. $1 id, $2 now. Locks
-- the row. Returns it, or none if there is no such key.
UPDATE api_keys SET revoked_at = coalesce(revoked_at, $2)
WHERE id = $1
RETURNING id, name, prefix, scopes, created_at, revoked_at;
