"""A shop that has something to translate."""

import pytest

from holdfast.platform.db import Database

ANY = {"If-Match": "*"}
SHIRT = {
    "title": "Shirt",
    "status": "active",
    "description_html": "<p>Soft</p>",
    "categories": ["tops"],
    "options": [{"name": "Size", "values": ["Small", "Large"]}],
    "variants": [
        {
            "sku": "SHIRT-S",
            "price": {"amount": 1900, "currency": "EUR"},
            "options": {"Size": "Small"},
        }
    ],
}
HEMD = {
    "title": "Leinenhemd",
    "description_html": "<p>Weich</p>",
    "options": {"Size": {"name": "Gr\u00f6\u00dfe", "values": {"Small": "Klein"}}},
}


@pytest.fixture
async def operator(an_operator):
    made = await an_operator("products:write", "products:read")
    return {**made, **ANY}


@pytest.fixture
async def shirt(client, operator):
    """A shirt that is on sale, among the tops; not translated."""
    tops = {"name": "Tops"}
    await client.post("/v1/categories", json=tops, headers=operator)
    made = await client.post("/v1/products", json=SHIRT, headers=operator)
    assert made.status_code == 201, made.text
    return made.json()


@pytest.fixture
def translate(client, operator):
    """Put a translation of the shirt."""

    async def put(locale="de", body=HEMD, of="products/shirt", **headers):
        return await client.put(
            f"/v1/{of}/translations/{locale}", json=body, headers=operator | headers
        )

    return put


@pytest.fixture
async def hemd(shirt, translate):
    """The shirt, translated into German; the version it has."""
    put = await translate()
    assert put.status_code == 200, put.text
    return shirt


@pytest.fixture
def read(client):
    """Read something in a language, as everybody may."""

    async def get(path, accept="de", **headers):
        said = {} if accept is None else {"Accept-Language": accept}
        answer = await client.get(path, headers={**said, **headers})
        assert answer.status_code in (200, 304), answer.text
        return answer

    return get


@pytest.fixture
def statements(monkeypatch):
    """Every statement about products that is read from here on."""
    seen = []
    read = Database._read

    async def counted(self, method, query, args):
        if "product" in query or "search" in query:
            seen.append(query)
        return await read(self, method, query, args)

    monkeypatch.setattr(Database, "_read", counted)
    return seen
