-- What erasing a person has to find: carts by an e-mail address, and what an account
-- caused to be written to other addresses than its own.

-- A keyed hash of the e-mail address in `sealed`; empty once it is known that there is
-- none. Carts of an older release have none until the worker has looked.
ALTER TABLE carts ADD COLUMN email_index bytea;
CREATE INDEX carts_by_email ON carts (email_index) WHERE email_index <> ''::bytea;

-- To an address that is not the account's: erased with the account, and not shown to it.
ALTER TABLE emails ADD COLUMN withheld boolean NOT NULL DEFAULT false;
CREATE INDEX emails_by_age ON emails (created_at)
    WHERE sealed IS NOT NULL OR recipient IS NOT NULL;
ALTER TABLE stock_requests ADD COLUMN withheld boolean NOT NULL DEFAULT false;
