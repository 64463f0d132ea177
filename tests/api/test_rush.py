"""Checkouts of what everybody wants: held first, sold exactly, told at once."""

import asyncio
from collections import Counter

import pytest

from holdfast.domain import inventory


class Crowd:
    """What the process knows of a SKU, and what is held of it."""

    def __init__(self, shop, database) -> None:
        self.holding = shop.reservations.holding
        self.db = database
        self._metrics = shop.metrics

    async def want(self, sku):
        """Let everybody want it."""
        level = await inventory.find(self.db, sku)
        for _ in range(60):
            self.holding.note([level.variant_id])

    async def level(self, sku):
        level = await inventory.find(self.db, sku)
        return level.on_hand, level.reserved

    async def ends(self):
        """When each reservation there is ends by itself."""
        query = "SELECT expires_at, holder_id FROM reservations"
        return [row["expires_at"] for row in await self.db.fetch(query)]

    @property
    def batched(self):
        """How many requests were decided in batches."""
        name = "holdfast_inventory_batch_size_sum"
        return self._metrics.registry.get_sample_value(name)


@pytest.fixture
def crowd(shop, database):
    return Crowd(shop, database)


class TestHotCart:
    async def test_its_units_are_held_and_pass_to_the_order(self, a_bag, crowd):
        bag = await a_bag(TEA=2, CUP=1)
        await crowd.want("TEA")

        order = await bag.check_out()

        assert order.status_code == 201
        assert crowd.batched == 1
        assert await crowd.ends() == [None, None]
        assert await crowd.level("TEA") == (10, 2)
        assert await inventory.drift(crowd.db) == []

    async def test_each_unit_is_sold_once(self, a_bag, crowd):
        bags = [await a_bag(TEA=1) for _ in range(25)]
        await crowd.want("TEA")

        async with asyncio.TaskGroup() as group:
            asked = [group.create_task(bag.check_out()) for bag in bags]

        assert Counter(n.result().status_code for n in asked) == {201: 10, 409: 15}
        assert await crowd.ends() == [None] * 10
        assert await inventory.drift(crowd.db) == []

    async def test_sold_out_is_told_and_the_key_may_be_used_again(
        self, a_bag, crowd, database, clock
    ):
        first, bag = await a_bag(TEA=10), await a_bag(TEA=1)
        await crowd.want("TEA")
        await first.check_out()

        refused = [await bag.check_out("once") for _ in range(2)]
        async with database.transaction() as tx:
            for (holder,) in await tx.fetch("SELECT holder_id FROM reservations"):
                await inventory.release(tx, holder, at=clock())
        crowd.holding._sold_out._known.clear()
        sold = await bag.check_out("once")

        assert [n.status_code for n in refused] == [409, 409]
        assert refused[0].json()["shortages"] == [
            {"sku": "TEA", "requested": 1, "available": 0}
        ]
        assert sold.status_code == 201

    async def test_what_was_answered_is_answered_again_when_sold_out(
        self, a_bag, crowd
    ):
        bag, other = await a_bag(TEA=1), await a_bag(TEA=10)
        await crowd.want("TEA")
        declined = {"payment_method": "pm_card_declined"}
        before = await bag.check_out("once", declined)
        await other.check_out()

        after = await bag.check_out("once", declined)

        assert before.status_code == after.status_code == 402
        assert before.content == after.content

    async def test_what_a_dead_process_began_is_ended_when_sold_out(
        self, a_bag, crowd, database
    ):
        bag, other = await a_bag(TEA=1), await a_bag(TEA=10)
        declined = {"payment_method": "pm_card_declined"}
        before = await bag.check_out("once", declined)
        async with database.transaction() as tx:
            # It had the outcome, and died before its answer was kept.
            await tx.execute(
                "UPDATE idempotency_keys SET status = NULL, headers = NULL,"
                " body = NULL, answered_at = NULL,"
                " lease_until = lease_until - interval '1 day'"
            )
        await crowd.want("TEA")
        await other.check_out()

        after = await bag.check_out("once", declined)

        assert (before.status_code, after.status_code) == (402, 402)

    async def test_who_holds_the_last_units_gets_them(self, client, a_bag, crowd):
        bag = await a_bag(TEA=10)
        held = await client.put(f"{bag.path}/reservation", headers=bag.owner)
        await crowd.want("TEA")
        assert (await (await a_bag(TEA=1)).check_out()).status_code == 409

        order = await bag.check_out()

        assert (held.status_code, order.status_code) == (201, 201)
        assert await crowd.level("TEA") == (10, 10)
        assert await inventory.drift(crowd.db) == []

    async def test_a_hold_for_nothing_is_given_back(self, a_bag, crowd):
        bag = await a_bag(TEA=1)
        await crowd.want("TEA")
        wrong = {"amount": 1, "currency": "EUR"}

        refused = await bag.check_out(
            body={"payment_method": "pm_card_ok", "expected_total": wrong}
        )

        assert refused.json()["type"] == "/problems/total-changed"
        assert crowd.batched == 1
        assert await crowd.level("TEA") == (10, 0)

    async def test_is_busy_and_not_sold_out_while_its_row_is_locked(
        self, a_bag, crowd, database
    ):
        bag = await a_bag(TEA=1)
        await crowd.want("TEA")
        async with database.transaction() as tx:
            await tx.execute("SELECT 1 FROM stock FOR UPDATE")
            busy = await bag.check_out()

        assert busy.json()["type"] == "/problems/reservations-busy"
        assert busy.headers["retry-after"] in ("1", "2")
        assert (await bag.check_out()).status_code == 201


class TestColdCart:
    async def test_reserves_for_itself(self, a_bag, crowd):
        await a_bag(TEA=1)
        other = await a_bag(CUP=1)
        await crowd.want("TEA")

        assert (await other.check_out()).status_code == 201
        assert crowd.batched == 0

    async def test_becomes_hot_when_many_order_it(self, a_bag, crowd):
        for _ in range(10):
            await (await a_bag(TEA=1)).check_out()

        tea = (await inventory.find(crowd.db, "TEA")).variant_id
        assert crowd.holding._heat._seen[tea].asked > 0


class TestSomebodyElses:
    async def test_is_not_held_and_not_told_of(self, client, a_bag, crowd):
        bag, stranger = await a_bag(TEA=1), await a_bag(TEA=1)
        await crowd.want("TEA")
        stranger.path = bag.path

        refused = await stranger.check_out()

        assert refused.status_code == 404
        assert crowd.batched == 0
