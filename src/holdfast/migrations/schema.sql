-- The whole schema as the migrations add it up, for reading: a test proves that
-- running the numbered files and running this one make the same database.
--
-- A column called `sealed` holds JSON encrypted by the application (AEAD), bound to
-- its row: the associated data is "<table>:<id>", so that a value moved to another row
-- does not open. Its first five bytes name the key, so that SQL can count what is
-- still under an older one. A column that ends in `_index` is a keyed hash of an
-- e-mail address, for looking it up without knowing it.

-- identity ------------------------------------------------------------------

CREATE TABLE api_keys (
    id uuid PRIMARY KEY,
    name text NOT NULL,
    -- SHA-256 of the whole key: 256 random bits need no salt and no slow hash.
    key_hash bytea NOT NULL CONSTRAINT api_keys_hash_unique UNIQUE,
    -- The first characters, so that an operator can tell keys apart.
    prefix text NOT NULL,
    scopes text[] NOT NULL,
    created_at timestamptz NOT NULL,
    revoked_at timestamptz,
    last_used_at timestamptz
);

CREATE TABLE roles (
    id uuid PRIMARY KEY,
    -- How it is named in requests: catalogue_manager.
    name text NOT NULL CONSTRAINT roles_name_unique UNIQUE,
    title text NOT NULL,
    description text NOT NULL DEFAULT '',
    scopes text[] NOT NULL,
    -- Shipped with the product: changed by migrations alone.
    built_in boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);

CREATE TABLE account_roles (
    account_id uuid NOT NULL,
    role_id uuid NOT NULL REFERENCES roles,
    granted_by text NOT NULL,
    granted_at timestamptz NOT NULL,
    PRIMARY KEY (account_id, role_id)
);
CREATE INDEX account_roles_by_role ON account_roles (role_id);

-- The roles of the product. A new scope is given to `admin`, and to whoever else needs
-- it, by the migration that brings it.
INSERT INTO roles (
    id, name, title, description, scopes, built_in, created_at, updated_at)
VALUES
    ('01943a00-0000-7000-8000-000000000001', 'customer', 'Customer',
     'Shops here, and looks after their own account. Every account has it.',
     '{account:read,account:write,carts:own,orders:own}', true, now(), now()),
    ('01943a00-0000-7000-8000-000000000002', 'support', 'Support',
     'Answers customers: finds, changes and cancels their orders, mends their data.',
     '{carts:write,customers:read,customers:write,inventory:read,orders:read,orders:write,products:read,users:read}',
     true, now(), now()),
    ('01943a00-0000-7000-8000-000000000003', 'catalogue_manager', 'Catalogue manager',
     'Keeps products, categories and stock.',
     '{inventory:read,inventory:write,products:read,products:write}',
     true, now(), now()),
    ('01943a00-0000-7000-8000-000000000004', 'fulfilment', 'Fulfilment',
     'Packs and ships orders, and counts stock.',
     '{inventory:read,inventory:write,orders:fulfil,orders:read}', true, now(), now()),
    ('01943a00-0000-7000-8000-000000000005', 'finance', 'Finance',
     'Reads orders, customers and the security record; gives money back.',
     '{audit:read,customers:read,orders:read,orders:refund,products:read}', true, now(), now()),
    ('01943a00-0000-7000-8000-000000000006', 'admin', 'Administrator',
     'May do everything. Somebody always is one.',
     '{account:read,account:write,audit:read,carts:own,carts:write,clients:read,clients:write,customers:read,customers:write,inventory:read,inventory:write,keys:read,keys:write,orders:fulfil,orders:own,orders:read,orders:refund,orders:write,prices:override,products:read,products:write,protection:read,protection:write,roles:read,roles:write,users:read,users:write}',
     true, now(), now());

-- What happened that matters for security. Append-only: the triggers below hold
-- whoever connects with the shop's own rights to it.
CREATE TABLE security_events (
    id uuid PRIMARY KEY,
    kind text NOT NULL,
    -- Who did it: account:<id>, key:<id>, client:<id>, anonymous, command_line, timer.
    actor text NOT NULL,
    -- Whom it is about, where that is known.
    account_id uuid,
    client_id text,
    session_id uuid,
    request_id text,
    detail jsonb NOT NULL DEFAULT '{}',
    -- Address and user agent.
    sealed bytea,
    happened_at timestamptz NOT NULL
);
CREATE INDEX security_events_by_account ON security_events (account_id, id DESC)
    WHERE account_id IS NOT NULL;
CREATE INDEX security_events_by_kind ON security_events (kind, id DESC);
CREATE INDEX security_events_by_actor ON security_events (actor, id DESC);

CREATE FUNCTION keep_security_events() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- Sealing under a newer key, or forgetting a person, touches nothing else.
    IF TG_OP = 'UPDATE'
       AND to_jsonb(OLD) - 'sealed' = to_jsonb(NEW) - 'sealed' THEN
        RETURN NEW;
    END IF;
    -- What the law lets nobody keep for ever may go after a year.
    IF TG_OP = 'DELETE' AND OLD.happened_at < now() - interval '365 days' THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'security events are kept as they are';
END;
$$;
CREATE TRIGGER security_events_are_kept BEFORE UPDATE OR DELETE ON security_events
    FOR EACH ROW EXECUTE FUNCTION keep_security_events();
CREATE TRIGGER security_events_are_not_emptied BEFORE TRUNCATE ON security_events
    FOR EACH STATEMENT EXECUTE FUNCTION keep_security_events();

-- accounts --------------------------------------------------------------------

CREATE TABLE accounts (
    id uuid PRIMARY KEY,
    status text NOT NULL CONSTRAINT accounts_status_known
        CHECK (status IN ('active', 'disabled', 'erased')),
    -- {"email": ...}; NULL once erased.
    sealed bytea,
    email_index bytea CONSTRAINT accounts_email_unique UNIQUE,
    -- An argon2id hash, sealed: a dump alone cannot even be guessed against.
    -- NULL while none was chosen.
    password bytea,
    password_changed_at timestamptz,
    email_verified_at timestamptz,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT accounts_erased_whole CHECK (
        (status = 'erased') = (sealed IS NULL)
        AND (sealed IS NULL) = (email_index IS NULL)
        AND (status <> 'erased' OR password IS NULL))
);
-- Those erased of late are looked at again: what was under way then may have come since.
CREATE INDEX accounts_erased ON accounts (updated_at) WHERE status = 'erased';

-- E-mails about accounts: what was asked for (to sign up, a new password, another
-- address) and what an owner must hear of (either has changed). They are composed by
-- the worker, so that asking takes as long for an address that is known as for one
-- that is not.
CREATE TABLE account_requests (
    id uuid PRIMARY KEY,
    purpose text NOT NULL CONSTRAINT account_requests_purpose_known
        CHECK (purpose IN ('sign_up', 'password_reset', 'email_change',
            'email_changed', 'password_changed',
            'second_factor_enabled', 'second_factor_disabled')),
    -- {"email": ...}, the address that is written to.
    sealed bytea NOT NULL,
    email_index bytea NOT NULL,
    -- Whose account it is about; NULL for a sign-up, and until the worker looked.
    account_id uuid REFERENCES accounts,
    -- SHA-256 of the token in the e-mail; NULL until it is written, and if none is.
    token_hash bytea CONSTRAINT account_requests_token_unique UNIQUE,
    -- When an e-mail was written; NULL if none was.
    mailed_at timestamptz,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at timestamptz
);
CREATE INDEX account_requests_by_age ON account_requests (expires_at);
CREATE INDEX account_requests_by_address ON account_requests (email_index, mailed_at);
CREATE INDEX account_requests_of_account ON account_requests (account_id)
    WHERE account_id IS NOT NULL;

-- A sign-in that lasts: of a browser, of a first-party client, or what a person
-- granted to an OAuth client. Tokens belong to a session and end with it.
CREATE TABLE sessions (
    id uuid PRIMARY KEY,
    account_id uuid NOT NULL REFERENCES accounts,
    kind text NOT NULL CONSTRAINT sessions_kind_known
        CHECK (kind IN ('browser', 'first_party', 'grant')),
    -- The OAuth client; NULL for a browser's.
    client_id text,
    scopes text[] NOT NULL DEFAULT '{}',
    -- SHA-256 of the cookie; NULL except for a browser's.
    cookie_hash bytea CONSTRAINT sessions_cookie_unique UNIQUE,
    -- RFC 8176: pwd, otp, mfa, fed.
    methods text[] NOT NULL,
    authenticated_at timestamptz NOT NULL,
    -- {"address": ..., "user_agent": ...}
    sealed bytea,
    created_at timestamptz NOT NULL,
    seen_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    ended_at timestamptz,
    end_reason text,
    CONSTRAINT sessions_ended_with_reason
        CHECK ((ended_at IS NULL) = (end_reason IS NULL)),
    CONSTRAINT sessions_cookie_of_browser
        CHECK ((kind = 'browser') = (cookie_hash IS NOT NULL)),
    CONSTRAINT sessions_client_of_tokens
        CHECK ((kind = 'browser') = (client_id IS NULL))
);
CREATE INDEX sessions_of_account ON sessions (account_id, id DESC)
    WHERE ended_at IS NULL;
CREATE INDEX sessions_by_age ON sessions (expires_at);

CREATE TABLE second_factors (
    account_id uuid PRIMARY KEY REFERENCES accounts,
    -- The shared secret of RFC 6238.
    sealed bytea NOT NULL,
    -- NULL until the first code proved that the owner has it.
    confirmed_at timestamptz,
    -- The time step of the last code that was taken: none is taken twice.
    last_step bigint NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL
);

CREATE TABLE recovery_codes (
    account_id uuid NOT NULL REFERENCES accounts,
    code_hash bytea NOT NULL,
    used_at timestamptz,
    PRIMARY KEY (account_id, code_hash)
);

-- Failures of late, by what they have in common. Subjects are keyed hashes.
CREATE TABLE sign_in_failures (
    kind text NOT NULL CONSTRAINT sign_in_failures_kind_known
        CHECK (kind IN ('pair', 'account', 'address', 'second_factor')),
    subject bytea NOT NULL,
    failures integer NOT NULL,
    first_at timestamptz NOT NULL,
    last_at timestamptz NOT NULL,
    blocked_until timestamptz,
    PRIMARY KEY (kind, subject)
);
CREATE INDEX sign_in_failures_by_age ON sign_in_failures (last_at);

-- Where an account was signed in from before, as keyed hashes: there, a storm of
-- failures elsewhere does not keep its owner out.
CREATE TABLE familiar_places (
    account_id uuid NOT NULL REFERENCES accounts,
    place bytea NOT NULL,
    seen_at timestamptz NOT NULL,
    PRIMARY KEY (account_id, place)
);

-- Accounts elsewhere (OpenID providers) that open an account here.
CREATE TABLE linked_identities (
    issuer text NOT NULL,
    -- A keyed hash of the provider's `sub`.
    subject_index bytea NOT NULL,
    account_id uuid NOT NULL REFERENCES accounts,
    linked_at timestamptz NOT NULL,
    PRIMARY KEY (issuer, subject_index)
);
CREATE INDEX linked_identities_of_account ON linked_identities (account_id);

-- oauth -------------------------------------------------------------------------

CREATE TABLE oauth_clients (
    id text PRIMARY KEY,
    name text NOT NULL,
    kind text NOT NULL CONSTRAINT oauth_clients_kind_known
        CHECK (kind IN ('public', 'confidential')),
    -- SHA-256 of 256 random bits.
    secret_hash bytea,
    -- Compared letter by letter (RFC 9700 2.1).
    redirect_uris text[] NOT NULL,
    grant_types text[] NOT NULL,
    scopes text[] NOT NULL,
    -- The shop's own: no consent is asked, and it may take passwords.
    first_party boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    disabled_at timestamptz,
    CONSTRAINT oauth_clients_secret_of_confidential
        CHECK ((kind = 'confidential') = (secret_hash IS NOT NULL))
);

