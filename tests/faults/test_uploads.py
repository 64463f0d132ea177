"""Uploads that are too much, or that end in the middle, at a real server."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest
from pictures import picture

from holdfast.domain import media
from holdfast.kernel.clock import system_clock
from holdfast.platform.data_keys import open_vault
from holdfast.platform.settings import Settings
from holdfast.workflows import keys

PART = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
GIGABYTES = 5 << 30


@pytest.fixture
async def head(shop_database, environ):
    """The head of an upload by somebody who may, with this field of its length."""
    settings = Settings.read(environ)
    vault = await open_vault(shop_database, settings.data_key, clock=system_clock)
    _, token = await keys.create_key(
        shop_database, vault, name="T", scopes=("products:write",), clock=system_clock
    )

    def make(length: str) -> bytes:
        fields = (
            *("POST /v1/media HTTP/1.1", "Host: shop"),
            "Content-Type: multipart/form-data; boundary=x",
            *(f"Authorization: Bearer {token}", length),
        )
        return "\r\n".join(fields).encode() + b"\r\n\r\n"

    return make


@asynccontextmanager
async def connected(api) -> AsyncIterator[tuple]:
    address = urlsplit(api.url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    try:
        yield reader, writer
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


def nameless(port: int) -> list[str]:
    """Files without a name that the server of a port has open."""
    (pid,) = {
        c.pid
        for c in psutil.net_connections("tcp4")
        if c.laddr.port == port and c.pid and c.status == psutil.CONN_LISTEN
    }
    found = []
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(OSError):
            found.append(str(descriptor.readlink()))
    return [path for path in found if path.endswith("(deleted)")]


@pytest.mark.slow
class TestUpload:
    async def test_that_is_cut_off_leaves_neither_a_row_nor_a_file(
        self, api, head, shop_database, browser, promised
    ):
        content = PART + picture(size=(900, 900)) * 200
        before = nameless(api.port)
        for length in (len(PART) + 7, len(content) // 2, len(content)):
            async with connected(api) as (_, writer):
                # One byte is always still to come.
                writer.write(head(f"Content-Length: {len(content) + 1}"))
                writer.write(content[:length])
                await writer.drain()

        async def gone():
            return nameless(api.port) == before

        await promised(gone)
        alive = await browser.get(f"{api.url}/v1/products")

        assert alive.status_code == 200
        assert await shop_database.fetch("SELECT 1 FROM media_assets") == []

    async def test_of_five_gigabytes_is_refused_before_it_comes(self, api, head):
        async with connected(api) as (reader, writer), asyncio.timeout(20):
            writer.write(head(f"Content-Length: {GIGABYTES}"))
            await writer.drain()

            answer = await reader.readuntil(b"\r\n")

        assert answer.startswith(b"HTTP/1.1 413")

    async def test_that_does_not_say_how_much_it_is_is_refused_in_time(self, api, head):
        piece = b"%x\r\n" % (1 << 20) + bytes(1 << 20) + b"\r\n"
        sent = 0
        async with connected(api) as (reader, writer), asyncio.timeout(60):
            writer.write(head("Transfer-Encoding: chunked"))
            writer.write(b"%x\r\n" % len(PART) + PART + b"\r\n")
            answered = asyncio.create_task(reader.readuntil(b"\r\n"))
            with suppress(OSError):
                while not answered.done() and sent < GIGABYTES:
                    writer.write(piece)
                    await writer.drain()
                    sent += 1 << 20
            answer = await answered

        assert answer.startswith(b"HTTP/1.1 413")
        # What was sent may wait in the sockets of both sides.
        assert sent < media.MAX_BYTES + (24 << 20)
