"""Somebody of whom everything is held that can be."""

import subprocess
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from uuid import UUID

import pytest

from holdfast.domain import accounts, identity, inventory, oauth, ordering, pricing
from holdfast.domain.identity import Origin
from holdfast.kernel import tokens
from holdfast.kernel.ids import new_id
from holdfast.platform import outbox
from holdfast.platform.embedded.postgres_build import Build
from holdfast.workflows import account_mail, notify
from holdfast.workflows.personal_tables import HELD

from . import course

PASSWORD = "a tea for two at four"
# What is only ever there to say who somebody is.
PERSONAL_COLUMNS = (
    "sealed",
    "email",
    "email_index",
    "recipient",
    "recipient_index",
    "subject",
    "body",
    "shipping_address",
    "password",
)
CHROME = Origin("203.0.113.77", "AdasBrowser/7.1", "request-1")


@dataclass
class Life:
    """Somebody with a past here, and every word that gives them away."""

    account_id: UUID
    headers: dict[str, str]
    client_id: str
    words: tuple[str, ...]
    orders: list[str]

    def said_in(self, text: str) -> list[str]:
        return [word for word in self.words if word in text]


@pytest.fixture
def deliver(shop) -> Callable[[], Awaitable[None]]:
    """Do what the worker does with every event: write its e-mail."""

    async def work() -> None:
        async with shop.db.transaction() as tx:
            events = await outbox.take_waiting(tx, 1_000, at=shop.clock())
        for event in events:
            said = {"event_id": event.id, "db": shop.db, "vault": shop.vault}
            if event.type == account_mail.MAIL_REQUESTED:
                await account_mail.send(
                    UUID(event.payload["request_id"]),
                    **said,
                    mailer=None,
                    public_url=shop.settings.public_url,
                    clock=shop.clock,
                )
            else:
                await notify.confirm_order(
                    UUID(event.payload["order_id"]),
                    **said,
                    mailer=None,
                    clock=shop.clock,
                )

    return work


@pytest.fixture
def a_life(client, shop, signed_in, a_product, deliver):
    """Sign somebody in who has done everything once; takes who they are."""

    async def live(name: str = "Adaline", *roles: str) -> Life:
        email = f"{name.lower()}.lovelace@example.com"
        street, phone = f"12 {name} Mews", "+442079460018"
        person = await signed_in(*roles, email=email)
        address = {
            "name": f"{name} Lovelace",
            "line1": street,
            "city": "London",
            "country": "GB",
            "postal_code": "SW1Y 4JH",
            "phone": phone,
        }
        await _say_who(client, person.headers, name, phone, address)
        async with shop.db.transaction() as tx:
            await _prove_who(tx, shop, person, email)
        orders = await _order(client, a_product, person, email, address)
        await deliver()
        async with shop.db.transaction() as tx:
            await account_mail.ask(
                tx, shop.vault, "password_reset", email, origin=CHROME, at=shop.clock()
            )
            index = accounts.email_index(shop.vault, email)
            await ordering.attach(tx, email_index=index, account_id=person.account_id)
            await ordering.add_note(
                *(tx, shop.vault, UUID(orders[0]), f"{name} rang from {phone}"),
                actor="test",
                at=shop.clock(),
            )
            now, order_id = shop.clock(), UUID(orders[0])
            await course.give_back(tx, order_id, now)
            await course.send(tx, order_id, now)
            said = f"{name} of {street}"
            await course.send_back(tx, shop.vault, order_id, said, now)
            line = (shop.vault, person.account_id, order_id)
            await course.wait_in_line(tx, *line, now)
            for account_id in (person.account_id, None):
                await inventory.add_request(
                    *(tx, shop.vault, new_id(), await a_product(str(new_id()))),
                    email,
                    account_id=account_id,
                    at=shop.clock(),
                )
        await deliver()
        words = (email, name, street, phone, CHROME.address, CHROME.user_agent)
        await _join_a_group(shop, person.account_id)
        return Life(person.account_id, person.headers, person.client_id, words, orders)

    return live


async def _join_a_group(shop, account_id) -> None:
    now, group_id = shop.clock(), new_id()
    group = pricing.CustomerGroup(group_id, f"group-{group_id}", "Club", now, now)
    async with shop.db.transaction() as tx:
        await pricing.add_group(tx, group)
        await pricing.add_member(tx, group_id, account_id, by="test", at=now)


async def _say_who(client, headers, name, phone, address) -> None:
    profile = {
        "given_name": name,
        "family_name": "Lovelace",
        "phone": phone,
        "marketing": {"granted": True, "source": "checkout"},
    }
    for method, path, body in (
        ("PATCH", "/v1/me", profile),
        ("POST", "/v1/me/addresses", {**address, "default_shipping": True}),
    ):
        answer = await client.request(method, path, json=body, headers=headers)
        answer.raise_for_status()


