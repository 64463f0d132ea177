"""Orders whose money moves, with the real payment simulator on the other side."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec
import pytest
from simulating import Simulator

from holdfast.domain import inventory, ordering, payments
from holdfast.domain.ordering import Order
from holdfast.domain.payments import Refund
from holdfast.kernel.money import Money
from holdfast.platform.idempotency import Answer
from holdfast.workflows import refunds


@dataclass(frozen=True)
class Control:
    """The payment simulator, told what its buyers, banks and operators do."""

    simulator: Simulator

    def _send(self, method: str, path: str, **more: Any) -> Any:
        return self.simulator.ask(method, path, **more)

    def charge(self, key: UUID) -> dict[str, Any]:
        """A charge as the provider has it."""
        return self._send("GET", f"/v1/charges/by-key/{key}")

    def charges(self) -> list[dict[str, Any]]:
        return self._send("GET", "/v1/charges?limit=100")["items"]

    def refunds(self) -> list[dict[str, Any]]:
        return self._send("GET", "/v1/refunds?limit=100")["items"]

    def complete(self, key: UUID, outcome: str) -> dict[str, Any]:
        """What the buyer does on the page of their bank."""
        path = f"/control/charges/{key}/complete"
        return self._send("POST", path, json={"outcome": outcome})

    def end_refund(self, key: UUID, outcome: str) -> dict[str, Any]:
        path = f"/control/refunds/{key}/complete"
        return self._send("POST", path, json={"outcome": outcome})

    def make_charge(self, key: str, **changes: Any) -> dict[str, Any]:
        """A charge that the shop did not ask for."""
        body = {
            "amount": 1999,
            "currency": "EUR",
            "payment_method": "pm_card_ok",
            "reference": "elsewhere",
            **changes,
        }
        headers = {"Idempotency-Key": key}
        return self._send("POST", "/v1/charges", json=body, headers=headers)

    def make_refund(self, key: str, charge_key: object, amount: int) -> dict[str, Any]:
        """A refund by somebody at the provider's own page."""
        body = {
            "charge_key": str(charge_key),
            "amount": amount,
            "currency": "EUR",
            "reason": "by hand",
        }
        headers = {"Idempotency-Key": key}
        return self._send("POST", "/v1/refunds", json=body, headers=headers)

    def close(self, key: object, how: str) -> dict[str, Any]:
        """Capture, void or cancel at the provider, past the shop."""
        return self._send("POST", f"/v1/charges/by-key/{key}/{how}")


@pytest.fixture
def control(payment_provider) -> Control:
    return Control(payment_provider)


@pytest.fixture
def set_aside(shop):
    """From now on the shop only sets money aside at checkout."""
    shop.payments._captures = False


AnOrder = Callable[..., Awaitable[Order]]


@pytest.fixture
def an_order(shop, a_basket, check_out) -> AnOrder:
    """Order two units of TEA at 9.99 and pay; returns the order as it then is."""
    made = 0

    async def place(method: str = "pm_card_ok", **units: int) -> Order:
        nonlocal made
        made += 1
        basket = await a_basket(**(units or {"TEA": 2}))
        answer, _ = await check_out(basket, method, key=f"pay-{made}", says=_id_of)
        return await ordering.find(
            shop.db, shop.vault, UUID(msgspec.json.decode(answer.body))
        )

    return place


def _id_of(told: Any) -> Answer:
    order = getattr(told, "order", told)
    order_id = order.id if isinstance(order, Order) else told.order_id
    return Answer(201, {}, msgspec.json.encode(order_id))


@pytest.fixture
def now_is(shop):
    """An order as it is now."""

    async def read(order: Order) -> Order:
        return await ordering.find(shop.db, shop.vault, order.id)

    return read


@pytest.fixture
def promise(shop, clock):
    """Promise money of an order back, and leave it at that."""

    async def run(order: Order, amount: int, **more: Any) -> UUID:
        async with shop.db.transaction() as tx:
            return await refunds.request(
                tx,
                order,
                Money(amount, order.currency),
                reason="damaged",
                actor="key:1",
                clock=clock,
                **more,
            )

    return run


@pytest.fixture
def carry_out(shop, clock):
    async def run(refund_id: UUID) -> Refund:
        return await refunds.carry_out(
            refund_id, db=shop.db, provider=shop.payments, clock=clock
        )

    return run


@pytest.fixture
def give_back(promise, carry_out):
    """Promise money of an order back and carry it out."""

    async def run(order: Order, amount: int) -> Refund:
        return await carry_out(await promise(order, amount))

    return run


@pytest.fixture
def money_of(shop, control):
    """What both books say of an order: captured and refunded, here and there."""

    async def read(order: Order) -> tuple[tuple[int, int], tuple[int, int]]:
        ours = await ordering.find(shop.db, shop.vault, order.id)
        theirs = control.charge(order.id)
        return (
            (ours.captured_amount, ours.refunded_amount),
            (theirs["captured_amount"], theirs["refunded_amount"]),
        )

    return read


@pytest.fixture
def cancel(shop, clock):
    """Cancel units of an order by position, and free their stock."""

    async def run(order: Order, quantities: dict[int, int]) -> None:
        by_variant = {
            line.variant_id: quantities[line.position]
            for line in order.lines
            if line.position in quantities
        }
        async with shop.db.transaction() as tx:
            await ordering.cancel_lines(
                *(tx, order.id, quantities),
                reason="changed_mind",
                actor="key:1",
                at=clock(),
            )
            await inventory.release_part(tx, order.id, by_variant, at=clock())

    return run


@pytest.fixture
def whole():
    """Every unit of an order, by position."""

    def read(order: Order) -> dict[int, int]:
        return {line.position: line.quantity for line in order.lines}

    return read


@pytest.fixture
def differences(shop):
    """The open differences: kinds and subjects."""

    async def read() -> list[tuple[str, str]]:
        page = await payments.discrepancies(
            shop.db, after=None, limit=100, open_only=True
        )
        return sorted((one.kind, one.subject) for one in page.items)

    return read
