-- name: add_key
-- Store a new API key. $1 id, $2 name, $3 SHA-256 of the key, $4 its first
-- characters, $5 scopes, $6 now.
INSERT INTO api_keys (id, name, key_hash, prefix, scopes, created_at)
VALUES ($1, $2, $3, $4, $5, $6);

-- name: find_by_hash
-- Whose key this is, or was. $1 SHA-256 of the key. Returns one row, or none if there is
-- no such key.
SELECT id, name, scopes, revoked_at IS NOT NULL AS revoked
FROM api_keys WHERE key_hash = $1;

-- name: find_key
-- One API key, also if it was revoked. $1 id. Returns one row, or none if there is no
-- such key.
SELECT id, name, prefix, scopes, created_at, revoked_at, last_used_at
FROM api_keys
WHERE id = $1;

-- name: list_keys
-- A page of API keys, newest first. $1 only keys older than this id (NULL: from the
-- newest), $2 how many.
SELECT id, name, prefix, scopes, created_at, revoked_at, last_used_at
FROM api_keys
WHERE $1::uuid IS NULL OR id < $1
ORDER BY id DESC
LIMIT $2;

-- name: revoke_key
-- Revoke a key; one that is revoked already keeps its time. $1 id, $2 now. Locks
-- the row. Returns it and whether it was revoked now, or none if there is no such key.
UPDATE api_keys SET revoked_at = coalesce(revoked_at, $2)
WHERE id = $1
RETURNING id, name, prefix, scopes, created_at, revoked_at, last_used_at,
    old.revoked_at IS NULL AS revoked_now;

-- name: note_key_use
-- A key was used. $1 id, $2 when. Locks the row: until the commit, uses of this key
-- are noted by nobody else. Returns its id, or none if there is no such key.
UPDATE api_keys SET last_used_at = greatest(last_used_at, $2)
WHERE id = $1
RETURNING id;

-- name: key_use_recorded
-- Whether a use of a key was recorded lately. $1 the actor, $2 a keyed hash of the
-- address, $3 since when.
SELECT EXISTS (
    SELECT FROM security_events
    WHERE actor = $1 AND kind = 'api_key.used' AND detail ->> 'place' = $2
      AND happened_at > $3
);

-- name: list_roles
-- A page of roles, by name. $1 only those after this name (NULL: from the first), $2
-- how many.
SELECT id, name, title, description, scopes, built_in, created_at, updated_at
FROM roles
WHERE $1::text IS NULL OR name > $1
ORDER BY name
LIMIT $2;

-- name: find_role
-- A role. $1 name. Returns one row or none.
SELECT id, name, title, description, scopes, built_in, created_at, updated_at
FROM roles
WHERE name = $1;

-- name: lock_role
-- A role, locked so that nobody changes it, deletes it or gives it to an account. $1
-- name. Returns one row or none.
SELECT id, name, title, description, scopes, built_in, created_at, updated_at
FROM roles
WHERE name = $1
FOR UPDATE;

-- name: add_role
-- Add a role of the shop's own. $1 id, $2 name, $3 title, $4 description, $5 scopes, $6
-- now.
INSERT INTO roles (id, name, title, description, scopes, created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $6);

-- name: change_role
-- Change a role of the shop's own. $1 name, $2 title, $3 description, $4 scopes, $5
-- now. Locks the row. Returns it, or none if there is no such role.
UPDATE roles SET title = $2, description = $3, scopes = $4, updated_at = $5
WHERE name = $1 AND NOT built_in
RETURNING id, name, title, description, scopes, built_in, created_at, updated_at;

-- name: remove_role
-- Delete a role of the shop's own that no account has. $1 name.
DELETE FROM roles WHERE name = $1 AND NOT built_in;

-- name: count_holders
-- How many accounts have a role. $1 its name.
SELECT count(*)
FROM account_roles held
JOIN roles ON roles.id = held.role_id
WHERE roles.name = $1;

-- name: roles_of
-- The roles of an account, by name. $1 account.
SELECT roles.id, roles.name, roles.title, roles.description, roles.scopes,
    roles.built_in, roles.created_at, roles.updated_at
FROM account_roles held
JOIN roles ON roles.id = held.role_id
WHERE held.account_id = $1
ORDER BY roles.name;

-- name: scopes_of_account
-- Everything that the roles of an account allow. $1 account. Returns one array.
SELECT coalesce(array_agg(DISTINCT scope), '{}')
FROM account_roles held
JOIN roles ON roles.id = held.role_id
CROSS JOIN unnest(roles.scopes) AS scope
WHERE held.account_id = $1;

-- name: grant_role
-- Give an account a role. $1 account, $2 the role's name, $3 by whom, $4 now. Locks the
-- role against deletion. Returns whether the account did not have it, or no row if
-- there is no such role.
WITH role AS (
    SELECT id FROM roles WHERE name = $2
), given AS (
    INSERT INTO account_roles (account_id, role_id, granted_by, granted_at)
    SELECT $1, role.id, $3, $4 FROM role
    ON CONFLICT (account_id, role_id) DO NOTHING
    RETURNING role_id
)
SELECT EXISTS (SELECT FROM given) AS given FROM role;

-- name: revoke_role
-- Take a role from an account. $1 account, $2 role. Returns the role's id, or none if
-- the account does not have it.
DELETE FROM account_roles WHERE account_id = $1 AND role_id = $2 RETURNING role_id;

