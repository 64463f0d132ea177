"""From events to jobs: what the outbox holds becomes work, exactly once.

An event is marked relayed in the transaction that enqueues its jobs, so a kill at
any point leaves both or neither. Rows are taken with ``SKIP LOCKED``: any number of
workers may relay at once, and none waits for another.

An event of a type that this release does not know is left where it is: during an
upgrade a worker of the next release is beside this one, and knows what to do. Those
behind it are handed on all the same.

Polling, not notification: a commit that notifies waits for every other such commit
of the server, and the checkout publishes in each of its own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from holdfast.kernel.clock import Clock
from holdfast.platform import jobs, outbox
from holdfast.platform.db import Database
from holdfast.worker.metrics import Metrics

BATCH = 500
POLL_SECONDS = 0.2
# A shop without orders is asked less and less often, but an e-mail never waits
# longer than this for its event to be seen.
IDLE_POLL_SECONDS = 1.0


@dataclass
class Relay:
    """Hands events on, each to the tasks that want it."""

    db: Database
    tasks_by_event: Mapping[str, Sequence[str]]
    """Every type of event that is known, even if no task wants it."""
    clock: Clock
    metrics: Metrics
    _wait: float = POLL_SECONDS

    async def step(self) -> float:
        """Hand on one batch; returns after how many seconds to look again."""
        if not await outbox.is_waiting(self.db, types=self._known):
            self._wait = min(self._wait * 1.1, IDLE_POLL_SECONDS)
            return self._wait
        taken = await self.hand_on()
        self._wait = POLL_SECONDS
        return 0.0 if taken == BATCH else self._wait

    async def hand_on(self) -> int:
        """Turn one batch of events into jobs; returns how many events."""
        async with self.db.transaction() as tx:
            events = await outbox.take_waiting(
                tx, BATCH, at=self.clock(), types=self._known
            )
            wanted = [
                jobs.Job(task, event.id, event.type, event.payload)
                for event in events
                for task in self.tasks_by_event[event.type]
            ]
            if wanted:
                await jobs.enqueue(tx, wanted)
        self.metrics.relayed.inc(len(events))
        return len(events)

    @property
    def _known(self) -> list[str]:
        return list(self.tasks_by_event)
