-- name: claim
-- Claim an idempotency key for a request, in the transaction of its effect. $1 caller,
-- $2 route, $3 key, $4 fingerprint, $5 the id of what is made, $6 now, $7 lease
-- until. A concurrent claimer of the same key waits here until the first commits or
-- rolls back. Returns one row if the key is now ours, none if somebody has it.
INSERT INTO idempotency_keys (caller, route, key, fingerprint, subject, claimed_at,
                              lease_until)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (caller, route, key) DO NOTHING
RETURNING 1 AS claimed;

-- name: recall
-- What is known of a key. $1 caller, $2 route, $3 key. One row or none.
SELECT fingerprint, subject, lease_until, status, headers, body
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
-- $5 headers, $6 body (NULL if it was too large), $7 now, $8 the id of what was made if
-- that was not known before. An answer once stored is never replaced.
UPDATE idempotency_keys
SET status = $4, headers = $5, body = $6, answered_at = $7,
    subject = coalesce($8::uuid, subject)
WHERE caller = $1 AND route = $2 AND key = $3 AND status IS NULL;

-- name: conclude
-- Publish events and keep the answer of a claimed key if the first part returns a row:
-- what happened, that it is told, and the answer are one statement. $1 caller, $2 route,
-- $3 key, $4 status, $5 headers, $6 body, $7 now, $8 ids of events, $9 their types,
-- $10 their payloads (JSON text). Returns a row if it happened.
WITH happened AS (/* first */ SELECT 1 /* first */), published AS (
    INSERT INTO outbox (id, type, payload, created_at)
    SELECT event.id, event.type, event.payload::jsonb, $7
    FROM unnest($8::uuid[], $9::text[], $10::text[]) AS event (id, type, payload)
    WHERE EXISTS (SELECT FROM happened)
), answered AS (
    UPDATE idempotency_keys
    SET status = $4, headers = $5, body = $6, answered_at = $7
    WHERE caller = $1 AND route = $2 AND key = $3 AND status IS NULL
      AND EXISTS (SELECT FROM happened)
)
SELECT 1 AS happened FROM happened;

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
-- relayed at $2. $3 their types, NULL for all. Locks them; rows another relay holds are
-- passed over.
UPDATE outbox SET relayed_at = $2
WHERE id IN (
    SELECT id FROM outbox
    WHERE relayed_at IS NULL AND ($3::text[] IS NULL OR type = ANY($3))
    ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED)
RETURNING id, type, payload;

-- name: count_waiting
-- How many events wait to be handed on, and the age of the oldest in seconds.
SELECT count(*) AS waiting,
       coalesce(extract(epoch FROM now() - min(created_at)), 0)::float8 AS oldest_seconds
FROM outbox WHERE relayed_at IS NULL;

-- name: is_waiting
-- Whether any event waits to be handed on; locks nothing. $1 types, NULL for all.
SELECT EXISTS (
    SELECT FROM outbox
    WHERE relayed_at IS NULL AND ($1::text[] IS NULL OR type = ANY($1))) AS waiting;

-- name: claim_turn
-- Take the turn of a timer if it is due. $1 name, $2 now, $3 when it is due next.
-- Of several workers one gets the row, the others none.
INSERT INTO timers AS timer (name, due_at) VALUES ($1, $3)
ON CONFLICT (name) DO UPDATE SET due_at = excluded.due_at WHERE timer.due_at <= $2
RETURNING 1 AS claimed;

-- name: repicked
-- Which of the jobs $1 were picked before without an outcome: whoever ran them died.
-- Every pick and every end of an attempt leaves a row in the log.
SELECT job_id FROM pgqueuer_log AS entry
WHERE job_id = ANY($1::bigint[]) AND status = 'picked'
  AND id > (SELECT max(id) FROM pgqueuer_log AS fresh
            WHERE fresh.job_id = entry.job_id AND fresh.status = 'queued')
GROUP BY job_id HAVING count(*) > 1;

-- name: count_solo_start
-- Count a start of job $1 before it starts. Returns how often it was started without
-- coming to an end.
UPDATE pgqueuer
SET headers = jsonb_build_object(
    'solo_starts', coalesce((headers ->> 'solo_starts')::int, 0) + 1)
WHERE id = $1
RETURNING (headers ->> 'solo_starts')::int AS solo_starts;

-- name: clear_solo_starts
-- Job $1 was started alone and came to an end.
UPDATE pgqueuer SET headers = NULL WHERE id = $1;

-- name: held
-- Jobs that were given up, latest first, with the last thing that went wrong. $1 limit.
SELECT job.id, job.payload, job.attempts, job.created, job.updated,
       coalesce(last.traceback ->> 'exception_type', '') AS exception_type,
       coalesce(last.traceback ->> 'exception_message', '') AS reason
