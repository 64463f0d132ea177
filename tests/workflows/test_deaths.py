"""A process that dies in mid-checkout loses nothing and charges nothing twice."""

import asyncio
import json
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from holdfast.domain.ordering import OrderStatus
from holdfast.domain.payments import PaymentOutcomeUnknown
from holdfast.platform.db import DatabaseUnavailable
from holdfast.platform.idempotency import LEASE, IdempotencyKeyInProgress

DOOMED = Path(__file__).with_name("doomed.py")
# Where it dies, and what a retry with the same key finds after the lease.
DEATHS = {
    "before_the_first_commit": OrderStatus.CONFIRMED,
    "before_the_charge": OrderStatus.FAILED,
    "after_the_charge": OrderStatus.CONFIRMED,
    "before_the_last_commit": OrderStatus.CONFIRMED,
    "after_the_last_commit": OrderStatus.CONFIRMED,
}


@pytest.fixture
def killed_at(settings, clock):
    """Check a basket out in a process that dies at that point; its lease runs out."""

    async def run(point, basket):
        claim = basket.claim()
        told = {
            "environ": dict(settings.raw),
            "cart_id": str(basket.cart.id),
            "token_hash": basket.cart.token_hash.hex(),
            "now": clock().isoformat(),
            "key": claim.key,
            "fingerprint": claim.fingerprint.hex(),
        }
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, DOOMED, point), stdin=asyncio.subprocess.PIPE
        )
        await process.communicate(json.dumps(told).encode())
        assert process.returncode == -9
        clock.advance(seconds=LEASE.total_seconds() + 1)

    return run


@pytest.mark.slow
class TestKilled:
    @pytest.mark.parametrize(("point", "ends"), DEATHS.items())
    async def test_the_timer_ends_what_was_begun(
        self,
        killed_at,
        a_basket,
        books,
        level,
        let_the_timer_settle,
        clock,
        point,
        ends,
    ):
        basket = await a_basket(TEA=3)
        await killed_at(point, basket)

        await let_the_timer_settle()

        found = await books()
        assert found.of(OrderStatus.PENDING) == []
        if point == "before_the_first_commit":
            assert found.orders == []
        else:
            assert [order.status for order in found.orders] == [ends]
        sold = 3 * found.captured
        assert await level("TEA") == (10, sold)

    @pytest.mark.parametrize(("point", "ends"), DEATHS.items())
    async def test_the_same_request_again_finishes_the_work(
        self, killed_at, a_basket, check_out, books, level, point, ends
    ):
        basket = await a_basket(TEA=3)
        await killed_at(point, basket)

        answer, replayed = await check_out(basket)

        assert answer.status == (201 if ends is OrderStatus.CONFIRMED else 402)
        assert replayed == (point == "after_the_last_commit")
        found = await books()
        assert [order.status for order in found.orders] == [ends]
        assert await level("TEA") == (10, 3 * found.captured)
        again, replayed = await check_out(basket)
        assert (again, replayed) == (answer, True)

    async def test_a_charge_under_way_at_the_death_is_found_or_forestalled(
        self, killed_at, a_basket, check_out, books, payment_provider
    ):
        basket, other = await a_basket(TEA=3), await a_basket(TEA=1)
        # Longer than it takes a busy machine to come back with the same request.
        payment_provider.misbehave(latency_ms={"fixed": 1_500})
        await killed_at("while_charging", basket)

        answer, _ = await check_out(basket)

        # Charges take equally long: when this one is through, so is the first.
        await check_out(other)
        assert answer.status == 402
        assert (await books()).captured == 1


class Stumbles:
    """Awaits like what it wraps, and is cancelled at the n-th wait."""

    def __init__(self, coroutine, at):
        self._coroutine = coroutine
        self._at = at
        self.waits = 0

    def __await__(self):
        inner = self._coroutine.__await__()
        value = None
        while True:
            try:
                waited_for = inner.send(value)
            except StopIteration as end:
                return end.value
            self.waits += 1
            if self.waits == self._at:
                task = asyncio.current_task()
                assert task is not None
                task.cancel()
            try:
                value = yield waited_for
            except asyncio.CancelledError as error:
                try:
                    waited_for = inner.throw(error)
                except StopIteration as end:
                    return end.value
                value = yield waited_for


