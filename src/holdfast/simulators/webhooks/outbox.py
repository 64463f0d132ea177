"""What is to be told, to whom, and when it is tried again.

Every event has its first attempt as soon as it happened, unless a scenario says
otherwise, and up to 20 attempts: a second after the first, then twice as long
each time, a minute at most, by the simulator's clock. Without a target nothing is
recorded, so a simulator without webhooks does no work for them.

Memory: the last 50,000 events (about 1.5 KB each); the oldest is given up first.
"""

import asyncio
import time
import uuid
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeAlias

import msgspec

from holdfast.simulators.clock import SECOND, Clock, text
from holdfast.simulators.webhooks.delivery import (
    Attempt,
    Delivery,
    Ended,
    Event,
    Note,
    State,
)
from holdfast.simulators.webhooks.scenario import Chances, WebhookScenario
from holdfast.simulators.webhooks.sender import NotAnswered, Sender
from holdfast.simulators.webhooks.signature import Target, sign

Keep: TypeAlias = Callable[[Note | Ended], None]
"""Write down, so that it outlives the process."""

MAX_ATTEMPTS = 20
_FIRST_WAIT_SECONDS, _LONGEST_WAIT_SECONDS = 1, 60
_AT_ONCE = 8
_REMEMBERED = 50_000
_SHUFFLE_PATIENCE = SECOND
_WRONG_KEY = bytes(32)


@dataclass(frozen=True, slots=True)
class _Sending:
    delivery: Delivery
    duplicate: bool = False


