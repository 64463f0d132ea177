-- name: add_group
-- Make a group of customers. $1 id, $2 code, $3 name, $4 now. Breaks
-- customer_groups_code_unique.
INSERT INTO customer_groups (id, code, name, created_at, updated_at)
VALUES ($1, $2, $3, $4, $4);

-- name: groups
-- Groups in the order they were made, with how many are in each. $1 this one alone or
-- NULL, $2 after this id or NULL, $3 how many.
SELECT g.id, g.code, g.name, g.created_at, g.updated_at, g.version,
       (SELECT count(*) FROM customer_group_members m WHERE m.group_id = g.id) AS members
FROM customer_groups g
WHERE ($1::uuid IS NULL OR g.id = $1) AND ($2::uuid IS NULL OR g.id > $2)
ORDER BY g.id LIMIT $3;

-- name: lock_group
-- Take a group for a change of it or of its members. $1 id. Locks it. Returns its version,
-- or nothing if there is no such group.
SELECT version FROM customer_groups WHERE id = $1 FOR NO KEY UPDATE;

-- name: change_group
-- Name a locked group otherwise. $1 id, $2 code, $3 name, $4 now. Breaks
-- customer_groups_code_unique.
UPDATE customer_groups
SET code = $2, name = $3, updated_at = $4, version = version + 1
WHERE id = $1;

-- name: remove_group
-- Make an end of a locked group and let its members go. $1 id. Breaks
-- price_list_groups_group_known while a list is for it.
DELETE FROM customer_groups WHERE id = $1;

-- name: add_member
-- Put an account into a group and raise the group's version; it stays as it is if it is
-- there. $1 group, $2 account, $3 by whom, $4 now. Locks the group before the member.
-- Returns one row if both exist, with the moment it was put there: who waited for another
-- that put it there sees it by the conflict alone, its snapshot is from before.
WITH held AS (
    SELECT id FROM customer_groups WHERE id = $1 FOR NO KEY UPDATE
), added AS (
    INSERT INTO customer_group_members AS m (group_id, account_id, added_by, added_at)
    SELECT held.id, a.id, $3, $4
    FROM held, accounts a
    WHERE a.id = $2 AND a.status <> 'erased'
    ON CONFLICT (account_id, group_id) DO UPDATE SET added_at = m.added_at
    RETURNING new.account_id, new.added_at, old.account_id IS NULL AS is_new
), raised AS (
    UPDATE customer_groups SET version = version + 1
    WHERE id = $1 AND EXISTS (SELECT FROM added WHERE is_new)
)
SELECT account_id, added_at FROM added;

-- name: remove_member
-- Take an account out of a group and raise the group's version. $1 group, $2 account.
-- Locks the group before the member. Returns one row, or none if it was not there.
WITH held AS (
    SELECT id FROM customer_groups WHERE id = $1 FOR NO KEY UPDATE
), gone AS (
    DELETE FROM customer_group_members m USING held
    WHERE m.group_id = held.id AND m.account_id = $2
    RETURNING m.group_id
)
UPDATE customer_groups SET version = version + 1
WHERE id = (SELECT group_id FROM gone)
RETURNING id;

-- name: leave_groups
-- Take an account out of all groups, and raise the version of each. $1 account.
WITH gone AS (
    DELETE FROM customer_group_members WHERE account_id = $1 RETURNING group_id
)
UPDATE customer_groups SET version = version + 1
WHERE id IN (SELECT group_id FROM gone);

-- name: members
-- Accounts of a group, by their ids. $1 group, $2 after this account or NULL, $3 how many.
SELECT account_id, added_at FROM customer_group_members
WHERE group_id = $1 AND ($2::uuid IS NULL OR account_id > $2)
ORDER BY account_id LIMIT $3;

-- name: groups_of
-- The groups that an account is in. $1 account.
SELECT g.id, g.code, g.name, g.created_at, g.updated_at, g.version
FROM customer_group_members m JOIN customer_groups g ON g.id = m.group_id
WHERE m.account_id = $1
ORDER BY g.id;

