"""Orders that were placed over HTTP, and who may do something with them."""

import itertools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any

import httpx
import pytest

from holdfast.domain import inventory
from holdfast.platform import http
from holdfast.workflows.providers import providers


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
def placed_by(client):
    """Another order of a buyer, by its id."""

    def make(placed: Placed, order_id: str) -> Placed:
        return Placed(client, {"id": order_id}, placed.owner)

    return make


@pytest.fixture
async def operator(an_operator) -> dict[str, str]:
    return await an_operator(
        "orders:read", "orders:write", "orders:fulfil", "orders:refund"
    )


@pytest.fixture
def level(shop):
    """What is on hand and reserved of a SKU."""

    async def read(sku: str) -> tuple[int, int]:
        found = await inventory.find(shop.db, sku)
        return found.on_hand, found.reserved

    return read


@pytest.fixture
def refunded(payment_provider):
    """How much the provider has given back, in cents."""

    def read() -> int:
        charges = payment_provider.get("/v1/charges")["items"]
        return sum(charge["refunded_amount"] for charge in charges)

    return read


@pytest.fixture
async def nobody_pays(settings):
    """A provider whose connections nobody takes."""
    url = "http://127.0.0.1:1"
    async with http.session() as session:
        yield providers(replace(settings, payment_url=url), session).payments