CREATE TABLE signing_keys (
    id text PRIMARY KEY,
    algorithm text NOT NULL,
    public_jwk jsonb NOT NULL,
    -- The private key as JWK.
    sealed bytea NOT NULL,
    created_at timestamptz NOT NULL,
    -- Published before it signs, so that whoever keeps the list has it in time.
    signs_from timestamptz NOT NULL,
    -- Listed until what it signed has expired; NULL until another key follows.
    listed_until timestamptz
);

CREATE TABLE authorization_codes (
    code_hash bytea PRIMARY KEY,
    client_id text NOT NULL REFERENCES oauth_clients ON DELETE CASCADE,
    account_id uuid NOT NULL REFERENCES accounts,
    redirect_uri text NOT NULL,
    -- BASE64URL(SHA-256(verifier)), RFC 7636 4.2.
    code_challenge text NOT NULL,
    scopes text[] NOT NULL,
    nonce text,
    methods text[] NOT NULL,
    authenticated_at timestamptz NOT NULL,
    -- The browser's session it was given in: signing out there ends it.
    browser_session_id uuid NOT NULL REFERENCES sessions,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    redeemed_at timestamptz,
    -- What it was redeemed for: ended when the code comes again.
    session_id uuid REFERENCES sessions
);
CREATE INDEX authorization_codes_by_age ON authorization_codes (expires_at);

-- Each is used once; its use makes the next. The session is the family.
CREATE TABLE refresh_tokens (
    token_hash bytea PRIMARY KEY,
    session_id uuid NOT NULL REFERENCES sessions,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at timestamptz
);
CREATE INDEX refresh_tokens_of_session ON refresh_tokens (session_id);
CREATE INDEX refresh_tokens_by_age ON refresh_tokens (expires_at);

-- Access tokens that were taken back before they expired.
CREATE TABLE revoked_tokens (
    id uuid PRIMARY KEY,
    expires_at timestamptz NOT NULL
);

CREATE TABLE oauth_consents (
    account_id uuid NOT NULL REFERENCES accounts,
    client_id text NOT NULL REFERENCES oauth_clients ON DELETE CASCADE,
    scopes text[] NOT NULL,
    granted_at timestamptz NOT NULL,
    PRIMARY KEY (account_id, client_id)
);

-- customers ---------------------------------------------------------------------

CREATE TABLE customers (
    account_id uuid PRIMARY KEY REFERENCES accounts,
    -- {"given_name": ..., "family_name": ..., "phone": ...}
    sealed bytea,
    -- BCP 47, ISO 4217 and IANA names.
    locale text,
    currency text,
    time_zone text,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);

CREATE TABLE customer_addresses (
    id uuid PRIMARY KEY,
    account_id uuid NOT NULL REFERENCES accounts,
    -- Every field of the address.
    sealed bytea NOT NULL,
    default_shipping boolean NOT NULL DEFAULT false,
    default_billing boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);
CREATE INDEX customer_addresses_of_account ON customer_addresses (account_id, id);
CREATE UNIQUE INDEX customer_addresses_one_shipping ON customer_addresses (account_id)
    WHERE default_shipping;
CREATE UNIQUE INDEX customer_addresses_one_billing ON customer_addresses (account_id)
    WHERE default_billing;

-- What a person agreed to, or took back: the record, never changed.
CREATE TABLE marketing_consents (
    id uuid PRIMARY KEY,
    account_id uuid NOT NULL REFERENCES accounts,
    granted boolean NOT NULL,
    -- Where it was said: account_page, checkout, operator:<id>.
    source text NOT NULL,
    said_at timestamptz NOT NULL
);
CREATE INDEX marketing_consents_of_account ON marketing_consents (account_id, id DESC);

-- catalog -------------------------------------------------------------------

CREATE TABLE categories (
    id uuid PRIMARY KEY,
    handle text NOT NULL CONSTRAINT categories_handle_unique UNIQUE,
    name text NOT NULL,
    position integer NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    parent_id uuid CONSTRAINT categories_parent_exists REFERENCES categories,
    description_html text NOT NULL DEFAULT '',
    seo_title text NOT NULL DEFAULT '',
    seo_description text NOT NULL DEFAULT '',
    version bigint NOT NULL DEFAULT 1,
    CONSTRAINT categories_parent_is_another CHECK (parent_id <> id)
);
CREATE INDEX categories_by_parent ON categories (parent_id, position, id);

CREATE TABLE products (
    id uuid PRIMARY KEY,
    handle text NOT NULL CONSTRAINT products_handle_unique UNIQUE,
    title text NOT NULL,
    description_html text NOT NULL DEFAULT '',
    vendor text NOT NULL DEFAULT '',
    product_type text NOT NULL DEFAULT '',
    status text NOT NULL CONSTRAINT products_status_known
        CHECK (status IN ('draft', 'active', 'archived', 'scheduled')),
    tags text[] NOT NULL DEFAULT '{}',
    -- [{"name": "Size", "values": ["S", "M"]}], in the order they are offered.
    options jsonb NOT NULL DEFAULT '[]',
    -- What the product was last imported from, so that the same import again
    -- can be told from a change. NULL for products made by hand.
    source_hash bytea,
    -- What a search matched before it had an index of its own (product_index).
    search tsvector NOT NULL DEFAULT '',
    -- This row and its variants, images and categories as the JSON a client reads, made
    -- in the transaction of every write. The stock of each variant is not in it:
    -- U+001F, which JSON cannot contain, stands where each number goes.
    document text NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    -- Counts the writes of the product, its variants, categories and images.
    version bigint NOT NULL DEFAULT 0,
    seo_title text NOT NULL DEFAULT '',
    seo_description text NOT NULL DEFAULT '',
    -- When a scheduled product goes on sale, and when one goes off it.
    publish_at timestamptz,
    unpublish_at timestamptz,
    -- {"material": "oak", "depth": 40}: by the codes of attribute_definitions.
    attributes jsonb NOT NULL DEFAULT '{}',
    -- Which way of writing its document and its index they were written in. The worker
    -- writes anew, a few at a time, what is of an older one.
    document_version smallint NOT NULL DEFAULT 0,
    CONSTRAINT products_scheduled_when
        CHECK (status <> 'scheduled' OR publish_at IS NOT NULL)
);
CREATE INDEX products_on_sale ON products (id) WHERE status IN ('active', 'scheduled');
CREATE INDEX products_due ON products (least(publish_at, unpublish_at))
    WHERE status IN ('active', 'scheduled')
      AND (publish_at IS NOT NULL OR unpublish_at IS NOT NULL);
CREATE INDEX products_by_document_version ON products (document_version, id);
CREATE INDEX products_by_attributes ON products USING gin (attributes jsonb_path_ops);

-- What the status of a product is at a moment, whether or not somebody has come by to
-- write it down.
CREATE FUNCTION status_at(
    status text, publish_at timestamptz, unpublish_at timestamptz, moment timestamptz
) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE
        WHEN status IN ('active', 'scheduled') AND unpublish_at <= moment THEN 'archived'
        WHEN status = 'scheduled' AND publish_at <= moment THEN 'active'
        ELSE status
    END;

-- What a search compares: letters of the Latin, Greek and Cyrillic scripts without
-- their accents, as catalog's `without_accents` does in Python. Most texts have no letter
-- that could have one. Not STRICT, so that it is inlined.
CREATE FUNCTION without_accents(written text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN octet_length(written) = length(written) THEN written
        ELSE normalize(regexp_replace(normalize(written, NFKD), '[\u0300-\u036f]', '', 'g'),
                       NFC) END;

CREATE TABLE product_categories (
    product_id uuid NOT NULL REFERENCES products ON DELETE CASCADE,
    category_id uuid NOT NULL REFERENCES categories ON DELETE CASCADE,
    PRIMARY KEY (product_id, category_id)
);
CREATE INDEX product_categories_by_category
    ON product_categories (category_id, product_id);

CREATE TABLE variants (
    id uuid PRIMARY KEY,
    product_id uuid NOT NULL REFERENCES products ON DELETE CASCADE,
    sku text NOT NULL CONSTRAINT variants_sku_unique UNIQUE,
    title text NOT NULL DEFAULT '',
    -- {"Size": "M"}: one value for each option of the product.
    options jsonb NOT NULL DEFAULT '{}',
    price_amount bigint NOT NULL CONSTRAINT variants_price_not_negative
        CHECK (price_amount >= 0),
    compare_at_amount bigint CONSTRAINT variants_compare_at_not_negative
        CHECK (compare_at_amount >= 0),
    currency text NOT NULL CONSTRAINT variants_currency_shape
        CHECK (currency ~ '^[A-Z]{3}$'),
    weight_grams bigint NOT NULL DEFAULT 0 CONSTRAINT variants_weight_not_negative
        CHECK (weight_grams >= 0),
    barcode text,
    position integer NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    -- Which of the product's images shows the variant.
    image_id uuid
);
CREATE INDEX variants_by_product ON variants (product_id, position);
CREATE INDEX variants_by_barcode ON variants (barcode) WHERE barcode IS NOT NULL;
-- What is reduced is little of much, as a rule.
CREATE INDEX variants_reduced ON variants (product_id)
    WHERE compare_at_amount > price_amount;

CREATE TABLE product_images (
    id uuid PRIMARY KEY,
    product_id uuid NOT NULL REFERENCES products ON DELETE CASCADE,
    url text NOT NULL,
    alt text NOT NULL DEFAULT '',
    width integer,
    height integer,
    position integer NOT NULL,
    -- What is in the shop's own store of pictures; NULL for one kept elsewhere.
    asset_id uuid
);
CREATE INDEX product_images_by_product ON product_images (product_id, position);
CREATE INDEX product_images_by_asset ON product_images (asset_id)
    WHERE asset_id IS NOT NULL;

-- Pictures that people upload, kept by the shop itself.
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
    -- Until when somebody draws it, or nobody sweeps its files; how often it was drawn.
    claimed_until timestamptz,
    attempts integer NOT NULL DEFAULT 0,
    -- Whether the upload is still beside what was drawn from it.
    has_original boolean NOT NULL DEFAULT true,
    -- When the files of a gravestone were first removed.
    swept_at timestamptz,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    -- Raised by what people change of it; being drawn is no change of theirs.
    version bigint NOT NULL DEFAULT 1
);
-- What waits to be drawn, oldest first.
CREATE INDEX media_assets_to_draw ON media_assets (id) WHERE status = 'processing';
-- What the sweep looks for: a handful, however many pictures there are.
CREATE INDEX media_assets_to_sweep ON media_assets (updated_at)
    WHERE status IN ('arriving', 'removed')
       OR (has_original AND status IN ('ready', 'failed'));

-- What can be said of a product besides, and of what type it is.
CREATE TABLE attribute_definitions (
    code text PRIMARY KEY,
    name text NOT NULL,
    type text NOT NULL CONSTRAINT attribute_definitions_type_known
        CHECK (type IN ('text', 'number', 'boolean', 'date', 'choice', 'reference')),
    -- What a choice chooses from, in order; empty for other types.
    choices text[] NOT NULL DEFAULT '{}',
    filterable boolean NOT NULL DEFAULT false,
    position integer NOT NULL DEFAULT 0,
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);

-- What attributes and their choices are called in other languages than the shop's own.
CREATE TABLE attribute_translations (
    code text NOT NULL REFERENCES attribute_definitions ON DELETE CASCADE,
    -- A language tag: de, pt-BR.
    language text NOT NULL,
    -- {"name": "Holz", "choices": {"oak": "Eiche"}}: the others are as they are.
    fields jsonb NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (code, language)
);

