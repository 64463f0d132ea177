"""A process that sends or cancels and is killed at a chosen point; see test_deaths.

The point is a place in the story of a shipment, named as in DEATHS.
"""

import asyncio
import json
import os
import signal
import sys
from datetime import datetime
from uuid import UUID

from holdfast.api.shop import opened
from holdfast.domain import inventory, ordering, shipping
from holdfast.platform.idempotency import Answer, Claim
from holdfast.platform.settings import Settings
from holdfast.workflows.dispatch import Dispatch
from holdfast.workflows.fulfilment import Fulfilment, Wish


def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)


class Doomed:
    """A carrier whose caller dies before, while or after it is asked."""

    def __init__(self, carrier, point):
        self.carrier = carrier
        self.point = point

    def __getattr__(self, name):
        return getattr(self.carrier, name)

    async def take(self, consignment):
        return await self._ask("asking", self.carrier.take(consignment))

    async def cancel(self, key):
        return await self._ask("canceling", self.carrier.cancel(key))

    async def _ask(self, what, call):
        if self.point == f"before_{what}":
            die()
        if self.point == f"while_{what}":
            asyncio.get_running_loop().call_later(0.1, die)
        outcome = await call
        if self.point == f"after_{what}":
            die()
        return outcome


def render(_):
    return Answer(201, {}, b"")


async def main(point: str, told: dict[str, str]) -> None:
    now = datetime.fromisoformat(told["now"])
    settings = Settings.read(told["environ"])
    if point == "before_the_first_commit":
        shipping.add = die
    if point == "before_the_sale":
        inventory.ship = die
    if point == "before_the_last_commit":
        # Of the sale and its event, both written in that transaction.
        ordering.record = die
    if point == "before_it_is_back":
        inventory.unship = die
    async with opened(settings, clock=lambda: now) as shop:
        carrier = Doomed(shop.carrier, point)
        dispatch = Dispatch(shop.db, shop.vault, carrier, shop.clock, shop.payments)
        if "shipment_id" in told:
            await dispatch.cancel(UUID(told["shipment_id"]), actor="key:1")
            die()
        if point == "before_the_answer":
            dispatch = Dies(dispatch)
        claim = Claim("key:1", "shipments", told["key"], b"says")
        await Fulfilment(dispatch, render).ship(
            UUID(told["order_id"]), Wish(), actor="key:1", claim=claim
        )
        die()


class Dies:
    """A dispatch that is done with a shipment and dies before anybody is told."""

    def __init__(self, dispatch):
        self._dispatch = dispatch

    def __getattr__(self, name):
        return getattr(self._dispatch, name)

    async def finish(self, shipment_id):
        await self._dispatch.finish(shipment_id)
        die()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], json.load(sys.stdin)))
