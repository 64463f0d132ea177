-- Media: pictures that people upload, kept by the shop itself.

CREATE TABLE media_assets (
    id uuid PRIMARY KEY,
    -- The folder of its files, and the address of what was drawn: a hash of id and content.
    address text NOT NULL CONSTRAINT media_assets_address_unique UNIQUE
        CONSTRAINT media_assets_address_form CHECK (address ~ '^[0-9a-f]{64}$'),
    -- arriving: its file may be on the way, or be half of one; nobody is told of it.
    -- removed: a gravestone, until its files are gone for good.
    status text NOT NULL CONSTRAINT media_assets_status_known
        CHECK (status IN ('arriving', 'processing', 'ready', 'failed', 'removed')),
    kind text NOT NULL CONSTRAINT media_assets_kind_known
        CHECK (kind IN ('jpeg', 'png', 'gif', 'webp')),
    bytes bigint NOT NULL CONSTRAINT media_assets_bytes_positive CHECK (bytes > 0),
    sha256 text NOT NULL,
    file_name text NOT NULL,
    alt text NOT NULL,
    -- Of the picture held upright; NULL until it is drawn.
    width integer,
    height integer,
    renditions jsonb NOT NULL DEFAULT '[]',
    problem text,
    -- Until when somebody draws it, and how often that was begun.
    claimed_until timestamptz,
    attempts integer NOT NULL DEFAULT 0,
    -- Whether the upload is still beside what was drawn from it.
    has_original boolean NOT NULL DEFAULT true,
    -- When the files of a gravestone were first removed.
    swept_at timestamptz,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);
-- What waits to be drawn, oldest first.
CREATE INDEX media_assets_to_draw ON media_assets (id) WHERE status = 'processing';
-- What the sweep looks for: a handful, however many pictures there are.
CREATE INDEX media_assets_to_sweep ON media_assets (updated_at)
    WHERE status IN ('arriving', 'removed')
       OR (has_original AND status IN ('ready', 'failed'));