FROM pgqueuer AS job
LEFT JOIN LATERAL (
    SELECT traceback FROM pgqueuer_log AS entry
    WHERE entry.job_id = job.id AND entry.traceback IS NOT NULL
    ORDER BY entry.id DESC LIMIT 1) AS last ON true
WHERE job.status = 'failed'
ORDER BY job.updated DESC, job.id DESC
LIMIT $1;

-- name: replay
-- Queue jobs that were given up once more, as if they had never run. $1 ids, NULL for
-- all of them. Returns one row each.
WITH again AS (
    UPDATE pgqueuer
    SET status = 'queued', execute_after = now(), updated = now(), attempts = 0,
        queue_manager_id = NULL, headers = NULL
    WHERE status = 'failed' AND ($1::bigint[] IS NULL OR id = ANY($1))
    RETURNING id, entrypoint, priority
)
INSERT INTO pgqueuer_log (job_id, status, entrypoint, priority)
SELECT id, 'queued', entrypoint, priority FROM again
RETURNING job_id;

-- name: count_jobs
-- How many jobs are queued, being run and given up, and the age in seconds of the
-- oldest that could run now.
SELECT count(*) FILTER (WHERE status = 'queued') AS queued,
       count(*) FILTER (WHERE status = 'picked') AS running,
       count(*) FILTER (WHERE status = 'failed') AS failed,
       coalesce(extract(epoch FROM now() - min(execute_after) FILTER (
           WHERE status = 'queued' AND execute_after <= now())), 0)::float8
           AS oldest_seconds
FROM pgqueuer;

-- name: forget_log
-- Drop up to $2 entries of the job log written before $1, oldest first, unless the
-- job still exists. Returns one row each.
DELETE FROM pgqueuer_log
WHERE id IN (
    SELECT entry.id FROM pgqueuer_log AS entry
    WHERE entry.created < $1
      AND NOT EXISTS (SELECT FROM pgqueuer AS job WHERE job.id = entry.job_id)
    ORDER BY entry.created LIMIT $2
    FOR UPDATE SKIP LOCKED)
RETURNING 1 AS forgotten;

-- name: data_keys
-- The wrapped keys of personal data. No parameters. Two rows, or none in a new shop.
SELECT name, wrapped, wrapped_by, version FROM data_keys;

-- name: add_data_key
-- Keep a wrapped key unless there is one of its name. $1 name, $2 wrapped, $3 what
-- wrapped it, $4 now.
INSERT INTO data_keys (name, wrapped, wrapped_by, version, updated_at)
VALUES ($1, $2, $3, 1, $4)
ON CONFLICT (name) DO NOTHING;

-- name: data_key_standing
-- How far a wrapped key has come. $1 name. One row.
SELECT version, resealed, updated_at FROM data_keys WHERE name = $1;

-- name: replace_data_key
-- Keep another value of a wrapped key. $1 name, $2 wrapped, $3 what wrapped it, $4 now,
-- $5 the version it was made from. Returns one row, or none if somebody else was
-- first.
UPDATE data_keys
SET wrapped = $2, wrapped_by = $3, version = version + 1, updated_at = $4
WHERE name = $1 AND version = $5
RETURNING version;

-- name: note_resealed
-- Everything is sealed under the keys of one version. $1 name, $2 version.
UPDATE data_keys SET resealed = $2 WHERE name = $1 AND version = $2;

-- name: controls
-- Everything that operators have changed. No parameters.
SELECT name, value, updated_by, updated_at FROM controls ORDER BY name;

-- name: put_control
-- Set a control. $1 name, $2 value (JSON), $3 who, $4 now. Returns what it was before,
-- NULL if it was not set.
WITH before AS (
    SELECT value FROM controls WHERE name = $1
), written AS (
    INSERT INTO controls (name, value, updated_by, updated_at)
    VALUES ($1, $2, $3, $4)
    ON CONFLICT (name) DO UPDATE
    SET value = EXCLUDED.value, updated_by = EXCLUDED.updated_by,
        updated_at = EXCLUDED.updated_at
)
SELECT (SELECT value FROM before) AS was;

-- name: drop_control
-- Take a control back. $1 name. Returns what it was, or no row if it was not set.
DELETE FROM controls WHERE name = $1 RETURNING value AS was;

-- name: answers_to_reseal
-- Kept answers not yet sealed under the newest key, in order of their keys; those that
-- somebody else holds are passed over. $1 its prefix, $2 after this key (NULL for the
-- start), $3 how many. Locks them.
SELECT caller || E'\n' || route || E'\n' || key AS key, body AS sealed
FROM idempotency_keys
WHERE substring(body FOR 5) <> $1
  AND ($2::text IS NULL
       OR (caller, route, key) > (split_part($2, E'\n', 1), split_part($2, E'\n', 2),
                                  split_part($2, E'\n', 3)))
