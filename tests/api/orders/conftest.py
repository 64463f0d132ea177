"""Orders that were placed over HTTP, and who may do something with them."""

import itertools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import httpx
import pytest


@dataclass
class Placed:
    """An order, and what its buyer can do with it."""

    client: httpx.AsyncClient
    order: dict[str, Any]
    owner: dict[str, str]

    @property
    def path(self) -> str:
        return f"/v1/orders/{self.order['id']}"

    async def read(self, headers: dict[str, str] | None = None) -> dict[str, Any]:
        answer = await self.client.get(self.path, headers=headers or self.owner)
        found: dict[str, Any] = answer.raise_for_status().json()
        return found

    async def send(
        self,
        what: str,
        body: Any = None,
        *,
        by: dict[str, str] | None = None,
        key: str | None = None,
        method: str = "POST",
    ) -> httpx.Response:
        headers = dict(by or self.owner)
        if key is not None:
            headers["Idempotency-Key"] = key
        path = f"{self.path}/{what}" if what else self.path
        return await self.client.request(method, path, json=body, headers=headers)


Place = Callable[..., Awaitable[Placed]]


@pytest.fixture
def place(a_bag, client) -> Place:
    """Order what is named, as a guest; takes fields of the cart, too."""
    keys = itertools.count()

    async def put(method: str = "pm_card_ok", **wanted: Any) -> Placed:
        bag = await a_bag(**wanted)
        body = {"payment_method": method}
        answer = await bag.check_out(f"place-{next(keys)}", body=body)
        order = answer.raise_for_status().json()
        return Placed(client, order, bag.owner)

    return put


@pytest.fixture
async def operator(an_operator) -> dict[str, str]:
    return await an_operator(
        "orders:read", "orders:write", "orders:fulfil", "orders:refund"
    )
