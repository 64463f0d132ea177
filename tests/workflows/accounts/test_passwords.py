import asyncio

import pytest

from holdfast.domain import accounts, identity
from holdfast.domain.accounts import LinkNotValid, PasswordRefused, WrongPassword
from holdfast.kernel import tokens
from holdfast.kernel.ids import new_id
from holdfast.workflows import passwords, sign_up
from holdfast.workflows.attempts import TooManyAttempts

ADA = "ada@example.com"
OLD = "tea for two, please"
NEW = "and scones for three"


@pytest.fixture
def ask(database, vault, clock, origin):
    async def go(email=ADA):
        await passwords.request_reset(
            database, vault, email, origin=origin, clock=clock
        )

    return go


@pytest.fixture
def reset(database, vault, hasher, clock, origin):
    async def go(token, password=NEW):
        return await passwords.reset(
            database,
            vault,
            hasher,
            token,
            password,
            shortest=8,
            origin=origin,
            clock=clock,
        )

    return go


@pytest.fixture
def a_session(database, vault, clock, origin):
    async def put(account_id):
        async with database.transaction() as tx:
            return await accounts.open_session(
                tx,
                vault,
                account_id=account_id,
                kind="browser",
                client_id=None,
                scopes=(),
                methods=("pwd",),
                authenticated_at=clock(),
                origin=origin,
                cookie=tokens.new_token(tokens.BROWSER),
                expires_at=accounts.expiry_of("browser", clock()),
                at=clock(),
            )

    return put


@pytest.fixture
def change(database, vault, hasher, clock, origin):
    async def go(account_id, old, new, session_id):
        await passwords.change(
            database,
            vault,
            hasher,
            account_id,
            old=old,
            new=new,
            session_id=session_id,
            shortest=8,
            origin=origin,
            clock=clock,
        )

    return go


class TestReset:
    async def test_replaces_the_password_and_says_so_by_mail(
        self, signed_up, ask, deliver, token_in, reset, opens
    ):
        account = await signed_up()
        await ask("ADA@example.com")
        (letter,) = await deliver()
        assert "https://shop.test/password/reset?token=" in letter.body

        await reset(token_in(letter))

        assert await opens(account.id, NEW)
        assert not await opens(account.id, OLD)
        (notice,) = await deliver()
        assert notice.subject == "Your password was changed"
        assert notice.recipient == ADA

    async def test_goes_to_the_owner_however_a_stranger_spells_the_address(
        self, signed_up, ask, deliver
    ):
        await signed_up("strasse@example.com")

        await ask("Strasse@Example.com")

        assert [m.recipient for m in await deliver()] == ["strasse@example.com"]

    async def test_sends_nothing_to_one_that_only_looks_like_it_has_an_account(
        self, signed_up, ask, deliver
    ):
        await signed_up("ada@strasse.example")

        await ask("ada@stra\N{LATIN SMALL LETTER SHARP S}e.example")

        assert await deliver() == []

    async def test_sends_nothing_to_a_stranger_or_for_a_closed_account(
        self, signed_up, ask, deliver, database, clock
    ):
        account = await signed_up()
        async with database.transaction() as tx:
            await accounts.disable(tx, account.id, clock())

        await ask()
        await ask("stranger@example.com")

        assert await deliver() == []

    async def test_ends_every_session_and_keeps_the_second_factor(
        self,
        signed_up,
        ask,
        deliver,
        token_in,
        reset,
        a_session,
        database,
        vault,
        clock,
    ):
        account = await signed_up()
        await a_session(account.id)
        await database.fetch(
            "INSERT INTO second_factors (account_id, sealed, confirmed_at, created_at)"
            " VALUES ($1, 'x', $2, $2) RETURNING 1",
            account.id,
            clock(),
        )
        await ask()

        after = await reset(token_in((await deliver())[0]))

        assert after.second_factor
        assert await accounts.sessions_of(database, vault, account.id, clock()) == []
        page = await identity.events(
            database, vault, account_id=account.id, after=None, limit=1
        )
        assert [event.kind for event in page.items] == ["password.reset"]
        assert page.items[0].address == "192.0.2.7"

    async def test_takes_a_link_once_for_an_hour(
        self, signed_up, ask, deliver, token_in, reset, clock
    ):
        await signed_up()
        await ask()
        (first,) = await deliver()
        await reset(token_in(first))
        with pytest.raises(LinkNotValid):
            await reset(token_in(first))

        await ask()
        second = (await deliver())[-1]
        clock.advance(hours=1)
        with pytest.raises(LinkNotValid):
            await reset(token_in(second))

    async def test_of_two_at_once_one_sets_the_password(
        self, signed_up, ask, deliver, token_in, reset, opens
    ):
        account = await signed_up()
        await ask()
        token = token_in((await deliver())[0])

        tasks = [
            asyncio.create_task(reset(token, f"password number {i} of 3"))
            for i in range(3)
        ]
        await asyncio.wait(tasks)

        won = [i for i, task in enumerate(tasks) if task.exception() is None]
        assert len(won) == 1
        assert await opens(account.id, f"password number {won[0]} of 3")

    async def test_a_refused_password_leaves_the_link_good(
        self, signed_up, ask, deliver, token_in, reset
    ):
        await signed_up()
        await ask()
        token = token_in((await deliver())[0])

        with pytest.raises(PasswordRefused):
            await reset(token, "password1")

        assert await reset(token)

    async def test_a_link_to_an_address_that_changed_hands_opens_nothing(
        self, signed_up, ask, deliver, token_in, reset, database, vault, clock
    ):
        account = await signed_up()
        await ask()
        token = token_in((await deliver())[0])
        async with database.transaction() as tx:
            await accounts.set_email(tx, vault, account.id, "new@example.com", clock())
        await signed_up()

        with pytest.raises(LinkNotValid):
            await reset(token)

    async def test_takes_no_link_that_was_for_something_else(
        self, deliver, token_in, reset, database, vault, origin, clock
    ):
        await sign_up.request_sign_up(database, vault, ADA, origin=origin, clock=clock)

        with pytest.raises(LinkNotValid):
            await reset(token_in((await deliver())[0]))


