"""What two processes of the API keep is found by one ``holdfast explain``."""

import asyncio
import json
import sys
from contextlib import asynccontextmanager, suppress

import httpx
import psutil
import pytest


@asynccontextmanager
async def serving(environ, *arguments):
    """``holdfast serve``; gives its address."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "holdfast", "serve", "--port", "0", *arguments),
        env=environ,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(60):
            url = json.loads(await process.stdout.readline())["url"]
        yield url
    finally:
        with suppress(psutil.NoSuchProcess):
            for child in psutil.Process(process.pid).children():
                child.kill()
        process.kill()
        await process.communicate()


@pytest.mark.slow
class TestServed:
    async def test_requests_of_all_workers_are_found(
        self, database_url, tmp_path, promised
    ):
        environ = {
            "DATABASE_URL": database_url,
            "HOLDFAST_HOME": str(tmp_path),
            "HOLDFAST_LOG_FORMAT": "json",
            "HOLDFAST_PAYMENT_URL": "http://127.0.0.1:1",
            "HOLDFAST_CARRIER_URL": "http://127.0.0.1:1",
        }

        async def explain(request_id):
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "holdfast", "explain", request_id, "--json"),
                env=environ,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
            )
            out, _ = await process.communicate()
            return process.returncode, out

        async with serving(environ, "--workers", "2") as url:

            async def files():
                async with httpx.AsyncClient(trust_env=False) as client:
                    with suppress(httpx.TransportError):
                        # One connection each, so that both workers get some.
                        await client.get(
                            f"{url}/v1/products",
                            headers={"X-Request-Timeout-Ms": "9000"},
                        )
                return len(list((tmp_path / "logs/requests").glob("*.jsonl"))) == 2

            await promised(files)
            async with httpx.AsyncClient(trust_env=False) as client:
                refused = await client.get(
                    f"{url}/v1/products", headers={"X-Request-Timeout-Ms": "0"}
                )
            request_id = refused.headers["x-request-id"]
            told = b""

            async def is_found():
                nonlocal told
                code, told = await explain(request_id)
                return code == 0

            await promised(is_found)

        (one,) = json.loads(told)
        assert (one["route"], one["status"]) == ("/v1/products", refused.status_code)
        decisions = [decision["decision"] for decision in one["decisions"]]
        assert "deadline:asked=10ms" in decisions
        assert "deadline:clamped" in decisions
        assert one["address"] == "127.0.0.1"
        assert one["caller"] in {"anonymous", "unknown"}
        code, out = await explain("nobody-asked")
        assert (code, out) == (1, b"")
