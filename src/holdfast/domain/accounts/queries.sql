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
-- The sealed hash of the password of account $1 and when it was chosen; NULL or no row
-- if there is none.
SELECT password, password_changed_at FROM accounts WHERE id = $1;

-- name: hold_account
-- Keep account $1 as it is until the transaction ends, if it is active and, unless $2,
-- its password is the one that was chosen at $3 (NULL: none) and its address is still
-- known to be its owner's. Locks the row: whoever is
-- changing the password or closing the account is waited for, and looked at again.
-- Returns its id, or no row.
SELECT id FROM accounts
WHERE id = $1 AND status = 'active'
    AND ($2::boolean OR email_verified_at IS NOT NULL
        AND password_changed_at IS NOT DISTINCT FROM $3::timestamptz)
FOR NO KEY UPDATE;

-- name: set_password
-- Give account $1 the sealed hash $2 as its password at $3, unless it was erased.
-- Locks the row; returns its id if it was changed.
UPDATE accounts SET password = $2, password_changed_at = $3, updated_at = $3
WHERE id = $1 AND status <> 'erased'
RETURNING id;

-- name: set_email
-- Give account $1 the sealed address $2 with the index $3 at $4, and if $5 as verified,
-- unless it was erased. Breaks accounts_email_unique if another has it. Locks the row;
-- returns the sealed address before, or no row.
UPDATE accounts
SET sealed = $2, email_index = $3,
    email_verified_at = CASE WHEN $5::boolean THEN $4::timestamptz END, updated_at = $4
WHERE id = $1 AND status <> 'erased'
RETURNING old.sealed AS sealed;

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

-- name: add_request
-- Note an e-mail that is to be written. $1 id, $2 purpose, $3 address sealed, $4 its
-- index, $5 account or NULL, $6 now, $7 when what is in it expires.
INSERT INTO account_requests
    (id, purpose, sealed, email_index, account_id, created_at, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7);

-- name: lock_requests_of
-- Keep other workers from the requests of an address until the transaction ends. $1 a
-- number made from its index.
SELECT pg_advisory_xact_lock($1);

-- name: find_request
-- Request $1. One row or none.
SELECT id, purpose, sealed, email_index, account_id, mailed_at, created_at, expires_at
FROM account_requests WHERE id = $1;

-- name: count_mailed
-- How many e-mails of purpose $1 were written to the address of index $2 after $3.
SELECT count(*) FROM account_requests
WHERE email_index = $2 AND mailed_at > $3 AND purpose = $1;

-- name: arm_request
-- The e-mail of request $1 is written at $2, with a token whose hash is $3 (NULL: with
-- none), for account $4 (NULL: as it was noted). Older tokens of the same purpose for
-- the same account end, or for the same address if there is no account yet: nobody ends
-- the links of another's account by asking for its new address. Locks those rows.
WITH armed AS (
    UPDATE account_requests
    SET mailed_at = $2, token_hash = $3, account_id = coalesce(account_id, $4)
    WHERE id = $1
    RETURNING id, purpose, email_index, account_id, token_hash
)
UPDATE account_requests r SET expires_at = $2
FROM armed a
WHERE r.purpose = a.purpose AND r.id <> a.id AND a.token_hash IS NOT NULL
    AND (r.account_id = a.account_id
        OR a.account_id IS NULL AND r.account_id IS NULL
        AND r.email_index = a.email_index)
    AND r.token_hash IS NOT NULL AND r.used_at IS NULL AND r.expires_at > $2;

-- name: request_of_token
-- The request whose token has the hash $1, if it is of purpose $2 and good at $3. One
-- row or none.
SELECT id, purpose, sealed, email_index, account_id, mailed_at, created_at, expires_at
FROM account_requests
WHERE token_hash = $1 AND purpose = $2 AND used_at IS NULL AND expires_at > $3;

-- name: use_request
-- Use up the token with the hash $1, if it is of purpose $2 and good at $3. Locks the
-- row: of two at once, one gets it. One row or none.
UPDATE account_requests SET used_at = $3
WHERE token_hash = $1 AND purpose = $2 AND used_at IS NULL AND expires_at > $3
RETURNING id, purpose, sealed, email_index, account_id, mailed_at, created_at,
    expires_at;

-- name: void_requests
-- End every token of purpose $2 for account $1, at $3.
UPDATE account_requests SET expires_at = $3
WHERE account_id = $1 AND purpose = $2 AND used_at IS NULL AND expires_at > $3;

