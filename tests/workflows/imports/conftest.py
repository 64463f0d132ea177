"""Files on their way in, and the worker's turns at them."""

from itertools import count

import pytest

from holdfast.domain import catalog, imports, inventory
from holdfast.platform.db import Database
from holdfast.workflows.import_files import Wanted, receive
from holdfast.workflows.imports import carry_on

_number = count()


@pytest.fixture
def another_url(postgres, template, tell_postgres):
    name = f"another_shop_{next(_number)}"
    tell_postgres(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY FILE_COPY')
    yield postgres.url_of(name)
    tell_postgres(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
async def another_shop(another_url):
    """The database of a second shop, which is empty."""
    db = await Database.connect(another_url, size=4)
    yield db
    await db.close()


@pytest.fixture
def send(database, clock):
    """Send a file of these lines, in pieces of any size; returns its job."""

    async def pieces(content, size):
        for at in range(0, len(content), size):
            yield content[at : at + size]

    async def put(content, *, size=1 << 16, to=database, **wanted):
        said = {
            "format": "jsonl",
            "currency": "EUR",
            "overwrite_stock": False,
            "actor": "key:1",
            **wanted,
        }
        received = await receive(to, pieces(content, size), Wanted(**said), clock=clock)
        return received.job

    return put


@pytest.fixture
def work_off(database, clock):
    """Take turns at jobs until nothing is left to do; returns how many turns."""

    async def turns(db=database):
        taken = 0
        while await carry_on(db, clock=clock):
            taken += 1
        return taken

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
