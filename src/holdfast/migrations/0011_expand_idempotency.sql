-- Keys on every unsafe route: many more rows, each written twice within a moment, once
-- when it is claimed and once when it is answered, and deleted a day later. With room
-- on its page the second version needs no new entries in the indexes, and what is
-- deleted is cleared away before it is a fifth of the table.
ALTER TABLE idempotency_keys
    SET (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05);

COMMENT ON COLUMN idempotency_keys.key IS
    'As the client sent it; where the answer is sealed under it, only a keyed hash.';
COMMENT ON COLUMN idempotency_keys.body IS
    'Sealed. NULL with a status: it was too large to be kept.';
