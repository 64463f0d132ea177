"""An account of Ada's, the doors to it, and what those leave behind."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any
from uuid import UUID

import pyotp
import pytest

from holdfast.domain import accounts
from holdfast.domain.accounts import Hasher
from holdfast.domain.identity import Origin
from holdfast.kernel.ids import new_id
from holdfast.platform.db import Database
from holdfast.platform.vault import Vault
from holdfast.workflows.sign_in import Proved, SecondFactorNeeded, SignIn

ADA = "ada@example.com"
PASSWORD = "correct horse battery staple"
HOME = Origin("192.0.2.7", "Firefox", "req-1")


@pytest.fixture
def sign_in(
    database: Database, vault: Vault, hasher: Hasher, clock: Callable[[], datetime]
) -> SignIn:
    return SignIn(database, vault, hasher, clock)


class Person:
    """Somebody with an account, and with a device for codes if they have one."""

    def __init__(self, account_id: UUID, email: str, sign_in: SignIn) -> None:
        self.account_id = account_id
        self.email = email
        self.secret: str | None = None
        self.recovery_codes: list[str] = []
        self._doors = sign_in

    async def enter(
        self, password: str = PASSWORD, *, origin: Origin = HOME, **where: Any
    ) -> Proved | SecondFactorNeeded:
        return await self._doors.by_password(
            self.email, password, origin=origin, **where
        )

    async def challenge(self, **where: Any) -> str:
        """The password was right; what is asked for now."""
        asked = await self.enter(**where)
        assert isinstance(asked, SecondFactorNeeded)
        return asked.challenge

    def code(self, at: datetime) -> str:
        """What the device shows at a moment."""
        assert self.secret is not None
        return pyotp.TOTP(self.secret).at(at)

    def wrong_code(self, at: datetime) -> str:
        """Six digits that the device shows neither now nor near now."""
        assert self.secret is not None
        shown = {pyotp.TOTP(self.secret).at(at, counter_offset=n) for n in range(-3, 4)}
        return next(c for c in map("{:06}".format, range(9)) if c not in shown)

    async def set_up(self) -> None:
        """Set up a second factor, without a word to the door."""
        self.secret = accounts.new_secret()
        self.recovery_codes = accounts.new_recovery_codes()
        now = self._doors.clock()
        async with self._doors.db.transaction() as tx:
            await accounts.begin_second_factor(
                tx, self._doors.vault, self.account_id, self.secret, at=now
            )
            factor = await accounts.find_second_factor(
                tx, self._doors.vault, self.account_id
            )
            assert factor is not None
            await accounts.confirm_second_factor(tx, factor, 0, at=now)
            await accounts.replace_recovery_codes(
                tx, self._doors.vault, self.account_id, self.recovery_codes
            )


@pytest.fixture
def a_person(sign_in: SignIn, hasher: Hasher) -> Callable[..., Awaitable[Person]]:
    """Put an account into the shop."""

    async def put(
        email: str = ADA, *, password: str | None = PASSWORD, verified: bool = True
    ) -> Person:
        account_id, now = new_id(), sign_in.clock()
        phc = None if password is None else await hasher.hash(password)
        async with sign_in.db.transaction() as tx:
            await accounts.create(
                tx,
                sign_in.vault,
                account_id=account_id,
                email=email,
                password=phc,
                verified_at=now if verified else None,
                at=now,
            )
        return Person(account_id, email, sign_in)

    return put


@pytest.fixture
async def ada(a_person: Callable[..., Awaitable[Person]]) -> Person:
    return await a_person()


@pytest.fixture
async def ada_with_codes(ada: Person) -> Person:
    await ada.set_up()
    return ada


@pytest.fixture
def recorded(database: Database) -> Callable[[], Awaitable[list[tuple[str, Any]]]]:
    """The security events so far, as kinds and whose they are."""

    async def read() -> list[tuple[str, Any]]:
        rows = await database.fetch(
            "SELECT kind, account_id FROM security_events ORDER BY id"
        )
        return [(row["kind"], row["account_id"]) for row in rows]

    return read