-- The texts of a product in other languages than the shop's own.
CREATE TABLE product_translations (
    product_id uuid NOT NULL REFERENCES products ON DELETE CASCADE,
    -- A language tag: de, pt-BR.
    language text NOT NULL,
    -- {"title": "Tasse"}: the fields that are translated; the others are as they are.
    fields jsonb NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (product_id, language)
);

-- The same of categories.
CREATE TABLE category_translations (
    category_id uuid NOT NULL REFERENCES categories ON DELETE CASCADE,
    -- A language tag: de, pt-BR.
    language text NOT NULL,
    -- {"name": "Tassen"}: the fields that are translated; the others are as they are.
    fields jsonb NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (category_id, language)
);

-- What else somebody may want who looks at a product, in order.
CREATE TABLE related_products (
    product_id uuid NOT NULL REFERENCES products ON DELETE CASCADE,
    related_id uuid NOT NULL REFERENCES products ON DELETE CASCADE,
    position integer NOT NULL,
    PRIMARY KEY (product_id, related_id),
    CONSTRAINT related_products_another CHECK (product_id <> related_id)
);
CREATE INDEX related_products_by_related ON related_products (related_id);

-- Who changed what of a product. It outlives the product.
CREATE TABLE product_changes (
    id uuid PRIMARY KEY,
    product_id uuid NOT NULL,
    -- The version that the change made; the last there was for a deletion.
    version bigint NOT NULL,
    action text NOT NULL CONSTRAINT product_changes_action_known CHECK (action IN
        ('created', 'changed', 'published', 'unpublished', 'deleted')),
    actor text NOT NULL,
    -- [{"field": "title", "old": "Cup", "new": "Mug"}]
    changes jsonb NOT NULL,
    at timestamptz NOT NULL
);
CREATE INDEX product_changes_by_product ON product_changes (product_id, id DESC);

-- Who changed what of a category, its translations too. It outlives the category.
CREATE TABLE category_changes (
    id uuid PRIMARY KEY,
    category_id uuid NOT NULL,
    -- The version that the change made; the last there was for a deletion.
    version bigint NOT NULL,
    action text NOT NULL CONSTRAINT category_changes_action_known
        CHECK (action IN ('created', 'changed', 'deleted')),
    actor text NOT NULL,
    changes jsonb NOT NULL,
    at timestamptz NOT NULL
);
CREATE INDEX category_changes_by_category ON category_changes (category_id, id DESC);

-- The same of the definition of an attribute. One that is defined again goes on with it.
CREATE TABLE attribute_changes (
    id uuid PRIMARY KEY,
    code text NOT NULL,
    version bigint NOT NULL,
    action text NOT NULL CONSTRAINT attribute_changes_action_known
        CHECK (action IN ('created', 'changed', 'deleted')),
    actor text NOT NULL,
    changes jsonb NOT NULL,
    at timestamptz NOT NULL
);
CREATE INDEX attribute_changes_by_code ON attribute_changes (code, id DESC);

-- Products put together by hand, or by a rule that says what belongs.
CREATE TABLE collections (
    id uuid PRIMARY KEY,
    handle text NOT NULL CONSTRAINT collections_handle_unique UNIQUE,
    title text NOT NULL,
    description_html text NOT NULL,
    seo_title text NOT NULL,
    seo_description text NOT NULL,
    -- A picture of the shop's own, which stays while it is shown here.
    image_id uuid,
    image_alt text NOT NULL,
    status text NOT NULL CONSTRAINT collections_status_known
        CHECK (status IN ('draft', 'active')),
    -- From when until when buyers see it, once it is active.
    publish_at timestamptz,
    unpublish_at timestamptz,
    sort text NOT NULL CONSTRAINT collections_sort_known
        CHECK (sort IN ('manual', 'newest', 'title', 'price', '-price')),
    -- {"match": "all", "conditions": [{"field": "tag", ...}]}; NULL where the products
    -- are put in by hand. Who belongs is asked at each read, so nothing goes stale.
    rule jsonb,
    position integer NOT NULL,
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT collections_rules_have_no_hand
        CHECK (rule IS NULL OR sort <> 'manual')
);
CREATE INDEX collections_in_order ON collections (position, id);
CREATE INDEX collections_by_image ON collections (image_id) WHERE image_id IS NOT NULL;

-- What was put in by hand. It stays while a rule decides instead.
CREATE TABLE collection_products (
    collection_id uuid NOT NULL REFERENCES collections ON DELETE CASCADE,
    product_id uuid NOT NULL REFERENCES products ON DELETE CASCADE,
    -- To sort by, with room between: moving one product writes one row, and shifts
    -- nothing for somebody who is reading page by page.
    place bigint NOT NULL,
    PRIMARY KEY (collection_id, product_id)
);
CREATE INDEX collection_products_in_order
    ON collection_products (collection_id, place, product_id);
CREATE INDEX collection_products_by_product ON collection_products (product_id);

-- Who changed what of a collection. It outlives the collection.
CREATE TABLE collection_changes (
    id uuid PRIMARY KEY,
    collection_id uuid NOT NULL,
    -- The version that the change made; the last there was for a deletion.
    version bigint NOT NULL,
    action text NOT NULL CONSTRAINT collection_changes_action_known
        CHECK (action IN ('created', 'changed', 'deleted')),
    actor text NOT NULL,
    changes jsonb NOT NULL,
    at timestamptz NOT NULL
);
CREATE INDEX collection_changes_by_collection
    ON collection_changes (collection_id, id DESC);

-- The texts of collections in other languages than the shop's own.
CREATE TABLE collection_translations (
    collection_id uuid NOT NULL REFERENCES collections ON DELETE CASCADE,
    -- A language tag: de, pt-BR.
    language text NOT NULL,
    -- {"title": "Geschenke"}: the fields that are translated; the others are as they are.
    fields jsonb NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (collection_id, language)
);

-- pricing -------------------------------------------------------------------

CREATE TABLE customer_groups (
    id uuid PRIMARY KEY,
    -- How people and files name it: wholesale, club-gold.
    code text NOT NULL CONSTRAINT customer_groups_code_unique UNIQUE,
    name text NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    -- Raised by every change, of its members too.
    version bigint NOT NULL DEFAULT 1
);

CREATE TABLE customer_group_members (
    account_id uuid NOT NULL REFERENCES accounts ON DELETE CASCADE,
    group_id uuid NOT NULL REFERENCES customer_groups ON DELETE CASCADE,
    added_by text NOT NULL,
    added_at timestamptz NOT NULL,
    PRIMARY KEY (account_id, group_id)
);
CREATE INDEX customer_group_members_by_group
    ON customer_group_members (group_id, account_id);

CREATE TABLE price_lists (
    id uuid PRIMARY KEY,
    code text NOT NULL CONSTRAINT price_lists_code_unique UNIQUE,
    name text NOT NULL,
    -- A sale lowers prices; a contract takes their place, higher ones too.
    kind text NOT NULL CONSTRAINT price_lists_kind_known
        CHECK (kind IN ('sale', 'contract')),
    -- Whether it is for everybody, or for the groups in price_list_groups alone.
    for_everybody boolean NOT NULL,
    starts_at timestamptz,
    ends_at timestamptz,
    -- Since when it has been as it is; what it was before is in price_list_changes.
    since timestamptz NOT NULL,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    -- When it was withdrawn; its prices stay on record.
    removed_at timestamptz,
    -- Raised by every change of the list, not of the prices in it.
    version bigint NOT NULL DEFAULT 1,
    CONSTRAINT price_lists_end_after_start CHECK (starts_at < ends_at),
    CONSTRAINT price_lists_contracts_are_with_groups
        CHECK (NOT (kind = 'contract' AND for_everybody))
);

CREATE TABLE price_list_groups (
    price_list_id uuid NOT NULL REFERENCES price_lists,
    group_id uuid NOT NULL
        CONSTRAINT price_list_groups_group_known REFERENCES customer_groups,
    PRIMARY KEY (price_list_id, group_id)
);
CREATE INDEX price_list_groups_by_group ON price_list_groups (group_id);

-- For whom and when a list held, while it was something else than it is now.
CREATE TABLE price_list_changes (
    price_list_id uuid NOT NULL REFERENCES price_lists,
    since timestamptz NOT NULL,
    until timestamptz NOT NULL,
    for_everybody boolean NOT NULL,
    group_ids uuid[] NOT NULL,
    starts_at timestamptz,
    ends_at timestamptz,
    PRIMARY KEY (price_list_id, since)
);

-- Every price beside that of the variant itself. A price is never changed: it is
-- removed and another is put in its place, so that this is its own history.
CREATE TABLE prices (
    id uuid PRIMARY KEY,
    variant_id uuid NOT NULL REFERENCES variants ON DELETE CASCADE,
    -- NULL: the shop's own, for everybody.
    price_list_id uuid REFERENCES price_lists,
    currency text NOT NULL CONSTRAINT prices_currency_shape
        CHECK (currency ~ '^[A-Z]{3}$'),
    -- From how many of the variant on.
    min_quantity bigint NOT NULL CONSTRAINT prices_min_quantity_positive
        CHECK (min_quantity > 0),
    amount bigint NOT NULL CONSTRAINT prices_amount_in_range
        CHECK (amount BETWEEN 0 AND 1000000000000000),
    compare_at_amount bigint CONSTRAINT prices_compare_at_in_range
        CHECK (compare_at_amount BETWEEN 0 AND 1000000000000000),
    starts_at timestamptz,
    ends_at timestamptz,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL,
    removed_by text,
    removed_at timestamptz,
    CONSTRAINT prices_end_after_start CHECK (starts_at < ends_at)
);
CREATE UNIQUE INDEX prices_once ON prices (variant_id, currency, price_list_id,
                                           min_quantity, starts_at, ends_at)
    NULLS NOT DISTINCT WHERE removed_at IS NULL;
CREATE INDEX prices_by_list ON prices (price_list_id, id) WHERE removed_at IS NULL;
CREATE INDEX prices_ever ON prices (variant_id, currency);

-- What the price of a variant itself was before it was changed.
CREATE TABLE base_price_changes (
    variant_id uuid NOT NULL REFERENCES variants ON DELETE CASCADE,
    since timestamptz NOT NULL,
    until timestamptz NOT NULL,
    currency text NOT NULL,
    amount bigint NOT NULL,
    compare_at_amount bigint,
    PRIMARY KEY (variant_id, since)
);

-- Whoever changes the price of a variant, by whatever way, cannot forget to write down
-- what it was.
CREATE FUNCTION keep_base_price() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO base_price_changes (variant_id, since, until, currency, amount,
                                    compare_at_amount)
    SELECT OLD.id, held.since, NEW.updated_at, OLD.currency, OLD.price_amount,
           OLD.compare_at_amount
    FROM (SELECT coalesce(max(c.until), OLD.created_at) AS since
          FROM base_price_changes c WHERE c.variant_id = OLD.id) AS held
    -- Of two changes at one instant, nobody was sold the price in between.
    WHERE held.since < NEW.updated_at;
    RETURN NULL;
END
$$;
CREATE TRIGGER variants_keep_their_prices AFTER UPDATE ON variants
    FOR EACH ROW WHEN (
        (OLD.price_amount, OLD.currency) IS DISTINCT FROM
        (NEW.price_amount, NEW.currency)
        OR OLD.compare_at_amount IS DISTINCT FROM NEW.compare_at_amount)
    EXECUTE FUNCTION keep_base_price();

-- What may hold for whom now: of lists that are not withdrawn, with one row for
-- everybody or for each group. The entry is what pricing's `book_of` reads.
CREATE VIEW prices_on_record AS
SELECT p.variant_id, p.currency, p.price_list_id, audience.group_id,
       jsonb_build_array(
           p.id, p.min_quantity, p.amount, p.compare_at_amount, p.starts_at, p.ends_at,
           l.id, l.kind, l.starts_at, l.ends_at, audience.group_id) AS entry
