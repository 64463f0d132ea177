"""Accounts, and the e-mails about them, without a worker process."""

import re
from collections.abc import Awaitable, Callable
from datetime import datetime
from uuid import UUID

import pytest

from holdfast.domain import accounts, notifications
from holdfast.domain.accounts import Account, Hasher
from holdfast.domain.identity import Origin
from holdfast.domain.notifications import Email
from holdfast.platform import outbox
from holdfast.platform.db import Database
from holdfast.platform.vault import Vault
from holdfast.workflows import account_mail, sign_up

Deliver = Callable[[], Awaitable[list[Email]]]
ATOKEN = re.compile(r"token=(hfm_\S+)")


@pytest.fixture
def origin() -> Origin:
    return Origin("192.0.2.7", "Browser/1.0", "0192f3c4")


@pytest.fixture
def deliver(database: Database, vault: Vault, clock: Callable[[], datetime]) -> Deliver:
    """Write every e-mail that was asked for; returns them, in order."""

    async def work() -> list[Email]:
        async with database.transaction() as tx:
            events = await outbox.take_waiting(tx, 1_000, at=clock())
        before = {
            e.id for e in await notifications.latest(database, vault, limit=1_000)
        }
        for event in events:
            await account_mail.send(
                UUID(event.payload["request_id"]),
                event_id=event.id,
                db=database,
                vault=vault,
                mailer=None,
                public_url="https://shop.test",
                clock=clock,
            )
        written = await notifications.latest(database, vault, limit=1_000)
        return [email for email in reversed(written) if email.id not in before]

    return work


@pytest.fixture
def token_in() -> Callable[[Email], str]:
    """The token in the link of an e-mail."""

    def find(email: Email) -> str:
        (token,) = ATOKEN.findall(email.body)
        return str(token)

    return find


SignedUp = Callable[..., Awaitable[Account]]


@pytest.fixture
def signed_up(
    database: Database,
    vault: Vault,
    hasher: Hasher,
    clock: Callable[[], datetime],
    origin: Origin,
    deliver: Deliver,
    token_in: Callable[[Email], str],
) -> SignedUp:
    """Sign somebody up, all the way."""

    async def go(
        email: str = "ada@example.com",
        password: str = "tea for two, please",  # noqa: S107 - nobody's
    ) -> Account:
        await sign_up.request_sign_up(
            database, vault, email, origin=origin, clock=clock
        )
        (letter,) = await deliver()
        return await sign_up.confirm_sign_up(
            database,
            vault,
            hasher,
            token_in(letter),
            password,
            shortest=8,
            origin=origin,
            clock=clock,
        )

    return go


@pytest.fixture
def opens(
    database: Database, vault: Vault, hasher: Hasher
) -> Callable[[UUID, str], Awaitable[bool]]:
    """Whether a password opens an account."""

    async def check(account_id: UUID, password: str) -> bool:
        phc = await accounts.password_of(database, vault, account_id)
        return await hasher.verify(phc, password)

    return check
