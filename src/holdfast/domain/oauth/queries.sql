-- signing keys and access tokens -------------------------------------------------

-- name: lock_signing_keys
-- Let nobody else make or retire signing keys until the transaction ends. Locks a
-- number that stands for them; reads of the table go on.
SELECT pg_advisory_xact_lock(hashtextextended('signing_keys', 0));

-- name: add_signing_key
-- Store a signing key. $1 id, $2 algorithm, $3 public key as JWK, $4 private key as
-- JWK, sealed, $5 now, $6 when it begins to sign.
INSERT INTO signing_keys (id, algorithm, public_jwk, sealed, created_at, signs_from)
VALUES ($1, $2, $3, $4, $5, $6);

-- name: listed_signing_keys
-- The keys whose signatures are believed, youngest first. $1 now.
SELECT id, public_jwk, sealed, created_at, signs_from, listed_until
FROM signing_keys
WHERE listed_until IS NULL OR listed_until > $1
ORDER BY signs_from DESC, id DESC;

-- name: all_signing_keys
-- Every key on record, youngest first.
SELECT id, public_jwk, sealed, created_at, signs_from, listed_until
FROM signing_keys
ORDER BY signs_from DESC, id DESC;

-- name: retire_signing_keys
-- Take all keys but one off the list at some time. $1 the id of that one, $2 when.
-- Locks the rows. Returns the ids of the keys that would have been listed longer.
UPDATE signing_keys SET listed_until = $2
WHERE id <> $1 AND (listed_until IS NULL OR listed_until > $2)
RETURNING id;

-- name: forget_signing_keys
-- Delete the keys that were taken off the list before then. $1 when. Returns their
-- ids.
DELETE FROM signing_keys WHERE listed_until < $1 RETURNING id;

-- name: signing_keys_to_reseal
-- Private keys not yet sealed under the newest key of the vault, in order of their ids;
-- those that somebody else holds are passed over. $1 its prefix, $2 after this id (NULL
-- for the start), $3 how many. Locks them.
SELECT id AS key, sealed
FROM signing_keys
WHERE ($2::text IS NULL OR id > $2) AND substring(sealed FOR 5) <> $1
ORDER BY id LIMIT $3
FOR UPDATE SKIP LOCKED;

-- name: reseal_signing_keys
-- Write private keys sealed anew. $1 ids, $2 sealed. They are locked by the caller.
UPDATE signing_keys SET sealed = fresh.sealed
FROM unnest($1::text[], $2::bytea[]) AS fresh (key, sealed)
WHERE signing_keys.id = fresh.key;

-- name: standing
-- What access tokens still allow. $1 ids of the tokens; for each $2 its session and
-- $3 its account (NULL for a client's own), $4 its client, $5 the key that signed it;
-- $6 now, $7 scopes that need no role. Returns for each that is worth something its id
-- and the scopes that its client has now and, if it is a person's, the roles of its
-- account as well, where they need one; none for one that was revoked, whose session
-- has ended, whose account or client is disabled, or whose key is not listed.
SELECT t.token_id,
       CASE WHEN t.session_id IS NULL THEN c.scopes ELSE held.scopes END AS scopes
FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[])
     AS t (token_id, session_id, account_id, client_id, key_id)
JOIN signing_keys k
    ON k.id = t.key_id
    AND (k.listed_until IS NULL OR k.listed_until > $6)
JOIN oauth_clients c ON c.id = t.client_id AND c.disabled_at IS NULL
LEFT JOIN sessions s
    ON s.id = t.session_id
    AND s.account_id = t.account_id
    AND s.client_id = t.client_id
    AND s.ended_at IS NULL
    AND s.expires_at > $6
LEFT JOIN accounts a ON a.id = s.account_id AND a.status = 'active'
CROSS JOIN LATERAL (
    SELECT coalesce(array_agg(scope), '{}') AS scopes
    FROM unnest(c.scopes) AS scope
    WHERE scope = ANY ($7::text[] || ARRAY(
        SELECT unnest(r.scopes) FROM account_roles g JOIN roles r ON r.id = g.role_id
        WHERE g.account_id = a.id
    ))
) held
WHERE (t.session_id IS NULL OR a.id IS NOT NULL)
  AND NOT EXISTS (SELECT 1 FROM revoked_tokens v WHERE v.id = t.token_id);