FROM prices p
LEFT JOIN price_lists l ON l.id = p.price_list_id
LEFT JOIN price_list_groups audience
    ON audience.price_list_id = l.id AND NOT l.for_everybody
WHERE p.removed_at IS NULL AND l.removed_at IS NULL
  AND (l.id IS NULL OR l.for_everybody OR audience.group_id IS NOT NULL);

-- The same of any time: what an entry said, of whom, and for which time it was on record
-- just so. Of the prices of variants themselves too.
CREATE VIEW prices_known AS
SELECT p.variant_id, p.currency, audience.group_id,
       jsonb_build_array(
           p.id, p.min_quantity, p.amount, p.compare_at_amount, p.starts_at, p.ends_at,
           p.price_list_id, l.kind, l.starts_at, l.ends_at, audience.group_id,
           greatest(p.created_at, l.since), least(p.removed_at, l.until)) AS entry
FROM prices p
LEFT JOIN LATERAL (
    SELECT n.id, n.kind, n.for_everybody, ARRAY(
               SELECT g.group_id FROM price_list_groups g
               WHERE g.price_list_id = n.id) AS group_ids,
           n.starts_at, n.ends_at, n.since, n.removed_at AS until
    FROM price_lists n WHERE n.id = p.price_list_id
    UNION ALL
    SELECT n.id, n.kind, was.for_everybody, was.group_ids, was.starts_at, was.ends_at,
           was.since, was.until
    FROM price_list_changes was JOIN price_lists n ON n.id = was.price_list_id
    WHERE was.price_list_id = p.price_list_id
) AS l ON true
LEFT JOIN LATERAL unnest(l.group_ids) AS audience (group_id) ON NOT l.for_everybody
WHERE (l.id IS NULL OR l.for_everybody OR audience.group_id IS NOT NULL)
  AND (least(p.removed_at, l.until) IS NULL
       OR greatest(p.created_at, l.since) < least(p.removed_at, l.until))
UNION ALL
SELECT v.id, v.currency, NULL,
       jsonb_build_array(
           NULL, 1, v.price_amount, v.compare_at_amount, NULL, NULL, NULL, NULL, NULL,
           NULL, NULL, coalesce((
               SELECT max(c.until) FROM base_price_changes c
               WHERE c.variant_id = v.id), v.created_at), NULL)
FROM variants v
UNION ALL
SELECT c.variant_id, c.currency, NULL,
       jsonb_build_array(
           NULL, 1, c.amount, c.compare_at_amount, NULL, NULL, NULL, NULL, NULL, NULL,
           NULL, c.since, c.until)
FROM base_price_changes c;

-- imports -------------------------------------------------------------------

-- A file on its way in, and how far it is.
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

-- What leads from products of a running job to others that were not there yet. They may
-- be further down in the file, so it waits for the end of that.
CREATE TABLE import_links (
    job_id uuid NOT NULL REFERENCES import_jobs ON DELETE CASCADE,
    handle text NOT NULL,
    line bigint NOT NULL,
    -- Handles of what the product is related to; NULL if that is settled.
    related text[],
    -- {"goes_with": "cup"}: by the codes of attributes, handles of what they refer to.
    "references" jsonb NOT NULL,
    PRIMARY KEY (job_id, handle)
);

-- search --------------------------------------------------------------------

-- Similarity of words, for typing errors. A server may lack it, and then words are
-- found as they are written and no otherwise; `/readyz` says so.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_available_extensions WHERE name = 'pg_trgm') THEN
        CREATE EXTENSION IF NOT EXISTS pg_trgm;
    END IF;
EXCEPTION WHEN insufficient_privilege THEN
    RAISE NOTICE 'pg_trgm may not be created here: search goes without it';
END $$;

