"""Collections as such: made, read, changed, shown for a time and taken away."""

import asyncio
from datetime import timedelta

import pytest
from cases import cases

from holdfast.kernel.ids import new_id

PATH = "/v1/collections"
GIFTS = {"conditions": [{"field": "tag", "values": ["gift"]}]}


class TestCreate:
    async def test_makes_one_by_hand_or_by_rule(self, client, operator, collect):
        by_hand = await collect("Für dich", description_html="<p onclick=x>Yes</p>")
        by_rule = await collect("Gifts", rule=GIFTS, position=3)

        assert by_hand.status_code == by_rule.status_code == 201
        shown = by_hand.json()
        assert (shown["handle"], shown["sort"], shown["rule"]) == (
            *("fur-dich", "manual"),
            None,
        )
        assert shown["description_html"] == "<p>Yes</p>"
        assert by_rule.json()["sort"] == "newest"
        assert by_rule.json()["rule"]["match"] == "all"
        read = await client.get(by_rule.headers["Location"], headers=operator)
        assert (read.json(), read.headers["ETag"]) == (
            by_rule.json(),
            by_rule.headers["ETag"],
        )

    @cases(
        ("fields", "type_", "pointer"),
        [
            ({"title": ""}, "collection-invalid", "/handle"),
            ({"title": "a\nb"}, "collection-invalid", "/title"),
            ({"title": "x" * 300}, "collection-invalid", "/title"),
            ({"handle": "Not One"}, "collection-invalid", "/handle"),
            ({"handle": str(new_id())}, "collection-invalid", "/handle"),
            ({"position": -1}, "collection-invalid", "/position"),
            ({"position": 10**30}, None, "/position"),
            ({"seo_title": "x" * 256}, "collection-invalid", "/seo_title"),
            ({"description_html": "x" * 70_000}, None, "/description_html"),
            (
                {"publish_at": "2026-12-01T00:00:00"},
                "collection-invalid",
                "/publish_at",
            ),
            (
                {"unpublish_at": "2026-12-01T00:00:00"},
                "collection-invalid",
                "/unpublish_at",
            ),
            (
                {
                    "publish_at": "2026-12-01T00:00:00Z",
                    "unpublish_at": "2026-12-01T00:00:00Z",
                },
                *("collection-invalid", "/unpublish_at"),
            ),
            (
                {"unpublish_at": "9999-12-31T23:59:59-05:00"},
                "collection-invalid",
                "/unpublish_at",
            ),
            ({"image": {"media_id": "x"}}, "collection-invalid", "/image/media_id"),
            (
                {"image": {"media_id": str(new_id())}},
                "collection-invalid",
                "/image/media_id",
            ),
            ({"sort": "relevance"}, "invalid-request", "/sort"),
            ({"status": "archived"}, "invalid-request", "/status"),
            ({"nonsense": 1}, "invalid-request", "/nonsense"),
            ({"rule": GIFTS, "sort": "manual"}, "collection-invalid", "/sort"),
        ],
    )
    async def test_says_what_is_wrong(self, collect, fields, type_, pointer):
        answer = await collect(**fields)

        assert answer.status_code == 422, answer.text
        assert type_ is None or answer.json()["type"] == f"/problems/{type_}"
        assert pointer in [error["pointer"] for error in answer.json()["errors"]]

    async def test_takes_a_handle_once(self, collect):
        await collect("Gifts")

        again = await collect("Gifts")

        assert again.status_code == 409
        assert again.json()["type"] == "/problems/duplicate-handle"

    @pytest.mark.parametrize(
        "title", ["<script>alert(1)</script>", "מתנות 🎁", "e\u0301te\u0301", "'; --"]
    )
    async def test_takes_any_title_as_it_is(self, client, collect, title):
        made = await collect(title, handle="kept")

        assert made.json()["title"] == title
        assert (await client.get(f"{PATH}/kept")).json()["title"] == title