-- name: revoke_token
-- Take an access token back. $1 its id, $2 when it would have expired. Returns the
-- id, or nothing if it was taken back already.
INSERT INTO revoked_tokens (id, expires_at) VALUES ($1, $2)
ON CONFLICT (id) DO NOTHING
RETURNING id;

-- name: forget_revoked_tokens
-- Delete what is known of tokens that have expired. $1 now, $2 how many at most. Skips
-- rows that another is deleting. Returns their ids.
DELETE FROM revoked_tokens
WHERE id IN (
    SELECT id FROM revoked_tokens WHERE expires_at < $1 LIMIT $2
    FOR UPDATE SKIP LOCKED
)
RETURNING id;

-- clients, codes, refresh tokens and consents ------------------------------------

-- name: add_client
-- Store a new client. $1 id, $2 name, $3 kind, $4 SHA-256 of its secret or NULL, $5
-- redirect URIs, $6 grant types, $7 scopes, $8 whether it is the shop's own, $9 now.
INSERT INTO oauth_clients (id, name, kind, secret_hash, redirect_uris, grant_types,
    scopes, first_party, created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9);

-- name: find_client
-- A client, disabled or not. $1 id. Returns one row or none.
SELECT id, name, kind, redirect_uris, grant_types, scopes, first_party, created_at,
    updated_at, disabled_at
FROM oauth_clients WHERE id = $1;

-- name: find_credentials
-- A client and the hash of its secret (NULL if it has none), unless it is disabled.
-- $1 id. Returns one row or none.
SELECT id, name, kind, redirect_uris, grant_types, scopes, first_party, created_at,
    updated_at, disabled_at, secret_hash
FROM oauth_clients WHERE id = $1 AND disabled_at IS NULL;

-- name: browse_clients
-- A page of clients, newest first. $1 only those older than this id (NULL: from the
-- newest), $2 how many.
SELECT id, name, kind, redirect_uris, grant_types, scopes, first_party, created_at,
    updated_at, disabled_at
FROM oauth_clients
WHERE $1::text IS NULL OR id < $1
ORDER BY id DESC
LIMIT $2;

-- name: lock_client
-- A client, held against changes of others until the end of the transaction. $1 id.
SELECT id, name, kind, redirect_uris, grant_types, scopes, first_party, created_at,
    updated_at, disabled_at
FROM oauth_clients WHERE id = $1 FOR NO KEY UPDATE;

-- name: change_client
-- Change what a client may do; its kind stays. $1 id, $2 name, $3 redirect URIs, $4
-- grant types, $5 scopes, $6 whether it is the shop's own, $7 now. Locks and returns
-- the row.
UPDATE oauth_clients
SET name = $2, redirect_uris = $3, grant_types = $4, scopes = $5, first_party = $6,
    updated_at = $7
WHERE id = $1
RETURNING id, name, kind, redirect_uris, grant_types, scopes, first_party, created_at,
    updated_at, disabled_at;

-- name: disable_client
-- Disable a client; one that is disabled keeps its time. $1 id, $2 now. Locks the row.
-- Returns it, and whether it was disabled before; none if there is no such client.
UPDATE oauth_clients
SET disabled_at = coalesce(disabled_at, $2),
    updated_at = CASE WHEN disabled_at IS NULL THEN $2 ELSE updated_at END
WHERE id = $1
RETURNING id, name, kind, redirect_uris, grant_types, scopes, first_party, created_at,
    new.updated_at, new.disabled_at, old.disabled_at IS NOT NULL AS was_disabled;

-- name: change_secret
-- Give a confidential client another secret; the one before opens nothing from now on.
-- $1 id, $2 SHA-256 of the secret, $3 now. Locks and returns the row; none if there is
-- no such confidential client.
UPDATE oauth_clients SET secret_hash = $2, updated_at = $3
WHERE id = $1 AND kind = 'confidential'
RETURNING id, name, kind, redirect_uris, grant_types, scopes, first_party, created_at,
    updated_at, disabled_at;

