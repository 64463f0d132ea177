"""Pictures of the shop's own on its products."""

import asyncio

import pytest
from pictures import picture

_WAITING = """
SELECT count(*) FROM pg_stat_activity
WHERE wait_event_type = 'Lock' AND datname = current_database()
"""


@pytest.fixture
async def product(client, operator):
    """A product without images; its address and how to change it."""
    body = {
        "title": "Assam",
        "status": "active",
        "variants": [{"sku": "T1", "price": {"amount": 1, "currency": "EUR"}}],
    }
    made = await client.post("/v1/products", json=body, headers=operator)
    return f"/v1/products/{made.json()['id']}"


ANY = {"If-Match": "*"}


@pytest.fixture
def show(client, operator, product):
    """Show a picture with the product; returns the image."""

    async def add(media_id, **said):
        answer = await client.post(
            f"{product}/images", json={"media_id": media_id, **said}, headers=operator
        )
        assert answer.status_code == 201, answer.text
        return answer.json()

    return add


async def images_of(client, product):
    return (await client.get(product)).json()["images"]


class TestCreate:
    async def test_shows_a_picture_with_its_text_and_size(
        self, client, drawn, product, show
    ):
        made = await drawn(texts={"alt": "A tin"})

        image = await show(made["id"])

        assert image == (await images_of(client, product))[0]
        assert image["asset_id"] == made["id"]
        assert (image["url"], image["alt"]) == (made["url"], "A tin")
        assert (image["width"], image["height"]) == (64, 48)

    async def test_puts_it_where_it_is_wanted(self, client, upload, product, show):
        ids = [(await upload()).json()["id"] for _ in range(3)]
        await show(ids[0])
        await show(ids[1], position=1, alt="first")
        await show(ids[2], position=99)

        images = await images_of(client, product)

        assert [image["asset_id"] for image in images] == [ids[1], ids[0], ids[2]]
        assert [image["position"] for image in images] == [1, 2, 3]
        assert images[0]["alt"] == "first"

    async def test_says_how_large_it_is_once_it_is_drawn(
        self, client, operator, upload, darkroom, product, show
    ):
        image = await show((await upload()).json()["id"])
        before = await client.get(product)

        await darkroom.draw_next()

        after = await client.get(product)
        known = {"width": 64, "height": 48}
        assert image | known == after.json()["images"][0]
        assert (image["width"], image["height"]) == (None, None)
        # Nobody has edited it, and whoever does goes on; caches are told.
        assert after.json()["version"] == before.json()["version"]
        assert after.headers["ETag"] != before.headers["ETag"]
        tag = {"If-Match": before.headers["ETag"]}
        edited = await client.patch(
            product, json={"title": "Assam I"}, headers={**operator, **tag}
        )
        assert edited.json()["images"][0]["width"] == 64

    async def test_says_it_by_the_address_and_as_somebody_says(
        self, client, operator, upload, drawn, darkroom, product
    ):
        made = (await upload(picture(size=(1000, 500)))).json()
        medium, large = made["url"].replace("large.webp", "medium.jpg"), made["url"]
        images = [{"url": medium}, {"url": large, "width": 10, "height": 5}]
        headers = {**operator, **ANY}
        await client.patch(product, json={"images": images}, headers=headers)

        await darkroom.draw_next()

        sizes = [(i["width"], i["height"]) for i in await images_of(client, product)]
        assert sizes == [(640, 320), (10, 5)]
        # Not to say it again is no change.
        same = await client.patch(product, json={"images": images}, headers=headers)
        assert same.json()["version"] == 2
        late = await drawn()
        images.append({"url": late["url"]})
        more = await client.patch(product, json={"images": images}, headers=headers)
        assert (more.json()["version"], more.json()["images"][2]["width"]) == (3, 64)

    async def test_says_it_to_who_shows_it_at_the_same_moment(
        self, client, upload, darkroom, database, product, show, promised, monkeypatch
    ):
        """Shown after it was looked up who shows it, and before it is said ready."""
        made = (await upload()).json()
        put, taken, held = darkroom.storage.put, asyncio.Event(), asyncio.Event()

        async def put_once_it_is_held(*args):
            taken.set()
            await held.wait()
            await put(*args)

        async def waits():
            return await database.fetchval(_WAITING)

        monkeypatch.setattr(darkroom.storage, "put", put_once_it_is_held)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(darkroom.draw_next())
            await taken.wait()
            async with database.transaction() as tx:
                await tx.fetch("SELECT id FROM media_assets FOR SHARE")
                held.set()
                await promised(waits)
                await show(made["id"])

        assert (await images_of(client, product))[0]["width"] == 64

    async def test_of_nothing_is_refused(self, client, operator, product):
        unknown = {"media_id": "01a205d7-7ed0-71a0-a490-e2450f0d678c"}

        answer = await client.post(f"{product}/images", json=unknown, headers=operator)

        assert answer.json()["type"] == "/problems/media-not-found"

    async def test_goes_by_the_address_as_well(self, client, operator, upload, product):
        made = (await upload()).json()
        body = {"images": [{"url": made["url"]}, {"url": "https://x.example/a.png"}]}

        await client.patch(product, json=body, headers={**operator, **ANY})

        images = await images_of(client, product)
        assert [image["asset_id"] for image in images] == [made["id"], None]


class TestChange:
    async def test_moves_an_image_and_gives_it_a_text(
        self, client, operator, upload, product, show
    ):
        first = await show((await upload()).json()["id"])
        second = await show((await upload()).json()["id"])
        before = await client.get(product)

        path = f"{product}/images/{second['id']}"
        tag = {"If-Match": before.headers["ETag"]}
        changes = {"position": 1, "alt": "Behind"}
        changed = await client.patch(path, json=changes, headers={**operator, **tag})
        stale = await client.patch(path, json={}, headers={**operator, **tag})
        bare = await client.patch(path, json={}, headers=operator)

        assert (changed.json()["position"], changed.json()["alt"]) == (1, "Behind")
        ids = [image["id"] for image in await images_of(client, product)]
        assert ids == [second["id"], first["id"]]
        assert (stale.status_code, bare.status_code) == (412, 428)

    async def test_keeps_the_image_of_a_variant(
        self, client, operator, upload, product, show
    ):
        image = await show((await upload()).json()["id"])
        variant = (await client.get(product)).json()["variants"][0]
        path = f"{product}/variants/{variant['id']}"
        edits = {"image_id": image["id"]}
        await client.patch(path, json=edits, headers={**operator, **ANY})

        await show((await upload()).json()["id"], position=1)

        assert (await client.get(path)).json()["image_id"] == image["id"]


class TestRemove:
    async def test_lets_the_picture_be_removed_which_it_was_not_before(
        self, client, anyhow, upload, product, show
    ):
        made = (await upload()).json()
        image = await show(made["id"])
        kept = await client.delete(f"/v1/media/{made['id']}", headers=anyhow)

        taken = await client.delete(f"{product}/images/{image['id']}", headers=anyhow)
        removed = await client.delete(f"/v1/media/{made['id']}", headers=anyhow)
        again = await client.delete(f"{product}/images/{image['id']}", headers=anyhow)

        assert kept.json()["type"] == "/problems/media-in-use"
        assert kept.json()["product_ids"] == [product.rpartition("/")[2]]
        assert (taken.status_code, removed.status_code) == (204, 204)
        assert again.status_code == 404
        assert await images_of(client, product) == []