-- A text as search compares it: words of lower-case letters and digits without
-- accents, one space between them. Queries and products go through the same function,
-- so that they agree on what a word is.
CREATE FUNCTION search_text(written text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN btrim(regexp_replace(
        translate(lower(without_accents(written)), '''’`´ʼ', ''),
        '[^[:alnum:]]+', ' ', 'g'));

-- How PostgreSQL stems a language; what it has no stems for is taken as it is.
CREATE FUNCTION search_language(tag text) RETURNS regconfig
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE split_part(lower(tag), '-', 1)
        WHEN 'ar' THEN 'arabic'::regconfig WHEN 'ca' THEN 'catalan'::regconfig
        WHEN 'da' THEN 'danish'::regconfig WHEN 'de' THEN 'german'::regconfig
        WHEN 'el' THEN 'greek'::regconfig WHEN 'en' THEN 'english'::regconfig
        WHEN 'es' THEN 'spanish'::regconfig WHEN 'fi' THEN 'finnish'::regconfig
        WHEN 'fr' THEN 'french'::regconfig WHEN 'hu' THEN 'hungarian'::regconfig
        WHEN 'it' THEN 'italian'::regconfig WHEN 'nb' THEN 'norwegian'::regconfig
        WHEN 'nl' THEN 'dutch'::regconfig WHEN 'no' THEN 'norwegian'::regconfig
        WHEN 'pt' THEN 'portuguese'::regconfig WHEN 'ro' THEN 'romanian'::regconfig
        WHEN 'ru' THEN 'russian'::regconfig WHEN 'sv' THEN 'swedish'::regconfig
        WHEN 'tr' THEN 'turkish'::regconfig ELSE 'simple'::regconfig END;

-- A question of words that the shop put together, or with operators as people write
-- them: "a phrase", -not, this or that. Words are looked for as they are and by stems.
-- After U+001F stands the word that somebody is still typing: where a language leaves
-- out words as too usual, as English does "t", such a word may yet become another.
CREATE FUNCTION search_query(asked text, language text, operators boolean)
    RETURNS tsquery LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN operators
        THEN websearch_to_tsquery(search_language(language), without_accents(asked))
            || websearch_to_tsquery('simple'::regconfig, without_accents(asked))
        ELSE (to_tsquery(search_language(language), split_part(asked, U&'\001F', 1))
              || to_tsquery('simple'::regconfig, split_part(asked, U&'\001F', 1)))
            && (to_tsquery(search_language(language), split_part(asked, U&'\001F', 2))
                || to_tsquery('simple'::regconfig, split_part(asked, U&'\001F', 2)))
        END;

-- In which samples of all products one is: of 2, of 4, ... of 256 one is in the sample of
-- that level, by chance and for ever. A sample is a word of the index like any other, so
-- that a question can be asked of it alone.
CREATE FUNCTION search_lots(product uuid) RETURNS tsvector
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE
        WHEN uuid_hash(product) & 1 <> 0 THEN ''::tsvector
        WHEN uuid_hash(product) & 2 <> 0 THEN U&'''\001F1'''::tsvector
        WHEN uuid_hash(product) & 4 <> 0 THEN U&'''\001F1'' ''\001F2'''::tsvector
        WHEN uuid_hash(product) & 8 <> 0
            THEN U&'''\001F1'' ''\001F2'' ''\001F3'''::tsvector
        WHEN uuid_hash(product) & 16 <> 0
            THEN U&'''\001F1'' ''\001F2'' ''\001F3'' ''\001F4'''::tsvector
        WHEN uuid_hash(product) & 32 <> 0
            THEN U&'''\001F1'' ''\001F2'' ''\001F3'' ''\001F4'' ''\001F5'''::tsvector
        WHEN uuid_hash(product) & 64 <> 0
            THEN U&'''\001F1'' ''\001F2'' ''\001F3'' ''\001F4'' ''\001F5'' ''\001F6'''
                ::tsvector
        WHEN uuid_hash(product) & 128 <> 0
            THEN U&'''\001F1'' ''\001F2'' ''\001F3'' ''\001F4'' ''\001F5'' ''\001F6'' ''\001F7'''
                ::tsvector
        ELSE U&'''\001F1'' ''\001F2'' ''\001F3'' ''\001F4'' ''\001F5'' ''\001F6'' ''\001F7'' ''\001F8'''
            ::tsvector END;

-- A question asked of a sample: of all products (level 0), of half of them (1), ... of one
-- in 256 (8). Without a question, the sample itself; nothing if it asks for nothing.
CREATE FUNCTION search_sample(asked tsquery, level integer) RETURNS tsquery
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE
        WHEN level = 0 OR numnode(asked) = 0 THEN asked
        WHEN asked IS NULL THEN (U&'''\001F' || level::text || '''')::tsquery
        ELSE asked && (U&'''\001F' || level::text || '''')::tsquery END;

-- The words of several texts as those of one.
CREATE AGGREGATE tsvector_join(tsvector)
    (SFUNC = tsvector_concat, STYPE = tsvector, INITCOND = '');

-- What is searched of each product, written in the transaction that writes the product.
CREATE TABLE product_index (
    product_id uuid PRIMARY KEY REFERENCES products ON DELETE CASCADE,
    status text NOT NULL,
    publish_at timestamptz,
    unpublish_at timestamptz,
    -- As search_text makes it: to sort by, and what typing begins with.
    title text COLLATE "C" NOT NULL,
    -- The words of title (A), vendor, type, tags, categories and codes (B), options and
    -- attributes (C) and description (D), as they are and as stems of their language.
    words tsvector NOT NULL,
    -- The words of the title alone: to tell better from worse where there are too many
    -- to weigh each.
    head tsvector NOT NULL,
    -- What can be chosen by, as name, U+001F, value: vendor, type, tag, option.Size,
    -- attribute.material.
    facets text[] NOT NULL,
    categories uuid[] NOT NULL,
    -- The least and the most it costs, in the currency of its first variant.
    currency text NOT NULL,
    price_low bigint NOT NULL,
    price_high bigint NOT NULL,
    -- Microseconds since 1970 at which it was made, negative: the newest sort first.
    age bigint NOT NULL,
    -- The numbers and days that can be filtered by: {"height": 12.5}.
    measures jsonb NOT NULL DEFAULT '{}'
);
-- What was written lately stands in a list that each search reads through: a short one
-- (KiB), as it should not be felt.
CREATE INDEX product_index_words ON product_index USING gin (words)
    WITH (gin_pending_list_limit = 256);
CREATE INDEX product_index_facets ON product_index USING gin (facets)
    WITH (gin_pending_list_limit = 256);
CREATE INDEX product_index_categories ON product_index USING gin (categories)
    WITH (gin_pending_list_limit = 256);
-- What has the words in its title is looked for by itself.
CREATE INDEX product_index_head ON product_index USING gin (head)
    WITH (gin_pending_list_limit = 256);
CREATE INDEX product_index_title ON product_index (title, product_id);
CREATE INDEX product_index_age ON product_index (age, product_id);
CREATE INDEX product_index_cheap ON product_index (price_low, product_id);
CREATE INDEX product_index_dear ON product_index ((-price_high), product_id);

-- Every word of the titles, vendors, types and tags of what is or was on sale. Words
-- that were typed wrong are compared with these, and what is being typed goes on to one
-- of them; there are thousands where products are millions.
CREATE TABLE search_words (
    word text COLLATE "C" PRIMARY KEY,
    -- What its other forms have in common with it.
    stem text NOT NULL,
    -- In how many products it was when it was counted: which is offered first. A word
    -- that is in none stays, unknown until one has it again.
    products bigint NOT NULL DEFAULT 1,
    counted_at timestamptz
);
CREATE INDEX search_words_counted ON search_words (counted_at NULLS FIRST, word);
CREATE INDEX search_words_stem ON search_words (stem);
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_extension WHERE extname = 'pg_trgm') THEN
        CREATE INDEX search_words_similar ON search_words
            USING gist (word gist_trgm_ops);
    END IF;
END $$;

-- What else somebody means who types a term.
CREATE TABLE search_synonyms (
    id uuid PRIMARY KEY,
    -- Terms as search_text makes them; whoever types one of `typed` finds `found` too.
    typed text[] NOT NULL,
    found text[] NOT NULL,
    -- Whether all of them mean each other; `typed` and `found` are then the same.
    mutual boolean NOT NULL,
    created_at timestamptz NOT NULL,
    version bigint NOT NULL DEFAULT 1
);
CREATE INDEX search_synonyms_typed ON search_synonyms USING gin (typed);

-- inventory -----------------------------------------------------------------

CREATE TABLE locations (
    id uuid PRIMARY KEY,
    -- How people and files name it: main, berlin-2.
    code text NOT NULL CONSTRAINT locations_code_unique UNIQUE,
    name text NOT NULL,
    -- Orders take from the lowest first.
    priority integer NOT NULL DEFAULT 0,
    address jsonb,
    active boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);
INSERT INTO locations (id, code, name, created_at, updated_at) VALUES
    ('01943a00-0000-7000-8000-000000000101', 'main', 'Main location', now(), now());

CREATE TABLE stock (
    variant_id uuid NOT NULL REFERENCES variants,
    on_hand bigint NOT NULL,
    reserved bigint NOT NULL DEFAULT 0,
    updated_at timestamptz NOT NULL,
    location_id uuid NOT NULL REFERENCES locations,
    safety_stock bigint NOT NULL DEFAULT 0
        CONSTRAINT stock_safety_not_negative CHECK (safety_stock >= 0),
    backorder_limit bigint NOT NULL DEFAULT 0
        CONSTRAINT stock_backorder_not_negative CHECK (backorder_limit >= 0),
    low_stock_threshold bigint
        CONSTRAINT stock_threshold_not_negative CHECK (low_stock_threshold >= 0),
    -- The location's own, copied: whoever locks this row knows whether it is in use.
    active boolean NOT NULL DEFAULT true,
    -- What can still be sold from here.
    available bigint NOT NULL GENERATED ALWAYS AS (
        CASE WHEN active
        THEN greatest(on_hand + backorder_limit - safety_stock - reserved, 0)
        ELSE 0 END) VIRTUAL,
    PRIMARY KEY (variant_id, location_id),
    CONSTRAINT stock_never_negative CHECK (on_hand >= 0),
    -- The one promise that no code path can break: what is promised to buyers
    -- never exceeds what is there, and what may be promised beyond that.
    CONSTRAINT stock_never_oversold
        CHECK (0 <= reserved AND reserved <= on_hand + backorder_limit)
) WITH (fillfactor = 50); -- room for HOT updates: a hot row changes on every sale
CREATE INDEX stock_by_location ON stock (location_id, variant_id);

-- What stock.reserved is made of: one row for each order or hold, variant and
-- location. No foreign key: it would lock the stock row, and a hold that passes to
-- its order is to leave a hot row alone.
CREATE TABLE reservations (
    holder_id uuid NOT NULL,
    variant_id uuid NOT NULL,
    quantity bigint NOT NULL CONSTRAINT reservations_quantity_positive
        CHECK (quantity > 0),
    reserved_at timestamptz NOT NULL,
    location_id uuid NOT NULL,
    -- When a hold ends by itself; NULL for an order's, which lasts until it is
    -- shipped or released.
    expires_at timestamptz,
    PRIMARY KEY (holder_id, variant_id, location_id)
);
CREATE INDEX reservations_by_expiry ON reservations (expires_at)
    WHERE expires_at IS NOT NULL;
CREATE INDEX reservations_expiring_by_variant ON reservations (variant_id, expires_at)
    WHERE expires_at IS NOT NULL;

-- The ledger: append-only. Its triggers are the only way to change what is on hand,
-- so that a level is the sum of its deltas.
CREATE TABLE stock_movements (
    id uuid PRIMARY KEY DEFAULT uuidv7(),
    variant_id uuid NOT NULL,
    delta bigint NOT NULL CONSTRAINT stock_movements_move CHECK (delta <> 0),
    kind text NOT NULL CONSTRAINT stock_movements_kind_known CHECK (kind IN
        ('receipt', 'sale', 'return', 'adjustment', 'transfer', 'count')),
    reason text NOT NULL DEFAULT '',
    -- The order of a sale or a return.
    order_id uuid,
    actor text NOT NULL,
    moved_at timestamptz NOT NULL,
    location_id uuid NOT NULL,
    -- What it belongs to elsewhere: a delivery note, a shipment, a transfer.
    reference text NOT NULL DEFAULT '',
    FOREIGN KEY (variant_id, location_id) REFERENCES stock
);
CREATE INDEX stock_movements_by_variant ON stock_movements (variant_id, id DESC);
CREATE INDEX stock_movements_by_order ON stock_movements (order_id, id DESC)
    WHERE order_id IS NOT NULL;

CREATE FUNCTION apply_stock_movements() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE stock s
    SET on_hand = s.on_hand + m.delta, updated_at = m.moved_at
    FROM (SELECT variant_id, location_id, sum(delta) AS delta, max(moved_at) AS moved_at
          FROM added GROUP BY 1, 2) AS m
    WHERE s.variant_id = m.variant_id AND s.location_id = m.location_id
      AND m.delta <> 0;
    RETURN NULL;
END;
$$;
CREATE TRIGGER stock_movements_change_levels AFTER INSERT ON stock_movements
    REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION apply_stock_movements();

CREATE FUNCTION keep_stock_movements() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'stock movements are kept as they are'
        USING ERRCODE = 'integrity_constraint_violation',
              CONSTRAINT = 'stock_movements_are_kept';
END;
$$;
CREATE TRIGGER stock_movements_are_kept BEFORE UPDATE OR DELETE ON stock_movements
    FOR EACH ROW EXECUTE FUNCTION keep_stock_movements();
CREATE TRIGGER stock_movements_are_not_emptied BEFORE TRUNCATE ON stock_movements
    FOR EACH STATEMENT EXECUTE FUNCTION keep_stock_movements();

-- A level may be set to what its ledger says, which is how drift is repaired.
CREATE FUNCTION refuse_stock_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND NEW.on_hand = (
        SELECT coalesce(sum(m.delta), 0) FROM stock_movements m
        WHERE m.variant_id = NEW.variant_id AND m.location_id = NEW.location_id) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'a level changes by a movement only'
        USING ERRCODE = 'integrity_constraint_violation',
              CONSTRAINT = 'stock_follows_ledger';
END;
$$;
CREATE TRIGGER stock_follows_ledger BEFORE UPDATE OF on_hand ON stock
    FOR EACH ROW WHEN (OLD.on_hand <> NEW.on_hand AND pg_trigger_depth() = 0)
    EXECUTE FUNCTION refuse_stock_change();
CREATE TRIGGER stock_begins_empty BEFORE INSERT ON stock
    FOR EACH ROW WHEN (NEW.on_hand <> 0) EXECUTE FUNCTION refuse_stock_change();

-- Waits for whoever opens or closes the location at the moment.
CREATE FUNCTION copy_location_state() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    SELECT l.active INTO STRICT NEW.active
    FROM locations l WHERE l.id = NEW.location_id FOR SHARE;
    RETURN NEW;
END;
$$;
CREATE TRIGGER stock_knows_its_location BEFORE INSERT ON stock
    FOR EACH ROW EXECUTE FUNCTION copy_location_state();

-- Each time the units on the shelf that nobody is promised fell to the threshold.
CREATE TABLE stock_alerts (
    id uuid PRIMARY KEY DEFAULT uuidv7(),
    variant_id uuid NOT NULL,
    location_id uuid NOT NULL,
    -- Units that were left, and what was said to be few.
    remaining bigint NOT NULL,
    threshold bigint NOT NULL,
    raised_at timestamptz NOT NULL,
    -- When it was told; NULL until the worker did.
    published_at timestamptz
);
CREATE INDEX stock_alerts_untold ON stock_alerts (id) WHERE published_at IS NULL;

CREATE FUNCTION raise_stock_alert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO stock_alerts (variant_id, location_id, remaining, threshold, raised_at)
    VALUES (NEW.variant_id, NEW.location_id, NEW.on_hand - NEW.reserved,
            NEW.low_stock_threshold, NEW.updated_at);
    RETURN NULL;
END;
$$;
CREATE TRIGGER stock_runs_low AFTER UPDATE ON stock
    FOR EACH ROW WHEN (
        NEW.low_stock_threshold IS NOT NULL
        AND NEW.on_hand - NEW.reserved <= NEW.low_stock_threshold
        AND (OLD.low_stock_threshold IS NULL
             OR OLD.on_hand - OLD.reserved > OLD.low_stock_threshold))
    EXECUTE FUNCTION raise_stock_alert();

-- Units on their way from one location to another. They leave when it is dispatched
-- and are on no shelf until they are received.
CREATE TABLE transfers (
    id uuid PRIMARY KEY,
    from_location_id uuid NOT NULL REFERENCES locations,
    to_location_id uuid NOT NULL REFERENCES locations,
    status text NOT NULL CONSTRAINT transfers_status_known CHECK (status IN
        ('pending', 'in_transit', 'partly_received', 'received', 'canceled')),
    reference text NOT NULL DEFAULT '',
    actor text NOT NULL,
    created_at timestamptz NOT NULL,
    dispatched_at timestamptz,
    closed_at timestamptz,
    CONSTRAINT transfers_go_elsewhere CHECK (from_location_id <> to_location_id)
);
CREATE INDEX transfers_open ON transfers (id DESC) WHERE closed_at IS NULL;

CREATE TABLE transfer_lines (
    transfer_id uuid NOT NULL REFERENCES transfers,
    variant_id uuid NOT NULL REFERENCES variants,
    quantity bigint NOT NULL CONSTRAINT transfer_lines_quantity_positive
        CHECK (quantity > 0),
    received_quantity bigint NOT NULL DEFAULT 0
        CONSTRAINT transfer_lines_received_once
        CHECK (0 <= received_quantity AND received_quantity <= quantity),
    PRIMARY KEY (transfer_id, variant_id)
);

-- A stock count: what was found on the shelves of a location.
CREATE TABLE stock_counts (
    id uuid PRIMARY KEY,
    location_id uuid NOT NULL REFERENCES locations,
    status text NOT NULL CONSTRAINT stock_counts_status_known
        CHECK (status IN ('open', 'applied', 'canceled')),
    reference text NOT NULL DEFAULT '',
    actor text NOT NULL,
    opened_at timestamptz NOT NULL,
    closed_at timestamptz
);

CREATE TABLE stock_count_lines (
    count_id uuid NOT NULL REFERENCES stock_counts,
    variant_id uuid NOT NULL REFERENCES variants,
    -- The level when it was counted: applying writes the difference to what was
    -- counted, so that sales in between are not undone.
    expected bigint NOT NULL,
    counted bigint NOT NULL CONSTRAINT stock_count_lines_not_negative
        CHECK (counted >= 0),
    actor text NOT NULL,
    counted_at timestamptz NOT NULL,
    PRIMARY KEY (count_id, variant_id)
);

-- Who wants to hear when a variant can be bought again. Told once.
CREATE TABLE stock_requests (
    id uuid PRIMARY KEY,
    variant_id uuid NOT NULL REFERENCES variants,
    -- Whose request it is; NULL for a guest's.
    account_id uuid,
    -- {"email": ...}
    sealed bytea NOT NULL,
    email_index bytea NOT NULL,
    created_at timestamptz NOT NULL,
    -- When the e-mail was asked for; NULL while there is nothing to tell.
    due_at timestamptz,
    -- At an address that is not the account's: erased with it, and not shown to it.
    withheld boolean NOT NULL DEFAULT false
);
CREATE UNIQUE INDEX stock_requests_once ON stock_requests (variant_id, email_index)
    WHERE due_at IS NULL;
CREATE INDEX stock_requests_by_email ON stock_requests (email_index);
CREATE INDEX stock_requests_by_account ON stock_requests (account_id)
    WHERE account_id IS NOT NULL;

-- ordering ------------------------------------------------------------------

CREATE TABLE carts (
    id uuid PRIMARY KEY,
    -- SHA-256 of the token that the cart's maker got once.
    token_hash bytea NOT NULL,
    status text NOT NULL CONSTRAINT carts_status_known
        CHECK (status IN ('open', 'ordered', 'merged', 'expired', 'discarded')),
    -- Every change of the cart or of its lines adds one.
    version bigint NOT NULL DEFAULT 1,
    currency text NOT NULL,
    -- Both are of rows from before `sealed`.
    email text,
    shipping_address jsonb,
    shipping_method text,
    shipping_amount bigint CONSTRAINT carts_shipping_not_negative
        CHECK (shipping_amount >= 0),
    -- carrier, last_quote or flat_rate: how the shipping price came about.
    shipping_source text,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    -- {"email": ..., "shipping_address": ...}
    sealed bytea,
    account_id uuid,
    -- A buyer's cart, or a draft order: an operator's offer to a buyer.
    kind text NOT NULL DEFAULT 'cart'
        CONSTRAINT carts_kind_known CHECK (kind IN ('cart', 'draft')),
    -- The cart of the account that took this one's lines.
    merged_into uuid REFERENCES carts,
    -- The operator who prepared a draft order: key:<id>, account:<id>, client:<id>.
    prepared_by text,
    -- What goods that came back pay of the order that a draft becomes.
    credit_amount bigint NOT NULL DEFAULT 0
        CONSTRAINT carts_credit_not_negative CHECK (credit_amount >= 0),
    -- The return that they came back with.
    return_id uuid,
    -- Of the e-mail address; empty if it is known that there is none.
    email_index bytea,
    -- When the shipping price was asked for; NULL where it is not known.
    shipping_quoted_at timestamptz,
    CONSTRAINT carts_merged_somewhere
        CHECK ((status = 'merged') = (merged_into IS NOT NULL)),
    CONSTRAINT carts_draft_prepared
        CHECK ((kind = 'draft') = (prepared_by IS NOT NULL))
);
CREATE INDEX carts_by_account ON carts (account_id, id DESC)
    WHERE account_id IS NOT NULL;
-- What may expire one day. By id, which begins with the time a cart was opened: an
-- index by the time of its last change would make each change dearer.
CREATE INDEX carts_open ON carts (id) WHERE status = 'open' AND kind = 'cart';
CREATE INDEX carts_drafts ON carts (id DESC) WHERE kind = 'draft';
CREATE INDEX carts_by_email ON carts (email_index) WHERE email_index <> ''::bytea;

CREATE TABLE cart_lines (
    cart_id uuid NOT NULL REFERENCES carts ON DELETE CASCADE,
    id uuid NOT NULL,
    variant_id uuid NOT NULL REFERENCES variants ON DELETE CASCADE,
    quantity bigint NOT NULL CONSTRAINT cart_lines_quantity_positive
        CHECK (quantity > 0),
    -- A price an operator set for this line; NULL means the catalogue's.
    unit_price_override bigint CONSTRAINT cart_lines_price_not_negative
        CHECK (unit_price_override >= 0),
    PRIMARY KEY (cart_id, id)
);
CREATE INDEX cart_lines_by_variant ON cart_lines (variant_id);

CREATE SEQUENCE order_numbers START 1001;

CREATE TABLE orders (
    id uuid PRIMARY KEY,
    number bigint NOT NULL DEFAULT nextval('order_numbers')
        CONSTRAINT orders_number_unique UNIQUE,
    cart_id uuid NOT NULL REFERENCES carts,
    token_hash bytea NOT NULL,
    status text NOT NULL CONSTRAINT orders_status_known
        CHECK (status IN ('pending', 'confirmed', 'completed', 'canceled', 'failed')),
    currency text NOT NULL,
    -- Both are of rows from before `sealed`.
    email text,
    shipping_address jsonb,
    shipping_method text NOT NULL,
    shipping_amount bigint NOT NULL,
    shipping_source text NOT NULL,
    subtotal_amount bigint NOT NULL,
    total_amount bigint NOT NULL,
    payment_reference text,
    failure_reason text,
    placed_at timestamptz NOT NULL,
    settled_at timestamptz,
    -- {"email": ..., "shipping_address": ...}; NULL once its person is erased.
    sealed bytea,
    email_index bytea,
    -- Whose order it is; NULL for a guest's.
    account_id uuid,
    payment_status text NOT NULL DEFAULT 'pending'
        CONSTRAINT orders_payment_status_known CHECK (
            payment_status IN ('pending', 'authorized', 'captured',
                               'partially_refunded', 'refunded', 'voided', 'failed')),
    fulfilment_status text NOT NULL DEFAULT 'unfulfilled'
        CONSTRAINT orders_fulfilment_status_known CHECK (
            fulfilment_status IN ('unfulfilled', 'partially_fulfilled', 'fulfilled')),
    captured_amount bigint NOT NULL DEFAULT 0,
    refunded_amount bigint NOT NULL DEFAULT 0,
    -- Refunds that were asked for and have not come to an end.
    refunding_amount bigint NOT NULL DEFAULT 0,
    -- What goods that came back pay of it: of an exchange's replacement.
    credit_amount bigint NOT NULL DEFAULT 0,
    placed_by text NOT NULL DEFAULT 'checkout',
    -- The return that a replacement belongs to.
    return_id uuid,
    cancel_reason text,
    canceled_at timestamptz,
    completed_at timestamptz,
    -- Paid to the shop itself, by transfer or in cash: no provider knows of it.
    paid_outside boolean NOT NULL DEFAULT false,
    CONSTRAINT orders_total_adds_up CHECK (
        total_amount = subtotal_amount + shipping_amount - credit_amount
        AND subtotal_amount >= 0 AND shipping_amount >= 0 AND credit_amount >= 0
        AND total_amount >= 0),
    CONSTRAINT orders_settled_when_not_pending
        CHECK ((status = 'pending') = (settled_at IS NULL)),
    -- An order is pending, or failed, exactly as long as its payment is.
    CONSTRAINT orders_settled_with_payment CHECK (
        (status = 'pending') = (payment_status = 'pending')
        AND (status = 'failed') = (payment_status = 'failed')),
    CONSTRAINT orders_confirmed_has_reference CHECK (
        status IN ('pending', 'failed') OR payment_reference IS NOT NULL),
    CONSTRAINT orders_captured_within_total
        CHECK (captured_amount BETWEEN 0 AND total_amount),
    CONSTRAINT orders_refunded_within_captured CHECK (
        refunded_amount >= 0 AND refunding_amount >= 0
        AND refunded_amount + refunding_amount <= captured_amount),
    CONSTRAINT orders_completed_says_when
        CHECK ((status = 'completed') = (completed_at IS NOT NULL)),
    CONSTRAINT orders_canceled_says_when
        CHECK ((status = 'canceled') = (canceled_at IS NOT NULL))
);
-- One cart, one order. An attempt whose payment failed is kept as a record and
-- does not stand in the way of the next attempt.
CREATE UNIQUE INDEX orders_one_per_cart ON orders (cart_id) WHERE status <> 'failed';
CREATE INDEX orders_by_cart ON orders (cart_id);
CREATE INDEX orders_by_account ON orders (account_id, id DESC)
    WHERE account_id IS NOT NULL;
CREATE INDEX orders_by_email ON orders (email_index, id DESC)
    WHERE email_index IS NOT NULL;
CREATE INDEX orders_pending ON orders (placed_at) WHERE status = 'pending';
CREATE INDEX orders_by_status ON orders (status, id DESC);
-- A date leads to a few blocks: orders lie in the order in which they were placed.
CREATE INDEX orders_by_time ON orders USING brin (placed_at) WITH (pages_per_range = 16);

CREATE TABLE order_lines (
    order_id uuid NOT NULL REFERENCES orders ON DELETE CASCADE,
    position integer NOT NULL,
    -- No foreign key: an order outlives the products it names.
    variant_id uuid NOT NULL,
    sku text NOT NULL,
    title text NOT NULL,
    quantity bigint NOT NULL CONSTRAINT order_lines_quantity_positive
        CHECK (quantity > 0),
    unit_price_amount bigint NOT NULL CONSTRAINT order_lines_price_not_negative
        CHECK (unit_price_amount >= 0),
    canceled_quantity bigint NOT NULL DEFAULT 0,
    fulfilled_quantity bigint NOT NULL DEFAULT 0,
    returned_quantity bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (order_id, position),
    CONSTRAINT order_lines_parts_within_quantity CHECK (
        canceled_quantity >= 0 AND fulfilled_quantity >= 0
        AND canceled_quantity + fulfilled_quantity <= quantity),
    CONSTRAINT order_lines_returned_after_shipped
        CHECK (returned_quantity BETWEEN 0 AND fulfilled_quantity)
);
CREATE INDEX order_lines_by_sku ON order_lines (sku, order_id);

-- Each change of an order, its payment or its fulfilment, and what else happened to it.
-- No foreign key: a row is written in the statement that changes its order, and a
-- look-up for each would be three more a checkout.
CREATE TABLE order_events (
    order_id uuid NOT NULL,
    id uuid NOT NULL DEFAULT uuidv7(),
    -- order, payment, fulfilment for a change of state; or what else it was.
    kind text NOT NULL,
    from_state text,
    to_state text,
    -- Who did it: account:<id>, key:<id>, client:<id>, guest, checkout, timer,
    -- provider, carrier, command_line.
    actor text NOT NULL,
    -- Ids, quantities and amounts; nothing personal.
    detail jsonb NOT NULL DEFAULT '{}',
    happened_at timestamptz NOT NULL,
    PRIMARY KEY (order_id, id)
);

CREATE FUNCTION keep_order_events() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'order events are kept as they are';
END;
$$;
CREATE TRIGGER order_events_are_kept
    BEFORE UPDATE OR DELETE OR TRUNCATE ON order_events
    FOR EACH STATEMENT EXECUTE FUNCTION keep_order_events();

-- What operators tell each other about an order.
CREATE TABLE order_notes (
    id uuid PRIMARY KEY,
    order_id uuid NOT NULL REFERENCES orders,
    -- {"text": ...}
    sealed bytea NOT NULL,
    actor text NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE INDEX order_notes_by_order ON order_notes (order_id, id);

-- Goods that come back: for money, or for other goods.
CREATE TABLE returns (
    id uuid PRIMARY KEY,
    order_id uuid NOT NULL REFERENCES orders,
    kind text NOT NULL CONSTRAINT returns_kind_known
        CHECK (kind IN ('return', 'exchange')),
    status text NOT NULL CONSTRAINT returns_status_known
        CHECK (status IN ('requested', 'approved', 'rejected', 'received', 'completed',
                          'canceled')),
    reason text,
    -- Who asked for it.
    actor text NOT NULL,
    requested_at timestamptz NOT NULL,
    -- When it was approved or rejected.
    decided_at timestamptz,
    received_at timestamptz,
    completed_at timestamptz,
    canceled_at timestamptz,
    -- {"text": what the buyer says, "answer": what the shop said to it}
    sealed bytea,
    location_id uuid REFERENCES locations,
    -- In the currency of the order: what was received cost, what is given back of the
    -- shipping, what is kept for the trouble.
    goods_amount bigint NOT NULL DEFAULT 0,
    shipping_amount bigint NOT NULL DEFAULT 0,
    fee_amount bigint NOT NULL DEFAULT 0,
    -- What of that pays for other goods, and what goes back as money.
    credit_amount bigint NOT NULL DEFAULT 0,
    refund_amount bigint NOT NULL DEFAULT 0,
    -- The cart that became, or is to become, the order of the other goods.
    replacement_id uuid REFERENCES carts,
    CONSTRAINT returns_amounts_add_up CHECK (
        goods_amount >= 0 AND shipping_amount >= 0 AND fee_amount >= 0
        AND credit_amount >= 0 AND refund_amount >= 0
        AND refund_amount <= goods_amount + shipping_amount - fee_amount)
);
CREATE INDEX returns_by_order ON returns (order_id, id);
CREATE INDEX returns_by_status ON returns (status, id DESC);

CREATE TABLE return_lines (
    return_id uuid NOT NULL REFERENCES returns ON DELETE CASCADE,
    -- Of the line of the order.
    position integer NOT NULL,
    quantity bigint NOT NULL CONSTRAINT return_lines_quantity_positive
        CHECK (quantity > 0),
    received_quantity bigint NOT NULL DEFAULT 0,
    -- The rest of what was received was written off.
    restocked_quantity bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (return_id, position),
    CONSTRAINT return_lines_parts_within_quantity
        CHECK (received_quantity BETWEEN 0 AND quantity
               AND restocked_quantity BETWEEN 0 AND received_quantity)
);

-- What a buyer wants instead, at the prices of the day on which they asked.
CREATE TABLE exchange_lines (
    return_id uuid NOT NULL REFERENCES returns ON DELETE CASCADE,
    position integer NOT NULL,
    variant_id uuid NOT NULL,
    sku text NOT NULL,
    title text NOT NULL,
    quantity bigint NOT NULL CONSTRAINT exchange_lines_quantity_positive
        CHECK (quantity > 0),
    unit_price_amount bigint NOT NULL CONSTRAINT exchange_lines_price_not_negative
        CHECK (unit_price_amount >= 0),
    PRIMARY KEY (return_id, position)
);

-- payments ----------------------------------------------------------------------

CREATE TABLE refunds (
    -- Its key at the provider.
    id uuid PRIMARY KEY,
    order_id uuid NOT NULL REFERENCES orders,
    amount bigint NOT NULL CONSTRAINT refunds_amount_positive CHECK (amount > 0),
    currency text NOT NULL,
    status text NOT NULL CONSTRAINT refunds_status_known
        CHECK (status IN ('pending', 'succeeded', 'failed')),
    -- A word such as `damaged`; nothing personal.
    reason text NOT NULL,
    reference text,
    failure_reason text,
    requested_by text NOT NULL,
    requested_at timestamptz NOT NULL,
    settled_at timestamptz,
    -- The failed refund of which this is another try.
    retry_of uuid CONSTRAINT refunds_retried_once UNIQUE REFERENCES refunds,
    -- Gives back what was charged for an order that owes nothing: no money of the order.
    stray boolean NOT NULL DEFAULT false,
    -- How often the provider did not end it, and when it is asked next.
    tries integer NOT NULL DEFAULT 0,
    try_at timestamptz NOT NULL,
    CONSTRAINT refunds_settled_when_not_pending
        CHECK ((status = 'pending') = (settled_at IS NULL)),
    CONSTRAINT refunds_succeeded_has_reference
        CHECK (status <> 'succeeded' OR reference IS NOT NULL),
    CONSTRAINT refunds_failed_says_why
        CHECK ((status = 'failed') = (failure_reason IS NOT NULL))
);
CREATE INDEX refunds_by_order ON refunds (order_id, id);
CREATE INDEX refunds_pending ON refunds (try_at, id) WHERE status = 'pending';
-- Few ever do; of which orders is looked for often.
CREATE INDEX refunds_failed ON refunds (order_id, settled_at) WHERE status = 'failed';
CREATE UNIQUE INDEX refunds_stray_once ON refunds (order_id)
    WHERE stray AND status <> 'failed';

-- Refunds that a return waits for.
CREATE TABLE return_refunds (
    refund_id uuid PRIMARY KEY REFERENCES refunds,
    return_id uuid NOT NULL REFERENCES returns
);
CREATE INDEX return_refunds_by_return ON return_refunds (return_id);

-- How a charge ends that was only authorised: captured or voided. One row an order, so
-- that it is never both.
CREATE TABLE charge_closings (
    order_id uuid PRIMARY KEY REFERENCES orders,
    kind text NOT NULL CONSTRAINT charge_closings_kind_known
        CHECK (kind IN ('capture', 'void')),
    -- What is taken; 0 for a void.
    amount bigint NOT NULL,
    currency text NOT NULL,
    status text NOT NULL CONSTRAINT charge_closings_status_known
        CHECK (status IN ('pending', 'succeeded', 'failed')),
    failure_reason text,
    requested_by text NOT NULL,
    requested_at timestamptz NOT NULL,
    settled_at timestamptz,
    tries integer NOT NULL DEFAULT 0,
    try_at timestamptz NOT NULL,
    CONSTRAINT charge_closings_amount_fits_kind
        CHECK ((kind = 'capture') = (amount > 0) AND amount >= 0),
    CONSTRAINT charge_closings_settled_when_not_pending
        CHECK ((status = 'pending') = (settled_at IS NULL)),
    CONSTRAINT charge_closings_failed_says_why
        CHECK ((status = 'failed') = (failure_reason IS NOT NULL))
);
CREATE INDEX charge_closings_pending ON charge_closings (try_at, order_id)
    WHERE status = 'pending';

-- Those that are open when they should not be.
CREATE INDEX orders_authorized ON orders (id) WHERE payment_status = 'authorized';

-- What a buyer has to do before their order is paid (3-D Secure).
CREATE TABLE payment_actions (
    order_id uuid PRIMARY KEY REFERENCES orders,
    reference text NOT NULL,
    url text NOT NULL,
    asked_at timestamptz NOT NULL,
    -- When the provider is asked again what became of it.
    look_at timestamptz NOT NULL
);
CREATE INDEX payment_actions_by_time ON payment_actions (asked_at);

-- Webhooks that were acted on, in the commit of what they did.
CREATE TABLE provider_events (
    provider text NOT NULL,
    event_id text NOT NULL,
    type text NOT NULL,
    received_at timestamptz NOT NULL,
    PRIMARY KEY (provider, event_id)
);
CREATE INDEX provider_events_by_time ON provider_events (received_at);

-- Where the provider and the shop differ.
CREATE TABLE discrepancies (
    id uuid PRIMARY KEY,
    kind text NOT NULL,
    -- The key of the charge or refund at the provider.
    subject text NOT NULL,
    order_id uuid,
    -- Amounts, states and references; nothing personal.
    detail jsonb NOT NULL,
    found_at timestamptz NOT NULL,
    seen_at timestamptz NOT NULL,
    resolved_at timestamptz
);
CREATE UNIQUE INDEX discrepancies_open_once ON discrepancies (kind, subject)
    WHERE resolved_at IS NULL;

-- shipping ----------------------------------------------------------------------

CREATE TABLE shipments (
    -- The key under which the carrier knows it, too.
    id uuid PRIMARY KEY,
    order_id uuid NOT NULL REFERENCES orders,
    -- What was asked for at once, from several locations, has this in common.
    request_id uuid NOT NULL,
    location_id uuid NOT NULL REFERENCES locations,
    status text NOT NULL CONSTRAINT shipments_status_known CHECK (
        status IN ('pending', 'created', 'in_transit', 'out_for_delivery', 'exception',
                   'lost', 'returned', 'delivered', 'canceled')),
    -- Whether the carrier was asked, or somebody sees to it without the shop.
    carried_by text NOT NULL CONSTRAINT shipments_carried_by_known
        CHECK (carried_by IN ('carrier', 'hand')),
    service text,
    tracking_number text,
    -- What the carrier calls it: its label is found by that.
    carrier_reference text,
    -- Why nothing came of it.
    failure_reason text,
    actor text NOT NULL,
    created_at timestamptz NOT NULL,
    -- When it was certain that it goes; the stock left in the same transaction.
    shipped_at timestamptz,
    delivered_at timestamptz,
    -- Somebody wants it canceled, and the carrier has not agreed yet.
    cancel_requested_at timestamptz,
    cancel_actor text,
    -- It was lost or came back, and its units were put up for shipping again.
    reshipped_at timestamptz,
    -- When the carrier last said something of it, or was last asked.
    heard_at timestamptz NOT NULL,
    CONSTRAINT shipments_taken_whole CHECK (
        carried_by = 'hand' OR status IN ('pending', 'canceled')
        OR (tracking_number IS NOT NULL AND carrier_reference IS NOT NULL)),
    CONSTRAINT shipments_shipped_says_when CHECK (
        status IN ('pending', 'canceled') OR shipped_at IS NOT NULL),
    CONSTRAINT shipments_cancel_says_who CHECK (
        (cancel_requested_at IS NULL) = (cancel_actor IS NULL))
);
CREATE UNIQUE INDEX shipments_by_tracking_number ON shipments (tracking_number)
    WHERE carried_by = 'carrier' AND tracking_number IS NOT NULL;
CREATE INDEX shipments_by_order ON shipments (order_id, id);
CREATE INDEX shipments_by_status ON shipments (status, id DESC);
CREATE INDEX shipments_by_location ON shipments (location_id, id DESC);
-- Those that somebody has to finish.
CREATE INDEX shipments_unsettled ON shipments (created_at, id)
    WHERE status = 'pending' OR cancel_requested_at IS NOT NULL;
-- Those that the carrier may be asked about.
CREATE INDEX shipments_under_way ON shipments (heard_at)
    WHERE carried_by = 'carrier'
      AND status IN ('created', 'in_transit', 'out_for_delivery', 'exception');

CREATE TABLE shipment_lines (
    shipment_id uuid NOT NULL REFERENCES shipments,
    -- Of the line of the order.
    position integer NOT NULL,
    quantity bigint NOT NULL CONSTRAINT shipment_lines_quantity_positive
        CHECK (quantity > 0),
    PRIMARY KEY (shipment_id, position)
);

-- What happened to a parcel, each once however often it is told. Not in the carrier's
-- words, which may name people.
CREATE TABLE shipment_events (
    shipment_id uuid NOT NULL REFERENCES shipments,
    event_id text NOT NULL,
    status text NOT NULL,
    happened_at timestamptz NOT NULL,
    PRIMARY KEY (shipment_id, event_id)
);

-- notifications -------------------------------------------------------------

CREATE TABLE emails (
    id uuid PRIMARY KEY,
    -- The event that caused it: a job that runs twice sends once.
    event_id uuid NOT NULL CONSTRAINT emails_one_per_event UNIQUE,
    -- These three are of rows from before `sealed`.
    recipient text,
    subject text,
    body text,
    created_at timestamptz NOT NULL,
    -- When SMTP took it; NULL while it waits or when the mailbox is embedded.
    sent_at timestamptz,
    -- {"recipient": ..., "subject": ..., "body": ...}
    sealed bytea,
    recipient_index bytea,
    -- Whom it is about, where an address may have been theirs before.
    account_id uuid,
    -- To an address that is not the account's: erased with it, and not shown to it.
    withheld boolean NOT NULL DEFAULT false
);
CREATE INDEX emails_by_account ON emails (account_id)
    WHERE account_id IS NOT NULL;
CREATE INDEX emails_by_recipient ON emails (recipient_index)
    WHERE recipient_index IS NOT NULL;
CREATE INDEX emails_by_age ON emails (created_at)
    WHERE sealed IS NOT NULL OR recipient IS NOT NULL;

-- platform ------------------------------------------------------------------

-- Events, written in the commit that makes them true; the worker hands them on.
CREATE TABLE outbox (
    id uuid PRIMARY KEY,
    type text NOT NULL,
    payload jsonb NOT NULL,
    created_at timestamptz NOT NULL,
    relayed_at timestamptz
);
CREATE INDEX outbox_waiting ON outbox (id) WHERE relayed_at IS NULL;

-- One row for each keyed request, claimed in the commit of its effect.
CREATE TABLE idempotency_keys (
    caller text NOT NULL,
    route text NOT NULL,
    key text NOT NULL,
    -- HMAC of method, path and body: the same key must mean the same request.
    fingerprint bytea NOT NULL,
    -- The id of what the request makes, so that another can finish it.
    subject uuid NOT NULL,
    claimed_at timestamptz NOT NULL,
    -- Until then the claimer is presumed alive; afterwards another may take over.
    lease_until timestamptz NOT NULL,
    status smallint,
    headers jsonb,
    body bytea,
    answered_at timestamptz,
    PRIMARY KEY (caller, route, key),
    CONSTRAINT idempotency_keys_answer_whole
        CHECK ((status IS NULL) = (answered_at IS NULL))
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05);
COMMENT ON COLUMN idempotency_keys.key IS
    'As the client sent it; where the answer is sealed under it, only a keyed hash.';
COMMENT ON COLUMN idempotency_keys.body IS
    'Sealed. NULL with a status: it was too large to be kept.';
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (claimed_at);

CREATE TABLE drops (
    id uuid PRIMARY KEY,
    name text NOT NULL,
    opens_at timestamptz NOT NULL,
    -- When the door closes by itself; NULL while somebody has to close it.
    closes_at timestamptz,
    -- Whether people may wait who have not signed in.
    guests boolean NOT NULL,
    -- Units that one ticket may buy, all orders together.
    most_units integer NOT NULL CONSTRAINT drops_most_units_positive
        CHECK (most_units > 0),
    -- Tickets that one address may take without signing in.
    most_tickets integer NOT NULL CONSTRAINT drops_most_tickets_positive
        CHECK (most_tickets > 0),
    -- How many are let in a minute; NULL for a share of what can be served.
    per_minute integer CONSTRAINT drops_per_minute_positive CHECK (per_minute > 0),
    -- How long somebody who was let in may take.
    pass_seconds integer NOT NULL CONSTRAINT drops_pass_seconds_positive
        CHECK (pass_seconds > 0),
    -- What is sold; while the drop is on, also in drop_variants.
    variant_ids uuid[] NOT NULL,
    -- SHA-256 of the seed that the lots are drawn with.
    commitment bytea NOT NULL,
    -- Tickets, those whose lots were drawn, and how far the line has come.
    issued bigint NOT NULL DEFAULT 0,
    drawn bigint,
    admitted bigint NOT NULL DEFAULT 0,
    drawn_at timestamptz,
    paced_at timestamptz,
    ended_at timestamptz,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT drops_line_in_order CHECK (0 <= admitted AND admitted <= issued),
    CONSTRAINT drops_close_after_opening CHECK (closes_at > opens_at)
);
CREATE INDEX drops_on ON drops (opens_at) WHERE ended_at IS NULL;

-- What is behind a door now: a variant is behind one at most.
CREATE TABLE drop_variants (
    variant_id uuid CONSTRAINT drop_variants_pkey PRIMARY KEY,
    drop_id uuid NOT NULL REFERENCES drops
);

CREATE TABLE drop_tickets (
    id uuid PRIMARY KEY,
    drop_id uuid NOT NULL REFERENCES drops,
    -- A keyed hash of the account or of the address, and which of its tickets this is.
    holder bytea NOT NULL,
    number integer NOT NULL,
    -- The place in line; NULL until the lots are drawn.
    position bigint,
    issued_at timestamptz NOT NULL,
    -- When its holder was first told that it is their turn.
    admitted_at timestamptz,
    CONSTRAINT drop_tickets_once UNIQUE (drop_id, holder, number),
    CONSTRAINT drop_tickets_places UNIQUE (drop_id, position)
        DEFERRABLE INITIALLY DEFERRED
);

-- How far the line had come when, so that a turn can be missed.
CREATE TABLE drop_admissions (
    drop_id uuid NOT NULL REFERENCES drops,
    admitted bigint NOT NULL,
    at timestamptz NOT NULL,
    PRIMARY KEY (drop_id, admitted)
);

-- What was bought with a ticket.
CREATE TABLE drop_purchases (
    order_id uuid NOT NULL REFERENCES orders,
    ticket_id uuid NOT NULL REFERENCES drop_tickets ON DELETE CASCADE,
    units bigint NOT NULL CONSTRAINT drop_purchases_units_positive CHECK (units > 0),
    PRIMARY KEY (order_id, ticket_id)
);
CREATE INDEX drop_purchases_by_ticket ON drop_purchases (ticket_id);

-- What each process of the API can serve, as it measured while a drop was on.
CREATE TABLE drop_capacity (
    process_id uuid PRIMARY KEY,
    per_second double precision NOT NULL,
    measured_at timestamptz NOT NULL
);

-- The keys of sealed columns and indexes, each wrapped by a key that is not in the
-- database.
CREATE TABLE data_keys (
    name text PRIMARY KEY,
    wrapped bytea NOT NULL,
    -- Which key wrapped it: what the setting said, never the key itself.
    wrapped_by text NOT NULL,
    version bigint NOT NULL,
    -- The version whose key everything was found sealed under.
    resealed bigint NOT NULL DEFAULT 0,
    updated_at timestamptz NOT NULL
);

-- What operators change while the shop runs: limits, levels, circuits. Every process
-- reads all of it about twice a second, so there must not be much.
CREATE TABLE controls (
    name text PRIMARY KEY,
    value jsonb NOT NULL,
    updated_by text NOT NULL,
    updated_at timestamptz NOT NULL
);

-- When each timer of the workers is due next; whoever moves the time on runs it.
CREATE TABLE timers (
    name text PRIMARY KEY,
    due_at timestamptz NOT NULL
);

-- job queue (pgqueuer) --------------------------------------------------------

-- Tables of pgqueuer 1.6.0, the job queue, as `pgq sql install` prints them.

CREATE TYPE pgqueuer_status AS ENUM ('queued', 'picked', 'successful', 'exception', 'canceled', 'deleted', 'failed');

CREATE TABLE pgqueuer (
    id bigserial NOT NULL PRIMARY KEY,
    priority integer NOT NULL,
    queue_manager_id uuid,
    created timestamp with time zone NOT NULL DEFAULT now(),
    updated timestamp with time zone NOT NULL DEFAULT now(),
    heartbeat timestamp with time zone NOT NULL DEFAULT now(),
    execute_after timestamp with time zone NOT NULL DEFAULT now(),
    status pgqueuer_status NOT NULL,
    entrypoint text NOT NULL,
    dedupe_key text,
    payload bytea,
    headers jsonb,
    attempts integer NOT NULL DEFAULT 0,
    slot bigint
);

CREATE TABLE pgqueuer_log (
    id bigint GENERATED BY DEFAULT AS IDENTITY NOT NULL PRIMARY KEY,
    created timestamp with time zone NOT NULL DEFAULT now(),
    job_id bigint NOT NULL,
    status pgqueuer_status NOT NULL,
    priority integer NOT NULL,
    entrypoint text NOT NULL,
    traceback jsonb,
    aggregated boolean DEFAULT false
);

CREATE TABLE pgqueuer_schedules (
    id bigserial NOT NULL PRIMARY KEY,
    expression text NOT NULL,
    entrypoint text NOT NULL,
    heartbeat timestamp with time zone NOT NULL DEFAULT now(),
    created timestamp with time zone NOT NULL DEFAULT now(),
    updated timestamp with time zone NOT NULL DEFAULT now(),
    next_run timestamp with time zone NOT NULL DEFAULT now(),
    last_run timestamp with time zone,
    status pgqueuer_status DEFAULT 'queued'::pgqueuer_status,
    UNIQUE (expression, entrypoint)
);

CREATE TABLE pgqueuer_statistics (
    id bigserial NOT NULL PRIMARY KEY,
    created timestamp with time zone NOT NULL DEFAULT date_trunc('sec'::text, now()),
    count bigint NOT NULL,
    priority integer NOT NULL,
    status pgqueuer_status NOT NULL,
    entrypoint text NOT NULL
);

CREATE INDEX pgqueuer_ep_ea_idx ON pgqueuer USING btree (entrypoint, execute_after) WHERE (status = 'queued'::pgqueuer_status);

CREATE INDEX pgqueuer_ep_prio_id_idx ON pgqueuer USING btree (entrypoint, priority DESC, id) WHERE (status = 'queued'::pgqueuer_status);

CREATE INDEX pgqueuer_log_created ON pgqueuer_log USING btree (created);

CREATE INDEX pgqueuer_log_job_id_status ON pgqueuer_log USING btree (job_id, created DESC);

CREATE INDEX pgqueuer_log_not_aggregated ON pgqueuer_log USING btree ((1)) WHERE (NOT aggregated);

CREATE INDEX pgqueuer_log_status ON pgqueuer_log USING btree (status);

CREATE INDEX pgqueuer_picked_heartbeat_idx ON pgqueuer USING btree (heartbeat) WHERE (status = 'picked'::pgqueuer_status);

CREATE UNIQUE INDEX pgqueuer_picked_slot_idx ON pgqueuer USING btree (entrypoint, slot) WHERE ((status = 'picked'::pgqueuer_status) AND (slot IS NOT NULL));

CREATE INDEX pgqueuer_priority_id_id1_idx ON pgqueuer USING btree (priority, id DESC) INCLUDE (id) WHERE (status = 'queued'::pgqueuer_status);

CREATE INDEX pgqueuer_queue_manager_id_idx ON pgqueuer USING btree (queue_manager_id) WHERE (queue_manager_id IS NOT NULL);

CREATE UNIQUE INDEX pgqueuer_statistics_unique_count ON pgqueuer_statistics USING btree (priority, date_trunc('sec'::text, timezone('UTC'::text, created)), status, entrypoint);

CREATE UNIQUE INDEX pgqueuer_unique_dedupe_key ON pgqueuer USING btree (dedupe_key) WHERE ((status = ANY (ARRAY['queued'::pgqueuer_status, 'picked'::pgqueuer_status])) AND (dedupe_key IS NOT NULL));

CREATE INDEX pgqueuer_updated_id_id1_idx ON pgqueuer USING btree (updated, id DESC) INCLUDE (id) WHERE (status = 'picked'::pgqueuer_status);

CREATE FUNCTION fn_pgqueuer_changed() RETURNS TRIGGER AS $$
DECLARE
    to_emit BOOLEAN := false;  -- Flag to decide whether to emit a notification
BEGIN
    -- Check operation type and set the emit flag accordingly
    IF TG_OP = 'UPDATE' AND OLD IS DISTINCT FROM NEW THEN
        to_emit := true;
    ELSIF TG_OP = 'DELETE' THEN
        to_emit := true;
    ELSIF TG_OP = 'INSERT' THEN
        to_emit := true;
    ELSIF TG_OP = 'TRUNCATE' THEN
        to_emit := true;
    END IF;

    -- Perform notification if the emit flag is set
    IF to_emit THEN
        PERFORM pg_notify(
            'ch_pgqueuer',
            json_build_object(
                'channel', 'ch_pgqueuer',
                'operation', lower(TG_OP),
                'sent_at', NOW(),
                'table', TG_TABLE_NAME,
                'type', 'table_changed_event'
            )::text
        );
    END IF;

    -- Return appropriate value based on the operation
    IF TG_OP IN ('INSERT', 'UPDATE') THEN
        RETURN NEW;
    ELSIF TG_OP = 'DELETE' THEN
        RETURN OLD;
    ELSE
        RETURN NULL; -- For TRUNCATE and other non-row-specific contexts
    END IF;

END;
$$ LANGUAGE plpgsql;

CREATE TRIGGER tg_pgqueuer_changed
AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON pgqueuer
EXECUTE FUNCTION fn_pgqueuer_changed();