async def _prove_who(tx, shop, person, email) -> None:
    """Passwords, second factors, places: every way to sign in, used."""
    at, account_id, vault = shop.clock(), person.account_id, shop.vault
    phc = await shop.hasher.hash(PASSWORD)
    await accounts.set_password(tx, vault, account_id, phc, at)
    await accounts.begin_second_factor(tx, vault, account_id, "JBSWY3DPEHPK3PXP", at=at)
    factor = await accounts.find_second_factor(tx, vault, account_id)
    await accounts.confirm_second_factor(tx, factor, 1, at=at)
    await accounts.replace_recovery_codes(tx, vault, account_id, ["ABCD-EFGH"])
    await accounts.remember_places(
        tx, account_id, [accounts.address_place(vault, CHROME.address)], at=at
    )
    await accounts.link_identity(
        tx,
        vault,
        issuer="https://id.example",
        subject=email,
        account_id=account_id,
        at=at,
    )
    await oauth.remember_consent(tx, account_id, person.client_id, ["openid"], at)
    session = await accounts.open_session(
        tx,
        vault,
        account_id=account_id,
        kind="browser",
        client_id=None,
        scopes=(),
        methods=("pwd",),
        authenticated_at=at,
        origin=CHROME,
        cookie=tokens.new_token(tokens.BROWSER),
        expires_at=accounts.expiry_of("browser", at),
        at=at,
    )
    await oauth.add_code(
        tx, tokens.new_token(tokens.AUTHORIZATION_CODE), _code(person, session, at), at
    )
    await oauth.new_refresh_token(tx, person.session_id, at)
    await identity.record(
        tx,
        vault,
        "sign_in.succeeded",
        actor=f"account:{account_id}",
        origin=CHROME,
        at=at,
        account_id=account_id,
    )


def _code(person, session, at) -> oauth.Code:
    return oauth.Code(
        client_id=person.client_id,
        account_id=person.account_id,
        redirect_uri="https://store.test/callback",
        code_challenge="x" * 43,
        scopes=("openid",),
        nonce=None,
        methods=("pwd",),
        authenticated_at=at,
        browser_session_id=session.id,
    )


async def _order(client, a_product, person, email, address) -> list[str]:
    """As a guest and as oneself; and a cart that stays open."""
    sku = f"TEA-{person.account_id}"
    await a_product(sku, on_hand=10)
    cart = {
        "email": email,
        "shipping_method": "pickup",
        "shipping_address": address,
        "lines": [{"sku": sku, "quantity": 1}],
    }
    orders = []
    for headers, stays_open in (
        ({}, False),
        (person.headers, False),
        (person.headers, True),
    ):
        made = await client.post("/v1/carts", json=cart, headers=headers)
        opened = made.raise_for_status().json()
        if stays_open:
            continue
        owner = headers or {"Authorization": f"Bearer {opened['token']}"}
        answer = await client.post(
            f"/v1/carts/{opened['id']}/checkout",
            json={"payment_method": "pm_card_ok"},
            headers={**owner, "Idempotency-Key": opened["id"]},
        )
        orders.append(answer.raise_for_status().json()["id"])
    return orders


@pytest.fixture
async def operator(an_operator):
    return await an_operator("customers:read", "customers:write", "orders:read")


@pytest.fixture
def tables(database):
    """The tables there are, and the columns of each."""

    async def read():
        rows = await database.fetch(
            "SELECT table_name, array_agg(column_name::text) AS columns"
            " FROM information_schema.columns WHERE table_schema = 'public'"
            " GROUP BY table_name"
        )
        return {row["table_name"]: row["columns"] for row in rows}

    return read


@pytest.fixture
def traces(database, tables):
    """How many values there are in columns about people, by table and column."""

    async def count():
        found = {}
        for table, columns in (await tables()).items():
            for column in PERSONAL_COLUMNS:
                if table in HELD and column in columns:
                    found[f"{table}.{column}"] = await database.fetchval(
                        f"SELECT count(*) FROM {table} AS kept"  # noqa: S608 - ours
                        f" WHERE nullif({column}::text, '\\x') IS NOT NULL"
                        # An operator's own address stays with what they did.
                        " AND coalesce(to_jsonb(kept) ->> 'actor', '') !~ '^key:'"
                    )
        return {place: count for place, count in found.items() if count}

    return count


@pytest.fixture
def dump(database_url):
    """The whole database as text, as a backup has it."""

    def run() -> str:
        return subprocess.run(  # noqa: S603 - our own program and database
            [
                Build.find().bin_dir / "pg_dump",
                "--data-only",
                "--inserts",
                database_url,
            ],
            check=True,
            capture_output=True,
            text=True,
        ).stdout

    return run
