"""Files on their way in, and the worker's turns at them."""

import pytest

from holdfast.domain import catalog, imports, inventory
from holdfast.workflows.import_files import Wanted, receive
from holdfast.workflows.imports import carry_on


@pytest.fixture
def send(database, clock):
    """Send a file of these lines, in pieces of any size; returns its job."""

    async def pieces(content, size):
        for at in range(0, len(content), size):
            yield content[at : at + size]

    async def put(content, *, size=1 << 16, **wanted):
        said = {
            "format": "jsonl",
            "currency": "EUR",
            "overwrite_stock": False,
            "actor": "key:1",
            **wanted,
        }
        received = await receive(
            database, pieces(content, size), Wanted(**said), clock=clock
        )
        return received.job

    return put


@pytest.fixture
def work_off(database, clock):
    """Take turns at jobs until nothing is left to do; returns how many turns."""

    async def turns():
        count = 0
        while await carry_on(database, clock=clock):
            count += 1
        return count

    return turns


@pytest.fixture
def job_of(database):
    async def find(job):
        return await imports.find(database, job.id)

    return find


@pytest.fixture
def messages(database):
    """What was refused of a job: lines and messages."""

    async def read(job):
        found = await imports.faults(database, job.id, after=0, limit=100)
        return [(one.fault.line, one.fault.message) for one in found]

    return read


@pytest.fixture
def exported(clock):
    """Export a shop."""

    async def read(db, file_format, **asked):
        parts = catalog.export(
            *(db, file_format), location_id=inventory.MAIN, at=clock(), **asked
        )
        return b"".join([part async for part in parts])

    return read


@pytest.fixture
def skus(database):
    """The SKUs in the shop and their stock."""

    async def read():
        ids = await database.fetch("SELECT id FROM products")
        found = await catalog.read_by_id(database, [row["id"] for row in ids])
        return {
            variant.sku: variant.available
            for document in found.values()
            for variant in document.product().variants
        }

    return read
