"""People who sign in, and clients that ask them to."""

from collections.abc import AsyncIterator

import httpx
import pytest
from browser import Browser
from relying import recorded, registered, somebody
from running import a_port, deployed, listener, running
from visitors import ada

from visitors import a_person  # isort: skip - beside `somebody`, who has no password

__all__ = [
    "a_person",
    "a_port",
    "ada",
    "deployed",
    "listener",
    "recorded",
    "registered",
    "running",
    "somebody",
]


@pytest.fixture
async def window(running: str) -> AsyncIterator[Browser]:
    """A browser at the running shop."""
    async with httpx.AsyncClient(base_url=running, trust_env=False) as client:
        yield Browser(client)
