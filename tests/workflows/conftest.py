"""A buyer with a cart, and the books of shop and provider side by side."""

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import dying
import msgspec
import pytest

from holdfast.domain import inventory, ordering
from holdfast.domain.identity import Caller, Guest
from holdfast.domain.ordering import Address, Cart, Order, OrderStatus
from holdfast.domain.shipping import Method
from holdfast.kernel import tokens
from holdfast.kernel.errors import DomainError
from holdfast.kernel.money import Money
from holdfast.platform import outbox
from holdfast.platform.idempotency import Answer, Claim
from holdfast.workflows.carts import Carts, CartWanted, LineWanted
from holdfast.workflows.checkout import AwaitsBuyer, Checkout
from holdfast.workflows.settlement import overdue_after, settle_overdue

_WAITING = """
SELECT count(*) FROM pg_stat_activity
WHERE wait_event_type = 'Lock' AND datname = current_database()
"""
DYING = dying.__file__
KILLED = 9
ADA = Address("Ada Lovelace", "12 Main St", "London", "GB")


@dataclass(frozen=True)
class Basket:
    """A cart and who holds its token."""

    cart: Cart
    caller: Caller

    def claim(self, key: str = "key-1", says: str = "pm_card_ok") -> Claim:
        fingerprint = f"{self.cart.id} {says}".encode()
        return Claim(self.caller.actor, "checkout", key, fingerprint)


def render(told: Order | AwaitsBuyer | DomainError) -> Answer:
    """What a client would read, in fewer words."""
    if isinstance(told, DomainError):
        return Answer(402, {}, str(told).encode())
    if isinstance(told, AwaitsBuyer):
        told = told.order
    body = {"id": told.id, "number": told.number, "status": told.status}
    return Answer(
        202 if told.status is OrderStatus.PENDING else 201,
        {},
        msgspec.json.encode(body),
    )


@pytest.fixture
def carts(shop) -> Carts:
    return Carts(shop.db, shop.vault, shop.carrier, shop.clock)


@pytest.fixture
def a_basket(carts, a_product) -> Callable[..., Awaitable[Basket]]:
    """A cart ready to be ordered, of products that exist already or are made."""
    made: set[str] = set()

    async def fill(
        *,
        on_hand: int = 10,
        price: Money = Money(999, "EUR"),  # noqa: B008 - it is frozen
        **units: int,
    ) -> Basket:
        for sku in units.keys() - made:
            await a_product(sku, on_hand=on_hand, price=price)
            made.add(sku)
        wanted = CartWanted(
            currency="EUR",
            email="ada@example.com",
            shipping_address=ADA,
            shipping_method=Method.PICKUP,
            lines=[LineWanted(sku, quantity) for sku, quantity in units.items()],
        )
        cart, token = await carts.open(wanted)
        return Basket(cart, Guest(tokens.fingerprint(token)))

    return fill


CheckOut = Callable[..., Awaitable[tuple[Answer, bool]]]


@pytest.fixture
def check_out(shop) -> CheckOut:
    """Order and pay a basket; returns the answer and whether it is a replay."""

    async def send(
        basket: Basket,
        method: str = "pm_card_ok",
        *,
        key: str = "key-1",
        caller: Caller | None = None,
        payments: Any = None,
        db: Any = None,
        expected: Any = None,
        says: Callable[[Order | DomainError], Answer] = render,
        keeps: timedelta | None = None,
        carrier: Any = None,
    ) -> tuple[Answer, bool]:
        doing = Checkout(
            db or shop.db,
            shop.vault,
            payments or shop.payments,
            shop.clock,
            says,
            keeps=keeps,
            carrier=carrier,
        )
        return await doing.place_order(
            basket.cart.id,
            payment_method=method,
            expected_total=expected,
            caller=caller or basket.caller,
            claim=basket.claim(key, method),
        )

    return send


@pytest.fixture
def let_the_timer_settle(shop, clock) -> Callable[[], Awaitable[int]]:
    """Let the time pass after which the timer takes pending orders up."""

    async def run() -> int:
        after = overdue_after(shop.settings.payment_timeout_seconds)
        clock.advance(seconds=after.total_seconds() + 1)
        return await settle_overdue(
            shop.db, shop.vault, shop.payments, clock=clock, after=after
        )

    return run


@dataclass(frozen=True)
class Books:
    """What shop and provider have written down."""

    orders: list[Order]
    captured: int
    captured_amount: int

    def of(self, status: OrderStatus) -> list[Order]:
        return [order for order in self.orders if order.status is status]


@pytest.fixture
def books(shop, payment_provider) -> Callable[[], Awaitable[Books]]:
    """Read the books, and see that they balance."""

    async def read() -> Books:
        orders = (
            await ordering.latest(shop.db, shop.vault, after=None, limit=1000)
        ).items
        captured = payment_provider.get("/v1/summary")["captured"]
        found = Books(
            orders, captured["count"], captured["amount_by_currency"].get("EUR", 0)
        )
        assert await inventory.drift(shop.db) == []
        if not found.of(OrderStatus.PENDING):
            paid = found.of(OrderStatus.CONFIRMED)
            assert found.captured == len(paid)
            assert found.captured_amount == sum(order.total.amount for order in paid)
        return found

    return read


@pytest.fixture
def level(shop) -> Callable[[str], Awaitable[tuple[int, int]]]:
    """What is on hand and reserved of a SKU."""

    async def read(sku: str) -> tuple[int, int]:
        found = await inventory.find(shop.db, sku)
        return found.on_hand, found.reserved

    return read


@pytest.fixture
def events(shop, clock) -> Callable[[], Awaitable[list[tuple[str, str]]]]:
    """What was announced since the last look: types and ids of orders."""

    async def take() -> list[tuple[str, str]]:
        async with shop.db.transaction() as tx:
            taken = await outbox.take_waiting(tx, 100, at=clock())
        return sorted((event.type, event.payload["order_id"]) for event in taken)

    return take


Meanwhile = Callable[
    [asyncio.TaskGroup, Coroutine[Any, Any, Any]], Awaitable[asyncio.Task[Any]]
]


@pytest.fixture
def meanwhile(database, promised) -> Meanwhile:
    """Begin a task, and go on when it waits for a lock that the caller has."""

    async def begin(
        tasks: asyncio.TaskGroup, work: Coroutine[Any, Any, Any]
    ) -> asyncio.Task[Any]:
        task = tasks.create_task(work)

        async def waits() -> bool:
            return await database.fetchval(_WAITING) == 1 or task.done()

        await promised(waits)
        assert not task.done()
        return task

    return begin


Dies = Callable[..., Awaitable[bool]]


@pytest.fixture
async def dies(settings, clock) -> AsyncIterator[Dies]:
    """Do something in a process that is killed at a step; False if it ended first."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, DYING),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )

    async def run(
        what: str, step: int, *, answered: bool = True, later: int = 0, **job: Any
    ) -> bool:
        job |= {"what": what, "step": step, "answered": answered, "later": later}
        job |= {"environ": dict(settings.raw), "now": clock().isoformat()}
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(job).encode() + b"\n")
        ended = int(await process.stdout.readline())
        assert ended in (0, KILLED)
        return ended == KILLED

    yield run
    process.stdin.close()
    await process.wait()
