"""Somebody who uploads pictures, and the worker who draws them."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from pictures import picture

from holdfast.api.shop import Shop
from holdfast.domain.media import Studio
from holdfast.workflows.media import Darkroom


@pytest.fixture
async def operator(
    an_operator: Callable[..., Awaitable[dict[str, str]]],
) -> dict[str, str]:
    return await an_operator("products:read", "products:write")


@pytest.fixture
def anyhow(operator: dict[str, str]) -> dict[str, str]:
    """Headers of the same, who overwrites whatever is there."""
    return {**operator, "If-Match": "*"}


Upload = Callable[..., Awaitable[httpx.Response]]


@pytest.fixture
def upload(client: httpx.AsyncClient, operator: dict[str, str]) -> Upload:
    """Send a form with a picture."""

    async def send(
        content: bytes | None = None,
        *,
        name: str = "tea.png",
        texts: dict[str, str] | None = None,
        **headers: str,
    ) -> httpx.Response:
        content = picture() if content is None else content
        return await client.post(
            "/v1/media",
            files={"file": (name, content)},
            data=texts,
            headers={**operator, **headers},
        )

    return send


@pytest.fixture
def darkroom(shop: Shop) -> Darkroom:
    return Darkroom(shop.db, shop.storage, Studio(), shop.clock)


@pytest.fixture
def drawn(
    client: httpx.AsyncClient,
    operator: dict[str, str],
    upload: Upload,
    darkroom: Darkroom,
) -> Callable[..., Awaitable[dict[str, Any]]]:
    """Upload a picture and draw it, as the worker does a moment later."""

    async def make(*args: Any, **kwargs: Any) -> dict[str, Any]:
        made = await upload(*args, **kwargs)
        assert made.status_code == 201, made.text
        assert await darkroom.draw_next()
        shown = await client.get(made.headers["Location"], headers=operator)
        found: dict[str, Any] = shown.json()
        return found

    return make
