-- name: add
-- Write an e-mail down unless its event has one. $1 id, $2 event id, $3 recipient,
-- $4 subject, $5 body, $6 now. A second writer for the same event waits for the
-- first. Returns one row if it was written.
INSERT INTO emails (id, event_id, recipient, subject, body, created_at)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (event_id) DO NOTHING
RETURNING id, event_id, recipient, subject, body, created_at, sent_at;

-- name: by_event
-- The e-mail an event wrote. $1 event id. One row or none.
SELECT id, event_id, recipient, subject, body, created_at, sent_at
FROM emails WHERE event_id = $1;

-- name: find
-- E-mails whose id ends in $1; two are enough to know that one is not meant.
SELECT id, event_id, recipient, subject, body, created_at, sent_at
FROM emails WHERE right(id::text, length($1)) = $1
ORDER BY id DESC LIMIT 2;

-- name: latest
-- The last $1 e-mails, latest first. Ids sort by the time they were made.
SELECT id, event_id, recipient, subject, body, created_at, sent_at
FROM emails ORDER BY id DESC LIMIT $1;

-- name: mark_sent
-- A mail server took e-mail $1 at $2.
UPDATE emails SET sent_at = $2 WHERE id = $1 AND sent_at IS NULL;
