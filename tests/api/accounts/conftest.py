"""The e-mails that a shop writes, without a worker."""

import re
from collections.abc import Awaitable, Callable
from uuid import UUID

import httpx
import pytest

from holdfast.api.shop import Shop
from holdfast.domain import notifications
from holdfast.domain.notifications import Email
from holdfast.platform import outbox
from holdfast.workflows import account_mail

Deliver = Callable[[], Awaitable[list[Email]]]
_TOKEN = re.compile(r"token=(hfm_\S+)")


@pytest.fixture
def deliver(shop: Shop) -> Deliver:
    """Write every e-mail that was asked for; returns them, in order."""

    async def work() -> list[Email]:
        async with shop.db.transaction() as tx:
            events = await outbox.take_waiting(tx, 1_000, at=shop.clock())
        written = []
        for event in events:
            await account_mail.send(
                UUID(event.payload["request_id"]),
                event_id=event.id,
                db=shop.db,
                vault=shop.vault,
                mailer=None,
                public_url=shop.settings.public_url,
                clock=shop.clock,
            )
            (last,) = (await notifications.latest(shop.db, shop.vault, limit=1)) or [
                None
            ]
            if last is not None and last.event_id == event.id:
                written.append(last)
        return written

    return work


@pytest.fixture
def token_in() -> Callable[[Email], str]:
    def find(email: Email) -> str:
        (token,) = _TOKEN.findall(email.body)
        return str(token)

    return find


SignedUp = Callable[..., Awaitable[UUID]]


@pytest.fixture
def signed_up(
    client: httpx.AsyncClient, deliver: Deliver, token_in: Callable[[Email], str]
) -> SignedUp:
    """Sign somebody up over the API; returns the id of the account."""

    async def go(
        email: str = "ada@example.com",
        password: str = "tea for two, please",  # noqa: S107 - nobody's
    ) -> UUID:
        asked = await client.post("/v1/accounts", json={"email": email})
        assert asked.status_code == 202
        (letter,) = await deliver()
        opened = await client.post(
            "/v1/accounts/confirm",
            json={"token": token_in(letter), "password": password},
        )
        assert opened.status_code == 201
        return UUID(opened.json()["id"])

    return go
