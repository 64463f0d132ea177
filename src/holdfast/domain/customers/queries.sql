-- name: add
-- Keep the profile of a new account. $1 account, $2 sealed names, $3 now. Returns one
-- row, or none if it has one.
INSERT INTO customers (account_id, sealed, created_at, updated_at)
VALUES ($1, $2, $3, $3)
ON CONFLICT (account_id) DO NOTHING
RETURNING account_id, sealed, locale, currency, time_zone, created_at, updated_at;

-- name: find
-- The profiles of accounts; one that says nothing yet is empty. $1 accounts. Returns
-- those there are and that are not erased, in any order.
SELECT a.id AS account_id, c.sealed, c.locale, c.currency, c.time_zone,
       coalesce(c.created_at, a.created_at) AS created_at,
       coalesce(c.updated_at, a.updated_at) AS updated_at
FROM accounts a LEFT JOIN customers c ON c.account_id = a.id
WHERE a.id = ANY($1::uuid[]) AND a.status <> 'erased';

-- name: lock
-- Take a customer for a change, one changer at a time; an account without a profile
-- gets an empty one. $1 account, $2 now. Locks the profile, and shares a lock of the
-- account with others, so that nobody is erased meanwhile. Returns the profile, or
-- none if there is no such account or it is erased.
INSERT INTO customers AS kept (account_id, created_at, updated_at)
SELECT id, $2, $2 FROM accounts WHERE id = $1 AND status <> 'erased' FOR SHARE
ON CONFLICT (account_id) DO UPDATE SET updated_at = kept.updated_at
RETURNING account_id, sealed, locale, currency, time_zone, created_at, updated_at;

-- name: change
-- Write a profile; the caller has locked it. $1 account, $2 sealed names and phone,
-- $3 locale, $4 currency, $5 time zone, $6 now.
UPDATE customers
SET sealed = $2, locale = $3, currency = $4, time_zone = $5, updated_at = $6
WHERE account_id = $1;

-- name: browse
-- A page of customers, newest first: all accounts but those erased. $1 before this
-- account (NULL for the start), $2 how many.
SELECT a.id AS account_id, c.sealed, c.locale, c.currency, c.time_zone,
       coalesce(c.created_at, a.created_at) AS created_at,
       coalesce(c.updated_at, a.updated_at) AS updated_at
FROM accounts a LEFT JOIN customers c ON c.account_id = a.id
WHERE ($1::uuid IS NULL OR a.id < $1) AND a.status <> 'erased'
ORDER BY a.id DESC
LIMIT $2;

-- name: erase
-- Forget a customer: profile, addresses and consents. $1 account.
WITH addresses AS (
    DELETE FROM customer_addresses WHERE account_id = $1
), consents AS (
    DELETE FROM marketing_consents WHERE account_id = $1
)
DELETE FROM customers WHERE account_id = $1;

-- name: add_address
-- Keep an address, unless there are as many as there may be; the caller has locked
-- the customer. $1 id, $2 account, $3 sealed, $4 default for shipping, $5 default for
-- billing, $6 now, $7 how many there may be. A new default takes the place of the one
-- before. Returns one row if it was kept.
WITH room AS (
    SELECT count(*) < $7 AS there_is FROM customer_addresses WHERE account_id = $2
), cleared AS (
    UPDATE customer_addresses
    SET default_shipping = default_shipping AND NOT $4,
        default_billing = default_billing AND NOT $5, updated_at = $6
    WHERE account_id = $2 AND (default_shipping AND $4 OR default_billing AND $5)
      AND (SELECT there_is FROM room)
    RETURNING id
)
INSERT INTO customer_addresses (id, account_id, sealed, default_shipping,
                                default_billing, created_at, updated_at)
SELECT $1, $2, $3, $4, $5, $6, $6
-- Counting those cleared makes them be cleared first: a default is unique.
WHERE (SELECT there_is FROM room) AND (SELECT count(*) FROM cleared) >= 0
RETURNING id, account_id, sealed, default_shipping, default_billing, created_at,
          updated_at;

