-- name: open_job
-- Begin to receive a file. $1 id, $2 format, $3 currency, $4 whether to overwrite
-- stock, $5 who, $6 their key or NULL, $7 now. Returns the id, or no row if the key is
-- taken.
INSERT INTO import_jobs (id, format, currency, overwrite_stock, status, actor,
                         idempotency_key, created_at, updated_at)
VALUES ($1, $2, $3, $4, 'receiving', $5, $6, $7, $7)
ON CONFLICT (actor, idempotency_key) WHERE idempotency_key IS NOT NULL DO NOTHING
RETURNING id;

-- name: add_chunk
-- Keep a piece of a file. $1 job, $2 number from 0, $3 content, $4 now. Returns the job,
-- or no row if it is not being received any more.
WITH job AS (
    UPDATE import_jobs
    SET size_bytes = size_bytes + length($3::bytea), updated_at = $4
    WHERE id = $1 AND status = 'receiving'
    RETURNING id
), kept AS (
    INSERT INTO import_chunks (job_id, number, content)
    SELECT id, $2, $3 FROM job
)
SELECT id FROM job;

-- name: received
-- The whole file is there. $1 job, $2 its SHA-256, $3 now. Returns the job, or no row if
-- it was given up meanwhile.
UPDATE import_jobs SET status = 'queued', sha256 = $2, updated_at = $3
WHERE id = $1 AND status = 'receiving'
RETURNING id, format, currency, overwrite_stock, status, actor, sha256, size_bytes,
          done_bytes, done_lines, created, updated, unchanged, refused, failure,
          created_at, updated_at, finished_at;

-- name: drop_unreceived
-- Forget jobs whose file did not come. $1 one job or NULL for any, $2 silent since
-- before, or NULL. Returns the ids.
DELETE FROM import_jobs
WHERE status = 'receiving' AND ($1::uuid IS NULL OR id = $1)
  AND ($2::timestamptz IS NULL OR updated_at < $2)
RETURNING id;

-- name: find
-- One job. $1 id.
SELECT id, format, currency, overwrite_stock, status, actor, sha256, size_bytes,
       done_bytes, done_lines, created, updated, unchanged, refused, failure,
       created_at, updated_at, finished_at
FROM import_jobs WHERE id = $1;

-- name: find_by_key
-- The job that a key stands for. $1 who, $2 their key.
SELECT id, format, currency, overwrite_stock, status, actor, sha256, size_bytes,
       done_bytes, done_lines, created, updated, unchanged, refused, failure,
       created_at, updated_at, finished_at
FROM import_jobs WHERE actor = $1 AND idempotency_key = $2;

-- name: page
-- Jobs, newest first. $1 the last id seen or NULL, $2 how many.
SELECT id, format, currency, overwrite_stock, status, actor, sha256, size_bytes,
       done_bytes, done_lines, created, updated, unchanged, refused, failure,
       created_at, updated_at, finished_at
FROM import_jobs
WHERE $1::uuid IS NULL OR id < $1
ORDER BY id DESC LIMIT $2;

