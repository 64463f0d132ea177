"""What an owner does about a thief is not undone by what the thief began before.

Checking a password takes long, so the check and what is done because of it are apart.
Here the owner comes between the two.
"""

import asyncio

import pyotp
import pytest

from holdfast.domain import accounts
from holdfast.domain.accounts import LinkNotValid, WrongPassword
from holdfast.workflows import email_change, passwords, sessions
from holdfast.workflows.roles import Giver
from holdfast.workflows.second_factor import SecondFactors
from holdfast.workflows.sign_in import (
    ChallengeNotValid,
    InvalidLogin,
    Proved,
    SecondFactorNeeded,
    SignIn,
)
from holdfast.workflows.users import Users

ADA, HERS, THIEFS = "ada@example.com", "a blue teapot 1843", "thief@example.com"
STOLEN = "tea for two, please"


class Slow:
    """A hasher during whose first check something happens."""

    def __init__(self, hasher, happens):
        self._hasher = hasher
        self._happens = [happens]

    def __getattr__(self, name):
        return getattr(self._hasher, name)

    async def verify(self, phc, password):
        right = await self._hasher.verify(phc, password)
        while self._happens:
            await self._happens.pop()()
        return right


@pytest.fixture
async def account(signed_up):
    return await signed_up(ADA, STOLEN)


@pytest.fixture
async def a_session(account, database, vault, clock, origin):
    proved = Proved(account.id, ("fed",), clock(), "")
    session, _ = await sessions.open_browser_session(
        database, vault, proved, origin=origin, clock=clock
    )
    return session


@pytest.fixture
def reset(account, database, vault, hasher, clock, origin, deliver, token_in):
    """The owner chooses another password, by way of her mailbox."""

    async def go():
        clock.advance(seconds=1)
        await passwords.request_reset(database, vault, ADA, origin=origin, clock=clock)
        token = next(
            token_in(mail) for mail in await deliver() if "/password/reset" in mail.body
        )
        await passwords.reset(
            database, vault, hasher, token, HERS, shortest=8, origin=origin, clock=clock
        )

    return go


@pytest.fixture
def disable(account, database, clock):
    async def go():
        async with database.transaction() as tx:
            await accounts.disable(tx, account.id, clock())
            await accounts.end_sessions(tx, account.id, reason="disabled", at=clock())

    return go


@pytest.fixture
def live_sessions(account, database, vault, clock):
    async def count():
        return len(await accounts.sessions_of(database, vault, account.id, clock()))

    return count


class TestSignIn:
    async def test_with_the_old_password_fails_while_it_is_reset(
        self, reset, database, vault, hasher, clock, origin
    ):
        doors = SignIn(database, vault, Slow(hasher, reset), clock)

        with pytest.raises(InvalidLogin):
            await doors.by_password(ADA, STOLEN, origin=origin)

        assert isinstance(
            await doors.by_password(ADA, HERS, origin=origin, place=None), Proved
        )

    async def test_to_an_account_fails_while_it_is_disabled(
        self, disable, database, vault, hasher, clock, origin
    ):
        doors = SignIn(database, vault, Slow(hasher, disable), clock)

        with pytest.raises(InvalidLogin):
            await doors.by_password(ADA, STOLEN, origin=origin)

    @pytest.mark.parametrize("what", ["reset", "disable"])
    async def test_opens_no_session_that_outlives_the_end_of_them_all(
        self, request, what, live_sessions, database, vault, hasher, clock, origin
    ):
        happens = request.getfixturevalue(what)
        doors = SignIn(database, vault, hasher, clock)
        proved = await doors.by_password(ADA, STOLEN, origin=origin)
        await happens()

        with pytest.raises(InvalidLogin):
            await sessions.open_browser_session(
                database, vault, proved, origin=origin, clock=clock
            )
        assert await live_sessions() == 0

    async def test_waits_for_a_reset_that_is_being_written(
        self, account, promised, database, vault, hasher, clock, origin
    ):
        doors = SignIn(database, vault, hasher, clock)
        proved = await doors.by_password(ADA, STOLEN, origin=origin)
        phc = await hasher.hash(HERS)

        async def waiting():
            return await database.fetchval(
                "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE "
                "datname = current_database() AND wait_event_type = 'Lock')"
            )

        clock.advance(seconds=1)
        async with database.transaction() as tx:
            await accounts.set_password(tx, vault, account.id, phc, clock())
            opening = asyncio.create_task(
                sessions.open_browser_session(
                    database, vault, proved, origin=origin, clock=clock
                )
            )
            await promised(waiting)

        with pytest.raises(InvalidLogin):
            await opening

    async def test_gets_no_challenge_for_a_password_that_was_reset_meanwhile(
        self, account, reset, database, vault, hasher, clock, origin
    ):
        secret = accounts.new_secret()
        async with database.transaction() as tx:
            await accounts.begin_second_factor(
                tx, vault, account.id, secret, at=clock()
            )
            factor = await accounts.find_second_factor(tx, vault, account.id)
            await accounts.confirm_second_factor(tx, factor, 0, at=clock())
        doors = SignIn(database, vault, hasher, clock)
        asked = await doors.by_password(ADA, STOLEN, origin=origin)
        assert isinstance(asked, SecondFactorNeeded)
        slow = SignIn(database, vault, Slow(hasher, reset), clock)

        with pytest.raises(InvalidLogin):
            await slow.by_password(ADA, STOLEN, origin=origin)
        with pytest.raises(ChallengeNotValid):
            await doors.by_code(
                asked.challenge, pyotp.TOTP(secret).at(clock()), origin=origin
            )