-- name: change_address
-- Write an address of a customer; the caller has locked the customer. $1 id,
-- $2 account, $3 sealed, $4 default for shipping, $5 default for billing, $6 now.
-- A new default takes the place of the one before. Returns one row, or none if the
-- customer has no such address.
WITH cleared AS (
    UPDATE customer_addresses
    SET default_shipping = default_shipping AND NOT $4,
        default_billing = default_billing AND NOT $5, updated_at = $6
    WHERE account_id = $2 AND id <> $1
      AND (default_shipping AND $4 OR default_billing AND $5)
    RETURNING id
)
UPDATE customer_addresses
SET sealed = $3, default_shipping = $4, default_billing = $5, updated_at = $6
WHERE id = $1 AND account_id = $2
  -- Counting those cleared makes them be cleared first: a default is unique.
  AND (SELECT count(*) FROM cleared) >= 0
RETURNING id, account_id, sealed, default_shipping, default_billing, created_at,
          updated_at;

-- name: remove_address
-- Forget an address of a customer. $1 id, $2 account. Returns one row, or none if the
-- customer has no such address.
DELETE FROM customer_addresses WHERE id = $1 AND account_id = $2 RETURNING id;

-- name: addresses
-- The addresses of a customer, oldest first. $1 account, $2 only this one (NULL for
-- all); there are few, so there are no pages.
SELECT id, account_id, sealed, default_shipping, default_billing, created_at,
       updated_at
FROM customer_addresses
WHERE account_id = $1 AND ($2::uuid IS NULL OR id = $2)
ORDER BY id;

-- name: say
-- Keep what a customer said about marketing, unless it is what they said last; the
-- caller has locked the customer. $1 id, $2 account, $3 whether they agree, $4 where
-- they said it, $5 now.
INSERT INTO marketing_consents (id, account_id, granted, source, said_at)
SELECT $1, $2, $3, $4, $5
WHERE $3 IS DISTINCT FROM (
    SELECT granted FROM marketing_consents WHERE account_id = $2
    ORDER BY id DESC LIMIT 1);

-- name: said
-- What a customer said about marketing, latest first. $1 account.
SELECT granted, source, said_at FROM marketing_consents
WHERE account_id = $1 ORDER BY id DESC;

-- name: agreed
-- What each of several customers said about marketing last. $1 accounts. Returns those
-- who said anything.
SELECT DISTINCT ON (account_id) account_id, granted, source, said_at
FROM marketing_consents WHERE account_id = ANY($1::uuid[])
ORDER BY account_id, id DESC;

-- name: customers_to_reseal
-- Profiles not yet sealed under the newest key, in order of their keys; rows that
-- somebody else holds are passed over. $1 its prefix, $2 after this key (NULL for the
-- start), $3 how many. Locks them.
SELECT account_id::text AS key, sealed
FROM customers
WHERE ($2::text IS NULL OR account_id > $2::text::uuid) AND substring(sealed FOR 5) <> $1
ORDER BY customers.account_id LIMIT $3
FOR UPDATE SKIP LOCKED;

-- name: reseal_customers
-- Write them sealed anew. $1 keys, $2 sealed. The rows are locked by the caller.
UPDATE customers SET sealed = fresh.sealed
FROM unnest($1::text[], $2::bytea[]) AS fresh (key, sealed)
WHERE customers.account_id = fresh.key::uuid;

-- name: customer_addresses_to_reseal
-- Addresses not yet sealed under the newest key, in order of their keys; rows that
-- somebody else holds are passed over. $1 its prefix, $2 after this key (NULL for the
-- start), $3 how many. Locks them.
SELECT id::text AS key, sealed
FROM customer_addresses
WHERE ($2::text IS NULL OR id > $2::text::uuid) AND substring(sealed FOR 5) <> $1
ORDER BY customer_addresses.id LIMIT $3
FOR UPDATE SKIP LOCKED;

-- name: reseal_customer_addresses
-- Write them sealed anew. $1 keys, $2 sealed. The rows are locked by the caller.
UPDATE customer_addresses SET sealed = fresh.sealed
FROM unnest($1::text[], $2::bytea[]) AS fresh (key, sealed)
WHERE customer_addresses.id = fresh.key::uuid;
