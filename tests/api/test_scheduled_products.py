"""Products go on and off sale at their second, whatever the worker does."""

from datetime import timedelta

import pytest
from cases import cases

from holdfast.workflows.catalog import turn_due

FAR = "9999-12-31T23:59:59-05:00"
BODY = {
    "title": "Tea",
    "variants": [{"sku": "TEA-1", "price": {"amount": 490, "currency": "EUR"}}],
}


@pytest.fixture
def at(clock):
    """A moment so far from now."""

    def say(**time):
        return (clock() + timedelta(**time)).isoformat()

    return say


@pytest.fixture
async def operator(an_operator):
    made = await an_operator("products:write", "products:read")
    return {**made, "If-Match": "*"}


@pytest.fixture
def made(client, operator):
    """Make a product with these fields; returns the answer."""

    async def make(**fields):
        return await client.post("/v1/products", json=BODY | fields, headers=operator)

    return make


async def _everywhere(client):
    """Where a buyer finds it: by itself, in the list and by a search."""
    one = await client.get("/v1/products/tea")
    lists = [await client.get(f"/v1/products{asked}") for asked in ("", "?q=tea")]
    cart = {"lines": [{"sku": "TEA-1", "quantity": 1}]}
    sold = await client.post("/v1/carts", json=cart)
    return [
        one.status_code == 200,
        *(bool(listed.json()["items"]) for listed in lists),
        sold.status_code == 201,
    ]