-- name: claim
-- Take up the oldest job that nobody works at. $1 now, $2 until when it is ours. Skips
-- what others are just taking. Returns the job or no row.
UPDATE import_jobs
SET status = 'running', leased_until = $2, updated_at = $1, starts = starts + 1
WHERE id = (
    SELECT id FROM import_jobs
    WHERE status = 'queued'
       OR (status = 'running' AND (leased_until IS NULL OR leased_until < $1))
    ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING id, format, currency, overwrite_stock, status, actor, sha256, size_bytes,
          done_bytes, done_lines, created, updated, unchanged, refused, failure,
          created_at, updated_at, finished_at, starts;

-- name: hold
-- Lock a job for a batch that begins at a place. $1 job, $2 bytes before the place.
-- No row if the job was canceled or somebody else went on from there.
SELECT id FROM import_jobs
WHERE id = $1 AND status = 'running' AND done_bytes = $2
FOR NO KEY UPDATE;

-- name: advance
-- What a held job has come to. $1 job, $2 and $3 bytes and lines that are done, $4 $5 $6
-- $7 products created, updated, unchanged and rows refused since, $8 until when it is
-- ours, $9 now.
UPDATE import_jobs
SET done_bytes = $2, done_lines = $3, created = created + $4, updated = updated + $5,
    unchanged = unchanged + $6, refused = refused + $7, leased_until = $8,
    starts = 0, updated_at = $9
WHERE id = $1;

-- name: release
-- Leave a job to whoever comes next. $1 job.
UPDATE import_jobs SET leased_until = NULL, starts = 0
WHERE id = $1 AND status = 'running';

-- name: finish
-- End a held job. $1 job, $2 completed or failed, $3 why it failed or NULL, $4 now.
UPDATE import_jobs
SET status = $2, failure = $3, leased_until = NULL, updated_at = $4, finished_at = $4
WHERE id = $1;

-- name: cancel
-- End a job that has not ended. $1 job, $2 now. Waits for the batch under way. Returns
-- the job, or no row if there is none that could be ended.
UPDATE import_jobs
SET status = 'canceled', leased_until = NULL, updated_at = $2, finished_at = $2
WHERE id = $1 AND status IN ('receiving', 'queued', 'running')
RETURNING id, format, currency, overwrite_stock, status, actor, sha256, size_bytes,
          done_bytes, done_lines, created, updated, unchanged, refused, failure,
          created_at, updated_at, finished_at;

-- name: chunk
-- A piece of a file. $1 job, $2 number from 0.
SELECT content FROM import_chunks WHERE job_id = $1 AND number = $2;

-- name: note_faults
-- Keep what was refused. $1 job, $2 numbers, $3 lines, $4 handles, $5 messages.
INSERT INTO import_faults (job_id, number, line, handle, message)
SELECT $1, number, line, handle, message
FROM unnest($2::bigint[], $3::bigint[], $4::text[], $5::text[])
     AS n (number, line, handle, message);

-- name: note_handles
-- Note where products begin. $1 job, $2 handles, all different, $3 lines. Returns a row
-- for each that a product before has, and where that began.
WITH wanted AS (
    SELECT handle, line FROM unnest($2::text[], $3::bigint[]) AS w (handle, line)
), added AS (
    INSERT INTO import_handles (job_id, handle, line)
    SELECT $1, handle, line FROM wanted ORDER BY handle
    ON CONFLICT (job_id, handle) DO NOTHING
    RETURNING handle
)
SELECT h.handle, h.line FROM import_handles h JOIN wanted w USING (handle)
WHERE h.job_id = $1 AND h.handle NOT IN (SELECT handle FROM added);

-- name: note_links
-- Keep what leads to products that are not there yet. $1 job, $2 a JSON array.
INSERT INTO import_links (job_id, handle, line, related, "references")
SELECT $1, handle, line, related, "references"
FROM jsonb_to_recordset($2::jsonb) AS n (
    handle text, line bigint, related text[], "references" jsonb);

-- name: links
-- What waits for the end of a file, by handle. $1 job, $2 how many.
SELECT handle, line, related, "references" FROM import_links
WHERE job_id = $1 ORDER BY handle LIMIT $2;

-- name: drop_links
-- What does not wait any more. $1 job, $2 handles.
DELETE FROM import_links WHERE job_id = $1 AND handle = ANY($2::text[]);

-- name: faults
-- What was refused, by number. $1 job, $2 the last number seen or 0, $3 how many.
SELECT number, line, handle, message FROM import_faults
WHERE job_id = $1 AND number > $2
ORDER BY number LIMIT $3;

-- name: forget_files
-- Drop pieces of files of jobs that have ended. $1 how many. Returns the jobs.
DELETE FROM import_chunks c
USING (SELECT k.job_id, k.number
       FROM import_chunks k JOIN import_jobs j ON j.id = k.job_id
       WHERE j.finished_at IS NOT NULL LIMIT $1) AS old
WHERE c.job_id = old.job_id AND c.number = old.number
RETURNING c.job_id;

-- name: forget_handles
-- Drop the notes of where products began, of jobs that have ended. $1 how many. Returns
-- the jobs.
DELETE FROM import_handles h
USING (SELECT n.job_id, n.handle
       FROM import_handles n JOIN import_jobs j ON j.id = n.job_id
       WHERE j.finished_at IS NOT NULL LIMIT $1) AS old
WHERE h.job_id = old.job_id AND h.handle = old.handle
RETURNING h.job_id;

-- name: forget_jobs
-- Drop jobs that ended before $1, with their faults; $2 how many. Returns their ids.
DELETE FROM import_jobs
WHERE id IN (SELECT id FROM import_jobs WHERE finished_at < $1 ORDER BY id LIMIT $2)
RETURNING id;
