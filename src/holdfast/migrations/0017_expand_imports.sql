-- Files of products are taken in by jobs: what they are, how far they are, what was
-- refused. All of it is here, so that any process can go on where another stopped.
CREATE TABLE import_jobs (
    id uuid PRIMARY KEY,
    format text NOT NULL CONSTRAINT import_jobs_format_known
        CHECK (format IN ('jsonl', 'shopify_csv')),
    -- Of prices that do not say theirs.
    currency text NOT NULL,
    -- Whether stock is set for variants that are known, too.
    overwrite_stock boolean NOT NULL,
    status text NOT NULL CONSTRAINT import_jobs_status_known
        CHECK (status IN ('receiving', 'queued', 'running', 'completed', 'failed',
                          'canceled')),
    actor text NOT NULL,
    -- What the client calls the request, so that it can be repeated.
    idempotency_key text,
    -- Of the file; NULL while it is being received.
    sha256 bytea,
    size_bytes bigint NOT NULL DEFAULT 0,
    -- Everything before this place of the file is done, and nothing after it: each
    -- batch moves it in the transaction that takes its products in.
    done_bytes bigint NOT NULL DEFAULT 0,
    done_lines bigint NOT NULL DEFAULT 0,
    -- Products.
    created bigint NOT NULL DEFAULT 0,
    updated bigint NOT NULL DEFAULT 0,
    unchanged bigint NOT NULL DEFAULT 0,
    -- Rows that could not be used.
    refused bigint NOT NULL DEFAULT 0,
    -- Why the file could not be used, or not all of it.
    failure text,
    -- Until then others leave it to whoever works at it.
    leased_until timestamptz,
    -- How often it was taken up since it last went on, or was left in good order.
    starts integer NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    finished_at timestamptz,
    CONSTRAINT import_jobs_done_within_the_file
        CHECK (0 <= done_bytes AND done_bytes <= size_bytes)
);
CREATE UNIQUE INDEX import_jobs_key_once ON import_jobs (actor, idempotency_key)
    WHERE idempotency_key IS NOT NULL;
CREATE INDEX import_jobs_unfinished ON import_jobs (id)
    WHERE status IN ('receiving', 'queued', 'running');

-- The file of a job in pieces of a MiB, all but the last; gone when the job has ended.
CREATE TABLE import_chunks (
    job_id uuid NOT NULL REFERENCES import_jobs ON DELETE CASCADE,
    number integer NOT NULL,
    content bytea NOT NULL,
    PRIMARY KEY (job_id, number)
);
-- They live for minutes: compressing them would cost more than it saves.
ALTER TABLE import_chunks ALTER COLUMN content SET STORAGE EXTERNAL;

-- What was refused, and why; the first ten thousand of each job.
CREATE TABLE import_faults (
    job_id uuid NOT NULL REFERENCES import_jobs ON DELETE CASCADE,
    number bigint NOT NULL,
    line bigint NOT NULL,
    handle text NOT NULL,
    message text NOT NULL,
    PRIMARY KEY (job_id, number)
);

-- Where each product began that a running job has read: a second one of the same
-- handle in one file is a mistake.
CREATE TABLE import_handles (
    job_id uuid NOT NULL REFERENCES import_jobs ON DELETE CASCADE,
    handle text NOT NULL,
    line bigint NOT NULL,
    PRIMARY KEY (job_id, handle)
);
