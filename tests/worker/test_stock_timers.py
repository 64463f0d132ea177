"""What the worker does for stock: frees holds, tells what runs low and what is back."""

from datetime import timedelta
from uuid import UUID

import pytest

from holdfast.domain import inventory, notifications
from holdfast.domain.inventory import Wanted
from holdfast.kernel.ids import new_id
from holdfast.platform import outbox
from holdfast.platform.jobs import Job
from holdfast.worker.handlers import TASKS, TASKS_BY_EVENT, Reach
from holdfast.worker.metrics import Metrics
from holdfast.worker.stock_timers import stock_timers
from holdfast.workflows import stock, stock_notices

OPERATORS = "stock@example.com"


@pytest.fixture
def metrics():
    return Metrics()


@pytest.fixture
def reach(database, vault, clock):
    return Reach(database, vault, None, clock, stock_mail_to=OPERATORS)


@pytest.fixture
def turn(reach, metrics):
    """Let a timer have its turn."""

    async def run(name):
        (timer,) = (n for n in stock_timers(reach, metrics) if n.name == name)
        await timer.run()

    return run


@pytest.fixture
def carried_out(reach, database, clock):
    """Carry out the jobs of all events so far; returns the events by type."""

    async def run():
        async with database.transaction() as tx:
            events = await outbox.take_waiting(tx, 100, at=clock())
        for event in events:
            for task in TASKS_BY_EVENT.get(event.type, ()):
                job = Job(task, event.id, event.type, event.payload)
                for _ in range(2):
                    await TASKS[task](job, reach)
        return events

    return run


@pytest.fixture
def mails(database, vault):
    async def read():
        found = await notifications.latest(database, vault, limit=20)
        return [(mail.recipient, mail.subject, mail.body) for mail in found]

    return read


@pytest.fixture
def setting(database, clock):
    async def put(sku, **changes):
        await stock.change_settings(database, sku, "main", changes, clock=clock)

    return put


@pytest.fixture
def counted(database, clock):
    async def put(sku, on_hand):
        await stock.set_level(
            database, sku, on_hand, reason="count", actor="test", clock=clock
        )

    return put


@pytest.fixture
def reserved(database, clock):
    async def put(variant, units, **more):
        holder = new_id()
        async with database.transaction() as tx:
            wanted = [Wanted(variant, str(variant), units)]
            await inventory.reserve(tx, holder, wanted, at=clock(), **more)
        return holder

    return put


class TestExpireHolds:
    async def test_frees_all_that_is_overdue(
        self, database, a_product, reserved, turn, clock, metrics
    ):
        tea = await a_product("TEA", on_hand=20)
        for _ in range(7):
            await reserved(tea, 2, expires_at=clock() + timedelta(seconds=30))
        await turn("expire_holds")
        assert (await inventory.find(database, "TEA")).reserved == 14
        clock.advance(seconds=30)

        await turn("expire_holds")

        assert (await inventory.find(database, "TEA")).reserved == 0
        assert metrics.holds_expired._value.get() == 7


class TestLowStock:
    async def test_is_told_once_a_crossing(
        self, a_product, setting, reserved, database, turn, carried_out, mails, clock
    ):
        tea = await a_product("TEA", on_hand=10)
        await setting("TEA", low_stock_threshold=4)
        await turn("notice_low_stock")
        assert await carried_out() == []

        order = await reserved(tea, 6)
        await reserved(tea, 1)
        for _ in range(2):
            await turn("notice_low_stock")
        events = await carried_out()

        low = [n.payload for n in events if n.type == "inventory.stock.low"]
        assert [(n["sku"], n["remaining"], n["threshold"]) for n in low] == [
            ("TEA", 4, 4)
        ]
        ((recipient, subject, body),) = await mails()
        assert (recipient, subject) == (OPERATORS, "Stock runs low: 1 level")
        assert "TEA at main: 4 left, 4 is few" in body
        async with database.transaction() as tx:
            await inventory.release(tx, order, at=clock())
        await reserved(tea, 8)
        await turn("notice_low_stock")
        again = await carried_out()
        assert [n.payload["remaining"] for n in again if "sku" in n.payload] == [1]

    async def test_one_mail_tells_of_several(
        self, a_product, setting, counted, turn, carried_out, mails
    ):
        for sku in ("TEA", "CUP", "POT"):
            await a_product(sku, on_hand=10)
            await setting(sku, low_stock_threshold=4)
            await counted(sku, 2)

        await turn("notice_low_stock")
        await carried_out()

        ((_, subject, _),) = await mails()
        assert subject == "Stock runs low: 3 levels"

    async def test_a_threshold_above_what_is_there_is_a_crossing(
        self, a_product, setting, turn, carried_out
    ):
        await a_product("TEA", on_hand=10)

        await setting("TEA", low_stock_threshold=10)

        await turn("notice_low_stock")
        assert "inventory.stock.low" in {n.type for n in await carried_out()}

    async def test_without_an_address_nobody_is_mailed(
        self, database, vault, a_product, setting, counted, clock, metrics, mails
    ):
        await a_product("TEA", on_hand=10)
        await setting("TEA", low_stock_threshold=4)
        await counted("TEA", 1)
        silent = Reach(database, vault, None, clock)
        (timer,) = (
            n for n in stock_timers(silent, metrics) if n.name == "notice_low_stock"
        )

        await timer.run()

        async with database.transaction() as tx:
            events = await outbox.take_waiting(tx, 9, at=clock())
        types = [n.type for n in events if n.type.startswith("inventory.")]
        assert types == ["inventory.stock.low"]
        assert await mails() == []


