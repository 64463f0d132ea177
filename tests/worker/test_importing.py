"""The worker takes turns at files, and looks again soon when there is one."""

import asyncio

from holdfast.domain import imports
from holdfast.worker.handlers import Reach
from holdfast.worker.importing import POLL_SECONDS, Importing
from holdfast.worker.main import Worker
from holdfast.workflows.import_files import Wanted, receive

TEA = (
    b'{"title": "Tea", "variants": [{"sku": "T-1",'
    b' "price": {"amount": 490, "currency": "EUR"}}]}\n'
)
WANTED = Wanted("jsonl", "EUR", overwrite_stock=False, actor="key:1")


async def pieces():
    yield TEA


class TestStep:
    async def test_comes_again_at_once_after_work_and_else_after_a_while(
        self, database, clock
    ):
        importing = Importing(database, clock)
        await receive(database, pieces(), WANTED, clock=clock)

        assert await importing.step() == 0.0
        assert await importing.step() == POLL_SECONDS


class TestWorker:
    async def test_takes_a_file_in_by_itself(
        self, database, database_url, vault, clock, promised
    ):
        job = (await receive(database, pieces(), WANTED, clock=clock)).job
        stop = asyncio.Event()
        worker = Worker(database_url, Reach(database, vault, None, clock))

        async def ended():
            return (await imports.find(database, job.id)).has_ended

        async with asyncio.TaskGroup() as group:
            group.create_task(worker.run(stop))
            await promised(ended)
            stop.set()

        assert (await imports.find(database, job.id)).status == "completed"
