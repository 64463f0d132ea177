"""What is done to an order once it is paid, killed at every step there is.

Money is taken and goes back, lines are taken out, orders are canceled, goods come
back. Each is begun again and killed one step later, until
it comes to its end before that. Then the worker has its turn, and everything is right:
what goes back was either never promised or went back once, and the stock is what its
ledger and the orders say. Then the same request comes again, and it is done, once.
"""

import pytest
from dying import DOING

from holdfast.domain import ordering, payments
from holdfast.domain.identity import Operator
from holdfast.domain.ordering import OrderStatus, PaymentStatus, ReturnStatus
from holdfast.kernel.ids import new_id
from holdfast.platform.idempotency import LEASE, Answer, Claim
from holdfast.platform.jobs import Job
from holdfast.worker.handlers import TASKS, TASKS_BY_EVENT, Reach
from holdfast.workflows import capture, refunds, returns
from holdfast.workflows.dispatch import Dispatch
from holdfast.workflows.fulfilment import Fulfilment, Wish
from holdfast.workflows.returns import Returns
from holdfast.workflows.stock_check import StockCheck

CLERK = Operator(new_id(), "clerk", frozenset({"orders:write"}))
PRICE, PLENTY = 999, 1_000

pytestmark = pytest.mark.slow


def said(*_):
    return Answer(200, {}, b"done")


def a_claim(key):
    return Claim(CLERK.actor, "checkout", key, b"print")


def asked(key):
    """As a clerk asks, with that key."""
    claim = a_claim(key)
    return {
        "clerk": str(CLERK.key_id),
        "key": claim.key,
        "print": claim.fingerprint.hex(),
    }


@pytest.fixture
def answered():
    """Killed after each step. What was sent then and not answered is as if it had been
    answered or not sent, but for what the provider is asked; see TestRefund.
    """
    return True


@pytest.fixture
def paid(shop, a_basket, check_out):
    """An order of two TEA, paid."""

    async def order():
        basket = await a_basket(TEA=2, on_hand=PLENTY)
        await check_out(basket)
        order_id = await ordering.order_of_cart(shop.db, basket.cart.id)
        return await ordering.find(shop.db, shop.vault, order_id)

    return order


@pytest.fixture
def killed_at_each_step(dies, paid, answered):
    """Do something to one order after the other, and be killed; returns all of them."""

    async def kill(what, **more):
        orders = []
        for step in range(1, 100):
            orders.append(await paid())
            told = {"order_id": str(orders[-1].id), **asked(f"key-{step}"), **more}
            if not await dies(what, step, answered=answered, **told):
                return orders
        raise AssertionError("it never ended")

    return kill


@pytest.fixture
def again(shop, clock):
    """The same requests once more, when nobody can be at them any longer."""

    async def ask(what, orders, **more):
        clock.advance(seconds=LEASE.total_seconds() + 1)
        for step, order in enumerate(orders, start=1):
            told = {"order_id": str(order.id), **asked(f"key-{step}"), **more}
            await DOING[what](told, shop, shop.payments)

    return ask


@pytest.fixture
def let_the_worker_work(shop, clock):
    """What its timer does, and what it does because of what was announced."""

    async def work():
        clock.advance(seconds=15)
        await refunds.carry_out_due(shop.db, shop.payments, clock=clock)
        await capture.close_due(shop.db, shop.payments, clock=clock)
        reach = Reach(shop.db, shop.vault, None, clock, payments=shop.payments)
        rows = await shop.db.fetch("SELECT id, type, payload FROM outbox ORDER BY id")
        for row in rows:
            for task in TASKS_BY_EVENT.get(row["type"], ()):
                if task in {"carry_out_refund", "complete_return"}:
                    job = Job(task, row["id"], row["type"], row["payload"])
                    await TASKS[task](job, reach)

    return work


@pytest.fixture
def outcomes(shop, payment_provider):
    """Of each order its status, units kept, and what went back, which both books say.

    Refunds that are under way, twice or for nothing there are none; levels agree with
    their ledger and with what orders still have to get.
    """

    async def look(orders):
        assert await StockCheck(shop.db, shop.clock).find() == []
        found = []
        for before in orders:
            order = await ordering.find(shop.db, shop.vault, before.id)
            theirs = payment_provider.get(f"/v1/charges/by-key/{order.id}")
            known = await payments.refunds_of(shop.db, order.id)
            assert order.refunding_amount == 0
            assert theirs["refunded_amount"] == order.refunded_amount
            assert sum(n.amount.amount for n in known) == order.refunded_amount
            assert len(known) <= 1
            kept = sum(n.quantity - n.canceled - n.returned for n in order.lines)
            found.append((order.status, kept, order.refunded_amount))
        return found

    return look


@pytest.mark.parametrize("answered", [True, False], ids=["after", "at"])
class TestRefund:
    async def test_goes_back_once_or_was_never_promised(
        self, killed_at_each_step, let_the_worker_work, again, outcomes
    ):
        orders = await killed_at_each_step("refund", amount=500)
        await let_the_worker_work()

        found = await outcomes(orders)

        nothing, done = ((OrderStatus.CONFIRMED, 2, n) for n in (0, 500))
        assert set(found) == {nothing, done}
        assert found == sorted(found, key=lambda n: n[2]), "once promised, it is kept"
        await again("refund", orders, amount=500)
        assert set(await outcomes(orders)) == {done}

    async def test_is_carried_out_by_the_next_worker_if_one_dies(
        self, shop, clock, dies, paid, let_the_worker_work, outcomes, answered
    ):
        orders = []
        for step in range(1, 100):
            order = await paid()
            orders.append(order)
            async with shop.db.transaction() as tx:
                await refunds.request(
                    *(tx, order, order.total),
                    reason="damaged",
                    actor=CLERK.actor,
                    clock=clock,
                )
            if not await dies("carry out", step, answered=answered, later=15):
                break
            await let_the_worker_work()

        assert step > 5
        found = await outcomes(orders)
        assert set(found) == {(OrderStatus.CONFIRMED, 2, 2 * PRICE)}


