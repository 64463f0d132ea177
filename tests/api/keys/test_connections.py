"""How many connections keyed requests hold, and when none."""

import asyncio

from keyed_world import PASSWORD, READY, SKU

from holdfast.workflows import categories


class TestConnections:
    async def test_are_not_held_while_a_password_is_hashed(
        self, keyed, world, shop, monkeypatch
    ):
        held = []

        def watched(real):
            async def work(*args):
                held.append(shop.db.in_use)
                return await real(*args)

            return work

        for name in ("verify", "hash"):
            real = getattr(shop.hasher, name)
            monkeypatch.setattr(shop.hasher, name, watched(real))
        body = {"current_password": PASSWORD, "new_password": "a punched card of holes"}
        changed = await keyed(
            "/v1/me/password", body, method="PUT", by=world.member.headers
        )

        assert changed.status_code == 204
        assert held == [0, 0]

    async def test_are_not_held_while_a_carrier_is_asked(
        self, client, shop, world, monkeypatch, a_key
    ):
        held = []
        real = type(shop.carrier).quote

        async def quote(*args, **named):
            held.append(shop.db.in_use)
            return await real(*args, **named)

        monkeypatch.setattr(type(shop.carrier), "quote", quote)
        body = {
            "lines": [{"sku": SKU, "quantity": 1}],
            **READY,
            "shipping_method": "standard",
        }
        made = await client.post(
            "/v1/carts", json=body, headers={"Idempotency-Key": a_key()}
        )
        path, owner = f"/v1/carts/{made.json()['id']}", made.json()["token"]
        moved = {**READY["shipping_address"], "country": "DE", "postal_code": "10115"}
        changed = await client.patch(
            path,
            json={"shipping_address": moved},
            headers={"Authorization": f"Bearer {owner}", "Idempotency-Key": a_key()},
        )

        assert made.status_code == 201
        assert changed.status_code == 200
        assert held == [0, 0]

    async def test_of_a_flood_of_duplicates_are_one(
        self, keyed, shop, monkeypatch, promised
    ):
        # Identifying callers, and noting that they came, takes connections as well:
        # what is looked at is who has been identified, and waits.
        arrived, may_end = 0, asyncio.Event()
        answer, create = type(shop.keyed).answer, categories.create_category

        async def arriving(*args, **named):
            nonlocal arrived
            arrived += 1
            return await answer(*args, **named)

        async def slow(*args, **named):
            made = await create(*args, **named)
            await may_end.wait()
            return made

        async def only_one_is_held():
            return arrived == 16 and shop.db.in_use == 1

        monkeypatch.setattr(type(shop.keyed), "answer", arriving)
        monkeypatch.setattr(categories, "create_category", slow)
        async with asyncio.TaskGroup() as group:
            sent = [group.create_task(keyed()) for _ in range(16)]
            await promised(only_one_is_held)
            may_end.set()

        assert {task.result().status_code for task in sent} == {201}
        assert len({task.result().content for task in sent}) == 1
