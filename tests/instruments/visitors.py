"""People at the pages: accounts with passwords, their browsers, clients that ask.

Fixtures for the folders that import them.
"""

import base64
import hashlib
import re
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import httpx
import pyotp
import pytest
from browser import Browser

from holdfast.api.app import serving
from holdfast.api.shop import Shop
from holdfast.domain import accounts, customers, identity, notifications, oauth
from holdfast.kernel.ids import new_id
from holdfast.workflows import account_mail

PASSWORD = "correct horse battery staple"
ADA = "ada@example.com"
_LINK = re.compile(r"https?://\S+")


@dataclass
class Person:
    """Somebody with an account, and a device for codes if they have one."""

    account_id: UUID
    email: str
    password: str = PASSWORD
    secret: str = ""
    recovery_codes: list[str] = field(default_factory=list)

    def code(self, shop: Shop) -> str:
        """What the device shows now."""
        return pyotp.TOTP(self.secret).at(shop.clock())


@dataclass(frozen=True)
class App:
    """A client, and requests of its own."""

    id: str
    redirect_uri: str
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48))

    def asks(self, **different: str | None) -> str:
        """The address to which it sends a browser."""
        digest = hashlib.sha256(self.verifier.encode()).digest()
        said: dict[str, str | None] = {
            "response_type": "code",
            "client_id": self.id,
            "redirect_uri": self.redirect_uri,
            "scope": "openid email orders:own",
            "state": "the-state",
            "nonce": "the-nonce",
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
            **different,
        }
        said = {name: value for name, value in said.items() if value is not None}
        return f"/oauth/authorize?{urlencode(said)}"


@pytest.fixture
async def a_browser(shop: Shop) -> AsyncIterator[Callable[..., Awaitable[Browser]]]:
    """Another browser; *url* for a shop that is not the test's own."""
    async with AsyncExitStack() as closing:

        async def make(*, hosts: tuple[str, ...] = (), **options: Any) -> Browser:
            transport = httpx.ASGITransport(serving(shop), raise_app_exceptions=False)
            given = {"transport": transport, "base_url": "http://shop.test"}
            client = httpx.AsyncClient(**{**given, **options}, trust_env=False)
            await closing.enter_async_context(client)
            return Browser(client, hosts)

        yield make


@pytest.fixture
async def browser(a_browser: Callable[..., Awaitable[Browser]]) -> Browser:
    return await a_browser()


@pytest.fixture
def a_person(shop: Shop) -> Callable[..., Awaitable[Person]]:
    """Put an account into a shop: the test's own, or the one given."""

    async def put(
        email: str = ADA,
        *,
        password: str | None = PASSWORD,
        second_factor: bool = False,
        at: Shop = shop,
    ) -> Person:
        person, now = Person(new_id(), email), at.clock()
        phc = None if password is None else await at.hasher.hash(password)
        async with at.db.transaction() as tx:
            await accounts.create(
                tx,
                at.vault,
                account_id=person.account_id,
                email=email,
                password=phc,
                verified_at=now,
                at=now,
            )
            await identity.grant_role(
                tx, person.account_id, "customer", by="test", at=now
            )
            await customers.add(
                tx, at.vault, person.account_id, given_name="Ada", at=now
            )
        if second_factor:
            await set_up(at, person)
        return person

    return put


@pytest.fixture
async def ada(a_person: Callable[..., Awaitable[Person]]) -> Person:
    return await a_person()


async def set_up(shop: Shop, person: Person) -> None:
    """Give a person a second factor."""
    person.secret = accounts.new_secret()
    person.recovery_codes = accounts.new_recovery_codes()
    now = shop.clock()
    async with shop.db.transaction() as tx:
        await accounts.begin_second_factor(
            tx, shop.vault, person.account_id, person.secret, at=now
        )
        factor = await accounts.find_second_factor(tx, shop.vault, person.account_id)
        assert factor is not None
        await accounts.confirm_second_factor(tx, factor, 0, at=now)
        await accounts.replace_recovery_codes(
            tx, shop.vault, person.account_id, person.recovery_codes
        )


@pytest.fixture
def an_app(shop: Shop) -> Callable[..., Awaitable[App]]:
    """Register a client that is not the shop's own."""

    async def register(
        *,
        name: str = "Weather",
        redirect_uri: str = "https://app.test/callback",
        first_party: bool = False,
        scopes: tuple[str, ...] = ("openid", "email", "profile", "orders:own"),
        secret: str | None = None,
        client_id: str | None = None,
        at: Shop = shop,
    ) -> App:
        client = oauth.Client(
            id=client_id or f"client-{new_id()}",
            name=name,
            kind="public" if secret is None else "confidential",
            redirect_uris=(redirect_uri,),
            grant_types=("authorization_code",),
            scopes=scopes,
            first_party=first_party,
            created_at=at.clock(),
            updated_at=at.clock(),
            disabled_at=None,
        )
        async with at.db.transaction() as tx:
            await oauth.add_client(tx, client, secret)
        return App(client.id, redirect_uri)

    return register


@pytest.fixture
async def app(an_app: Callable[..., Awaitable[App]]) -> App:
    return await an_app()


@pytest.fixture
def mailed_link(shop: Shop) -> Callable[[str], Awaitable[str]]:
    """Have the waiting e-mails written; returns the link in the last one to an address.

    Nothing is sent: it is what the worker would have sent.
    """

    async def read(email: str) -> str:
        rows = await shop.db.fetch(
            "SELECT id FROM account_requests WHERE mailed_at IS NULL ORDER BY id"
        )
        for row in rows:
            await account_mail.send(
                row["id"],
                event_id=new_id(),
                db=shop.db,
                vault=shop.vault,
                mailer=None,
                public_url=shop.settings.public_url,
                clock=shop.clock,
            )
        index = accounts.email_index(shop.vault, email)
        letters = await notifications.of_recipient(shop.db, shop.vault, index)
        newest = max(letters, key=lambda letter: letter.id)
        return next(
            link for link in _LINK.findall(newest.body) if "token" in link
        ).rstrip(".")

    return read


async def sign_in(browser: Browser, person: Person, to: str = "/sign-in") -> Browser:
    """Sign a person in, from wherever a page of ours asks for it."""
    await browser.open(to)
    return await browser.submit(email=person.email, password=person.password)
