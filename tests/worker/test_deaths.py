"""A job that kills its worker is found out, and takes no other job with it."""

import asyncio
import base64
import sys
from pathlib import Path

import pytest

from holdfast.platform import jobs, outbox

DOOMED = Path(__file__).with_name("doomed.py")
DATA_KEY = "base64:" + base64.b64encode(b"outlives each of these processes").decode()


@pytest.fixture
async def lives(database_url):
    """Start workers one after the other, as a supervisor would; counts deaths."""
    running = []

    async def live():
        deaths = 0
        while True:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, DOOMED, database_url, DATA_KEY),
                stdout=asyncio.subprocess.DEVNULL,
            )
            running[:] = [process]
            counter.deaths = deaths
            await process.wait()
            deaths += 1

    counter = asyncio.create_task(live())
    yield counter
    counter.cancel()
    for process in running:
        if process.returncode is None:
            process.kill()
        await process.wait()


class TestPoison:
    @pytest.mark.slow
    async def test_is_held_after_a_few_deaths_and_all_else_is_done(
        self, database, clock, lives, promised
    ):
        letters = [outbox.event("letter.asked") for _ in range(60)]
        bomb = outbox.event("bomb.ticked")
        async with database.transaction() as tx:
            events = [*letters[:30], bomb, *letters[30:]]
            await outbox.publish(tx, events, at=clock())

        async def settled():
            # In this order: what leaves the outbox between the two is found as a job.
            waiting, _ = await outbox.count_waiting(database)
            counts = await jobs.backlog(database)
            return (waiting, counts.queued, counts.running) == (0, 0, 0)

        await promised(settled, seconds=180)

        (held,) = await jobs.held(database, limit=10)
        written = await database.fetch("SELECT event_id FROM emails")
        assert held.job.event_id == bomb.id
        assert held.reason == (
            "Poisonous: The worker died 4 times while this job was running."
        )
        assert sorted(row["event_id"] for row in written) == sorted(
            e.id for e in letters
        )
        assert 2 <= lives.deaths <= 5
