"""A shop in which every request finds what it is about, and requests with keys."""

import re
from uuid import UUID

import pytest
from keyed_world import OTHER_SKU, PASSWORD, SKU, SOLD_OUT, World

from holdfast.domain import accounts, identity, notifications
from holdfast.kernel.ids import new_id
from holdfast.platform import outbox
from holdfast.workflows import account_mail

CATEGORY = {"name": "Green tea"}
_TOKEN = re.compile(r"token=(hfm_\S+)")
# What changes with every request, whatever it says.
_RESTLESS = ("api_keys", "sessions", "schema_migrations")


@pytest.fixture
def letters(shop):
    """Write every e-mail that was asked for; returns the tokens in them."""

    async def write():
        async with shop.db.transaction() as tx:
            events = await outbox.take_waiting(tx, 1_000, at=shop.clock())
        for event in events:
            if "request_id" in event.payload:
                await account_mail.send(
                    UUID(event.payload["request_id"]),
                    event_id=event.id,
                    db=shop.db,
                    vault=shop.vault,
                    mailer=None,
                    public_url=shop.settings.public_url,
                    clock=shop.clock,
                )
        latest = await notifications.latest(shop.db, shop.vault, limit=1)
        return [token for mail in latest for token in _TOKEN.findall(mail.body)]

    return write


@pytest.fixture
async def world(shop, client, an_operator, signed_in, a_product, a_client, letters):
    for sku in (SKU, OTHER_SKU):
        await a_product(sku, on_hand=1000)
    await a_product(SOLD_OUT, on_hand=0)
    member = await signed_in(email="ada@example.com")
    phc = await shop.hasher.hash(PASSWORD)
    async with shop.db.transaction() as tx:
        await accounts.set_password(
            tx, shop.vault, member.account_id, phc, shop.clock()
        )
        await accounts.link_identity(
            tx,
            shop.vault,
            issuer="https://id.example",
            subject="ada",
            account_id=member.account_id,
            at=shop.clock(),
        )
        await tx.execute(
            "UPDATE locations SET address = $1",
            {"name": "A", "line1": "1 Quay", "city": "Rotterdam", "country": "NL"},
        )
    return World(
        shop=shop,
        client=client,
        operator=await an_operator(*identity.KEY_SCOPES),
        member=member,
        email="ada@example.com",
        letters=letters,
        client_id=await a_client(*identity.PERSONAL_SCOPES, "orders:read"),
    )


@pytest.fixture
def send(client):
    """Send a call, with a key or without."""

    async def go(call, key=None, **headers):
        said = {**call.headers, **headers}
        if key is not None:
            said["Idempotency-Key"] = key
        body = {} if call.body is None else {"json": call.body}
        if call.content is not None:
            body = {"content": call.content}
        return await client.request(call.method, call.path, headers=said, **body)

    return go


@pytest.fixture
def keyed(client, world):
    """Send what an operator says, if nobody else, with a key."""

    async def go(
        path="/v1/categories", body=CATEGORY, *, key="key-1", method="POST", by=None
    ):
        by = world.operator if by is None else by
        headers = {**by, "Idempotency-Key": key}
        return await client.request(method, path, json=body, headers=headers)

    return go


@pytest.fixture
def everything(database, shop):
    """Everything that is in the database, a hash for each table."""

    async def read():
        # What is written beside the requests: the use of a key.
        await shop.key_uses.close()
        tables = await database.fetch(
            "SELECT table_name FROM information_schema.tables"
            " WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"
            " AND table_name <> ALL($1) ORDER BY 1",
            _RESTLESS,
        )
        return {
            name: await database.fetchval(
                f"SELECT md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), ''))"  # noqa: S608 - names from the schema
                f" FROM {name} t"
            )
            for (name,) in tables
        }

    return read


@pytest.fixture
def rows_of(database):
    """What is kept under a key as the client sends it."""

    async def read(key):
        return await database.fetch(
            "SELECT * FROM idempotency_keys WHERE key = $1", key
        )

    return read


@pytest.fixture
def a_key():
    return lambda: str(new_id())
