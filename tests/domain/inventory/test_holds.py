"""Holds in PostgreSQL: one at a time and many at once come to the same."""

import asyncio
import random
from datetime import timedelta
from uuid import UUID

import pytest

from holdfast.domain import inventory
from holdfast.domain.inventory import MAIN, Held, Wanted, holds
from holdfast.domain.inventory.combining import Denied, Request
from holdfast.domain.inventory.model import summed
from holdfast.kernel.ids import new_id
from holdfast.platform.db import ConstraintViolated

LASTS = timedelta(minutes=10)


class Counter:
    """Where holds are asked for, each in a transaction of its own."""

    def __init__(self, database, clock) -> None:
        self.db = database
        self.clock = clock

    async def alone(self, holder_id, *lines):
        wanted = summed([Wanted(variant, "", n) for variant, n in lines])
        async with self.db.statement() as tx:
            said, _ = await holds.hold(
                tx, holder_id, wanted, at=self.clock(), lasts=LASTS
            )
        return said

    async def together(self, *asked):
        requests = [Request(holder, holder, lines, LASTS) for holder, *lines in asked]
        async with self.db.transaction() as tx:
            decided = await holds.decide(tx, requests, at=self.clock())
        return decided.outcomes

    async def batch_of_one(self, holder_id, *lines):
        (said,) = await self.together((holder_id, *lines))
        return said

    async def has(self, holder_id):
        reserved = await inventory.reserved_for(self.db, holder_id)
        return {(one.variant_id, one.location_id): one.quantity for one in reserved}

    async def free(self, variant_id):
        return await self.db.fetchval(
            "SELECT sum(available)::bigint FROM stock WHERE variant_id = $1", variant_id
        )


@pytest.fixture
def counter(database, clock) -> Counter:
    return Counter(database, clock)


@pytest.fixture(params=["alone", "batch_of_one"])
def hold(request, counter):
    """Ask for a hold, by a statement of its own or in a batch."""
    return getattr(counter, request.param)


@pytest.fixture
async def tea(a_product) -> UUID:
    return await a_product("TEA", on_hand=10)


