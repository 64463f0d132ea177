"""Sites elsewhere that people sign in with: a second shop, and one that lies.

Both are real servers on a port of 127.0.0.1, asked over HTTP as any other.
"""

import asyncio
import base64
import dataclasses
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import asyncpg
import httpx
import pytest
import uvicorn
from browser import Browser
from joserfc import jwt
from joserfc.jwk import ECKey
from visitors import App

from holdfast.api.app import serving
from holdfast.api.shop import Shop, opened
from holdfast.domain.accounts import Hasher
from holdfast.kernel import tokens
from holdfast.kernel.clock import Clock
from holdfast.platform.embedded import PostgresServer
from holdfast.platform.openid_providers import OpenIdProvider
from holdfast.platform.settings import Settings

SECRET = tokens.mint(tokens.CLIENT_SECRET, b"x" * 32)
CLIENT_ID = "this-shop"


@pytest.fixture
def listener() -> Any:
    """A port for the site elsewhere, taken before anybody serves there."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


def address_of(listener: socket.socket) -> str:
    return f"http://127.0.0.1:{listener.getsockname()[1]}"


@asynccontextmanager
async def served(app: Any, listener: socket.socket) -> AsyncIterator[str]:
    """Serve an application until the block is left."""
    config = uvicorn.Config(
        app, lifespan="off", log_config=None, access_log=False, ws="none"
    )
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve(sockets=[listener]))
    async with asyncio.timeout(60):
        while not server.started:  # noqa: ASYNC110 - nothing tells us
            await asyncio.sleep(0.01)
    yield address_of(listener)
    server.should_exit = True
    server.force_exit = True
    await running


@pytest.fixture
def settings(settings: Settings, listener: socket.socket) -> Settings:
    """Those of a shop where one can sign in with a site elsewhere."""
    there = OpenIdProvider(
        "elsewhere", "Elsewhere", address_of(listener), CLIENT_ID, SECRET
    )
    return dataclasses.replace(
        settings, openid_providers=(there,), openid_timeout_seconds=1
    )


@pytest.fixture
async def other_shop(
    settings: Settings,
    postgres: PostgresServer,
    template: str,
    listener: socket.socket,
    clock: Clock,
    hasher: Hasher,
    tmp_path: Path,
) -> AsyncIterator[Shop]:
    """A second shop with a database and keys of its own, serving over HTTP."""
    name = f"elsewhere_{listener.getsockname()[1]}"
    connection = await asyncpg.connect(postgres.url)
    clone = f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY FILE_COPY'
    await connection.execute(clone)
    there = dataclasses.replace(
        settings,
        database_url=postgres.url_of(name),
        public_url=address_of(listener),
        openid_providers=(),
        data_key=f"file:{tmp_path}/elsewhere.key",
    )
    async with (
        opened(there, clock=clock, hasher=hasher) as shop,
        served(serving(shop), listener),
    ):
        yield shop
    await connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    await connection.close()


@pytest.fixture
async def registered(other_shop: Shop, an_app: Callable[..., Awaitable[App]]) -> App:
    """This shop as a client of the other."""
    return await an_app(
        name="This shop",
        redirect_uri="http://shop.test/sign-in/with/elsewhere/callback",
        scopes=("openid", "email", "profile"),
        secret=SECRET,
        client_id=CLIENT_ID,
        at=other_shop,
    )


@pytest.fixture
async def traveller(
    a_browser: Callable[..., Awaitable[Browser]], listener: socket.socket
) -> Browser:
    """A browser that goes to both sites."""
    return await a_traveller(a_browser, listener)


async def a_traveller(
    a_browser: Callable[..., Awaitable[Browser]], listener: socket.socket
) -> Browser:
    """Another browser that goes to both sites."""
    return await a_browser(
        hosts=(urlsplit(address_of(listener)).netloc,),
        mounts={"all://127.0.0.1": httpx.AsyncHTTPTransport()},
    )


class Liar:
    """An OpenID provider that says whatever a test wants it to."""

    def __init__(self, issuer: str, clock: Clock) -> None:
        self.issuer = issuer
        self.key = ECKey.generate_key("P-256", {"kid": "liar", "use": "sig"})
        self.published: list[dict[str, Any]] = [self.key.as_dict(private=False)]
        self.metadata: dict[str, Any] = {}
        self.claims: dict[str, Any] = {}
        self.header: dict[str, Any] = {}
        self.token: str | None = None
        self.answers: dict[str, tuple[int, bytes]] = {}
        self.hangs = ""
        self.asked: list[str] = []
        self.requests: dict[str, str] = {}
        self.redeemed: tuple[str, dict[str, str]] = ("", {})
        """What it was asked for tokens with: ``Authorization``, and the form."""
        self._clock = clock

    def id_token(self) -> str:
        """What it says of who came back."""
        now = int(self._clock().timestamp())
        claims = {
            "iss": self.issuer,
            "aud": CLIENT_ID,
            "sub": "mallory",
            "iat": now,
            "exp": now + 300,
            "nonce": self.requests.get("nonce", ""),
            "email": "mallory@example.com",
            "email_verified": True,
            **self.claims,
        }
        said = {name: value for name, value in claims.items() if value is not None}
        header = {"alg": "ES256", "kid": "liar", **self.header}
        if header["alg"] in ("none", "HS256"):
            return unsigned(header, said)
        return jwt.encode(header, said, self.key)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        path = scope["path"]
        self.asked.append(path)
        message = await receive()
        if path == "/token":
            form = parse_qs(message["body"].decode())
            sent = dict(scope["headers"]).get(b"authorization", b"").decode()
            self.redeemed = sent, {name: value[0] for name, value in form.items()}
        if path == self.hangs:
            while message["type"] != "http.disconnect":
                message = await receive()
            return
        status, body = self.answers.get(path) or (200, self._answer(path))
        headers = [(b"content-type", b"application/json")]
        await send(
            {"type": "http.response.start", "status": status, "headers": headers}
        )
        await send({"type": "http.response.body", "body": body})

    def _answer(self, path: str) -> bytes:
        said: Any = {}
        if path == "/.well-known/openid-configuration":
            said = {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/jwks",
                **self.metadata,
            }
        elif path == "/jwks":
            said = {"keys": self.published}
        elif path == "/token":
            said = {
                "id_token": self.token or self.id_token(),
                "access_token": "access",
                "token_type": "Bearer",
            }
        return json.dumps(said).encode()

    async def come_back(self, browser: Browser, **different: str) -> Browser:
        """Begin a sign-in and come back from here with an answer."""
        answer = await browser.client.get("/sign-in/with/elsewhere")
        assert answer.status_code == 303, answer.text
        query = parse_qs(urlsplit(answer.headers["location"]).query)
        self.requests = {name: values[0] for name, values in query.items()}
        back = {"code": "a-code", "state": self.requests["state"], **different}
        return await browser.open(
            "/sign-in/with/elsewhere/callback",
            **{name: value for name, value in back.items() if value},
        )


def unsigned(header: dict[str, Any], claims: dict[str, Any]) -> str:
    """A token with a signature that nobody made."""
    parts = [json.dumps(part).encode() for part in (header, claims)]
    encoded = [base64.urlsafe_b64encode(p).rstrip(b"=").decode() for p in parts]
    return (
        f"{'.'.join(encoded)}.AAAA"
        if header["alg"] != "none"
        else ".".join([*encoded, ""])
    )


@pytest.fixture
async def liar(listener: socket.socket, clock: Clock) -> AsyncIterator[Liar]:
    app = Liar(address_of(listener), clock)
    async with served(app, listener):
        yield app
