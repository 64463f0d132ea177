"""Both simulators in this process, and either as a process of its own."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from holdfast.simulators import carrier as carrier_simulator
from holdfast.simulators import payment as payment_simulator
from holdfast.simulators.clock import Clock
from holdfast.simulators.stage import Stage
from holdfast.simulators.web import App

DEADLINE_SECONDS = 20


class Nap:
    """A sleep that notes its length, and lasts while ``wake`` is clear."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self.fallen_asleep = asyncio.Event()
        self.wake = asyncio.Event()
        self.wake.set()

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)
        self.fallen_asleep.set()
        await self.wake.wait()


@dataclass
class Simulator:
    """A running process and a client of it."""

    process: asyncio.subprocess.Process
    line: str
    url: str
    http: httpx.AsyncClient

    async def end(self, number: signal.Signals) -> int:
        """Send the signal and return the exit status."""
        self.process.send_signal(number)
        async with asyncio.timeout(DEADLINE_SECONDS):
            return await self.process.wait()


@pytest.fixture
async def nap() -> Nap:
    return Nap()


@pytest.fixture
def stopped_clock() -> Clock:
    """It shows 2026-11-27T08:00:00Z until it is moved."""
    clock = Clock()
    clock.set(1_795_766_400_000_000, frozen=True)
    return clock


@pytest.fixture
def stage(stopped_clock: Clock) -> Stage:
    return Stage(clock=stopped_clock)


@pytest.fixture
def ledger(stopped_clock: Clock) -> payment_simulator.Ledger:
    return payment_simulator.Ledger(clock=stopped_clock)


@pytest.fixture
def book(stopped_clock: Clock) -> carrier_simulator.Book:
    return carrier_simulator.Book(clock=stopped_clock)


@pytest.fixture
def payment_app(ledger: payment_simulator.Ledger, nap: Nap) -> App:
    return payment_simulator.build(ledger, sleep=nap)


@pytest.fixture
async def payment(payment_app: App) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(payment_app)
    async with httpx.AsyncClient(transport=transport, base_url="http://pay") as client:
        yield client


@pytest.fixture
async def carrier(
    book: carrier_simulator.Book, nap: Nap
) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(carrier_simulator.build(book, sleep=nap))
    async with httpx.AsyncClient(transport=transport, base_url="http://ship") as client:
        yield client


@pytest.fixture(params=["payment", "carrier"])
def either(
    request: pytest.FixtureRequest,
    payment: httpx.AsyncClient,
    carrier: httpx.AsyncClient,
) -> httpx.AsyncClient:
    """One, then the other."""
    return {"payment": payment, "carrier": carrier}[request.param]


@pytest.fixture
def an_order() -> Callable[..., dict[str, object]]:
    """The body of a charge, good unless told otherwise."""

    def build(**changes: object) -> dict[str, object]:
        return {
            "amount": 1999,
            "currency": "EUR",
            "payment_method": "pm_card_ok",
            "reference": "order-1",
            **changes,
        }

    return build


@pytest.fixture
def charge(
    payment: httpx.AsyncClient, an_order: Callable[..., dict[str, object]]
) -> Callable[..., Awaitable[httpx.Response]]:
    """Send a charge."""

    async def send(key: str = "key-1", **changes: object) -> httpx.Response:
        return await payment.post(
            "/v1/charges", json=an_order(**changes), headers={"Idempotency-Key": key}
        )

    return send


@pytest.fixture
async def simulate() -> AsyncIterator[Callable[..., Awaitable[Simulator]]]:
    """Start ``holdfast simulate``; whatever still runs at the end is killed."""
    async with AsyncExitStack() as stack:

        async def start(what: str, *, state: Path | None = None) -> Simulator:
            kept = ("--state", str(state)) if state else ()
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "holdfast", "simulate", what, *kept),
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
            )
            stack.push_async_callback(_kill, process)
            assert process.stdout is not None
            async with asyncio.timeout(DEADLINE_SECONDS):
                line = (await process.stdout.readline()).decode()
            url = line.split()[-1]
            http = httpx.AsyncClient(base_url=url, timeout=DEADLINE_SECONDS)
            await stack.enter_async_context(http)
            return Simulator(process, line, url, http)

        yield start


async def _kill(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.kill()
    # Reading to the end closes the pipes, which the warnings filter insists on.
    await process.communicate()
