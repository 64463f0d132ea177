"""A worker whose task "die" kills the process; run by test_deaths.

Other tasks write their event's id into the e-mails, the only table at hand. Each life
opens the same vault, as a worker does that is started again: what one has sealed the
next can read.
"""

import asyncio
import os
import signal
import sys
from datetime import timedelta

from holdfast.domain import notifications
from holdfast.domain.notifications import Message
from holdfast.kernel.clock import system_clock
from holdfast.platform.data_keys import open_vault
from holdfast.platform.db import Database
from holdfast.worker.handlers import Reach
from holdfast.worker.main import Worker


async def die(job, reach):
    os.kill(os.getpid(), signal.SIGKILL)


async def write(job, reach):
    message = Message("ada@example.com", "Hello", "Hello.\n")
    async with reach.db.transaction() as tx:
        await notifications.add(
            tx, reach.vault, message, event_id=job.event_id, at=reach.clock()
        )


async def main(url: str, data_key: str) -> None:
    db = await Database.connect(url, size=5)
    vault = await open_vault(db, data_key, clock=system_clock)
    worker = Worker(
        url,
        Reach(db, vault, None, system_clock),
        stale_after=timedelta(seconds=0.5),
        tasks={"die": die, "write": write},
        tasks_by_event={"bomb.ticked": ["die"], "letter.asked": ["write"]},
    )
    await worker.run(asyncio.Event())


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
