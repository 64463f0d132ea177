-- name: add_account
-- Store an account unless another has its address. $1 id, $2 address sealed, $3 its
-- index, $4 hash of the password sealed or NULL, $5 when the address was verified or
-- NULL, $6 now. A second one for the same address waits for the first. Returns one row
-- if it was stored.
INSERT INTO accounts (id, status, sealed, email_index, password, password_changed_at,
    email_verified_at, created_at, updated_at)
VALUES ($1, 'active', $2, $3, $4, CASE WHEN $4::bytea IS NOT NULL THEN $6::timestamptz END,
    $5, $6, $6)
ON CONFLICT ON CONSTRAINT accounts_email_unique DO NOTHING
RETURNING id, status, sealed, email_verified_at, password IS NOT NULL AS has_password,
    false AS second_factor, created_at, updated_at;

-- name: find_account
-- Account $1. One row or none.
SELECT id, status, sealed, email_verified_at, password IS NOT NULL AS has_password,
    EXISTS (
        SELECT FROM second_factors f
        WHERE f.account_id = a.id AND f.confirmed_at IS NOT NULL
    ) AS second_factor,
    created_at, updated_at
FROM accounts a WHERE id = $1;

-- name: find_account_by_email
-- The account whose address has the index $1. One row or none.
SELECT id, status, sealed, email_verified_at, password IS NOT NULL AS has_password,
    EXISTS (
        SELECT FROM second_factors f
        WHERE f.account_id = a.id AND f.confirmed_at IS NOT NULL
    ) AS second_factor,
    created_at, updated_at
FROM accounts a WHERE email_index = $1;

-- name: browse_accounts
-- A page of accounts, newest first. $1 only those older than this id (NULL: from the
-- newest), $2 how many, $3 only the address of this index or NULL, $4 only of this
-- status or NULL.
SELECT id, status, sealed, email_verified_at, password IS NOT NULL AS has_password,
    EXISTS (
        SELECT FROM second_factors f
        WHERE f.account_id = a.id AND f.confirmed_at IS NOT NULL
    ) AS second_factor,
    created_at, updated_at
FROM accounts a
WHERE ($1::uuid IS NULL OR id < $1)
    AND ($3::bytea IS NULL OR email_index = $3)
    AND ($4::text IS NULL OR status = $4)
ORDER BY id DESC
LIMIT $2;

-- name: password_of
-- The sealed hash of the password of account $1; NULL or no row if there is none.
SELECT password FROM accounts WHERE id = $1;

-- name: set_password
-- Give account $1 the sealed hash $2 as its password at $3, unless it was erased.
-- Locks the row; returns its id if it was changed.
UPDATE accounts SET password = $2, password_changed_at = $3, updated_at = $3
WHERE id = $1 AND status <> 'erased'
RETURNING id;

-- name: set_email
-- Give account $1 the sealed address $2 with the index $3, verified at $4, unless it
-- was erased. Breaks accounts_email_unique if another has it. Locks the row; returns
-- its id if it was changed.
UPDATE accounts
SET sealed = $2, email_index = $3, email_verified_at = $4, updated_at = $4
WHERE id = $1 AND status <> 'erased'
RETURNING id;

-- name: verify_email
-- The owner of account $1 has followed a link to its address at $2. Locks the row;
-- returns its id if that was not known before.
UPDATE accounts SET email_verified_at = $2, updated_at = $2
WHERE id = $1 AND email_verified_at IS NULL AND status <> 'erased'
RETURNING id;

-- name: set_status
-- Give account $1 the status $2 at $3, unless it was erased. Locks the row; returns
-- the status that it had before.
UPDATE accounts
SET status = $2, updated_at = CASE WHEN status = $2 THEN updated_at ELSE $3 END
WHERE id = $1 AND status <> 'erased'
RETURNING old.status AS status;

-- name: erase_account
-- Forget whose account $1 was and every way of signing in to it, at $2. The row and
-- those of its sessions stay, empty. Returns its id, or none if there is no such
-- account or it was erased before.
WITH requests AS (
    DELETE FROM account_requests
    WHERE account_id = $1
        OR email_index = (SELECT a.email_index FROM accounts a WHERE a.id = $1)
), factors AS (
    DELETE FROM second_factors WHERE account_id = $1
), codes AS (
    DELETE FROM recovery_codes WHERE account_id = $1
), places AS (
    DELETE FROM familiar_places WHERE account_id = $1
), linked AS (
    DELETE FROM linked_identities WHERE account_id = $1
), whence AS (
    UPDATE sessions SET sealed = NULL WHERE account_id = $1
)
UPDATE accounts
SET status = 'erased', sealed = NULL, email_index = NULL, password = NULL,
    password_changed_at = NULL, email_verified_at = NULL, updated_at = $2
