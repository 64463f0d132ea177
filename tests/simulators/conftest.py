"""Both simulators in this process, and either as a process of its own."""

import asyncio
import base64
import contextlib
import hmac
import signal
import sys
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from holdfast.simulators import carrier as carrier_simulator
from holdfast.simulators import payment as payment_simulator
from holdfast.simulators.clock import Clock
from holdfast.simulators.stage import Stage
from holdfast.simulators.web import App

DEADLINE_SECONDS = 20
SECRET_KEY = bytes(range(32))
SECRET = "whsec_" + base64.b64encode(SECRET_KEY).decode()
NO_CONTENT = b"HTTP/1.1 204 No Content\r\n\r\n"
CLOSE = b"HTTP/1.0 "
"""An answer that starts so ends the connection."""


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
class Received:
    """One webhook as it arrived."""

    headers: dict[str, str]
    body: bytes

    @property
    def event(self) -> dict[str, Any]:
        event: dict[str, Any] = msgspec.json.decode(self.body)
        return event

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    def is_signed(self) -> bool:
        """As the specification has it, written down a second time."""
        stamp = self.headers["webhook-timestamp"]
        signed = f"{self.id}.{stamp}.".encode() + self.body
        digest = hmac.digest(SECRET_KEY, signed, "sha256")
        expected = "v1," + base64.b64encode(digest).decode()
        return self.headers["webhook-signature"] == expected


class Receiver:
    """An HTTP server that notes what it is sent, and answers what it is told to."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.connections = 0
        self.answers: deque[bytes] = deque()
        """Raw; an empty one is no answer ever. When they are used up: 204."""
        self._more = asyncio.Condition()
        self._writers: list[asyncio.StreamWriter] = []

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        self.target = {"url": f"http://127.0.0.1:{port}/hooks", "secret": SECRET}

    async def stop(self) -> None:
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    def then_answer(self, *statuses: int) -> None:
        for status in statuses:
            answer = f"HTTP/1.1 {status} X\r\ncontent-length: 2\r\n\r\nno"
            self.answers.append(answer.encode())

    async def until(self, count: int) -> list[Received]:
        """What arrived, once it is so many."""
        async with asyncio.timeout(DEADLINE_SECONDS), self._more:
            await self._more.wait_for(lambda: len(self.received) >= count)
        return self.received

    @property
    def types(self) -> list[str]:
        return [received.event["type"] for received in self.received]

    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.connections += 1
        self._writers.append(writer)
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                lines = head.strip().split("\r\n")[1:]
                headers = dict(line.split(": ", 1) for line in lines)
                body = await reader.readexactly(int(headers["content-length"]))
                async with self._more:
                    self.received.append(Received(headers, body))
                    self._more.notify_all()
                answer = self.answers.popleft() if self.answers else NO_CONTENT
                if answer:
                    writer.write(answer)
                if answer.startswith(CLOSE):
                    writer.close()
                    return


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
    await payment_app.stop()


@pytest.fixture
async def carrier(
    book: carrier_simulator.Book, nap: Nap
) -> AsyncIterator[httpx.AsyncClient]:
    app = carrier_simulator.build(book, sleep=nap)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://ship") as client:
        yield client
    await app.stop()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    await receiver.start()
    yield receiver
    await receiver.stop()


@pytest.fixture
async def hooked(payment: httpx.AsyncClient, receiver: Receiver) -> httpx.AsyncClient:
    """The payment simulator, telling the receiver what happens."""
    await payment.put("/control/webhook", json=receiver.target)
    return payment


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
def a_shipment() -> Callable[..., dict[str, object]]:
    """The body of a shipment, good unless told otherwise."""

    def build(**changes: object) -> dict[str, object]:
        return {
            "service": "standard",
            "reference": "order-1",
            "ship_from": {
                "name": "Holdfast",
                "line1": "Quay 1",
                "city": "Hamburg",
                "postal_code": "20457",
                "country": "DE",
            },
            "ship_to": {
                "name": "Ada Example",
                "line1": "Main Street 2",
                "city": "Lyon",
                "postal_code": "69001",
                "country": "FR",
            },
            "parcels": [{"weight_grams": 600}],
            **changes,
        }

    return build


@pytest.fixture
def ship(
    carrier: httpx.AsyncClient, a_shipment: Callable[..., dict[str, object]]
) -> Callable[..., Awaitable[httpx.Response]]:
    """Ask for a shipment."""

    async def send(key: str = "key-1", **changes: object) -> httpx.Response:
        return await carrier.post(
            "/v1/shipments",
            json=a_shipment(**changes),
            headers={"Idempotency-Key": key},
        )

    return send


@pytest.fixture
async def simulate() -> AsyncIterator[Callable[..., Awaitable[Simulator]]]:
    """Start ``holdfast simulate``; whatever still runs at the end is killed."""
    async with AsyncExitStack() as stack:

        async def start(what: str, *more: str, state: Path | None = None) -> Simulator:
            kept = ("--state", str(state)) if state else ()
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "holdfast", "simulate", what, *kept, *more),
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


@pytest.fixture
def refund(payment: httpx.AsyncClient) -> Callable[..., Awaitable[httpx.Response]]:
    """Give some of the charge ``key-1`` back."""

    async def send(key: str = "refund-1", **changes: object) -> httpx.Response:
        wanted = {"charge_key": "key-1", "amount": 500, "currency": "EUR"}
        return await payment.post(
            "/v1/refunds",
            json={**wanted, "reason": "damaged", **changes},
            headers={"Idempotency-Key": key},
        )

    return send


async def _kill(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.kill()
    # Reading to the end closes the pipes, which the warnings filter insists on.
    await process.communicate()