class TestOneHold:
    async def test_holds_every_line_until_it_expires(
        self, hold, counter, stockroom, two_products, clock
    ):
        tea, cup = await two_products()
        holder = new_id()

        said = await hold(holder, (tea, 3), (cup, 10))

        assert said == Held(clock() + LASTS, is_new=True, is_same=False)
        reserved = await inventory.reserved_for(counter.db, holder)
        assert {(r.variant_id, r.quantity) for r in reserved} == {(tea, 3), (cup, 10)}
        assert {r.expires_at for r in reserved} == {clock() + LASTS}
        assert await stockroom.balances()

    async def test_holds_nothing_when_one_line_is_short(
        self, hold, counter, stockroom, two_products
    ):
        tea, cup = await two_products()
        holder = new_id()

        assert await hold(holder, (tea, 3), (cup, 11)) == Denied({cup: 10})

        assert await counter.has(holder) == {}
        assert await counter.free(tea) == 10
        assert await stockroom.balances()

    async def test_what_has_no_stock_is_short(self, hold, tea):
        unknown = UUID(int=7)

        assert await hold(new_id(), (unknown, 1)) == Denied({unknown: 0})

    async def test_asking_again_renews_and_takes_nothing_more(
        self, hold, counter, tea, clock
    ):
        holder = new_id()
        await hold(holder, (tea, 10))
        clock.advance(minutes=4)

        said = await hold(holder, (tea, 10))

        assert said == Held(clock() + LASTS, is_new=False, is_same=True)
        assert await counter.free(tea) == 0

    async def test_asking_for_other_lines_replaces(
        self, hold, counter, stockroom, two_products, clock
    ):
        tea, cup = await two_products()
        holder = new_id()
        await hold(holder, (tea, 10))

        said = await hold(holder, (tea, 2), (cup, 1))

        assert said == Held(clock() + LASTS, is_new=False, is_same=False)
        assert sorted((await counter.has(holder)).values()) == [1, 2]
        assert (await counter.free(tea), await counter.free(cup)) == (8, 9)
        assert await stockroom.balances()

    async def test_who_cannot_have_more_keeps_what_it_has(
        self, hold, counter, tea, clock
    ):
        holder, other = new_id(), new_id()
        await hold(holder, (tea, 4))
        await hold(other, (tea, 5))
        until = (await inventory.reserved_for(counter.db, holder))[0].expires_at
        clock.advance(minutes=1)

        assert await hold(holder, (tea, 6)) == Denied({tea: 5})

        (kept,) = await inventory.reserved_for(counter.db, holder)
        assert (kept.quantity, kept.expires_at) == (4, until)

    async def test_cannot_be_renewed_for_more_than_an_hour(
        self, hold, counter, tea, clock
    ):
        holder, began = new_id(), clock()
        await hold(holder, (tea, 1))
        for _ in range(9):
            clock.advance(minutes=6)
            said = await hold(holder, (tea, 1 + clock.now.minute % 2))

        assert said.expires_at == began + timedelta(minutes=60)
        clock.advance(minutes=7)
        fresh = await hold(holder, (tea, 1))
        assert fresh == Held(clock() + LASTS, is_new=True, is_same=fresh.is_same)

    async def test_one_made_for_longer_begins_anew(self, hold, counter, tea, clock):
        """Drafts keep their stock for days; that is not a hold that was renewed."""
        holder = new_id()
        async with counter.db.transaction() as tx:
            until, wanted = clock() + timedelta(days=9), [Wanted(tea, "TEA", 1)]
            await inventory.reserve(tx, holder, wanted, at=clock(), expires_at=until)
        (long,) = await inventory.reserved_for(counter.db, holder)
        clock.advance(days=2)

        said = await hold(holder, (tea, 1))

        assert long.expires_at == until
        assert said.expires_at == clock() + LASTS

    async def test_who_is_refused_first_frees_what_is_overdue(
        self, hold, counter, stockroom, tea, clock
    ):
        late = new_id()
        await hold(late, (tea, 9))
        clock.advance(minutes=9, seconds=59)
        assert await hold(new_id(), (tea, 2)) == Denied({tea: 1})
        clock.advance(seconds=1)

        assert isinstance(await hold(new_id(), (tea, 2)), Held)

        assert await counter.has(late) == {}
        assert await counter.free(tea) == 8
        assert await stockroom.balances()

    async def test_passes_to_its_order_as_it_is(
        self, hold, counter, stockroom, tea, clock
    ):
        holder, order = new_id(), new_id()
        await hold(holder, (tea, 10))

        async with counter.db.transaction() as tx:
            await inventory.reserve(
                tx, order, [Wanted(tea, "TEA", 10)], at=clock(), instead_of=[holder]
            )

        assert await counter.has(holder) == {}
        (kept,) = await inventory.reserved_for(counter.db, order)
        assert (kept.quantity, kept.expires_at) == (10, None)
        assert await stockroom.balances()


class TestWhere:
    async def test_one_location_that_has_it_all_before_the_nearest(
        self, hold, counter, stockroom, tea
    ):
        far = await stockroom.location("far", priority=5, TEA=20)
        holder = new_id()

        await hold(holder, (tea, 15))

        assert await counter.has(holder) == {(tea, far): 15}
        assert await stockroom.balances()

    async def test_else_from_all_of_them_the_nearest_first(
        self, hold, counter, stockroom, tea
    ):
        far = await stockroom.location("far", priority=5, TEA=20)
        holder = new_id()

        await hold(holder, (tea, 25))

        assert await counter.has(holder) == {(tea, MAIN): 10, (tea, far): 15}

    async def test_what_is_kept_back_or_not_in_use_is_not_held(
        self, hold, stockroom, tea
    ):
        await stockroom.location("closed", active=False, TEA=20)
        await stockroom.settings("TEA", safety_stock=4, backorder_limit=1)

        assert await hold(new_id(), (tea, 8)) == Denied({tea: 7})
        assert isinstance(await hold(new_id(), (tea, 7)), Held)
        assert await stockroom.balances()

    async def test_alone_and_in_batches_come_to_the_same(
        self, counter, stockroom, a_product
    ):
        """The same requests, for two products that lie on the same shelves."""
        dice = random.Random(3)  # noqa: S311 - the same each time
        ways = counter.alone, counter.batch_of_one
        skus = [await a_product(sku, on_hand=9) for sku in ("A", "B")]
        for number in range(2):
            await stockroom.location(f"more-{number}", priority=number, A=5, B=5)
        people = [(new_id(), new_id()) for _ in range(5)]

        for _ in range(80):
            twins, units = dice.choice(people), dice.randint(1, 9)
            said, has = [], []
            for way, holder, sku in zip(ways, twins, skus, strict=True):
                answer = await way(holder, (sku, units))
                held = isinstance(answer, Held)
                said.append(answer if held else list(answer.available.values()))
                has.append(sum((await counter.has(holder)).values()))
            assert said[0] == said[1]
            assert has[0] == has[1]

        assert await stockroom.balances()