class TestEdit:
    async def test_is_made_whole_or_not_at_all(
        self, killed_at_each_step, let_the_worker_work, again, outcomes, level
    ):
        orders = await killed_at_each_step("edit", keeps=1)
        await let_the_worker_work()

        found = await outcomes(orders)

        as_it_was = (OrderStatus.CONFIRMED, 2, 0)
        done = (OrderStatus.CONFIRMED, 1, PRICE)
        assert set(found) == {as_it_was, done}
        assert await level("TEA") == (PLENTY, sum(kept for _, kept, _ in found))
        await again("edit", orders, keeps=1)
        assert set(await outcomes(orders)) == {done}
        assert await level("TEA") == (PLENTY, len(orders))


class TestCancellation:
    async def test_frees_the_units_and_gives_the_money_back_or_neither(
        self, killed_at_each_step, let_the_worker_work, again, outcomes, level
    ):
        orders = await killed_at_each_step("cancel")
        await let_the_worker_work()

        found = await outcomes(orders)

        as_it_was = (OrderStatus.CONFIRMED, 2, 0)
        done = (OrderStatus.CANCELED, 0, 2 * PRICE)
        assert set(found) == {as_it_was, done}
        assert await level("TEA") == (PLENTY, sum(kept for _, kept, _ in found))
        await again("cancel", orders)
        assert set(await outcomes(orders)) == {done}
        assert await level("TEA") == (PLENTY, 0)


class TestSetAside:
    """Money that is only set aside at the checkout, to be taken or released later."""

    HELD = (OrderStatus.CONFIRMED, PaymentStatus.AUTHORIZED, "authorized", 0)
    TAKEN = (OrderStatus.CONFIRMED, PaymentStatus.CAPTURED, "captured", 2 * PRICE)
    RELEASED = (OrderStatus.CANCELED, PaymentStatus.VOIDED, "canceled", 0)

    @pytest.fixture(autouse=True)
    def _set_aside(self, shop):
        shop.payments._captures = False

    @pytest.mark.parametrize(
        ("what", "done"), [("capture", TAKEN), ("cancel", RELEASED)]
    )
    async def test_is_taken_or_released_once_or_held_as_it_was(
        self,
        shop,
        payment_provider,
        killed_at_each_step,
        let_the_worker_work,
        again,
        what,
        done,
    ):
        async def outcomes():
            assert await StockCheck(shop.db, shop.clock).find() == []
            found = set()
            for one in orders:
                ours = await ordering.find(shop.db, shop.vault, one.id)
                theirs = payment_provider.get(f"/v1/charges/by-key/{one.id}")
                assert theirs["captured_amount"] == ours.captured_amount
                states = (ours.status, ours.payment_status, theirs["status"])
                found.add((*states, ours.captured_amount))
            return found

        orders = await killed_at_each_step(what)
        await let_the_worker_work()

        assert await outcomes() == {self.HELD, done}
        await again(what, orders)
        assert await outcomes() == {done}


class TestReturn:
    @pytest.fixture
    def approved(self, shop, paid, clock):
        """An order that was sent, and a return of one unit of it that may come."""
        dispatch = Dispatch(shop.db, shop.vault, shop.carrier, clock, shop.payments)

        async def make(number):
            order = await paid()
            claims = (a_claim(f"{step} {number}") for step in ("s", "r", "a"))
            await Fulfilment(dispatch, said).ship(
                order.id, Wish(), actor=CLERK.actor, claim=next(claims)
            )
            told = []

            def note(found):
                told.append(found.id)
                return said()

            doing = Returns(*(shop.db, shop.vault, shop.payments, clock), CLERK, note)
            wish = returns.Wish(units={1: 1}, reason="damaged")
            await doing.request(order.id, wish, claim=next(claims))
            await doing.approve(
                told[0], answer=None, replace_now=False, claim=next(claims)
            )
            return order, told[0]

        return make

    async def test_is_on_the_shelf_and_paid_back_once_or_did_not_arrive(
        self,
        shop,
        dies,
        approved,
        let_the_worker_work,
        outcomes,
        level,
        answered,
    ):
        made = []
        for step in range(1, 100):
            made.append(await approved(step))
            told = {"return_id": str(made[-1][1]), **asked(f"key-{step}")}
            if not await dies("receive", step, answered=answered, **told):
                break
        await let_the_worker_work()
        orders = [order for order, _ in made]

        found = await outcomes(orders)

        sent = (OrderStatus.COMPLETED, 2, 0)
        done = (OrderStatus.COMPLETED, 1, PRICE)
        assert set(found) == {sent, done}
        there = PLENTY - sum(kept for _, kept, _ in found)
        assert await level("TEA") == (there, 0)
        for (_, return_id), (_, kept, _) in zip(made, found, strict=True):
            status = (await ordering.find_return(shop.db, shop.vault, return_id)).status
            assert status is (
                ReturnStatus.COMPLETED if kept == 1 else ReturnStatus.APPROVED
            )
        for step, (_, return_id) in enumerate(made, start=1):
            told = {"return_id": str(return_id), **asked(f"key-{step}")}
            await DOING["receive"](told, shop, shop.payments)
        assert set(await outcomes(orders)) == {done}
        assert await level("TEA") == (PLENTY - len(made), 0)
