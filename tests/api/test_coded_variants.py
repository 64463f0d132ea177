"""``GET /v1/variants``: what a scanner has read."""

import pytest
from cases import cases


@pytest.fixture
async def operator(an_operator):
    return await an_operator("products:write", "products:read")


@pytest.fixture
def sell(client, operator):
    """Make a draft with one variant for each SKU; the barcode is on all of them."""

    async def put(title, *skus, barcode=None):
        sizes = [f"S{number}" for number in range(len(skus))]
        body = {
            "title": title,
            "options": [{"name": "Size", "values": sizes}],
            "variants": [
                {
                    "sku": sku,
                    "price": {"amount": 100, "currency": "EUR"},
                    "options": {"Size": size},
                    "barcode": barcode,
                }
                for sku, size in zip(skus, sizes, strict=True)
            ],
        }
        made = await client.post("/v1/products", json=body, headers=operator)
        assert made.status_code == 201, made.text
        return made.json()

    return put


class TestBrowse:
    async def test_names_the_product_of_an_sku_whatever_its_status(
        self, client, operator, sell
    ):
        cup = await sell("Cup", "CUP-1", "CUP-2")
        await sell("Mug", "CUP-11")

        answer = await client.get("/v1/variants?sku=CUP-1", headers=operator)

        product = {key: cup[key] for key in ("id", "handle", "title", "status")}
        assert answer.json() == {
            "items": [{"product": product, "variant": cup["variants"][0]}],
            "next": None,
        }
        assert product["status"] == "draft"
        again = await client.get(
            "/v1/variants?sku=CUP-1",
            headers=operator | {"If-None-Match": answer.headers["ETag"]},
        )
        assert again.status_code == 304

    async def test_leads_through_all_that_share_a_barcode(self, client, operator, sell):
        await sell("Cup", "CUP-1", "CUP-2", barcode="4006381333931")
        await sell("Mug", "MUG-1", barcode="4006381333931")
        await sell("Jug", "JUG-1", barcode="4006381333932")

        skus, path = [], "/v1/variants?barcode=4006381333931&limit=1"
        while path:
            page = await client.get(path, headers=operator)
            skus += [item["variant"]["sku"] for item in page.json()["items"]]
            link = page.headers.get("Link")
            path = link and link[1 : link.index(">")]

        assert skus == ["CUP-1", "CUP-2", "MUG-1"]

    async def test_finds_nothing_where_nothing_has_the_code(self, client, operator):
        for query in ("sku=NONE", "barcode=%F0%9F%AB%96"):
            answer = await client.get(f"/v1/variants?{query}", headers=operator)
            assert answer.json() == {"items": [], "next": None}

    @cases(
        "query",
        [
            *("", "sku=A&barcode=B", "sku=", f"sku={'a' * 256}", "sku=%00"),
            *("barcode=A&after=x", "barcode=A&limit=0", "code=A"),
        ],
    )
    async def test_refuses_what_names_no_code(self, client, operator, query):
        answer = await client.get(f"/v1/variants?{query}", headers=operator)

        assert answer.status_code == 422

    async def test_is_for_operators(self, client):
        answer = await client.get("/v1/variants?sku=A")

        assert answer.status_code == 401
