"""An edge with routes of the test's own, and no database behind it."""

import io
import logging
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import msgspec
import pytest
import structlog
from polling import is_polled

from holdfast.api.policy import Priority, Route
from holdfast.api.shop import Shop
from holdfast.api.stack import assemble
from holdfast.domain import accounts, identity, oauth
from holdfast.kernel.ids import new_id
from holdfast.platform import telemetry
from holdfast.platform.metrics import Metrics
from holdfast.platform.settings import Settings
from holdfast.platform.telemetry import AccessLog
from holdfast.platform.vault import Vault


class NoDatabase:
    """Stands where the database would be, and counts who comes to ask."""

    def __init__(self) -> None:
        self.asked = 0

    async def fetchrow(self, query: str, *args: Any) -> None:
        self.asked += 1

    fetch = fetchval = fetchrow


class Edge:
    """The whole stack over the routes of a test."""

    def __init__(self, *routes: Route, **settings_of: str) -> None:
        self.database = NoDatabase()
        self.lines = io.BytesIO()
        self.log = AccessLog("json", self.lines)
        settings = Settings.read({"HOLDFAST_ENV": "test", **settings_of})
        self.shop = Shop(
            settings,
            self.database,  # type: ignore[arg-type]
            Metrics({}),
            None,  # type: ignore[arg-type]
            None,  # type: ignore[arg-type]
            Vault.fresh(),
            None,  # type: ignore[arg-type]
            access_log=self.log,
        )
        self.app = assemble(routes, self.shop)
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        self.client = httpx.AsyncClient(
            transport=transport, base_url="http://edge.test"
        )

    @property
    def logged(self) -> list[dict[str, Any]]:
        """The lines of the access log."""
        self.log.flush()
        return [msgspec.json.decode(x) for x in self.lines.getvalue().splitlines()]


@pytest.fixture
def edge() -> type[Edge]:
    return Edge


@pytest.fixture
def route() -> Callable[..., Route]:
    """A route that is public and cheap unless told otherwise."""

    def make(method: str, path: str, handler: Any, **policy: Any) -> Route:
        if "scope" not in policy:
            policy.setdefault("public", True)
        return Route(
            method, path, handler, **{"cost": 1, "priority": Priority.BUY, **policy}
        )

    return make


@pytest.fixture
def log() -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """What is logged besides the access log, from now on."""
    stream = io.BytesIO()
    before = list(logging.getLogger().handlers)
    telemetry.configure("json", stream=stream)
    yield lambda: [msgspec.json.decode(x) for x in stream.getvalue().splitlines()]
    structlog.reset_defaults()
    logging.getLogger().handlers[:] = before


@pytest.fixture
async def tea(a_product):
    return await a_product("TEA")


@pytest.fixture
def opened(client, tea):
    """Open a cart of one TEA; returns the answer and the headers of its owner."""

    async def send(**fields):
        body = {"lines": [{"sku": "TEA", "quantity": 1}], **fields}
        made = (await client.post("/v1/carts", json=body)).raise_for_status().json()
        return made, {"Authorization": f"Bearer {made['token']}"}

    return send


@pytest.fixture
def faults() -> Callable[[httpx.Response], list[str]]:
    """Where an invalid request is at fault."""

    def read(answer: httpx.Response) -> list[str]:
        assert answer.status_code == 422
        assert answer.json()["type"] == "/problems/invalid-request"
        errors = answer.json()["errors"]
        return [error.get("pointer", error.get("parameter")) for error in errors]

    return read


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


class Bag:
    """A cart over HTTP, and the headers of who holds its token."""

    def __init__(self, client: httpx.AsyncClient, cart: dict[str, Any]) -> None:
        self._client = client
        self.cart = cart
        self.owner = {"Authorization": f"Bearer {cart['token']}"}
        self.path = f"/v1/carts/{cart['id']}"

    async def check_out(
        self, key: str | bytes = "key-1", body: Any = None, **headers: str
    ) -> httpx.Response:
        if body is None:
            body = {"payment_method": "pm_card_ok"}
        keyed = {**self.owner, "Idempotency-Key": key, **headers}
        return await self._client.post(
            f"{self.path}/checkout", json=body, headers=keyed
        )


