"""A process that checks out a cart and is killed at a chosen point; see test_deaths.

The point is a place in the story of a checkout, named as in DEATHS.
"""

import asyncio
import json
import os
import signal
import sys
from datetime import datetime
from uuid import UUID

from holdfast.api.shop import opened
from holdfast.domain import ordering
from holdfast.domain.identity import Guest
from holdfast.platform.idempotency import Answer, Claim
from holdfast.platform.settings import Settings
from holdfast.workflows.checkout import Checkout


def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)


class Doomed:
    """A provider whose caller dies before, while or after it is asked."""

    def __init__(self, payments, point):
        self.payments = payments
        self.point = point

    async def charge(self, **wanted):
        if self.point == "before_the_charge":
            die()
        if self.point == "while_charging":
            asyncio.get_running_loop().call_later(0.1, die)
        outcome = await self.payments.charge(**wanted)
        if self.point == "after_the_charge":
            die()
        return outcome


async def main(point: str, told: dict[str, str]) -> None:
    now = datetime.fromisoformat(told["now"])
    settings = Settings.read(told["environ"])
    async with opened(settings, clock=lambda: now) as shop:

        def render(order):
            # Called inside the transaction of step 3.
            if point == "before_the_last_commit":
                die()
            return Answer(201, {}, b"")

        if point == "before_the_first_commit":
            ordering.add = die
        caller = Guest(bytes.fromhex(told["token_hash"]))
        claim = Claim(
            caller.actor, "checkout", told["key"], bytes.fromhex(told["fingerprint"])
        )
        doing = Checkout(
            shop.db, shop.vault, Doomed(shop.payments, point), shop.clock, render
        )
        await doing.place_order(
            UUID(told["cart_id"]),
            payment_method="pm_card_ok",
            expected_total=None,
            caller=caller,
            claim=claim,
        )
        die()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], json.load(sys.stdin)))
