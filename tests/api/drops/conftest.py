"""A drop over HTTP, opened when a test says so."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
import pytest

NAME = "Waiting-Room-Ticket"
READY = {
    "email": "ada@example.com",
    "shipping_method": "pickup",
    "shipping_address": {
        "name": "Ada Lovelace",
        "line1": "12 Main St",
        "city": "London",
        "country": "GB",
    },
}


@dataclass
class Run:
    """One drop, and what can be done with it."""

    client: httpx.AsyncClient
    shop: Any
    clock: Any
    operator: dict[str, str]
    drop: dict[str, Any]

    @property
    def path(self) -> str:
        return f"/v1/drops/{self.drop['id']}"

    async def join(self, headers: dict[str, str] | None = None) -> httpx.Response:
        return await self.client.post(f"{self.path}/tickets", headers=headers)

    async def tickets(self, count: int) -> list[str]:
        answers = [await self.join() for _ in range(count)]
        return [answer.raise_for_status().json()["ticket"] for answer in answers]

    async def place(self, ticket: str) -> httpx.Response:
        return await self.client.get(f"{self.path}/place", headers={NAME: ticket})

    async def open(self) -> None:
        """The moment has come."""
        self.clock.advance(seconds=61)
        await self.shop.doors.step()

    async def pass_(self, seconds: float) -> None:
        """Time goes by, a second at a time, as the doors' own steps do."""
        for _ in range(int(seconds)):
            self.clock.advance(seconds=1)
            await self.shop.doors.step()

    async def admitted(self) -> str:
        """A ticket whose turn it is."""
        (ticket,) = await self.tickets(1)
        await self.pass_(2)
        answer = (await self.place(ticket)).json()
        assert answer["status"] == "admitted", answer
        return answer["ticket"]


@dataclass
class Bag:
    """A guest's cart, ready to be ordered."""

    client: httpx.AsyncClient
    path: str
    owner: dict[str, str]

    async def check_out(
        self, key: str, *, headers: dict[str, str] | None = None, pays: str = "ok"
    ) -> httpx.Response:
        said = {**self.owner, "Idempotency-Key": key, **(headers or {})}
        body = {"payment_method": f"pm_card_{pays}"}
        return await self.client.post(f"{self.path}/checkout", json=body, headers=said)


@pytest.fixture
def a_bag(client):
    """Open a cart of products that are there already."""

    async def open_(**units: int) -> Bag:
        lines = [{"sku": sku, "quantity": n} for sku, n in units.items()]
        body = {"lines": lines, **READY}
        cart = (await client.post("/v1/carts", json=body)).raise_for_status().json()
        owner = {"Authorization": f"Bearer {cart['token']}"}
        return Bag(client, f"/v1/carts/{cart['id']}", owner)

    return open_


@pytest.fixture
async def steward(an_operator):
    """Who runs drops."""
    return await an_operator("inventory:read", "inventory:write")


@pytest.fixture
def announce(client, shop, clock, steward, a_product):
    """Announce a drop of the SKU DROP, a minute ahead; returns it."""
    made = set()

    async def send(*skus: str, **wanted: Any) -> Run:
        for sku in skus or ("DROP",):
            if sku not in made:
                await a_product(sku, on_hand=50)
                made.add(sku)
        body = {
            "name": "Winter",
            "skus": list(skus or ("DROP",)),
            "opens_at": (clock() + timedelta(minutes=1)).isoformat(),
            "max_tickets": 100,
            "per_minute": 600,
            **wanted,
        }
        answer = await client.post("/v1/drops", json=body, headers=steward)
        assert answer.status_code == 201, answer.text
        return Run(client, shop, clock, steward, answer.json()["drop"])

    return send
