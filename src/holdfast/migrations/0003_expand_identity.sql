-- Who may do what: accounts and how they prove themselves, roles, OAuth clients and
-- tokens, customers; and personal data sealed wherever it is stored.
--
-- A column called `sealed` holds JSON encrypted by the application (AEAD), bound to
-- its row: the associated data is "<table>:<id>", so that a value moved to another row
-- does not open. Its first five bytes name the key, so that SQL can count what is
-- still under an older one. A column that ends in `_index` is a keyed hash of an
-- e-mail address, for looking it up without knowing it.

-- personal data ----------------------------------------------------------------

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

-- From now on personal data is written to `sealed` only. The clear columns are read for
-- rows from before and emptied in the background; a later migration drops them.
ALTER TABLE carts
    ADD COLUMN sealed bytea,
    ADD COLUMN account_id uuid;
CREATE INDEX carts_by_account ON carts (account_id, id DESC)
    WHERE account_id IS NOT NULL;

ALTER TABLE orders
    ALTER COLUMN email DROP NOT NULL,
    ALTER COLUMN shipping_address DROP NOT NULL,
    ADD COLUMN sealed bytea,
    ADD COLUMN email_index bytea,
    -- Whose order it is; NULL for a guest's.
    ADD COLUMN account_id uuid;
CREATE INDEX orders_by_account ON orders (account_id, id DESC)
    WHERE account_id IS NOT NULL;
CREATE INDEX orders_by_email ON orders (email_index, id DESC)
    WHERE email_index IS NOT NULL;

ALTER TABLE emails
    ALTER COLUMN recipient DROP NOT NULL,
    ALTER COLUMN subject DROP NOT NULL,
    ALTER COLUMN body DROP NOT NULL,
    ADD COLUMN sealed bytea,
    ADD COLUMN recipient_index bytea,
    -- Whom it is about, where an address may have been theirs before.
    ADD COLUMN account_id uuid;
CREATE INDEX emails_by_account ON emails (account_id)
    WHERE account_id IS NOT NULL;
CREATE INDEX emails_by_recipient ON emails (recipient_index)
    WHERE recipient_index IS NOT NULL;

-- identity ------------------------------------------------------------------

ALTER TABLE api_keys
    ADD COLUMN last_used_at timestamptz;

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
     'Answers customers: finds their orders, mends their data, fills carts with them.',
     '{carts:write,customers:read,customers:write,inventory:read,orders:read,products:read,users:read}',
     true, now(), now()),
    ('01943a00-0000-7000-8000-000000000003', 'catalogue_manager', 'Catalogue manager',
     'Keeps products, categories and stock.',
     '{inventory:read,inventory:write,products:read,products:write}',
     true, now(), now()),
    ('01943a00-0000-7000-8000-000000000004', 'fulfilment', 'Fulfilment',
     'Packs orders and counts stock.',
     '{inventory:read,inventory:write,orders:read}', true, now(), now()),
    ('01943a00-0000-7000-8000-000000000005', 'finance', 'Finance',
     'Reads orders, customers and the security record; changes nothing.',
     '{audit:read,customers:read,orders:read,products:read}', true, now(), now()),
    ('01943a00-0000-7000-8000-000000000006', 'admin', 'Administrator',
     'May do everything. Somebody always is one.',
     '{account:read,account:write,audit:read,carts:own,carts:write,clients:read,clients:write,customers:read,customers:write,inventory:read,inventory:write,keys:read,keys:write,orders:own,orders:read,orders:write,prices:override,products:read,products:write,roles:read,roles:write,users:read,users:write}',
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
