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