-- name: revoke_all_roles
-- Take every role from an account. $1 account. Returns their names.
DELETE FROM account_roles held
USING roles
WHERE held.account_id = $1 AND roles.id = held.role_id
RETURNING roles.name;

-- name: leaves_no_admin
-- Whether an account has a role that nobody else has who can sign in: whose account is
-- active and who followed a link to its address. $1 account, $2 the role's name.
SELECT EXISTS (
    SELECT FROM account_roles held
    JOIN roles ON roles.id = held.role_id
    WHERE held.account_id = $1 AND roles.name = $2
      AND NOT EXISTS (
        SELECT FROM account_roles other
        JOIN accounts ON accounts.id = other.account_id
        WHERE other.role_id = held.role_id
          AND other.account_id <> $1
          AND accounts.status = 'active'
          AND accounts.email_verified_at IS NOT NULL
      )
);

-- name: add_event
-- Write a security event. $1 id, $2 kind, $3 actor, $4 account, $5 client, $6 session,
-- $7 request, $8 detail, $9 sealed address and user agent, $10 when.
INSERT INTO security_events (
    id, kind, actor, account_id, client_id, session_id, request_id, detail, sealed,
    happened_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10);

-- name: add_event_of_sign_in
-- Write a security event if the first part, a sign-in, returns a row. $1 id, $2 kind, $3
-- actor, $4 account, $5 client, $6 session, $7 request, $8 detail, $9 sealed address and
-- user agent, $10 when. Returns the scopes of that row, or no row.
WITH entered AS (
    /* first */ SELECT NULL::text[] AS scopes WHERE false /* first */
), noted AS (
    INSERT INTO security_events (
        id, kind, actor, account_id, client_id, session_id, request_id, detail, sealed,
        happened_at)
    SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10 FROM entered
)
SELECT scopes FROM entered;

-- name: latest_events
-- Security events, newest first. $1 only those before this id (NULL: from the newest),
-- $2 how many.
SELECT id, kind, actor, account_id, client_id, session_id, request_id, detail, sealed,
    happened_at
FROM security_events
WHERE $1::uuid IS NULL OR id < $1
ORDER BY id DESC
LIMIT $2;

-- name: events_by_account
-- Security events about an account, newest first. $1 only those before this id (NULL:
-- from the newest), $2 how many, $3 account, $4 only of this actor, $5 only of this
-- kind (NULL: of any).
SELECT id, kind, actor, account_id, client_id, session_id, request_id, detail, sealed,
    happened_at
FROM security_events
WHERE account_id = $3
  AND ($1::uuid IS NULL OR id < $1)
  AND ($4::text IS NULL OR actor = $4)
  AND ($5::text IS NULL OR kind = $5)
ORDER BY id DESC
LIMIT $2;

-- name: events_by_actor
-- Security events of an actor, newest first. $1 only those before this id (NULL: from
-- the newest), $2 how many, $3 actor, $4 only of this kind (NULL: of any).
SELECT id, kind, actor, account_id, client_id, session_id, request_id, detail, sealed,
    happened_at
FROM security_events
WHERE actor = $3
  AND ($1::uuid IS NULL OR id < $1)
  AND ($4::text IS NULL OR kind = $4)
ORDER BY id DESC
LIMIT $2;

-- name: events_by_kind
-- Security events of a kind, newest first. $1 only those before this id (NULL: from the
-- newest), $2 how many, $3 kind.
SELECT id, kind, actor, account_id, client_id, session_id, request_id, detail, sealed,
    happened_at
FROM security_events
WHERE kind = $3 AND ($1::uuid IS NULL OR id < $1)
ORDER BY id DESC
LIMIT $2;

-- name: forget_events
-- Drop security events that are old enough. $1 those before this time, $2 how many at
-- the most. Looks at the oldest only, by their ids. Returns how many went.
WITH oldest AS (
    SELECT id, happened_at FROM security_events ORDER BY id LIMIT $2
), gone AS (
    DELETE FROM security_events
    USING oldest
    WHERE security_events.id = oldest.id AND oldest.happened_at < $1
    RETURNING security_events.id
)
SELECT count(*) FROM gone;

-- name: forget_origins
-- Drop addresses and user agents of what a person did. $1 account. Returns of how many
-- events.
WITH forgotten AS (
    UPDATE security_events SET sealed = NULL
    WHERE sealed IS NOT NULL
      AND id IN (
        SELECT id FROM security_events WHERE actor = 'account:' || $1::uuid
        UNION ALL
        SELECT id FROM security_events WHERE account_id = $1 AND actor = 'anonymous'
      )
    RETURNING id
)
SELECT count(*) FROM forgotten;

-- name: security_events_to_reseal
-- Security events not yet sealed under the newest key, in order of their keys; rows that
-- somebody else holds are passed over. $1 its prefix, $2 after this key (NULL for the
-- start), $3 how many. Locks them.
SELECT id::text AS key, sealed
FROM security_events
WHERE ($2::text IS NULL OR id > $2::text::uuid) AND substring(sealed FOR 5) <> $1
ORDER BY security_events.id LIMIT $3
FOR UPDATE SKIP LOCKED;

-- name: reseal_security_events
-- Write them sealed anew. $1 keys, $2 sealed. The rows are locked by the caller.
UPDATE security_events SET sealed = fresh.sealed
FROM unnest($1::text[], $2::bytea[]) AS fresh (key, sealed)
WHERE security_events.id = fresh.key::uuid;