WHERE id = $1 AND status <> 'erased'
RETURNING id;

-- name: open_session
-- Store a new session. $1 id, $2 account, $3 kind, $4 client (NULL: a browser's),
-- $5 scopes, $6 SHA-256 of the cookie (NULL unless a browser's), $7 methods, $8 when
-- it was proved who it is, $9 sealed device, $10 now, $11 when it expires.
INSERT INTO sessions (
    id, account_id, kind, client_id, scopes, cookie_hash, methods, authenticated_at,
    sealed, created_at, seen_at, expires_at
) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10, $11);

-- name: session
-- A session, ended or not. $1 id. Returns one row or none.
SELECT id, account_id, kind, client_id, scopes, methods, authenticated_at, sealed,
    created_at, seen_at, expires_at, ended_at
FROM sessions
WHERE id = $1;

-- name: browser_session
-- The live session of a cookie whose account is active. $1 SHA-256 of the cookie,
-- $2 now. Returns one row or none.
SELECT s.id, s.account_id, s.kind, s.client_id, s.scopes, s.methods,
    s.authenticated_at, s.sealed, s.created_at, s.seen_at, s.expires_at, s.ended_at
FROM sessions s JOIN accounts a ON a.id = s.account_id
WHERE s.cookie_hash = $1 AND s.ended_at IS NULL AND s.expires_at > $2
    AND a.status = 'active';

-- name: sessions_of
-- Live sessions of an account, newest first. $1 account, $2 now, $3 only those older
-- than this id (NULL: from the newest), $4 how many (NULL: all).
SELECT id, account_id, kind, client_id, scopes, methods, authenticated_at, sealed,
    created_at, seen_at, expires_at, ended_at
FROM sessions
WHERE account_id = $1 AND ended_at IS NULL AND expires_at > $2
    AND ($3::uuid IS NULL OR id < $3)
ORDER BY id DESC
LIMIT $4;

-- name: touch_session
-- Note a use of a live session, at most once a minute; a browser's then lasts another
-- 14 days, but not past 30 from its beginning. $1 id, $2 now. Locks the row. Returns
-- its id, or no row if nothing was to be written.
UPDATE sessions
SET seen_at = $2,
    expires_at = CASE WHEN kind = 'browser'
        THEN least($2 + interval '14 days', created_at + interval '30 days')
        ELSE expires_at END
WHERE id = $1 AND ended_at IS NULL AND expires_at > $2
    AND seen_at <= $2 - interval '1 minute'
RETURNING id;

-- name: end_session
-- End a session that has not ended. $1 id, $2 only if it is of this account (NULL:
-- whosever), $3 why, $4 now. Locks the row. Returns its id, or no row.
UPDATE sessions SET ended_at = $4, end_reason = $3
WHERE id = $1 AND ($2::uuid IS NULL OR account_id = $2)
    AND ended_at IS NULL AND expires_at > $4
RETURNING id;

-- name: end_sessions
-- End the sessions of an account. $1 account, $2 but not this one (NULL: all),
-- $3 only of this client (NULL: of all), $4 why, $5 now. Locks their rows in the
-- order of their ids, so that two such calls cannot deadlock. Returns the ids.
WITH live AS (
    SELECT id FROM sessions
    WHERE account_id = $1 AND ended_at IS NULL AND expires_at > $5
        AND ($2::uuid IS NULL OR id <> $2) AND ($3::text IS NULL OR client_id = $3)
    ORDER BY id FOR UPDATE
)
UPDATE sessions s SET ended_at = $5, end_reason = $4
FROM live WHERE s.id = live.id
RETURNING s.id;

-- name: forget_sessions
-- Forget the devices of an account's sessions. $1 account. Locks their rows. Returns
-- the ids.
UPDATE sessions SET sealed = NULL
WHERE account_id = $1 AND sealed IS NOT NULL
RETURNING id;
