"""A whole shop at an address that others can reach, which is its issuer."""

import asyncio
import base64
import dataclasses
import socket
import sys
from collections.abc import AsyncIterator

import httpx
import pytest
from elsewhere import address_of, listener, served

from holdfast.api.app import serving
from holdfast.api.shop import opened
from holdfast.platform.rates import ROOM
from holdfast.platform.settings import Secret

WEBHOOK_SECRET = "whsec_" + base64.b64encode(b"tells this shop of payments").decode()

__all__ = ["a_port", "deployed", "listener", "running"]


@pytest.fixture
def a_port() -> int:
    """A port that nobody uses."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@pytest.fixture
async def running(settings, hasher, listener, payment_provider) -> AsyncIterator[str]:
    """Serve the test's database over HTTP, by the real clock; gives the address.

    The payment simulator tells it what happens.
    """
    url = address_of(listener)
    here = dataclasses.replace(
        settings, public_url=url, payment_webhook_secrets=(Secret(WEBHOOK_SECRET),)
    )
    target = f"{payment_provider.url}/control/webhook"
    told = {"url": f"{url}/v1/webhooks/payments", "secret": WEBHOOK_SECRET}
    async with (
        httpx.AsyncClient(trust_env=False) as control,
        opened(here, hasher=hasher) as shop,
        served(serving(shop), listener),
    ):
        (await control.put(target, json=told)).raise_for_status()
        yield url
        (await control.delete(target)).raise_for_status()


@pytest.fixture
async def deployed(database_url, tmp_path, a_port) -> AsyncIterator[str]:
    """The same by ``holdfast serve``, in a process of its own: slower to start."""
    url = f"http://127.0.0.1:{a_port}"
    key = base64.b64encode(b"wraps the keys of every test run").decode()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "holdfast", "serve", "--port", str(a_port)),
        env={
            "DATABASE_URL": database_url,
            "HOLDFAST_ENV": "test",
            "HOLDFAST_HOME": str(tmp_path / "running"),
            "HOLDFAST_PUBLIC_URL": url,
            "HOLDFAST_DATA_KEY": f"base64:{key}",
            "HOLDFAST_LOG_LEVEL": "warning",
            **ROOM,
            "HOLDFAST_PAYMENT_URL": "http://127.0.0.1:1",
            "HOLDFAST_CARRIER_URL": "http://127.0.0.1:1",
        },
        stdout=asyncio.subprocess.DEVNULL,
    )
    try:
        async with (
            asyncio.timeout(60),
            httpx.AsyncClient(trust_env=False) as client,
        ):
            while True:
                try:
                    await client.get(f"{url}/livez")
                except httpx.TransportError:
                    assert process.returncode is None, "it did not start"
                    await asyncio.sleep(0.05)
                else:
                    break
        yield url
    finally:
        if process.returncode is None:
            process.terminate()
        async with asyncio.timeout(60):
            await process.wait()
