"""Bring back what was canceled: ship the order, ask, approve, receive and pay back.

Only orders of which something comes back are handed over, whole and without a
carrier, as they are to be fetched. Every step may be taken again: a return is known by
the number of its cancellation, which is its text, and goes on from the state that it is
in.
"""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from holdfast.cli.replay.cancellations import Comeback
from holdfast.cli.replay.placing import SETTLE_SECONDS, PlacedOrder, Tick, each
from holdfast.cli.replay.remote import Answer, CannotReplay, Items, Remote
from holdfast.cli.replay.sales import Sales
from holdfast.kernel.money import Money


class ReturnedLine(msgspec.Struct):
    """Units of a line, and what became of them."""

    position: int
    received_quantity: int
    restocked_quantity: int


class PlacedReturn(msgspec.Struct):
    """A return, as the shop tells it."""

    id: str
    order_id: str
    status: str
    text: str | None
    lines: list[ReturnedLine]
    refund: Money


_return = msgspec.json.Decoder(PlacedReturn)
_returns = msgspec.json.Decoder(Items[PlacedReturn])


@dataclass
class Returning:
    """The cancellations of a replay on their way into a shop."""

    shop: Remote
    sales: Sales
    concurrency: int
    refused: dict[str, str] = field(default_factory=dict)
    """Why a cancellation could not be carried out, in the shop's words."""

    async def carry_out(self, orders: Iterable[PlacedOrder], tick: Tick) -> None:
        """Bring back what was canceled of orders that are paid."""
        order_of = {o.invoice: o for o in orders if o.status != "failed"}
        there = {(n.order_id, n.text): n for n in await returns_of(self.shop)}
        by_invoice: dict[str, list[Comeback]] = {}
        for back in self.sales.canceled.comebacks:
            by_invoice.setdefault(back.invoice, []).append(back)

        async def bring(invoice: str) -> None:
            order = order_of.get(invoice)
            if order is not None and await self._shipped(order):
                for back in by_invoice[invoice]:
                    await self._return(order, back, there.get((order.id, back.number)))
                    tick()

        def wholes() -> None:
            """Each return is counted by itself."""

        await each(by_invoice, bring, concurrency=self.concurrency, tick=wholes)

    async def _shipped(self, order: PlacedOrder) -> bool:
        """Hand the order over, if it was not; False if the shop refuses."""
        if order.fulfilment_status == "fulfilled":
            return True
        path = f"/v1/orders/{order.id}/shipments"
        answer = await self._send(path, {"by": "hand"}, f"{order.invoice}-ship")
        if not answer.ok:
            self.refused[order.invoice] = answer.said
        return answer.ok

    async def _return(
        self, order: PlacedOrder, back: Comeback, found: PlacedReturn | None
    ) -> None:
        steps = f"{back.number}-{back.invoice}"
        if found is None:
            body = {
                "lines": [
                    {"position": position, "quantity": quantity}
                    for position, quantity in sorted(back.units.items())
                ],
                "reason": "other",
                "text": back.number,
            }
            path = f"/v1/orders/{order.id}/returns"
            found = self._read(back, await self._send(path, body, f"{steps}-ask"))
        for status, step in (("requested", "approval"), ("approved", "receipt")):
            if found is not None and found.status == status:
                path = f"/v1/returns/{found.id}/{step}"
                answer = await self._send(path, {}, f"{steps}-{step}")
                found = self._read(back, answer)

    def _read(self, back: Comeback, answer: Answer) -> PlacedReturn | None:
        if answer.ok:
            return answer.read(_return)
        self.refused[back.number] = answer.said
        return None

    async def _send(self, path: str, body: Mapping[str, Any], step: str) -> Answer:
        key = f'"retail-{self.sales.fingerprint}-{step}"'
        answer = await self.shop.send("POST", path, body, {"Idempotency-Key": key})
        if answer.status in (401, 403):
            raise CannotReplay(f"The operator key is not enough: {answer.said}")
        return answer


async def returns_of(shop: Remote) -> list[PlacedReturn]:
    """Every return in the shop."""
    answer = await shop.get("/v1/returns?limit=1")
    if answer.status in (401, 403):
        raise CannotReplay(f"The operator key is not enough: {answer.said}")
    return [found async for found in shop.items("/v1/returns", _returns)]


async def settled_returns(shop: Remote) -> list[PlacedReturn]:
    """The same, once the money of all of them went; it says so if that does not end."""
    for _ in range(SETTLE_SECONDS):
        found = await returns_of(shop)
        if all(one.status != "received" for one in found):
            return found
        await asyncio.sleep(1)
    return await returns_of(shop)
