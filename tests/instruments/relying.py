"""People and OAuth clients: the browser's part by hand, the client's over HTTP."""

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID

import httpx
import pytest

from holdfast.api.shop import Shop
from holdfast.domain import accounts, customers, identity, oauth
from holdfast.domain.identity import Origin
from holdfast.kernel import tokens
from holdfast.kernel.ids import new_id
from holdfast.workflows import authorization, clients
from holdfast.workflows.clients import Registration


class Person(NamedTuple):
    """Somebody with an account, who is signed in in a browser."""

    account_id: UUID
    email: str
    session: accounts.Session
    cookie: str


@pytest.fixture
def somebody(database, vault, clock) -> Callable[..., Awaitable[Person]]:
    """Create an account with these roles besides that of every customer."""

    async def create(*roles: str) -> Person:
        account_id, now, cookie = new_id(), clock(), tokens.new_token(tokens.BROWSER)
        email = f"{account_id}@example.com"
        async with database.transaction() as tx:
            await accounts.create(
                tx,
                vault,
                account_id=account_id,
                email=email,
                password=None,
                verified_at=now,
                at=now,
            )
            await customers.add(
                *(tx, vault, account_id),
                given_name="Ada",
                family_name="Lovelace",
                at=now,
            )
            for role in (identity.CUSTOMER, *roles):
                await identity.grant_role(tx, account_id, role, by="test", at=now)
            session = await accounts.open_session(
                tx,
                vault,
                account_id=account_id,
                kind="browser",
                client_id=None,
                scopes=(),
                methods=("pwd",),
                authenticated_at=now,
                origin=Origin(),
                cookie=cookie,
                expires_at=accounts.expiry_of("browser", now),
                at=now,
            )
        return Person(account_id, email, session, cookie)

    return create


class App:
    """An OAuth client at work: the browser's part by hand, its own over HTTP."""

    VERIFIER = "a-verifier-of-which-nobody-else-knows-anything"

    def __init__(
        self,
        http: httpx.AsyncClient,
        shop: Shop,
        client: oauth.Client,
        secret: str | None,
    ) -> None:
        self._http, self._shop = http, shop
        self.client, self.secret = client, secret
        self.id = client.id
        self.auth = None if secret is None else (client.id, secret)

    async def ask(self, **changed: str | None) -> authorization.Request:
        """A request to sign somebody in; None leaves a parameter out."""
        said = {
            "client_id": self.id,
            "redirect_uri": next(iter(self.client.redirect_uris), None),
            "response_type": "code",
            "scope": " ".join(self.client.scopes),
            "state": "xyz",
            "nonce": "n-0S6",
            "code_challenge": oauth.challenge_of(self.VERIFIER),
            "code_challenge_method": "S256",
            **changed,
        }
        return await authorization.read(
            self._shop.db,
            {name: value for name, value in said.items() if value is not None},
            issuer=self._shop.settings.public_url,
        )

    async def answer(self, person: Person, **changed: str | None) -> dict[str, str]:
        """What the browser of somebody who agrees brings back."""
        url = await authorization.grant(
            self._shop.db,
            self._shop.vault,
            await self.ask(**changed),
            person.session,
            origin=Origin(),
            clock=self._shop.clock,
        )
        return dict(parse_qsl(urlsplit(url).query))

    async def code(self, person: Person, **changed: str | None) -> str:
        return (await self.answer(person, **changed))["code"]

    async def redeem(self, code: str, /, **changed: str | None) -> httpx.Response:
        return await self.token(
            **{
                "grant_type": "authorization_code",
                "code": code,
                "redirect_uri": next(iter(self.client.redirect_uris), None),
                "code_verifier": self.VERIFIER,
                **changed,
            }
        )

    async def refresh(self, token: str, /, **changed: str | None) -> httpx.Response:
        return await self.token(
            grant_type="refresh_token", refresh_token=token, **changed
        )

    async def sign_in(self, person: Person, **changed: str | None) -> dict[str, Any]:
        """The tokens that somebody's agreement leads to."""
        answer = await self.redeem(await self.code(person, **changed))
        return answer.raise_for_status().json()

    async def token(self, **form: str | None) -> httpx.Response:
        return await self.post("/oauth/token", **form)

    async def post(self, path: str, **form: str | None) -> httpx.Response:
        said = {name: value for name, value in form.items() if value is not None}
        if self.auth is None:
            return await self._http.post(path, data={"client_id": self.id, **said})
        return await self._http.post(path, data=said, auth=self.auth)


@pytest.fixture
def registered(client, shop) -> Callable[..., Awaitable[App]]:
    """Register an OAuth client, a confidential one that may do all unless told."""

    async def register(**fields: Any) -> App:
        wanted = {
            "name": "Bookkeeper",
            "kind": "confidential",
            "redirect_uris": ("https://app.example/callback",),
            "grant_types": ("authorization_code", "refresh_token"),
            "scopes": ("openid", "profile", "email", "offline_access", "orders:own"),
            **fields,
        }
        made = await clients.create(
            shop.db,
            shop.vault,
            Registration(**wanted),
            giver=None,
            origin=Origin(),
            clock=shop.clock,
        )
        return App(client, shop, *made)

    return register


@pytest.fixture
def recorded(database) -> Callable[[], Awaitable[list[str]]]:
    """The kinds of the security events so far, oldest first, but those of API keys."""

    async def read() -> list[str]:
        rows = await database.fetch(
            "SELECT kind FROM security_events"
            " WHERE kind NOT LIKE 'api_key.%' ORDER BY id"
        )
        return [row["kind"] for row in rows]

    return read