class TestChange:
    async def test_changes_what_is_given_and_tells_the_history(self, collect, ask):
        await collect("Gifts", rule=GIFTS)

        changed = await ask("PATCH", "gifts", {"sort": "price", "title": "Presents"})

        assert changed.json()["version"] == 2
        assert changed.json()["rule"] == {
            "match": "all",
            "conditions": [{"field": "tag", "values": ["gift"], "operator": "is"}],
        }
        same = await ask("PATCH", "gifts", {"rule": GIFTS, "sort": "price"})
        assert same.json()["version"] == 2
        await ask("PATCH", "gifts", {"rule": None, "sort": "manual"})
        told = (await ask("GET", "gifts/history")).json()["items"]
        assert [one["action"] for one in told] == ["changed", "changed", "created"]
        assert [one["version"] for one in told] == [3, 2, 1]
        assert told[1]["changes"] == [
            {"field": "/title", "old": "Gifts", "new": "Presents"},
            {"field": "/sort", "old": "newest", "new": "price"},
        ]
        assert told[0]["changes"][1]["new"] is None

    async def test_keeps_a_rule_whatever_has_become_of_what_it_names(
        self, client, operator, collect, ask
    ):
        teas = await client.post(
            "/v1/categories", json={"name": "Teas"}, headers=operator
        )
        rule = {"conditions": [{"field": "category", "values": ["teas"]}]}
        made = (await collect("Gifts", rule=rule)).json()
        await client.delete("/v1/categories/teas", headers=operator)

        titled = await ask("PATCH", "gifts", {"title": "New"})
        whole = await ask("PATCH", "gifts", {"rule": made["rule"], "position": 3})
        other = {**made["rule"], "match": "any"}
        changed = await ask("PATCH", "gifts", {"rule": other})

        assert (titled.status_code, titled.json()["title"]) == (200, "New")
        assert (whole.status_code, whole.json()["version"]) == (200, 3)
        assert whole.json()["rule"]["conditions"][0]["values"] == [teas.json()["id"]]
        assert changed.status_code == 422
        pointers = [error["pointer"] for error in changed.json()["errors"]]
        assert pointers == ["/rule/conditions/0/values/0"]

    async def test_is_refused_where_it_was_made_for_another_version(
        self, collect, ask, sell
    ):
        await sell("Cup")
        tag = (await collect("Gifts")).headers["ETag"]
        await ask("PUT", "gifts/products", {"products": ["cup"]})

        for method, path, body in (
            *(("PATCH", "gifts", {}), ("DELETE", "gifts", None)),
            ("PUT", "gifts/products", {"products": []}),
            ("POST", "gifts/products", {"product": "cup"}),
            ("PATCH", "gifts/products/cup", {"position": 1}),
            ("DELETE", "gifts/products/cup", None),
        ):
            late = await ask(method, path, body, **{"If-Match": tag})
            assert late.status_code == 412, (method, path)
            assert late.json()["version"] == 2

    async def test_without_a_version_is_refused(self, client, an_operator, collect):
        await collect("Gifts")
        operator = await an_operator("products:write")

        for method, path, body in (
            *(("PATCH", "gifts", {}), ("DELETE", "gifts", None)),
            ("PUT", "gifts/products", {"products": []}),
            ("PATCH", "gifts/products/x", {"position": 1}),
            ("DELETE", "gifts/products/x", None),
        ):
            answer = await client.request(
                method, f"{PATH}/{path}", json=body, headers=operator
            )
            assert answer.status_code == 428, (method, path)

    async def test_by_two_at_once_is_one(self, collect, ask):
        tag = (await collect("Gifts")).headers["ETag"]

        async with asyncio.TaskGroup() as group:
            both = [
                group.create_task(
                    ask("PATCH", "gifts", {"title": title}, **{"If-Match": tag})
                )
                for title in ("A", "B")
            ]

        answers = sorted(task.result().status_code for task in both)
        assert answers == [200, 412]

    async def test_to_a_handle_that_is_taken_is_refused(self, collect, ask):
        await collect("Gifts")
        await collect("Sale")

        taken = await ask("PATCH", "gifts", {"handle": "sale"})

        assert taken.json()["type"] == "/problems/duplicate-handle"


class TestDelete:
    async def test_leaves_products_and_its_history(self, client, collect, ask, sell):
        await sell("Cup")
        made = (await collect("Gifts")).json()
        await ask("PUT", "gifts/products", {"products": ["cup"]})

        gone = await ask("DELETE", "gifts")

        assert gone.status_code == 204
        assert (await client.get(f"{PATH}/gifts")).status_code == 404
        assert (await client.get("/v1/products/cup")).status_code == 200
        told = (await ask("GET", f"{made['id']}/history")).json()["items"]
        assert [one["action"] for one in told] == ["deleted", "changed", "created"]
        assert (await ask("GET", f"{new_id()}/history")).status_code == 404


