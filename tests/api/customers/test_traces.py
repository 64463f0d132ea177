"""What a person left without saying whose it is goes with them, and nobody else's."""

import pytest

from holdfast.domain import accounts, drops, notifications
from holdfast.domain.identity import Origin
from holdfast.platform.resealing import reseal
from holdfast.workflows import account_mail, data_keys

NEW = "ada@elsewhere.example"
BOB = "bob@example.com"


@pytest.fixture
def erase(client, operator):
    async def go(person) -> None:
        path = f"/v1/customers/{person.account_id}"
        (await client.delete(path, headers=operator)).raise_for_status()

    return go


@pytest.fixture
def emails_in_export(client):
    async def read(person) -> list[str]:
        answer = await client.post("/v1/me/export", headers=person.headers)
        return [mail["recipient"] for mail in answer.json()["emails"]]

    return read


@pytest.fixture
def ask_change(shop, deliver):
    """Have the link sent with which an account gets another address."""

    async def ask(person, email: str) -> None:
        async with shop.db.transaction() as tx:
            await account_mail.ask(
                *(tx, shop.vault, "email_change", email),
                account_id=person.account_id,
                origin=Origin(),
                at=shop.clock(),
            )
        await deliver()

    return ask


@pytest.fixture
def mailbox(shop):
    async def read(email: str) -> list[str]:
        index = notifications.index_of(shop.vault, email)
        found = await notifications.of_recipient(shop.db, shop.vault, index)
        return [mail.subject for mail in found]

    return read


class TestAddressThatWasNeverConfirmed:
    async def test_goes_with_the_account(
        self, signed_in, ask_change, mailbox, erase, traces
    ):
        ada = await signed_in(email="ada@example.com")
        await ask_change(ada, NEW)
        assert len(await mailbox(NEW)) == 1

        await erase(ada)

        assert await mailbox(NEW) == []
        assert await traces() == {}

    async def test_is_no_way_to_learn_whether_it_is_free(
        self, signed_in, ask_change, mailbox, emails_in_export
    ):
        ada = await signed_in(email="ada@example.com")
        bob = await signed_in(email=BOB)

        await ask_change(ada, NEW)
        await ask_change(ada, BOB)

        assert len(await mailbox(NEW)) == len(await mailbox(BOB)) == 1
        assert await emails_in_export(ada) == []
        assert await emails_in_export(bob) == [BOB]

    async def test_leaves_others_what_they_were_told(
        self, signed_in, ask_change, mailbox, erase
    ):
        ada, _ = await signed_in(email="ada@example.com"), await signed_in(email=BOB)
        await ask_change(ada, BOB)

        await erase(ada)

        assert len(await mailbox(BOB)) == 1

    async def test_is_shown_once_it_is_theirs(
        self, signed_in, ask_change, shop, emails_in_export
    ):
        ada = await signed_in(email="ada@example.com")
        await ask_change(ada, NEW)
        async with shop.db.transaction() as tx:
            await accounts.set_email(tx, shop.vault, ada.account_id, NEW, shop.clock())

        assert await emails_in_export(ada) == [NEW]


class TestCartsOfNoAccount:
    @pytest.fixture
    def cart_for(self, client, a_product, an_operator):
        """A guest's cart, and a draft order that an operator prepared."""

        async def open_(email: str) -> list[str]:
            await a_product("TEA", on_hand=10)
            seller = await an_operator("orders:write", "orders:read")
            body = {"email": email, "lines": [{"sku": "TEA", "quantity": 1}]}
            ids = []
            for path, headers in (("/v1/carts", {}), ("/v1/draft-orders", seller)):
                answer = await client.post(path, json=body, headers=headers)
                ids.append(answer.raise_for_status().json()["id"])
            return ids

        return open_

    async def test_forget_who_they_are_for(
        self, signed_in, cart_for, erase, database, traces
    ):
        ada = await signed_in(email="ada@example.com")
        ids = await cart_for("ADA@example.com")
        assert (await traces())["carts.sealed"] == 2

        await erase(ada)

        assert await traces() == {}
        kept = await database.fetch(
            "SELECT c.id FROM carts c JOIN cart_lines l ON l.cart_id = c.id"
        )
        assert {str(row["id"]) for row in kept} == set(ids)

    async def test_stay_as_they_are_if_they_are_for_others(
        self, signed_in, cart_for, erase, traces
    ):
        ada = await signed_in(email="ada@example.com")
        await cart_for(BOB)

        await erase(ada)

        assert (await traces())["carts.sealed"] == 2

    async def test_are_in_the_export(self, client, signed_in, cart_for):
        ada = await signed_in(email="ada@example.com")
        ids = await cart_for("ada@example.com")

        answer = await client.post("/v1/me/export", headers=ada.headers)

        assert {cart["id"] for cart in answer.json()["open_carts"]} == set(ids)

    async def test_are_found_that_an_older_release_wrote(
        self, signed_in, cart_for, erase, database, vault, traces
    ):
        ada = await signed_in(email="ada@example.com")
        await cart_for("ada@example.com")
        await database.fetch("UPDATE carts SET email_index = NULL")
        (carts,) = [c for c in data_keys.COLUMNS if c.name == "carts"]

        assert (await reseal(database, vault, carts)).done == 2
        assert await reseal(database, vault, carts) is None
        await erase(ada)

        assert await traces() == {}


class TestAskedForAtAnotherAddress:
    PATH = "/v1/inventory/TEA/back-in-stock"

    @pytest.fixture
    async def ada(self, client, signed_in, a_product):
        await a_product("TEA", on_hand=0, status="active")
        ada = await signed_in(email="ada@example.com")
        asked = await client.post(self.PATH, json={"email": BOB}, headers=ada.headers)
        assert asked.status_code == 202
        return ada

    async def test_goes_with_the_account(self, ada, erase, traces):
        assert (await traces())["stock_requests.sealed"] == 1

        await erase(ada)

        assert await traces() == {}

    async def test_is_not_shown(self, client, ada):
        # If it were, it would say that whose address it is had not asked before.
        listed = await client.get("/v1/me/back-in-stock", headers=ada.headers)
        archive = await client.post("/v1/me/export", headers=ada.headers)

        assert listed.json()["items"] == archive.json()["back_in_stock"] == []

    async def test_becomes_theirs_whose_address_it_is(
        self, client, ada, signed_in, erase
    ):
        bob = await signed_in(email=BOB)
        await client.post(self.PATH, headers=bob.headers)
        await client.post(self.PATH, json={"email": BOB}, headers=ada.headers)

        await erase(ada)

        listed = await client.get("/v1/me/back-in-stock", headers=bob.headers)
        assert [item["sku"] for item in listed.json()["items"]] == ["TEA"]


class TestPlaceInLine:
    async def test_is_nobodys_afterwards_and_stays_taken(
        self, a_life, erase, database, vault
    ):
        ada = await a_life()
        holder = drops.account_holder(vault, ada.account_id)
        assert len(await drops.tickets_held(database, holder)) == 1

        await erase(ada)

        assert await drops.tickets_held(database, holder) == []
        kept = "SELECT count(*) FROM drop_tickets JOIN drop_purchases ON ticket_id = id"
        assert await database.fetchval(kept) == 1
