"""Works off files of products: one job at a time in each worker, in short turns.

Not a task of the queue: an import takes minutes, and the queue's patience is one.
Between two turns the worker looks whether it is to stop; what a killed one leaves is
taken up by another after ``imports.LEASE``.
"""

from dataclasses import dataclass

from holdfast.kernel.clock import Clock
from holdfast.platform.db import Database
from holdfast.workflows import imports

POLL_SECONDS = 1.0


@dataclass(frozen=True)
class Importing:
    """What the worker does with files of products."""

    db: Database
    clock: Clock

    async def step(self) -> float:
        """Work at a job for a while; returns after how many seconds to look again."""
        worked = await imports.carry_on(self.db, clock=self.clock)
        return 0.0 if worked else POLL_SECONDS
