"""A shop with two places to send from, orders that are paid, and a carrier."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import msgspec
import pytest

from holdfast.domain import inventory, ordering, shipping
from holdfast.domain.identity import Guest
from holdfast.domain.inventory import MAIN, Move
from holdfast.domain.ordering import Address, Order
from holdfast.domain.shipping import Method, Shipment
from holdfast.kernel import tokens
from holdfast.kernel.errors import DomainError
from holdfast.kernel.ids import new_id
from holdfast.platform import outbox
from holdfast.platform.idempotency import Answer, Claim
from holdfast.workflows.carts import Carts, CartWanted, LineWanted
from holdfast.workflows.checkout import Checkout
from holdfast.workflows.dispatch import Dispatch, finish_overdue, overdue_after
from holdfast.workflows.fulfilment import Fulfilment, Wish

ADA = Address(
    "Ada Lovelace", "12 Main St", "London", "GB", postal_code="SW1A 1AA", phone=None
)
DEPOT = {"name": "Holdfast", "line1": "1 Quay", "city": "Rotterdam", "country": "NL"}
NORTH = UUID("01943a00-0000-7000-8000-0000000001ff")


@pytest.fixture
async def depots(database, clock) -> None:
    """The main location has an address, and there is another one in the north."""
    # Nobody's business logic is at stake here: rows as an operator would make them.
    async with database.transaction() as tx:
        await tx.execute("UPDATE locations SET address = $1", DEPOT)
        await tx.execute(
            "INSERT INTO locations VALUES ($1, 'north', 'North', 5, $2, true, $3, $3)",
            *(NORTH, DEPOT, clock()),
        )


@pytest.fixture
def stocked(database, clock, a_product) -> Callable[..., Awaitable[dict[str, UUID]]]:
    """Put units of products on the shelves of both: ``TEA=(2, 3)``."""

    async def put(**units: tuple[int, int]) -> dict[str, UUID]:
        made = {}
        for sku, (main, north) in units.items():
            made[sku] = variant = await a_product(sku, on_hand=main)
            async with database.transaction() as tx:
                await inventory.open_levels(
                    tx, [variant], at=clock(), location_id=NORTH
                )
                moved = [Move(variant, NORTH, north, "receipt")]
                await inventory.move(tx, moved, actor="test", at=clock())
        return made

    return put


PlaceOrder = Callable[..., Awaitable[Order]]


@pytest.fixture
def place(shop, depots) -> PlaceOrder:
    """Order and pay so many units of each SKU."""

    async def order(*, method: Method = Method.STANDARD, **units: int) -> Order:
        carts = Carts(shop.db, shop.vault, shop.carrier, shop.clock)
        wanted = CartWanted(
            currency="EUR",
            email="ada@example.com",
            shipping_address=ADA,
            shipping_method=method,
            lines=[LineWanted(sku, quantity) for sku, quantity in units.items()],
        )
        cart, token = await carts.open(wanted)
        caller = Guest(tokens.fingerprint(token))
        told: list[Any] = []

        def render(order: Any) -> Answer:
            told.append(order)
            return Answer(201, {}, b"")

        await Checkout(
            shop.db, shop.vault, shop.payments, shop.clock, render
        ).place_order(
            cart.id,
            payment_method="pm_card_ok",
            expected_total=None,
            caller=caller,
            claim=Claim(caller.actor, "checkout", str(cart.id), b""),
        )
        return await ordering.find(shop.db, shop.vault, told[0].id)

    return order


@pytest.fixture
def dispatch(shop, clock) -> Dispatch:
    return Dispatch(shop.db, shop.vault, shop.carrier, clock, shop.payments)


def render(told: Any) -> Answer:
    """What an operator would read, in fewer words."""
    if isinstance(told, DomainError):
        return Answer(409, {}, str(told).encode())
    waits = any(shipment.status == "pending" for shipment in told)
    return Answer(
        202 if waits else 201, {}, msgspec.json.encode([str(s.id) for s in told])
    )


Ship = Callable[..., Awaitable[list[Shipment]]]


@pytest.fixture
def send(dispatch) -> Callable[..., Awaitable[Answer]]:
    """Ask for units of an order to be sent; returns the answer."""

    async def ask(
        order: Order, *, key: str | None = None, through: Any = None, **wish: Any
    ) -> Answer:
        claim = Claim("key:1", "shipments", key or str(new_id()), order.id.bytes)
        doing = Fulfilment(through or dispatch, render)
        answer, _ = await doing.ship(order.id, Wish(**wish), actor="key:1", claim=claim)
        return answer

    return ask


@pytest.fixture
def ship(send, shipments) -> Ship:
    """Send units of an order; returns all of its shipments, the last first."""

    async def ask(order: Order, **wish: Any) -> list[Shipment]:
        await send(order, **wish)
        return await shipments(order)

    return ask


@pytest.fixture
def shipments(shop) -> Callable[[Order], Awaitable[list[Shipment]]]:
    async def read(order: Order) -> list[Shipment]:
        page = await shipping.browse(shop.db, after=None, limit=100, order_id=order.id)
        return page.items

    return read


@pytest.fixture
def again(shop) -> Callable[[Order], Awaitable[Order]]:
    """An order as it is by now."""

    async def read(order: Order) -> Order:
        return await ordering.find(shop.db, shop.vault, order.id)

    return read


@pytest.fixture
def level(shop) -> Callable[..., Awaitable[tuple[int, int]]]:
    """What is on hand and reserved of a SKU."""

    async def read(sku: str, location_id: UUID = MAIN) -> tuple[int, int]:
        found = await inventory.find(shop.db, sku, location_id=location_id)
        return found.on_hand, found.reserved

    return read


@pytest.fixture
def let_the_timer_finish(dispatch, clock) -> Callable[[], Awaitable[int]]:
    """Let the time pass after which the worker takes shipments up."""

    async def run() -> int:
        after = overdue_after(0.5)
        clock.advance(seconds=after.total_seconds() + 1)
        return await finish_overdue(dispatch, after=after)

    return run


@pytest.fixture
def published(shop, clock) -> Callable[[], Awaitable[list[str]]]:
    """The types of what was published about shipments since the last look."""

    async def take() -> list[str]:
        async with shop.db.transaction() as tx:
            taken = await outbox.take_waiting(tx, 100, at=clock())
        return [e.type for e in taken if e.type.startswith("shipping.")]

    return take


@pytest.fixture
async def balanced(shop):
    """Whatever a test did: levels, ledger and promises agree afterwards."""
    yield
    assert await inventory.drift(shop.db) == []


@pytest.fixture
def tell(carrier) -> Callable[..., None]:
    """Let something happen to a parcel, as far as the carrier is concerned."""

    def happen(shipment: Shipment, status: str) -> None:
        path = f"/control/shipments/{shipment.carrier_reference}/events"
        carrier.post(path, json={"status": status})

    return happen
