"""What a client of the shop does with its answers, and what it writes down of them.

A client sends a request again until it is answered, with the same key, to another
process if need be; it waits as long as it is told to. What it is told is written into
the history, each time.
"""

import asyncio
import random
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from holdfast.cli.prove import requests
from holdfast.cli.prove.history import LOST, Log, Said, digest
from holdfast.cli.prove.requests import Decision, Lines
from holdfast.cli.prove.wire import PATIENCE_SECONDS, Answer, Line, Lost
from holdfast.kernel.clock import Clock, Monotonic, monotonic, system_clock

GIVE_UP_SECONDS = 45.0
_PAUSE_SECONDS = 0.05
_CREATED = 201
_AGAIN = frozenset({LOST, 429, 503, 504})
_IN_PROGRESS = "idempotency-key-in-progress"
_NO_PAYMENT = "payment-unavailable"
_MOST_PAYMENTS = 3
"""So often a buyer tries to pay while the provider says that it cannot be."""


class NextAction(msgspec.Struct):
    """What a buyer has to do before they can be charged."""

    url: str


class Payment(msgspec.Struct):
    """What is read of an order's payment."""

    next_action: NextAction | None = None


class Told(msgspec.Struct):
    """What is read of an answer: of a cart, a hold, an order or a problem."""

    id: str = ""
    token: str = ""
    status: str | int = ""
    type: str = ""
    expires_at: str = ""
    order_id: str | None = None
    payment: Payment | None = None

    @property
    def bank(self) -> str | None:
        """Where the buyer has to go now, if anywhere."""
        action = self.payment.next_action if self.payment else None
        return action.url if action else None


_decode = msgspec.json.Decoder(Told).decode
_NOTHING = Told()


@dataclass
class Cart:
    """A cart that a buyer has made."""

    id: str
    token: str
    lines: Lines
    key: str = ""
    held: bool = False


@dataclass
class Desk:
    """Where clients write down what they were told."""

    log: Log
    ports: list[int]
    chance: random.Random
    seconds: Monotonic = monotonic
    clock: Clock = system_clock
    done: int = 0
    """Attempts that came to an end."""
    ordered: int = 0
    """Units in orders that were confirmed."""
    _epoch: float = field(init=False)

    def __post_init__(self) -> None:
        self._epoch = self.clock().timestamp() - self.seconds()

    def now(self) -> float:
        """Seconds since the epoch."""
        return self._epoch + self.seconds()

    def client(self) -> "Client":
        chance = random.Random(self.chance.random())  # noqa: S311 - the same each time
        return Client(self, chance, Line(self.ports, chance))


@dataclass
class Client:
    """Somebody with a connection."""

    desk: Desk
    chance: random.Random
    line: Line
    bank: str | None = None
    """Where the answer to the last checkout sent them, if anywhere."""

    async def open_cart(self, lines: Lines) -> Cart | None:
        """Make a cart; None if that could not be done in time."""
        made = await self._insist("cart", requests.cart(lines), Cart("", "", lines))
        if made is None or made[0].status != _CREATED:
            return None
        told = made[1]
        return Cart(told.id, told.token, lines, key=self.new_key())

    def new_key(self) -> str:
        """An idempotency key."""
        return f"{self.chance.getrandbits(64):x}"

    async def hold(self, cart: Cart, *, attempt: bool = True) -> Answer | None:
        """Try to hold what is in the cart."""
        request = requests.hold(cart.id, cart.token, cart.lines)
        done = await self._insist("hold", request, cart, attempt=attempt)
        return None if done is None else done[0]

    async def release(self, cart: Cart) -> None:
        """Give it back."""
        await self._insist("release", requests.release(cart.id, cart.token), cart)

    async def check_out(
        self,
        cart: Cart,
        method: str,
        *,
        attempt: bool = True,
        hang_up_after: float = PATIENCE_SECONDS,
    ) -> Answer | None:
        """Order and pay the cart; only the first try hangs up early."""
        request = requests.checkout(cart.id, cart.token, cart.key, method)
        done = await self._insist(
            "checkout", request, cart, attempt=attempt, hang_up_after=hang_up_after
        )
        self.bank = None
        if done is None:
            return None
        self.bank = done[1].bank
        if done[0].status == _CREATED:
            self.desk.ordered += sum(quantity for _, quantity in cart.lines)
        return done[0]

    async def decide(self, cart: Cart, bank: str, decision: Decision) -> None:
        """Approve or decline on the page of the bank, as a browser does: once."""
        port, request = requests.decide(bank, decision)
        shop, self.line = self.line, Line([port], self.chance)
        try:
            await self._once(f"bank {decision}d", request, cart)
        finally:
            self.line.hang_up()
            self.line = shop

    async def _insist(
        self,
        act: str,
        request: bytes,
        cart: Cart,
        *,
        attempt: bool = False,
        hang_up_after: float = PATIENCE_SECONDS,
    ) -> tuple[Answer, Told] | None:
        """Ask until there is an answer to go by; None when patience ends."""
        give_up, refused = self.desk.seconds() + GIVE_UP_SECONDS, 0
        while self.desk.seconds() < give_up and refused < _MOST_PAYMENTS:
            answer, told = await self._once(
                act, request, cart, attempt=attempt, hang_up_after=hang_up_after
            )
            attempt, hang_up_after = False, PATIENCE_SECONDS
            refused += told.type.endswith(_NO_PAYMENT)
            if answer is None:
                await asyncio.sleep(_PAUSE_SECONDS)
            elif answer.status in _AGAIN or told.type.endswith(_IN_PROGRESS):
                await asyncio.sleep(answer.retry_after or _PAUSE_SECONDS)
            else:
                return answer, told
        return None

    async def _once(
        self,
        act: str,
        request: bytes,
        cart: Cart,
        *,
        attempt: bool = False,
        hang_up_after: float = PATIENCE_SECONDS,
    ) -> tuple[Answer | None, Told]:
        began = self.desk.now()
        answer: Answer | None = None
        told = _NOTHING
        try:
            answer = await self.line.ask(request, hang_up_after=hang_up_after)
        except Lost:
            pass
        else:
            told = _decode(answer.body) if answer.body else _NOTHING
        self._note(act, cart, answer, told, began=began, attempt=attempt)
        self.desk.done += attempt
        return answer, told

    def _note(
        self,
        act: str,
        cart: Cart,
        answer: Answer | None,
        told: Told,
        *,
        began: float,
        attempt: bool,
    ) -> None:
        ordered = act == "checkout" and answer is not None
        names_order = ordered and not told.type
        ends = told.expires_at
        self.desk.log.add(
            Said(
                act=act,
                cart=cart.id or told.id,
                key=cart.key if act == "checkout" else "",
                lines=cart.lines,
                process=self.line.asked,
                began=began,
                ended=self.desk.now(),
                status=LOST if answer is None else answer.status,
                digest="" if answer is None else digest(answer.body),
                order=told.id if names_order else told.order_id or "",
                state=str(told.status) if names_order else "",
                problem=told.type.rpartition("/")[2],
                expires=datetime.fromisoformat(ends).timestamp() if ends else 0.0,
                attempt=attempt,
            )
        )
