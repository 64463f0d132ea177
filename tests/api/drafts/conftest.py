"""An operator who prepares draft orders, and what becomes of the stock."""

import pytest

PATH = "/v1/draft-orders"
READY = {
    "email": "ada@example.com",
    "shipping_method": "pickup",
    "shipping_address": {
        "name": "Ada Lovelace",
        "line1": "12 Main St",
        "city": "London",
        "country": "GB",
    },
}
CHEAP = {"sku": "TEA", "quantity": 3, "unit_price": {"amount": 700, "currency": "EUR"}}


@pytest.fixture
async def clerk(an_operator, tea):
    return await an_operator("orders:read", "orders:write", "prices:override")


@pytest.fixture
def prepare(client, clerk):
    """Prepare a draft order of three TEA at 7.00, ready to be paid."""

    async def send(**fields):
        body = {"lines": [CHEAP], **READY, **fields}
        answer = await client.post(PATH, json=body, headers=clerk)
        assert answer.status_code == 201, answer.text
        return answer.json()

    return send


@pytest.fixture
def complete(client, clerk):
    """Complete a draft order as an operator."""

    async def send(draft, body, key="key-1", headers=None):
        return await client.post(
            f"{PATH}/{draft['id']}/completion",
            json=body,
            headers={**(headers or clerk), "Idempotency-Key": key},
        )

    return send


@pytest.fixture
def level(client, an_operator):
    """What is reserved of TEA."""

    async def read():
        headers = await an_operator("inventory:read")
        answer = await client.get("/v1/inventory/TEA", headers=headers)
        return answer.json()["reserved"]

    return read


@pytest.fixture
def holder():
    """The headers of whoever has a draft order's token."""

    def headers(draft):
        return {"Authorization": f"Bearer {draft['token']}"}

    return headers
