"""A carrier under test, with a watch that is turned by hand."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import aiohttp
import pytest
from aiohttp import web

from holdfast.domain.shipping import Carrier
from holdfast.platform import http
from holdfast.resilience import Deadline, Pipeline


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
def carrier_at(session, watch) -> Callable[..., Carrier]:
    """A carrier at a URL."""

    def build(url: str, *, shared: SharedQuotes | None = None) -> Carrier:
        protect = Pipeline(Deadline(0.3))
        return Carrier(session, url, protect=protect, shared=shared, timer=watch)

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