-- name: add_list
-- Make a price list. $1 id, $2 code, $3 name, $4 kind, $5 groups or NULL for everybody,
-- $6 start, $7 end, $8 by whom, $9 now. Returns the groups that exist, in one row; breaks
-- price_lists_code_unique.
WITH added AS (
    INSERT INTO price_lists (id, code, name, kind, for_everybody, starts_at, ends_at,
                             since, created_by, created_at, updated_at)
    VALUES ($1, $2, $3, $4, $5::uuid[] IS NULL, $6, $7, $9, $8, $9, $9)
), audience AS (
    INSERT INTO price_list_groups (price_list_id, group_id)
    SELECT $1, g.id FROM customer_groups g WHERE g.id = ANY($5::uuid[])
    RETURNING group_id
)
SELECT coalesce(array_agg(group_id), '{}') AS known FROM audience;

-- name: lists
-- Price lists that are not withdrawn, in the order they were made. $1 this one alone or
-- NULL, $2 after this id or NULL, $3 how many.
SELECT l.id, l.code, l.name, l.kind, l.starts_at, l.ends_at, l.created_at, l.updated_at,
       l.version,
       CASE WHEN NOT l.for_everybody THEN ARRAY(
           SELECT g.group_id FROM price_list_groups g
           WHERE g.price_list_id = l.id ORDER BY g.group_id) END AS group_ids
FROM price_lists l
WHERE l.removed_at IS NULL AND ($1::uuid IS NULL OR l.id = $1)
  AND ($2::uuid IS NULL OR l.id > $2)
ORDER BY l.id LIMIT $3;

-- name: lock_list
-- Take a price list that is not withdrawn, for a change of it or of its prices. $1 id.
-- Locks it. Returns its version, or nothing.
SELECT version FROM price_lists WHERE id = $1 AND removed_at IS NULL FOR NO KEY UPDATE;

-- name: keep_list
-- Write down for whom and when a locked list has held until now. $1 id, $2 now.
INSERT INTO price_list_changes (price_list_id, since, until, for_everybody, group_ids,
                                starts_at, ends_at)
SELECT id, since, $2, for_everybody,
       ARRAY(SELECT g.group_id FROM price_list_groups g WHERE g.price_list_id = id),
       starts_at, ends_at
FROM price_lists WHERE id = $1 AND since < $2;

-- name: clear_audience
-- Take all groups off a locked list, before others are put on it or it is withdrawn.
-- $1 list.
DELETE FROM price_list_groups WHERE price_list_id = $1;

-- name: change_list
-- Change a locked list whose groups were cleared. $1 id, $2 code, $3 name, $4 groups or
-- NULL for everybody, $5 start, $6 end, $7 now. Returns the groups that exist, in one
-- row; breaks price_lists_code_unique.
WITH changed AS (
    UPDATE price_lists
    SET code = $2, name = $3, for_everybody = $4::uuid[] IS NULL, starts_at = $5,
        ends_at = $6, since = $7, updated_at = $7, version = version + 1
    WHERE id = $1
), audience AS (
    INSERT INTO price_list_groups (price_list_id, group_id)
    SELECT $1, g.id FROM customer_groups g WHERE g.id = ANY($4::uuid[])
    RETURNING group_id
)
SELECT coalesce(array_agg(group_id), '{}') AS known FROM audience;

-- name: remove_list
-- Withdraw a locked list whose groups were cleared; its prices stay on record, and its
-- code may be used again. $1 id, $2 by whom, $3 now.
WITH gone AS (
    UPDATE price_lists
    SET removed_at = $3, since = $3, updated_at = $3, code = code || '~' || id
    WHERE id = $1
)
UPDATE prices SET removed_by = $2, removed_at = $3
WHERE price_list_id = $1 AND removed_at IS NULL;

-- name: lock_variants
-- Take variants, so that nobody else sets prices of them meanwhile. $1 SKUs. Locks in SKU
-- order, as the catalogue does. Returns the id of each that exists.
SELECT sku, id FROM variants WHERE sku = ANY($1::text[]) ORDER BY sku FOR NO KEY UPDATE;

-- name: lock_variant_of
-- Take the variant of a price that is on record, as `lock_variants` does. $1 price. Locks
-- the variant. Returns its id, or nothing if there is no such price.
SELECT v.id FROM prices p JOIN variants v ON v.id = p.variant_id
WHERE p.id = $1 AND p.removed_at IS NULL
FOR NO KEY UPDATE OF v;

