"""A shop with collections, and an operator who makes them."""

import pytest

PATH = "/v1/collections"


@pytest.fixture
async def operator(an_operator):
    made = await an_operator("products:write", "products:read", "inventory:write")
    return {**made, "If-Match": "*"}


@pytest.fixture
def sell(client, operator):
    """Put a product on sale; returns what a client reads of it."""

    async def put(title, *, price=100, sku=None, **fields):
        body = {
            "title": title,
            "status": "active",
            "variants": [
                {"sku": sku or title, "price": {"amount": price, "currency": "EUR"}}
            ],
            **fields,
        }
        made = await client.post("/v1/products", json=body, headers=operator)
        return made.raise_for_status().json()

    return put


@pytest.fixture
def collect(client, operator):
    """Ask for a collection to be made; returns the answer."""

    async def make(title="Found", **fields):
        body = {"title": title, "status": "active", **fields}
        return await client.post(PATH, json=body, headers=operator)

    return make


@pytest.fixture
def ask(client, operator):
    """Ask for something of a collection; returns the answer."""

    async def send(method, path, body=None, **headers):
        return await client.request(
            method, f"{PATH}/{path}", json=body, headers={**operator, **headers}
        )

    return send


@pytest.fixture
def titles(client):
    """The titles of the products somebody sees in a collection."""

    async def read(collection, **asked):
        headers = asked.pop("headers", {})
        page = await client.get(
            f"{PATH}/{collection}/products", params=asked, headers=headers
        )
        return [one["title"] for one in page.raise_for_status().json()["items"]]

    return read