class TestChange:
    async def test_needs_the_old_one_and_ends_the_other_sessions(
        self, signed_up, change, a_session, opens, database, vault, clock, deliver
    ):
        account = await signed_up()
        here, _ = await a_session(account.id), await a_session(account.id)

        await change(account.id, OLD, NEW, here.id)

        assert await opens(account.id, NEW)
        left = await accounts.sessions_of(database, vault, account.id, clock())
        assert [session.id for session in left] == [here.id]
        assert [m.subject for m in await deliver()] == ["Your password was changed"]

    async def test_refuses_a_wrong_old_one_and_soon_any(
        self, signed_up, change, opens, clock
    ):
        account = await signed_up()
        session_id = new_id()
        for _ in range(5):
            with pytest.raises(WrongPassword):
                await change(account.id, "not this", NEW, session_id)

        with pytest.raises(TooManyAttempts):
            await change(account.id, OLD, NEW, session_id)

        assert await opens(account.id, OLD)
        clock.advance(hours=1)
        await change(account.id, OLD, NEW, session_id)

    async def test_leaves_a_trace_of_whoever_guesses_the_old_one(
        self, signed_up, change, database
    ):
        account = await signed_up()
        session_id = new_id()
        for _ in range(5):
            with pytest.raises(WrongPassword):
                await change(account.id, "not this", NEW, session_id)

        rows = await database.fetch(
            "SELECT kind, account_id FROM security_events "
            "WHERE kind <> 'account.created' ORDER BY id"
        )
        assert [tuple(row) for row in rows] == [
            *[("password.failed", account.id)] * 5,
            ("sign_in.blocked", account.id),
        ]

    async def test_refuses_a_bad_new_one(self, signed_up, change, opens):
        account = await signed_up()

        with pytest.raises(PasswordRefused):
            await change(account.id, OLD, "holdfast1", new_id())

        assert await opens(account.id, OLD)

    async def test_ends_the_links_that_are_out(
        self, signed_up, change, ask, deliver, token_in, reset
    ):
        account = await signed_up()
        await ask()
        token = token_in((await deliver())[0])

        await change(account.id, OLD, NEW, new_id())

        with pytest.raises(LinkNotValid):
            await reset(token, "a third one of mine")