class Webhooks:
    def __init__(
        self,
        clock: Clock,
        *,
        target: Target | None = None,
        keep: Keep | None = None,
        most: int = _REMEMBERED,
    ) -> None:
        self.target = self._first_target = target
        self._clock = clock
        self._keep = keep or _forget
        self._most = most
        self._sender = Sender()
        self._deliveries: OrderedDict[str, Delivery] = OrderedDict()
        self._counts: Counter[State] = Counter()
        self._ready: deque[_Sending] = deque()
        self._running: set[asyncio.Task[None]] = set()
        self._first_attempts: dict[str, asyncio.Event] = {}
        self._window: list[str] = []
        self.set_scenario(None)

    @property
    def scenario(self) -> WebhookScenario | None:
        return self._scenario

    def set_scenario(self, scenario: WebhookScenario | None) -> None:
        self._scenario = scenario
        self._chances = Chances(scenario)
        self._release()

    def set_target(self, target: Target | None) -> None:
        """Whatever still waits is sent to the new one."""
        self.target = target
        if target is None:
            self._let_go(list(self._first_attempts))
        self._pump()

    def resume(self, notes: Iterable[Note]) -> None:
        """Go on with what an earlier process left undelivered."""
        for note in notes:
            self._ready.append(_Sending(self._remember(note)))

    def start(self) -> None:
        """Call it once the loop runs."""
        self._pump()

    def emit(self, kind: str, *, subject: str, data: object) -> None:
        """Tell the target, if there is one, that *data* is now so."""
        if self.target is None:
            return
        content = msgspec.Raw(msgspec.json.encode(data))
        event = Event(f"evt_{uuid.uuid4().hex}", kind, self._clock.text(), content)
        note = Note(subject, event)
        delivery = self._remember(note)
        self._keep(note)
        if self._chances.dropped():
            self._end(delivery, "dropped")
            return
        scenario = self._scenario
        if scenario is not None and scenario.before_answer:
            self._first_attempts[event.id] = asyncio.Event()
            self._enqueue(delivery)
        elif scenario is not None and scenario.shuffle > 1:
            self._wait_for_others(delivery, scenario.shuffle)
        else:
            self._delay(delivery)

    async def caught_up(self) -> None:
        """Return once the receiver was told of everything so far, if that is asked.

        Each is tried once: a receiver that does not answer costs its 10 s.
        """
        for first in list(self._first_attempts.values()):
            await first.wait()

    def find(self, event_id: str) -> Delivery | None:
        return self._deliveries.get(event_id)

    def redeliver(self, delivery: Delivery) -> None:
        """Send it again at once, whatever became of it, with all its attempts."""
        self._counts[delivery.state] -= 1
        self._counts["pending"] += 1
        delivery.state, delivery.failures = "pending", 0
        delivery.next_attempt_at = None
        self._ready.append(_Sending(delivery))
        self._pump()

    def newest(self, *, start: int, limit: int) -> list[Delivery]:
        ids = list(reversed(self._deliveries))[start : start + limit]
        return [self._deliveries[event_id] for event_id in ids]

    def count(self, state: State) -> int:
        return self._counts[state]

    def __len__(self) -> int:
        return len(self._deliveries)

    def reset(self) -> None:
        """As when the process started; what is being sent still arrives."""
        self._deliveries.clear()
        self._counts.clear()
        self._ready.clear()
        self._window.clear()
        self._let_go(list(self._first_attempts))
        self.set_scenario(None)
        self.set_target(self._first_target)

    async def close(self) -> None:
        """Cut off what is under way."""
        running = list(self._running)
        self._ready.clear()
        for task in running:
            task.cancel()
        if running:
            await asyncio.wait(running)
        await self._sender.close()

    def _remember(self, note: Note) -> Delivery:
        delivery = Delivery(note, msgspec.json.encode(note.event))
        if len(self._deliveries) >= self._most:
            oldest = next(iter(self._deliveries.values()))
            if oldest.state == "pending":
                self._end(oldest, "failed")
            del self._deliveries[oldest.note.event.id]
            self._counts[oldest.state] -= 1
        self._deliveries[note.event.id] = delivery
        self._counts["pending"] += 1
        return delivery

    def _wait_for_others(self, delivery: Delivery, window: int) -> None:
        self._window.append(delivery.note.event.id)
        if len(self._window) >= window:
            self._release()
        elif len(self._window) == 1:
            first = delivery.note.event.id
            self._clock.at(
                self._clock.now() + _SHUFFLE_PATIENCE,
                lambda _: self._release() if first in self._window else None,
            )

    def _release(self) -> None:
        waiting, self._window = self._window, []
        for event_id in self._chances.shuffled(waiting):
            if delivery := self._deliveries.get(event_id):
                self._delay(delivery)

    def _delay(self, delivery: Delivery) -> None:
        seconds = self._chances.delay_seconds()
        if seconds:
            self._later(delivery, seconds)
        else:
            self._enqueue(delivery)

    def _later(self, delivery: Delivery, seconds: float) -> None:
        due = self._clock.now() + round(seconds * SECOND)
        delivery.next_attempt_at = text(due)

        def enqueue(due: int) -> None:
            # Sent again by hand, given up or forgotten meanwhile: nothing to do.
            if delivery.next_attempt_at == text(due):
                self._enqueue(delivery)

        self._clock.at(due, enqueue)

    def _enqueue(self, delivery: Delivery) -> None:
        delivery.next_attempt_at = None
        if self._deliveries.get(delivery.note.event.id) is not delivery:
            return
        self._ready.append(_Sending(delivery))
        if self._scenario is not None and not delivery.attempts:
            copy = _Sending(delivery, duplicate=True)
            self._ready.extend([copy] * self._scenario.duplicate)
        self._pump()

    def _pump(self) -> None:
        """Start what may start. In order, and alone, while a scenario is on."""
        most = _AT_ONCE if self._scenario is None else 1
        while self._ready and self.target and len(self._running) < most:
            sending = self._ready.popleft()
            attempt = self._attempt(sending, self.target)
            task = asyncio.get_running_loop().create_task(attempt)
            self._running.add(task)
            task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if not task.cancelled():
            task.result()
            self._pump()

    async def _attempt(self, sending: _Sending, target: Target) -> None:
        delivery, event = sending.delivery, sending.delivery.note.event
        at, status, error = self._clock.text(), None, None
        try:
            status = await self._post(event.id, delivery.body, target)
        except NotAnswered as reason:
            error = str(reason)
        delivery.attempts.append(Attempt(at, status, error, sending.duplicate))
        if status is not None and 200 <= status < 300:  # noqa: PLR2004 - HTTP
            self._end(delivery, "delivered")
        elif not sending.duplicate and delivery.state == "pending":
            self._try_again(delivery)
        self._let_go([event.id])

    async def _post(self, event_id: str, body: bytes, target: Target) -> int:
        skew = self._scenario.skew_seconds if self._scenario else 0
        # The receiver compares it with the time that it has, not with ours.
        timestamp = int(time.time()) + skew  # noqa: TID251
        key = _WRONG_KEY if self._chances.forged() else target.key
        headers = {
            "content-type": "application/json",
            "user-agent": "holdfast-simulator",
            "webhook-id": event_id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": sign(
                key, event_id=event_id, timestamp=timestamp, body=body
            ),
        }
        return await self._sender.post(target.url, headers, body)

    def _try_again(self, delivery: Delivery) -> None:
        delivery.failures += 1
        if delivery.failures >= MAX_ATTEMPTS:
            self._end(delivery, "failed")
            return
        wait = _FIRST_WAIT_SECONDS * 2 ** (delivery.failures - 1)
        self._later(delivery, min(wait, _LONGEST_WAIT_SECONDS))

    def _end(self, delivery: Delivery, state: State) -> None:
        if self._deliveries.get(delivery.note.event.id) is delivery:
            self._counts[delivery.state] -= 1
            self._counts[state] += 1
            self._keep(Ended(delivery.note.event.id))
        delivery.state = state
        delivery.next_attempt_at = None

    def _let_go(self, ids: list[str]) -> None:
        for event_id in ids:
            if first := self._first_attempts.pop(event_id, None):
                first.set()


def _forget(_: Note | Ended) -> None:
    """Nothing outlives this process."""