@pytest.fixture
def a_bag(client, a_product):
    """Open a cart of products that are there already, or are made."""
    made = set()

    async def open_(*, fields=READY, **units):
        for sku in units.keys() - made:
            await a_product(sku, on_hand=10)
            made.add(sku)
        lines = [{"sku": sku, "quantity": n} for sku, n in units.items()]
        answer = await client.post("/v1/carts", json={"lines": lines, **fields})
        return Bag(client, answer.raise_for_status().json())

    return open_


@dataclass
class SignedIn:
    """Somebody with an access token, and what a token of theirs is made of."""

    account_id: UUID
    session_id: UUID
    client_id: str
    token: str
    sign: Callable[..., Awaitable[str]]
    """Another token of the same session; takes what is to be different."""

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


@pytest.fixture
def a_client(database, clock):
    """Register an OAuth client of the shop's own; returns its id."""

    async def register(
        *scopes: str, grants: tuple[str, ...] = ("authorization_code",)
    ) -> str:
        client = oauth.Client(
            id=f"client-{new_id()}",
            name="Storefront",
            kind="public",
            redirect_uris=("https://store.test/callback",),
            grant_types=grants,
            scopes=tuple(scopes),
            first_party=True,
            created_at=clock(),
            updated_at=clock(),
            disabled_at=None,
        )
        async with database.transaction() as tx:
            await oauth.add_client(tx, client, None)
        return client.id

    return register


@pytest.fixture
def signed_in(shop, a_client):
    """Sign somebody with these roles in; returns their access token and ids."""

    async def make(
        *roles: str, scopes: Iterable[str] = identity.SCOPES, email: str | None = None
    ) -> SignedIn:
        account_id, at = new_id(), shop.clock()
        client_id = await a_client(*scopes)
        async with shop.db.transaction() as tx:
            await accounts.create(
                tx,
                shop.vault,
                account_id=account_id,
                email=email or f"{account_id}@example.com",
                password=None,
                verified_at=at,
                at=at,
            )
            for role in ("customer", *roles):
                await identity.grant_role(tx, account_id, role, by="test", at=at)
            session = await accounts.open_session(
                tx,
                shop.vault,
                account_id=account_id,
                kind="first_party",
                client_id=client_id,
                scopes=scopes,
                methods=("pwd",),
                authenticated_at=at,
                origin=identity.Origin(),
                cookie=None,
                expires_at=at + timedelta(days=90),
                at=at,
            )

        async def sign(**different: Any) -> str:
            said = {
                "issuer": shop.settings.public_url,
                "account_id": account_id,
                "client_id": client_id,
                "session_id": session.id,
                "scopes": scopes,
                "authenticated_at": at,
                "methods": ("pwd",),
                "token_id": new_id(),
                "at": shop.clock(),
            }
            key = different.pop("key", None) or await shop.keyring.signer()
            return oauth.sign_access_token(key, **{**said, **different})

        return SignedIn(account_id, session.id, client_id, await sign(), sign)

    return make


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every statement that requests send to the database, as it is sent."""
    sent: list[str] = []
    one, many = asyncpg.Connection._execute, asyncpg.Connection.execute

    async def noted(self: Any, query: str, *rest: Any, **options: Any) -> Any:
        if not is_polled(query):
            sent.append(query)
        return await one(self, query, *rest, **options)

    async def noted_too(self: Any, query: str, *rest: Any, **options: Any) -> Any:
        if not rest:
            sent.append(query)
        return await many(self, query, *rest, **options)

    monkeypatch.setattr(asyncpg.Connection, "_execute", noted)
    monkeypatch.setattr(asyncpg.Connection, "execute", noted_too)
    return sent
