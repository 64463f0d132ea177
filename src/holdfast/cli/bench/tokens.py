"""What knowing an access token costs a request, in CPU.

The whole application answers in this process: a request without credentials, one with
an access token, in turn, so that whatever else the machine does meets both alike. The
route reads nothing, so what differs is the token. Each is measured by itself, in CPU
time of the thread; the median of one is held against that of the other.
"""

import io
import statistics
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from holdfast.api.app import serving
from holdfast.api.shop import Shop, opened
from holdfast.cli.bench.instance import CannotBench, Instance
from holdfast.domain import accounts, identity, oauth
from holdfast.kernel.clock import system_clock
from holdfast.kernel.ids import new_id
from holdfast.platform.settings import Settings
from holdfast.platform.telemetry import AccessLog
from holdfast.resilience.asgi import App, Message, Scope

PAIRS = 20_000
FIRST = 200
_WARM = 1_000
_PATH = "/livez"
_OK = 200
_SCOPES = ("account:read", "account:write", "carts:own", "orders:own")


@dataclass(frozen=True, slots=True)
class TokenCost:
    """CPU microseconds of a request, in the median."""

    without_us: float
    with_us: float
    first_us: float
    """When the token was never seen: signature and database."""

    @property
    def added_us(self) -> float:
        return round(self.with_us - self.without_us, 3)


async def measure(instance: Instance, *, pairs: int = PAIRS) -> TokenCost:
    """Measure over the database of a running shop."""
    async with _shop(instance) as shop:
        app = serving(shop)
        sign = await _somebody(shop)
        plain, known = _request(None), _request(sign())
        for _ in range(_WARM):
            await _cost(app, plain)
            await _cost(app, known)
        costs = [
            (await _cost(app, plain), await _cost(app, known)) for _ in range(pairs)
        ]
        firsts = [await _cost(app, _request(sign())) for _ in range(FIRST)]
    without, with_token = zip(*costs, strict=True)
    return TokenCost(
        statistics.median(without),
        statistics.median(with_token),
        statistics.median(firsts),
    )


@asynccontextmanager
async def _shop(instance: Instance) -> AsyncIterator[Shop]:
    settings = Settings.read({"HOLDFAST_ENV": "development", **instance.addresses})
    async with opened(settings, access_log=AccessLog("json", _Nowhere())) as shop:
        yield shop


class _Nowhere(io.BytesIO):
    """Takes the lines of the access log, and keeps none."""

    def write(self, data: object, /) -> int:  # noqa: ARG002 - that is the point
        return 0


class _Signer:
    """Makes tokens of one session."""

    def __init__(
        self, shop: Shop, key: oauth.SigningKey, session: accounts.Session
    ) -> None:
        self._issuer = shop.settings.public_url
        self._key = key
        self._session = session

    def __call__(self) -> str:
        session = self._session
        return oauth.sign_access_token(
            self._key,
            issuer=self._issuer,
            account_id=session.account_id,
            client_id=session.client_id or "",
            session_id=session.id,
            scopes=session.scopes,
            authenticated_at=session.authenticated_at,
            methods=session.methods,
            token_id=new_id(),
            at=system_clock(),
        )


async def _somebody(shop: Shop) -> _Signer:
    """Sign a customer in at a client of the shop's own."""
    account_id, at = new_id(), system_clock()
    client = oauth.Client(
        id=f"bench-{account_id}",
        name="Benchmark",
        kind="public",
        redirect_uris=("https://bench.test/callback",),
        grant_types=("authorization_code",),
        scopes=_SCOPES,
        first_party=True,
        created_at=at,
        updated_at=at,
        disabled_at=None,
    )
    async with shop.db.transaction() as tx:
        await oauth.add_client(tx, client, None)
        await accounts.create(
            tx,
            shop.vault,
            account_id=account_id,
            email=f"{account_id}@bench.test",
            password=None,
            verified_at=at,
            at=at,
        )
        await identity.grant_role(tx, account_id, "customer", by="bench", at=at)
        session = await accounts.open_session(
            tx,
            shop.vault,
            account_id=account_id,
            kind="first_party",
            client_id=client.id,
            scopes=_SCOPES,
            methods=("pwd",),
            authenticated_at=at,
            origin=identity.Origin(),
            cookie=None,
            expires_at=at + timedelta(days=1),
            at=at,
        )
    return _Signer(shop, await shop.keyring.signer(), session)


def _request(token: str | None) -> Scope:
    headers = [(b"host", b"127.0.0.1"), (b"accept", b"*/*"), (b"user-agent", b"bench")]
    if token is not None:
        headers.append((b"authorization", b"Bearer " + token.encode()))
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": _PATH,
        "raw_path": _PATH.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": headers,
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 8000),
    }


async def _cost(app: App, request: Scope) -> float:
    """The CPU of one request, in microseconds; ``CannotBench`` if it is refused."""
    status = 0

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        nonlocal status
        status = message.get("status", status)

    scope = dict(request)
    before = time.thread_time_ns()
    await app(scope, receive, send)
    spent = time.thread_time_ns() - before
    if status != _OK:
        raise CannotBench(f"a request of the token stage was answered {status}")
    return spent / 1000
