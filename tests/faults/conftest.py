"""A shop of real processes that can be killed, buyers who do not give up, and books.

Nothing is faked here, time included: the processes have the machine's clock.
"""

import asyncio
import contextlib
import itertools
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from holdfast.domain import catalog, inventory, ordering
from holdfast.domain.ordering import Order, OrderStatus
from holdfast.kernel.clock import monotonic, system_clock
from holdfast.kernel.money import Money
from holdfast.platform import http
from holdfast.platform.data_keys import open_vault
from holdfast.platform.db import Database
from holdfast.platform.embedded import PostgresServer
from holdfast.platform.embedded.ports import free_port
from holdfast.platform.migrate import migrate
from holdfast.platform.rates import ROOM
from holdfast.platform.settings import Settings
from holdfast.workflows import stock
from holdfast.workflows.catalog import create_product
from holdfast.workflows.providers import providers
from holdfast.workflows.settlement import overdue_after, settle_overdue

READY = {
    "email": "ada@example.com",
    "shipping_method": "standard",
    "shipping_address": {
        "name": "Ada Lovelace",
        "line1": "12 Main St",
        "city": "London",
        "country": "GB",
    },
}
# What a client may be told while something is broken; nothing else, and never 500.
HONEST = {402, 409, 503, 504}
_HELD = """SELECT coalesce(sum(quantity), 0)::bigint FROM reservations
           WHERE expires_at IS NOT NULL"""
_number = itertools.count()


class Process:
    """A ``holdfast`` command on a port of its own, to be killed and started again."""

    def __init__(
        self,
        environ: dict[str, str],
        *arguments: str,
        log: Path | None = None,
        port_option: str = "--port",
    ) -> None:
        self._log = log or Path(os.devnull)
        self._port_option = port_option
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._environ = environ
        self._command = (sys.executable, "-m", "holdfast", *arguments)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and return once it answers."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own command
                [*self._command, self._port_option, str(self.port)],
                env=self._environ,
                stdout=log,
                stderr=log,
            )
        give_up = monotonic() + 60
        with httpx.Client(trust_env=False) as client:
            while monotonic() < give_up:
                with contextlib.suppress(httpx.TransportError):
                    if client.get(self.url + "/livez").is_success:
                        return
                # Asking without a pause would take the time that it needs to start.
                time.sleep(0.02)
        raise AssertionError(f"{self._command} did not start")

    def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(60)
            self._process = None


@pytest.fixture(scope="session")
def sturdy_postgres(quick_folder: Path) -> Iterator[PostgresServer]:
    """A server that keeps what it committed though it is killed."""
    with PostgresServer(quick_folder / "sturdy", durable=True) as server:
        yield server


@pytest.fixture(scope="session")
def sturdy_template(sturdy_postgres: PostgresServer) -> str:
    """A database with the whole schema, made while that server lives for sure."""

    async def make() -> None:
        connection = await asyncpg.connect(sturdy_postgres.url)
        await connection.execute("CREATE DATABASE template_faults")
        await connection.close()
        db = await Database.connect(sturdy_postgres.url_of("template_faults"), size=1)
        await migrate(db)
        await db.close()

    asyncio.run(make())
    return "template_faults"


@pytest.fixture
async def sturdy_url(
    sturdy_postgres: PostgresServer, sturdy_template: str
) -> AsyncIterator[str]:
    """A migrated database on that server."""
    if not (sturdy_postgres.child and sturdy_postgres.child.alive()):
        sturdy_postgres.start()
    name = f"faults_{next(_number)}"
    connection = await asyncpg.connect(sturdy_postgres.url)
    await connection.execute(
        f"CREATE DATABASE {name} TEMPLATE {sturdy_template} STRATEGY FILE_COPY"
    )
    await connection.close()
    yield sturdy_postgres.url_of(name)
    if not (sturdy_postgres.child and sturdy_postgres.child.alive()):
        sturdy_postgres.start()


@pytest.fixture
def till(tmp_path: Path) -> Iterator[Process]:
    """A payment provider that remembers every charge though it is killed."""
    state = tmp_path / "payment.jsonl"
    process = Process({"PYTHONPATH": ""}, "simulate", "payment", "--state", str(state))
    process.start()
    yield process
    process.kill()


@pytest.fixture
def environ(sturdy_url: str, till: Process, carrier, tmp_path: Path) -> dict[str, str]:
    return {
        "HOLDFAST_ENV": "test",
        "HOLDFAST_HOME": str(tmp_path / "home"),
        "HOLDFAST_LOG_LEVEL": "error",
        **ROOM,
        "DATABASE_URL": sturdy_url,
        "HOLDFAST_PAYMENT_URL": till.url,
        "HOLDFAST_CARRIER_URL": carrier.url,
        "HOLDFAST_PAYMENT_TIMEOUT_SECONDS": "2",
        "HOLDFAST_CARRIER_TIMEOUT_SECONDS": "0.5",
    }


@pytest.fixture
def api(environ: dict[str, str], tmp_path: Path) -> Iterator[Process]:
    """``holdfast serve`` over all of it; what it says is in ``api.log``."""
    log = tmp_path / "api.log"
    process = Process(environ, "serve", "--host", "127.0.0.1", log=log)
    process.start()
    yield process
    process.kill()


@pytest.fixture
def worker(environ: dict[str, str], tmp_path: Path) -> Iterator[Process]:
    """``holdfast worker`` over all of it."""
    log = tmp_path / "worker.log"
    process = Process(environ, "worker", log=log, port_option="--health-port")
    process.start()
    yield process
    process.kill()


