-- name: add
-- Write an e-mail down unless its event has one. $1 id, $2 event id, $3 the message,
-- sealed, $4 index of the recipient, $5 now, $6 the account that it is about or NULL, $7
-- whether it is withheld from that while it has another address. A second writer for the
-- same event waits for the first. Returns one row if it was written.
INSERT INTO emails (id, event_id, sealed, recipient_index, created_at, account_id,
                    withheld)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (event_id) DO NOTHING
RETURNING id, event_id, sealed, recipient, subject, body, created_at, sent_at;

-- name: by_event
-- The e-mail an event wrote. $1 event id. One row or none.
SELECT id, event_id, sealed, recipient, subject, body, created_at, sent_at
FROM emails WHERE event_id = $1;

-- name: find
-- E-mails whose id ends in $1; two are enough to know that one is not meant.
SELECT id, event_id, sealed, recipient, subject, body, created_at, sent_at
FROM emails
WHERE right(id::text, length($1)) = $1 AND (sealed IS NOT NULL OR recipient IS NOT NULL)
ORDER BY id DESC LIMIT 2;

-- name: latest
-- The last $1 e-mails, latest first. Ids sort by the time they were made.
SELECT id, event_id, sealed, recipient, subject, body, created_at, sent_at
FROM emails WHERE sealed IS NOT NULL OR recipient IS NOT NULL
ORDER BY id DESC LIMIT $1;

-- name: of_recipient
-- Every e-mail to an address or about an account, oldest first; none about another
-- account that had the address before, and none to another address that is withheld. $1 the index of the address, $2 account (NULL:
-- all to the address). Those that were forgotten are passed over.
SELECT id, event_id, sealed, recipient, subject, body, created_at, sent_at
FROM emails
WHERE (account_id = $2 AND (recipient_index = $1 OR NOT withheld)
       OR recipient_index = $1 AND (account_id IS NULL OR $2::uuid IS NULL))
  AND (sealed IS NOT NULL OR recipient IS NOT NULL)
ORDER BY id;

-- name: forget_person
-- Forget what was written to addresses or about an account, and to whom; none of it is
-- sent any more. $1 account, $2 indexes of the addresses, $3 now. Returns one row each.
UPDATE emails
SET sealed = NULL, recipient = NULL, subject = NULL, body = NULL,
    recipient_index = NULL, sent_at = coalesce(sent_at, $3)
WHERE (recipient_index = ANY($2::bytea[]) OR account_id = $1)
  AND (sealed IS NOT NULL OR recipient IS NOT NULL)
RETURNING 1 AS forgotten;

-- name: forget_old
-- Forget what was written before $1, oldest first, and to whom; what was not sent is not
-- any more. $2 now, $3 how many. Those that somebody else holds are passed over. Returns
-- one row each.
UPDATE emails
SET sealed = NULL, recipient = NULL, subject = NULL, body = NULL,
    recipient_index = NULL, account_id = NULL, sent_at = coalesce(sent_at, $2)
WHERE id IN (
    SELECT id FROM emails
    WHERE created_at < $1 AND (sealed IS NOT NULL OR recipient IS NOT NULL)
    ORDER BY created_at LIMIT $3
    FOR UPDATE SKIP LOCKED)
RETURNING 1 AS forgotten;

-- name: emails_to_reseal
-- E-mails not yet sealed under the newest key, in order of their ids; those that somebody
-- else holds are passed over. $1 its prefix, $2 after this id (NULL for the start),
-- $3 how many. Locks them.
SELECT id::text AS key, sealed,
       jsonb_build_object('recipient', recipient, 'subject', subject, 'body', body)
           AS clear
FROM emails
WHERE ($2::text IS NULL OR id > $2::text::uuid)
  AND (substring(sealed FOR 5) <> $1 OR recipient IS NOT NULL)
ORDER BY emails.id LIMIT $3
FOR UPDATE SKIP LOCKED;

-- name: reseal_emails
-- Write e-mails sealed anew. $1 ids, $2 sealed, $3 indexes of recipients, for rows that
-- have none yet. They are locked by the caller.
UPDATE emails
SET sealed = fresh.sealed, recipient = NULL, subject = NULL, body = NULL,
    recipient_index = coalesce(emails.recipient_index, fresh.recipient_index)
FROM unnest($1::text[], $2::bytea[], $3::bytea[])
    AS fresh (key, sealed, recipient_index)
WHERE emails.id = fresh.key::uuid;

-- name: mark_sent
-- A mail server took e-mail $1 at $2.
UPDATE emails SET sent_at = $2 WHERE id = $1 AND sent_at IS NULL;
