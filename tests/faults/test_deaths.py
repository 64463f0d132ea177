"""Processes and servers die under load: nothing is lost, nothing is doubled."""

import asyncio

import pytest

from holdfast.kernel.clock import monotonic
from holdfast.platform.embedded import ValkeyServer

pytestmark = pytest.mark.slow
_PENDING = "SELECT count(*) FROM orders WHERE status = 'pending'"


async def crowd(buyers, browser, sku, *, size):
    """So many buyers at a time, one unit each."""
    async with asyncio.TaskGroup() as group:
        for _ in range(size):
            group.create_task(buyers.buy(browser, sku))


class TestApiKilled:
    async def test_buyers_get_what_they_paid_for(
        self, api, buyers, browser, in_stock, settled_books
    ):
        await in_stock(TEA=40)
        buying = asyncio.create_task(crowd(buyers, browser, "TEA", size=60))
        for paid in (5, 15):
            await reached(buyers, paid, buying)
            await asyncio.to_thread(api.kill)
            await asyncio.to_thread(api.start)

        await buying

        books = await settled_books("TEA", delivered=40, sale=buyers.sale)
        assert buyers.sale.cut_off > 0
        assert len(buyers.sale.paid) >= 15
        assert books.left < 40


class TestPostgresRestarted:
    @pytest.mark.parametrize("how", ["killed", "restarted"])
    async def test_buyers_wait_and_get_what_they_paid_for(
        self, sturdy_postgres, buyers, browser, in_stock, settled_books, how
    ):
        await in_stock(TEA=40)
        buying = asyncio.create_task(crowd(buyers, browser, "TEA", size=60))
        await reached(buyers, 8, buying)
        end = sturdy_postgres.child.kill if how == "killed" else sturdy_postgres.stop
        await asyncio.to_thread(end)
        await refused(buyers, 5)
        # Not from a thread: the server would end with the thread that started it.
        sturdy_postgres.start()

        await buying

        await settled_books("TEA", delivered=40, sale=buyers.sale)
        assert len(buyers.sale.paid) >= 20

    async def test_while_it_is_down_the_answer_is_a_quick_503(
        self, sturdy_postgres, api, browser, in_stock
    ):
        await in_stock(TEA=4)
        sturdy_postgres.child.kill()

        async with asyncio.timeout(8):
            cart = await browser.post(
                f"{api.url}/v1/carts", json={"lines": [{"sku": "TEA", "quantity": 1}]}
            )
            alive = await browser.get(f"{api.url}/livez")

        assert cart.status_code == 503
        assert cart.json()["type"] == "/problems/database-unavailable"
        assert int(cart.headers["retry-after"]) > 0
        assert alive.status_code == 200
        sturdy_postgres.start()
        again = await browser.get(f"{api.url}/v1/products")
        assert again.status_code == 200, again.text


class TestProviderKilled:
    async def test_charges_made_before_are_found_after(
        self, till, buyers, browser, in_stock, settled_books
    ):
        await in_stock(TEA=40)
        buying = asyncio.create_task(crowd(buyers, browser, "TEA", size=50))
        await reached(buyers, 5, buying)
        await asyncio.to_thread(till.kill)
        await refused(buyers, 5)
        await asyncio.to_thread(till.start)

        await buying

        await settled_books("TEA", delivered=40, sale=buyers.sale)
        assert len(buyers.sale.paid) >= 10


@pytest.mark.long
class TestPowerCut:
    """API and worker die at once, in the middle of everything, and come back."""

    SETTLED_SECONDS = 30.0
    """The promise; the timer's share of it is twenty in the worst case."""

    async def test_every_order_is_settled_soon_after(
        self, api, worker, till, buyers, browser, in_stock, shop_database
    ):
        await in_stock(TEA=200)
        slow = {"latency_ms": {"min": 200, "max": 900}}
        await browser.put(f"{till.url}/control/scenario", json=slow)
        buying = asyncio.create_task(crowd(buyers, browser, "TEA", size=40))
        await reached(buyers, 3, buying)
        for process in (api, worker):
            await asyncio.to_thread(process.kill)
        buying.cancel()
        await browser.put(f"{till.url}/control/scenario", json={})
        begun = await shop_database.fetchval(_PENDING)
        await asyncio.wait([buying])

        for process in (worker, api):
            await asyncio.to_thread(process.start)
        restarted = monotonic()
        while await shop_database.fetchval(_PENDING):
            assert monotonic() - restarted < self.SETTLED_SECONDS
            await asyncio.sleep(0.1)

        assert begun > 0, "nobody was in the middle of anything"


class TestValkeyKilled:
    @pytest.fixture
    def frail_valkey(self, quick_folder):
        with ValkeyServer(quick_folder / "frail", durable=False) as server:
            yield server

    @pytest.fixture
    def environ(self, environ, frail_valkey):
        return {**environ, "REDIS_URL": frail_valkey.url}

    async def test_nobody_notices(
        self, frail_valkey, buyers, browser, in_stock, settled_books
    ):
        await in_stock(TEA=40)
        buying = asyncio.create_task(crowd(buyers, browser, "TEA", size=30))
        await reached(buyers, 5, buying)
        await asyncio.to_thread(frail_valkey.child.kill)

        await buying

        await settled_books("TEA", delivered=40, sale=buyers.sale)
        assert len(buyers.sale.paid) == 30
        assert buyers.sale.refused == {}


async def refused(buyers, count):
    """Wait until so many requests were refused."""
    before = buyers.sale.refused.total()
    async with asyncio.timeout(60):
        while buyers.sale.refused.total() < before + count:  # noqa: ASYNC110
            await asyncio.sleep(0.005)


async def reached(buyers, paid, buying):
    """Wait until so many orders were paid; the buyers must still be at it."""
    async with asyncio.timeout(60):
        while len(buyers.sale.paid) < paid:  # noqa: ASYNC110 - nothing tells us
            await asyncio.sleep(0.005)
    assert not buying.done()
