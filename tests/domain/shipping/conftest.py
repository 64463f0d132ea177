"""A carrier under test, with a watch that is turned by hand."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from holdfast.domain.shipping import Carrier, Quotes, Wire
from holdfast.platform import http
from holdfast.platform.outgoing import OutgoingCalls
from holdfast.resilience import Deadline, Pipeline
from holdfast.workflows.providers import carrier


class Watch:
    """Seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


class SharedQuotes:
    """What several processes remember, in a dictionary."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    async def get(self, key: str) -> bytes | None:
        return self.kept.get(key)

    async def set(self, key: str, value: bytes, *, ttl_seconds: float) -> None:
        self.kept[key] = value


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def shared() -> SharedQuotes:
    return SharedQuotes()


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with http.session() as session:
        yield session


@pytest.fixture
def quotes_at(session, watch) -> Callable[..., Quotes]:
    """The quotes of a carrier at a URL."""

    def build(url: str, *, shared: SharedQuotes | None = None) -> Quotes:
        protect = Pipeline(Deadline(0.3))
        return Quotes(Wire(session, url), protect=protect, shared=shared, timer=watch)

    return build


@pytest.fixture
def carrier_at(session) -> Callable[..., Carrier]:
    """A carrier at a URL, with the policies of the shop and little patience."""

    def build(url: str, *, calls: OutgoingCalls | None = None) -> Carrier:
        return carrier(session, url, timeout_seconds=0.3, calls=calls)

    return build


@pytest.fixture
async def says() -> AsyncIterator[Callable[..., Awaitable[str]]]:
    """Start a server that always gives one answer; returns its URL."""
    async with AsyncExitStack() as stack:

        async def start(status: int, body: bytes) -> str:
            async def handle(_: web.Request) -> web.Response:
                return web.Response(status=status, body=body)

            runner = web.ServerRunner(web.Server(handle))
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            host, port = runner.addresses[0]
            return f"http://{host}:{port}"

        yield start


@pytest.fixture
async def hears() -> AsyncIterator[Callable[..., Awaitable[tuple[str, list[Any]]]]]:
    """Start a server that gives one answer; returns its URL and what it is told."""
    async with AsyncExitStack() as stack:

        async def start(body: bytes) -> tuple[str, list[Any]]:
            heard: list[Any] = []

            async def handle(request: web.Request) -> web.Response:
                heard.append(await request.json())
                return web.Response(body=body)

            runner = web.ServerRunner(web.Server(handle))
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            host, port = runner.addresses[0]
            return f"http://{host}:{port}", heard

        yield start


class Clerk:
    """A carrier that keeps shipments by key, and fails as it is told to."""

    def __init__(self) -> None:
        self.url = ""
        self.asked: list[str] = []
        self.shipments: dict[str, dict[str, object]] = {}
        self.picked_up: set[str] = set()
        # What becomes of the next calls: "before", "after" (then it is done all the
        # same), or the status of a refusal.
        self.mishaps: list[str | int] = []
        self.problem = {"type": "/problems/parcel-too-large", "title": "12 Main St"}
        self.label = b"%PDF-1.4 a label"
        self.tracking: dict[str, object] = {}

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append(f"{request.method} {request.path}")
        mishap = self.mishaps.pop(0) if self.mishaps else None
        if mishap == "before":
            return web.Response(status=500)
        if isinstance(mishap, int):
            return web.json_response(self.problem, status=mishap)
        answer = await self._serve(request)
        return web.Response(status=500) if mishap == "after" else answer

    async def _serve(self, request: web.Request) -> web.Response:
        if request.path.endswith(".pdf"):
            return web.Response(body=self.label, content_type="application/pdf")
        if request.path.startswith("/v1/tracking/"):
            return web.json_response(
                self.tracking, status=200 if self.tracking else 404
            )
        if request.path == "/v1/shipments":
            key = request.headers["Idempotency-Key"]
            made = {**self._named(key), **await request.json()}
            return web.json_response(self.shipments.setdefault(key, made), status=201)
        key = request.path.split("/")[4]
        if not request.path.endswith("/cancel"):
            known = self.shipments.get(key)
            return web.json_response(known, status=200 if known else 404)
        if key in self.picked_up:
            return web.json_response({}, status=409)
        shipment = self.shipments.setdefault(key, self._named(key))
        shipment["status"] = "canceled"
        return web.json_response(shipment)

    def _named(self, key: str) -> dict[str, object]:
        number = f"HF{len(self.shipments):09}"
        return {
            "id": f"sh_{number}",
            "key": key,
            "status": "created",
            "tracking_number": number,
        }


@pytest.fixture
async def clerk() -> AsyncIterator[Clerk]:
    clerk = Clerk()
    runner = web.ServerRunner(web.Server(clerk.answer))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0]
    clerk.url = f"http://{host}:{port}"
    yield clerk
    await runner.cleanup()