@pytest.fixture
async def shop_database(sturdy_url: str) -> AsyncIterator[Database]:
    db = await Database.connect(sturdy_url, size=5)
    yield db
    await db.close()


@pytest.fixture
def in_stock(shop_database: Database) -> Callable[..., Awaitable[None]]:
    """Put so many units of each SKU into the shop."""

    async def put(**units: int) -> None:
        for sku, on_hand in units.items():
            variant = catalog.VariantDraft(sku=sku, price=Money(999, "EUR"), options={})
            draft = catalog.Draft(
                handle=sku.lower(), title=sku, status="active", variants=(variant,)
            )
            await create_product(shop_database, draft, clock=system_clock)
            await stock.set_level(
                *(shop_database, sku, on_hand),
                reason="delivery",
                actor="test",
                clock=system_clock,
            )

    return put


@dataclass
class Sale:
    """What the buyers were told."""

    paid: set[str] = field(default_factory=set)
    refused: Counter[str] = field(default_factory=Counter)
    odd: list[str] = field(default_factory=list)
    cut_off: int = 0
    undecided: int = 0


@dataclass
class Buyers:
    """Clients who send each request until it is answered, with the same key."""

    url: str
    sale: Sale = field(default_factory=Sale)

    async def buy(
        self, client: httpx.AsyncClient, sku: str, *, give_up_after: float = 25
    ) -> None:
        give_up = monotonic() + give_up_after
        cart: dict[str, Any] | None = None
        key = f"buyer-{next(_number)}"
        while monotonic() < give_up:
            if cart is None:
                lines = [{"sku": sku, "quantity": 1}]
                body = {"lines": lines, **READY}
                cart = await self._send(client, "/v1/carts", body, {})
                continue
            path = f"/v1/carts/{cart['id']}/checkout"
            token = {"Authorization": f"Bearer {cart['token']}", "Idempotency-Key": key}
            body = {"payment_method": "pm_card_ok"}
            try:
                order = await self._send(client, path, body, token)
            except httpx.ReadTimeout:
                # Whoever began it died, and its lease has not run out.
                self.sale.undecided += 1
                return
            if order is not None:
                if order["status"] == "confirmed":
                    self.sale.paid.add(order["id"])
                return
        self.sale.odd.append(f"{key} gave up")

    async def _send(
        self, client: httpx.AsyncClient, path: str, body: Any, headers: dict[str, str]
    ) -> Any:
        """The answer; None if it is worth another try."""
        try:
            answer = await client.post(self.url + path, json=body, headers=headers)
        except httpx.ReadTimeout:
            raise
        except httpx.TransportError:
            self.sale.cut_off += 1
            await asyncio.sleep(0.05)
            return None
        if answer.is_success:
            return answer.json()
        problem = answer.json()
        kind = answer.headers["content-type"]
        self.sale.refused[problem["type"]] += 1
        if answer.status_code not in HONEST or kind != "application/problem+json":
            self.sale.odd.append(f"{answer.status_code} {answer.text}")
        if answer.status_code == 503 and "retry-after" not in answer.headers:
            self.sale.odd.append("503 without Retry-After")
        if problem["type"] in (
            "/problems/out-of-stock",
            "/problems/payment-declined",
        ):
            return {"status": problem["type"]}
        await asyncio.sleep(0.05)
        return None


@pytest.fixture
def buyers(api: Process) -> Buyers:
    return Buyers(api.url)


@pytest.fixture
async def browser() -> AsyncIterator[httpx.AsyncClient]:
    limits = httpx.Limits(max_connections=50)
    async with httpx.AsyncClient(trust_env=False, limits=limits, timeout=4) as client:
        yield client


@dataclass(frozen=True)
class Books:
    """What the shop has written down when the dust has settled."""

    orders: list[Order]
    left: int
    """Units that nobody was promised."""

    def of(self, status: OrderStatus) -> list[Order]:
        return [order for order in self.orders if order.status is status]


@pytest.fixture
def settled_books(
    environ: dict[str, str], shop_database: Database, till: Process
) -> Callable[..., Awaitable[Books]]:
    """Let the timer end what is pending, and see that nothing is lost or doubled."""

    async def settle(sku: str, *, delivered: int, sale: Sale) -> Books:
        settings = Settings.read(environ)
        vault = await open_vault(shop_database, settings.data_key, clock=system_clock)
        async with http.session() as session:
            await settle_overdue(
                shop_database,
                vault,
                providers(settings, session).payments,
                clock=lambda: system_clock() + timedelta(hours=1),
                after=overdue_after(settings.payment_timeout_seconds),
            )
        orders: list[Order] = []
        after: str | None = None
        while True:
            page = await ordering.latest(shop_database, vault, after=after, limit=500)
            orders += page.items
            after = page.next
            if after is None:
                break
        level = await inventory.find(shop_database, sku)
        books = Books(orders, level.available)
        paid = books.of(OrderStatus.CONFIRMED)
        async with httpx.AsyncClient(trust_env=False) as client:
            captured = (await client.get(till.url + "/v1/summary")).json()["captured"]
        assert sale.odd == []
        assert await inventory.drift(shop_database) == []
        assert books.of(OrderStatus.PENDING) == []
        assert captured["count"] == len(paid)
        assert captured["amount_by_currency"].get("EUR", 0) == sum(
            order.total.amount for order in paid
        )
        assert sale.paid <= {str(order.id) for order in paid}
        assert len({order.cart_id for order in paid}) == len(paid)
        # Whoever could not pay keeps what they had for a while.
        held = await shop_database.fetchval(_HELD)
        assert level.reserved == len(paid) + held
        assert books.left == delivered - len(paid) - held >= 0
        return books

    return settle
