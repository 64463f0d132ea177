"""A shop with something in it, for requests that have to find something."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import httpx
import pyotp

from holdfast.api.examples import EXAMPLES
from holdfast.api.shop import Shop
from holdfast.domain import accounts
from holdfast.kernel.ids import new_id

PASSWORD = "correct horse battery staple"
SKU, OTHER_SKU, SOLD_OUT = "TEA-ASSAM-100", "TEA-EARL-GREY-100", "CUP"
READY = {
    "email": "ada@example.com",
    "shipping_method": "pickup",
    "shipping_address": {
        "name": "Ada Lovelace",
        "line1": "12 Main St",
        "city": "London",
        "postal_code": "SW1A 1AA",
        "country": "GB",
    },
}


@dataclass
class World:
    """A shop with something in it, and who may do what."""

    shop: Shop
    client: httpx.AsyncClient
    operator: dict[str, str]
    member: Any
    email: str
    letters: Callable[[], Awaitable[list[str]]]
    """The tokens in the e-mails that were asked for since the last time."""
    client_id: str
    """An application of the shop's own."""

    async def send(
        self, method: str, path: str, body: Any = None, **headers: str
    ) -> Any:
        """Have something done well, by an operator unless the headers say."""
        keyed = {"Idempotency-Key": str(new_id())} if method == "POST" else {}
        answer = await self.client.request(
            method, path, json=body, headers={**self.operator, **keyed, **headers}
        )
        assert answer.is_success, f"{method} {path}: {answer.text}"
        return answer.json() if answer.content else None

    async def cart(self, **fields: Any) -> dict[str, Any]:
        lines = [{"sku": SKU, "quantity": 2}]
        made: dict[str, Any] = await self.send(
            "POST", "/v1/carts", {"lines": lines, **fields}
        )
        return made

    async def order(self, method: str = "pm_card_ok") -> str:
        cart = await self.cart(**READY)
        order = await self.send(
            "POST", f"/v1/carts/{cart['id']}/checkout", {"payment_method": method}
        )
        return str(order["id"])

    async def draft(self) -> str:
        body = EXAMPLES["NewDraft"][0] | {"email": "ada@example.com"}
        body |= {"shipping_address": READY["shipping_address"]}
        body |= {"shipping_method": "pickup"}
        return str((await self.send("POST", "/v1/draft-orders", body))["id"])

    async def parcel(self, by: str = "hand") -> str:
        order_id = await self.order()
        made = await self.send("POST", f"/v1/orders/{order_id}/shipments", {"by": by})
        return str(made["shipments"][0]["id"])

    async def returned(self, *, approved: bool = False) -> str:
        order_id = await self.order()
        await self.send("POST", f"/v1/orders/{order_id}/shipments", {"by": "hand"})
        body = {"lines": [{"position": 1, "quantity": 1}], "reason": "damaged"}
        made = await self.send("POST", f"/v1/orders/{order_id}/returns", body)
        if approved:
            await self.send("POST", f"/v1/returns/{made['id']}/approval", {})
        return str(made["id"])

    async def sent(self) -> str:
        order_id = await self.order()
        await self.send("POST", f"/v1/orders/{order_id}/shipments", {"by": "hand"})
        return order_id

    async def elsewhere(self) -> str:
        """Another session of the member's; its id."""
        opened = await self.send("POST", "/v1/sessions", await self.signing_in())
        return str(opened["session_id"])

    async def transfer(self) -> str:
        await self.send("POST", "/v1/locations", EXAMPLES["NewLocation"][0])
        made = await self.send("POST", "/v1/transfers", EXAMPLES["NewTransfer"][0])
        return str(made["id"])

    async def count(self) -> str:
        made = await self.send("POST", "/v1/stock-counts", {"location": "main"})
        path = f"/v1/stock-counts/{made['id']}"
        await self.send("PUT", f"{path}/lines", EXAMPLES["CountedLines"][0])
        return str(made["id"])

    async def waiting(self) -> str:
        """Somebody signed in waits for a SKU; the id of their request."""
        await self.send(
            *("POST", f"/v1/inventory/{SOLD_OUT}/back-in-stock", {}),
            **self.member.headers,
        )
        found = await self.send("GET", "/v1/me/back-in-stock", **self.member.headers)
        return str(found["items"][0]["id"])

    async def customer(self) -> str:
        body = {"email": "bob@example.com", "given_name": "Bob"}
        return str((await self.send("POST", "/v1/customers", body))["id"])

    async def user(self) -> str:
        body = {"email": "bob@example.com", "roles": ["support"]}
        return str((await self.send("POST", "/v1/users", body))["id"])

    async def device(self, *, confirmed: bool = True) -> pyotp.TOTP:
        """A second factor of the member's."""
        said = {"password": PASSWORD}
        begun = await self.send(
            "POST", "/v1/me/second-factor", said, **self.member.headers
        )
        device = pyotp.TOTP(begun["secret"])
        if confirmed:
            await self.send(
                *("POST", "/v1/me/second-factor/confirm", {"code": self.code(device)}),
                **self.member.headers,
            )
            self.shop.clock.advance(seconds=60)  # type: ignore[attr-defined]
        return device

    def code(self, device: pyotp.TOTP) -> str:
        return device.at(self.shop.clock())

    async def signing_in(self) -> dict[str, str]:
        return {
            "email": self.email,
            "password": PASSWORD,
            "client_id": self.client_id,
        }

    async def give_password(self) -> None:
        phc = await self.shop.hasher.hash(PASSWORD)
        async with self.shop.db.transaction() as tx:
            await accounts.set_password(
                tx, self.shop.vault, self.member.account_id, phc, self.shop.clock()
            )