-- name: version
-- The version of the prices of a variant: prices are only added and taken off, so that it
-- is one more than how often that was done. $1 SKU or NULL, $2 variant or NULL. Returns
-- one row, or none if there is no such variant.
SELECT 1 + count(p.id) + count(p.removed_at) AS version
FROM variants v LEFT JOIN prices p ON p.variant_id = v.id
WHERE v.sku = $1 OR v.id = $2
GROUP BY v.id;

-- name: there
-- Prices of locked variants in one place. $1 variants, $2 list or NULL for the shop's own.
SELECT id, variant_id, currency, min_quantity, amount, compare_at_amount, starts_at,
       ends_at
FROM prices
WHERE variant_id = ANY($1::uuid[]) AND price_list_id IS NOT DISTINCT FROM $2
  AND removed_at IS NULL;

-- name: remove_prices
-- Take prices off, and leave them on record. $1 ids, $2 by whom, $3 now. Returns the id of
-- each that was there.
UPDATE prices SET removed_by = $2, removed_at = $3
WHERE id = ANY($1::uuid[]) AND removed_at IS NULL
RETURNING id;

-- name: add_prices
-- Put prices on record. $1 a JSON array of them, $2 list or NULL, $3 by whom, $4 now.
INSERT INTO prices (id, variant_id, price_list_id, currency, min_quantity, amount,
                    compare_at_amount, starts_at, ends_at, created_by, created_at)
SELECT id, variant_id, $2, currency, min_quantity, amount, compare_at_amount, starts_at,
       ends_at, $3, $4
FROM jsonb_to_recordset($1::jsonb) AS p (
    id uuid, variant_id uuid, currency text, min_quantity bigint, amount bigint,
    compare_at_amount bigint, starts_at timestamptz, ends_at timestamptz);

-- name: prices_of_list
-- Prices of a list, in the order they were set. $1 list, $2 currency or NULL, $3 after
-- this id or NULL, $4 how many.
SELECT p.id, v.sku, p.price_list_id, p.currency, p.min_quantity, p.amount,
       p.compare_at_amount, p.starts_at, p.ends_at, p.created_at
FROM prices p JOIN variants v ON v.id = p.variant_id
WHERE p.removed_at IS NULL AND p.price_list_id = $1
  AND ($2::text IS NULL OR p.currency = $2) AND ($3::uuid IS NULL OR p.id > $3)
ORDER BY p.id LIMIT $4;

-- name: prices_of_shop
-- The same of the shop's own, beside those of the variants themselves. $1 NULL; $2, $3
-- and $4 as in prices_of_list.
SELECT p.id, v.sku, p.price_list_id, p.currency, p.min_quantity, p.amount,
       p.compare_at_amount, p.starts_at, p.ends_at, p.created_at
FROM prices p JOIN variants v ON v.id = p.variant_id
WHERE p.removed_at IS NULL AND $1::uuid IS NULL AND p.price_list_id IS NULL
  AND ($2::text IS NULL OR p.currency = $2) AND ($3::uuid IS NULL OR p.id > $3)
ORDER BY p.id LIMIT $4;

-- name: prices_of_sku
-- The same of a variant, whichever list they are in. $1 SKU; $2, $3 and $4 as
-- in prices_of_list.
SELECT p.id, v.sku, p.price_list_id, p.currency, p.min_quantity, p.amount,
       p.compare_at_amount, p.starts_at, p.ends_at, p.created_at
FROM prices p JOIN variants v ON v.id = p.variant_id
WHERE p.removed_at IS NULL AND v.sku = $1
  AND ($2::text IS NULL OR p.currency = $2) AND ($3::uuid IS NULL OR p.id > $3)
ORDER BY p.id LIMIT $4;

-- name: changes
-- What the prices of a variant have been, newest first, its own price among them. $1 SKU,
-- $2 currency or NULL, $3 and $4 since when and id of the last one seen or NULL, $5 how
-- many.
SELECT k.price_id, k.price_list_id, k.currency, k.min_quantity, k.amount,
       k.compare_at_amount, k.starts_at, k.ends_at, k.since, k.until, k.set_by,
       k.removed_by, coalesce(k.price_id, v.id) AS place