class TestShown:
    async def test_to_buyers_while_it_is_its_time(
        self, client, operator, collect, clock
    ):
        await collect("Draft", status="draft")
        begins = clock() + timedelta(hours=1)
        span = {"publish_at": begins, "unpublish_at": begins + timedelta(hours=1)}
        await collect("Flash", **{k: at.isoformat() for k, at in span.items()})

        async def seen(**headers):
            page = await client.get(PATH, headers=headers)
            handles = [one["handle"] for one in page.json()["items"]]
            for handle in ("draft", "flash"):
                for path in (handle, f"{handle}/products"):
                    answer = await client.get(f"{PATH}/{path}", headers=headers)
                    found = 200 if handle in handles else 404
                    assert answer.status_code == found, path
                searched = await client.get(
                    f"/v1/search?collection={handle}", headers=headers
                )
                assert searched.status_code == found
            return handles

        assert await seen() == []
        clock.advance(hours=1)
        assert await seen() == ["flash"]
        clock.advance(hours=1)
        assert await seen() == []
        assert await seen(**operator) == ["draft", "flash"]

    async def test_without_its_rule_to_buyers(self, client, operator, collect):
        await collect("Gifts", rule=GIFTS)

        for path in (PATH, f"{PATH}/gifts"):
            for headers, there in (({}, False), (operator, True)):
                shown = (await client.get(path, headers=headers)).json()
                one = shown["items"][0] if "items" in shown else shown
                assert ("rule" in one) is there

    async def test_in_the_order_of_the_shop_page_by_page(self, client, collect):
        for position, title in ((2, "C"), (1, "A"), (1, "B"), (3, "D")):
            await collect(title, position=position)

        seen, path = [], f"{PATH}?limit=3"
        while path is not None:
            page = await client.get(path)
            seen += [one["handle"] for one in page.json()["items"]]
            path = page.links["next"]["url"] if "next" in page.links else None

        assert seen == ["a", "b", "c", "d"]

    async def test_spares_who_has_it(self, client, collect):
        await collect("Gifts")

        for path in (PATH, f"{PATH}/gifts", f"{PATH}/gifts/products"):
            tag = (await client.get(path)).headers["ETag"]
            again = await client.get(path, headers={"If-None-Match": tag})
            assert again.status_code == 304

    @cases("after", ["x", "W10", "WyIxIiwieCJd", "WyI5OTk5OTk5OTk5OTk5IiwiYSJd"])
    async def test_refuses_a_cursor_that_is_none(self, client, collect, after):
        await collect("Gifts")

        for path in (PATH, f"{PATH}/gifts/products"):
            answer = await client.get(path, params={"after": after})
            assert answer.json()["type"] == "/problems/bad-cursor"


class TestImage:
    @pytest.fixture
    async def picture(self, database, clock):
        """A picture that is drawn; its id."""
        asset_id = new_id()
        await database.fetch(
            "INSERT INTO media_assets (id, address, status, kind, bytes, sha256, "
            "file_name, alt, width, height, renditions, created_by, created_at, "
            "updated_at) VALUES ($1, $2, 'ready', 'png', 9, '', 'a.png', '', 2000, "
            "1000, $3, 'test', now(), now())",
            *(asset_id, "ab" * 32),
            [{"name": "large.webp", "width": 1280, "height": 640, "bytes": 9}],
        )
        return str(asset_id)

    async def test_is_shown_and_stays_while_it_is(
        self, client, operator, collect, ask, picture
    ):
        made = await collect("Gifts", image={"media_id": picture, "alt": "A box"})

        assert made.json()["image"] == {
            "media_id": picture,
            "url": f"/images/{'ab' * 32}/large.webp",
            "alt": "A box",
            "width": 1280,
            "height": 640,
        }
        kept = await client.delete(f"/v1/media/{picture}", headers=operator)
        assert kept.status_code == 409
        assert kept.json()["collection_ids"] == [made.json()["id"]]
        off = await ask("PATCH", "gifts", {"image": None})
        assert off.json()["image"] is None
        gone = await client.delete(f"/v1/media/{picture}", headers=operator)
        assert gone.status_code == 204
