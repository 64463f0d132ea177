"""Checkouts of one cart, many times at once: double clicks, tabs, retries.

Of every cart the same checkout is sent from many connections to all processes, under
one key; some of the senders go away before they have an answer and come again. One
more, a second tab, has a key of its own. The payment provider misbehaves meanwhile.
"""

import asyncio
from dataclasses import dataclass, replace

import msgspec

from holdfast.cli.prove.buyers import Cart, Client, Desk
from holdfast.cli.prove.wire import PATIENCE_SECONDS

METHODS = (
    *("pm_card_ok",) * 50,
    *("pm_card_declined", "pm_insufficient_funds", "pm_fraud", "pm_do_not_honor") * 4,
    *("pm_timeout_before", "pm_timeout_after", "pm_slow", "pm_rate_limited") * 2,
    *("pm_error", "pm_error_after", "pm_garbage", "pm_garbage_after") * 4,
)
"""How the buyers pay; about six in ten would go well if nothing else happened."""

_HANGS_UP = 0.3
_LONGEST_BEFORE_HANGING_UP = 0.6
_SECOND_TAB = 0.5
_STEP = 37


class Duplicates(msgspec.Struct, tag="duplicates"):
    """What the buyers are told to do."""

    ports: list[int]
    carts: int
    duplicates: int
    at_once: int
    skus: list[str]
    seed: int


@dataclass
class Clickers:
    """All who check out too often."""

    task: Duplicates
    desk: Desk

    @property
    def progress(self) -> float:
        """The share that is done."""
        return self.desk.done / (self.task.carts * self.task.duplicates)

    async def run(self) -> None:
        places = asyncio.Semaphore(self.task.at_once)
        async with asyncio.TaskGroup() as group:
            for number in range(self.task.carts):
                await places.acquire()
                doing = group.create_task(self._cart(number))
                doing.add_done_callback(lambda _: places.release())

    async def _cart(self, number: int) -> None:
        skus, chance = self.task.skus, self.desk.chance
        lines = tuple((sku, 1) for sku in chance.sample(skus, 2))
        first = self.desk.client()
        cart = await first.open_cart(lines)
        first.line.hang_up()
        if cart is None:
            return
        # In steps that meet every method, so that no kind of them comes all at once.
        method = METHODS[number * _STEP % len(METHODS)]
        async with asyncio.TaskGroup() as group:
            for _ in range(self.task.duplicates):
                group.create_task(self._click(self.desk.client(), cart, method))
            if chance.random() < _SECOND_TAB:
                tab = replace(cart, key=f"tab-{cart.key}")
                group.create_task(self._click(self.desk.client(), tab, method))

    async def _click(self, client: Client, cart: Cart, method: str) -> None:
        patience = PATIENCE_SECONDS
        if client.chance.random() < _HANGS_UP:
            patience = client.chance.uniform(0.001, _LONGEST_BEFORE_HANGING_UP)
        await client.check_out(cart, method, hang_up_after=patience)
        client.line.hang_up()