-- name: add_code
-- Store a code. $1 SHA-256 of it, $2 client, $3 account, $4 redirect URI, $5 PKCE
-- challenge, $6 scopes, $7 nonce or NULL, $8 how and $9 when the person proved who they
-- are, $10 the browser's session, $11 now, $12 when it expires.
INSERT INTO authorization_codes (code_hash, client_id, account_id, redirect_uri,
    code_challenge, scopes, nonce, methods, authenticated_at, browser_session_id,
    created_at, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12);

-- name: redeem_code
-- Take a code that may be used: once, in time, by its client, with its redirect URI and
-- challenge, while the browser that it was given in is still signed in. $1 SHA-256 of
-- it, $2 client, $3 redirect URI, $4 challenge of the verifier, $5 now. Locks the row:
-- of two at once one gets it and the other none. Locks the account before, then the
-- session: whoever is ending all sessions is waited for, or sees the one opened now.
WITH good AS (
    SELECT c.code_hash
    FROM authorization_codes c
    JOIN sessions s ON s.id = c.browser_session_id
    JOIN accounts a ON a.id = c.account_id
    WHERE c.code_hash = $1 AND c.client_id = $2 AND c.redirect_uri = $3
        AND c.code_challenge = $4 AND c.redeemed_at IS NULL AND c.expires_at > $5
        AND s.ended_at IS NULL AND s.expires_at > $5 AND a.status = 'active'
    FOR NO KEY UPDATE OF a FOR SHARE OF s
)
UPDATE authorization_codes c SET redeemed_at = $5
FROM good
WHERE c.code_hash = good.code_hash AND c.redeemed_at IS NULL
RETURNING c.client_id, c.account_id, c.redirect_uri, c.code_challenge, c.scopes,
    c.nonce, c.methods, c.authenticated_at, c.browser_session_id;

-- name: note_session_of_code
-- Write down what a code was redeemed for. $1 SHA-256 of the code, $2 session.
UPDATE authorization_codes SET session_id = $2 WHERE code_hash = $1;

-- name: session_of_used_code
-- What a code was redeemed for, if it was. $1 SHA-256 of it, $2 client. Returns one row
-- or none.
SELECT session_id, account_id FROM authorization_codes
WHERE code_hash = $1 AND client_id = $2 AND redeemed_at IS NOT NULL;

-- name: withdraw_codes
-- Forget codes that were not redeemed. $1 client, $2 only this account's (NULL: all).
DELETE FROM authorization_codes
WHERE client_id = $1 AND redeemed_at IS NULL AND ($2::uuid IS NULL OR account_id = $2);

-- name: forget_codes
-- Forget codes that nobody can send again with any effect. $1 those that expired
-- before, $2 how many at most. Skips rows that another is deleting. Returns one row for
-- each.
DELETE FROM authorization_codes
WHERE code_hash IN (
    SELECT code_hash FROM authorization_codes WHERE expires_at < $1 LIMIT $2
    FOR UPDATE SKIP LOCKED
)
RETURNING client_id;

-- name: add_refresh_token
-- Store a refresh token. $1 SHA-256 of it, $2 session, $3 now, $4 when it expires; its
-- session may end earlier.
INSERT INTO refresh_tokens (token_hash, session_id, created_at, expires_at)
SELECT $1, s.id, $3, least($4, s.expires_at) FROM sessions s WHERE s.id = $2;

-- name: add_refresh_token_of_sign_in
-- Store the refresh token of the session that the first part returns, if it returns one.
-- $1 SHA-256 of it, $2 now, $3 when it expires; its session may end earlier. Returns that
-- session's id and scopes, or no row.
WITH begun AS (
    /* first */ SELECT NULL::uuid AS id, NULL::text[] AS scopes,
        NULL::timestamptz AS expires_at WHERE false /* first */
), kept AS (
    INSERT INTO refresh_tokens (token_hash, session_id, created_at, expires_at)
    SELECT $1, b.id, $2, least($3, b.expires_at) FROM begun b
)
SELECT id, scopes FROM begun;