ORDER BY idempotency_keys.caller, route, idempotency_keys.key LIMIT $3
FOR UPDATE SKIP LOCKED;

-- name: reseal_answers
-- Write kept answers sealed anew. $1 keys, $2 sealed. They are locked by the caller.
UPDATE idempotency_keys AS kept SET body = fresh.sealed
FROM unnest($1::text[], $2::bytea[]) AS fresh (key, sealed)
WHERE kept.caller = split_part(fresh.key, E'\n', 1)
  AND kept.route = split_part(fresh.key, E'\n', 2)
  AND kept.key = split_part(fresh.key, E'\n', 3);

-- name: count_sealed
-- Every sealed row, counted by column and by the prefix that names its key; rows from
-- before the vault have no prefix. No parameters. Reads all of every table.
SELECT 'carts' AS name,
       CASE WHEN email IS NULL AND shipping_address IS NULL
            THEN substring(sealed FOR 5) END AS prefix, count(*) AS rows
FROM carts
WHERE sealed IS NOT NULL OR email IS NOT NULL OR shipping_address IS NOT NULL
GROUP BY 2
UNION ALL
SELECT 'orders',
       CASE WHEN email IS NULL AND shipping_address IS NULL
            THEN substring(sealed FOR 5) END, count(*)
FROM orders
WHERE sealed IS NOT NULL OR email IS NOT NULL OR shipping_address IS NOT NULL
GROUP BY 2
UNION ALL
SELECT 'order_notes', substring(sealed FOR 5), count(*)
FROM order_notes
GROUP BY 2
UNION ALL
SELECT 'returns', substring(sealed FOR 5), count(*)
FROM returns WHERE sealed IS NOT NULL
GROUP BY 2
UNION ALL
SELECT 'stock_requests', substring(sealed FOR 5), count(*)
FROM stock_requests
GROUP BY 2
UNION ALL
SELECT 'emails', CASE WHEN recipient IS NULL THEN substring(sealed FOR 5) END, count(*)
FROM emails WHERE sealed IS NOT NULL OR recipient IS NOT NULL
GROUP BY 2
UNION ALL
SELECT 'idempotency_keys.body',
       CASE WHEN substring(body FOR 1) <> '{' THEN substring(body FOR 5) END, count(*)
FROM idempotency_keys WHERE body IS NOT NULL
GROUP BY 2
UNION ALL
SELECT 'accounts.password', substring(password FOR 5), count(*)
FROM accounts WHERE password IS NOT NULL
GROUP BY 2
UNION ALL
SELECT 'security_events', substring(sealed FOR 5), count(*)
FROM security_events WHERE sealed IS NOT NULL
GROUP BY 2
UNION ALL
SELECT 'accounts', substring(sealed FOR 5), count(*)
FROM accounts WHERE sealed IS NOT NULL
GROUP BY 2
UNION ALL
SELECT 'account_requests', substring(sealed FOR 5), count(*)
FROM account_requests WHERE sealed IS NOT NULL
GROUP BY 2
UNION ALL
SELECT 'sessions', substring(sealed FOR 5), count(*)
FROM sessions WHERE sealed IS NOT NULL
GROUP BY 2
UNION ALL
SELECT 'second_factors', substring(sealed FOR 5), count(*)
FROM second_factors WHERE sealed IS NOT NULL
GROUP BY 2
UNION ALL
SELECT 'signing_keys', substring(sealed FOR 5), count(*)
FROM signing_keys WHERE sealed IS NOT NULL
GROUP BY 2
UNION ALL
SELECT 'customers', substring(sealed FOR 5), count(*)
FROM customers WHERE sealed IS NOT NULL
GROUP BY 2
UNION ALL
SELECT 'customer_addresses', substring(sealed FOR 5), count(*)
FROM customer_addresses WHERE sealed IS NOT NULL
GROUP BY 2;

-- name: idempotency_rows
-- How many idempotency keys there are, as of the last time that they were analysed; 0
-- before the first. No parameters.
SELECT greatest(reltuples, 0)::bigint AS rows
FROM pg_class WHERE oid = 'idempotency_keys'::regclass;

-- name: forget_answers_to
-- Drop the keys of somebody who is erased. $1 caller, $2 ids of what the requests of
-- others made for them. Returns one row each.
DELETE FROM idempotency_keys
WHERE caller = $1 OR subject = ANY($2::uuid[])
RETURNING 1 AS forgotten;
