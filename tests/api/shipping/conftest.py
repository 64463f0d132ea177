"""A shop that sends things: a buyer with a paid order, and who packs it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

DEPOT = {"name": "Holdfast", "line1": "1 Quay", "city": "Rotterdam", "country": "NL"}
READY = {
    "email": "ada@example.com",
    "shipping_method": "standard",
    "shipping_address": {
        "name": "Ada Lovelace",
        "line1": "12 Main St",
        "city": "London",
        "postal_code": "SW1A 1AA",
        "country": "GB",
    },
}


@pytest.fixture(autouse=True)
async def depot(database) -> None:
    """The main location has an address to fetch parcels from."""
    async with database.transaction() as tx:
        await tx.execute("UPDATE locations SET address = $1", DEPOT)


@pytest.fixture
async def packer(an_operator) -> dict[str, str]:
    """Somebody who packs and ships."""
    return await an_operator("orders:read", "orders:fulfil")


@dataclass(frozen=True)
class Purchase:
    """A paid order, and the token of who bought it."""

    id: str
    number: str
    buyer: dict[str, str]

    @property
    def path(self) -> str:
        return f"/v1/orders/{self.id}"


@pytest.fixture
def buy_something(
    client: httpx.AsyncClient, a_product
) -> Callable[..., Awaitable[Purchase]]:
    """Order and pay so many units of each SKU."""
    made: set[str] = set()

    async def order(
        *, method: str = "pm_card_ok", name: str = "Ada Lovelace", **units: int
    ) -> Purchase:
        for sku in (units := units or {"TEA": 3}).keys() - made:
            await a_product(sku, on_hand=100)
            made.add(sku)
        lines = [{"sku": sku, "quantity": n} for sku, n in units.items()]
        address = {**READY["shipping_address"], "name": name}
        ready = {**READY, "shipping_address": address}
        body = {"currency": "EUR", "lines": lines, **ready}
        cart = (await client.post("/v1/carts", json=body)).json()
        token = {"Authorization": f"Bearer {cart['token']}"}
        placed = await client.post(
            f"/v1/carts/{cart['id']}/checkout",
            json={"payment_method": method},
            headers={**token, "Idempotency-Key": cart["id"]},
        )
        assert placed.status_code in (201, 202), placed.text
        order = placed.json()
        return Purchase(order["id"], order["number"], token)

    return order


@pytest.fixture
def send(client: httpx.AsyncClient, packer) -> Callable[..., Awaitable[Any]]:
    """Send what is open of an order, or what is said; returns the answer."""
    count = 0

    async def ask(order: Purchase, body: Any = None, **headers: str) -> Any:
        nonlocal count
        count += 1
        return await client.post(
            f"{order.path}/shipments",
            json=body or {},
            headers={**packer, "Idempotency-Key": f"send-{count}", **headers},
        )

    return ask


@pytest.fixture
def sent(buy_something, send) -> Callable[..., Awaitable[dict[str, Any]]]:
    """Buy something and send it; returns the shipment."""

    async def make(body: Any = None) -> dict[str, Any]:
        answer = await send(await buy_something(), body)
        assert answer.status_code == 201, answer.text
        (shipment,) = answer.json()["shipments"]
        return shipment

    return make


@pytest.fixture
def happen(carrier) -> Callable[..., None]:
    """Let something happen to a parcel, as far as the carrier is concerned."""

    def tell(shipment: dict[str, Any], status: str) -> None:
        found = carrier.get(f"/v1/shipments/by-key/{shipment['id']}")
        carrier.post(
            f"/control/shipments/{found['id']}/events",
            json={"status": status, "description": "Signed for by A. Neighbour"},
        )

    return tell
