-- name: offers
-- What checkout needs to know of variants. $1 skus. One row for each that exists.
SELECT v.id AS variant_id, v.sku, p.title, v.title AS variant_title, v.price_amount,
       v.currency, v.weight_grams, p.status = 'active' AS active
FROM variants v JOIN products p ON p.id = v.product_id
WHERE v.sku = ANY($1::text[]);