@pytest.mark.slow
class TestCancelled:
    async def test_at_any_wait_leaves_nothing_that_cannot_be_finished(
        self, a_basket, check_out, books, level, clock
    ):
        """Cancelled at the 1st, 2nd, ... wait: the retry ends it, once."""
        waits = 0
        for at in range(1, 200):
            basket = await a_basket(TEA=1, on_hand=1000)
            stumbles = Stumbles(check_out(basket), at)

            async def stumble(doing=stumbles):
                return await doing

            task = asyncio.create_task(stumble())
            await asyncio.wait([task])
            if not task.cancelled():
                task.result()
                waits = at
                break
            clock.advance(seconds=LEASE.total_seconds() + 1)
            answer, _ = await check_out(basket)
            assert answer.status in (201, 402)

        found = await books()
        assert waits > 10, "every wait of a checkout was tried"
        assert found.of(OrderStatus.PENDING) == []
        by_cart = [order.cart_id for order in found.of(OrderStatus.CONFIRMED)]
        assert len(by_cart) == len(set(by_cart))
        assert await level("TEA") == (1000, found.captured)


class TestLease:
    async def test_while_the_holder_may_live_nobody_takes_over(
        self, shop, a_basket, check_out, monkeypatch
    ):
        """The charge hangs; whoever repeats the request meanwhile has to wait."""
        monkeypatch.setattr("holdfast.platform.idempotency._PATIENCE_SECONDS", 0.1)
        basket = await a_basket(TEA=1)
        begun, go_on = asyncio.Event(), asyncio.Event()

        class Patient:
            async def charge(self, **wanted):
                begun.set()
                await go_on.wait()
                return await shop.payments.charge(**wanted)

        first = asyncio.create_task(check_out(basket, payments=Patient()))
        await begun.wait()

        with pytest.raises(IdempotencyKeyInProgress):
            await check_out(basket)

        go_on.set()
        answer, _ = await first
        assert answer.status == 201

    async def test_a_holder_that_was_only_slow_settles_what_the_other_finished(
        self, shop, a_basket, check_out, books, clock, level
    ):
        """The lease runs out while the first still works: one order, one truth."""
        basket = await a_basket(TEA=1)
        begun, go_on = asyncio.Event(), asyncio.Event()

        class Slow:
            async def charge(self, **wanted):
                begun.set()
                await go_on.wait()
                return await shop.payments.charge(**wanted)

        first = asyncio.create_task(check_out(basket, payments=Slow()))
        await begun.wait()
        clock.advance(seconds=LEASE.total_seconds() + 1)

        second, _ = await check_out(basket)
        go_on.set()
        late, _ = await first

        assert second.status == late.status == 402
        assert [order.status for order in (await books()).orders] == ["failed"]
        assert await level("TEA") == (10, 0)


class Faltering:
    """The shop's database, gone for some transactions once the money has moved."""

    def __init__(self, shop, *, times):
        self._shop = shop
        self._times = times
        self._left = 0

    def __getattr__(self, name):
        return getattr(self._shop.db, name)

    @asynccontextmanager
    async def transaction(self):
        self._falter()
        async with self._shop.db.transaction() as tx:
            yield tx

    @asynccontextmanager
    async def statement(self):
        self._falter()
        async with self._shop.db.statement() as tx:
            yield tx

    def _falter(self):
        if self._left:
            self._left -= 1
            raise DatabaseUnavailable

    async def charge(self, **wanted):
        outcome = await self._shop.payments.charge(**wanted)
        self._left = self._times
        return outcome


class TestLastStep:
    async def test_is_tried_again_while_the_database_is_away(
        self, shop, a_basket, check_out, books
    ):
        basket, db = await a_basket(TEA=1), Faltering(shop, times=2)

        answer, _ = await check_out(basket, payments=db, db=db)

        assert answer.status == 201
        assert (await books()).captured == 1

    async def test_is_left_to_the_next_request_if_it_stays_away(
        self, shop, a_basket, check_out, books, clock, monkeypatch
    ):
        monkeypatch.setattr("holdfast.workflows.checkout._PAUSES_SECONDS", (0.0,))
        basket, db = await a_basket(TEA=1), Faltering(shop, times=2)

        with pytest.raises(DatabaseUnavailable):
            await check_out(basket, payments=db, db=db)

        clock.advance(seconds=LEASE.total_seconds() + 1)
        answer, _ = await check_out(basket)
        assert answer.status == 201
        assert (await books()).captured == 1


class TestSilence:
    async def test_a_request_taken_over_while_the_provider_is_silent_is_pending(
        self, shop, a_basket, check_out, clock, let_the_timer_settle, books
    ):
        basket = await a_basket(TEA=1)

        class Dies:
            async def charge(self, **wanted):
                raise asyncio.CancelledError

        class Silent:
            async def settle(self, **wanted):
                raise PaymentOutcomeUnknown

        with pytest.raises(asyncio.CancelledError):
            await check_out(basket, payments=Dies())
        clock.advance(seconds=LEASE.total_seconds() + 1)

        answer, _ = await check_out(basket, payments=Silent())

        assert answer.status == 202
        assert await let_the_timer_settle() == 1
        assert [order.status for order in (await books()).orders] == ["failed"]
