"""Who wants to hear when something can be bought again."""

import pytest
from cases import cases

from holdfast.kernel.ids import new_id

PATH = "/v1/inventory/TEA/back-in-stock"
ADA = {"email": "ada@example.com"}


@pytest.fixture
async def sold_out(a_product):
    await a_product("TEA", on_hand=0, status="active")


@pytest.fixture
def waiting(keep):
    async def read():
        return (await keep("GET", PATH)).json()["items"]

    return read


class TestAsk:
    async def test_anybody_may_and_the_answer_says_nothing(
        self, client, sold_out, waiting
    ):
        first = await client.post(PATH, json=ADA)
        again = await client.post(PATH, json={"email": "ADA@example.com"})

        assert first.status_code == again.status_code == 202
        assert first.content == again.content == b""
        (request,) = await waiting()
        assert (request["sku"], request["account_id"]) == ("TEA", None)
        assert "email" not in request

    async def test_an_address_is_sealed(self, client, database, sold_out):
        await client.post(PATH, json=ADA)

        row = await database.fetchrow(
            "SELECT r::text AS all, sealed FROM stock_requests r"
        )
        # All of the address: three letters of it, as "ada", are in any hex text.
        address = ADA["email"]
        assert address.encode() not in row["sealed"]
        assert address not in row["all"]
        assert address.encode().hex() not in row["all"]

    async def test_whoever_is_signed_in_needs_no_address(
        self, client, sold_out, signed_in, waiting
    ):
        ada, eve = await signed_in(), await signed_in(email="eve@example.com")

        asked = await client.post(PATH, headers=ada.headers)
        mine = await client.get("/v1/me/back-in-stock", headers=ada.headers)
        hers = await client.get("/v1/me/back-in-stock", headers=eve.headers)

        assert asked.status_code == 202
        (request,) = mine.json()["items"]
        assert request["account_id"] == str(ada.account_id)
        assert hers.json()["items"] == []
        path = f"/v1/me/back-in-stock/{request['id']}"
        assert (await client.delete(path, headers=eve.headers)).status_code == 404
        assert (await client.delete(path, headers=ada.headers)).status_code == 204
        assert await waiting() == []

    async def test_what_can_be_bought_is_not_waited_for(
        self, client, a_product, waiting
    ):
        await a_product("TEA", on_hand=1, status="active")

        answer = await client.post(PATH, json=ADA)

        assert answer.status_code == 409
        assert answer.json()["type"] == "/problems/still-available"

    @cases(
        ("body", "slug"),
        [
            ({}, "stock-request-needs-email"),
            ({"email": "nobody"}, "invalid-request"),
            ({"email": "a@b" + "x" * 300}, "invalid-request"),
            ({"email": "ada@example.com\r\nBcc: eve@example.com"}, "invalid-request"),
            ({"email": "ada@example.com", "name": "Ada"}, "invalid-request"),
        ],
    )
    async def test_a_body_at_fault_is_refused(
        self, client, sold_out, waiting, body, slug
    ):
        answer = await client.post(PATH, json=body)

        assert answer.status_code == 422
        assert answer.json()["type"] == f"/problems/{slug}"
        assert await waiting() == []

    async def test_a_sku_nobody_has_is_not_found(self, client):
        answer = await client.post("/v1/inventory/POT/back-in-stock", json=ADA)

        assert answer.json()["type"] == "/problems/unknown-stock"

    async def test_an_address_can_wait_for_so_many_things(
        self, client, sold_out, database, monkeypatch
    ):
        monkeypatch.setattr(
            "holdfast.domain.inventory.notices.MAX_REQUESTS_OF_ADDRESS", 0
        )

        answer = await client.post(PATH, json=ADA)

        assert answer.status_code == 202
        assert await database.fetchval("SELECT count(*) FROM stock_requests") == 0


class TestRemove:
    async def test_by_operators(self, client, keep, sold_out, waiting):
        await client.post(PATH, json=ADA)
        (request,) = await waiting()

        gone = await keep("DELETE", f"/v1/stock-requests/{request['id']}")

        assert gone.status_code == 204
        assert await waiting() == []
        again = await keep("DELETE", f"/v1/stock-requests/{new_id()}")
        assert again.json()["type"] == "/problems/stock-request-not-found"