class TestManyHolds:
    async def test_gives_what_there_is_and_no_more(
        self, counter, stockroom, tea, clock
    ):
        holders = [new_id() for _ in range(25)]

        said = await counter.together(*((holder, (tea, 1)) for holder in holders))

        granted = Held(clock() + LASTS, is_new=True, is_same=False)
        assert said == [granted] * 10 + [Denied({tea: 0})] * 15
        for holder in holders[:10]:
            assert sum((await counter.has(holder)).values()) == 1
        assert await counter.free(tea) == 0
        assert await stockroom.balances()

    async def test_a_holder_that_asks_twice_at_once_has_the_last(
        self, counter, stockroom, tea
    ):
        holder = new_id()

        first, second = await counter.together((holder, (tea, 9)), (holder, (tea, 2)))

        assert (first.is_new, second.is_new) == (True, False)
        assert list((await counter.has(holder)).values()) == [2]
        assert await stockroom.balances()

    async def test_renewals_replacements_and_newcomers_are_decided_together(
        self, counter, stockroom, two_products, clock
    ):
        tea, cup = await two_products()
        renews, moves, late, comes = (new_id() for _ in range(4))
        await counter.alone(late, (tea, 1))
        clock.advance(minutes=9)
        await counter.alone(renews, (tea, 4))
        await counter.alone(moves, (tea, 5))
        clock.advance(minutes=2)

        said = await counter.together(
            (renews, (tea, 4)), (moves, (cup, 2)), (comes, (tea, 6), (cup, 8))
        )

        assert [one.is_new for one in said] == [False, False, True]
        assert await counter.has(late) == {}
        assert (await counter.free(tea), await counter.free(cup)) == (0, 0)
        assert await stockroom.balances()

    async def test_two_that_give_a_holder_something_at_once_are_told(
        self, counter, stockroom, two_products, promised
    ):
        """The later is undone whole, so that it can be tried again."""
        tea, _ = await two_products()
        holder = new_id()
        async with counter.db.transaction() as tx:
            await holds.decide(
                tx,
                [Request(holder, holder, ((tea, 2),), LASTS)],
                at=counter.clock(),
            )
            later = asyncio.create_task(counter.batch_of_one(holder, (tea, 3)))
            waiting = "SELECT 1 FROM pg_locks WHERE NOT granted"
            await promised(lambda: counter.db.fetchval(waiting))
        with pytest.raises(ConstraintViolated, match="reservations_pkey"):
            await later

        assert isinstance(await counter.batch_of_one(holder, (tea, 3)), Held)
        assert list((await counter.has(holder)).values()) == [3]
        assert await stockroom.balances()

    @pytest.mark.parametrize(("units", "statements"), [(1, 2), (2, 3)])
    async def test_takes_two_statements_however_many_they_are_and_one_to_refuse(
        self, counter, a_product, units, statements
    ):
        cup, asked = await a_product("CUP", on_hand=50), []

        class Watched:
            """The transaction, with what it is asked written down."""

            def __init__(self, tx):
                self._tx = tx

            async def fetch(self, query, *args):
                asked.append(query)
                return await self._tx.fetch(query, *args)

        requests = [
            Request(n, n, ((cup, units),), LASTS) for n in (new_id() for _ in range(50))
        ]
        async with counter.db.transaction() as tx:
            await holds.decide(Watched(tx), requests, at=counter.clock())

        assert len(asked) == statements


class TestLeftOf:
    async def test_says_how_much_is_left_and_who_holds_some(
        self, counter, two_products, clock
    ):
        tea, cup = await two_products()
        holder = new_id()
        await counter.alone(holder, (tea, 3))
        async with counter.db.transaction() as tx:
            wanted = [Wanted(tea, "TEA", 2)]
            await inventory.reserve(tx, new_id(), wanted, at=clock())

        found = {n.variant_id: n for n in await holds.left_of(counter.db, [tea, cup])}

        assert (found[tea].available, found[cup].available) == (5, 10)
        assert found[tea].holders == holder.bytes[:8]
        assert found[cup].holders == b""