class TestBackInStock:
    @pytest.fixture
    def ask(self, database, vault, clock):
        async def put(email):
            await stock_notices.ask_for(
                *(database, vault, "TEA"), email=email, account_id=None, clock=clock
            )

        return put

    async def test_everybody_who_waits_is_told_once(
        self, a_product, ask, counted, turn, carried_out, mails
    ):
        await a_product("TEA", on_hand=0, status="active")
        await ask("ada@example.com")
        await ask("eve@example.com")
        await turn("notice_back_in_stock")
        assert await carried_out() == []

        await counted("TEA", 5)
        for _ in range(2):
            await turn("notice_back_in_stock")
        events = await carried_out()

        told = sorted(recipient for recipient, _, _ in await mails())
        assert told == ["ada@example.com", "eve@example.com"]
        assert all(set(n.payload) <= {"request_id"} for n in events)
        assert "Title of TEA can be bought again" in (await mails())[0][1]
        await counted("TEA", 0)
        await counted("TEA", 5)
        await turn("notice_back_in_stock")
        assert await carried_out() == []

    async def test_whoever_was_removed_is_not_told(
        self, database, a_product, ask, counted, turn, carried_out, mails
    ):
        await a_product("TEA", on_hand=0, status="active")
        await ask("ada@example.com")
        await counted("TEA", 5)
        await turn("notice_back_in_stock")
        request_id = await database.fetchval("SELECT id FROM stock_requests")
        await stock_notices.remove(database, UUID(str(request_id)))

        await carried_out()

        assert await mails() == []

    async def test_a_product_that_is_not_for_sale_is_not_announced(
        self, a_product, ask, counted, turn, carried_out
    ):
        await a_product("TEA", on_hand=0, status="draft")
        await ask("ada@example.com")
        await counted("TEA", 5)

        await turn("notice_back_in_stock")

        assert await carried_out() == []

    async def test_is_forgotten_after_a_week(
        self, database, a_product, ask, counted, turn, clock
    ):
        await a_product("TEA", on_hand=0, status="active")
        await ask("ada@example.com")
        await counted("TEA", 5)
        await turn("notice_back_in_stock")
        await turn("forget_stock_requests")
        assert await database.fetchval("SELECT count(*) FROM stock_requests") == 1
        clock.advance(days=8)

        await turn("forget_stock_requests")

        assert await database.fetchval("SELECT count(*) FROM stock_requests") == 0


class TestCheck:
    async def test_the_drift_is_a_metric(
        self, database, a_product, turn, metrics, reserved, clock
    ):
        tea = await a_product("TEA", on_hand=10)
        await reserved(tea, 2, expires_at=clock())
        await turn("check_stock")
        await turn("measure_stock")

        def shown(name, **labels):
            return metrics.registry.get_sample_value(
                f"holdfast_inventory_{name}", labels
            )

        assert shown("drift", kind="reserved") == 0
        assert shown("reservations", holder="overdue") == 1
        await database.fetch("UPDATE stock SET reserved = 7")

        await turn("check_stock")

        assert shown("drift", kind="reserved") == 1
        assert shown("drift", kind="ledger") == 0


class TestAlerts:
    async def test_are_forgotten_after_three_months(
        self, database, a_product, setting, counted, turn, clock
    ):
        await a_product("TEA", on_hand=10)
        await setting("TEA", low_stock_threshold=4)
        await counted("TEA", 1)
        await turn("notice_low_stock")
        clock.advance(days=91)

        await turn("forget_stock_alerts")

        assert await database.fetchval("SELECT count(*) FROM stock_alerts") == 0
