"""Checkouts of one cart, many times at once: double clicks, tabs, retries.

Of every cart the same checkout is sent from many connections to all processes, under
one key; some of the senders go away before they have an answer and come again. One
more, a second tab, has a key of its own. Who is sent to a bank approves or declines
there, in every tab as they please, and loads the page again; a few never come back.
The payment provider misbehaves meanwhile (``scenes``).
"""

import asyncio
from dataclasses import dataclass, replace

import msgspec

from holdfast.cli.prove.buyers import Cart, Client, Desk
from holdfast.cli.prove.requests import Decision
from holdfast.cli.prove.scenes import payment_methods
from holdfast.cli.prove.wire import PATIENCE_SECONDS

_HANGS_UP = 0.3
_LONGEST_BEFORE_HANGING_UP = 0.6
_SECOND_TAB = 0.5
_NEVER_COMES_BACK = 0.2
_DECLINES = 0.15
_LONGEST_AT_BANK = 0.4
_STEP = 37


def method_of(number: int) -> str:
    """How the buyer of that cart pays."""
    # In steps that meet every method, so that no kind of them comes all at once.
    methods = payment_methods()
    return methods[number * _STEP % len(methods)]


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
        method = method_of(number)
        # In the first half, so that their payments are given up before the end.
        leaves = number < self.task.carts // 2 and chance.random() < _NEVER_COMES_BACK
        tabs = [cart] * self.task.duplicates
        if chance.random() < _SECOND_TAB:
            tabs.append(replace(cart, key=f"tab-{cart.key}"))
        async with asyncio.TaskGroup() as group:
            for tab in tabs:
                client = self.desk.client()
                group.create_task(self._click(client, tab, method, leaves=leaves))

    async def _click(
        self, client: Client, cart: Cart, method: str, *, leaves: bool
    ) -> None:
        patience = PATIENCE_SECONDS
        if client.chance.random() < _HANGS_UP:
            patience = client.chance.uniform(0.001, _LONGEST_BEFORE_HANGING_UP)
        await client.check_out(cart, method, hang_up_after=patience)
        if client.bank is not None and not leaves:
            await self._go_to_bank(client, client.bank, cart, method)
        client.line.hang_up()

    async def _go_to_bank(
        self, client: Client, bank: str, cart: Cart, method: str
    ) -> None:
        chance = client.chance
        await asyncio.sleep(chance.uniform(0, _LONGEST_AT_BANK))
        decision: Decision = "decline" if chance.random() < _DECLINES else "approve"
        await client.decide(cart, bank, decision)
        await client.check_out(cart, method, attempt=False)