-- name: forget_requests
-- Delete up to $2 requests that expired before $1; a concurrent run skips the same
-- rows. Returns one row for each.
DELETE FROM account_requests
WHERE id IN (
    SELECT id FROM account_requests WHERE expires_at < $1
    ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED
)
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
-- Delete sessions that expired before $1 and that no code or token refers to any more,
-- up to $2. Skips rows that others hold. Returns the ids.
DELETE FROM sessions s
USING (
    SELECT id FROM sessions o
    WHERE expires_at < $1
        AND NOT EXISTS (SELECT FROM refresh_tokens r WHERE r.session_id = o.id)
        AND NOT EXISTS (SELECT FROM authorization_codes c WHERE c.session_id = o.id)
        AND NOT EXISTS (
            SELECT FROM authorization_codes c WHERE c.browser_session_id = o.id
        )
    ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED
) old
WHERE s.id = old.id
RETURNING s.id;

-- name: claim_attempt
-- Count an attempt under each of its subjects, or under none if one of them waits; and
-- say how the owner of an address signs in. $1 index of the address (NULL: of nobody's),
-- $2 hash of the place that was shown (NULL: none), $3 keyed hash of where the request
-- comes from. One entry a subject: $4 when it counts ('always', or by how familiar the
-- place is: 'known_place', 'other_place', 'stranger'), $5 kinds, $6 keyed hashes, $7 free
-- failures, $8 first waits, $9 longest waits, $10 after how long failures are forgotten,
-- $11 whether that is from the first of them; $12 now. Locks the rows in the order of
-- kind and subject, one pass, so that two attempts cannot deadlock; the wait is looked up
-- again on the locked row. Returns a row for each subject that was counted, with the wait
-- that begins now (NULL: none); and if any waits already, the one that waits longest; one
-- without a kind if there is neither. Each has the account as well (NULL: nobody's).
WITH known AS (
    SELECT a.id, a.password, a.password_changed_at,
        a.status = 'active' AND a.email_verified_at IS NOT NULL AS usable,
        EXISTS (
            SELECT FROM second_factors f
            WHERE f.account_id = a.id AND f.confirmed_at IS NOT NULL
        ) AS second_factor,
        EXISTS (
            SELECT FROM familiar_places p WHERE p.account_id = a.id AND p.place = $2
        ) AS familiar_place,
        EXISTS (
            SELECT FROM familiar_places p WHERE p.account_id = a.id AND p.place = $3
        ) AS familiar_address
    FROM accounts a
    WHERE a.email_index = $1
), wanted AS (
    SELECT w.kind, w.subject, w.free, w.first_wait, w.longest_wait, w.forgotten_after,
        w.fixed
    FROM unnest($4::text[], $5::text[], $6::bytea[], $7::integer[], $8::interval[],
        $9::interval[], $10::interval[], $11::boolean[])
        AS w (counts, kind, subject, free, first_wait, longest_wait, forgotten_after,
            fixed)
    LEFT JOIN known k ON true
    WHERE CASE w.counts
        WHEN 'known_place' THEN coalesce(k.familiar_place, false)
        WHEN 'other_place' THEN NOT coalesce(k.familiar_place, false)
        WHEN 'stranger' THEN NOT coalesce(k.familiar_place OR k.familiar_address, false)
        ELSE true END
), waiting AS (
    SELECT f.kind, f.blocked_until
    FROM sign_in_failures f JOIN wanted USING (kind, subject)
    WHERE f.blocked_until > $12
    ORDER BY f.blocked_until DESC
    LIMIT 1
), counted AS (
    INSERT INTO sign_in_failures AS f (kind, subject, failures, first_at, last_at)
    SELECT kind, subject, 1, $12, $12 FROM wanted
    WHERE NOT EXISTS (SELECT FROM waiting)
    ORDER BY kind, subject
    ON CONFLICT (kind, subject) DO UPDATE
    SET (failures, first_at, last_at, blocked_until) = (
        SELECT n.failures,
            CASE WHEN n.failures = 1 THEN $12 ELSE f.first_at END,
            $12,
            CASE WHEN n.failures >= w.free
                THEN $12 + least(w.longest_wait,
                    w.first_wait * power(2, least(n.failures - w.free, 20))) END
        FROM wanted w CROSS JOIN LATERAL (
            SELECT CASE WHEN $12 >= w.forgotten_after
                + CASE WHEN w.fixed THEN f.first_at ELSE f.last_at END
                THEN 1 ELSE f.failures + 1 END AS failures
        ) n
        WHERE w.kind = f.kind AND w.subject = f.subject
    )
    WHERE f.blocked_until IS NULL OR f.blocked_until <= $12
    RETURNING f.kind, f.blocked_until
), claimed AS (
    SELECT kind, blocked_until, true AS counted FROM counted
    UNION ALL
    SELECT kind, blocked_until, false FROM waiting
)
SELECT c.kind, c.blocked_until, c.counted, k.id, k.password, k.password_changed_at,
    k.usable, k.second_factor, k.familiar_place, k.familiar_address
FROM (VALUES (1)) AS one (row)
LEFT JOIN claimed c ON true
LEFT JOIN known k ON true;

-- name: give_back_attempt
-- Take an attempt back. One entry a subject: $1 kinds, $2 keyed hashes, $3 free
-- failures; $4 kinds of which all failures are forgotten. A wait that only this attempt
-- brought about ends. Locks the rows in the order of kind and subject.
WITH locked AS (
    SELECT f.kind, f.subject, w.free
    FROM sign_in_failures f
    JOIN unnest($1::text[], $2::bytea[], $3::integer[]) AS w (kind, subject, free)
        USING (kind, subject)
    ORDER BY f.kind, f.subject FOR UPDATE OF f
), forgotten AS (
    DELETE FROM sign_in_failures f USING locked l
    WHERE f.kind = l.kind AND f.subject = l.subject AND f.kind = ANY ($4::text[])
)
UPDATE sign_in_failures f
SET failures = greatest(f.failures - 1, 0),
    blocked_until = CASE WHEN f.failures > l.free THEN f.blocked_until END
FROM locked l
WHERE f.kind = l.kind AND f.subject = l.subject AND f.kind <> ALL ($4::text[]);

-- name: enter
-- What follows a right password, all of it or nothing: take the attempt back, note the
-- places, store a session. $1 account, $2 when its password was chosen: nothing happens
-- if that is another by now, or the account not active, or its address no longer known to
-- be its owner's. One entry a subject of the
-- attempt: $3 kinds, $4 keyed hashes, $5 free failures; $6 kinds of which all failures are
-- forgotten. $7 keyed hashes of the places, $8 how many to keep besides. The session: $9
-- id, $10 kind, $11 client, $12 scopes, $13 those of them that need no role, $14 methods,
-- $15 sealed device, $16 now, $17 when it expires. Locks the account, then the failures in
-- the order of kind and subject, then the places. Returns the session's id, its end and
-- the scopes that it got, which are those that a role of the account allows; or no row.
WITH held AS (
    SELECT id FROM accounts
    WHERE id = $1 AND status = 'active' AND email_verified_at IS NOT NULL
        AND password_changed_at IS NOT DISTINCT FROM $2::timestamptz
    FOR NO KEY UPDATE
), locked AS (
    SELECT f.kind, f.subject, w.free
    FROM sign_in_failures f
    JOIN unnest($3::text[], $4::bytea[], $5::integer[]) AS w (kind, subject, free)
        USING (kind, subject)
    WHERE EXISTS (SELECT FROM held)
    ORDER BY f.kind, f.subject FOR UPDATE OF f
), forgotten AS (
    DELETE FROM sign_in_failures f USING locked l
    WHERE f.kind = l.kind AND f.subject = l.subject AND f.kind = ANY ($6::text[])
), given_back AS (
    UPDATE sign_in_failures f
    SET failures = greatest(f.failures - 1, 0),
        blocked_until = CASE WHEN f.failures > l.free THEN f.blocked_until END
    FROM locked l
    WHERE f.kind = l.kind AND f.subject = l.subject AND f.kind <> ALL ($6::text[])
), left_behind AS (
    DELETE FROM familiar_places
    WHERE account_id = (SELECT id FROM held) AND (place, seen_at) IN (
        SELECT place, seen_at FROM familiar_places
        WHERE account_id = $1 AND place <> ALL ($7::bytea[])
        ORDER BY seen_at DESC, place OFFSET $8
    )
), seen AS (
    INSERT INTO familiar_places (account_id, place, seen_at)
    SELECT held.id, p.place, $16 FROM held, unnest($7::bytea[]) AS p (place)
    ORDER BY p.place
    ON CONFLICT (account_id, place) DO UPDATE SET seen_at = $16
), opened AS (
    INSERT INTO sessions (
        id, account_id, kind, client_id, scopes, methods, authenticated_at, sealed,
        created_at, seen_at, expires_at
    )
    SELECT $9, held.id, $10, $11, ARRAY(
            SELECT w.scope FROM unnest($12::text[]) WITH ORDINALITY AS w (scope, place)
            WHERE w.scope = ANY ($13::text[]) OR EXISTS (
                SELECT FROM account_roles g JOIN roles r ON r.id = g.role_id
                WHERE g.account_id = $1 AND w.scope = ANY (r.scopes)
            )
            ORDER BY w.place
        ), $14, $16, $15, $16, $16, $17
    FROM held
    RETURNING id, scopes, expires_at
)
SELECT id, scopes, expires_at FROM opened;

-- name: forget_failures
-- Forget failures of long ago that make nobody wait. $1 those before, $2 now, $3 how
-- many at the most. Skips rows that others hold. Returns their kinds.
DELETE FROM sign_in_failures f
USING (
    SELECT kind, subject FROM sign_in_failures
    WHERE last_at < $1 AND (blocked_until IS NULL OR blocked_until <= $2)
    ORDER BY last_at LIMIT $3 FOR UPDATE SKIP LOCKED
) old
WHERE f.kind = old.kind AND f.subject = old.subject
RETURNING f.kind;

-- name: remember_places
-- Note where the owner of an account is. $1 account, $2 keyed hashes of the places,
-- $3 now, $4 how many to keep besides; the ones seen longest ago are forgotten. Locks
-- the rows of these places.
WITH old AS (
    DELETE FROM familiar_places
    WHERE account_id = $1 AND place IN (
        SELECT place FROM familiar_places
        WHERE account_id = $1 AND place <> ALL ($2::bytea[])
        ORDER BY seen_at DESC, place OFFSET $4
    )
)
INSERT INTO familiar_places (account_id, place, seen_at)
SELECT $1, place, $3 FROM unnest($2::bytea[]) AS p (place) ORDER BY place
ON CONFLICT (account_id, place) DO UPDATE SET seen_at = $3;

-- name: forget_places
-- Forget places that were not used for long. $1 since when, $2 how many at the most.
-- Skips rows that others hold. Returns whose they were.
DELETE FROM familiar_places p
USING (
    SELECT account_id, place FROM familiar_places
    WHERE seen_at < $1 LIMIT $2 FOR UPDATE SKIP LOCKED
) old
WHERE p.account_id = old.account_id AND p.place = old.place
RETURNING p.account_id;

-- name: link_identity
-- Let an identity elsewhere open an account. $1 issuer, $2 keyed hash of its subject,
-- $3 account, $4 now. Of two at once the first has it. Returns the account that it
-- opens now: another one, if it was linked before.
INSERT INTO linked_identities AS l (issuer, subject_index, account_id, linked_at)
VALUES ($1, $2, $3, $4)
ON CONFLICT (issuer, subject_index) DO UPDATE SET linked_at = l.linked_at
RETURNING account_id, linked_at = $4 AS is_new;

-- name: account_of_identity
-- The account that an identity elsewhere opens. $1 issuer, $2 keyed hash of its
-- subject. Returns one row or none.
SELECT account_id FROM linked_identities WHERE issuer = $1 AND subject_index = $2;

-- name: linked_identities_of
-- What opens account $1 from elsewhere, first linked first.
SELECT issuer, linked_at FROM linked_identities WHERE account_id = $1
ORDER BY linked_at, issuer;

-- name: unlink_identity
-- Let identities at issuer $2 open account $1 no longer. Returns the issuer of each
-- that did.
DELETE FROM linked_identities WHERE account_id = $1 AND issuer = $2
RETURNING issuer;

-- name: find_accounts
-- Several accounts. $1 their ids. Returns those there are, in any order.
SELECT id, status, sealed, email_verified_at, password IS NOT NULL AS has_password,
    EXISTS (
        SELECT FROM second_factors f
        WHERE f.account_id = a.id AND f.confirmed_at IS NOT NULL
    ) AS second_factor,
    created_at, updated_at
FROM accounts a WHERE id = ANY($1::uuid[]);

-- name: replace_hash
-- Keep a password by another hash, unless it was changed meanwhile. $1 account, $2 the
-- sealed hash as it was read, $3 the new one. Locks the row.
UPDATE accounts SET password = $3 WHERE id = $1 AND password = $2;

-- name: begin_second_factor
-- Keep a secret until its first code comes. $1 account, $2 sealed secret, $3 now. One
-- that was only begun is replaced. Returns the account, or no row if one is in use.
INSERT INTO second_factors AS f (account_id, sealed, created_at) VALUES ($1, $2, $3)
ON CONFLICT (account_id) DO UPDATE
SET sealed = EXCLUDED.sealed, created_at = EXCLUDED.created_at, last_step = 0
WHERE f.confirmed_at IS NULL
RETURNING f.account_id;

-- name: second_factor
-- The second factor of account $1, in use or only begun. One row or none.
SELECT f.sealed, f.confirmed_at, a.password_changed_at,
    a.status = 'active' AND a.email_verified_at IS NOT NULL AS usable,
    (
        SELECT count(*) FROM recovery_codes c
        WHERE c.account_id = f.account_id AND c.used_at IS NULL
    ) AS codes_left
FROM second_factors f JOIN accounts a ON a.id = f.account_id
WHERE f.account_id = $1;

-- name: confirm_second_factor
-- Use a second factor from now on, and take its first code. $1 account, $2 the sealed
-- secret that the code was checked with, $3 the code's time step, $4 now, $5 since when
-- it must have been begun. Locks the row. Returns the account, or no row if the secret
-- is another by now, or in use.
UPDATE second_factors SET confirmed_at = $4, last_step = $3
WHERE account_id = $1 AND sealed = $2 AND confirmed_at IS NULL AND created_at >= $5
RETURNING account_id;

-- name: take_step
-- Take the code of a time step once. $1 account, $2 time step. Locks the row. Returns
-- the account, or no row if that step or a later one was taken before.
UPDATE second_factors SET last_step = $2
WHERE account_id = $1 AND last_step < $2 AND confirmed_at IS NOT NULL
RETURNING account_id;

-- name: remove_second_factor
-- Forget the second factor of account $1 with its recovery codes. Returns the account,
-- or no row if it had none in use.
WITH codes AS (
    DELETE FROM recovery_codes WHERE account_id = $1
)
DELETE FROM second_factors WHERE account_id = $1 AND confirmed_at IS NOT NULL
RETURNING account_id;

-- name: replace_recovery_codes
-- Take other recovery codes from now on. $1 account, $2 keyed hashes.
WITH forgotten AS (
    DELETE FROM recovery_codes WHERE account_id = $1 AND code_hash <> ALL ($2::bytea[])
)
INSERT INTO recovery_codes (account_id, code_hash)
SELECT $1, hash FROM unnest($2::bytea[]) AS h (hash);

-- name: take_recovery_code
-- Use up a recovery code. $1 account, $2 keyed hash, $3 now. Locks the row. Returns the
-- account, or no row if there is no such code or it was used.
UPDATE recovery_codes SET used_at = $3
WHERE account_id = $1 AND code_hash = $2 AND used_at IS NULL
RETURNING account_id;

-- name: every_session_of
-- All sessions of an account, ended ones too, newest first. $1 account.
SELECT id, kind, client_id, methods, authenticated_at, sealed, created_at, seen_at,
    expires_at, ended_at, end_reason
FROM sessions WHERE account_id = $1 ORDER BY id DESC;

-- name: held_otherwise
-- What else is held of account $1. Returns one row, or none if there is none such:
-- when its second factor was set up, how many recovery codes are left, where from it is
-- familiar, and what was asked for by e-mail (with the index $2 of its address).
SELECT (SELECT f.created_at FROM second_factors f WHERE f.account_id = a.id)
           AS second_factor_at,
    (SELECT count(*) FROM recovery_codes r
     WHERE r.account_id = a.id AND r.used_at IS NULL) AS recovery_codes_left,
    ARRAY(SELECT p.seen_at FROM familiar_places p WHERE p.account_id = a.id
          ORDER BY p.seen_at) AS familiar_places_seen_at,
    ARRAY(SELECT r.purpose || ' ' || to_char(r.created_at AT TIME ZONE 'UTC',
                                             'YYYY-MM-DD"T"HH24:MI:SS"Z"')
          FROM account_requests r
          WHERE r.account_id = a.id OR r.email_index = $2
          ORDER BY r.created_at) AS requests,
    a.password_changed_at
FROM accounts a WHERE a.id = $1;

-- name: accounts_to_reseal
-- Accounts not yet sealed under the newest key, in order of their keys; rows that
-- somebody else holds are passed over. $1 its prefix, $2 after this key (NULL for the
-- start), $3 how many. Locks them.
SELECT id::text AS key, sealed
FROM accounts
WHERE ($2::text IS NULL OR id > $2::text::uuid) AND substring(sealed FOR 5) <> $1
ORDER BY accounts.id LIMIT $3
FOR UPDATE SKIP LOCKED;

-- name: reseal_accounts
-- Write them sealed anew. $1 keys, $2 sealed. The rows are locked by the caller.
UPDATE accounts SET sealed = fresh.sealed
FROM unnest($1::text[], $2::bytea[]) AS fresh (key, sealed)
WHERE accounts.id = fresh.key::uuid;

-- name: passwords_to_reseal
-- Hashes of passwords not yet sealed under the newest key, in order of their keys; rows that
-- somebody else holds are passed over. $1 its prefix, $2 after this key (NULL for the
-- start), $3 how many. Locks them.
SELECT id::text AS key, password AS sealed
FROM accounts
WHERE ($2::text IS NULL OR id > $2::text::uuid) AND substring(password FOR 5) <> $1
ORDER BY accounts.id LIMIT $3
FOR UPDATE SKIP LOCKED;

-- name: reseal_passwords
-- Write them sealed anew. $1 keys, $2 sealed. The rows are locked by the caller.
UPDATE accounts SET password = fresh.sealed
FROM unnest($1::text[], $2::bytea[]) AS fresh (key, sealed)
WHERE accounts.id = fresh.key::uuid;

-- name: account_requests_to_reseal
-- Requests not yet sealed under the newest key, in order of their keys; rows that
-- somebody else holds are passed over. $1 its prefix, $2 after this key (NULL for the
-- start), $3 how many. Locks them.
SELECT id::text AS key, sealed
FROM account_requests
WHERE ($2::text IS NULL OR id > $2::text::uuid) AND substring(sealed FOR 5) <> $1
ORDER BY account_requests.id LIMIT $3
FOR UPDATE SKIP LOCKED;

-- name: reseal_account_requests
-- Write them sealed anew. $1 keys, $2 sealed. The rows are locked by the caller.
UPDATE account_requests SET sealed = fresh.sealed
FROM unnest($1::text[], $2::bytea[]) AS fresh (key, sealed)
WHERE account_requests.id = fresh.key::uuid;

-- name: sessions_to_reseal
-- Sessions not yet sealed under the newest key, in order of their keys; rows that
-- somebody else holds are passed over. $1 its prefix, $2 after this key (NULL for the
-- start), $3 how many. Locks them.
SELECT id::text AS key, sealed
FROM sessions
WHERE ($2::text IS NULL OR id > $2::text::uuid) AND substring(sealed FOR 5) <> $1
ORDER BY sessions.id LIMIT $3
FOR UPDATE SKIP LOCKED;

-- name: reseal_sessions
-- Write them sealed anew. $1 keys, $2 sealed. The rows are locked by the caller.
UPDATE sessions SET sealed = fresh.sealed
FROM unnest($1::text[], $2::bytea[]) AS fresh (key, sealed)
WHERE sessions.id = fresh.key::uuid;

-- name: second_factors_to_reseal
-- Secrets of second factors not yet sealed under the newest key, in order of their keys; rows that
-- somebody else holds are passed over. $1 its prefix, $2 after this key (NULL for the
-- start), $3 how many. Locks them.
SELECT account_id::text AS key, sealed
FROM second_factors
WHERE ($2::text IS NULL OR account_id > $2::text::uuid) AND substring(sealed FOR 5) <> $1
ORDER BY second_factors.account_id LIMIT $3
FOR UPDATE SKIP LOCKED;

-- name: reseal_second_factors
-- Write them sealed anew. $1 keys, $2 sealed. The rows are locked by the caller.
UPDATE second_factors SET sealed = fresh.sealed
FROM unnest($1::text[], $2::bytea[]) AS fresh (key, sealed)
WHERE second_factors.account_id = fresh.key::uuid;

-- name: erased_since
-- Accounts that were erased after $1. Returns their ids.
SELECT id FROM accounts WHERE status = 'erased' AND updated_at > $1 ORDER BY updated_at;
