"""The fixtures every test may use: servers that are real, and a clock that is not.

One PostgreSQL and one Valkey a test process, started when the first test asks.
The schema is built once into a template database; ``database_url`` is a fresh
clone of it (about 30 ms), so no test sees another's rows and any may commit.
"""

import asyncio
import base64
import gc
import itertools
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

import asyncpg
import httpx
import pytest
from documented import documented
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from simulating import Simulator

from holdfast.api.app import serving
from holdfast.api.shop import Shop, opened
from holdfast.domain import catalog, ordering
from holdfast.domain.accounts import Hasher
from holdfast.domain.ordering import (
    Address,
    Cart,
    CartStatus,
    Order,
    OrderLine,
    OrderStatus,
    Shipping,
)
from holdfast.kernel.ids import new_id
from holdfast.kernel.money import Money
from holdfast.platform import outbox
from holdfast.platform.data_keys import open_vault
from holdfast.platform.db import Database
from holdfast.platform.embedded import PostgresServer, ValkeyServer
from holdfast.platform.migrate import migrate
from holdfast.platform.rates import ROOM
from holdfast.platform.settings import Settings
from holdfast.platform.vault import Vault
from holdfast.workflows import keys, stock
from holdfast.workflows.catalog import create_product

MEMORY = Path("/dev/shm")  # noqa: S108 - the kernel's, and only for speed
SHARED_DATA = Path(__file__).parents[2] / "shared" / "data"
DATA_KEY = "base64:" + base64.b64encode(b"wraps the keys of every test run").decode()
_clone_number = itertools.count()

