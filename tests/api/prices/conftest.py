"""An operator of prices, and products with a history."""

import pytest

from holdfast.kernel.money import Money


@pytest.fixture
async def keeper(an_operator):
    """Headers of somebody who keeps prices and groups."""
    return await an_operator(
        "products:read", "products:write", "customers:read", "customers:write"
    )


@pytest.fixture
def anyhow(keeper):
    """Headers of the same, who overwrites whatever is there."""
    return {**keeper, "If-Match": "*"}


@pytest.fixture
async def tea(a_product):
    return await a_product("TEA", price=Money(1000, "EUR"))


@pytest.fixture
def set_prices(client, anyhow, tea):
    """Set prices of TEA; each is an amount in EUR, or fields."""

    async def send(*prices, price_list=None):
        body = {
            "price_list_id": price_list,
            "prices": [
                {"sku": "TEA", **price}
                if isinstance(price, dict)
                else {"sku": "TEA", "price": {"amount": price, "currency": "EUR"}}
                for price in prices
            ],
        }
        answer = await client.put("/v1/prices", json=body, headers=anyhow)
        return answer.raise_for_status().json()

    return send


@pytest.fixture
def make(client, keeper):
    """Make a thing of these fields and return it."""

    async def send(path, **fields):
        answer = await client.post(path, json=fields, headers=keeper)
        made = answer.raise_for_status().json()
        assert answer.headers["location"] == f"{path}/{made['id']}"
        return made

    return send
