"""Somebody who keeps stock, and how they do it over HTTP."""

import itertools

import pytest

from holdfast.domain import inventory
from holdfast.domain.inventory import Wanted
from holdfast.kernel.ids import new_id


@pytest.fixture
async def keeper(an_operator):
    return await an_operator("inventory:read", "inventory:write")


@pytest.fixture
def keep(client, keeper):
    """Send a request as whoever keeps stock; a POST gets a key of its own."""
    numbers = itertools.count()

    async def send(method, path, body=None, *, key=None, **more):
        headers = {**keeper, **more.pop("headers", {})}
        headers["Idempotency-Key"] = key or f"key-{next(numbers)}"
        return await client.request(method, path, json=body, headers=headers, **more)

    return send


@pytest.fixture
def numbers(client, keeper):
    """On hand and reserved of a SKU, by location."""

    async def read(sku):
        answer = await client.get(f"/v1/inventory/{sku}", headers=keeper)
        levels = answer.json()["locations"]
        return {n["location"]: (n["on_hand"], n["reserved"]) for n in levels}

    return read


@pytest.fixture
async def berlin(keep):
    body = {"code": "berlin", "name": "Berlin", "priority": 1}
    assert (await keep("POST", "/v1/locations", body)).status_code == 201
    return "berlin"


@pytest.fixture
def order_of(shop, clock):
    """Promise units of a SKU to an order; returns its id."""

    async def reserve(sku, units, **more):
        order_id = new_id()
        level = await inventory.find(shop.db, sku)
        wanted = [Wanted(level.variant_id, sku, units)]
        async with shop.db.transaction() as tx:
            await inventory.reserve(tx, order_id, wanted, at=clock(), **more)
        return order_id

    return reserve


@pytest.fixture
def balanced(shop):
    """Whether the books of the stock agree."""

    async def look():
        return await inventory.drift(shop.db) == []

    return look