# How long an example takes says the machine, not the code.
hypothesis_settings.register_profile(
    "whatever-the-machine",
    hypothesis_settings.default,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
hypothesis_settings.load_profile("whatever-the-machine")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests by the servers they use, so that none has to be marked by hand."""
    for item in items:
        fixtures = getattr(item, "fixturenames", ())
        if "postgres" in fixtures:
            item.add_marker(pytest.mark.postgres)
        if "valkey" in fixtures:
            item.add_marker(pytest.mark.redis)


def pytest_collection_finish() -> None:
    """Keep the collector from reading the same again and again.

    Ten thousand tests, and what each makes young: a fifth of the suite's time else.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


class HandClock:
    """A clock that moves when it is told to."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 27, 8, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **by: float) -> None:
        self.now += timedelta(**by)


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture(scope="session")
def quick_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder for servers: in memory where there is room, else on the disk.

    A clone of a database is 300 small files: 35 ms in memory, 300 on a busy disk.
    """
    if not MEMORY.is_dir() or shutil.disk_usage(MEMORY).free < 1 << 30:
        yield tmp_path_factory.mktemp("servers")
        return
    with tempfile.TemporaryDirectory(prefix="holdfast-", dir=MEMORY) as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
def postgres(quick_folder: Path) -> Iterator[PostgresServer]:
    with PostgresServer(quick_folder / "postgres", durable=False) as server:
        yield server


@pytest.fixture(scope="session")
def tell_postgres(postgres: PostgresServer) -> Iterator[Callable[[str], object]]:
    """Run a statement of the server's owner, on one connection for all tests."""
    with asyncio.Runner() as loop:
        connection = loop.run(asyncpg.connect(postgres.url))
        yield lambda statement: loop.run(connection.execute(statement))
        loop.run(connection.close())


@pytest.fixture(scope="session")
def template(postgres: PostgresServer, tell_postgres: Callable[[str], object]) -> str:
    """The name of a database with the whole schema and no rows."""
    tell_postgres('CREATE DATABASE "template_shop"')
    asyncio.run(_migrate(postgres.url_of("template_shop")))
    return "template_shop"


@pytest.fixture
def database_url(
    postgres: PostgresServer, template: str, tell_postgres: Callable[[str], object]
) -> Iterator[str]:
    name = f"shop_{next(_clone_number)}"
    # Copying files beats logging their blocks, eightfold.
    tell_postgres(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY FILE_COPY')
    yield postgres.url_of(name)
    tell_postgres(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    db = await Database.connect(database_url, size=20)
    yield db
    await db.close()


@pytest.fixture
async def vault(database: Database, clock: HandClock) -> Vault:
    """The vault of the test's database: the same as that of ``shop``."""
    return await open_vault(database, DATA_KEY, clock=clock)


AProduct = Callable[..., Awaitable[UUID]]
"""Called with a SKU; returns the id of its variant."""


@pytest.fixture
def a_product(database: Database, clock: HandClock) -> AProduct:
    """Put a product of one variant into the shop, with stock."""

    async def put(
        sku: str,
        *,
        on_hand: int = 10,
        price: Money = Money(999, "EUR"),  # noqa: B008 - it is frozen
        weight_grams: int = 100,
        status: catalog.Status = "active",
    ) -> UUID:
        variant = catalog.VariantDraft(
            sku=sku, price=price, options={}, weight_grams=weight_grams
        )
        draft = catalog.Draft(
            handle=f"product-{new_id()}",
            title=f"Title of {sku}",
            status=status,
            variants=(variant,),
        )
        await create_product(database, draft, clock=clock)
        level = await stock.set_level(
            database, sku, on_hand, reason="delivery", actor="test", clock=clock
        )
        return level.variant_id

    return put


@pytest.fixture
def an_operator(
    database: Database, vault: Vault, clock: HandClock
) -> Callable[..., Awaitable[dict[str, str]]]:
    """Give out a key with the scopes; returns the headers of who holds it."""

    async def make(*scopes: str) -> dict[str, str]:
        _, token = await keys.create_key(
            database, vault, name="Test", scopes=scopes, clock=clock
        )
        return {"Authorization": f"Bearer {token}"}

    return make


class Bought(NamedTuple):
    """A paid order and the event that says so."""

    order: Order
    event: outbox.Event


Buy = Callable[..., Awaitable[Bought]]


@pytest.fixture
def buy(database: Database, vault: Vault, clock: HandClock) -> Buy:
    """Put a paid order into the database without a checkout, with its event."""

    async def put(*, email: str = "ada@example.com", title: str = "Assam") -> Bought:
        now = clock()
        cart = Cart(
            id=new_id(),
            token_hash=b"token",
            status=CartStatus.OPEN,
            version=1,
            currency="EUR",
            email=email,
            shipping_address=None,
            shipping_method=None,
            shipping=None,
            lines=(),
            created_at=now,
            updated_at=now,
        )
        line = OrderLine(new_id(), "TEA-1", title, 2, Money(999, "EUR"))
        order = Order(
            id=new_id(),
            number=0,
            cart_id=cart.id,
            token_hash=cart.token_hash,
            status=OrderStatus.PENDING,
            currency="EUR",
            email=email,
            shipping_address=Address("Ada Lovelace", "12 Main St", "London", "GB"),
            shipping=Shipping("standard", Money(490, "EUR"), "carrier"),
            lines=[line],
            subtotal=line.total,
            total=line.total + Money(490, "EUR"),
            placed_at=now,
        )
        event = outbox.event("ordering.order.confirmed", order_id=str(order.id))
        async with database.transaction() as tx:
            await ordering.open_cart(tx, vault, cart, [])
            await ordering.add(tx, vault, order)
            await ordering.mark_confirmed(tx, order.id, "ch_1", actor="test", at=now)
            await outbox.publish(tx, [event], at=now)
            return Bought(await ordering.find(tx, vault, order.id), event)

    return put


@pytest.fixture
def promised() -> Callable[..., Awaitable[None]]:
    """Wait until something another task or process does has happened."""

    async def wait(
        condition: Callable[[], Awaitable[object]], *, seconds: float = 60
    ) -> None:
        async with asyncio.timeout(seconds):
            while not await condition():  # noqa: ASYNC110 - nothing tells us
                await asyncio.sleep(0.01)

    return wait


@pytest.fixture(scope="session")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ValkeyServer]:
    home = tmp_path_factory.mktemp("valkey", numbered=True)
    with ValkeyServer(home / "server", durable=False) as server:
        yield server


@pytest.fixture(scope="session")
def payment_process() -> Iterator[Simulator]:
    simulator = Simulator("payment")
    yield simulator
    simulator.stop()


@pytest.fixture(scope="session")
def carrier_process() -> Iterator[Simulator]:
    simulator = Simulator("carrier")
    yield simulator
    simulator.stop()


@pytest.fixture
def payment_provider(payment_process: Simulator) -> Simulator:
    """The payment simulator, well behaved and with nothing charged."""
    payment_process.behave()
    return payment_process


@pytest.fixture
def carrier(carrier_process: Simulator) -> Simulator:
    """The carrier simulator, well behaved."""
    carrier_process.behave()
    return carrier_process


@pytest.fixture
def impatient() -> None:
    """For a test in which a provider hangs: the shop gives up after a second."""


@pytest.fixture
def settings(
    request: pytest.FixtureRequest,
    database_url: str,
    payment_provider: Simulator,
    carrier: Simulator,
    tmp_path: Path,
) -> Settings:
    """Settings of a whole shop, which bears with what a busy machine makes slow."""
    patience = 1 if "impatient" in request.fixturenames else 4
    return Settings.read(
        {
            "HOLDFAST_ENV": "test",
            "HOLDFAST_HOME": str(tmp_path / "home"),
            "DATABASE_URL": database_url,
            "HOLDFAST_PAYMENT_URL": payment_provider.url,
            "HOLDFAST_CARRIER_URL": carrier.url,
            "HOLDFAST_PUBLIC_URL": "http://shop.test",
            "HOLDFAST_DATA_KEY": DATA_KEY,
            **ROOM,
            "HOLDFAST_PAYMENT_TIMEOUT_SECONDS": str(patience),
            "HOLDFAST_CARRIER_TIMEOUT_SECONDS": str(patience / 2),
        }
    )


@pytest.fixture
def hasher() -> Iterator[Hasher]:
    """Hashes as the shop does, but in a hundredth of the time."""
    hasher = Hasher(memory_kib=64, passes=1)
    yield hasher
    hasher.close()


@pytest.fixture
async def shop(
    settings: Settings, clock: HandClock, hasher: Hasher
) -> AsyncIterator[Shop]:
    """An open shop over the test's database, with real providers."""
    async with opened(settings, clock=clock, hasher=hasher) as shop:
        yield shop


@pytest.fixture
async def client(shop: Shop) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the whole API, every layer included."""
    transport = httpx.ASGITransport(documented(serving(shop)))
    async with httpx.AsyncClient(
        transport=transport, base_url="http://shop.test"
    ) as client:
        yield client


@pytest.fixture
def shared_data() -> Path:
    """The folder of real input, where a checkout has it beside it."""
    if not SHARED_DATA.is_dir():
        pytest.skip("the real input is not beside this checkout")
    return SHARED_DATA


async def _migrate(url: str) -> None:
    db = await Database.connect(url, size=1)
    try:
        await migrate(db)
    finally:
        await db.close()