class TestThief:
    """Somebody who has a session of hers, and her password of until now."""

    async def test_sets_no_password_over_the_one_that_was_just_reset(
        self, account, a_session, reset, opens, database, vault, hasher, clock, origin
    ):
        with pytest.raises(WrongPassword):
            await passwords.change(
                database,
                vault,
                Slow(hasher, reset),
                account.id,
                old=STOLEN,
                new="the thief's own words",
                session_id=a_session.id,
                shortest=8,
                origin=origin,
                clock=clock,
            )

        assert await opens(account.id, HERS)

    async def test_begins_no_second_factor_while_the_password_is_reset(
        self, account, a_session, reset, database, vault, hasher, clock, origin
    ):
        factors = SecondFactors(database, vault, Slow(hasher, reset), clock)

        with pytest.raises(WrongPassword):
            await factors.begin(
                account.id,
                STOLEN,
                session_id=a_session.id,
                origin=origin,
                issuer="Shop",
            )

        assert await accounts.find_second_factor(database, vault, account.id) is None

    @pytest.fixture
    def ask_for_another_address(
        self, account, a_session, database, vault, clock, origin
    ):
        async def go(hasher):
            await email_change.request(
                database,
                vault,
                hasher,
                account.id,
                email=THIEFS,
                password=STOLEN,
                session_id=a_session.id,
                origin=origin,
                clock=clock,
            )

        return go

    async def test_asks_for_no_other_address_while_the_password_is_reset(
        self, ask_for_another_address, reset, hasher, deliver
    ):
        with pytest.raises(WrongPassword):
            await ask_for_another_address(Slow(hasher, reset))

        assert THIEFS not in {mail.recipient for mail in await deliver()}

    @pytest.mark.parametrize("way", ["reset", "change"])
    async def test_cannot_take_the_account_by_an_address_asked_for_before(
        self,
        way,
        ask_for_another_address,
        account,
        a_session,
        reset,
        database,
        vault,
        hasher,
        clock,
        origin,
        deliver,
        token_in,
    ):
        await ask_for_another_address(hasher)
        (letter,) = await deliver()
        clock.advance(seconds=1)
        if way == "reset":
            await reset()
        else:
            await passwords.change(
                database,
                vault,
                hasher,
                account.id,
                old=STOLEN,
                new=HERS,
                session_id=a_session.id,
                shortest=8,
                origin=origin,
                clock=clock,
            )

        with pytest.raises(LinkNotValid):
            await email_change.confirm(
                database, vault, token_in(letter), origin=origin, clock=clock
            )
        assert (await accounts.find(database, vault, account.id)).email == ADA

    async def test_nor_once_it_was_disabled_and_is_enabled_again(
        self,
        ask_for_another_address,
        account,
        database,
        vault,
        hasher,
        clock,
        origin,
        deliver,
        token_in,
    ):
        await ask_for_another_address(hasher)
        (letter,) = await deliver()
        users, operator = Users(database, vault, clock), Giver(None, origin)
        await users.set_status(account.id, "disabled", operator)
        await users.set_status(account.id, "active", operator)

        with pytest.raises(LinkNotValid):
            await email_change.confirm(
                database, vault, token_in(letter), origin=origin, clock=clock
            )

    async def test_nor_by_one_whose_letter_was_not_written_yet(
        self,
        ask_for_another_address,
        account,
        opens,
        database,
        vault,
        hasher,
        clock,
        origin,
        deliver,
    ):
        await ask_for_another_address(hasher)
        await Users(database, vault, clock).set_password(
            account.id, await hasher.hash(HERS), Giver(None, origin)
        )

        assert await opens(account.id, HERS)
        assert [mail.recipient for mail in await deliver()] == [ADA]