-- name: add_next_refresh_token
-- Store the refresh token that follows another, unless it is there: of several who ask
-- at once, each finds what the first one made. $1 SHA-256 of it, $2 session, $3 now, $4
-- when it expires; its session may end earlier. Locks the row. Returns whether it was
-- used already.
INSERT INTO refresh_tokens AS t (token_hash, session_id, created_at, expires_at)
SELECT $1, s.id, $3, least($4, s.expires_at) FROM sessions s WHERE s.id = $2
ON CONFLICT (token_hash) DO UPDATE SET token_hash = t.token_hash
RETURNING t.used_at IS NOT NULL AS used;

-- name: use_refresh_token
-- Use a refresh token of a session that goes on, by its client. $1 SHA-256 of it, $2
-- client, $3 now. Locks the row, so that of two at once one is the first. Returns the
-- session and when it was used before (NULL: never); none if it is not to be used.
UPDATE refresh_tokens t SET used_at = coalesce(t.used_at, $3)
FROM sessions s, accounts a
WHERE t.token_hash = $1 AND t.expires_at > $3
    AND s.id = t.session_id AND s.client_id = $2
    AND s.ended_at IS NULL AND s.expires_at > $3
    AND a.id = s.account_id AND a.status = 'active'
RETURNING t.session_id, old.used_at AS used_before;

-- name: session_of_refresh_token
-- The session of a refresh token, in whatever state. $1 SHA-256 of it, $2 client.
-- Returns one row or none.
SELECT s.id, s.account_id FROM refresh_tokens t JOIN sessions s ON s.id = t.session_id
WHERE t.token_hash = $1 AND s.client_id = $2;

-- name: find_refresh_token
-- A refresh token that could be used now. $1 SHA-256 of it, $2 now. Returns one row or
-- none.
SELECT t.session_id, s.client_id, s.account_id, s.scopes, t.created_at, t.expires_at
FROM refresh_tokens t
JOIN sessions s ON s.id = t.session_id
JOIN accounts a ON a.id = s.account_id
JOIN oauth_clients c ON c.id = s.client_id
WHERE t.token_hash = $1 AND t.used_at IS NULL AND t.expires_at > $2
    AND s.ended_at IS NULL AND s.expires_at > $2
    AND a.status = 'active' AND c.disabled_at IS NULL;

-- name: forget_refresh_tokens
-- Forget refresh tokens that nobody can send again with any effect. $1 those that
-- expired before, $2 how many at most. Skips rows that another is deleting. Returns one
-- row for each.
DELETE FROM refresh_tokens
WHERE token_hash IN (
    SELECT token_hash FROM refresh_tokens WHERE expires_at < $1 LIMIT $2
    FOR UPDATE SKIP LOCKED
)
RETURNING session_id;

-- name: consented_scopes
-- What somebody allowed a client. $1 account, $2 client. Returns one value or none.
SELECT scopes FROM oauth_consents WHERE account_id = $1 AND client_id = $2;

-- name: remember_consent
-- Add to what somebody allowed a client. $1 account, $2 client, $3 scopes, $4 now.
-- Returns a row if anything was added, else none.
INSERT INTO oauth_consents AS known (account_id, client_id, scopes, granted_at)
VALUES ($1, $2, $3, $4)
ON CONFLICT (account_id, client_id) DO UPDATE
SET scopes = ARRAY(SELECT unnest(known.scopes) UNION SELECT unnest(excluded.scopes)
                   ORDER BY 1),
    granted_at = excluded.granted_at
WHERE NOT known.scopes @> excluded.scopes
RETURNING true AS added;

-- name: consents_of
-- Every client that somebody allowed something, latest first. $1 account.
SELECT o.client_id, c.name AS client_name, o.scopes, o.granted_at
FROM oauth_consents o JOIN oauth_clients c ON c.id = o.client_id
WHERE o.account_id = $1
ORDER BY o.granted_at DESC, o.client_id;

-- name: withdraw_consent
-- Take back what was allowed to a client. $1 account, $2 client. Returns one row, or
-- none if there was nothing.
DELETE FROM oauth_consents WHERE account_id = $1 AND client_id = $2
RETURNING client_id;

-- name: forget_person
-- Forget what somebody allowed clients, and codes on their way to them. $1 account.
WITH codes AS (
    DELETE FROM authorization_codes WHERE account_id = $1
)
DELETE FROM oauth_consents WHERE account_id = $1;
