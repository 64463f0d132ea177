-- name: claim
-- Claim an idempotency key for a request, in the transaction of its effect. $1 caller,
-- $2 route, $3 key, $4 fingerprint, $5 now, $6 lease until. A concurrent claimer
-- of the same key waits here until the first commits or rolls back. Returns one
-- row if the key is now ours, none if somebody has it.
INSERT INTO idempotency_keys (caller, route, key, fingerprint, claimed_at, lease_until)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (caller, route, key) DO NOTHING
RETURNING 1 AS claimed;

-- name: recall
-- What is known of a key. $1 caller, $2 route, $3 key. One row or none.
SELECT fingerprint, lease_until, status, headers, body
FROM idempotency_keys
WHERE caller = $1 AND route = $2 AND key = $3;

-- name: take_over
-- Continue the work of a claimer that died: its lease has run out and it left no
-- answer. $1 caller, $2 route, $3 key, $4 now, $5 new lease. Returns one row to the
-- single winner.
UPDATE idempotency_keys SET lease_until = $5
WHERE caller = $1 AND route = $2 AND key = $3 AND status IS NULL AND lease_until < $4
RETURNING 1 AS claimed;

-- name: answer
-- Store the answer of a claimed key. $1 caller, $2 route, $3 key, $4 status,
-- $5 headers, $6 body, $7 now. An answer once stored is never replaced.
UPDATE idempotency_keys SET status = $4, headers = $5, body = $6, answered_at = $7
WHERE caller = $1 AND route = $2 AND key = $3 AND status IS NULL;

-- name: release
-- Give a claimed key back, because nothing came of the request. $1 caller,
-- $2 route, $3 key.
DELETE FROM idempotency_keys
WHERE caller = $1 AND route = $2 AND key = $3 AND status IS NULL;

-- name: forget
-- Drop keys claimed before $1, at most $2 of them, oldest first. Returns one row each.
DELETE FROM idempotency_keys
WHERE (caller, route, key) IN (
    SELECT caller, route, key FROM idempotency_keys
    WHERE claimed_at < $1 ORDER BY claimed_at LIMIT $2
    FOR UPDATE SKIP LOCKED)
RETURNING 1 AS forgotten;

-- name: publish
-- Record events in the commit that makes them true. $1 ids, $2 types, $3 payloads
-- (JSON text), $4 now.
INSERT INTO outbox (id, type, payload, created_at)
SELECT id, type, payload::jsonb, $4
FROM unnest($1::uuid[], $2::text[], $3::text[]) AS event (id, type, payload);

-- name: take_waiting
-- Take up to $1 events that wait to be handed on, oldest first, and mark them as
-- relayed at $2. Locks them; rows another relay holds are passed over.
UPDATE outbox SET relayed_at = $2
WHERE id IN (
    SELECT id FROM outbox WHERE relayed_at IS NULL
    ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED)
RETURNING id, type, payload;

-- name: count_waiting
-- How many events wait to be handed on, and the age of the oldest in seconds.
SELECT count(*) AS waiting,
       coalesce(extract(epoch FROM now() - min(created_at)), 0)::float8 AS oldest_seconds
FROM outbox WHERE relayed_at IS NULL;
