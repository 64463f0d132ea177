"""Applications of the shop's own, and somebody who signs in through them."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any
from uuid import UUID

import httpx
import pyotp
import pytest

from holdfast.api.app import serving
from holdfast.api.shop import Shop
from holdfast.domain import accounts, identity
from holdfast.kernel.ids import new_id

PASSWORD = "correct horse battery staple"


class Customer:
    """Somebody at an address, with an application of the shop's own."""

    def __init__(self, http: httpx.AsyncClient, email: str, client_id: str) -> None:
        self.http = http
        self.email = email
        self.client_id = client_id
        self.device: pyotp.TOTP | None = None

    async def post(self, path: str, **fields: Any) -> httpx.Response:
        return await self.http.post(path, json={"client_id": self.client_id, **fields})

    async def enter(self, password: str = PASSWORD, **fields: Any) -> httpx.Response:
        said = {"email": self.email, "password": password, **fields}
        return await self.post("/v1/sessions", **said)

    async def opened(self, **fields: Any) -> "Open":
        """Sign in, well."""
        answer = await self.enter(**fields)
        assert answer.status_code == 201, answer.text
        return Open(self.http, answer.json())


class Open:
    """A session with its tokens."""

    def __init__(self, http: httpx.AsyncClient, said: dict[str, Any]) -> None:
        self.said = said
        self.id = said["session_id"]
        self.headers = {"Authorization": f"Bearer {said['access_token']}"}
        self._http = http

    async def send(self, method: str, path: str, **rest: Any) -> httpx.Response:
        return await self._http.request(method, path, headers=self.headers, **rest)

    async def refresh(self, client_id: str) -> httpx.Response:
        form = {
            "grant_type": "refresh_token",
            "refresh_token": self.said["refresh_token"],
            "client_id": client_id,
        }
        return await self._http.post("/oauth/token", data=form)


@pytest.fixture
async def at(shop: Shop):
    """A client of the whole API that comes from an address."""
    opened: list[httpx.AsyncClient] = []

    def come_from(address: str) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(
            serving(shop), raise_app_exceptions=False, client=(address, 4711)
        )
        opened.append(
            httpx.AsyncClient(transport=transport, base_url="http://shop.test")
        )
        return opened[-1]

    yield come_from
    for http in opened:
        await http.aclose()


@pytest.fixture
async def till(a_client: Callable[..., Awaitable[str]]) -> str:
    """An application of the shop's own."""
    return await a_client(
        *sorted(identity.PERSONAL_SCOPES),
        "orders:read",
        grants=("authorization_code", "refresh_token"),
    )


@pytest.fixture
def a_customer(
    shop: Shop, till: str, at: Callable[[str], httpx.AsyncClient]
) -> Callable[..., Awaitable[Customer]]:
    """Put somebody into the shop who can sign in."""

    async def put(
        email: str = "ada@example.com", *, address: str = "192.0.2.7"
    ) -> Customer:
        account_id, now = new_id(), shop.clock()
        phc = await shop.hasher.hash(PASSWORD)
        async with shop.db.transaction() as tx:
            await accounts.create(
                tx,
                shop.vault,
                account_id=account_id,
                email=email,
                password=phc,
                verified_at=now,
                at=now,
            )
            await identity.grant_role(tx, account_id, "customer", by="test", at=now)
        return Customer(at(address), email, till)

    return put


@pytest.fixture
async def ada(a_customer: Callable[..., Awaitable[Customer]]) -> Customer:
    return await a_customer()


@pytest.fixture
def with_codes(shop: Shop) -> Callable[[Customer], Awaitable[Customer]]:
    """Give somebody a device for codes."""

    async def set_up(customer: Customer) -> Customer:
        session = await customer.opened()
        begun = await session.send(
            "POST", "/v1/me/second-factor", json={"password": PASSWORD}
        )
        customer.device = pyotp.TOTP(begun.json()["secret"])
        now: datetime = shop.clock()
        confirmed = await session.send(
            "POST",
            "/v1/me/second-factor/confirm",
            json={"code": customer.device.at(now)},
        )
        assert confirmed.status_code == 200, confirmed.text
        return customer

    return set_up


@pytest.fixture
def account_id_of(shop: Shop) -> Callable[[Customer], Awaitable[UUID]]:
    async def find(customer: Customer) -> UUID:
        account = await accounts.find_by_email(shop.db, shop.vault, customer.email)
        assert account is not None
        return account.id

    return find
