"""A provider that says what it is told to, byte for byte, and one that behaves."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from holdfast.domain.payments import Provider
from holdfast.platform import http
from holdfast.resilience import Deadline, Pipeline

Says = Callable[..., Awaitable[str]]


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with http.session() as session:
        yield session


@pytest.fixture
def asked() -> list[str]:
    """What the server of ``says`` was asked: methods and addresses."""
    return []


@pytest.fixture
async def says(asked: list[str]) -> AsyncIterator[Says]:
    """Start a server that gives these answers in turn, the last for ever.

    An answer is a status, a body, and headers if it has any. Returns its URL.
    """
    async with AsyncExitStack() as stack:

        async def start(*answers: tuple[Any, ...]) -> str:
            waiting = list(answers)

            async def handle(request: web.Request) -> web.Response:
                status, body, *headers = (
                    waiting.pop(0) if len(waiting) > 1 else waiting[0]
                )
                asked.append(f"{request.method} {request.path_qs}")
                return web.Response(
                    status=status, body=body, headers=headers[0] if headers else None
                )

            runner = web.ServerRunner(web.Server(handle))
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            host, port = runner.addresses[0]
            return f"http://{host}:{port}"

        yield start


@pytest.fixture
def provider_at(session) -> Callable[[str], Provider]:
    """A provider at a URL, with one attempt at each call."""

    def build(url: str) -> Provider:
        once = Pipeline(Deadline(0.5))
        return Provider(session, url, protect=once, protect_look_up=once)

    return build