class TestScheduled:
    async def test_is_nowhere_before_its_time(self, at, client, made, operator):
        answer = await made(status="scheduled", publish_at=at(days=30))

        assert answer.json()["status"] == "scheduled"
        assert await _everywhere(client) == [False, False, False, False]
        found = await client.get("/v1/products?status=scheduled", headers=operator)
        assert len(found.json()["items"]) == 1

    async def test_is_everywhere_from_its_second_on_without_a_worker(
        self, at, client, made, operator, clock
    ):
        await made(status="scheduled", publish_at=at(seconds=2))
        clock.advance(seconds=1)
        assert await _everywhere(client) == [False, False, False, False]

        clock.advance(seconds=1)

        assert await _everywhere(client) == [True, True, True, True]
        shown = await client.get("/v1/products/tea")
        assert shown.json()["status"] == "active"
        found = await client.get("/v1/products?status=active", headers=operator)
        assert found.json()["items"][0]["status"] == "active"

    async def test_goes_off_sale_by_itself(self, at, client, made, operator, clock):
        await made(status="active", unpublish_at=at(seconds=1))
        assert await _everywhere(client) == [True, True, True, True]

        clock.advance(seconds=1)

        assert await _everywhere(client) == [False, False, False, False]
        shown = await client.get("/v1/products/tea", headers=operator)
        assert shown.json()["status"] == "archived"

    async def test_is_written_down_by_the_worker_once(
        self, at, client, made, operator, shop
    ):
        await made(
            status="scheduled", publish_at=at(seconds=-1), unpublish_at=at(days=30)
        )

        turned = [await turn_due(shop.db, clock=shop.clock) for _ in range(2)]

        assert turned == [1, 0]
        shown = (await client.get("/v1/products/tea")).json()
        assert (shown["publish_at"], shown["version"]) == (None, 2)
        assert shown["unpublish_at"] is not None
        told = await client.get("/v1/products/tea/history", headers=operator)
        assert told.json()["items"][0]["action"] == "published"

    async def test_is_archived_by_the_worker(self, at, client, made, operator, shop):
        await made(
            status="scheduled", publish_at=at(hours=-2), unpublish_at=at(hours=-1)
        )

        assert await turn_due(shop.db, clock=shop.clock) == 1

        shown = await client.get("/v1/products/tea", headers=operator)
        assert (shown.json()["status"], shown.json()["unpublish_at"]) == (
            *("archived", None),
        )

    async def test_has_no_time_left_when_an_editor_was_first(
        self, at, client, made, operator, shop, clock
    ):
        await made(status="scheduled", publish_at=at(hours=1), unpublish_at=at(hours=2))
        for status, left in (("active", [None, False]), ("archived", [None, True])):
            changed = await client.patch(
                "/v1/products/tea", json={"status": status}, headers=operator
            )
            shown = changed.json()
            assert [shown["publish_at"], shown["unpublish_at"] is None] == left
        clock.advance(days=1)

        back = await client.patch(
            "/v1/products/tea", json={"status": "active"}, headers=operator
        )

        assert back.json()["status"] == "active"
        assert await turn_due(shop.db, clock=shop.clock) == 0

    async def test_is_on_sale_for_an_editor_too_who_is_before_the_worker(
        self, at, client, made, operator, shop, clock
    ):
        await made(status="scheduled", publish_at=at(hours=1), unpublish_at=at(hours=9))
        clock.advance(hours=2)

        same = await client.patch(
            "/v1/products/tea", json={"publish_at": None}, headers=operator
        )
        titled = await client.patch(
            "/v1/products/tea", json={"title": "Chai"}, headers=operator
        )

        assert (same.status_code, same.json()["version"]) == (200, 1)
        shown = titled.json()
        assert (shown["status"], shown["publish_at"], shown["version"]) == (
            *("active", None),
            2,
        )
        assert shown["unpublish_at"] is not None
        told = await client.get("/v1/products/tea/history", headers=operator)
        changed, turned, _ = told.json()["items"]
        assert (turned["action"], turned["actor"]) == ("published", "system")
        assert [one["field"] for one in changed["changes"]] == ["/title"]
        assert await turn_due(shop.db, clock=shop.clock) == 0

    async def test_is_brought_back_by_an_editor_who_is_before_the_worker(
        self, at, client, made, operator, shop, clock
    ):
        await made(status="active", unpublish_at=at(hours=1))
        clock.advance(hours=1)

        back = await client.patch(
            "/v1/products/tea", json={"status": "active"}, headers=operator
        )

        assert (back.json()["status"], back.json()["unpublish_at"]) == ("active", None)
        told = await client.get("/v1/products/tea/history", headers=operator)
        changed, turned, _ = told.json()["items"]
        assert turned["action"] == "unpublished"
        assert changed["changes"] == [
            {"field": "/status", "old": "archived", "new": "active"}
        ]
        assert await turn_due(shop.db, clock=shop.clock) == 0

    @cases(
        ("fields", "pointer"),
        [
            ({"status": "scheduled"}, "/publish_at"),
            (
                {
                    "publish_at": "2026-12-01T00:00:00Z",
                    "unpublish_at": "2026-12-01T00:00:00Z",
                },
                "/unpublish_at",
            ),
            ({"publish_at": "2026-12-01T00:00:00"}, "/publish_at"),
            ({"unpublish_at": "2026-12-01T00:00:00"}, "/unpublish_at"),
            ({"status": "active", "unpublish_at": FAR}, "/unpublish_at"),
            ({"publish_at": "0001-01-01T00:00:00+01:00"}, "/publish_at"),
            ({"seo_title": "x" * 256}, "/seo_title"),
            ({"seo_description": "a\nb"}, "/seo_description"),
        ],
    )
    async def test_says_what_is_wrong(self, made, fields, pointer):
        answer = await made(**fields)

        assert answer.status_code == 422
        assert answer.json()["errors"][0]["pointer"] == pointer

    async def test_has_what_search_engines_are_shown(self, client, made, operator):
        await made(seo_title="Tea | Shop", seo_description="All the <b>tea</b> ☕ שלום")

        shown = (await client.get("/v1/products/tea", headers=operator)).json()

        assert (shown["seo_title"], shown["seo_description"]) == (
            *("Tea | Shop", "All the <b>tea</b> ☕ שלום"),
        )