FROM variants v
CROSS JOIN LATERAL (
    SELECT p.id AS price_id, p.price_list_id, p.currency, p.min_quantity, p.amount,
           p.compare_at_amount, p.starts_at, p.ends_at, p.created_at AS since,
           p.removed_at AS until, p.created_by AS set_by, p.removed_by
    FROM prices p WHERE p.variant_id = v.id
    UNION ALL
    SELECT NULL, NULL, c.currency, 1, c.amount, c.compare_at_amount, NULL, NULL,
           c.since, c.until, NULL, NULL
    FROM base_price_changes c WHERE c.variant_id = v.id
    UNION ALL
    SELECT NULL, NULL, v.currency, 1, v.price_amount, v.compare_at_amount, NULL, NULL,
           coalesce((SELECT max(c.until) FROM base_price_changes c
                     WHERE c.variant_id = v.id), v.created_at), NULL, NULL, NULL
) AS k
WHERE v.sku = $1 AND ($2::text IS NULL OR k.currency = $2)
  AND ($3::timestamptz IS NULL
       OR (k.since, coalesce(k.price_id, v.id)) < ($3, $4::uuid))
ORDER BY k.since DESC, coalesce(k.price_id, v.id) DESC LIMIT $5;

-- name: wares
-- What is sold under these SKUs, with all that can decide what it costs now. $1 SKUs, $2
-- currency or NULL for that of each variant, $3 account or NULL, $4 now. One row for each
-- that exists; `entries` has the prices that may hold for the account, or is NULL.
SELECT v.id AS variant_id, v.sku, p.title, v.title AS variant_title, v.weight_grams,
       status_at(p.status, p.publish_at, p.unpublish_at, $4) = 'active' AS active,
       v.price_amount, v.compare_at_amount, v.currency AS base_currency,
       coalesce($2, v.currency) AS currency, (
           SELECT jsonb_agg(r.entry) FROM prices_on_record r
           WHERE r.variant_id = v.id AND r.currency = coalesce($2, v.currency)
             AND (r.group_id IS NULL OR EXISTS (
                 SELECT FROM customer_group_members m
                 WHERE m.account_id = $3 AND m.group_id = r.group_id))) AS entries
FROM variants v JOIN products p ON p.id = v.product_id
WHERE v.sku = ANY($1::text[]);

-- name: priced
-- Of products, the variants whose price needs more than the product's document says. $1
-- products, $2 currency or NULL for that of each variant, $3 account or NULL. `entries`
-- as in wares; `known` has what the prices have been, NULL where nothing is compared or
-- there has been one price alone.
-- Without a currency, only variants that have entries or are compared with a price.
SELECT v.product_id, v.id AS variant_id, v.price_amount, v.compare_at_amount,
       v.currency AS base_currency, asked.currency, held.entries,
       CASE WHEN (held.entries IS NOT NULL OR v.compare_at_amount > v.price_amount)
              AND (EXISTS (SELECT FROM prices p WHERE p.variant_id = v.id)
                   OR EXISTS (SELECT FROM base_price_changes c
                              WHERE c.variant_id = v.id)) THEN (
           SELECT jsonb_agg(k.entry) FROM prices_known k
           WHERE k.variant_id = v.id AND k.currency = asked.currency
             AND (k.group_id IS NULL OR EXISTS (
                 SELECT FROM customer_group_members m
                 WHERE m.account_id = $3 AND m.group_id = k.group_id)))
       END AS known
FROM variants v
CROSS JOIN LATERAL (SELECT coalesce($2, v.currency) AS currency) AS asked
CROSS JOIN LATERAL (
    SELECT jsonb_agg(r.entry) AS entries FROM prices_on_record r
    WHERE r.variant_id = v.id AND r.currency = asked.currency
      AND (r.group_id IS NULL OR EXISTS (
          SELECT FROM customer_group_members m
          WHERE m.account_id = $3 AND m.group_id = r.group_id))
) AS held
WHERE v.product_id = ANY($1::uuid[])
  AND ($2::text IS NOT NULL OR held.entries IS NOT NULL
       OR v.compare_at_amount > v.price_amount);
