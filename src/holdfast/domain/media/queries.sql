-- name: add
-- Write down an upload whose file is about to come. $1 id, $2 address, $3 kind, $4 bytes,
-- $5 SHA-256 in hex, $6 file name, $7 alternative text, $8 who, $9 now.
INSERT INTO media_assets (id, address, status, kind, bytes, sha256, file_name, alt,
                          created_by, created_at, updated_at)
VALUES ($1, $2, 'arriving', $3, $4, $5, $6, $7, $8, $9, $9);

-- name: arrived
-- Note that the file of an upload is there. $1 id, $2 now. One row, or none if it was
-- given up meanwhile.
UPDATE media_assets SET status = 'processing', updated_at = $2
WHERE id = $1 AND status = 'arriving'
RETURNING id, address, status, kind, bytes, sha256, file_name, alt, width, height,
          renditions, problem, created_at, updated_at, version;

-- name: find
-- Pictures by their ids. $1 ids. A row for each that anybody may know of.
SELECT id, address, status, kind, bytes, sha256, file_name, alt, width, height,
       renditions, problem, created_at, updated_at, version
FROM media_assets
WHERE id = ANY($1::uuid[]) AND status IN ('processing', 'ready', 'failed');

-- name: page
-- Pictures, latest first. $1 the last id seen or NULL, $2 how many, $3 a status or NULL.
SELECT id, address, status, kind, bytes, sha256, file_name, alt, width, height,
       renditions, problem, created_at, updated_at, version
FROM media_assets
WHERE ($1::uuid IS NULL OR id < $1)
  AND status IN ('processing', 'ready', 'failed')
  AND ($3::text IS NULL OR status = $3)
ORDER BY id DESC LIMIT $2;

-- name: describe
-- Give a locked picture another alternative text. $1 id, $2 text, $3 now. One row.
UPDATE media_assets SET alt = $2, updated_at = $3, version = version + 1
WHERE id = $1
RETURNING id, address, status, kind, bytes, sha256, file_name, alt, width, height,
          renditions, problem, created_at, updated_at, version;

-- name: take
-- Claim the oldest picture that waits to be drawn. $1 now, $2 until when. One row with
-- how often it was claimed, or none; those that others are claiming are passed over.
UPDATE media_assets SET claimed_until = $2, attempts = attempts + 1
WHERE id = (
    SELECT id FROM media_assets
    WHERE status = 'processing' AND (claimed_until IS NULL OR claimed_until < $1)
    ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING id, address, status, kind, bytes, sha256, file_name, alt, width, height,
          renditions, problem, created_at, updated_at, version, attempts;

-- name: give_back
-- Let a picture be claimed again. $1 id, $2 from when, $3 what went wrong with it, NULL
-- if it was no attempt. One row, or none if it was removed meanwhile.
UPDATE media_assets
SET claimed_until = $2, attempts = attempts - ($3::text IS NULL)::integer,
    problem = coalesce($3, problem)
WHERE id = $1 AND status = 'processing'
RETURNING id;

-- name: mark_ready
-- Note what was drawn. $1 id, $2 and $3 width and height of the picture held upright,
-- $4 renditions, $5 now. One row, or none if somebody else was first or it was removed.
UPDATE media_assets
SET status = 'ready', width = $2, height = $3, renditions = $4, updated_at = $5,
    problem = NULL, claimed_until = NULL
WHERE id = $1 AND status = 'processing'
RETURNING id;

-- name: mark_failed
-- Note that a picture cannot be drawn. $1 id, $2 why, $3 now.
UPDATE media_assets
SET status = 'failed', problem = $2, updated_at = $3, claimed_until = NULL
WHERE id = $1 AND status = 'processing';

-- name: draw_again
-- Let a locked picture that failed be drawn as if for the first time. $1 id, $2 now. One
-- row, or none if its upload is gone.
UPDATE media_assets
SET status = 'processing', problem = NULL, attempts = 0, updated_at = $2
WHERE id = $1 AND status = 'failed' AND has_original
RETURNING id, address, status, kind, bytes, sha256, file_name, alt, width, height,
          renditions, problem, created_at, updated_at, version;

-- name: lock
-- Lock a picture against everybody, also against who is about to show it. $1 id. One row,
-- or none.
SELECT id, address, status, kind, bytes, sha256, file_name, alt, width, height,
       renditions, problem, created_at, updated_at, version
FROM media_assets
WHERE id = $1 AND status IN ('processing', 'ready', 'failed')
FOR UPDATE;

-- name: shown_by
-- Products and collections that show a picture, at most ten of each. $1 id.
(SELECT DISTINCT product_id, NULL::uuid AS collection_id FROM product_images
 WHERE asset_id = $1 ORDER BY product_id LIMIT 10)
UNION ALL
(SELECT NULL, id FROM collections WHERE image_id = $1 ORDER BY id LIMIT 10);

-- name: bury
-- Make a gravestone of a picture; the sweep removes its files. $1 id, $2 now.
UPDATE media_assets SET status = 'removed', updated_at = $2, claimed_until = NULL
WHERE id = $1;

-- name: give_up
-- Make gravestones of uploads whose file has been on the way for too long. $1 since when
-- at the latest, $2 now.
UPDATE media_assets SET status = 'removed', updated_at = $2
WHERE status = 'arriving' AND updated_at < $1;

-- name: to_sweep
-- Files that should be no more, oldest first. $1 gravestones swept before this are swept
-- for the last time, $2 how many, $3 uploads that failed before this are kept no longer,
-- $4 now. `whole` is whether all of the folder goes, or only the upload. Those that were
-- put off are left out.
SELECT id, address, status = 'removed' AS whole
FROM media_assets
WHERE ((status = 'removed' AND (swept_at IS NULL OR swept_at < $1))
    OR (has_original AND status = 'ready')
    OR (has_original AND status = 'failed' AND updated_at < $3))
  AND (claimed_until IS NULL OR claimed_until < $4)
ORDER BY updated_at LIMIT $2;

-- name: put_off
-- Leave files alone that cannot be removed. $1 id, $2 until when.
UPDATE media_assets SET claimed_until = $2 WHERE id = $1 AND status <> 'processing';

-- name: note_swept
-- Note that files are gone. $1 ids, $2 whether all of the folder went, pairwise, $3 now.
-- Gravestones wait for their second sweep.
UPDATE media_assets a
SET has_original = false,
    swept_at = CASE WHEN status = 'removed' AND whole THEN $3::timestamptz END
FROM unnest($1::uuid[], $2::boolean[]) AS swept (id, whole)
WHERE a.id = swept.id;

-- name: forget_swept
-- Drop gravestones that were swept again. $1 ids of those swept just now, $2 when they
-- had been swept before at the latest.
DELETE FROM media_assets
WHERE id = ANY($1::uuid[]) AND status = 'removed' AND swept_at < $2;
