"""The buyers of the sale: two hundred who want a thousand units, fifty thousand times.

A buyer wants the hot SKU, a warm one, or both at once. They try to hold it; most are
told that it is sold out, and come again. Of those who get a hold some pay, some give it
back, some leave without a word, and some renew it or come at the last moment, when it
may have ended. A few go to the checkout without a hold.
"""

import asyncio
import random
from dataclasses import dataclass, field

import msgspec

from holdfast.cli.prove.buyers import Cart, Client, Desk
from holdfast.cli.prove.requests import Lines

_GRANTED = frozenset({200, 201})
_SOLD_OUT = 409
_METHODS = ("pm_card_ok",) * 45 + ("pm_slow", "pm_error_after", "pm_card_declined")
_MOST_CARTS = 3


class Sale(msgspec.Struct, tag="sale"):
    """What the buyers are told to do."""

    ports: list[int]
    buyers: int
    attempts: int
    units: int
    hot: str
    warm: list[str]
    hold_seconds: float
    seed: int
    everybody_stays: bool = False
    """Nobody leaves: what is left is sold."""


@dataclass
class Shoppers:
    """All who take part in the sale."""

    task: Sale
    desk: Desk
    left: int = field(init=False)

    def __post_init__(self) -> None:
        self.left = self.task.attempts

    @property
    def progress(self) -> float:
        """The share that is done: half of it is selling, half is being sold out."""
        sold = self.desk.ordered / max(self.task.units, 1)
        return (min(sold, 1.0) + self.desk.done / self.task.attempts) / 2

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            for _ in range(self.task.buyers):
                group.create_task(self._buyer(self.desk.client()))

    async def _buyer(self, client: Client) -> None:
        # One cart for each thing this buyer wants: made once, and anew after an order.
        wishes = [self._wish(client.chance) for _ in range(_MOST_CARTS)]
        carts: dict[Lines, Cart] = {}
        while self.left > 0:
            wish = client.chance.choice(wishes)
            cart = carts.get(wish) or await client.open_cart(wish)
            if cart is None:
                continue
            carts[wish] = cart
            self.left -= 1
            if await self._try(client, cart):
                del carts[wish]

    def _wish(self, chance: random.Random) -> Lines:
        if self._stays:
            return ((chance.choice((self.task.hot, *self.task.warm)), 1),)
        hot, warm = (self.task.hot, 1), (chance.choice(self.task.warm), 1)
        return chance.choices(((hot,), (warm,), (hot, warm)), (6, 3, 1))[0]

    async def _try(self, client: Client, cart: Cart) -> bool:
        """One attempt, and the order if there is one; whether the cart is done with."""
        chance = client.chance.random()
        if chance < 0.01:  # noqa: PLR2004 - straight to the checkout
            return await self._buy(client, cart)
        answer = await client.hold(cart)
        if answer is None:
            return True
        if answer.status not in _GRANTED:
            await asyncio.sleep(client.chance.uniform(0, 0.03))
            return False
        return await self._with_a_hold(client, cart)

    async def _with_a_hold(self, client: Client, cart: Cart) -> bool:
        chance = client.chance.random()
        if chance < 0.25 and not self._stays:  # noqa: PLR2004 - leaves without a word
            return True
        if chance < 0.35 and not self._stays:  # noqa: PLR2004 - gives it back
            await client.release(cart)
            return False
        if chance < 0.45:  # noqa: PLR2004 - cannot decide, and renews
            await asyncio.sleep(client.chance.uniform(0, self.task.hold_seconds / 2))
            await client.hold(cart, attempt=False)
        elif chance < 0.5:  # noqa: PLR2004 - comes when it ends
            last_moment = client.chance.uniform(-0.05, 0.05)
            await asyncio.sleep(max(0.0, self.task.hold_seconds + last_moment))
        else:
            await asyncio.sleep(client.chance.uniform(0, 0.8))
        self.left -= 1
        return await self._buy(client, cart)

    async def _buy(self, client: Client, cart: Cart) -> bool:
        method = "pm_card_ok" if self._stays else client.chance.choice(_METHODS)
        # Another way to pay is another request.
        cart.key = client.new_key()
        answer = await client.check_out(cart, method)
        return answer is None or answer.status != _SOLD_OUT

    @property
    def _stays(self) -> bool:
        return self.task.everybody_stays
